//! What the engine must do, said a second time from the texts and in another way.
//!
//! The model sees only the rules, what was put into the engine and when, and what came out. It keeps
//! histories and derives states from them, where the engine keeps counts; it works out every effective
//! state anew, where the engine follows edges. Times are nanoseconds since the start.

use std::time::{Duration, Instant};

use hfm::engine::{EndReason, Event, Notice, Output, StartError, StopSignal, Unguarded};
use hfm::health::State;
use hfm::rule::{Rule, RuleId, RunId, Status};
use hfm::standing::Override;
use hfm::verdict::{Cause, Ending, LocalCause, Measured, Verdict};

use crate::asked::{Beside, could_not_start};
use crate::effects::{Grid, anew, id, limits, probe_timeout};
use crate::history::History;
use crate::judge::{Ended, Stalls};
use crate::settle::{Counted, Released};

pub(crate) const MS: u64 = 1_000_000;
const FAILED_START_PAUSE: u64 = 100 * MS;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    Waiting {
        due: u64,
    },
    Asked {
        due: u64,
    },
    Running(Running),
    /// Disabled by an operator.
    Suspended,
    Over(EndReason),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) start: u64,
    /// The moment at which it could have started.
    pub(crate) could: u64,
    pub(crate) interrupt: Option<u64>,
    pub(crate) kill: Option<u64>,
    pub(crate) struck: Option<StopSignal>,
    /// The engine was told that its deadline has come.
    pub(crate) expired: bool,
    pub(crate) grid: Grid,
}

/// The last run's place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slot: u64,
    pub(crate) start: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct RuleModel {
    pub(crate) phase: Phase,
    pub(crate) number: u64,
    pub(crate) missed: u64,
    pub(crate) history: History,
    pub(crate) counted: Counted,
    pub(crate) effective_since: Option<u64>,
    pub(crate) announced: State,
    pub(crate) last: Option<Verdict>,
    /// Until when, as far as is known, its last verdict was no success: up to the next one.
    pub(crate) unwell_at: Option<u64>,
    pub(crate) last_failure: Option<Cause>,
    pub(crate) last_success: Option<u64>,
    /// Runs on the schedule, and what they found.
    pub(crate) started: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) inconclusive: u64,
    /// How long conclusive ones took.
    pub(crate) took: Vec<Duration>,
    /// What an operator has set, and until when.
    pub(crate) set: Option<(Override, Option<u64>)>,
    pub(crate) released: Option<Released>,
    /// Why it counts as what it does since it was disabled, and who may be blamed.
    pub(crate) frozen: Option<(Option<Verdict>, Vec<RuleId>)>,
    /// Places on the line of those that have no answer yet.
    pub(crate) questions: Vec<u64>,
    /// Where the present run began on the line.
    pub(crate) began: u64,
    pub(crate) beside: Option<Beside>,
    pub(crate) stale: bool,
    pub(crate) conclusive: u32,
    pub(crate) streak: u32,
    pub(crate) fresh_since: u64,
    pub(crate) previous_end: u64,
    pub(crate) place: Option<Place>,
    pub(crate) unreported: u64,
    pub(crate) reported_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) runs: u64,
    pub(crate) failures: u64,
    pub(crate) inconclusive: u64,
    pub(crate) missed: u64,
    pub(crate) behind: u64,
    pub(crate) slots: u64,
    pub(crate) lateness_max: u64,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) rules: Vec<Rule>,
    pub(crate) base: Instant,
    pub(crate) states: Vec<RuleModel>,
    /// What the engine must have put out by the end of this turn.
    pub(crate) wanted: Vec<Output>,
    /// For each change of this turn who is blamed, and who else may be.
    pub(crate) blamed: Vec<(RunId, Option<RuleId>, Vec<RuleId>)>,
    /// Inconclusive runs of this turn and when they ended, which may or may not be told.
    pub(crate) inconclusive: Vec<(RunId, Verdict, u64)>,
    pub(crate) totals: Totals,
    pub(crate) stalls: Stalls,
    /// Questions and beginnings of runs so far.
    pub(crate) ticks: u64,
}

