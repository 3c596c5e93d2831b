//! What the firewall is to forget of addresses that have left: `kill_states`.
//!
//! It comes after the tables and before they are read again: a client that is sent elsewhere has to have
//! somewhere else to go.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::super::desired::Why;
use super::Keeper;
use crate::dataplane::Kill;
use crate::rule::Prefix;

/// How often it is tried altogether.
const TRIES_MAX: u32 = 3;
/// How long after a failure the next try is made.
const RETRY: Duration = Duration::from_secs(1);

/// Addresses that have left, and what is to be forgotten of them.
#[derive(Debug, Default)]
pub(super) struct Kills {
    waiting: BTreeMap<Prefix, Kill>,
    /// Tries that failed, since one went well.
    failures: u32,
    /// Not to be tried before then.
    at: Option<Instant>,
}

impl Kills {
    /// When something is to be done; `None`: nothing is, or it is at once.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.at.filter(|_| !self.waiting.is_empty())
    }
}

impl Keeper {
    /// These have just left a table: looks at what the firewall is to forget of them.
    pub(super) fn consider_kills(&mut self, index: usize, removed: &[Prefix]) {
        let table = &self.desired.tables()[index];
        if removed.is_empty() || !table.members.iter().any(|member| member.kill_states) {
            return;
        }
        let another_is_in = self.tables[index].contents.as_ref().is_some_and(|contents| !contents.is_empty());
        let removed: HashSet<Prefix> = removed.iter().copied().collect();
        // Those that no rule names any more.
        let mut leaving = removed.clone();
        let mut kills: HashMap<Prefix, Kill> = HashMap::new();
        for (number, member) in table.members.iter().enumerate() {
            if !leaving.remove(&member.address) || !member.kill_states {
                continue;
            }
            let failed = self.desired.fate(index, number).is_some_and(|fate| fate.why == Why::Down);
            if !failed {
                kills.insert(member.address, Kill::SourceNodes);
            } else if another_is_in {
                kills.insert(member.address, Kill::States);
            }
        }
        kills.extend(leaving.into_iter().map(|address| (address, Kill::SourceNodes)));
        for (address, other) in self.still_in(|address| kills.contains_key(&address)) {
            kills.remove(&address);
            self.journal.not_killed(index, address, other);
        }
        for (address, what) in kills {
            let waiting = self.kills.waiting.entry(address).or_insert(what);
            *waiting = what.max(*waiting);
        }
    }

    /// Has the firewall forget what waits to be forgotten.
    pub(super) fn kill_some(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        if self.kills.waiting.is_empty() || self.kills.at.is_some_and(|at| at > now) {
            return false;
        }
        // They may have come back meanwhile.
        let waiting = &self.kills.waiting;
        for (address, _) in self.still_in(|address| waiting.contains_key(&address)) {
            self.kills.waiting.remove(&address);
        }
        let Some(what) = self.kills.waiting.values().copied().max() else { return false };
        let all = self.kills.waiting.iter();
        let addresses: Vec<Prefix> =
            all.filter(|(_, of)| **of == what).map(|(address, _)| *address).collect();
        match self.plane.kill(&addresses, what) {
            Ok(killed) => {
                (self.kills.failures, self.kills.at) = (0, None);
                self.journal.killed(&addresses, what, killed);
            }
            Err(error) => {
                self.kills.failures += 1;
                let is_tried_again = self.kills.failures < TRIES_MAX;
                self.journal.kill_failed(&addresses, &error, is_tried_again);
                if is_tried_again {
                    self.kills.at = now.checked_add(RETRY);
                    return true;
                }
                (self.kills.failures, self.kills.at) = (0, None);
            }
        }
        self.kills.waiting.retain(|_, of| *of != what);
        true
    }

    /// Those of some addresses that are in a table, or are to be, and in which.
    fn still_in(&self, is_asked: impl Fn(Prefix) -> bool) -> Vec<(Prefix, usize)> {
        let mut found = Vec::new();
        for (index, table) in self.desired.tables().iter().enumerate() {
            for (number, member) in table.members.iter().enumerate() {
                let is_in = || self.desired.fate(index, number).is_some_and(|fate| fate.is_in);
                if is_asked(member.address) && is_in() {
                    found.push((member.address, index));
                }
            }
        }
        found
    }
}
