//! The second half of the model: what follows from a verdict.

use std::time::Duration;

use hfm::engine::{Change, EndReason, Notice, Output, Unguarded};
use hfm::health::State;
use hfm::rule::{Rule, RuleId, RunId, Status, Test};
use hfm::verdict::{Cause, Verdict};

use crate::history::Told;
use crate::model::{MS, Model, Phase, Place, ns_of};

/// The own change of state that a settling follows: the rule, why, and the run's time if one brought it.
pub(crate) type Origin = (usize, Verdict, Option<Duration>);

/// Whether the interval changed since the last start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grid {
    Same,
    New,
}

impl Model {
    /// A conclusive verdict counts.
    pub(crate) fn counted(
        &mut self,
        rule: usize,
        success: bool,
        verdict: Verdict,
        elapsed: Duration,
        now: u64,
    ) {
        let run = self.run(rule);
        match self.states[rule].history.add(success, now) {
            Told::Nothing => {}
            Told::Debounced { toward, remaining } => self.tell(Notice::Debounced { run, toward, remaining }),
            Told::Held { remaining } => {
                self.tell(Notice::Held { run, remaining: Duration::from_nanos(remaining) });
            }
            Told::Change(to) => {
                self.states[rule].history.change(to, now);
                self.settle(Some(&(rule, verdict, Some(elapsed))));
            }
        }
    }

    /// `always-fail` and `always-success`: their command runs after every run.
    pub(crate) fn confirm(&mut self, rule: usize, verdict: Verdict, elapsed: Duration) {
        let own = self.own(rule);
        let state = &mut self.states[rule];
        if state.effective != own {
            return;
        }
        let from = std::mem::replace(&mut state.announced, own);
        let streak = state.streak;
        let run = self.run(rule);
        let elapsed = Some(elapsed);
        self.wanted.push(Output::Change(Change {
            run,
            from,
            to: own,
            verdict,
            blame: None,
            streak,
            elapsed,
        }));
    }

    /// Works out every effective state anew and says what changed.
    pub(crate) fn settle(&mut self, origin: Option<&Origin>) {
        let mut known = vec![None; self.rules.len()];
        for rule in 0..self.rules.len() {
            self.work_out(rule, &mut known);
        }
        let before: Vec<State> = self.states.iter().map(|state| state.effective).collect();
        for (state, now) in self.states.iter_mut().zip(&known) {
            state.effective = now.expect("all were worked out");
        }
        for (rule, from) in before.into_iter().enumerate() {
            let own_change = origin.filter(|(of, ..)| *of == rule);
            self.say_change(rule, from, own_change);
        }
    }

    fn say_change(&mut self, rule: usize, from: State, own_change: Option<&Origin>) {
        let run = self.run(rule);
        let own = self.own(rule);
        let state = &self.states[rule];
        let (to, announced, streak) = (state.effective, state.announced, state.streak);
        if to == from {
            if own_change.is_some() {
                self.tell(Notice::OwnState { run, own, effective: to });
            }
            return;
        }
        let always = matches!(self.rules[rule].status, Status::AlwaysFail | Status::AlwaysSuccess);
        if always && to == own && announced == State::Unknown {
            return;
        }
        if to == State::Unknown || to == announced {
            self.tell(Notice::Effective { run, from, to });
            return;
        }
        let blame = if to == own { None } else { self.required_down(rule).min() };
        let (verdict, streak, elapsed) = match own_change {
            Some((_, verdict, elapsed)) if to == own => (verdict.clone(), streak, *elapsed),
            Some(_) | None if to == State::Success => (Verdict::Success, streak, None),
            Some(_) | None => (Verdict::Failure(Cause::Requires), streak, None),
        };
        self.states[rule].announced = to;
        let from = announced;
        self.wanted.push(Output::Change(Change { run, from, to, verdict, blame, streak, elapsed }));
    }

