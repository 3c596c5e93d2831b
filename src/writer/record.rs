//! The record of what is managed, from one start to the next: which addresses in which tables, and under which
//! data plane.
//!
//! One line for each, in a [`ledger`].

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;

use super::Settings;
use super::desired::Remembered;
use crate::ledger::{self, Head};
use crate::line::{self, Field, Line, Value};
use crate::rule::Prefix;
use crate::sys::state_dir::StateDir;

/// Its name in the directory.
const FILE: &str = "managed";
const HEAD: Head = Head { name: "hfm-managed", version: 1 };
/// Under this data plane nothing outlives the process.
const MEMORY: &str = "memory";
/// How long a change waits for others: the whole file is written each time.
const WRITE_AFTER: Duration = Duration::from_secs(1);
/// When it is tried again to write it, after a failure.
const RETRY: Duration = Duration::from_secs(60);

/// The record, if there is a place for it.
#[derive(Debug, Default)]
pub(super) struct Record {
    dir: Option<Arc<StateDir>>,
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
    /// Reads what was managed before. What goes wrong is a warning: tables are kept without a record, but an
    /// address that leaves the file while hfm is not running then stays in its table.
    pub(super) fn open(settings: &Settings) -> Self {
        let mut record = Self { plane: settings.plane.name(), ..Self::default() };
        if record.plane == MEMORY {
            return record;
        }
        let Some(dir) = settings.state_dir.clone() else { return record };
        match dir.load(FILE, decode) {
            Ok(all) => {
                let all = all.into_iter().flatten();
                let (ours, others): (Vec<_>, Vec<_>) = all.partition(|(of, _)| of == record.plane);
                record.others = others;
                record.remembered = ours.into_iter().map(|(_, remembered)| remembered).collect();
            }
            Err(damage) => {
                tell(Level::Warn, "record-damaged", format_args!("{damage}"), Value::Bare(&damage))
            }
        }
        record.dir = Some(dir).filter(|dir| !dir.is_read_only());
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
                    tell(
                        Level::Info,
                        "record-written",
                        format_args!("state_dir: {} is written again", dir.path().join(FILE).display()),
                        Value::Nothing,
                    );
                }
                self.written = Some(managed);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tell(
                        Level::Warn,
                        "record-failed",
                        format_args!(
                            "state_dir: cannot write {}: {error}; what is managed is not remembered",
                            dir.path().join(FILE).display()
                        ),
                        Value::Bare(&error),
                    );
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
    let all = ours.chain(others.iter().map(|(plane, of)| (&**plane, of)));
    ledger::encode(
        HEAD,
        all.map(|(plane, Remembered { table, address })| format!("{plane} {table} {address}")),
    )
}

/// The lines of a record with their data planes, or why it cannot be used.
fn decode(bytes: &[u8]) -> Result<Vec<(String, Remembered)>, String> {
    ledger::decode(HEAD, bytes, entry)
}

fn entry(line: &str) -> Option<(String, Remembered)> {
    let mut parts = line.split(' ');
    let (plane, table, address) = (parts.next()?, parts.next()?, parts.next()?);
    let address: Prefix = address.parse().ok()?;
    let is_whole = !plane.is_empty() && !table.is_empty() && parts.next().is_none() && plane != "end";
    is_whole.then(|| (plane.to_owned(), Remembered { table: Arc::from(table), address }))
}

fn tell(level: Level, event: &'static str, sentence: fmt::Arguments<'_>, detail: Value<'_>) {
    let fields = [Field::hidden("file", Value::Bare(&FILE)), Field::hidden("detail", detail)];
    line::tell(level, module_path!(), &Line { event, sentence, about: &[], fields: &fields });
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
