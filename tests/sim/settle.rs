//! The part of the model that works out what rules count as: all of them anew, whenever anything changed.

use std::time::Duration;

use hfm::engine::{Change, Notice, Output, Unguarded};
use hfm::health::State;
use hfm::rule::{RuleId, Status};
use hfm::standing::Override;
use hfm::verdict::{Cause, Verdict};

use crate::effects::whole_ms;
use crate::model::{Model, Phase, ns_of};

/// The verdict that a settling follows.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) rule: usize,
    pub(crate) verdict: Verdict,
    /// The run's time, if one brought it.
    pub(crate) elapsed: Option<Duration>,
    pub(crate) own_changed: bool,
}

/// What a rule counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) state: State,
    /// It is down, and that is not only because somebody was drained.
    pub(crate) for_real: bool,
}

/// What an operator had set is over, and what there had been by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Released {
    from: Override,
    successes: u64,
    changes_to_failed: usize,
}

impl Model {
    /// What is set of a rule, or nothing.
    pub(crate) fn set(&mut self, rule: usize, set: Option<(Override, Option<u64>)>, now: u64) {
        let kind = set.map(|(kind, _)| kind);
        let before = self.states[rule].set.map(|(kind, _)| kind);
        if kind == before {
            self.states[rule].set = set;
            return;
        }
        if kind == Some(Override::Disabled) {
            self.states[rule].frozen = Some((self.because(rule), self.to_blame(rule)));
        }
        let released = self.release(rule, now).filter(|_| kind.is_none());
        self.states[rule].set = set;
        self.states[rule].released = released;
        let state = &mut self.states[rule];
        match (before, kind, state.phase) {
            (_, _, Phase::Over(_)) => {}
            (_, Some(Override::Disabled), phase) => {
                state.phase = Phase::Suspended;
                state.stale = false;
                state.place = None;
                if matches!(phase, Phase::Asked { .. } | Phase::Running(_)) {
                    let run = self.run(rule);
                    self.wanted.push(Output::Abandon { run });
                }
                self.warn_of_guard(rule, Unguarded::Disabled);
            }
            (Some(Override::Disabled), ..) => {
                state.history.begin_row();
                state.phase = Phase::Waiting { due: whole_ms(now) };
                state.previous_end = now;
                state.fresh_since = now;
            }
            _ => {}
        }
        self.settle(None, now);
    }

    /// How a rule comes back if what is set of it ends now: down until it succeeds, or not.
    fn release(&self, rule: usize, now: u64) -> Option<Released> {
        let state = &self.states[rule];
        let (from, _) = state.set.filter(|(kind, _)| match kind {
            Override::Drained | Override::AlwaysFail => true,
            Override::Disabled => state.counted.state == State::Fail,
            Override::AlwaysSuccess => false,
        })?;
        let settings = &self.rules[rule];
        let own = self.own(rule);
        let interval = if own == State::Fail { settings.interval_fail } else { settings.interval };
        let is_recent = |at: u64| now - at <= ns_of(interval);
        let is_up = state.last == Some(Verdict::Success) && state.last_success.is_some_and(is_recent);
        let stays = !is_up && own != State::Fail && !matches!(state.phase, Phase::Over(_));
        stays.then_some(Released {
            from,
            successes: state.successes,
            changes_to_failed: state.history.changes_to_failed(),
        })
    }

    /// What was set of a rule that has not come back from it.
    pub(crate) fn returning(&self, rule: usize) -> Option<Override> {
        let state = &self.states[rule];
        let released = state.released?;
        let is_as_then = state.successes == released.successes
            && state.history.changes_to_failed() == released.changes_to_failed
            && !matches!(state.phase, Phase::Over(_));
        is_as_then.then_some(released.from)
    }

    /// What takes the place of a rule's own word and those of the rules it requires.
    pub(crate) fn in_place(&self, rule: usize) -> Option<Override> {
        self.states[rule].set.map(|(kind, _)| kind).or(self.returning(rule))
    }

    /// Works out every effective state anew and says what changed.
    pub(crate) fn settle(&mut self, origin: Option<&Origin>, now: u64) {
        let mut known = vec![None; self.rules.len()];
        for rule in 0..self.rules.len() {
            self.work_out(rule, &mut known);
        }
        let before: Vec<State> = self.states.iter().map(|state| state.counted.state).collect();
        for (state, counted) in self.states.iter_mut().zip(&known) {
            let counted = counted.expect("all were worked out");
            if counted.state != state.counted.state {
                state.effective_since = Some(now);
            }
            state.counted = counted;
        }
        for (rule, from) in before.into_iter().enumerate() {
            let origin = origin.filter(|origin| origin.rule == rule);
            self.say_change(rule, from, origin);
        }
    }

