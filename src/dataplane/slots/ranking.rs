//! The hosts in the order of their scores for a slot.

use std::cmp::Reverse;

use super::score::{self, Score};
use crate::rule::Prefix;

/// A host: its place among the members. There are at most as many hosts as slots.
pub(super) type Host = u16;

/// How many of each slot's best hosts are remembered: nearly always one of them is asked for, and they are found
/// without reckoning with all hosts again.
const REMEMBERED: usize = 8;

/// Scores of all hosts and slots.
#[derive(Debug)]
pub(super) struct Ranking {
    hosts: Vec<u64>,
    slots: Vec<u64>,
    /// The best hosts of each slot, best first: as many for each as there are, at most [`REMEMBERED`].
    best: Vec<Host>,
}

impl Ranking {
    /// For these hosts, each once.
    pub(super) fn new(members: &[Prefix], slots: u32) -> Self {
        let hosts: Vec<u64> = members.iter().map(|member| score::of_host(*member)).collect();
        let slots: Vec<u64> = (0..slots).map(score::of_slot).collect();
        let each = hosts.len().min(REMEMBERED);
        let mut best = Vec::with_capacity(slots.len() * each);
        let mut leaders = Vec::with_capacity(each + 1);
        for slot in &slots {
            leaders.clear();
            for (host, key) in numbered(&hosts) {
                let rank = rank(score::of_pair(*key, *slot), host);
                if leaders.len() == each && leaders.last().is_some_and(|last| rank < *last) {
                    continue;
                }
                let place = leaders.partition_point(|leader| *leader > rank);
                leaders.insert(place, rank);
                leaders.truncate(each);
            }
            best.extend(leaders.iter().map(|(_, Reverse(host))| *host));
        }
        Self { hosts, slots, best }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How many hosts there are.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The best host of a slot among some, with its score.
    pub(super) fn best(&self, slot: usize, among: &Among) -> Option<(Score, Host)> {
        let each = self.hosts.len().min(REMEMBERED);
        let remembered = &self.best[slot * each..][..each];
        let score = |host: Host| score::of_pair(self.hosts[usize::from(host)], self.slots[slot]);
        if let Some(host) = remembered.iter().copied().find(|host| among.has(*host)) {
            return Some((score(host), host));
        }
        let best = among.hosts.iter().map(|host| rank(score(*host), *host)).max();
        best.map(|(score, Reverse(host))| (score, host))
    }
}

/// What hosts are ordered by for a slot: should two have one score, the first is better.
fn rank(score: Score, host: Host) -> (Score, Reverse<Host>) {
    (score, Reverse(host))
}

/// Things of hosts, with their numbers.
fn numbered<T>(things: &[T]) -> impl Iterator<Item = (Host, &T)> {
    (0..=Host::MAX).zip(things)
}

/// Some of the hosts.
#[derive(Debug)]
pub(super) struct Among {
    /// Of every host whether it is one of them.
    has: Vec<bool>,
    /// They themselves, in any order.
    hosts: Vec<Host>,
}

impl Among {
    /// Of each host in turn whether it is one of them.
    pub(super) fn new(has: impl Iterator<Item = bool>) -> Self {
        let has: Vec<bool> = has.collect();
        let hosts = numbered(&has).filter(|(_, has)| **has).map(|(host, _)| host).collect();
        Self { has, hosts }
    }

    /// Keeps those of which this is true.
    pub(super) fn retain(&mut self, keep: impl Fn(Host) -> bool) {
        let Self { has, hosts } = self;
        hosts.retain(|host| {
            has[usize::from(*host)] = keep(*host);
            has[usize::from(*host)]
        });
    }

    pub(super) fn has(&self, host: Host) -> bool {
        self.has[usize::from(host)]
    }

    pub(super) fn len(&self) -> usize {
        self.hosts.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Host> {
        self.hosts.iter().copied()
    }
}
