//! What is in the counter by us, and how it is changed so that whoever comes next knows what was done, at whatever
//! moment this process is killed: the record first, then the counter, then the record.
//!
//! Files and the counter are behind traits; nothing here waits.

mod means;
mod refused;

use std::io;
use std::path::{Path, PathBuf};

use self::refused::{Refused, of_counter, of_file};
use super::protocol::Shares;
use super::record::{Record, Write, total};

pub use self::means::{Counter, Files, Target};

/// The record's name in state_dir.
pub(super) const FILE: &str = "demotion";
/// Who may read the record, and what it is like before it is whole.
const RECORD_MODE: u32 = 0o600;
/// Who may read the file that keepalived tracks.
const TRACKED_MODE: u32 = 0o644;
/// What an operator does about a counter that may have too much or too little in it.
const SEE: &str =
    "see sysctl net.inet.carp.demotion, and write there what is to be added, with a minus sign to take back";

/// Opens a target by its name in a record; an error when this system has no such thing.
pub type Open = Box<dyn FnMut(&str) -> Result<Target, String>>;

/// Where a [`Ledger`] is.
pub struct Place {
    /// The directory of the record.
    pub state_dir: PathBuf,
    /// Which boot of the system this is.
    pub boot: String,
    /// Opens what shares were in before the configuration was changed.
    pub open: Open,
}

/// The shares that are in the counter by us, while this process lives.
pub struct Ledger {
    files: Box<dyn Files>,
    target: Target,
    path: PathBuf,
    boot: String,
    open: Open,
    shares: Shares,
    /// What was left is taken over, as far as that can be.
    is_loaded: bool,
    /// The record says something else.
    is_behind: bool,
}

impl Ledger {
    /// One that knows of nothing yet.
    pub fn new(files: Box<dyn Files>, target: Target, place: Place) -> Self {
        let Place { state_dir, boot, open } = place;
        let path = state_dir.join(FILE);
        Self { files, target, path, boot, open, shares: Shares::new(), is_loaded: false, is_behind: false }
    }

    /// Tries what shares need, and changes nothing: it is to be known before whoever has them is sent away, and not
    /// when a rule fails.
    ///
    /// # Errors
    /// Why it cannot be done, and what to do.
    pub fn try_out(&mut self) -> Result<(), String> {
        let mut paths = vec![self.path.clone()];
        match &mut self.target {
            Target::Counter(counter) => {
                counter.read().and_then(|_| counter.add(0)).map_err(|error| of_counter(&error))?;
            }
            Target::File(path) => paths.push(path.clone()),
        }
        for path in paths {
            // By a name that nobody else writes: whoever has the shares may be about to rename its own.
            let attempt = beside(&path, ".try");
            let tried = self.files.create(&attempt, b"0\n", RECORD_MODE);
            // What was made in part is not left there.
            let tried = tried.and(self.files.remove(&attempt));
            tried.map_err(|error| of_file("write", &path, &error))?;
        }
        Ok(())
    }

    /// Takes over what was left; nobody else may have the directory. What an operator should know is added to
    /// `remarks`.
    ///
    /// # Errors
    /// Why that cannot be, and what to do. What was left is as it was then, and can be [released](Self::release).
    pub fn begin(&mut self, remarks: &mut Vec<String>) -> Result<(), String> {
        self.load(remarks)?;
        self.put(None)?;
        self.is_behind = false;
        Ok(self.show()?)
    }

    /// The shares that are in the counter.
    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Whether there is nothing in the counter, for certain.
    pub fn is_empty(&self) -> bool {
        self.is_loaded && self.shares.is_empty()
    }

    /// Whether the record is to be [brought up to date](Self::catch_up).
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Brings the record up to date, after that has failed.
    pub fn catch_up(&mut self) {
        self.is_behind = self.put(None).is_err();
    }

    /// Makes these the shares that are in the counter; gives back what that holds then.
    ///
    /// # Errors
    /// Why it could not be done, and what to do; to be tried again.
    pub fn change(&mut self, shares: Shares) -> Result<u8, String> {
        Ok(self.try_change(shares)?)
    }

