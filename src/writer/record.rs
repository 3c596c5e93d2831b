//! The record of what is managed, from one start to the next: which addresses in which tables, and under which
//! data plane.
//!
//! One line for each, between a head that names the version and a foot that counts them, so that a file that
//! was cut short is seen for what it is.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Settings;
use super::desired::Remembered;
use crate::rule::Prefix;
use crate::sys::state_dir::{Lock, StateDir};

/// Its name in the directory.
const FILE: &str = "managed";
const HEAD: &str = "hfm-managed 1";
/// Under this data plane nothing outlives the process.
const MEMORY: &str = "memory";
/// How long a change waits for others: the whole file is written each time.
const WRITE_AFTER: Duration = Duration::from_secs(1);
/// When it is tried again to write it, after a failure.
const RETRY: Duration = Duration::from_secs(60);

/// The record, if there is a place for it.
#[derive(Debug, Default)]
pub(super) struct Record {
    dir: Option<StateDir>,
    plane: &'static str,
    /// Lines of other data planes: kept as they are.
    others: Vec<(String, Remembered)>,
    remembered: Vec<Remembered>,
    /// What the file says now.
    written: Option<Vec<Remembered>>,
    failed: bool,
    /// When it is to be brought in line with what is managed; `None`: it is in line.
    pub(super) due_at: Option<Instant>,
}

impl Record {
    /// Opens the directory and reads what was managed before. Whatever goes wrong is a warning: tables are kept
    /// without a record, but an address that leaves the file while hfm is not running then stays in its table.
    pub(super) fn open(settings: &Settings) -> Self {
        let plane = settings.plane.name();
        if plane == MEMORY {
            return Self { plane, ..Self::default() };
        }
        let path = &*settings.firewall.state_dir;
        let lock = if settings.firewall.dry_run { Lock::None } else { Lock::Exclusive };
        let dir = match StateDir::open(path, lock) {
            Ok(dir) => dir,
            Err(error) => {
                log::warn!(
                    "state_dir {path}: {error}; what is managed is not remembered: an address that leaves the file \
                     while hfm is not running stays in its table"
                );
                return Self { plane, ..Self::default() };
            }
        };
        let mut record = Self { plane, ..Self::default() };
        match dir.read(FILE).map(|bytes| bytes.map(|bytes| decode(&bytes))) {
            Ok(None) => {}
            Ok(Some(Ok(all))) => {
                let (ours, others) = all.into_iter().partition(|(of, _)| of == plane);
                record.others = others;
                record.remembered = ours.into_iter().map(|(_, remembered)| remembered).collect();
            }
            Ok(Some(Err(why))) if lock == Lock::None => {
                log::warn!("{path}/{FILE}: {why}; it is left alone, because of dry_run");
            }
            Ok(Some(Err(why))) => match dir.set_aside(FILE) {
                Ok(aside) => log::warn!("{path}/{FILE}: {why}; set aside as {aside}, starting without it"),
                Err(error) => log::warn!("{path}/{FILE}: {why}, and cannot be set aside: {error}"),
            },
            Err(error) => log::warn!("{path}/{FILE}: cannot be read: {error}"),
        }
        record.dir = Some(dir).filter(|_| lock == Lock::Exclusive);
        record
    }

    /// What was managed before this start.
    pub(super) fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// Brings the file in line with what is managed now, if it is not.
    pub(super) fn keep(&mut self, managed: impl Iterator<Item = Remembered>, now: Instant) {
        self.due_at = None;
        let Some(dir) = &self.dir else { return };
        let mut managed: Vec<Remembered> = managed.collect();
        managed.sort();
        if self.written.as_ref() == Some(&managed) {
            return;
        }
        let text = encode(self.plane, &managed, &self.others);
        match dir.write(FILE, text.as_bytes()) {
            Ok(()) => {
                if std::mem::take(&mut self.failed) {
                    log::info!("state_dir: {FILE} is written again");
                }
                self.written = Some(managed);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    log::warn!("state_dir: cannot write {FILE}: {error}; what is managed is not remembered");
                }
                self.due_at = now.checked_add(RETRY);
            }
        }
    }

    /// Something was managed and is not any more: to be written before long. One that says too much does no harm
    /// meanwhile.
    pub(super) fn falls_behind(&mut self, now: Instant) {
        self.due_at = self.due_at.or(now.checked_add(WRITE_AFTER)).filter(|_| self.dir.is_some());
    }
}

