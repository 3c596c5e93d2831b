//! Threads that are clients until they are told to stop, and what they have done.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Tells everybody that it is over. Who waits for it wakes for nothing else.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_over: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    /// Waits for that moment; whether it is over before.
    pub(crate) fn comes_before(&self, at: Instant) -> bool {
        let left = at.saturating_duration_since(Instant::now());
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(is_over, left, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn ring(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deeds {
    /// How often what was done.
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// How long answers took, in milliseconds.
    pub(crate) status_ms: Vec<f64>,
    pub(crate) scrape_ms: Vec<f64>,
    /// What is not as it should be.
    pub(crate) wrong: Vec<String>,
}

impl Deeds {
    /// One more of this.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// So many more of this.
    pub(crate) fn add(&mut self, what: &'static str, count: u64) {
        *self.counts.entry(what).or_default() += count;
    }

    fn join(&mut self, other: Self) {
        other.counts.into_iter().for_each(|(what, count)| self.add(what, count));
        self.status_ms.extend(other.status_ms);
        self.scrape_ms.extend(other.scrape_ms);
        self.wrong.extend(other.wrong);
    }
}

/// All who are at it.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<Deeds>>,
}

impl Crew {
    /// Has somebody begin.
    pub(crate) fn spawn(&mut self, body: impl FnOnce(&Stop) -> Deeds + Send + 'static) {
        let stop = Arc::clone(&self.stop);
        self.threads.push(thread::spawn(move || body(&stop)));
    }

    /// Ends it; what was done.
    pub(crate) fn end(self) -> Deeds {
        self.stop.ring();
        let mut all = Deeds::default();
        for thread in self.threads {
            all.join(thread.join().expect("it ends by itself"));
        }
        all
    }
}
