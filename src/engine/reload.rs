//! Another configuration while the engine runs: what each rule keeps, and what is given up.

use std::sync::Arc;
use std::time::Instant;

use super::asked::Unanswered;
use super::dependents::Dependents;
use super::stamp::Epoch;
use super::state::{EndReason, Phase, RuleState};
use super::{Engine, Output, first_dues, shortest_timeout};
use crate::now::Now;
use crate::rule::{Fate, Rule, RuleId, RunId, Status};
use crate::standing::Override;

impl Engine {
    /// Takes on another configuration, fitted into the slots of the present one; `fates` says what becomes of
    /// each slot. Poll all outputs before, and again after.
    ///
    /// Rules that are kept or adjusted keep state, counts and the run under way; a new schedule counts from the
    /// last start. Rules that are changed, new or gone begin anew, or end; runs of theirs that are under way are
    /// given up ([`Output::Abandon`]), and what still comes of them is dropped. Whoever asked for a run of such a
    /// rule is told that it is gone.
    ///
    /// What an operator has set of a rule stays, and also of one that is changed: that is down before and after.
    pub fn reload(&mut self, rules: Arc<[Rule]>, fates: &[Fate], now: Now) {
        debug_assert!(self.outputs.is_empty(), "outputs speak of the rules of before");
        debug_assert_eq!(rules.len(), fates.len());
        let before = std::mem::replace(&mut self.rules, rules);
        let mut dues = self.dues_of_those_that_begin(fates, now.mono).into_iter();
        // All others are not even looked at: when there are many that alone takes its time.
        let moved = self.those_that_move(fates);
        let (live, in_flight) = (self.live, self.in_flight);
        let (live_before, in_flight_before) = self.counts_of(&moved);
        for rule in &moved {
            let (rule, index) = (*rule, rule.index());
            match fates[index] {
                Fate::Kept | Fate::Adjusted => {
                    self.introduce(rule, &before[index]);
                    self.adjust(rule, &before[index], now);
                }
                Fate::Changed => {
                    let before = self.begin_anew(rule, dues.next().unwrap_or(now.mono));
                    self.keep_override(rule, before);
                }
                Fate::New => _ = self.begin_anew(rule, dues.next().unwrap_or(now.mono)),
                Fate::Vacated | Fate::Vacant => _ = self.begin_anew(rule, now.mono),
            }
        }
        self.relate_rules();
        // Those that stay have one that matters already.
        let timeouts = shortest_timeout(moved.iter().map(|rule| &self.rules[rule.index()]));
        self.stalls.matter_also_from(timeouts);
        self.timers.grow(self.rules.len());
        let (live_after, in_flight_after) = self.counts_of(&moved);
        self.live = live - live_before + live_after;
        self.in_flight = in_flight - in_flight_before + in_flight_after;
        // All others, unless they require one of these, are what they were.
        for rule in &moved {
            self.settle(*rule, None, now);
            self.settle_dependents(*rule, now);
        }
        for rule in moved {
            self.look_at_ask(rule, now);
            self.arm(rule);
            self.touch(rule);
        }
        self.tell_standings(now);
        self.check_invariants();
    }

    /// Slots in which something is another than before.
    fn those_that_move(&self, fates: &[Fate]) -> Vec<RuleId> {
        let any_is_over = self.live < self.states.len();
        let moves = |rule: RuleId, fate: Fate| match fate {
            Fate::Kept => any_is_over && self.is_to_be_tried_again(rule),
            Fate::Vacant => rule.index() >= self.states.len(),
            Fate::Adjusted | Fate::Changed | Fate::New | Fate::Vacated => true,
        };
        (0..)
            .map(RuleId)
            .zip(fates)
            .filter(|(rule, fate)| moves(*rule, **fate))
            .map(|(rule, _)| rule)
            .collect()
    }

    /// How many of these rules are live, and in flight.
    fn counts_of(&self, rules: &[RuleId]) -> (usize, usize) {
        let states = || rules.iter().filter_map(|rule| self.states.get(rule.index()));
        (
            states().filter(|state| !state.is_over()).count(),
            states().filter(|state| state.in_flight()).count(),
        )
    }

    /// Whether a rule that is the same to the letter is still worth another try: its program may be there now.
    fn is_to_be_tried_again(&self, rule: RuleId) -> bool {
        matches!(self.states[rule.index()].phase, Phase::Over(EndReason::CannotStart(_)))
    }

