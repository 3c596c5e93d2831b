//! What `stats` answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What this hfm adds to the demotion counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemotionRow {
    /// In the counter, as last heard.
    pub total: u16,
    /// Its helper process is gone: that stays, whatever rules say, until hfm is restarted.
    pub lost: bool,
    /// What is wanted, by the names of rules.
    pub wanted: BTreeMap<String, u8>,
}

/// What was counted and measured since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatsRow {
    /// Of the program.
    pub version: String,
    /// Of the process.
    pub pid: u32,
    /// When it started.
    pub started: f64,
    /// Its configuration file.
    pub config: Option<String>,
    /// Configurations that were gone over to since then.
    pub reloads: u64,
    /// Rules of the configuration.
    pub rules: usize,
    /// Rules whose effective state is success.
    pub up: usize,
    /// Rules whose effective state is failed.
    pub down: usize,
    /// Rules whose effective state is not known.
    pub unknown: usize,
    /// Rules that are stale.
    pub stale: usize,
    /// Rules for which something is set.
    pub overrides: usize,
    /// Runs that ended with a verdict.
    pub runs: u64,
    /// Of these, failures.
    pub failures: u64,
    /// Of these, inconclusive.
    pub inconclusive: u64,
    /// Slots in which no run started.
    pub missed: u64,
    /// Runs under way.
    pub in_flight: usize,
    /// How late runs started, in microseconds: half of them no later than this.
    pub late_p50_us: u64,
    /// 99 % of them.
    pub late_p99_us: u64,
    /// 99.9 % of them.
    pub late_p999_us: u64,
    /// The latest.
    pub late_max_us: u64,
    /// How long turns of the loop took, in microseconds: half of them no longer than this.
    pub turn_p50_us: u64,
    /// 99 % of them.
    pub turn_p99_us: u64,
    /// The longest.
    pub turn_max_us: u64,
    /// Tables of the configuration.
    pub tables: usize,
    /// No table and no demotion is written and no change command runs: they are what they would be.
    #[serde(default)]
    pub dry_run: bool,
    /// The demotion counter, if a rule may add to it.
    pub demotion: Option<DemotionRow>,
    /// Lines that the log had to drop.
    pub dropped_lines: u64,
    /// The level of the log.
    pub log_level: String,
    /// Clients of the control socket, this one included.
    pub clients: usize,
}
