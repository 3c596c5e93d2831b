//! What was changed, and what a run found: a line a rule.

use super::super::times::{Long, Micros, Moment};
use crate::control::protocol::{OverrideRow, VerdictRow};
use crate::line::Harmless;

/// What is set of a rule now.
pub(super) fn changed(rule: &str, set: Option<&OverrideRow>, note: Option<&str>, now: f64) -> String {
    let state = match set {
        None => "nothing is set any more".to_owned(),
        Some(set) => match set.until {
            Some(until) => format!("{} for {}, until {}", set.kind, Long(until - now), Moment(until)),
            None => set.kind.clone(),
        },
    };
    let note = note.map_or_else(String::new, |note| format!("; {note}"));
    format!("{}\n", Harmless(format_args!("{rule}: {state}{note}")))
}

/// What a run found.
pub(super) fn verdict(row: &VerdictRow) -> String {
    let VerdictRow { rule, verdict, reason, detail, total_us, scheduled } = row;
    // What an 'ok' has to say is often nothing.
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let scheduled =
        if *scheduled { " (its next run on its schedule, which its state was told of)" } else { "" };
    let total = Micros(*total_us);
    format!("{}\n", Harmless(format_args!("{rule}: {verdict} {reason} after {total}{detail}{scheduled}")))
}
