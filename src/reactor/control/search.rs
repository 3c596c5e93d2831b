//! Rules by pattern: looked for a bounded number at a time, for a turn must not grow with the configuration.

use std::collections::VecDeque;

use super::pattern::Pattern;
use super::set::Setting;
use crate::control::protocol::Reply;
use crate::now::Now;
use crate::reactor::Reactor;
use crate::rule::{Passage, RuleId};

/// Rules looked at in one turn,
const LOOKS_PER_TURN: usize = 512;
/// of which each counts as one more for so many characters of the pattern.
const PATTERN_CHARACTERS: usize = 32;

/// A rule by its name, and where it was found.
pub(in crate::reactor) type Found = (Option<RuleId>, Passage);

/// A search under way.
#[derive(Debug)]
pub(super) struct Search {
    ticket: u64,
    pattern: Pattern,
    /// The slot to be looked at next.
    next: usize,
    found: VecDeque<Found>,
    then: Then,
}

/// What is done with what was found.
#[derive(Debug)]
pub(super) enum Then {
    /// Something is set, or cleared.
    Set(Setting),
    /// They are run.
    Run,
}

impl Search {
    pub(super) fn new(ticket: u64, pattern: String, then: Then) -> Self {
        Self { ticket, pattern: Pattern::new(pattern), next: 0, found: VecDeque::new(), then }
    }
}

impl Reactor {
    /// Begins to look for rules.
    pub(super) fn search(&mut self, search: Search) {
        self.waiting.searches.push_back(search);
    }

    /// Goes on with what clients wait for, a bounded part of it; says whether more can be done at once.
    pub(in crate::reactor) fn go_on_with_requests(&mut self, now: Now) -> bool {
        self.go_on_searching(now);
        let has_more = self.go_on_with_overrides(now) | self.ask_for_runs(now);
        // What all that made of rules is for the writer before it is asked about them.
        self.carry_out();
        self.ask_writer();
        has_more || !self.waiting.searches.is_empty()
    }

    fn go_on_searching(&mut self, now: Now) {
        let mut left = LOOKS_PER_TURN;
        while left > 0 {
            let Some(mut search) = self.waiting.searches.pop_front() else { return };
            let look = 1 + search.pattern.len() / PATTERN_CHARACTERS;
            let rules = self.prober.engine.rules();
            while left > 0
                && let Some(rule) = rules.get(search.next)
            {
                left = left.saturating_sub(look);
                if !rule.is_vacant() && search.pattern.look_at(&rule.name) {
                    let slot = u32::try_from(search.next).ok().map(RuleId);
                    search.found.push_back((slot, rule.name.clone()));
                }
                search.next += 1;
            }
            if search.next < rules.len() {
                self.waiting.searches.push_front(search);
                return;
            }
            // Who has left wants nothing of it any more.
            if self.waits(search.ticket) {
                self.end_search(search, now);
            }
        }
    }

    fn end_search(&mut self, search: Search, now: Now) {
        let Search { ticket, pattern, next: _, mut found, then } = search;
        if let Then::Set(setting) = &then
            && setting.clears()
        {
            found.extend(self.lost(&pattern, &found).into_iter().map(|name| (None, (&*name).into())));
        }
        if found.is_empty() {
            let refused = Reply::Refused { text: pattern.nothing(), details: Vec::new() };
            return self.answer(ticket, &refused, now.mono);
        }
        match then {
            Then::Set(setting) => self.set_found(ticket, found, setting),
            Then::Run => self.run_found(ticket, pattern.text(), &found, now),
        }
    }

    /// A rule that is there, wherever a reload may have put it since it was found.
    pub(in crate::reactor) fn slot_of(&self, (slot, name): &Found) -> Option<RuleId> {
        let rules = self.prober.engine.rules();
        let is_there = |slot: &RuleId| rules.get(slot.index()).is_some_and(|rule| rule.name == *name);
        let by_name = || (0..).map(RuleId).take(rules.len()).find(is_there);
        slot.filter(is_there).or_else(|| slot.and_then(|_| by_name()))
    }
}
