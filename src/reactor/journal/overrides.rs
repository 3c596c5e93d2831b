//! What operators set in place of rules' own words.

use std::fmt;
use std::sync::Arc;

use log::Level;

use super::Journal;
use crate::line::{self, Field, Harmless, Line, Value};
use crate::overrides::Entry;
use crate::overrides::store::NotRemembered;
use crate::standing::Override;
use crate::sys::clock::utc_time;
use crate::sys::control_socket::Peer;

/// Names in one line at most.
const NAMED_MAX: usize = 20;

impl Journal {
    /// Something was set for a rule.
    pub(in crate::reactor) fn override_set(&self, rule: &str, entry: &Entry, peer: &Peer) {
        let until = entry.until.map(|until| {
            let at = utc_time(until);
            format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                at.year, at.month, at.day, at.hour, at.minute, at.second
            )
        });
        let kind = entry.kind.word();
        by_peer(
            "override-set",
            rule,
            format_args!("is {} now", phrase(entry.kind)),
            kind,
            entry.by.as_deref(),
            peer,
            &[
                Field::new("until", until.as_ref().map_or(Value::Nothing, |until| Value::Bare(until))),
                Field::new(
                    "reason",
                    entry.reason.as_ref().map_or(Value::Nothing, |reason| Value::Quoted(reason)),
                ),
            ],
        );
    }

    /// What was set for a rule is cleared.
    pub(in crate::reactor) fn override_cleared(
        &self,
        rule: &str,
        was: Option<Override>,
        peer: &Peer,
        by: Option<&str>,
    ) {
        let (kind, what) = (was.map_or("", Override::word), was.map_or("set", phrase));
        by_peer("override-cleared", rule, format_args!("is no longer {what}"), kind, by, peer, &[]);
    }

    /// What was set for a rule has ended by itself.
    pub(in crate::reactor) fn override_ended(&self, rule: &str, kind: Override, returns: bool) {
        let (what, kind) = (phrase(kind), kind.word());
        let then = if returns { "; it counts as down until its next success" } else { "" };
        let line = Line {
            event: "override-ended",
            sentence: format_args!("'{rule}' is no longer {what}: its time is over{then}"),
            about: &[Field::hidden("rule", Value::Bare(&rule))],
            fields: &[
                Field::hidden("override", Value::Bare(&kind)),
                Field::hidden("returns", Value::Truth(returns)),
            ],
        };
        line::tell(Level::Info, module_path!(), &line);
    }

    /// What was set before this start.
    pub(in crate::reactor) fn remembered_overrides(&self, count: usize, has_control: bool) {
        let (level, how) = if has_control {
            (Level::Info, "'hfmctl status' shows them")
        } else {
            (Level::Warn, "without a control socket they cannot be cleared but by their time")
        };
        let line = Line {
            event: "overrides-remembered",
            sentence: format_args!("overrides of before are in force: {count}; {how}"),
            about: &[],
            fields: &[Field::hidden("overrides", Value::count(count))],
        };
        line::tell(level, module_path!(), &line);
    }

    /// Rules that are not in the configuration have something set.
    pub(in crate::reactor) fn overrides_wait(&self, names: &[(Arc<str>, Override)]) {
        for (rule, kind) in names.iter().take(NAMED_MAX) {
            let (what, kind) = (phrase(*kind), kind.word());
            let line = Line {
                event: "override-waits",
                sentence: format_args!(
                    "no rule is named '{rule}', which is {what}; kept for when it comes back ('hfmctl enable' \
                     clears it)"
                ),
                about: &[Field::hidden("rule", Value::Bare(rule))],
                fields: &[Field::hidden("override", Value::Bare(&kind))],
            };
            line::tell(Level::Warn, module_path!(), &line);
        }
        if let Some(more @ 1..) = names.len().checked_sub(NAMED_MAX) {
            let line = Line {
                event: "override-waits",
                sentence: format_args!("{more} more names that no rule has are set"),
                about: &[],
                fields: &[Field::hidden("overrides", Value::count(more))],
            };
            line::tell(Level::Warn, module_path!(), &line);
        }
    }

    /// At the end of the process something is not written.
    pub(in crate::reactor) fn overrides_lost(&self, error: &NotRemembered) {
        let line = Line {
            event: "overrides-lost",
            sentence: format_args!("what was set last is gone with this process: {error}"),
            about: &[],
            fields: &[Field::hidden("detail", Value::Bare(error))],
        };
        line::tell(Level::Warn, module_path!(), &line);
    }
}

/// What a rule is.
fn phrase(kind: Override) -> &'static str {
    match kind {
        Override::Drained => "drained",
        Override::Disabled => "disabled",
        Override::AlwaysFail => "set to always-fail",
        Override::AlwaysSuccess => "set to always-success",
    }
}

/// A line about what an operator did to a rule, with who did.
fn by_peer(
    event: &'static str,
    rule: &str,
    sentence: fmt::Arguments<'_>,
    kind: &str,
    by: Option<&str>,
    peer: &Peer,
    more: &[Field<'_>],
) {
    let by = by.map(Harmless);
    let pid = peer.pid.and_then(|pid| u64::try_from(pid).ok());
    let mut fields = vec![
        Field::hidden("override", Value::Bare(&kind)),
        Field::new("uid", Value::Number(peer.uid.into())),
        Field::new("pid", pid.map_or(Value::Nothing, Value::Number)),
        Field::new("by", by.as_ref().map_or(Value::Nothing, |by| Value::Quoted(by))),
    ];
    fields.extend_from_slice(more);
    let line = Line {
        event,
        sentence: format_args!("'{rule}' {sentence}"),
        about: &[Field::hidden("rule", Value::Bare(&rule))],
        fields: &fields,
    };
    line::tell(Level::Info, module_path!(), &line);
}
