//! `run`: one run of rules now, told to whoever asked.

use std::collections::{BTreeSet, VecDeque};

use super::rows;
use super::search::Found as FoundRule;
use crate::control::Shown;
use crate::control::protocol::{Reply, VerdictRow};
use crate::engine::{Answer, Found, Unanswered};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::rule::RuleId;
use crate::verdict::SystemWords;

/// Rules of one request: each is a run beside the schedule, of which there may not be too many at once.
const RULES_MAX: usize = 100;

/// Runs that are begun in one turn for all clients together.
const STARTS_PER_TURN: usize = 16;

/// Who waits for runs, and which are still to come.
#[derive(Debug)]
pub(super) struct Runs {
    ticket: u64,
    rules: BTreeSet<RuleId>,
    /// Those of them that have not been asked for yet.
    unasked: VecDeque<RuleId>,
    told: usize,
}

impl Reactor {
    /// `run`: the rules have been found.
    pub(super) fn run_found(&mut self, ticket: u64, pattern: &str, found: &VecDeque<FoundRule>, now: Now) {
        if found.len() > RULES_MAX {
            let many = found.len();
            let text = format!("'{}' matches {many} rules; run takes {RULES_MAX} at most", Shown(pattern));
            return self.answer(ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
        }
        let mut runs = std::mem::take(&mut self.waiting.runs);
        // Those who left wait no more.
        runs.retain(|runs| self.waits(runs.ticket));
        let rules: BTreeSet<RuleId> = found.iter().filter_map(|(slot, _)| *slot).collect();
        runs.push(Runs { ticket, unasked: rules.iter().copied().collect(), rules, told: 0 });
        self.waiting.runs = runs;
    }

    /// Has some of the runs begin that are wanted; says whether more are.
    pub(super) fn ask_for_runs(&mut self, now: Now) -> bool {
        let mut left = STARTS_PER_TURN;
        for of in &mut self.waiting.runs {
            while left > 0
                && let Some(rule) = of.unasked.pop_front()
            {
                left -= 1;
                self.prober.engine.ask(rule, now);
            }
        }
        self.waiting.runs.iter().any(|of| !of.unasked.is_empty())
    }

    /// A run that was asked for has ended, or there is none.
    pub(in crate::reactor) fn on_answer(&mut self, answer: &Answer) {
        let now = crate::reactor::now();
        let name = self.prober.engine.rules()[answer.rule.index()].name.to_string();
        let reply = match &answer.found {
            Ok(found) => Reply::Verdict(row(name, found)),
            Err(Unanswered::Gone) => {
                Reply::Warning { text: "a rule is gone: the configuration was reloaded".to_owned() }
            }
            Err(Unanswered::CannotStart(errno)) => {
                let text = format!("'{}' cannot be run: {}", Shown(&name), SystemWords(*errno));
                Reply::Warning { text }
            }
        };
        let mut runs = std::mem::take(&mut self.waiting.runs);
        for of in &mut runs {
            // One that has not been asked for yet gets an answer of its own.
            if !of.unasked.contains(&answer.rule) && of.rules.remove(&answer.rule) {
                of.told += usize::from(matches!(reply, Reply::Verdict(_)));
                self.answer(of.ticket, &reply, now.mono);
                if of.rules.is_empty() {
                    let text = if of.told == 1 { "1 run".to_owned() } else { format!("{} runs", of.told) };
                    self.answer(of.ticket, &Reply::Done { text }, now.mono);
                }
            }
        }
        runs.retain(|of| !of.rules.is_empty());
        self.waiting.runs = runs;
    }
}

fn row(rule: String, found: &Found) -> VerdictRow {
    VerdictRow {
        rule,
        verdict: rows::kind(&found.verdict).to_owned(),
        reason: found.verdict.reason().to_owned(),
        detail: found.verdict.to_string(),
        total_us: rows::micros(found.elapsed),
        scheduled: found.scheduled,
    }
}