impl Model {
    /// `first_dues` are taken from the engine for rules that spread, and judged elsewhere.
    pub(crate) fn new(rules: &[Rule], base: Instant, first_dues: &[u64]) -> Self {
        let states = rules.iter().zip(first_dues).map(|(rule, due)| RuleModel {
            phase: match rule.status {
                Status::Disabled => Phase::Over(EndReason::Disabled),
                Status::Enabled | Status::AlwaysFail | Status::AlwaysSuccess => Phase::Waiting { due: *due },
            },
            number: 0,
            missed: 0,
            history: History::new(rule.health),
            counted: Counted::default(),
            effective_since: None,
            announced: State::Unknown,
            last: None,
            unwell_at: None,
            last_failure: None,
            last_success: None,
            started: 0,
            successes: 0,
            failures: 0,
            inconclusive: 0,
            took: Vec::new(),
            set: None,
            released: None,
            frozen: None,
            questions: Vec::new(),
            began: 0,
            beside: None,
            stale: false,
            conclusive: 0,
            streak: 0,
            fresh_since: *due,
            previous_end: *due,
            place: None,
            unreported: 0,
            reported_at: None,
        });
        let mut model = Self {
            states: states.collect(),
            rules: rules.to_vec(),
            base,
            wanted: Vec::new(),
            blamed: Vec::new(),
            inconclusive: Vec::new(),
            totals: Totals::default(),
            stalls: Stalls::default(),
            ticks: 0,
        };
        for (rule, settings) in rules.iter().enumerate() {
            if settings.status == Status::Disabled {
                model.warn_of_guard(rule, Unguarded::Disabled);
            }
        }
        model.settle(None, 0);
        model
    }

    /// An event was handed to the engine.
    pub(crate) fn event(&mut self, event: &Event, now: Instant) {
        let now = self.ns(now);
        let run = event.run();
        let rule = run.rule.index();
        let Some(state) = self.states.get(rule) else { return };
        if state.number != run.run || run.run == 0 {
            return;
        }
        if let Some(beside) = state.beside {
            self.beside(rule, beside, event);
            self.look_at_questions(rule, now);
            return;
        }
        match (event, state.phase) {
            (_, Phase::Over(_) | Phase::Suspended | Phase::Waiting { .. }) => return,
            (Event::Started { at, .. }, Phase::Asked { due }) => self.started(rule, due, self.ns(*at)),
            (Event::NotStarted { error, .. }, Phase::Asked { due }) => {
                self.not_started(rule, due, *error, now);
            }
            (Event::Signaled { signal, .. }, Phase::Running(mut running)) => {
                running.struck = running.struck.max(Some(*signal));
                self.states[rule].phase = Phase::Running(running);
                self.tell(Notice::Signaled { run, signal: *signal });
            }
            (Event::Exited { at, ending, .. }, Phase::Running(running)) => {
                self.exited(rule, running, self.ns(*at), *ending, now);
            }
            (Event::Concluded { at, verdict, measured, .. }, Phase::Running(running)) => {
                let elapsed = self.ns(*at) - running.start;
                self.concluded(rule, running, (verdict, *measured, elapsed), now);
            }
            (Event::Started { .. } | Event::NotStarted { .. }, Phase::Running(_))
            | (
                Event::Signaled { .. } | Event::Exited { .. } | Event::Concluded { .. },
                Phase::Asked { .. },
            ) => {
                panic!("the world says {event:?} of a run that is {:?}", self.states[rule].phase)
            }
        }
        self.look_at_questions(rule, now);
    }

    /// The engine was asked to begin what is due: what has no run under way that may have an answer.
    pub(crate) fn begin(&mut self, now: Instant) {
        let now = self.ns(now);
        self.time_has_come(now, |state| {
            matches!(state.phase, Phase::Waiting { due } if due <= now) && state.beside.is_none()
        });
    }

    /// The engine was asked to do what is due.
    pub(crate) fn timeout(&mut self, now: Instant) {
        self.time_has_come(self.ns(now), |_| true);
    }

