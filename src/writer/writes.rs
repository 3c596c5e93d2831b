//! How long writes took and how many attempts failed: counted by the writer's thread, read by whoever wants to know, and
//! neither ever waits for the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::histogram::{LADDER, Ladder};

/// Counts since the start. Those of one moment may be told before others of the same.
#[derive(Debug, Default)]
pub struct Writes {
    counts: [AtomicU64; LADDER.len() + 1],
    sum_ns: AtomicU64,
    failures: AtomicU64,
}

impl Writes {
    /// The data plane was written to, whatever came of it, and was back after this long.
    pub(super) fn took(&self, time: Duration) {
        self.counts[LADDER.partition_point(|bound| *bound < time)].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(nanos, Ordering::Relaxed);
    }

    /// An attempt to read or write a table failed.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// How long writes took.
    pub fn durations(&self) -> Ladder {
        let counts = std::array::from_fn(|step| self.counts[step].load(Ordering::Relaxed));
        Ladder { counts, sum_ns: self.sum_ns.load(Ordering::Relaxed) }
    }

    /// Attempts to read or write a table that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
