//! What was counted and measured, a line each.

use std::fmt::Write as _;

use super::super::times::{Long, Micros, Moment};
use crate::control::protocol::{DemotionRow, StatsRow};
use crate::line::Harmless;

/// Shares of the demotion that are named; `--json` has them all.
const SHARES_NAMED_MAX: usize = 20;

/// All of it.
pub(super) fn text(row: &StatsRow, now: f64) -> String {
    let rules = format!(
        "{}: {} up, {} down, {} unknown; {} stale, {} with an override",
        row.rules, row.up, row.down, row.unknown, row.stale, row.overrides
    );
    let runs = format!("{}: {} failed, {} inconclusive", row.runs, row.failures, row.inconclusive);
    let late = format!(
        "p50 {}, p99 {}, p99.9 {}, max {}",
        Micros(row.late_p50_us),
        Micros(row.late_p99_us),
        Micros(row.late_p999_us),
        Micros(row.late_max_us)
    );
    let turn = format!(
        "p50 {}, p99 {}, max {}",
        Micros(row.turn_p50_us),
        Micros(row.turn_p99_us),
        Micros(row.turn_max_us)
    );
    let dry_run = row.dry_run.then(|| ("dry run", "nothing is written, no change command runs".to_owned()));
    let unwritten = if row.dry_run { "; a dry run: not written" } else { "" };
    let lines = [
        ("version", format!("{}, process {}", row.version, row.pid)),
        ("started", format!("{}, {} ago", Moment(row.started), Long(now - row.started))),
        ("configuration", row.config.clone().unwrap_or_else(|| "none".to_owned())),
        ("reloads", row.reloads.to_string()),
        ("rules", rules),
        ("tables", row.tables.to_string()),
        ("demotion", row.demotion.as_ref().map_or_else(|| "none".to_owned(), |of| demotion(of) + unwritten)),
        ("runs", runs),
        ("under way", row.in_flight.to_string()),
        ("missed slots", row.missed.to_string()),
        ("start lateness", late),
        ("turns of the loop", turn),
        ("log level", format!("{}, {} lines dropped", row.log_level, row.dropped_lines)),
        ("clients", row.clients.to_string()),
    ];
    dry_run.iter().chain(&lines).fold(String::new(), |mut out, (label, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{label:<19}{}", Harmless(value));
        out
    })
}

/// What is in the counter, and by whom.
fn demotion(row: &DemotionRow) -> String {
    let DemotionRow { total, lost, wanted } = row;
    let named = wanted.iter().take(SHARES_NAMED_MAX).map(|(rule, share)| format!("{share} by {rule}"));
    let more = wanted.len().saturating_sub(SHARES_NAMED_MAX);
    let more = (more > 0).then(|| format!("by {more} more"));
    let shares: Vec<String> = named.chain(more).collect();
    let shares = if shares.is_empty() { "no rule is failed".to_owned() } else { shares.join(", ") };
    let lost = if *lost { "; its helper process is gone: it stays until hfm is restarted" } else { "" };
    format!("{total} ({shares}){lost}")
}
