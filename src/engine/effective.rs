//! The effective state: a rule's own together with those of the rules it requires.

use super::state::{EndReason, Phase};
use super::{Change, Engine, Notice, Output};
use crate::health::State;
use crate::rule::{RuleId, RunId, Status};
use crate::verdict::{Cause, Verdict};

/// What brought a rule to be looked at: the run that just ended and its verdict.
#[derive(Clone, Debug)]
pub(super) struct Occasion {
    pub(super) verdict: Verdict,
    pub(super) elapsed: Option<std::time::Duration>,
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
    pub(super) fn settle(&mut self, rule: RuleId, occasion: Option<Occasion>) {
        let mut pending = vec![(rule, occasion)];
        while let Some((rule, occasion)) = pending.pop() {
            if self.settle_one(rule, occasion) {
                let dependents = self.dependents[rule.index()].iter().rev();
                pending.extend(dependents.map(|dependent| (*dependent, None)));
            }
        }
    }

    /// Whether the effective state of this rule changed.
    fn settle_one(&mut self, rule: RuleId, occasion: Option<Occasion>) -> bool {
        if self.rules[rule.index()].status == Status::Disabled {
            return false;
        }
        let (to, blame) = self.effective_state(rule);
        let state = &mut self.states[rule.index()];
        let from = state.effective;
        if from == to {
            return false;
        }
        state.effective = to;
        self.touch(rule);
        let state = &self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        if to == State::Unknown || state.announced == to {
            self.outputs.push_back(Output::Notice(Notice::Effective { run, from, to }));
        } else if self.announces(rule, to) {
            self.announce(rule, to, blame, occasion);
        }
        true
    }

    /// `always-fail` and `always-success` announce their own state after each run, not when it is set.
    fn announces(&self, rule: RuleId, to: State) -> bool {
        match self.rules[rule.index()].status {
            Status::Enabled => true,
            Status::Disabled => false,
            Status::AlwaysFail | Status::AlwaysSuccess => {
                to != self.own_state(rule) || self.states[rule.index()].announced != State::Unknown
            }
        }
    }

    /// Tells a change of the effective state to the log and to the commands.
    pub(super) fn announce(
        &mut self,
        rule: RuleId,
        to: State,
        blame: Option<RuleId>,
        occasion: Option<Occasion>,
    ) {
        let state = &mut self.states[rule.index()];
        let verdict = match (to, blame) {
            (State::Fail, Some(_)) => Verdict::Failure(Cause::Requires),
            (State::Success | State::Unknown, _) => Verdict::Success,
            (State::Fail, None) => occasion
                .as_ref()
                .map(|occasion| &occasion.verdict)
                .or(state.last_verdict.as_ref())
                .cloned()
                .unwrap_or(Verdict::Failure(Cause::AlwaysFail)),
        };
        let change = Change {
            run: RunId { rule, run: state.count },
            from: state.announced,
            to,
            verdict,
            blame,
            streak: state.streak,
            elapsed: occasion.and_then(|occasion| occasion.elapsed),
        };
        state.announced = to;
        self.outputs.push_back(Output::Change(change));
    }

    /// Three-valued: any that is down (the rule's own state included) is down, else any unknown is unknown.
    /// With the required rule that is to blame when it is not the rule itself.
    pub(super) fn effective_state(&self, rule: RuleId) -> (State, Option<RuleId>) {
        let own = self.own_state(rule);
        if own == State::Fail {
            return (State::Fail, None);
        }
        let mut known = own != State::Unknown;
        for required in &self.rules[rule.index()].requires {
            match self.required_state(*required) {
                Some(State::Fail) => return (State::Fail, Some(*required)),
                Some(State::Unknown) => known = false,
                Some(State::Success) | None => {}
            }
        }
        (if known { State::Success } else { State::Unknown }, None)
    }

    /// The state of a required rule; `None` when it is to be ignored: disabled, or ended before it was known.
    fn required_state(&self, rule: RuleId) -> Option<State> {
        let state = &self.states[rule.index()];
        match (state.phase, state.effective) {
            (Phase::Over(EndReason::Disabled), _) => None,
            (Phase::Over(EndReason::RunsUsedUp | EndReason::CannotStart), State::Unknown) => None,
            (
                Phase::Over(_) | Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Running(_),
                effective,
            ) => Some(effective),
        }
    }
}
