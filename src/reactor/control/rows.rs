//! A rule as a line of an answer.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::control::protocol::RuleRow;
use crate::engine::{EndReason, Engine};
use crate::now::Now;
use crate::rule::RuleId;
use crate::verdict::Verdict;

/// How a rule stands.
pub(super) fn row(engine: &Engine, rule: RuleId, now: Now) -> RuleRow {
    let view = engine.view(rule);
    let last = view.last_verdict.as_ref();
    RuleRow {
        rule: engine.rules()[rule.index()].name.to_string(),
        state: view.effective.word().to_owned(),
        own: view.own.word().to_owned(),
        since: view.since.filter(|_| view.own == view.effective).map(|at| seconds(wall(at, now))),
        verdict: last.map(|verdict| kind(verdict).to_owned()),
        reason: last.map(|verdict| verdict.reason().to_owned()),
        detail: last.map(Verdict::to_string),
        blame: None,
        p50_us: None,
        p99_us: None,
        availability: None,
        runs: view.runs,
        failures: 0,
        inconclusive: 0,
        missed: view.missed,
        next: view.next_due.map(|at| seconds(wall(at, now))),
        running: view.ended.is_none() && view.next_due.is_none(),
        stale: view.stale,
        ended: view.ended.map(|why| ended(why).to_owned()),
        set: None,
    }
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Failure(_) => "failure",
        Verdict::Inconclusive(_) => "inconclusive",
    }
}

fn ended(why: EndReason) -> &'static str {
    match why {
        EndReason::Disabled => "disabled",
        EndReason::RunsUsedUp => "runs-used-up",
        EndReason::CannotStart => "cannot-start",
    }
}

/// A moment of the monotonic clock as people's clocks have it now.
fn wall(at: Instant, now: Now) -> SystemTime {
    let moved = if at <= now.mono {
        now.wall.checked_sub(now.mono.saturating_duration_since(at))
    } else {
        now.wall.checked_add(at.saturating_duration_since(now.mono))
    };
    moved.unwrap_or(now.wall)
}

/// Seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