    /// First dues, of those that begin one after the other: as at a start.
    fn dues_of_those_that_begin(&self, fates: &[Fate], now: Instant) -> Vec<Instant> {
        let begins = |fate: &Fate| matches!(fate, Fate::Changed | Fate::New);
        let of = self.rules.iter().zip(fates).filter(|(_, fate)| begins(fate));
        first_dues(of.map(|(rule, _)| rule), now)
    }

    /// A slot with another rule, or with none: nothing of before counts, but for the numbers of its runs. Gives
    /// what was before.
    fn begin_anew(&mut self, rule: RuleId, due: Instant) -> Option<RuleState> {
        let fresh = RuleState::new(&self.rules[rule.index()], due, self.epoch);
        let Some(state) = self.states.get_mut(rule.index()) else {
            self.states.push(fresh);
            return None;
        };
        let is_awaited = state.asked || state.answers || state.extra.is_some();
        if state.in_flight() {
            self.outputs.push_back(Output::Abandon { run: RunId { rule, run: state.count } });
        }
        let before = std::mem::replace(state, RuleState { count: state.count, ..fresh });
        self.rare.forget(rule);
        if is_awaited {
            self.answer(rule, Err(Unanswered::Gone));
        }
        Some(before)
    }

    /// What an operator had set of a rule before it was changed. Where that alone decides, nothing changes now.
    fn keep_override(&mut self, rule: RuleId, before: Option<RuleState>) {
        let Some((before, set)) =
            before.and_then(|before| before.set.as_deref().copied().map(|set| (before, set)))
        else {
            return;
        };
        let state = &mut self.states[rule.index()];
        state.set = Some(Box::new(set));
        match set.kind {
            Override::Disabled => self.suspend(rule),
            Override::Drained | Override::AlwaysFail | Override::AlwaysSuccess => {
                state.effective = before.effective;
                state.effective_since = before.effective_since;
                state.announced = before.announced;
            }
        }
    }

    /// A rule that stays, with another schedule or other actions.
    fn adjust(&mut self, rule: RuleId, before: &Rule, now: Now) {
        let after = &self.rules[rule.index()];
        let state = &mut self.states[rule.index()];
        let interval_before = state.interval(before);
        let has_runs_left = after.runs.is_none_or(|runs| state.tally.conclusive() < runs.get().into());
        match (state.phase, after.status) {
            (phase, Status::Disabled) => {
                let is_new = !matches!(phase, Phase::Over(EndReason::Disabled));
                self.give_up_run(rule);
                if is_new {
                    let state = &mut self.states[rule.index()];
                    state.phase = Phase::Over(EndReason::Disabled);
                    state.stale = false;
                }
            }
            // More runs than before; or a program that may be there now: whoever reloads wants it tried.
            (Phase::Over(EndReason::RunsUsedUp), _) if has_runs_left => {
                state.resume(now.mono, now.mono, self.epoch);
            }
            (Phase::Over(EndReason::CannotStart(_) | EndReason::Disabled), _) => {
                state.resume(now.mono, now.mono, self.epoch);
            }
            (Phase::Over(EndReason::RunsUsedUp), _) => {}
            (Phase::Waiting { .. } | Phase::Suspended, _) if !has_runs_left => {
                state.phase = Phase::Over(EndReason::RunsUsedUp);
                state.stale = false;
            }
            (Phase::Suspended, _) => {}
            (Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Running(_), _) => {
                self.reschedule(rule, interval_before, now);
            }
        }
        // One that had ended may be on its schedule again.
        if self.override_of(rule).is_some_and(|set| set.kind == Override::Disabled) {
            self.suspend(rule);
        }
    }

    /// Works out anew who depends on whom.
    pub(super) fn relate_rules(&mut self) {
        self.dependents = Dependents::of(&self.rules);
        self.is_guard = vec![false; self.rules.len()];
        for rule in self.rules.iter() {
            for guard in &rule.guard {
                self.is_guard[guard.index()] = true;
            }
        }
    }
}

impl RuleState {
    /// Scheduled again, with the state that it had.
    pub(super) fn resume(&mut self, due: Instant, now: Instant, epoch: Epoch) {
        let (due, now) = (epoch.stamp(due), epoch.stamp(now));
        self.phase = Phase::Waiting { due, ready: now };
        self.fresh_since = now;
    }
}
