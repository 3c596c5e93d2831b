//! The part of the model that knows of runs that were asked for.
//!
//! Questions and beginnings of runs lie on one line: a run answers every question before its beginning, when it ends.

use std::time::Duration;

use hfm::engine::{Answer, Event, Found, Notice, Output, StartError, Unanswered};
use hfm::rule::Test;
use hfm::verdict::{LocalCause, Measured, Verdict};

use crate::effects::{Grid, id, limits, probe_timeout};
use crate::model::{Model, Phase, Running, ns_of};

const PROBE_LIMIT_MAX: u64 = 1_000_000_000;
const COMMAND_LIMIT_MAX: u64 = 10_000_000_000;

/// A run beside the schedule, which could have started at a moment, and perhaps has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub(crate) could: u64,
    pub(crate) running: Option<Running>,
}

impl Model {
    /// Somebody asks for a run.
    pub(crate) fn ask(&mut self, rule: usize, now: u64) {
        let at = self.tick();
        self.states[rule].questions.push(at);
        self.look_at_questions(rule, now);
    }

    /// The next place on the line.
    pub(crate) fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// A run is asked for as soon as there is room for it.
    pub(crate) fn look_at_questions(&mut self, rule: usize, now: u64) {
        let state = &self.states[rule];
        if state.questions.is_empty() || state.beside.is_some() {
            return;
        }
        let (timeout, most) = match &self.rules[rule].test {
            Test::Probe(probe) => (Some(probe.timeout), PROBE_LIMIT_MAX),
            Test::Command { timeout_int, timeout_kill, .. } => {
                (timeout_kill.or(*timeout_int), COMMAND_LIMIT_MAX)
            }
        };
        let longest = timeout.map_or(most, |timeout| ns_of(timeout).min(most));
        let has_room = match state.phase {
            Phase::Asked { .. } | Phase::Running(_) => false,
            Phase::Waiting { due } => due.saturating_sub(now) >= longest,
            Phase::Suspended | Phase::Over(_) => true,
        };
        if has_room {
            let began = self.tick();
            let state = &mut self.states[rule];
            state.number += 1;
            state.began = began;
            state.beside = Some(Beside { could: now, running: None });
            let run = self.run(rule);
            self.wanted.push(Output::StartTest { run });
        }
    }

    /// An event of the run beside the schedule.
    pub(crate) fn beside(&mut self, rule: usize, beside: Beside, event: &Event) {
        match (event, beside.running) {
            (Event::Started { at, .. }, None) => {
                let start = self.ns(*at);
                let (int, kill) = limits(&self.rules[rule]);
                let running = Running {
                    start,
                    could: beside.could,
                    interrupt: int.map(|after| start + after),
                    kill: kill.map(|after| start + after),
                    struck: None,
                    expired: false,
                    grid: Grid::Same,
                };
                self.states[rule].beside = Some(Beside { running: Some(running), ..beside });
            }
            (Event::NotStarted { error, .. }, None) => self.beside_ended(rule, could_not_start(*error)),
            (Event::Signaled { run, signal }, Some(mut running)) => {
                running.struck = running.struck.max(Some(*signal));
                self.states[rule].beside = Some(Beside { running: Some(running), ..beside });
                self.tell(Notice::Signaled { run: *run, signal: *signal });
            }
            (Event::Exited { at, ending, .. }, Some(running)) => {
                let end = self.ns(*at);
                let verdict = self.found(rule, running, end, *ending);
                self.beside_ended(rule, Ok((verdict, Measured::default(), end - running.start)));
            }
            (Event::Concluded { at, verdict, measured, .. }, Some(running)) => {
                let elapsed = self.ns(*at) - running.start;
                let verdict = self.found_by_probe(rule, running, verdict, elapsed);
                self.beside_ended(rule, Ok((verdict, *measured, elapsed)));
            }
            _ => panic!("the world says {event:?} of a run that is {beside:?}"),
        }
    }

    fn beside_ended(&mut self, rule: usize, found: Result<(Verdict, Measured, u64), Unanswered>) {
        self.states[rule].beside = None;
        self.answer(rule, found, false);
    }

    /// The rule's present run has ended: so have the questions before its beginning.
    pub(crate) fn answer(
        &mut self,
        rule: usize,
        found: Result<(Verdict, Measured, u64), Unanswered>,
        scheduled: bool,
    ) {
        let run = self.run(rule);
        let state = &mut self.states[rule];
        let (began, before) = (state.began, state.questions.len());
        state.questions.retain(|asked| *asked > began);
        if state.questions.len() < before {
            let found = found.map(|(verdict, measured, elapsed)| {
                let elapsed = Duration::from_nanos(elapsed);
                Found { run, verdict, measured, elapsed, scheduled }
            });
            self.wanted.push(Output::Answer(Answer { rule: id(rule), found }));
        }
    }

    /// When the probe beside the schedule has to end.
    pub(crate) fn deadline_beside(&self, rule: usize) -> Option<u64> {
        let running = self.states[rule].beside?.running.filter(|running| !running.expired)?;
        Some(running.start + probe_timeout(&self.rules[rule])?)
    }
}

pub(crate) fn could_not_start(error: StartError) -> Result<(Verdict, Measured, u64), Unanswered> {
    let cause = match error {
        StartError::Unusable(errno) => return Err(Unanswered::CannotStart(errno)),
        StartError::Descriptors => LocalCause::Descriptors,
        StartError::Spawn(errno) => LocalCause::Spawn(errno),
    };
    Ok((Verdict::Inconclusive(cause), Measured::default(), 0))
}
