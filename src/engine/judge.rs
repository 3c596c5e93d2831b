//! From how a run ended to what it found, and to what it counts as: timeouts, lateness of our own, guards.

use std::time::{Duration, Instant};

use super::state::{EndReason, Phase, Running};
use super::{Engine, Notice, Output, StopSignal, Unguarded};
use crate::now::Now;
use crate::rule::{Rule, RuleId, Status, Test};
use crate::verdict::{Cause, Ending, LocalCause, TimedOut, Verdict};

/// Own stalls of more than this share of a timeout (1/10 is 10 %) make it inconclusive.
const LATE_DIVISOR: u32 = 10;

impl Engine {
    /// What a run found whose process ended.
    pub(super) fn found(&self, rule: RuleId, running: &Running, ended: Instant, ending: Ending) -> Verdict {
        Verdict::Failure(match (ending, running.struck) {
            (Ending::Exited(0), _) => return Verdict::Success,
            (_, Some(signal)) => {
                let limit = limit_of(&self.rules[rule.index()], signal);
                if let Some(late) = self.late(running, ended, limit) {
                    return late;
                }
                let timed_out = TimedOut { limit, ending };
                match signal {
                    StopSignal::Interrupt => Cause::TimeoutInt(timed_out),
                    StopSignal::Kill => Cause::TimeoutKill(timed_out),
                }
            }
            (Ending::Exited(status), None) => Cause::ExitStatus(status),
            (Ending::Signaled(signal), None) => Cause::Signal(signal),
        })
    }

    /// What a run found whose probe says `found`.
    pub(super) fn found_by_probe(
        &self,
        rule: RuleId,
        running: &Running,
        ended: Instant,
        found: Verdict,
    ) -> Verdict {
        let limit = match &self.rules[rule.index()].test {
            Test::Probe(probe) => probe.timeout,
            Test::Command { .. } => Duration::ZERO,
        };
        let may_be_late = match &found {
            Verdict::Failure(cause) => cause.may_be_our_lateness(),
            Verdict::Success | Verdict::Inconclusive(_) => false,
        };
        let late = if may_be_late { self.late(running, ended, limit) } else { None };
        late.unwrap_or(found)
    }

    /// What a run on the schedule that began at `started` counts as: what it found, but for the rule's status and its
    /// guards.
    pub(super) fn counts_as(&self, rule: RuleId, started: Instant, found: Verdict) -> Verdict {
        let given = match self.rules[rule.index()].status {
            Status::AlwaysFail => Some(Verdict::Failure(Cause::AlwaysFail)),
            Status::AlwaysSuccess => Some(Verdict::Success),
            Status::Enabled | Status::Disabled => None,
        };
        match (found, given) {
            (
                Verdict::Success | Verdict::Failure(_) | Verdict::Inconclusive(LocalCause::Late { .. }),
                Some(given),
            ) => given,
            (Verdict::Failure(_), None) if self.is_guarded(rule, started) => {
                Verdict::Inconclusive(LocalCause::Guarded)
            }
            (found, _) => found,
        }
    }

    /// Inconclusive, if our own stalls made up too much of the timeout.
    fn late(&self, running: &Running, ended: Instant, limit: Duration) -> Option<Verdict> {
        let stalled = running.held_up + self.stalls.between(running.started, ended, limit);
        let is_late = stalled > limit / LATE_DIVISOR;
        is_late.then_some(Verdict::Inconclusive(LocalCause::Late { stalled, limit }))
    }

    /// Whether a guard of the rule stands in the way of a failure of its run that began at `started`.
    fn is_guarded(&self, rule: RuleId, started: Instant) -> bool {
        self.rules[rule.index()].guard.iter().any(|guard| self.guards(*guard, started))
    }

    /// Whether such a failure of the rules that name this one in `guard` is inconclusive now: what began before the
    /// guard was well may have failed for what the guard was there for.
    fn guards(&self, guard: RuleId, started: Instant) -> bool {
        let state = &self.states[guard.index()];
        let is_well = state.well_since.is_some_and(|since| since <= self.epoch.stamp(started));
        state.is_scheduled() && !state.stale && !is_well
    }

    /// Tells once that a rule that others count on as their guard does not guard.
    pub(super) fn warn_of_guard(&mut self, rule: RuleId, why: Unguarded) {
        if self.is_guard[rule.index()] {
            self.outputs.push_back(Output::Notice(Notice::Unguarded { rule, why }));
        }
    }

    /// Takes a rule out of the schedule for good.
    pub(super) fn end(&mut self, rule: RuleId, reason: EndReason, now: Now) {
        self.states[rule.index()].phase = Phase::Over(reason);
        self.states[rule.index()].stale = false;
        self.live -= 1;
        self.touch(rule);
        self.warn_of_guard(rule, Unguarded::Ended);
        self.settle(rule, None, now);
        // It may count for nothing from here on.
        self.settle_dependents(rule, now);
    }
}

fn limit_of(rule: &Rule, signal: StopSignal) -> Duration {
    let limit = match (&rule.test, signal) {
        (Test::Command { timeout_int, .. }, StopSignal::Interrupt) => *timeout_int,
        (Test::Command { timeout_kill, .. }, StopSignal::Kill) => *timeout_kill,
        (Test::Probe(_), _) => None,
    };
    limit.unwrap_or_default()
}
