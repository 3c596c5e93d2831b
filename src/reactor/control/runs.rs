//! `run`: one run of rules now, told to whoever asked.

use std::collections::BTreeSet;

use super::rows;
use crate::control::protocol::{Reply, VerdictRow};
use crate::control::{Glob, Shown};
use crate::engine::{Answer, Found, Unanswered};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::rule::RuleId;
use crate::verdict::SystemWords;

/// Rules of one request: each is a run beside the schedule, of which there may not be too many at once.
const RULES_MAX: usize = 100;

/// Who waits for runs, and which are still to come.
#[derive(Debug)]
pub(super) struct Runs {
    ticket: u64,
    rules: BTreeSet<RuleId>,
    told: usize,
}

impl Reactor {
    /// `run`.
    pub(super) fn asked_to_run(&mut self, ticket: u64, pattern: &str, now: Now) {
        let rules = self.matching(&Glob::new(pattern));
        let refuse = match rules.len() {
            0 => Some(format!("no rule matches '{}'", Shown(pattern))),
            1..=RULES_MAX => None,
            many => Some(format!("'{}' matches {many} rules; run takes {RULES_MAX} at most", Shown(pattern))),
        };
        if let Some(text) = refuse {
            return self.answer(ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
        }
        let mut runs = std::mem::take(&mut self.waiting.runs);
        // Those who left wait no more.
        runs.retain(|runs| self.waits(runs.ticket));
        let rules: BTreeSet<RuleId> = rules.into_iter().map(|(rule, _)| rule).collect();
        rules.iter().for_each(|rule| self.prober.engine.ask(*rule, now));
        runs.push(Runs { ticket, rules, told: 0 });
        self.waiting.runs = runs;
        self.carry_out();
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
            if of.rules.remove(&answer.rule) {
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