    fn time_has_come(&mut self, now: u64, is_meant: impl Fn(&RuleModel) -> bool) {
        let wakes = (0..self.rules.len()).filter_map(|rule| Some((self.wake_of(rule)?, rule)));
        let mut due: Vec<(u64, usize)> = wakes.filter(|(at, _)| *at <= now).collect();
        due.sort_unstable();
        for (_, rule) in due {
            if !is_meant(&self.states[rule]) {
                continue;
            }
            if self.states[rule].set.and_then(|(_, until)| until).is_some_and(|until| until <= now) {
                self.wanted.push(Output::OverrideEnded { rule: id(rule) });
                self.set(rule, None, now);
            }
            if let Phase::Waiting { due } = self.states[rule].phase
                && due <= now
            {
                self.start(rule, due);
            }
            let expires = self.deadline(rule).or(self.deadline_beside(rule)).is_some_and(|at| at <= now);
            let state = &mut self.states[rule];
            let beside = state.beside.as_mut().and_then(|beside| beside.running.as_mut());
            match (beside, &mut state.phase) {
                (Some(running), _) | (None, Phase::Running(running)) => {
                    let kill = running.kill.take_if(|at| *at <= now);
                    let interrupt = running.interrupt.take_if(|at| *at <= now);
                    running.expired |= expires;
                    let run = self.run(rule);
                    for signal in interrupt
                        .map(|_| StopSignal::Interrupt)
                        .into_iter()
                        .chain(kill.map(|_| StopSignal::Kill))
                    {
                        self.wanted.push(Output::Signal { run, signal });
                    }
                    if expires {
                        self.wanted.push(Output::Expire { run });
                    }
                }
                (None, Phase::Waiting { .. } | Phase::Asked { .. } | Phase::Suspended | Phase::Over(_)) => {}
            }
            if !matches!(self.states[rule].phase, Phase::Suspended | Phase::Over(_)) {
                self.wait_and_see(rule, now);
            }
            self.look_at_questions(rule, now);
        }
    }

    /// The next run on the schedule is due; one beside it has to make room.
    fn start(&mut self, rule: usize, due: u64) {
        if self.states[rule].beside.take().is_some() {
            let run = self.run(rule);
            self.wanted.push(Output::Abandon { run });
        }
        let began = self.tick();
        let state = &mut self.states[rule];
        state.number += 1;
        state.started += 1;
        state.began = began;
        state.phase = Phase::Asked { due };
        let run = self.run(rule);
        self.wanted.push(Output::StartTest { run });
    }

    /// What comes of time alone.
    fn wait_and_see(&mut self, rule: usize, now: u64) {
        if self.states[rule].history.held_to(now) {
            self.recovered(rule, now);
        }
        if !self.states[rule].stale && self.stale_at(rule) <= now {
            self.states[rule].stale = true;
            let age = Duration::from_nanos(now - self.states[rule].fresh_since);
            self.tell(Notice::Stale { run: self.run(rule), age });
            self.warn_of_guard(rule, Unguarded::Stale);
        }
    }

    /// The latest moment at which the engine must ask to be called again.
    pub(crate) fn wakes_at(&self) -> Option<u64> {
        (0..self.rules.len()).filter_map(|rule| self.wake_of(rule)).min()
    }

    fn wake_of(&self, rule: usize) -> Option<u64> {
        let state = &self.states[rule];
        let running = state.beside.and_then(|beside| beside.running);
        let limits = running.into_iter().flat_map(|run| run.interrupt.into_iter().chain(run.kill));
        let until = state.set.and_then(|(_, until)| until);
        let beside = limits.chain(self.deadline_beside(rule)).chain(until).min();
        let phase = match state.phase {
            Phase::Suspended | Phase::Over(_) => return beside,
            Phase::Waiting { due } => Some(due),
            Phase::Asked { .. } => None,
            Phase::Running(running) => {
                running.interrupt.into_iter().chain(running.kill).chain(self.deadline(rule)).min()
            }
        };
        let stale = (!state.stale).then(|| self.stale_at(rule));
        phase.into_iter().chain(stale).chain(state.history.wakes_at()).chain(beside).min()
    }

    /// When a probe under way has to end: by its timeout, and by the next due of its grid.
    fn deadline(&self, rule: usize) -> Option<u64> {
        let (state, timeout) = (&self.states[rule], probe_timeout(&self.rules[rule])?);
        let (Phase::Running(run), Some(place)) = (state.phase, state.place) else { return None };
        let interval = self.interval(rule);
        let next_due = match run.grid {
            Grid::Same => place.slot + interval,
            Grid::New => anew(place, interval, 0),
        };
        (!run.expired).then_some(next_due.min(run.start + timeout))
    }

