//! Which change command may start when: the order and the limits. Pure, generic over the job.
//!
//! Per rule one runs and one waits; a newer change takes the place of the waiting one. A waiting one whose
//! predecessor has run for [`OVERSTAY`] starts beside it. At most `limit` run at a time, those that
//! overstay not counted; among rules the first that came starts first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// A change command that has run this long no longer keeps others waiting.
pub const OVERSTAY: Duration = Duration::from_secs(10);

/// A job that may start now.
#[derive(Debug, PartialEq, Eq)]
pub struct Startable<K, J> {
    /// Whose it is.
    pub key: K,
    /// The job.
    pub job: J,
    /// Whether an earlier one of the same key still runs and has overstayed.
    pub beside: bool,
}

/// Jobs by key: those that wait and those that run.
#[derive(Debug)]
pub struct ChangeQueue<K, J> {
    limit: usize,
    keys: HashMap<K, Slot<J>>,
    /// Jobs that wait.
    waiting: usize,
    /// Keys with a waiting job that nothing of their own holds back, in the order of coming.
    ready: VecDeque<K>,
    /// Jobs that run and do not overstay yet, in the order of their starts.
    young: VecDeque<(Instant, K)>,
}

#[derive(Debug)]
struct Slot<J> {
    waiting: Option<J>,
    /// Starts of those that do not overstay yet (0 or 1) and number of those that do.
    young: u32,
    overstaying: u32,
}

impl<K: Copy + Eq + Hash, J> ChangeQueue<K, J> {
    /// A queue that lets `limit` run at a time.
    pub fn new(limit: usize) -> Self {
        Self { limit, keys: HashMap::new(), waiting: 0, ready: VecDeque::new(), young: VecDeque::new() }
    }

    /// Lets another number run at a time; those that run go on.
    pub fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes a job on; gives back the waiting one that it replaces.
    pub fn submit(&mut self, key: K, job: J) -> Option<J> {
        let slot = self.keys.entry(key).or_insert(Slot { waiting: None, young: 0, overstaying: 0 });
        let replaced = slot.waiting.replace(job);
        if replaced.is_none() {
            self.waiting += 1;
            if slot.young == 0 {
                self.ready.push_back(key);
            }
        }
        replaced
    }

    /// Takes out the next job that may start at `now`; it counts as running from here.
    pub fn next_startable(&mut self, now: Instant) -> Option<Startable<K, J>> {
        self.age(now);
        if self.young.len() >= self.limit {
            return None;
        }
        self.take_ready(now)
    }

    /// Takes out the next job in any case, for when there is no more time to wait.
    pub fn next_at_once(&mut self, now: Instant) -> Option<Startable<K, J>> {
        self.take_ready(now).or_else(|| {
            let key = *self.keys.iter().find(|(_, slot)| slot.waiting.is_some())?.0;
            self.start(key, now)
        })
    }

    /// A running job of this key, started at `started`, has ended (or could not be started).
    pub fn ended(&mut self, key: K, started: Instant) {
        let position = self.young.iter().position(|entry| *entry == (started, key));
        let Some(slot) = self.keys.get_mut(&key) else { return };
        match position {
            Some(position) => {
                self.young.remove(position);
                slot.young -= 1;
                if slot.waiting.is_some() {
                    self.ready.push_back(key);
                }
            }
            None => slot.overstaying = slot.overstaying.saturating_sub(1),
        }
        if slot.waiting.is_none() && slot.young == 0 && slot.overstaying == 0 {
            self.keys.remove(&key);
        }
    }

    /// Whether [`next_startable`](Self::next_startable) has something now, ages left aside.
    pub fn is_startable(&self) -> bool {
        !self.ready.is_empty() && self.young.len() < self.limit
    }

    /// When a job may start that may not now, if nothing ends before.
    pub fn wakes_at(&self) -> Option<Instant> {
        let oldest = self.young.front().filter(|_| self.waiting > 0)?;
        oldest.0.checked_add(OVERSTAY)
    }

    /// Whether nothing waits.
    pub fn is_drained(&self) -> bool {
        self.waiting == 0
    }

    fn age(&mut self, now: Instant) {
        while let Some((started, key)) = self.young.front().copied() {
            if now.saturating_duration_since(started) < OVERSTAY {
                break;
            }
            self.young.pop_front();
            if let Some(slot) = self.keys.get_mut(&key) {
                slot.young -= 1;
                slot.overstaying += 1;
                if slot.waiting.is_some() {
                    self.ready.push_back(key);
                }
            }
        }
    }

    fn take_ready(&mut self, now: Instant) -> Option<Startable<K, J>> {
        let key = self.ready.pop_front()?;
        self.start(key, now)
    }

    fn start(&mut self, key: K, now: Instant) -> Option<Startable<K, J>> {
        let slot = self.keys.get_mut(&key)?;
        let job = slot.waiting.take()?;
        self.waiting -= 1;
        let beside = slot.overstaying > 0 || slot.young > 0;
        slot.young += 1;
        self.young.push_back((now, key));
        Some(Startable { key, job, beside })
    }
}

#[cfg(test)]
mod tests;
