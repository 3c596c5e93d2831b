//! From how a process ended to a verdict: timeouts, lateness of our own, guards.

use std::time::{Duration, Instant};

use super::state::{EndReason, Phase, Running};
use super::{Engine, Notice, Output, StopSignal, Unguarded};
use crate::rule::{Rule, RuleId, Status, Test};
use crate::verdict::{Cause, Ending, LocalCause, TimedOut, Verdict};

/// Own stalls of more than this share of a timeout (1/10 is 10 %) make it inconclusive.
const LATE_DIVISOR: u32 = 10;

impl Engine {
    /// The verdict of a run whose process ended.
    pub(super) fn judge(&self, rule: RuleId, running: &Running, ended: Instant, ending: Ending) -> Verdict {
        match self.rules[rule.index()].status {
            Status::AlwaysFail => return Verdict::Failure(Cause::AlwaysFail),
            Status::AlwaysSuccess => return Verdict::Success,
            Status::Enabled | Status::Disabled => {}
        }
        let cause = match (ending, running.struck) {
            (Ending::Exited(0), _) => return Verdict::Success,
            (_, Some(signal)) => {
                let limit = limit_of(&self.rules[rule.index()], signal);
                let after_start = self.stalls.between(running.started, ended, limit);
                let stalled = running.held_up + after_start;
                if stalled > limit / LATE_DIVISOR {
                    return Verdict::Inconclusive(LocalCause::Late { stalled, limit });
                }
                let timed_out = TimedOut { limit, ending };
                match signal {
                    StopSignal::Interrupt => Cause::TimeoutInt(timed_out),
                    StopSignal::Kill => Cause::TimeoutKill(timed_out),
                }
            }
            (Ending::Exited(status), None) => Cause::ExitStatus(status),
            (Ending::Signaled(signal), None) => Cause::Signal(signal),
        };
        self.unless_guarded(rule, cause)
    }

    /// The verdict of a probe that found `found`.
    pub(super) fn judge_probe(
        &self,
        rule: RuleId,
        running: &Running,
        ended: Instant,
        found: Verdict,
    ) -> Verdict {
        if !found.is_conclusive() {
            return found;
        }
        let limit = match (&self.rules[rule.index()].status, &self.rules[rule.index()].test) {
            (Status::AlwaysFail, _) => return Verdict::Failure(Cause::AlwaysFail),
            (Status::AlwaysSuccess, _) => return Verdict::Success,
            (Status::Enabled | Status::Disabled, Test::Probe(probe)) => probe.timeout,
            (Status::Enabled | Status::Disabled, Test::Command { .. }) => Duration::ZERO,
        };
        let cause = match found {
            Verdict::Failure(cause) => cause,
            Verdict::Success | Verdict::Inconclusive(_) => return found,
        };
        if cause.may_be_our_lateness() {
            let stalled = running.held_up + self.stalls.between(running.started, ended, limit);
            if stalled > limit / LATE_DIVISOR {
                return Verdict::Inconclusive(LocalCause::Late { stalled, limit });
            }
        }
        self.unless_guarded(rule, cause)
    }

    /// A failure, if no guard of the rule stands in the way.
    fn unless_guarded(&self, rule: RuleId, cause: Cause) -> Verdict {
        if self.rules[rule.index()].guard.iter().any(|guard| self.guards(*guard)) {
            return Verdict::Inconclusive(LocalCause::Guarded);
        }
        Verdict::Failure(cause)
    }

    /// Whether failures of the rules that name this one in `guard` are inconclusive now.
    fn guards(&self, guard: RuleId) -> bool {
        let state = &self.states[guard.index()];
        !state.is_over() && !state.stale && state.last_verdict != Some(Verdict::Success)
    }

    /// Tells once that a rule that others count on as their guard does not guard.
    pub(super) fn warn_of_guard(&mut self, rule: RuleId, why: Unguarded) {
        if self.is_guard[rule.index()] {
            self.outputs.push_back(Output::Notice(Notice::Unguarded { rule, why }));
        }
    }

    /// Takes a rule out of the schedule for good.
    pub(super) fn end(&mut self, rule: RuleId, reason: EndReason) {
        self.states[rule.index()].phase = Phase::Over(reason);
        self.states[rule.index()].stale = false;
        self.live -= 1;
        self.touch(rule);
        self.warn_of_guard(rule, Unguarded::Ended);
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
