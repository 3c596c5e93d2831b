//! Requests that set something in place of rules' own words, or clear it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Asked;
use super::pattern::Pattern;
use super::search::{Found, Search, Then};
use crate::control::protocol::{Fixed, Reply, Request};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::reactor::overrides::{Job, Wish};
use crate::rule::RuleId;
use crate::standing::Override;
use crate::sys::control_socket::Peer;

/// Objections named in one answer.
const OBJECTIONS_TOLD_MAX: usize = 20;

/// What a client wants of rules that are still looked for.
#[derive(Debug)]
pub(super) struct Setting {
    peer: Peer,
    by: Option<String>,
    wish: Wish,
    /// It is not done if it would empty a table or leave too little in it.
    is_careful: bool,
}

impl Setting {
    /// Whether nothing is to be set any more.
    pub(super) fn clears(&self) -> bool {
        self.wish == Wish::Clear
    }
}

impl Reactor {
    /// `drain`, `disable`, `enable` and `set`.
    pub(super) fn asked_to_set(&mut self, asked: Asked) {
        let Asked { ticket, peer, request } = asked;
        let set = |kind, for_ms: Option<u64>, reason| Wish::Set {
            kind,
            lasts: for_ms.map(Duration::from_millis),
            reason,
        };
        let (pattern, by, wish, is_careful) = match request {
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
        self.search(Search::new(ticket, pattern, Then::Set(Setting { peer, by, wish, is_careful })));
    }

    /// The rules that are meant have been found.
    pub(super) fn set_found(&mut self, ticket: u64, rules: VecDeque<Found>, setting: Setting) {
        let Setting { peer, by, wish, is_careful } = setting;
        let job = Job { ticket, peer, by, wish, rules, changed: 0 };
        if is_careful && self.writer.is_some() {
            self.waiting.writer.drains.push_back(job);
        } else {
            self.begin_job(job);
        }
    }

    /// The rules that a drain would take out, and those that it would take with them.
    pub(super) fn would_drain(&self, job: &Job) -> BTreeSet<RuleId> {
        self.prober.engine.down_with(job.rules.iter().filter_map(|found| self.slot_of(found)).collect())
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

    /// The names that a pattern is about and that only the book knows.
    pub(super) fn lost(&self, pattern: &Pattern, found: &VecDeque<Found>) -> Vec<Arc<str>> {
        let Some(overrides) = &self.overrides else { return Vec::new() };
        let found: BTreeSet<&str> = found.iter().map(|(_, name)| &**name).collect();
        let names = overrides.book().iter().map(|(name, _)| name);
        names.filter(|name| pattern.matches(name) && !found.contains(&***name)).cloned().collect()
    }
}