    pub(crate) fn own(&self, rule: usize) -> State {
        match self.rules[rule].status {
            Status::AlwaysFail => State::Fail,
            Status::AlwaysSuccess => State::Success,
            Status::Disabled => State::Unknown,
            Status::Enabled => self.states[rule].history.state(),
        }
    }

    pub(crate) fn ns(&self, at: Instant) -> u64 {
        ns_of(at.checked_duration_since(self.base).expect("nothing is before the start"))
    }

    fn started(&mut self, rule: usize, due: u64, at: u64) {
        let (int, kill) = limits(&self.rules[rule]);
        let slot = self.take_slot(rule, due, at);
        let late = at - due;
        self.totals.slots += 1 + late.checked_div(self.interval(rule)).unwrap_or(0);
        self.totals.lateness_max = self.totals.lateness_max.max(late);
        self.states[rule].place = Some(Place { slot, start: at });
        let could = due.max(self.states[rule].previous_end);
        self.states[rule].phase = Phase::Running(Running {
            start: at,
            could,
            interrupt: int.map(|after| at + after),
            kill: kill.map(|after| at + after),
            struck: None,
            expired: false,
            grid: Grid::Same,
        });
    }

    fn not_started(&mut self, rule: usize, due: u64, error: StartError, now: u64) {
        self.answer(rule, could_not_start(error), true);
        let cause = match error {
            StartError::Unusable(errno) => {
                self.tell(Notice::CannotStart { run: self.run(rule), errno });
                self.end(rule, EndReason::CannotStart(errno), now);
                return;
            }
            StartError::Descriptors => LocalCause::Descriptors,
            StartError::Spawn(errno) => LocalCause::Spawn(errno),
        };
        let slot = self.take_slot(rule, due, now);
        self.judged(rule, Ended::never_started(cause), now);
        let interval = self.interval(rule);
        let due = if interval == 0 { now + FAILED_START_PAUSE } else { slot + interval };
        self.states[rule].previous_end = now;
        self.states[rule].phase = Phase::Waiting { due };
    }

    /// Finds the slot of a run that starts, and counts those before it.
    fn take_slot(&mut self, rule: usize, due: u64, start: u64) -> u64 {
        let interval = self.interval(rule);
        let late = start - due;
        let later = late.checked_div(interval).unwrap_or(0);
        self.states[rule].missed += later;
        self.totals.missed += later;
        let could = due.max(self.states[rule].previous_end);
        self.totals.behind += (start - could).checked_div(interval).unwrap_or(0);
        due + later * interval
    }

    fn exited(&mut self, rule: usize, run: Running, end: u64, ending: Ending, now: u64) {
        let found = self.found(rule, run, end, ending);
        self.answer(rule, Ok((found.clone(), Measured::default(), end - run.start)), true);
        let verdict = self.as_counted(rule, run.start, &Verdict::Success, found);
        self.ended(rule, run, Ended::of_process(verdict, ending, end - run.start), end, now);
    }

    fn concluded(&mut self, rule: usize, run: Running, said: (&Verdict, Measured, u64), now: u64) {
        let (said, measured, elapsed) = said;
        let found = self.found_by_probe(rule, run, said, elapsed);
        self.answer(rule, Ok((found.clone(), measured, elapsed)), true);
        let ended = Ended::of_probe(self.as_counted(rule, run.start, said, found), measured, elapsed);
        // It had to be over by the next due: if it was not, nobody but us kept the next from starting.
        self.ended(rule, run, ended, run.start, now);
    }

    fn ended(&mut self, rule: usize, run: Running, ended: Ended, free_since: u64, now: u64) {
        let before = self.interval(rule);
        self.judged(rule, ended, now);
        if !matches!(self.states[rule].phase, Phase::Over(_)) {
            self.states[rule].previous_end = free_since;
            let grid = if before == self.interval(rule) { run.grid } else { Grid::New };
            self.next_due(rule, grid, now);
        }
    }
}

pub(crate) fn ns_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("a history is minutes long")
}
