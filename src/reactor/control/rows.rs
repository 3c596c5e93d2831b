//! A rule as a line of an answer.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::control::protocol::RuleRow;
use crate::engine::{EndReason, Engine};
use crate::now::Now;
use crate::overrides::Book;
use crate::reactor::overrides;
use crate::rule::RuleId;
use crate::verdict::{SystemWords, Verdict};

/// How a rule stands.
pub(in crate::reactor) fn row(engine: &Engine, overrides: Option<&Book>, rule: RuleId, now: Now) -> RuleRow {
    let view = engine.view(rule);
    let name = |rule: RuleId| engine.rules()[rule.index()].name.to_string();
    let moment = |at| seconds(wall(at, now));
    let last = view.last_verdict.as_ref();
    let why = view.reason.as_ref().or(last);
    let durations = engine.durations(rule);
    let entry = overrides.and_then(|book| book.get(&engine.rules()[rule.index()].name));
    RuleRow {
        rule: name(rule),
        state: view.effective.word().to_owned(),
        own: view.own.word().to_owned(),
        since: view.effective_since.map(moment),
        verdict: last.map(|verdict| kind(verdict).to_owned()),
        reason: why.map(|verdict| verdict.reason().to_owned()),
        detail: not_started(engine, rule, view.ended).or_else(|| why.map(Verdict::to_string)),
        blame: view.blame.map(name),
        p50_us: durations.map(|of| micros(of.p50)),
        p99_us: durations.map(|of| micros(of.p99)),
        availability: availability(view.successes, view.failures),
        runs: view.runs,
        failures: view.failures,
        inconclusive: view.inconclusive,
        missed: view.missed,
        next: view.next_due.filter(|_| !view.running).map(moment),
        running: view.running,
        stale: view.stale,
        ended: view.ended.map(|why| ended(why).to_owned()),
        set: entry.map(overrides::row),
    }
}

/// The share of successes, in percent.
#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn availability(successes: u64, failures: u64) -> Option<f64> {
    let conclusive = successes + failures;
    (conclusive > 0).then(|| successes as f64 * 100.0 / conclusive as f64)
}

pub(in crate::reactor) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn kind(verdict: &Verdict) -> &'static str {
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
        EndReason::CannotStart(_) => "cannot-start",
    }
}

/// The test that cannot be started, and why.
fn not_started(engine: &Engine, rule: RuleId, ended: Option<EndReason>) -> Option<String> {
    match ended? {
        EndReason::CannotStart(errno) => {
            let test = engine.rules()[rule.index()].test.name();
            Some(format!("{test}: {}", SystemWords(errno)))
        }
        EndReason::Disabled | EndReason::RunsUsedUp => None,
    }
}

/// A moment of the monotonic clock as people's clocks have it now.
pub(in crate::reactor) fn wall(at: Instant, now: Now) -> SystemTime {
    let moved = if at <= now.mono {
        now.wall.checked_sub(now.mono.saturating_duration_since(at))
    } else {
        now.wall.checked_add(at.saturating_duration_since(now.mono))
    };
    moved.unwrap_or(now.wall)
}

/// Seconds since 1970.
pub(in crate::reactor) fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