    fn work_out(&self, rule: usize, known: &mut [Option<State>]) -> State {
        if let Some(state) = known[rule] {
            return state;
        }
        if self.rules[rule].status == Status::Disabled {
            known[rule] = Some(State::Unknown);
            return State::Unknown;
        }
        let mut all = vec![self.own(rule)];
        for required in &self.rules[rule].requires {
            let required = required.index();
            let state = self.work_out(required, known);
            let over = matches!(self.states[required].phase, Phase::Over(_));
            if self.counts(required) && (state != State::Unknown || !over) {
                all.push(state);
            }
        }
        let state = [State::Fail, State::Unknown].into_iter().find(|state| all.contains(state));
        let state = state.unwrap_or(State::Success);
        known[rule] = Some(state);
        state
    }

    /// Whether others that require it take any notice of it.
    pub(crate) fn counts(&self, rule: usize) -> bool {
        self.rules[rule].status != Status::Disabled
    }

    pub(crate) fn end(&mut self, rule: usize, reason: EndReason) {
        self.states[rule].phase = Phase::Over(reason);
        self.warn_of_guard(rule, Unguarded::Ended);
        self.settle(None);
    }

    /// Waits for the run after the last, on the grid or on a new one; decided now.
    pub(crate) fn next_due(&mut self, rule: usize, grid: Grid, now: u64) {
        let interval = self.interval(rule);
        let state = &mut self.states[rule];
        let Some(place) = state.place else { return };
        let due = if grid == Grid::New {
            state.previous_end = now;
            anew(place, interval, now)
        } else if interval == 0 {
            state.previous_end
        } else {
            place.slot + interval
        };
        state.phase = Phase::Waiting { due };
    }

    /// The hold-down is over, no run needed.
    pub(crate) fn recovered(&mut self, rule: usize, now: u64) {
        let before = self.interval(rule);
        self.states[rule].history.change(State::Success, now);
        self.settle(Some(&(rule, Verdict::Success, None)));
        if before == self.interval(rule) {
            return;
        }
        match &mut self.states[rule].phase {
            Phase::Waiting { .. } => self.next_due(rule, Grid::New, now),
            Phase::Running(running) => running.grid = Grid::New,
            Phase::Asked { .. } | Phase::Over(_) => {}
        }
    }

    pub(crate) fn interval(&self, rule: usize) -> u64 {
        let settings = &self.rules[rule];
        let by_state = if self.own(rule) == State::Fail { settings.interval_fail } else { settings.interval };
        let history = &self.states[rule].history;
        let debounces = |_: &Duration| settings.status == Status::Enabled && history.counts_towards_change();
        ns_of(settings.interval_debounce.filter(debounces).unwrap_or(by_state))
    }

    pub(crate) fn stale_at(&self, rule: usize) -> u64 {
        self.states[rule].fresh_since + (10 * self.interval(rule)).max(30_000 * MS)
    }

    pub(crate) fn warn_of_guard(&mut self, rule: usize, why: Unguarded) {
        let id = id(rule);
        if self.rules.iter().any(|other| other.guard.contains(&id)) {
            self.tell(Notice::Unguarded { rule: id, why });
        }
    }

    pub(crate) fn run(&self, rule: usize) -> RunId {
        RunId { rule: id(rule), run: self.states[rule].number }
    }

    pub(crate) fn tell(&mut self, notice: Notice) {
        self.wanted.push(Output::Notice(notice));
    }
}

/// The first due of a grid with another interval.
pub(crate) fn anew(last: Place, interval: u64, now: u64) -> u64 {
    let due = whole_ms(last.start).max(last.slot) + interval;
    match interval {
        0 => now,
        _ if due < now => whole_ms(now),
        _ => due,
    }
}

fn whole_ms(at: u64) -> u64 {
    at - at % MS
}

pub(crate) fn limits(rule: &Rule) -> (Option<u64>, Option<u64>) {
    match &rule.test {
        Test::Command { timeout_int, timeout_kill, .. } => (timeout_int.map(ns_of), timeout_kill.map(ns_of)),
        Test::Probe(_) => (None, None),
    }
}

/// The timeout of a native rule.
pub(crate) fn probe_timeout(rule: &Rule) -> Option<u64> {
    match &rule.test {
        Test::Command { .. } => None,
        Test::Probe(probe) => Some(ns_of(probe.timeout)),
    }
}

pub(crate) fn id(rule: usize) -> RuleId {
    RuleId(u32::try_from(rule).expect("a dozen rules"))
}
