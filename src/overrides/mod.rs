//! The book of what operators have set in place of rules' own words: who, why and until when.
//!
//! By the rules' names, and no rule is asked whether it is there: one that a broken include has lost is still drained
//! when it comes back. What follows from an override is the [engine](crate::engine)'s affair; what is in the book
//! outlives the process by way of its [`store`].

pub mod store;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::standing::Override;

/// Entries at most: as many as there may sensibly be rules, several times over.
pub const ENTRIES_MAX: usize = 100_000;
/// Bytes of the whole book as text at most: whoever reads the file takes twice that.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What was set for one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub kind: Override,
    /// Why.
    pub reason: Option<String>,
    /// The user that set it, by number.
    pub uid: u32,
    /// Whom that user said to act for.
    pub by: Option<String>,
    /// When.
    pub since: SystemTime,
    /// When it ends by itself.
    pub until: Option<SystemTime>,
}

/// All that is set, by the rules' names.
///
/// A clone costs nothing; the next change of one of the two copies what they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    entries: Arc<BTreeMap<Arc<str>, Arc<Entry>>>,
    /// What they take as text.
    bytes: usize,
}

/// There is no room for another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no room for more overrides ({ENTRIES_MAX} of them, {} MiB in all); 'hfmctl enable' those that are over",
            BYTES_MAX / (1024 * 1024)
        )
    }
}

impl std::error::Error for Full {}

impl Book {
    /// Sets what holds for a rule, in place of what was set before.
    ///
    /// # Errors
    /// When there is no room; nothing changes then.
    pub fn set(&mut self, rule: Arc<str>, entry: Entry) -> Result<(), Full> {
        let before = self.get(&rule).map(|before| text::length(&rule, before));
        let bytes = self.bytes - before.unwrap_or(0) + text::length(&rule, &entry);
        if bytes > BYTES_MAX || before.is_none() && self.len() >= ENTRIES_MAX {
            return Err(Full);
        }
        self.bytes = bytes;
        Arc::make_mut(&mut self.entries).insert(rule, Arc::new(entry));
        Ok(())
    }

    /// Clears what was set for a rule; gives it back.
    pub fn clear(&mut self, rule: &str) -> Option<Arc<Entry>> {
        // Nothing is copied for what is not there.
        self.entries.get(rule)?;
        let entry = Arc::make_mut(&mut self.entries).remove(rule)?;
        self.bytes -= text::length(rule, &entry);
        Some(entry)
    }

    /// Clears what has ended by now; gives it back.
    pub fn expire(&mut self, now: SystemTime) -> Vec<(Arc<str>, Arc<Entry>)> {
        let is_over = |entry: &Entry| entry.until.is_some_and(|until| until <= now);
        let over: Vec<Arc<str>> =
            self.iter().filter(|(_, entry)| is_over(entry)).map(|(rule, _)| rule.clone()).collect();
        over.into_iter().filter_map(|rule| self.clear(&rule).map(|entry| (rule, entry))).collect()
    }

    /// What is set for a rule.
    pub fn get(&self, rule: &str) -> Option<&Entry> {
        self.entries.get(rule).map(|entry| &**entry)
    }

    /// All that is set, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.entries.iter().map(|(rule, entry)| (rule, &**entry))
    }

    /// How many rules have something set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests;
