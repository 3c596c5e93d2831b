//! What rules say of their addresses and of this gateway: computed anew for each rule that was touched, told when it
//! changed, or when somebody has yet to hear it.

use super::{Engine, Output};
use crate::health::State;
use crate::now::Now;
use crate::rule::{Rule, RuleId};
use crate::standing::{Contribution, Standing};

impl Engine {
    /// Has the standing of this rule looked at before the present call ends. Harmless when nothing changed.
    pub(super) fn touch(&mut self, rule: RuleId) {
        let of = &self.rules[rule.index()];
        if of.has_tables() || of.demote.is_some() {
            self.touched.push(rule);
        }
    }

    /// A rule that stays may have tables, or a share of the demotion, that it did not have before: whoever keeps
    /// those has heard nothing of it, however old its standing is.
    pub(super) fn introduce(&mut self, rule: RuleId, before: &Rule) {
        let after = &self.rules[rule.index()];
        let has_new_tables = after.has_tables() && !before.has_tables();
        let has_new_share = after.demote.is_some() && before.demote.is_none();
        self.states[rule.index()].is_unheard = has_new_tables || has_new_share;
    }

    /// Tells what is new of the rules that were touched.
    pub(super) fn tell_standings(&mut self, now: Now) {
        let mut touched = std::mem::take(&mut self.touched);
        for rule in touched.drain(..) {
            let contribution = self.contribution(rule);
            let state = &mut self.states[rule.index()];
            let settled = state.tally.conclusive() > 0 || !state.is_scheduled();
            let since = match &state.standing {
                Some(told) if told.contribution == contribution => told.since,
                Some(_) | None => now.mono,
            };
            let standing = Standing { contribution, since, stale: state.stale, settled };
            let is_new = match &mut state.standing {
                Some(told) => std::mem::replace(&mut **told, standing) != standing,
                none @ None => {
                    *none = Some(Box::new(standing));
                    true
                }
            };
            if std::mem::take(&mut state.is_unheard) || is_new {
                self.outputs.push_back(Output::Standing { rule, standing });
            }
        }
        self.touched = touched;
    }

    /// By the effective state. A rule that has ended says what it said last, if it ever knew anything of its own.
    fn contribution(&self, rule: RuleId) -> Contribution {
        let state = &self.states[rule.index()];
        let knows = self.own_state(rule) != State::Unknown;
        match state.effective.state {
            State::Success => Contribution::Up,
            State::Fail => Contribution::Down { drained: state.effective.drained },
            State::Unknown if state.is_over() && !knows => Contribution::Nothing,
            State::Unknown => Contribution::Unknown,
        }
    }
}
