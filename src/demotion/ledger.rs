//! What is in the counter by us, and how it is changed so that whoever comes next knows what was done, at whatever
//! moment this process is killed: the record first, then the counter, then the record.
//!
//! Files and the counter are behind traits; nothing here waits.

use std::io;
use std::path::{Path, PathBuf};

use super::protocol::Shares;
use super::record::{Record, Write, total};

/// The record's name in state_dir.
pub(super) const FILE: &str = "demotion";
/// Who may read the record, and what it is like before it is whole.
const RECORD_MODE: u32 = 0o600;
/// Who may read the file that keepalived tracks.
const TRACKED_MODE: u32 = 0o644;
/// What a record calls the counter.
const CARP: &str = "carp";

/// A counter that others change too: CARP's, or one like it.
///
/// It is used by another process than the one that made it, where no descriptor of before is open.
pub trait Counter {
    /// What it is.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&mut self) -> io::Result<i64>;

    /// Adds to it, all at once.
    ///
    /// # Errors
    /// When nothing was added.
    fn add(&mut self, delta: i32) -> io::Result<()>;
}

/// What is done to files, each of it all at once or not at all, but for [`create`](Self::create).
pub trait Files {
    /// A whole file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no plain file.
    fn read(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Makes a file, in place of what has that name.
    ///
    /// # Errors
    /// When it cannot be made, or only a part of it was written.
    fn create(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;

    /// Gives a file another name, in place of what had that.
    ///
    /// # Errors
    /// When it keeps its name.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, if there is one.
    ///
    /// # Errors
    /// When it is there still.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// What shares are put in.
pub enum Target {
    /// A counter, by adding.
    Counter(Box<dyn Counter>),
    /// A file that has nothing in it but their sum.
    File(PathBuf),
}

impl Target {
    /// What a record calls it.
    fn name(&self) -> String {
        match self {
            Self::Counter(_) => CARP.to_owned(),
            Self::File(path) => format!("file:{}", path.display()),
        }
    }
}

/// Where a [`Ledger`] is.
pub struct Place<'a> {
    /// The directory of the record.
    pub state_dir: &'a str,
    /// Which boot of the system this is.
    pub boot: String,
    /// Opens what shares were in before the configuration was changed, by its name in the record.
    pub open: &'a mut dyn FnMut(&str) -> Result<Target, String>,
}

/// The shares that are in the counter by us, while this process lives.
pub struct Ledger {
    files: Box<dyn Files>,
    target: Target,
    path: PathBuf,
    boot: String,
    shares: Shares,
    /// The record says something else.
    is_behind: bool,
}

impl Ledger {
    /// Takes over what was left; nobody else may have the directory. What an operator should know is added to
    /// `remarks`.
    ///
    /// # Errors
    /// Why that cannot be, and what to do. What was left is as it was then.
    pub fn begin(
        files: Box<dyn Files>,
        target: Target,
        place: Place<'_>,
        remarks: &mut Vec<String>,
    ) -> Result<Self, String> {
        let Place { state_dir, boot, open } = place;
        let path = Path::new(state_dir).join(FILE);
        let mut ledger = Self { files, target, path, boot, shares: Shares::new(), is_behind: false };
        // Whether it can be written is to be known now, and not when a rule fails.
        if let Target::Counter(counter) = &mut ledger.target {
            counter.read().and_then(|_| counter.add(0)).map_err(|error| of_counter(&error))?;
        }
        if let Some(mut record) = ledger.load(remarks) {
            if record.boot != ledger.boot {
                // The counter began anew. A file has not.
                record = Record { shares: Shares::new(), write: None, ..record };
            }
            if record.target == ledger.target.name() {
                ledger.adopt(record, remarks)?;
            } else {
                ledger.take_back_elsewhere(record, open, remarks);
            }
        }
        ledger.put(None)?;
        ledger.show()?;
        Ok(ledger)
    }

    /// The shares that are in the counter.
    pub fn shares(&self) -> &Shares {
        &self.shares
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
    pub fn change(&mut self, mut shares: Shares) -> Result<u8, String> {
        shares.retain(|_, share| *share > 0);
        let (before, after) = (total(&self.shares), total(&shares));
        let delta = i32::from(after) - i32::from(before);
        match &mut self.target {
            Target::Counter(_) if shares == self.shares => {}
            Target::Counter(counter) if delta != 0 => {
                let before = counter.read().map_err(|error| of_counter(&error))?;
                self.put(Some(Write { before, delta, shares: shares.clone() }))?;
                self.add(delta)?;
                self.shares = shares;
                // It is done all the same.
                self.catch_up();
            }
            // Nobody sees a file between two of its states: it is what is recorded, or about to be.
            Target::Counter(_) | Target::File(_) => {
                let old = std::mem::replace(&mut self.shares, shares);
                if let Err(why) = self.put(None) {
                    self.shares = old;
                    return Err(why);
                }
                self.is_behind = false;
                self.show()?;
            }
        }
        Ok(after)
    }

    /// Takes everything back, and removes the record.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub fn release(&mut self) -> Result<(), String> {
        self.change(Shares::new())?;
        self.files.remove(&self.path).map_err(|error| of_file("remove", &self.path, &error))
    }

    fn add(&mut self, delta: i32) -> Result<(), String> {
        let Target::Counter(counter) = &mut self.target else { return Ok(()) };
        counter.add(delta).map_err(|error| {
            self.catch_up();
            of_counter(&error)
        })
    }

    /// What was recorded last, if that can be used.
    fn load(&mut self, remarks: &mut Vec<String>) -> Option<Record> {
        let why = match self.files.read(&self.path) {
            Ok(None) => return None,
            Ok(Some(bytes)) => match Record::decode(&bytes) {
                Ok(record) => return Some(record),
                Err(why) => why,
            },
            Err(error) => format!("cannot be read: {error}"),
        };
        let mut aside = self.path.clone().into_os_string();
        aside.push(".corrupt");
        let fate = match self.files.rename(&self.path, Path::new(&aside)) {
            Ok(()) => format!("set aside as {FILE}.corrupt"),
            Err(error) => format!("and cannot be set aside: {error}"),
        };
        let advice = match self.target {
            Target::Counter(_) => {
                "; shares of before may be left in the counter: see sysctl net.inet.carp.demotion, and write there \
                 what is to be added, with a minus sign to take back"
            }
            Target::File(_) => "",
        };
        remarks.push(format!("{}: {why}; {fate}{advice}", self.path.display()));
        None
    }

    /// Takes a record as it is, once it is known what became of a write that it speaks of.
    fn adopt(&mut self, record: Record, remarks: &mut Vec<String>) -> Result<(), String> {
        self.shares = record.shares;
        let (Some(write), Target::Counter(counter)) = (record.write, &mut self.target) else { return Ok(()) };
        let now = counter.read().map_err(|error| of_counter(&error))?;
        let outcome = write.outcome(now);
        let Write { before, delta, shares } = write;
        if outcome.is_doubtful {
            let done = if outcome.is_done { "was" } else { "was not" };
            let counted = total(if outcome.is_done { &shares } else { &self.shares });
            remarks.push(format!(
                "an hfm was killed when it was to add {delta} to the demotion counter, and others have changed that \
                 from {before} to {now} meanwhile; hfm takes it that its part {done} done and that {counted} of it is \
                 its own: see sysctl net.inet.carp.demotion, and write there what is to be added if that is wrong"
            ));
        }
        if outcome.is_done {
            self.shares = shares;
        }
        Ok(())
    }

    /// Takes back what was put in something else than what is configured now.
    fn take_back_elsewhere(
        &mut self,
        record: Record,
        open: &mut dyn FnMut(&str) -> Result<Target, String>,
        remarks: &mut Vec<String>,
    ) {
        let name = record.target.clone();
        let taken_back = open(&name).and_then(|other| {
            let ours = std::mem::replace(&mut self.target, other);
            let taken_back = self
                .adopt(record, remarks)
                .and_then(|()| self.put(None))
                .and_then(|()| self.change(Shares::new()));
            self.target = ours;
            self.shares = Shares::new();
            taken_back
        });
        if let Err(why) = taken_back {
            remarks.push(format!("what hfm had put in {name} is left there: {why}"));
        }
    }

    /// Records what is in the counter, and what is about to be done.
    fn put(&mut self, write: Option<Write>) -> Result<(), String> {
        let (boot, target) = (self.boot.clone(), self.target.name());
        let record = Record { boot, target, shares: self.shares.clone(), write };
        let path = self.path.clone();
        self.replace(&path, record.encode().as_bytes(), RECORD_MODE)
    }

    /// Writes the sum where it stands alone.
    fn show(&mut self) -> Result<(), String> {
        let Target::File(path) = &self.target else { return Ok(()) };
        let path = path.clone();
        self.replace(&path, format!("{}\n", total(&self.shares)).as_bytes(), TRACKED_MODE)
    }

    /// Whoever reads meanwhile sees the old one or the new one. It need not outlive the system, so nothing waits
    /// until it is on the disk.
    fn replace(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), String> {
        let mut new = path.to_owned().into_os_string();
        new.push(".new");
        let new = Path::new(&new);
        let replaced = self.files.create(new, bytes, mode).and_then(|()| self.files.rename(new, path));
        replaced.map_err(|error| of_file("write", path, &error))
    }
}

fn of_file(what: &str, path: &Path, error: &io::Error) -> String {
    let path = path.display();
    let advice = if error.kind() == io::ErrorKind::NotFound { "; make its directory" } else { "" };
    format!("cannot {what} {path}: {error}{advice}")
}

fn of_counter(error: &io::Error) -> String {
    let advice = if error.kind() == io::ErrorKind::NotFound {
        "; the kernel has no CARP: load it by `kldload carp`, and at boot by carp_load=\"YES\" in /boot/loader.conf"
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "; only root may write it: start hfm as root, and give `user`"
    } else {
        ""
    };
    format!("net.inet.carp.demotion: {error}{advice}")
}

#[cfg(test)]
mod tests;
