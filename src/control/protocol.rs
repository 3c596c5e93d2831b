//! The protocol of the control socket, which `hfmctl` speaks and anybody else may.
//!
//! A stream over a Unix socket. Each way one JSON object (RFC 8259) a line, in UTF-8, ended by `\n`. A client
//! sends a [`Request`] and reads [`Reply`] lines until one that ends the answer ([`Reply::is_last`]: `done` or
//! `refused`); then it may send the next. What it sends before that waits. Members that are not named here are
//! refused in requests, and to be ignored in replies: later versions may have more of them.
//!
//! ```text
//! > {"command":"drain","rules":"web/*","for_ms":7200000,"reason":"kernel update"}
//! < {"type":"changed","rule":"web/1","override":{"kind":"drained",...}}
//! < {"type":"changed","rule":"web/2","override":{"kind":"drained",...}}
//! < {"type":"done","text":"2 rules drained"}
//! > {"command":"status","rules":"nosuch"}
//! < {"type":"refused","text":"no rule matches 'nosuch'"}
//! ```
//!
//! A line of a request is at most [`LINE_BYTES_MAX`] bytes. A client that does not read, that sends no whole
//! request for long, or one too many, is closed; nothing that a client does holds up anything but itself.
//! Whoever may connect (the socket's mode is 0660) may do everything. The peer's user (SO_PEERCRED,
//! getpeereid(3)) is recorded with each change; `by` adds whom the client says it acts for.
//!
//! Moments are seconds since 1970 (UTC) with a fraction; spans say their unit in their name. A member that is
//! `null` is not known or does not apply.

mod stats;

use serde::{Deserialize, Serialize};

pub use stats::{DemotionRow, StatsRow};

/// The longest line of a request, in bytes, its end included.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// The longest `rules` or `tables`, in characters; no name in a configuration is longer.
pub const RULES_CHARACTERS_MAX: usize = 1024;
/// The longest `reason`, in characters.
pub const REASON_CHARACTERS_MAX: usize = 256;
/// The longest `by`, in characters.
pub const BY_CHARACTERS_MAX: usize = 64;
/// The longest `for_ms`: ten years.
pub const FOR_MS_MAX: u64 = 10 * 366 * 86_400_000;

/// What a client asks. `rules` is the name of a rule, or a glob (see [`Glob`](super::Glob)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How rules stand: a `rule` line for each.
    Status {
        /// Which; all without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rules: Option<String>,
    },
    /// How tables stand: a `table` line for each, after it an `address` line for each of its addresses.
    Tables {
        /// Which, by name or glob; all without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tables: Option<String>,
    },
    /// Takes rules out on purpose: they count as down, while they go on being tested. Ends by `enable`, or by
    /// itself. Refused when it would empty a table or take it below its `min_up`, unless `force` is given.
    Drain {
        /// Which.
        rules: String,
        /// Ends by itself after this, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whom the client acts for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Whatever becomes of the tables.
        #[serde(default)]
        force: bool,
    },
    /// Stops testing rules; what they say of their addresses stays as it is.
    Disable {
        /// Which.
        rules: String,
        /// Ends by itself after this, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whom the client acts for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Clears what was set by `drain`, `disable` or `set`.
    Enable {
        /// Which.
        rules: String,
        /// Whom the client acts for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Has rules count as down or up whatever their tests say.
    Set {
        /// Which.
        rules: String,
        /// As what they count.
        to: Fixed,
        /// Ends by itself after this, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whom the client acts for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Runs the test of rules once, now, without any effect on their health: a `verdict` line for each.
    Run {
        /// Which.
        rules: String,
    },
    /// Reads the configuration again: done when the new one is in force, refused with every error in it.
    Reload {},
    /// Reads all tables now and repairs what differs; done when that has been tried.
    Reconcile {},
    /// Tells what happens from now on: an `event` line for each, until the client closes.
    Events {},
    /// What was counted and measured since the start: a `stats` line.
    Stats {},
    /// Logs this level and graver from now on: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    Log {
        /// The level.
        level: String,
    },
    /// Ends hfm, as SIGTERM does.
    Stop {},
}

impl Request {
    /// Reads a line, its end left out.
    ///
    /// # Errors
    /// When it is no request; in words, one line.
    pub fn parse(line: &str) -> Result<Self, String> {
        if !line.trim_start().starts_with('{') {
            return Err("a request is an object of JSON in one line".to_owned());
        }
        serde_json::from_str(line).map_err(|error| format!("not a request: {error}"))
    }
}

/// As what a rule counts by `set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fixed {
    /// Down.
    AlwaysFail,
    /// Up.
    AlwaysSuccess,
}

