//! Runs that an operator asks for: what a rule's test finds now, told to whoever asked.
//!
//! Where such a run fits in before the rule's next one, it is an *extra* run, which changes nothing: no state, no
//! count, no schedule. Where it does not, the next run on the schedule is the answer, and counts as ever.
//! Either begins after it was asked for: one under way may have begun before whatever the operator did.

use std::time::{Duration, Instant};

use super::state::{Phase, Running};
use super::{Engine, Event, Output, StartError};
use crate::now::Now;
use crate::rule::{RuleId, RunId, Test};
use crate::verdict::{LocalCause, Measured, Verdict};

/// What an extra run of a probe has to have at most. Its timeout is its interval unless something else is written: that
/// would have an operator wait for the next run, however far that is.
const PROBE_LIMIT_MAX: Duration = Duration::from_secs(1);
/// What one of a command has to have at most, and without timeouts.
const COMMAND_LIMIT_MAX: Duration = Duration::from_secs(10);

/// What has come of asking for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The rule.
    pub rule: RuleId,
    /// What the run found, or why there is none.
    pub found: Result<Found, Unanswered>,
}

/// What a run that was asked for found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run.
    pub run: RunId,
    /// What its test itself says, whatever the rule's `status` and `guard`; inconclusive for trouble of our own.
    pub verdict: Verdict,
    /// What its probe measured.
    pub measured: Measured,
    /// From start to end.
    pub elapsed: Duration,
    /// It was the rule's next run on its schedule, and counted as every run does.
    pub scheduled: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// A reload took the rule away, or made it another.
    Gone,
    /// Its test cannot be started; the `errno`.
    CannotStart(i32),
}

/// A run beside the schedule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extra {
    /// Asked for at `ready`, not yet known to run.
    Starting { ready: Instant },
    /// Its process runs, or its probe is under way.
    Running(Running),
}

impl Engine {
    /// Asks for a run of a rule: an [`Output::Answer`] comes of it. Those who ask before it starts get the same one.
    pub fn ask(&mut self, rule: RuleId, now: Now) {
        if self.stopped {
            return;
        }
        if self.rules[rule.index()].is_vacant() {
            self.answer(rule, Err(Unanswered::Gone));
            return;
        }
        self.states[rule.index()].asked = true;
        self.look_at_ask(rule, now);
        self.arm(rule);
        self.check_invariants();
    }

    /// Starts an extra run if one is wanted and fits in. Otherwise it is looked at again when something of the rule
    /// has changed, or its next run takes the question with it.
    pub(super) fn look_at_ask(&mut self, rule: RuleId, now: Now) {
        let state = &mut self.states[rule.index()];
        if !state.asked || state.in_flight() {
            return;
        }
        let fits = match state.phase {
            Phase::Waiting { due, .. } => {
                self.epoch.instant(due).saturating_duration_since(now.mono)
                    >= limit(&self.rules[rule.index()].test)
            }
            Phase::Suspended | Phase::Over(_) => true,
            Phase::Starting { .. } | Phase::Running(_) => false,
        };
        if fits {
            state.asked = false;
            state.count += 1;
            state.extra = Some(Box::new(Extra::Starting { ready: now.mono }));
            self.in_flight += 1;
            self.outputs.push_back(Output::StartTest { run: RunId { rule, run: state.count } });
        }
    }

    /// Something happened to an extra run.
    pub(super) fn on_extra(&mut self, rule: RuleId, extra: Extra, event: Event) {
        match (event, extra) {
            (Event::Started { at, .. }, Extra::Starting { ready }) => {
                let running = Running::new(&self.rules[rule.index()].test, at, ready);
                self.states[rule.index()].extra = Some(Box::new(Extra::Running(running)));
            }
            (Event::NotStarted { error, .. }, Extra::Starting { .. }) => {
                let found = not_started(error).map_err(Unanswered::CannotStart);
                self.end_extra(rule, found, Measured::default(), Duration::ZERO);
            }
            (Event::Signaled { run, signal }, _) => self.on_signaled(run, signal),
            (Event::Exited { at, ending, .. }, Extra::Running(running)) => {
                let found = self.found(rule, &running, at, ending);
                let elapsed = at.saturating_duration_since(running.started);
                self.end_extra(rule, Ok(found), Measured::default(), elapsed);
            }
            (Event::Concluded { at, verdict, measured, .. }, Extra::Running(running)) => {
                let found = self.found_by_probe(rule, &running, at, verdict);
                let elapsed = at.saturating_duration_since(running.started);
                self.end_extra(rule, Ok(found), measured, elapsed);
            }
            (Event::Started { .. } | Event::NotStarted { .. }, Extra::Running(_))
            | (Event::Exited { .. } | Event::Concluded { .. }, Extra::Starting { .. }) => {}
        }
    }

    /// The rule's next run is due: an extra one makes room for it, and leaves it the answer.
    pub(super) fn give_up_extra(&mut self, rule: RuleId) {
        let state = &mut self.states[rule.index()];
        if state.extra.take().is_some() {
            state.asked = true;
            self.in_flight -= 1;
            self.outputs.push_back(Output::Abandon { run: RunId { rule, run: state.count } });
        }
    }

    /// A run on the schedule has ended: tells what it found to whoever asked for it.
    pub(super) fn answer_scheduled(
        &mut self,
        rule: RuleId,
        found: Result<Verdict, Unanswered>,
        measured: Measured,
        elapsed: Duration,
    ) {
        let state = &mut self.states[rule.index()];
        if std::mem::take(&mut state.answers) {
            let run = RunId { rule, run: state.count };
            self.answer(
                rule,
                found.map(|verdict| Found { run, verdict, measured, elapsed, scheduled: true }),
            );
        }
    }

    fn end_extra(
        &mut self,
        rule: RuleId,
        found: Result<Verdict, Unanswered>,
        measured: Measured,
        elapsed: Duration,
    ) {
        let state = &mut self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        state.extra = None;
        self.in_flight -= 1;
        self.answer(rule, found.map(|verdict| Found { run, verdict, measured, elapsed, scheduled: false }));
    }

    pub(super) fn answer(&mut self, rule: RuleId, found: Result<Found, Unanswered>) {
        self.outputs.push_back(Output::Answer(Answer { rule, found }));
    }
}

/// The verdict of a run that could not be started; for a test that never can be, the `errno`.
pub(super) fn not_started(error: StartError) -> Result<Verdict, i32> {
    match error {
        StartError::Unusable(errno) => Err(errno),
        StartError::Descriptors => Ok(Verdict::Inconclusive(LocalCause::Descriptors)),
        StartError::Spawn(errno) => Ok(Verdict::Inconclusive(LocalCause::Spawn(errno))),
    }
}

/// How long an extra run has to have before the next one on the schedule. One that takes longer makes room.
fn limit(test: &Test) -> Duration {
    match test {
        Test::Command { timeout_int, timeout_kill, .. } => {
            let timeout = timeout_kill.or(*timeout_int);
            timeout.map_or(COMMAND_LIMIT_MAX, |timeout| timeout.min(COMMAND_LIMIT_MAX))
        }
        Test::Probe(probe) => probe.timeout.min(PROBE_LIMIT_MAX),
    }
}
