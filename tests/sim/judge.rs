//! The part of the model that judges: what a run's end says, and what of it is our own fault.

use std::time::{Duration, Instant};

use hfm::engine::{EndReason, Notice, StopSignal};
use hfm::rule::Status;
use hfm::verdict::{Cause, Ending, LocalCause, Measured, TimedOut, Verdict};

use crate::effects::{limits, probe_timeout};
use crate::model::{MS, Model, Phase, Running};
use crate::settle::Origin;

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    verdict: Verdict,
    ending: Option<Ending>,
    measured: Measured,
    elapsed: u64,
}

impl Ended {
    pub(crate) fn of_process(verdict: Verdict, ending: Ending, elapsed: u64) -> Self {
        Self { verdict, ending: Some(ending), measured: Measured::default(), elapsed }
    }

    pub(crate) fn of_probe(verdict: Verdict, measured: Measured, elapsed: u64) -> Self {
        Self { verdict, ending: None, measured, elapsed }
    }

    pub(crate) fn never_started(cause: LocalCause) -> Self {
        let (verdict, measured) = (Verdict::Inconclusive(cause), Measured::default());
        Self { verdict, ending: None, measured, elapsed: 0 }
    }
}

/// When this process stood still: late wake-ups and turns of the loop, each from when until when.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    past: Vec<(u64, u64)>,
    turn_since: Option<u64>,
}

impl Stalls {
    /// In the order in which they end.
    pub(crate) fn add(&mut self, from: u64, until: u64) {
        self.past.push((from, until));
    }

    pub(crate) fn turn_begins(&mut self, at: u64) {
        self.turn_since = Some(at);
    }

    pub(crate) fn turn_ends(&mut self, at: u64) {
        let since = self.turn_since.take().expect("a turn that ends has begun");
        self.add(since, at);
    }

    /// Those between two moments, each but for its first `free`. What overlaps is one stall: no moment
    /// can be lost twice.
    fn between(&self, start: u64, end: u64, free: u64) -> u64 {
        let turn = self.turn_since.map(|since| (since, end));
        let past = self.past.iter().rev().take_while(|(_, until)| *until > start).copied();
        let inside = past.chain(turn).map(|(from, until)| (from.max(start), until.min(end)));
        let mut inside: Vec<(u64, u64)> = inside.filter(|(from, until)| from < until).collect();
        inside.sort_unstable();
        let mut lost = 0;
        let mut stalls = inside.into_iter().peekable();
        while let Some((from, mut until)) = stalls.next() {
            while let Some((_, further)) = stalls.next_if(|(next, _)| *next < until) {
                until = until.max(further);
            }
            lost += (until - from).saturating_sub(free);
        }
        lost
    }
}

impl Model {
    /// A wake-up was late.
    pub(crate) fn woke_late(&mut self, due: Instant, at: Instant) {
        let (due, at) = (self.ns(due), self.ns(at));
        self.stalls.add(due, at);
    }

    /// What a process that ended says.
    pub(crate) fn found(&self, rule: usize, run: Running, end: u64, ending: Ending) -> Verdict {
        let (int, kill) = limits(&self.rules[rule]);
        let struck = run.struck.map(|signal| {
            let limit = match signal {
                StopSignal::Interrupt => int,
                StopSignal::Kill => kill,
            };
            (signal, limit.expect("a signal is sent only at a limit"))
        });
        Verdict::Failure(match (ending, struck) {
            (Ending::Exited(0), _) => return Verdict::Success,
            (Ending::Exited(status), None) => Cause::ExitStatus(status),
            (Ending::Signaled(signal), None) => Cause::Signal(signal),
            (_, Some((signal, limit))) => {
                if let Some(late) = self.late(run, end, limit) {
                    return late;
                }
                let timed_out = TimedOut { limit: Duration::from_nanos(limit), ending };
                match signal {
                    StopSignal::Interrupt => Cause::TimeoutInt(timed_out),
                    StopSignal::Kill => Cause::TimeoutKill(timed_out),
                }
            }
        })
    }

    /// What a probe says, once our own part in it is known.
    pub(crate) fn found_by_probe(&self, rule: usize, run: Running, said: &Verdict, elapsed: u64) -> Verdict {
        let timeout = probe_timeout(&self.rules[rule]).expect("only a probe concludes");
        let late = match said {
            Verdict::Failure(cause) if waits_for_us(cause) => self.late(run, run.start + elapsed, timeout),
            Verdict::Success | Verdict::Failure(_) | Verdict::Inconclusive(_) => None,
        };
        late.unwrap_or_else(|| said.clone())
    }