/// A line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Reply {
    /// A rule.
    Rule(Box<RuleRow>),
    /// A table.
    Table(TableRow),
    /// An address of the table before it.
    Address(AddressRow),
    /// What was set of a rule was changed.
    Changed {
        /// The rule.
        rule: String,
        /// What is set now; `null`: nothing.
        #[serde(rename = "override")]
        set: Option<OverrideRow>,
        /// What is to be known of it.
        note: Option<String>,
    },
    /// What a run found.
    Verdict(VerdictRow),
    /// What was counted and measured.
    Stats(Box<StatsRow>),
    /// Events that this client was too slow for.
    Missed {
        /// How many.
        count: u64,
    },
    /// Something that the operator should know; the answer goes on.
    Warning {
        /// In words, one line.
        text: String,
    },
    /// The request was carried out; ends the answer.
    Done {
        /// In words, one line.
        text: String,
    },
    /// The request was not carried out; ends the answer.
    Refused {
        /// Why, in words, one line.
        text: String,
        /// More to it, such as every error of a configuration with its place; each may have several lines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        details: Vec<String>,
    },
    /// A line of another kind. An `event` line is one of them: `{"type":"event",` and then what a line of the
    /// log has with `log_format = json`.
    #[serde(other)]
    Other,
}

impl Reply {
    /// Whether it ends the answer.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Refused { .. })
    }
}

/// How a rule stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRow {
    /// Its name.
    pub rule: String,
    /// Its effective state, with what it requires and what is set: `success`, `fail` or `unknown`.
    pub state: String,
    /// By its own verdicts, or its `status`.
    pub own: String,
    /// When its effective state became what it is.
    pub since: Option<f64>,
    /// Its last verdict: `success`, `failure` or `inconclusive`.
    pub verdict: Option<String>,
    /// Why its state, or else its last verdict, is what it is: a name from the list of reasons.
    pub reason: Option<String>,
    /// The same in words; of a rule that has ended with `cannot-start`, its test and why that cannot be started.
    pub detail: Option<String>,
    /// The required rule that is down, when the reason is `requires`.
    pub blame: Option<String>,
    /// Half of its last 128 conclusive runs took no longer than this, in microseconds.
    pub p50_us: Option<u64>,
    /// 99 % of them.
    pub p99_us: Option<u64>,
    /// Successes among its conclusive runs, in percent.
    pub availability: Option<f64>,
    /// Runs that were started.
    pub runs: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Runs that were inconclusive.
    pub inconclusive: u64,
    /// Slots in which no run started.
    pub missed: u64,
    /// When the next run is due; `null` while one is under way, or when none will come.
    pub next: Option<f64>,
    /// Whether a run is under way.
    pub running: bool,
    /// It has had no conclusive verdict for too long.
    pub stale: bool,
    /// Why it is not tested any more: `disabled` (by the file), `runs-used-up` or `cannot-start`.
    pub ended: Option<String>,
    /// What an operator has set.
    #[serde(rename = "override")]
    pub set: Option<OverrideRow>,
}