    /// Takes everything back, and removes the record.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub fn release(&mut self) -> Result<(), String> {
        // Whom it could be told to is gone.
        self.load(&mut Vec::new())?;
        match (self.try_change(Shares::new()), &self.target) {
            (Ok(_), _) => {}
            // Without its directory, there is no file that anybody could track.
            (Err(refused), Target::File(_)) if refused.kind == io::ErrorKind::NotFound => {}
            (Err(refused), _) => return Err(refused.into()),
        }
        self.files.remove(&self.path).map_err(|error| of_file("remove", &self.path, &error).into())
    }

    fn try_change(&mut self, mut shares: Shares) -> Result<u8, Refused> {
        shares.retain(|_, share| *share > 0);
        let (before, after) = (total(&self.shares), total(&shares));
        let delta = i32::from(after) - i32::from(before);
        match &mut self.target {
            Target::Counter(_) if shares == self.shares => {}
            Target::Counter(counter) if delta != 0 => {
                let before = counter.read().map_err(|error| of_counter(&error))?;
                if let Err(refused) = self.put(Some(Write { before, delta, shares: shares.clone() })) {
                    if delta > 0 {
                        return Err(refused);
                    }
                    self.go_without_record(refused)?;
                }
                self.add(delta)?;
                self.shares = shares;
                // It is done all the same.
                self.catch_up();
            }
            // Nobody sees a file between two of its states: it is what is recorded, or about to be.
            Target::Counter(_) | Target::File(_) => {
                let may_do_without = matches!(self.target, Target::File(_)) && delta <= 0;
                let old = std::mem::replace(&mut self.shares, shares);
                match self.put(None) {
                    Ok(()) => self.is_behind = false,
                    Err(refused) if may_do_without => {
                        if let Err(refused) = self.go_without_record(refused) {
                            self.shares = old;
                            return Err(refused);
                        }
                    }
                    Err(refused) => {
                        self.shares = old;
                        return Err(refused);
                    }
                }
                self.show()?;
            }
        }
        Ok(after)
    }

    /// What is taken back must not wait for room on a disk, or a directory that somebody removed: a gateway would be
    /// down for ever. So there is no record until one can be written again. Whoever is killed meanwhile leaves a share
    /// that nobody knows of, at worst; with a record of what is no more, the next one would take it back twice.
    fn go_without_record(&mut self, refused: Refused) -> Result<(), Refused> {
        self.files.remove(&self.path).map_err(|_| refused)?;
        self.is_behind = true;
        Ok(())
    }

    fn add(&mut self, delta: i32) -> Result<(), Refused> {
        let Target::Counter(counter) = &mut self.target else { return Ok(()) };
        counter.add(delta).map_err(|error| {
            self.catch_up();
            of_counter(&error)
        })
    }

    /// Takes over what was left, if that was not done yet.
    fn load(&mut self, remarks: &mut Vec<String>) -> Result<(), Refused> {
        if self.is_loaded {
            return Ok(());
        }
        if let Some(mut record) = self.read(remarks) {
            if record.boot != self.boot {
                // The counter began anew. A file has not.
                record = Record { shares: Shares::new(), write: None, ..record };
            }
            if record.target == self.target.name() {
                self.adopt(record, remarks)?;
            } else {
                self.take_back_elsewhere(record, remarks)?;
            }
        }
        self.is_loaded = true;
        Ok(())
    }

    /// What was recorded last, if that can be used.
    fn read(&mut self, remarks: &mut Vec<String>) -> Option<Record> {
        let why = match self.files.read(&self.path) {
            Ok(None) => return None,
            Ok(Some(bytes)) => match Record::decode(&bytes) {
                Ok(record) => return Some(record),
                Err(why) => why,
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        let fate = match self.files.rename(&self.path, &beside(&self.path, ".corrupt")) {
            Ok(()) => format!("set aside as {FILE}.corrupt"),
            Err(error) => format!("and cannot be set aside: {error}"),
        };
        let advice = match self.target {
            Target::Counter(_) => format!("; shares of before may be left in the counter: {SEE}"),
            Target::File(_) => String::new(),
        };
        remarks.push(format!("{}: {why}; {fate}{advice}", self.path.display()));
        None
    }

    /// Takes a record as it is, once it is known what became of a write that it speaks of.
    fn adopt(&mut self, record: Record, remarks: &mut Vec<String>) -> Result<(), Refused> {
        let Record { shares, write, .. } = record;
        let Target::Counter(counter) = &mut self.target else {
            self.shares = shares;
            return Ok(());
        };
        if shares.is_empty() && write.is_none() {
            return Ok(());
        }
        let now = counter.read().map_err(|error| of_counter(&error))?;
        let recorded = total(&shares);
        let least = write.as_ref().map_or(recorded, |write| recorded.min(total(&write.shares)));
        if now < least.into() {
            // What CARP and pfsync put in is never less than nothing.
            remarks.push(format!(
                "the demotion counter is {now}, and hfm had put {least} in it: it has begun anew since (carp was loaded \
                 again, or a jail with a network of its own was started again), or somebody has taken from it by hand; \
                 hfm takes it that nothing of its own is left in it: {SEE}"
            ));
            return Ok(());
        }
        self.shares = shares;
        let Some(write) = write else { return Ok(()) };
        let outcome = write.outcome(now);
        let Write { before, delta, shares } = write;
        if outcome.is_doubtful {
            let done = if outcome.is_done { "was" } else { "was not" };
            let counted = total(if outcome.is_done { &shares } else { &self.shares });
            remarks.push(format!(
                "an hfm was killed when it was to add {delta} to the demotion counter, and others have changed that \
                 from {before} to {now} meanwhile; hfm takes it that its part {done} done and that {counted} of it is \
                 its own: {SEE}"
            ));
        }
        if outcome.is_done {
            self.shares = shares;
        }
        Ok(())
    }

    /// Takes back what was put in something else than what is configured now. What is not there any more has nothing
    /// of ours in it; from anything else it is to be taken back before we begin, or nobody would know of it.
    fn take_back_elsewhere(&mut self, record: Record, remarks: &mut Vec<String>) -> Result<(), Refused> {
        let name = record.target.clone();
        let left = |why: &str| format!("what hfm had put in {name} is left there: {why}");
        let other = match (self.open)(&name) {
            Ok(other) => other,
            Err(why) => {
                remarks.push(left(&why));
                return Ok(());
            }
        };
        let ours = std::mem::replace(&mut self.target, other);
        let taken_back = self
            .adopt(record, remarks)
            .and_then(|()| self.put(None))
            .and_then(|()| self.try_change(Shares::new()).map(drop));
        self.target = ours;
        self.shares = Shares::new();
        match taken_back {
            Err(refused) if refused.kind == io::ErrorKind::NotFound => remarks.push(left(&refused.why)),
            Err(Refused { why, kind }) => {
                let why = format!("cannot take back what hfm had put in {name}: {why}");
                return Err(Refused { why, kind });
            }
            Ok(()) => {}
        }
        Ok(())
    }

    /// Records what is in the counter, and what is about to be done.
    fn put(&mut self, write: Option<Write>) -> Result<(), Refused> {
        let (boot, target) = (self.boot.clone(), self.target.name());
        let record = Record { boot, target, shares: self.shares.clone(), write };
        let path = self.path.clone();
        self.replace(&path, record.encode().as_bytes(), RECORD_MODE)
    }

    /// Writes the sum where it stands alone.
    fn show(&mut self) -> Result<(), Refused> {
        let Target::File(path) = &self.target else { return Ok(()) };
        let path = path.clone();
        self.replace(&path, format!("{}\n", total(&self.shares)).as_bytes(), TRACKED_MODE)
    }

    /// Whoever reads meanwhile sees the old one or the new one. It need not outlive the system, so nothing waits
    /// until it is on the disk.
    fn replace(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), Refused> {
        let new = beside(path, ".new");
        let replaced = self.files.create(&new, bytes, mode).and_then(|()| self.files.rename(&new, path));
        replaced.map_err(|error| of_file("write", path, &error))
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests;