fn encode(plane: &str, managed: &[Remembered], others: &[(String, Remembered)]) -> String {
    let ours = managed.iter().map(|of| (plane, of));
    let lines = ours.chain(others.iter().map(|(plane, of)| (&**plane, of)));
    let mut text = format!("{HEAD}\n");
    let mut count = 0;
    for (plane, Remembered { table, address }) in lines {
        // A String takes everything.
        let _ = writeln!(text, "{plane} {table} {address}");
        count += 1;
    }
    let _ = writeln!(text, "end {count}");
    text
}

/// The lines of a record with their data planes, or why it cannot be used.
fn decode(bytes: &[u8]) -> Result<Vec<(String, Remembered)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut lines = text.lines();
    match lines.next() {
        Some(HEAD) => {}
        Some(head) if head.starts_with("hfm-managed ") => {
            return Err(format!(
                "it is of another version ({:?})",
                head.chars().take(40).collect::<String>()
            ));
        }
        Some(_) | None => return Err("it does not begin as a record does".to_owned()),
    }
    let mut all = Vec::new();
    for (number, line) in (2..).zip(&mut lines) {
        if line == format!("end {}", all.len()) && text.ends_with('\n') {
            return match lines.next() {
                None => Ok(all),
                Some(_) => Err(format!("line {}: more follows its end", number + 1)),
            };
        }
        all.push(entry(line).ok_or_else(|| format!("line {number} is damaged"))?);
    }
    Err("its end is missing".to_owned())
}

fn entry(line: &str) -> Option<(String, Remembered)> {
    let mut parts = line.split(' ');
    let (plane, table, address) = (parts.next()?, parts.next()?, parts.next()?);
    let address: Prefix = address.parse().ok()?;
    let is_whole = !plane.is_empty() && !table.is_empty() && parts.next().is_none() && plane != "end";
    is_whole.then(|| (plane.to_owned(), Remembered { table: Arc::from(table), address }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(table: &str, address: &str) -> Remembered {
        Remembered { table: table.into(), address: address.parse().unwrap() }
    }

    #[test]
    fn what_is_written_reads_back() {
        let ours = [remembered("a/b/web", "10.0.0.1"), remembered("web", "2001:db8::/32")];
        let others = [("nftables".to_owned(), remembered("inet/f/s", "10.0.0.9"))];
        let text = encode("pfctl", &ours, &others);
        let all: Vec<_> =
            ours.iter().map(|of| ("pfctl".to_owned(), of.clone())).chain(others.clone()).collect();
        assert_eq!(decode(text.as_bytes()), Ok(all));
        assert_eq!(decode(encode("pfctl", &[], &[]).as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn every_damage_is_seen() {
        let text = encode("pfctl", &[remembered("web", "10.0.0.1"), remembered("web", "10.0.0.2")], &[]);
        for length in 0..text.len() {
            assert!(decode(&text.as_bytes()[..length]).is_err(), "{:?}", &text[..length]);
        }
        for (from, to) in [
            ("managed 1", "managed 2"),
            ("end 2", "end 3"),
            ("end 2\n", "end 2\nweb"),
            ("10.0.0.1", "10.0.0.300"),
            ("pfctl web 10.0.0.1\n", ""),
            ("pfctl web 10.0.0.1", "pfctl  10.0.0.1"),
            ("pfctl web 10.0.0.1", "pfctl web 10.0.0.1 x"),
        ] {
            let damaged = text.replace(from, to);
            assert_ne!(damaged, text);
            assert!(decode(damaged.as_bytes()).is_err(), "{damaged:?}");
        }
        assert!(decode(&[0xff; 40]).is_err());
    }
}
