//! How one rule stands, in full.

use std::fmt::{Display, Write as _};

use super::super::people;
use super::super::times::{Long, Micros, Moment, Percent, Short};
use super::status;
use crate::control::protocol::{OverrideRow, RuleRow};
use crate::line::Harmless;

/// Everything that is known of a rule, a line each.
pub(super) fn text(row: &RuleRow, now: f64) -> String {
    let mut out = format!("{}: {}\n", Harmless(&row.rule), status::state(row));
    if let Some(since) = row.since {
        line(&mut out, "since", format!("{}, for {}", Moment(since), Long(now - since)));
    }
    if let Some(reason) = &row.reason {
        let blame = row.blame.as_ref().map_or_else(String::new, |blame| format!(" {blame}"));
        // Of a test that cannot be started the detail says why it is not run any more.
        let detail = if cannot_start(row) { String::new() } else { detail(row) };
        line(&mut out, "reason", format!("{reason}{blame}{detail}"));
    }
    if let Some(set) = &row.set {
        write_override(&mut out, set, now);
    }
    line(&mut out, "own state", &row.own);
    if let Some(verdict) = &row.verdict {
        line(&mut out, "last verdict", verdict);
    }
    if row.stale {
        line(&mut out, "stale", "no conclusive verdict for too long");
    }
    if let (Some(p50), Some(p99)) = (row.p50_us, row.p99_us) {
        let (p50, p99) = (Micros(p50), Micros(p99));
        line(&mut out, "latency", format!("p50 {p50}, p99 {p99} of the last 128 conclusive runs"));
    }
    if let Some(availability) = row.availability {
        line(&mut out, "availability", format!("{} of the conclusive runs", Percent(availability)));
    }
    let (runs, failures, inconclusive) = (row.runs, row.failures, row.inconclusive);
    let counts =
        format!("{runs} started, {failures} failed, {inconclusive} inconclusive, {} missed", row.missed);
    line(&mut out, "runs", counts);
    line(&mut out, "next run", next(row, now));
    out
}

fn cannot_start(row: &RuleRow) -> bool {
    row.ended.as_deref() == Some("cannot-start")
}

/// What follows what it is the detail of.
fn detail(row: &RuleRow) -> String {
    let detail = row.detail.as_ref().filter(|detail| !detail.is_empty());
    detail.map_or_else(String::new, |detail| format!(": {detail}"))
}

fn next(row: &RuleRow, now: f64) -> String {
    match (&row.ended, row.running, row.next) {
        (Some(ended), ..) if ended == "disabled" => "none: disabled in the file".to_owned(),
        (Some(ended), ..) if ended == "runs-used-up" => "none: its runs are used up".to_owned(),
        (Some(_), ..) if cannot_start(row) => format!("none: its test cannot be started{}", detail(row)),
        (Some(ended), ..) => format!("none: {ended}"),
        (None, true, _) => "under way".to_owned(),
        (None, false, Some(next)) => format!("in {}", Short(next - now)),
        (None, false, None) => "none".to_owned(),
    }
}

fn write_override(out: &mut String, set: &OverrideRow, now: f64) {
    let reason = set.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    line(out, "override", format!("{}{reason}", set.kind));
    line(out, "set by", who(set));
    line(out, "set at", format!("{}, {} ago", Moment(set.since), Long(now - set.since)));
    let until = match set.until {
        Some(until) => format!("{}, {} left", Moment(until), Long(until - now)),
        None => "'hfmctl enable'".to_owned(),
    };
    line(out, "until", until);
}

/// The user that set it, and whom it said to act for.
fn who(set: &OverrideRow) -> String {
    let user = people::user(set.uid);
    match &set.by {
        Some(by) if *by != user => format!("{by} (as {user})"),
        Some(_) | None => user,
    }
}

fn line(out: &mut String, label: &str, value: impl Display) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {label:<14}{}", Harmless(value));
}
