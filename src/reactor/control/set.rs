//! Requests that set something in place of rules' own words, or clear it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Asked;
use super::ask::Pending;
use crate::control::protocol::{Fixed, Reply, Request};
use crate::control::{Glob, Shown};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::reactor::overrides::{Job, Wish};
use crate::rule::RuleId;
use crate::standing::Override;
use crate::writer::Question;

/// Objections named in one answer.
const OBJECTIONS_TOLD_MAX: usize = 20;

impl Reactor {
    /// `drain`, `disable`, `enable` and `set`.
    pub(super) fn asked_to_set(&mut self, asked: Asked, now: Now) {
        let Asked { ticket, peer, request } = asked;
        let set = |kind, for_ms: Option<u64>, reason| Wish::Set {
            kind,
            lasts: for_ms.map(Duration::from_millis),
            reason,
        };
        let (pattern, by, wish, may_harm) = match request {
            Request::Drain { rules, for_ms, reason, by, force } => {
                (rules, by, set(Override::Drained, for_ms, reason), !force)
            }
            Request::Disable { rules, for_ms, reason, by } => {
                (rules, by, set(Override::Disabled, for_ms, reason), false)
            }
            Request::Set { rules, to, for_ms, reason, by } => {
                let kind = match to {
                    Fixed::AlwaysFail => Override::AlwaysFail,
                    Fixed::AlwaysSuccess => Override::AlwaysSuccess,
                };
                (rules, by, set(kind, for_ms, reason), false)
            }
            Request::Enable { rules, by } => (rules, by, Wish::Clear, false),
            Request::Status { .. }
            | Request::Tables { .. }
            | Request::Run { .. }
            | Request::Reload {}
            | Request::Reconcile {}
            | Request::Events {}
            | Request::Stats {}
            | Request::Log { .. }
            | Request::Stop {} => return,
        };
        let glob = Glob::new(&pattern);
        let mut rules: VecDeque<(Option<RuleId>, Arc<str>)> =
            self.matching(&glob).into_iter().map(|(slot, name)| (Some(slot), name)).collect();
        if wish == Wish::Clear {
            rules.extend(self.lost(&glob, &rules).into_iter().map(|name| (None, name)));
        }
        if rules.is_empty() {
            let text = format!("no rule matches '{}'", Shown(&pattern));
            return self.answer(ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
        }
        let slots: BTreeSet<RuleId> = rules.iter().filter_map(|(slot, _)| *slot).collect();
        let job = Job { ticket, peer, by, wish, rules, changed: 0 };
        match &mut self.writer {
            Some(writer) if may_harm => {
                let question = Question::WouldDrain(self.prober.engine.down_with(slots));
                writer.ask(ticket, question);
                self.waiting.writer.insert(ticket, Pending::Drain(Box::new(job)));
            }
            Some(_) | None => self.begin_job(job),
        }
    }

    /// What the writer has to say against a drain.
    pub(super) fn drain_unless(&mut self, job: Job, objections: &[String], now: Now) {
        // Who gave up waiting thinks that it was not done.
        if !self.waits(job.ticket) {
            return;
        }
        if objections.is_empty() {
            return self.begin_job(job);
        }
        let mut details: Vec<String> = objections.iter().take(OBJECTIONS_TOLD_MAX).cloned().collect();
        let rest = objections.len() - details.len();
        if rest > 0 {
            details.push(format!("and {rest} more tables"));
        }
        let text =
            "nothing was drained, for too little would be left; --force does it all the same".to_owned();
        self.answer(job.ticket, &Reply::Refused { text, details }, now.mono);
    }

    fn begin_job(&mut self, job: Job) {
        if let Some(overrides) = &mut self.overrides {
            overrides.begin(job);
        }
    }

    /// The rules that a pattern is about, in the order of their slots.
    pub(super) fn matching(&self, glob: &Glob) -> Vec<(RuleId, Arc<str>)> {
        let rules = (0..).map(RuleId).zip(self.prober.engine.rules().iter());
        let all = rules.filter(|(_, rule)| !rule.is_vacant() && glob.matches(&rule.name));
        all.map(|(slot, rule)| (slot, rule.name.clone())).collect()
    }

    /// The names that a pattern is about and that only the book knows.
    fn lost(&self, glob: &Glob, found: &VecDeque<(Option<RuleId>, Arc<str>)>) -> Vec<Arc<str>> {
        let Some(overrides) = &self.overrides else { return Vec::new() };
        let found: BTreeSet<&str> = found.iter().map(|(_, name)| &**name).collect();
        let names = overrides.book().iter().map(|(name, _)| name);
        names.filter(|name| glob.matches(name) && !found.contains(&***name)).cloned().collect()
    }
}
