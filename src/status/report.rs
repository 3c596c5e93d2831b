//! `/api/v1/status`, piece by piece as it is written. A member that is not known or does not apply is `null`; later
//! versions may have more members.

use serde::Serialize;

use crate::control::protocol::RuleRow;

/// Buckets of availability, and runs, that are told of a rule at most.
pub const TOLD_MAX: usize = 48;

/// What can be told as JSON (RFC 8259).
pub trait Json {
    /// Writes it behind what is there.
    fn write_json(&self, out: &mut Vec<u8>);
}

impl<T: Serialize + ?Sized> Json for T {
    fn write_json(&self, out: &mut Vec<u8>) {
        // A Vec takes everything, and nothing here has a map with odd keys.
        let _ = self.serialize(&mut serde_json::Serializer::new(out));
    }
}

/// The first thing that whoever listens to events is told: which process this is, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hello {
    /// The process.
    pub pid: u32,
    /// When it began, in seconds since 1970.
    pub started: f64,
}

/// This process. Moments are seconds since 1970 (UTC) with a fraction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hfm<'a> {
    /// Of the program.
    pub version: &'a str,
    /// The name of this machine.
    pub host: &'a str,
    /// Its process.
    pub pid: u32,
    /// When it began.
    pub started: f64,
    /// When this answer was begun.
    pub now: f64,
    /// Its configuration file.
    pub config: &'a str,
    /// What holds the tables, if there are any.
    pub dataplane: Option<&'a str>,
    /// Tables are read, and not written.
    pub dry_run: bool,
}

/// How many rules stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub rules: usize,
    /// Those that are up.
    pub up: usize,
    /// Those that are down.
    pub down: usize,
    /// Those of which nothing is known yet.
    pub unknown: usize,
    /// Those without a conclusive verdict for too long.
    pub stale: usize,
    /// Those of which an operator has set something.
    pub overrides: usize,
}

/// A rule: what the control socket tells of it, and what it has been through.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleReport<'a> {
    /// As on the control socket.
    #[serde(flatten)]
    pub row: RuleRow,
    /// What it runs: a URL, or a program; arguments, which may be secrets, are not told.
    pub test: &'a str,
    /// From start to start while it is not failed, in milliseconds.
    pub interval_ms: f64,
    /// What its last runs took, in microseconds, the oldest first; `null` for one that failed.
    pub recent_us: Vec<Option<u64>>,
    /// How often it succeeded lately.
    pub history: Option<History>,
    /// Whole days until its certificate ends, negative when that is over.
    pub certificate_days: Option<i64>,
}

/// Shares of runs that succeeded, for spans of equal length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// How long a span is, in seconds.
    pub bucket_s: u64,
    /// When the first one began, in seconds since 1970.
    pub since: f64,
    /// In percent, the oldest first; `null` where no run came to a verdict.
    pub up: Vec<Option<u8>>,
}