    /// As what a rule takes what was found: trouble of our own that was `said` stands over its status.
    pub(crate) fn as_counted(&self, rule: usize, start: u64, said: &Verdict, found: Verdict) -> Verdict {
        match (said, self.given(rule), found) {
            (Verdict::Inconclusive(_), _, found) => found,
            (Verdict::Success | Verdict::Failure(_), Some(given), _) => given,
            (_, None, Verdict::Failure(cause)) => self.unless_guarded(rule, start, cause),
            (_, None, found) => found,
        }
    }

    /// The verdict of a rule whose status says what it is.
    fn given(&self, rule: usize) -> Option<Verdict> {
        match self.rules[rule].status {
            Status::AlwaysFail => Some(Verdict::Failure(Cause::AlwaysFail)),
            Status::AlwaysSuccess => Some(Verdict::Success),
            Status::Enabled | Status::Disabled => None,
        }
    }

    fn unless_guarded(&self, rule: usize, start: u64, cause: Cause) -> Verdict {
        if self.rules[rule].guard.iter().any(|guard| self.guards(guard.index(), start)) {
            return Verdict::Inconclusive(LocalCause::Guarded);
        }
        Verdict::Failure(cause)
    }

    /// Inconclusive, if our own stalls from the due to the end are more than a tenth of the timeout.
    fn late(&self, run: Running, end: u64, limit: u64) -> Option<Verdict> {
        let free = (5 * MS).min(limit / 20);
        let stalled = run.start - run.could + self.stalls.between(run.start, end, free);
        let (wait, limit_of) = (Duration::from_nanos(stalled), Duration::from_nanos(limit));
        let late = LocalCause::Late { stalled: wait, limit: limit_of };
        (stalled * 10 > limit).then_some(Verdict::Inconclusive(late))
    }

    /// Its last verdict must be a success, and so must all have been since the other rule's run began.
    fn guards(&self, guard: usize, start: u64) -> bool {
        let state = &self.states[guard];
        let was_healthy = state.unwell_at.is_none_or(|at| start >= at);
        let healthy = state.last == Some(Verdict::Success) && was_healthy;
        !matches!(state.phase, Phase::Over(_) | Phase::Suspended) && !state.stale && !healthy
    }

    /// A run has its verdict.
    pub(crate) fn judged(&mut self, rule: usize, ended: Ended, now: u64) {
        let run = self.run(rule);
        let Ended { verdict, ending, measured, elapsed } = ended;
        let elapsed = Duration::from_nanos(elapsed);
        self.tell(Notice::Verdict { run, verdict: verdict.clone(), ending, measured, elapsed });
        self.totals.runs += 1;
        let returning = self.returning(rule);
        let state = &mut self.states[rule];
        if state.last != Some(Verdict::Success) {
            state.unwell_at = Some(now);
        }
        state.last = Some(verdict.clone());
        match &verdict {
            Verdict::Success => {
                state.successes += 1;
                state.last_success = Some(now);
            }
            Verdict::Failure(cause) => {
                state.failures += 1;
                state.last_failure = Some(cause.clone());
            }
            Verdict::Inconclusive(_) => state.inconclusive += 1,
        }
        let success = match verdict {
            Verdict::Inconclusive(_) => {
                self.totals.inconclusive += 1;
                state.history.streak(None);
                self.inconclusive.push((run, verdict, now));
                return;
            }
            Verdict::Failure(_) => false,
            Verdict::Success => true,
        };
        self.totals.failures += u64::from(!success);
        state.conclusive += 1;
        state.took.push(elapsed);
        state.streak = state.history.streak(Some(success));
        state.fresh_since = now;
        if std::mem::take(&mut state.stale) {
            self.tell(Notice::Fresh { run });
        }
        let returned = success && returning.is_some();
        match self.rules[rule].status {
            Status::Enabled => self.counted(rule, success, verdict, elapsed, now),
            Status::AlwaysFail | Status::AlwaysSuccess if returned => {}
            Status::AlwaysFail | Status::AlwaysSuccess => self.confirm(rule, verdict, elapsed),
            Status::Disabled => panic!("a disabled rule ran"),
        }
        if returned {
            let (verdict, elapsed) = (Verdict::Success, Some(elapsed));
            self.settle(Some(&Origin { rule, verdict, elapsed, own_changed: false }), now);
        }
        let limit = self.rules[rule].runs.map(|runs| u32::from(runs.get()));
        if limit.is_some_and(|limit| self.states[rule].conclusive >= limit) {
            self.tell(Notice::RunsUsedUp { run });
            self.end(rule, EndReason::RunsUsedUp, now);
        }
    }
}

/// A timeout, `reset`, `closed` or status 408: the target may have waited for us.
fn waits_for_us(cause: &Cause) -> bool {
    let status_408 = matches!(cause, Cause::HttpStatus { seen: 408, .. });
    status_408
        || ["timeout-connect", "timeout-tls", "timeout-response", "reset", "closed"].contains(&cause.name())
}
