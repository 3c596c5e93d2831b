//! The book as text: a line for each entry, in a [`ledger`].
//!
//! ```text
//! hfm-overrides 1
//! drained =web/1 1000 1795268400.000000000 1795275600.500000000 =ann =kernel\20;update
//! disabled =web/2 0 1795268400.000000000 - - -
//! end 2
//! ```
//!
//! What, whose, the user, since and until when in seconds since 1970, for whom, why. A text has `=` before it; in
//! it, what would not survive in a line stands by its number in Unicode, in hexadecimal digits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{BYTES_MAX, Book, ENTRIES_MAX, Entry};
use crate::ledger::{self, Head};
use crate::standing::Override;

const HEAD: Head = Head { name: "hfm-overrides", version: 1 };

impl Book {
    /// The whole book as text.
    pub fn encode(&self) -> String {
        ledger::encode(HEAD, self.iter().map(|(rule, entry)| line(rule, entry)))
    }

    /// A book from its text.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let all = ledger::decode(HEAD, bytes, entry)?;
        let count = all.len();
        let bytes = all.iter().map(|(rule, entry)| length(rule, entry)).sum();
        if count > ENTRIES_MAX || bytes > BYTES_MAX {
            return Err(format!("it has more in it than hfm writes ({count} entries)"));
        }
        let entries: BTreeMap<_, _> = all.into_iter().map(|(rule, entry)| (rule, Arc::new(entry))).collect();
        if entries.len() < count {
            return Err("it names a rule twice".to_owned());
        }
        Ok(Self { entries: Arc::new(entries), bytes })
    }
}

/// What an entry takes as text, in bytes.
pub(super) fn length(rule: &str, entry: &Entry) -> usize {
    line(rule, entry).len() + 1
}

fn line(rule: &str, entry: &Entry) -> String {
    let Entry { kind, reason, uid, by, since, until } = entry;
    let until = until.map_or_else(|| "-".to_owned(), moment);
    let mut line = format!("{} {} {uid} {} {until}", kind.word(), ledger::escaped(rule), moment(*since));
    for text in [by, reason] {
        line.push(' ');
        line.push_str(&text.as_deref().map_or_else(|| "-".to_owned(), ledger::escaped));
    }
    line
}

fn entry(text: &str) -> Option<(Arc<str>, Entry)> {
    let mut parts = text.split(' ');
    let kind = parts.next()?;
    let kind = Override::ALL.into_iter().find(|of| of.word() == kind)?;
    let rule = ledger::plain(parts.next()?)?;
    let uid = parts.next()?.parse().ok()?;
    let since = read_moment(parts.next()?)?;
    let until = optional(parts.next()?, read_moment)?;
    let by = optional(parts.next()?, ledger::plain)?;
    let reason = optional(parts.next()?, ledger::plain)?;
    let entry = Entry { kind, reason, uid, by, since, until };
    // Whatever else it may look like, it is no line of ours if it is not written like one.
    (line(&rule, &entry) == text).then(|| (rule.into(), entry))
}

fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { read(text).map(Some) }
}

/// One before 1970, by a clock that was never set, counts as 1970.
fn moment(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
}

fn read_moment(text: &str) -> Option<SystemTime> {
    let (seconds, nanos) = text.split_once('.')?;
    let seconds = Duration::from_secs(seconds.parse().ok()?);
    let nanos = Duration::from_nanos(nanos.parse::<u32>().ok()?.into());
    SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_add(nanos)
}
