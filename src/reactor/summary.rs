//! The summary that SIGUSR1 asks for: totals, then every rule that is not well, a bounded number of them.

use std::fmt;
use std::time::Duration;

use log::Level;

use crate::engine::{EndReason, Engine, RuleView};
use crate::health::State;
use crate::histogram::Histogram;
use crate::line::{self, Field, Line, Value};
use crate::rule::RuleId;
use crate::verdict::Verdict;

/// Rules listed one by one at most.
const LISTED_MAX: usize = 100;

/// How many rules there are of each sort, and those to be listed.
#[derive(Default)]
struct Sorted {
    rules: usize,
    success: usize,
    fail: usize,
    unknown: usize,
    stale: usize,
    disabled: usize,
    ended: usize,
    unwell: usize,
    /// The first of them.
    listed: Vec<(RuleId, RuleView)>,
}

impl Sorted {
    /// Goes through all rules, and holds on to few.
    fn of(engine: &Engine) -> Self {
        let mut sorted = Self::default();
        for (rule, id) in engine.rules().iter().zip((0..).map(RuleId)) {
            if rule.is_vacant() {
                continue;
            }
            let view = engine.view(id);
            sorted.rules += 1;
            match view.effective {
                State::Success => sorted.success += 1,
                State::Fail => sorted.fail += 1,
                State::Unknown => sorted.unknown += 1,
            }
            match view.ended {
                Some(EndReason::Disabled) => sorted.disabled += 1,
                Some(EndReason::RunsUsedUp | EndReason::CannotStart(_)) => sorted.ended += 1,
                None => {}
            }
            sorted.stale += usize::from(view.stale);
            if view.effective == State::Fail || view.stale {
                sorted.unwell += 1;
                if sorted.listed.len() < LISTED_MAX {
                    sorted.listed.push((id, view));
                }
            }
        }
        sorted
    }
}

pub(super) fn log(engine: &Engine, turns: &Histogram) {
    let sorted = Sorted::of(engine);
    say(
        "summary-rules",
        format_args!("summary:"),
        &[
            Field::new("rules", Value::count(sorted.rules)),
            Field::new("success", Value::count(sorted.success)),
            Field::new("fail", Value::count(sorted.fail)),
            Field::new("unknown", Value::count(sorted.unknown)),
            Field::new("stale", Value::count(sorted.stale)),
            Field::new("disabled", Value::count(sorted.disabled)),
            Field::new("ended", Value::count(sorted.ended)),
        ],
    );
    log_runs(engine, turns);
    for (id, view) in &sorted.listed {
        let name = &engine.rules()[id.index()].name;
        let reason = view.last_verdict.as_ref().map_or("none", Verdict::reason);
        say(
            "summary-rule",
            format_args!("summary: '{}'", name.escape_debug()),
            &[
                Field::hidden("rule", Value::Bare(name)),
                Field::new("state", Value::Bare(&view.effective.word())),
                Field::new("own", Value::Bare(&view.own.word())),
                Field::new("last_verdict", Value::Bare(&reason)),
                Field::new("runs", Value::Number(view.runs)),
                Field::new("missed_slots", Value::Number(view.missed)),
                Field::new("stale", Value::Truth(view.stale)),
            ],
        );
    }
    if sorted.unwell > LISTED_MAX {
        let more = sorted.unwell - LISTED_MAX;
        say(
            "summary-more",
            format_args!("summary: {more} more rules are failed or stale"),
            &[Field::hidden("rules", Value::count(more))],
        );
    }
}

/// What was counted and measured of all runs.
fn log_runs(engine: &Engine, turns: &Histogram) {
    let counters = engine.counters();
    let lateness = engine.lateness();
    let micros = |time: Duration| Value::Number(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    say(
        "summary-runs",
        format_args!("summary:"),
        &[
            Field::new("runs", Value::Number(counters.runs)),
            Field::new("failures", Value::Number(counters.failures)),
            Field::new("inconclusive", Value::Number(counters.inconclusive)),
            Field::new("in_flight", Value::count(counters.in_flight)),
            Field::new("missed_slots", Value::Number(counters.missed)),
            Field::named("lateness_us p50", "lateness_p50_us", micros(lateness.quantile(0.5))),
            Field::named("p99", "lateness_p99_us", micros(lateness.quantile(0.99))),
            Field::named("p99.9", "lateness_p999_us", micros(lateness.quantile(0.999))),
            Field::named("max", "lateness_max_us", micros(lateness.max())),
            Field::named("turn_us p50", "turn_p50_us", micros(turns.quantile(0.5))),
            Field::named("p99", "turn_p99_us", micros(turns.quantile(0.99))),
            Field::named("max", "turn_max_us", micros(turns.max())),
            Field::new("dropped_log_lines", Value::Number(crate::logging::dropped_lines())),
        ],
    );
}

fn say(event: &'static str, sentence: fmt::Arguments<'_>, fields: &[Field<'_>]) {
    line::tell(Level::Info, module_path!(), &Line { event, sentence, about: &[], fields });
}
