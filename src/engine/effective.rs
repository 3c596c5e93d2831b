//! The effective state: a rule's own together with those of the rules it requires, unless an operator has set one.

use std::time::Duration;

use super::{Change, Engine, Notice, Output};
use crate::health::State;
use crate::now::Now;
use crate::rule::{RuleId, RunId, Status};
use crate::standing::Override;
use crate::verdict::{Cause, Verdict};

/// A rule's effective state, and where it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effective {
    pub(super) state: State,
    /// It is down on purpose: drained, or only because rules that it requires are.
    pub(super) drained: bool,
    pub(super) why: Why,
}

/// What makes an effective state what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Why {
    /// The rule's own state.
    #[default]
    Own,
    /// This one, which it requires, is down.
    Requires(RuleId),
    /// What an operator has set, or had set and the rule has not come back from.
    Set(Override),
}

impl Why {
    /// The required rule that is to blame.
    pub(super) fn blame(self) -> Option<RuleId> {
        match self {
            Self::Requires(rule) => Some(rule),
            Self::Own | Self::Set(_) => None,
        }
    }
}

/// What brought a rule to be looked at: the run that just ended and its verdict.
#[derive(Clone, Debug)]
pub(super) struct Occasion {
    pub(super) verdict: Verdict,
    pub(super) elapsed: Option<Duration>,
}

impl Engine {
    /// The state by the rule's own verdicts, or by its status.
    pub(super) fn own_state(&self, rule: RuleId) -> State {
        match self.rules[rule.index()].status {
            Status::AlwaysFail => State::Fail,
            Status::AlwaysSuccess => State::Success,
            Status::Disabled => State::Unknown,
            Status::Enabled => self.states[rule.index()].health.state(),
        }
    }

    /// Brings the effective state of a rule, and of all that require it, in line with the own states, and
    /// tells what changed. Rules form no cycle, so this ends.
    pub(super) fn settle(&mut self, rule: RuleId, occasion: Option<Occasion>, now: Now) {
        if !self.settle_one(rule, occasion, now) {
            return;
        }
        let mut pending: Vec<RuleId> = self.dependents[rule].iter().rev().copied().collect();
        while let Some(rule) = pending.pop() {
            if self.settle_one(rule, None, now) {
                pending.extend(self.dependents[rule].iter().rev());
            }
        }
    }

    /// Has all that require this rule looked at: it may count for nothing now, or for something again.
    pub(super) fn settle_dependents(&mut self, rule: RuleId, now: Now) {
        for index in 0..self.dependents[rule].len() {
            self.settle(self.dependents[rule][index], None, now);
        }
    }

    /// Whether anything changed that is of interest to those who require this rule.
    fn settle_one(&mut self, rule: RuleId, occasion: Option<Occasion>, now: Now) -> bool {
        let own = self.own_state(rule);
        let state = &mut self.states[rule.index()];
        // Down by itself, or without a success to wait for.
        if own == State::Fail || state.is_over() {
            state.returning = None;
        }
        let effective = self.effective_state(rule);
        let state = &mut self.states[rule.index()];
        let before = std::mem::replace(&mut state.effective, effective);
        let (from, to) = (before.state, effective.state);
        let is_new = from != to;
        if is_new {
            state.effective_since = Some(self.epoch.stamp(now.mono));
        }
        let run = RunId { rule, run: state.count };
        let is_told = to == State::Unknown || state.announced == to;
        let is_news = is_new || before.drained != effective.drained;
        if is_news {
            self.touch(rule);
        }
        if !is_told && self.announces(rule, is_new) {
            self.announce(rule, occasion);
        } else if is_new && is_told {
            self.outputs.push_back(Output::Notice(Notice::Effective { run, from, to }));
        }
        is_news
    }

    /// Whether an effective state is announced that is not what was announced last. `always-fail` and
    /// `always-success` announce their own state after each run, not when it is set.
    fn announces(&self, rule: RuleId, is_new: bool) -> bool {
        let state = &self.states[rule.index()];
        let is_given = match self.rules[rule.index()].status {
            Status::Enabled | Status::Disabled => false,
            Status::AlwaysFail | Status::AlwaysSuccess => true,
        };
        match state.effective.why {
            // Its status may have made it that before, and not been announced.
            Why::Set(_) => true,
            Why::Own if is_given => is_new && state.announced != State::Unknown,
            Why::Own | Why::Requires(_) => is_new,
        }
    }

