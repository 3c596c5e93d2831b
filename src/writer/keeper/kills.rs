//! What the firewall is to forget of addresses that have left: `kill_states`.
//!
//! It comes after the tables: a client that is sent elsewhere has to have somewhere else to go. Where it may take
//! long another thread does it, so that no table waits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Waker;

use super::super::desired::Why;
use super::super::killing::Killing;
use super::Keeper;
use crate::dataplane::{Kill, Killed, TableError};
use crate::rule::Prefix;

/// How often it is tried altogether.
const TRIES_MAX: u32 = 3;
/// How long after a failure the next try is made.
const RETRY: Duration = Duration::from_secs(1);
/// How long the end waits for the thread.
const PATIENCE: Duration = Duration::from_secs(1);

/// Addresses that have left, and what is to be forgotten of them.
#[derive(Debug, Default)]
pub(super) struct Kills {
    waiting: BTreeMap<Prefix, Kill>,
    /// Tries that failed, since one went well.
    failures: u32,
    /// Not to be tried before then.
    at: Option<Instant>,
    /// What the thread is at.
    under_way: Option<(Vec<Prefix>, Kill)>,
    /// Who does it, once there is something to be done; until then, and without, the writer itself.
    thread: Option<Killing>,
    /// What the thread wakes.
    wake: Option<Arc<Waker>>,
}

impl Kills {
    /// When something is to be done; `None`: nothing is, or it is at once.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        // What is under way wakes by itself.
        self.at.filter(|_| !self.waiting.is_empty() && self.under_way.is_none())
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

    /// Has another thread do it from now on, which wakes this one.
    pub(in crate::writer) fn kill_beside(&mut self, wake: Arc<Waker>) {
        self.kills.wake = Some(wake);
    }

    /// Has the firewall forget what waits to be forgotten.
    pub(super) fn kill_some(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        if self.kills.under_way.is_some() {
            let outcome = self.kills.thread.as_ref().and_then(Killing::outcome);
            return outcome.is_some_and(|outcome| self.killed(outcome, now));
        }
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
        self.kills.waiting.retain(|_, of| *of != what);
        self.kills.under_way = Some((addresses.clone(), what));
        self.start_thread();
        match &self.kills.thread {
            Some(thread) => thread.order(addresses, what),
            None => {
                let outcome = self.plane.kill(&addresses, what);
                self.killed(outcome, clock());
            }
        }
        true
    }

    /// The same at the end, when there is nothing else to be done.
    pub(super) fn finish_kills(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        if self.kills.under_way.is_none() {
            return self.kill_some(clock);
        }
        let outcome = self.kills.thread.as_ref().and_then(|thread| thread.wait(PATIENCE));
        outcome.is_some_and(|outcome| self.killed(outcome, clock()))
    }

    /// Starts the thread if there is none and can be one.
    fn start_thread(&mut self) {
        if self.kills.thread.is_some() {
            return;
        }
        let Some(wake) = self.kills.wake.take() else { return };
        let Some(plane) = self.plane.killer() else { return };
        match Killing::start(plane, self.rights, wake) {
            Ok(thread) => self.kills.thread = Some(thread),
            Err(error) => self.journal.kills_in_turn(&error),
        }
    }

    /// This came of what was under way.
    fn killed(&mut self, outcome: Result<Killed, TableError>, now: Instant) -> bool {
        let Some((addresses, what)) = self.kills.under_way.take() else { return false };
        match outcome {
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
                    for address in addresses {
                        let waiting = self.kills.waiting.entry(address).or_insert(what);
                        *waiting = what.max(*waiting);
                    }
                } else {
                    (self.kills.failures, self.kills.at) = (0, None);
                }
            }
        }
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
