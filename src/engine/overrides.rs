//! What operators set in place of a rule's own word, and how the rule comes back from that.
//!
//! Only the effect is known here; who set it, and why, is others' affair.
//!
//! ```text
//!             set Drained / AlwaysFail          enabled or over, no recent success
//!   own word --------------------------> down --------------------------------------> returning
//!      ^                                  | enabled or over, last verdict a success      |
//!      |                                  v                                              |
//!      +---------------------------------<-----------------------------------------------+
//!                                            next success, own failure, end of the rule
//! ```

use std::collections::BTreeSet;
use std::time::Instant;

use super::state::{Last, Phase};
use super::{Engine, Output, Unguarded};
use crate::health::State;
use crate::now::Now;
use crate::rule::{RuleId, RunId};
use crate::schedule;
use crate::standing::Override;

/// What is set in place of a rule's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// What.
    pub kind: Override,
    /// When it ends by itself, if it does.
    pub until: Option<Instant>,
}

impl Engine {
    /// Sets something in place of a rule's own word, or clears what is set. Poll the outputs after it.
    ///
    /// What is set stays over [`reload`](Self::reload) for as long as the slot is the rule's. Setting what is set
    /// already changes nothing but its end.
    pub fn set_override(&mut self, rule: RuleId, set: Option<Set>, now: Now) {
        if self.stopped {
            return;
        }
        self.change_override(rule, set, now);
        self.look_at_ask(rule, now);
        self.arm(rule);
        self.tell_standings(now);
        self.check_invariants();
    }

    /// What is set in place of a rule's own word.
    pub fn override_of(&self, rule: RuleId) -> Option<Set> {
        self.states[rule.index()].set.as_deref().copied()
    }

    /// These rules, and all that would be down only because they require one of them.
    pub fn down_with(&self, rules: BTreeSet<RuleId>) -> BTreeSet<RuleId> {
        let mut pending: Vec<RuleId> = rules.iter().copied().collect();
        let mut all = rules;
        while let Some(rule) = pending.pop() {
            for dependent in &self.dependents[rule] {
                let state = &self.states[dependent.index()];
                let follows = state.set.is_none() && state.effective.state != State::Fail;
                if follows && all.insert(*dependent) {
                    pending.push(*dependent);
                }
            }
        }
        all
    }

    /// Ends what is set, if its time has come.
    pub(super) fn look_at_override(&mut self, rule: RuleId, now: Now) {
        let until = self.override_of(rule).and_then(|set| set.until);
        if until.is_some_and(|until| until <= now.mono) {
            self.outputs.push_back(Output::OverrideEnded { rule });
            self.change_override(rule, None, now);
        }
    }

    fn change_override(&mut self, rule: RuleId, set: Option<Set>, now: Now) {
        let kind = set.map(|set| set.kind);
        let set = set.map(Box::new);
        let before = std::mem::replace(&mut self.states[rule.index()].set, set).map(|set| set.kind);
        if before == kind {
            return;
        }
        self.states[rule.index()].returning = match (before, kind) {
            (Some(before), None) => self.returns_from(rule, before, now),
            (Some(_) | None, Some(_)) | (None, None) => None,
        };
        if before == Some(Override::Disabled) {
            self.resume(rule, now);
        }
        if kind == Some(Override::Disabled) {
            self.suspend(rule);
        }
        self.touch(rule);
        self.settle(rule, None, now);
        // One that is disabled before it knows anything is ignored by those that require it.
        self.settle_dependents(rule, now);
    }

    /// What a rule goes on counting as until it succeeds: it was down, and nothing says that it is up. (That one has
    /// failed by itself, or has ended, is looked at whenever it is settled.) One that was down when it was disabled
    /// was not looked at since, and goes on as it was.
    fn returns_from(&self, rule: RuleId, kind: Override, now: Now) -> Option<Override> {
        let was_down = match kind {
            Override::Drained | Override::AlwaysFail => true,
            Override::Disabled => self.states[rule.index()].effective.state == State::Fail,
            Override::AlwaysSuccess => false,
        };
        (was_down && !self.has_just_succeeded(rule, now)).then_some(kind)
    }

    /// Whether the last verdict is a success, and no more than an interval old.
    fn has_just_succeeded(&self, rule: RuleId, now: Now) -> bool {
        let state = &self.states[rule.index()];
        let interval = state.interval_by_state(&self.rules[rule.index()]);
        let is_recent = |at| now.mono.saturating_duration_since(self.epoch.instant(at)) <= interval;
        state.last == Some(Last::Success) && state.tally.last_success.is_some_and(is_recent)
    }

    /// Takes a disabled rule off its schedule and gives up its run. One that has ended stays ended.
    pub(super) fn suspend(&mut self, rule: RuleId) {
        if !self.states[rule.index()].is_scheduled() {
            return;
        }
        self.give_up_run(rule);
        let state = &mut self.states[rule.index()];
        state.phase = Phase::Suspended;
        state.stale = false;
        // The grid that comes after has nothing to do with the one before.
        state.last_start = None;
        self.touch(rule);
        self.warn_of_guard(rule, Unguarded::Disabled);
    }

    /// Puts a rule that was disabled back on a schedule: due at once, with the state that it had.
    fn resume(&mut self, rule: RuleId, now: Now) {
        let due = schedule::floor_to_millisecond(now.mono, self.epoch.beginning());
        let epoch = self.epoch;
        let state = &mut self.states[rule.index()];
        if let Phase::Suspended = state.phase {
            state.resume(due, now.mono, epoch);
            // Results that are to come in a row do not count with those of before.
            state.health.begin_row();
        }
    }

    /// Gives up a run on the schedule that is under way. Whoever waits for its verdict waits for another one's.
    pub(super) fn give_up_run(&mut self, rule: RuleId) {
        let state = &mut self.states[rule.index()];
        if state.is_in_scheduled_run() {
            state.asked |= std::mem::take(&mut state.answers);
            self.in_flight -= 1;
            self.outputs.push_back(Output::Abandon { run: RunId { rule, run: state.count } });
        }
    }
}