    /// Tells the effective state to the log and to the commands.
    pub(super) fn announce(&mut self, rule: RuleId, occasion: Option<Occasion>) {
        let effective = self.states[rule.index()].effective;
        let found = match (effective.state, effective.why, &occasion) {
            (State::Fail, Why::Own, Some(occasion)) => Some(occasion.verdict.clone()),
            (State::Fail | State::Success | State::Unknown, ..) => None,
        };
        let verdict = found.or_else(|| self.reason(rule)).unwrap_or(Verdict::Success);
        let state = &mut self.states[rule.index()];
        let change = Change {
            run: RunId { rule, run: state.count },
            from: state.announced,
            to: effective.state,
            verdict,
            blame: effective.why.blame(),
            streak: state.streak,
            elapsed: occasion.and_then(|occasion| occasion.elapsed),
        };
        state.announced = effective.state;
        self.outputs.push_back(Output::Change(change));
    }

    /// Why the effective state is what it is; `None` while it is unknown.
    pub(super) fn reason(&self, rule: RuleId) -> Option<Verdict> {
        let state = &self.states[rule.index()];
        let cause = match (state.effective.state, state.effective.why) {
            (State::Unknown, _) => return None,
            (State::Success, _) => return Some(Verdict::Success),
            (State::Fail, Why::Requires(_)) => Cause::Requires,
            (State::Fail, Why::Set(Override::Drained)) => Cause::Drained,
            (State::Fail, Why::Set(Override::AlwaysFail)) => Cause::AlwaysFail,
            (State::Fail, Why::Own | Why::Set(Override::Disabled | Override::AlwaysSuccess)) => {
                match (self.rules[rule.index()].status, &state.last_failure) {
                    (Status::AlwaysFail, _) | (_, None) => Cause::AlwaysFail,
                    (Status::Enabled | Status::AlwaysSuccess | Status::Disabled, Some(cause)) => {
                        (**cause).clone()
                    }
                }
            }
        };
        Some(Verdict::Failure(cause))
    }

    /// What the effective state has to be now.
    fn effective_state(&self, rule: RuleId) -> Effective {
        let state = &self.states[rule.index()];
        let by = |kind, state| Effective { state, drained: kind == Override::Drained, why: Why::Set(kind) };
        match (state.set.as_ref().map(|set| set.kind), state.returning) {
            (Some(Override::Disabled), _) | (None, Some(Override::Disabled)) => state.effective,
            (Some(kind @ Override::AlwaysSuccess), _) => by(kind, State::Success),
            (Some(kind @ (Override::Drained | Override::AlwaysFail)), _) | (None, Some(kind)) => {
                by(kind, State::Fail)
            }
            (None, None) if self.rules[rule.index()].status == Status::Disabled => Effective::default(),
            (None, None) => self.computed_state(rule),
        }
    }

    /// Three-valued: any that is down (the rule's own state included) is down, else any unknown is unknown. One
    /// that failed is to blame before one that was drained.
    fn computed_state(&self, rule: RuleId) -> Effective {
        let own = self.own_state(rule);
        if own == State::Fail {
            return Effective { state: State::Fail, ..Effective::default() };
        }
        let mut known = own != State::Unknown;
        let mut drained = None;
        for &required in &self.rules[rule.index()].requires {
            let Some(effective) = self.required_state(required) else { continue };
            let why = Why::Requires(required);
            match effective {
                Effective { state: State::Fail, drained: false, .. } => {
                    return Effective { state: State::Fail, drained: false, why };
                }
                Effective { state: State::Fail, drained: true, .. } => {
                    drained.get_or_insert(Effective { state: State::Fail, drained: true, why });
                }
                Effective { state: State::Unknown, .. } => known = false,
                Effective { state: State::Success, .. } => {}
            }
        }
        let state = if known { State::Success } else { State::Unknown };
        drained.unwrap_or(Effective { state, ..Effective::default() })
    }

    /// The state of a required rule; `None` when it is to be ignored: disabled or ended before it was known.
    fn required_state(&self, rule: RuleId) -> Option<Effective> {
        let state = &self.states[rule.index()];
        let may_be_known = state.effective.state != State::Unknown || state.is_scheduled();
        may_be_known.then_some(state.effective)
    }
}
