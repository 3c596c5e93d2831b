//! The summary that SIGUSR1 asks for: totals, then every rule that is not well, a bounded number of them.

use std::fmt;
use std::time::Duration;

use log::Level;

use crate::engine::{EndReason, Engine};
use crate::health::State;
use crate::histogram::Histogram;
use crate::line::{self, Field, Line, Value};
use crate::rule::RuleId;
use crate::verdict::Verdict;

/// Rules listed one by one at most.
const LISTED_MAX: usize = 100;

pub(super) fn log(engine: &Engine, turns: &Histogram) {
    let views = engine.rules().iter().zip(0..).map(|(rule, index)| (rule, engine.view(RuleId(index))));
    let views: Vec<_> = views.filter(|(rule, _)| !rule.is_vacant()).collect();
    let count = |state| views.iter().filter(|(_, view)| view.effective == state).count();
    let over = |reason| views.iter().filter(|(_, view)| view.ended == Some(reason)).count();
    let stale = views.iter().filter(|(_, view)| view.stale).count();
    let ended = over(EndReason::RunsUsedUp) + over(EndReason::CannotStart);
    say(
        "summary-rules",
        format_args!("summary:"),
        &[
            Field::new("rules", Value::count(views.len())),
            Field::new("success", Value::count(count(State::Success))),
            Field::new("fail", Value::count(count(State::Fail))),
            Field::new("unknown", Value::count(count(State::Unknown))),
            Field::new("stale", Value::count(stale)),
            Field::new("disabled", Value::count(over(EndReason::Disabled))),
            Field::new("ended", Value::count(ended)),
        ],
    );
    log_runs(engine, turns);
    let unwell = views.iter().filter(|(_, view)| view.effective == State::Fail || view.stale);
    for (rule, view) in unwell.clone().take(LISTED_MAX) {
        let reason = view.last_verdict.as_ref().map_or("none", Verdict::reason);
        say(
            "summary-rule",
            format_args!("summary: '{}'", rule.name.escape_debug()),
            &[
                Field::hidden("rule", Value::Bare(&rule.name)),
                Field::new("state", Value::Bare(&view.effective.word())),
                Field::new("own", Value::Bare(&view.own.word())),
                Field::new("last_verdict", Value::Bare(&reason)),
                Field::new("runs", Value::Number(view.runs)),
                Field::new("missed_slots", Value::Number(view.missed)),
                Field::new("stale", Value::Truth(view.stale)),
            ],
        );
    }
    let listed = unwell.count();
    if listed > LISTED_MAX {
        let more = listed - LISTED_MAX;
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
