//! The second half of the model: what follows from a verdict.

use std::time::Duration;

use hfm::engine::{Change, EndReason, Notice, Output, Unguarded};
use hfm::health::State;
use hfm::rule::{Rule, RuleId, RunId, Status, Test};
use hfm::verdict::Verdict;

use crate::history::Told;
use crate::model::{MS, Model, Phase, Place, ns_of};
use crate::settle::Origin;

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
                let elapsed = Some(elapsed);
                self.settle(Some(&Origin { rule, verdict, elapsed, own_changed: true }), now);
            }
        }
    }

    /// `always-fail` and `always-success`: their command runs after every run.
    pub(crate) fn confirm(&mut self, rule: usize, verdict: Verdict, elapsed: Duration) {
        let own = self.own(rule);
        let in_place = self.in_place(rule).is_some();
        let state = &mut self.states[rule];
        if state.counted.state != own || in_place {
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

    pub(crate) fn end(&mut self, rule: usize, reason: EndReason, now: u64) {
        self.states[rule].phase = Phase::Over(reason);
        self.warn_of_guard(rule, Unguarded::Ended);
        self.settle(None, now);
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
        let verdict = Verdict::Success;
        self.settle(Some(&Origin { rule, verdict, elapsed: None, own_changed: true }), now);
        if before == self.interval(rule) {
            return;
        }
        match &mut self.states[rule].phase {
            Phase::Waiting { .. } => self.next_due(rule, Grid::New, now),
            Phase::Running(running) => running.grid = Grid::New,
            Phase::Asked { .. } | Phase::Suspended | Phase::Over(_) => {}
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

pub(crate) fn whole_ms(at: u64) -> u64 {
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
