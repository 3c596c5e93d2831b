//! The summary that SIGUSR1 asks for: totals, then every rule that is not well, a bounded number of them.

use log::info;

use crate::engine::{EndReason, Engine};
use crate::health::State;
use crate::histogram::Histogram;
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
    info!(
        "summary: rules={} success={} fail={} unknown={} stale={stale} disabled={} ended={}",
        views.len(),
        count(State::Success),
        count(State::Fail),
        count(State::Unknown),
        over(EndReason::Disabled),
        over(EndReason::RunsUsedUp) + over(EndReason::CannotStart),
    );
    let counters = engine.counters();
    let lateness = engine.lateness();
    info!(
        "summary: runs={} failures={} inconclusive={} in_flight={} missed_slots={} lateness_us p50={} p99={} p99.9={} \
         max={} turn_us p50={} p99={} max={} dropped_log_lines={}",
        counters.runs,
        counters.failures,
        counters.inconclusive,
        counters.in_flight,
        counters.missed,
        lateness.quantile(0.5).as_micros(),
        lateness.quantile(0.99).as_micros(),
        lateness.quantile(0.999).as_micros(),
        lateness.max().as_micros(),
        turns.quantile(0.5).as_micros(),
        turns.quantile(0.99).as_micros(),
        turns.max().as_micros(),
        crate::logging::dropped_lines(),
    );
    let unwell = views.iter().filter(|(_, view)| view.effective == State::Fail || view.stale);
    for (rule, view) in unwell.clone().take(LISTED_MAX) {
        let reason = view.last_verdict.as_ref().map_or("none", Verdict::reason);
        info!(
            "summary: '{}' state={} own={} last_verdict={reason} runs={} missed_slots={} stale={}",
            rule.name.escape_debug(),
            view.effective.word(),
            view.own.word(),
            view.runs,
            view.missed,
            view.stale
        );
    }
    let listed = unwell.count();
    if listed > LISTED_MAX {
        info!("summary: {} more rules are failed or stale", listed - LISTED_MAX);
    }
}
