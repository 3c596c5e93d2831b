//! What the text is made of: plain values, as many as there are tables, and one of the process.

use std::time::Duration;

use super::families::RUN_BOUNDS;
use crate::histogram::Ladder;

/// How long a rule's conclusive runs took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunDurations {
    /// How many are longer than the bound before and no longer than their own of [`RUN_BOUNDS`]; last, those that are
    /// longer still.
    pub counts: [u64; RUN_BOUNDS.len() + 1],
    /// All together, in microseconds.
    pub sum_us: u64,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSample {
    /// Its name.
    pub name: String,
    /// How many addresses are ours.
    pub managed: u64,
    /// How many of them should be in it.
    pub wanted: u64,
    /// How many of them are; `None` while that is not known.
    pub actual: Option<u64>,
    /// How many are in it only because of `min_up` or `panic`.
    pub held: u64,
    /// How many in it are not ours; `None` while that is not known.
    pub others: Option<u64>,
    /// Addresses that were put right.
    pub repairs: u64,
    /// It cannot be read or written.
    pub failing: bool,
    /// When it was last written, since the Unix epoch.
    pub written: Option<Duration>,
}

/// The process and everything that is counted of all rules together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSample {
    /// Of the program.
    pub version: &'static str,
    /// When it was started, since the Unix epoch.
    pub started: Duration,
    /// `/healthz` answers 200.
    pub healthy: bool,
    /// Rules that are up.
    pub up: u64,
    /// Rules that are down.
    pub down: u64,
    /// Rules of which nothing is known.
    pub unknown: u64,
    /// Rules that are stale.
    pub stale: u64,
    /// Rules for which something is set.
    pub overrides: u64,
    /// Configurations gone over to since the start.
    pub reloads: u64,
    /// Runs that ended with a verdict.
    pub runs: u64,
    /// Of these, failures.
    pub failures: u64,
    /// Of these, inconclusive.
    pub inconclusive: u64,
    /// Slots missed.
    pub missed: u64,
    /// Runs under way.
    pub in_flight: u64,
    /// How late runs started.
    pub lateness: Ladder,
    /// How long turns took.
    pub turns: Ladder,
    /// How long writing to the data plane took.
    pub writes: Ladder,
    /// Attempts to read or write tables that failed.
    pub write_failures: u64,
    /// What is added to the demotion counter; `None` where no rule may.
    pub demotion: Option<u64>,
    /// Lines that the log dropped.
    pub dropped_lines: u64,
    /// Clients of the status page.
    pub clients: u64,
    /// Descriptors in use, where the system tells.
    pub open_descriptors: Option<u64>,
    /// Descriptors that may be in use.
    pub max_descriptors: Option<u64>,
    /// Processor time used, where the system tells.
    pub cpu: Option<Duration>,
    /// Memory in use, in bytes, where the system tells.
    pub resident_bytes: Option<u64>,
}