/// What an operator has set in place of a rule's own word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverrideRow {
    /// `drained`, `disabled`, `always-fail` or `always-success`.
    pub kind: String,
    /// Why.
    pub reason: Option<String>,
    /// The user that set it, by number.
    pub uid: u32,
    /// Whom that user said to act for.
    pub by: Option<String>,
    /// When.
    pub since: f64,
    /// When it ends by itself.
    pub until: Option<f64>,
}

/// How a table stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// Its name.
    pub table: String,
    /// What holds it: `pfctl`, `memory`, ...
    pub dataplane: String,
    /// It is never written: what would have been counts as `actual` and as `written`.
    #[serde(default)]
    pub dry_run: bool,
    /// How many addresses are ours.
    pub managed: usize,
    /// How many of them should be in.
    pub wanted: usize,
    /// How many of them are in, as last read or written; `null` while that is not known.
    pub actual: Option<usize>,
    /// How many are in only because of `min_up` or `panic`.
    pub held: usize,
    /// How many addresses are in it that are not ours.
    pub others: Option<usize>,
    /// Addresses that others took out or put in, and that were put right.
    pub repairs: u64,
    /// When it was last written.
    pub written: Option<f64>,
    /// What keeps it from being read or written.
    pub error: Option<String>,
    /// When that is tried again.
    pub retry: Option<f64>,
}

/// How an address of a table stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressRow {
    /// The table.
    pub table: String,
    /// The address.
    pub address: String,
    /// Whether it should be in; `null`: it stays as it is.
    pub wanted: Option<bool>,
    /// Whether it is in; `null` while that is not known.
    pub actual: Option<bool>,
    /// It is in only because of `min_up` or `panic`.
    pub held: bool,
    /// Why, in a word or a few.
    pub why: String,
    /// The rules that have a say in it; none for one that no rule names any more.
    pub rules: Vec<String>,
}

/// What a run that was asked for found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The rule.
    pub rule: String,
    /// `success`, `failure` or `inconclusive`.
    pub verdict: String,
    /// A name from the list of reasons.
    pub reason: String,
    /// In words.
    pub detail: String,
    /// From its start to its end, in microseconds.
    pub total_us: u64,
    /// It was the rule's next run on its schedule, for another one would not have fitted in before that; its
    /// health was told of it as of every run.
    pub scheduled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_documented() {
        let drain = r#"{"command":"drain","rules":"web/*","for_ms":7200000,"reason":"kernel update"}"#;
        assert_eq!(
            Request::parse(drain),
            Ok(Request::Drain {
                rules: "web/*".to_owned(),
                for_ms: Some(7_200_000),
                reason: Some("kernel update".to_owned()),
                by: None,
                force: false,
            })
        );
        assert_eq!(Request::parse(r#"{"command":"status"}"#), Ok(Request::Status { rules: None }));
        assert_eq!(Request::parse(r#"{"command":"stop"}"#), Ok(Request::Stop {}));
    }

    #[test]
    fn what_is_not_known_in_a_request_is_refused() {
        for line in [
            r#"{"command":"stop","now":true}"#,
            r#"{"command":"drain","rules":"a","for":"2h"}"#,
            r#"{"command":"status","rules":7}"#,
            r#"{"command":"flush"}"#,
            r#"{"command":"drain"}"#,
            r#"{"rules":"a"}"#,
            r#"["stop"]"#,
            r#""stop""#,
            r#"{"command":"set","rules":"a","to":"up"}"#,
            r#"{"command":"drain","rules":"a","for_ms":-1}"#,
        ] {
            assert!(Request::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn replies_of_a_later_version_are_read_by_this_one() {
        let reply: Reply = serde_json::from_str(r#"{"type":"done","text":"x","more":1}"#).unwrap();
        assert!(reply.is_last());
        let reply: Reply = serde_json::from_str(r#"{"type":"event","time":"x"}"#).unwrap();
        assert_eq!(reply, Reply::Other);
    }
}