    fn say_change(&mut self, rule: usize, from: State, origin: Option<&Origin>) {
        let run = self.run(rule);
        let own = self.own(rule);
        let (to, announced) = (self.states[rule].counted.state, self.states[rule].announced);
        if to == from && origin.is_some_and(|origin| origin.own_changed) {
            self.tell(Notice::OwnState { run, own, effective: to });
        }
        if to == State::Unknown || to == announced {
            if to != from {
                self.tell(Notice::Effective { run, from, to });
            }
            return;
        }
        let always = matches!(self.rules[rule].status, Status::AlwaysFail | Status::AlwaysSuccess);
        match self.in_place(rule) {
            // Told by the first that does not come from its status.
            Some(Override::Drained | Override::AlwaysFail | Override::AlwaysSuccess) => {}
            Some(Override::Disabled) | None if to == from => return,
            Some(Override::Disabled) | None if always && to == own && announced == State::Unknown => return,
            Some(Override::Disabled) | None => {}
        }
        let by_own = origin.filter(|_| to == own && self.in_place(rule).is_none());
        let verdict = match by_own {
            Some(origin) if to == State::Fail => origin.verdict.clone(),
            Some(_) | None => self.because(rule).expect("what is unknown is not announced"),
        };
        let to_blame = self.to_blame(rule);
        let blame = to_blame.first().copied();
        self.blamed.push((run, blame, to_blame));
        let streak = self.states[rule].streak;
        let elapsed = origin.and_then(|origin| origin.elapsed);
        self.states[rule].announced = to;
        let from = announced;
        self.wanted.push(Output::Change(Change { run, from, to, verdict, blame, streak, elapsed }));
    }

    /// Why a rule counts as what it does; `None` while that is unknown.
    pub(crate) fn because(&self, rule: usize) -> Option<Verdict> {
        let state = &self.states[rule];
        let cause = match (state.counted.state, self.in_place(rule)) {
            (State::Unknown, _) => return None,
            (State::Success, _) => return Some(Verdict::Success),
            (State::Fail, Some(Override::Drained)) => Cause::Drained,
            (State::Fail, Some(Override::AlwaysFail)) => Cause::AlwaysFail,
            (State::Fail, Some(Override::Disabled)) => return state.frozen.clone().and_then(|(why, _)| why),
            (State::Fail, Some(Override::AlwaysSuccess)) => panic!("set to be up, and down"),
            (State::Fail, None) if self.rules[rule].status == Status::AlwaysFail => Cause::AlwaysFail,
            (State::Fail, None) if self.own(rule) == State::Fail => {
                state.last_failure.clone().expect("it has failed")
            }
            (State::Fail, None) => Cause::Requires,
        };
        Some(Verdict::Failure(cause))
    }

    /// The required rules any of which may be blamed: those that are down for real, if there are any.
    pub(crate) fn to_blame(&self, rule: usize) -> Vec<RuleId> {
        let state = &self.states[rule];
        match self.in_place(rule) {
            Some(Override::Disabled) => return state.frozen.clone().map_or(Vec::new(), |(_, blame)| blame),
            Some(_) => return Vec::new(),
            None => {}
        }
        if state.counted.state != State::Fail || self.own(rule) == State::Fail {
            return Vec::new();
        }
        let of = |id: &RuleId| self.states[id.index()].counted;
        let down = self.rules[rule].requires.iter().filter(|id| of(id).state == State::Fail);
        let down: Vec<RuleId> = down.copied().collect();
        let real: Vec<RuleId> = down.iter().copied().filter(|id| of(id).for_real).collect();
        if real.is_empty() { down } else { real }
    }

    fn work_out(&self, rule: usize, known: &mut [Option<Counted>]) -> Counted {
        if let Some(counted) = known[rule] {
            return counted;
        }
        let down = |for_real| Counted { state: State::Fail, for_real };
        let counted = match self.in_place(rule) {
            Some(Override::Disabled) => self.states[rule].counted,
            Some(Override::Drained) => down(false),
            Some(Override::AlwaysFail) => down(true),
            Some(Override::AlwaysSuccess) => Counted { state: State::Success, for_real: false },
            None if self.rules[rule].status == Status::Disabled => Counted::default(),
            None => self.with_required(rule, known),
        };
        known[rule] = Some(counted);
        counted
    }

    fn with_required(&self, rule: usize, known: &mut [Option<Counted>]) -> Counted {
        let own = self.own(rule);
        let mut all = vec![Counted { state: own, for_real: own == State::Fail }];
        for required in &self.rules[rule].requires {
            let required = required.index();
            let counted = self.work_out(required, known);
            let runs = !matches!(self.states[required].phase, Phase::Over(_) | Phase::Suspended);
            if counted.state != State::Unknown || runs {
                all.push(counted);
            }
        }
        let any = |state: &State| all.iter().any(|counted| counted.state == *state);
        let state = [State::Fail, State::Unknown].into_iter().find(any).unwrap_or(State::Success);
        Counted { state, for_real: all.iter().any(|counted| counted.for_real) }
    }
}
