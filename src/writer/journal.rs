//! What the writer tells the log: what it wrote and why, what it could not write, what others changed.

mod summary;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;

use super::desired::Desired;
use super::keeper::held;
use super::kept::Kept;
use crate::dataplane::{Kill, Killed, TableError};
use crate::line::{self, Field, Line, Listed, Value};
use crate::rule::{Prefix, Table};

/// Knows the tables' names.
#[derive(Debug)]
pub(super) struct Journal {
    tables: Arc<[Table]>,
    dry_run: bool,
}

impl Journal {
    pub(super) fn new(tables: Arc<[Table]>, dry_run: bool) -> Self {
        Self { tables, dry_run }
    }

    /// The tables are others now.
    pub(super) fn replace(&mut self, tables: Arc<[Table]>) {
        self.tables = tables;
    }

    fn name(&self, index: usize) -> &str {
        &self.tables[index].name
    }

    /// Tables that are not in the file any more.
    pub(super) fn abandoned(&self, names: &[Arc<str>]) {
        for name in names {
            let line = Line {
                event: "table-abandoned",
                sentence: format_args!(
                    "table '{name}' is named by no rule any more: it is left as it is, with what hfm put into it"
                ),
                about: &[Field::hidden("table", Value::Bare(name))],
                fields: &[],
            };
            line::tell(Level::Warn, module_path!(), &line);
        }
    }

    /// A table was decided anew: tells which addresses are held, if those are others than before.
    pub(super) fn decided(&self, desired: &Desired, index: usize, kept: &mut Kept) {
        let held = held(desired, index);
        let addresses: Vec<Prefix> = held.iter().map(|(address, _)| *address).collect();
        if addresses == kept.held_told {
            return;
        }
        match held.first() {
            None => self.say(
                Level::Info,
                index,
                "table-not-held",
                format_args!(" holds no address back any more"),
                &[Field::hidden("held[]", Value::Addresses(&[]))],
            ),
            Some((_, why)) => {
                let why = why.words();
                let are = match addresses.len() {
                    1 => "1 address is in although it is down".to_owned(),
                    count => format!("{count} addresses are in although they are down"),
                };
                self.say(
                    Level::Warn,
                    index,
                    "table-held",
                    format_args!(" {why}: {are}"),
                    &[
                        Field::hidden("why", Value::Bare(&why)),
                        Field::hidden("held_count", Value::count(addresses.len())),
                        Field::named("held", "held[]", Value::Addresses(&addresses)),
                    ],
                );
            }
        }
        kept.held_told = addresses;
    }

    /// A table was written.
    pub(super) fn written(
        &self,
        index: usize,
        added: &[Prefix],
        removed: &[Prefix],
        holds: usize,
        took: Duration,
    ) {
        let what = if self.dry_run { "would be written (dry_run)" } else { "written" };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.say(
            Level::Info,
            index,
            "table-written",
            format_args!(" {what}"),
            &[
                Field::hidden("dry_run", Value::Truth(self.dry_run)),
                Field::hidden("added_count", Value::count(added.len())),
                Field::hidden("removed_count", Value::count(removed.len())),
                Field::named("added", "added[]", Value::Addresses(added)),
                Field::named("removed", "removed[]", Value::Addresses(removed)),
                Field::new("holds", Value::count(holds)),
                Field::new("took_us", Value::Number(took_us)),
            ],
        );
    }

    /// A table does not hold what it held when it was last read or written.
    pub(super) fn changed_by_others(
        &self,
        index: usize,
        missing: &[Prefix],
        surplus: &[Prefix],
        was_unproved: bool,
    ) {
        if was_unproved {
            self.say(
                Level::Error,
                index,
                "table-not-as-written",
                format_args!(" does not hold what was written into it a moment ago, trying again"),
                &[
                    Field::named("missing", "missing[]", Value::Addresses(missing)),
                    Field::named("surplus", "surplus[]", Value::Addresses(surplus)),
                ],
            );
        } else {
            let put_right = if self.dry_run { "would be" } else { "is" };
            self.say(
                Level::Warn,
                index,
                "table-changed-by-others",
                format_args!(
                    " was changed by others and {put_right} put right missing=[{}] surplus=[{}]; to take an address out use \
                     'hfmctl drain'",
                    Listed(missing),
                    Listed(surplus)
                ),
                &[
                    Field::hidden("missing[]", Value::Addresses(missing)),
                    Field::hidden("surplus[]", Value::Addresses(surplus)),
                ],
            );
        }
    }

    /// The addresses of a table do not have the places that they had when it was last read or written.
    pub(super) fn places_changed_by_others(&self, index: usize) {
        self.say(
            Level::Warn,
            index,
            "table-changed-by-others",
            format_args!(": others changed which address has which place, and it is put right"),
            &[
                Field::hidden("missing[]", Value::Addresses(&[])),
                Field::hidden("surplus[]", Value::Addresses(&[])),
            ],
        );
    }

    /// Connections and client bindings towards addresses that have left were ended.
    pub(super) fn killed(&self, addresses: &[Prefix], what: Kill, killed: Killed) {
        let Killed { source_nodes, states } = killed;
        if what == Kill::SourceNodes && source_nodes == 0 {
            // Most firewalls have none, and most addresses leave without one.
            return;
        }
        let would = if self.dry_run { "would be (dry_run)" } else { "are" };
        let line = Line {
            event: "killed",
            sentence: match what {
                Kill::States => format_args!("connections towards addresses that failed {would} ended"),
                Kill::SourceNodes => format_args!("clients of addresses that left {would} sent elsewhere"),
            },
            about: &[],
            fields: &[
                Field::hidden("dry_run", Value::Truth(self.dry_run)),
                Field::named("towards", "addresses[]", Value::Addresses(addresses)),
                Field::new("source_nodes", Value::Number(source_nodes)),
                Field::new("states", Value::Number(states)),
            ],
        };
        line::tell(Level::Info, module_path!(), &line);
    }

    /// There is no thread for it: tables wait meanwhile.
    pub(super) fn kills_in_turn(&self, error: &std::io::Error) {
        let line = Line {
            event: "kills-in-turn",
            sentence: format_args!(
                "no thread can be had to end connections: {error}; tables wait while that is done"
            ),
            about: &[],
            fields: &[Field::hidden("detail", Value::Bare(error))],
        };
        line::tell(Level::Warn, module_path!(), &line);
    }

    /// They could not be; whether that is tried again.
    pub(super) fn kill_failed(&self, addresses: &[Prefix], failure: &TableError, is_tried_again: bool) {
        let then = if is_tried_again { "trying again" } else { "they end by themselves" };
        let line = Line {
            event: "kill-failed",
            sentence: format_args!(
                "connections towards addresses that left cannot be ended: {failure}; {then}"
            ),
            about: &[],
            fields: &[
                Field::named("towards", "addresses[]", Value::Addresses(addresses)),
                Field::hidden("detail", Value::Bare(failure)),
            ],
        };
        line::tell(Level::Warn, module_path!(), &line);
    }

    /// An address left a table and is still in another one, so that its connections stay.
    pub(super) fn not_killed(&self, index: usize, address: Prefix, other: usize) {
        let other = self.name(other);
        self.say(
            Level::Info,
            index,
            "not-killed",
            format_args!(": connections of {address} are left, it is still in table '{other}'"),
            &[
                Field::hidden("address", Value::Bare(&address)),
                Field::hidden("other_table", Value::Bare(&other)),
            ],
        );
    }

    /// No table can be read or written.
    pub(super) fn plane_failed(&self, failure: &TableError, retry_at: Option<Instant>, now: Instant) {
        let retry = RetryIn(retry_at, now);
        let line = Line {
            event: "tables-failed",
            sentence: format_args!(
                "tables cannot be read or written: {failure}; they stay as they are, {retry}"
            ),
            about: &[],
            fields: &[
                Field::hidden("detail", Value::Bare(failure)),
                Field::hidden("retry_ms", Value::Millis(retry.wait())),
            ],
        };
        line::tell(Level::Error, module_path!(), &line);
    }

    /// They can again.
    pub(super) fn plane_recovered(&self, failure: &TableError) {
        let line = Line {
            event: "tables-recovered",
            sentence: format_args!("tables can be read and written again, after: {failure}"),
            about: &[],
            fields: &[Field::hidden("detail", Value::Bare(failure))],
        };
        line::tell(Level::Info, module_path!(), &line);
    }

    /// One table cannot be read or written.
    pub(super) fn table_failed(
        &self,
        index: usize,
        failure: &TableError,
        how_to_make: &str,
        retry_at: Option<Instant>,
        now: Instant,
    ) {
        let retry = RetryIn(retry_at, now);
        let fields = [
            Field::hidden("detail", Value::Bare(failure)),
            Field::hidden("retry_ms", Value::Millis(retry.wait())),
        ];
        match failure {
            TableError::NoTable => self.say(
                Level::Warn,
                index,
                "table-failed",
                format_args!(": {failure}; it is not made by hfm, {how_to_make}, {retry}"),
                &fields,
            ),
            TableError::Absent(_)
            | TableError::NotPermitted(_)
            | TableError::Syntax(_)
            | TableError::Timeout(_)
            | TableError::Other(_) => self.say(
                Level::Error,
                index,
                "table-failed",
                format_args!(" cannot be read or written: {failure}; it stays as it is, {retry}"),
                &fields,
            ),
        }
    }

    /// It can again.
    pub(super) fn table_recovered(&self, index: usize, failure: &TableError) {
        self.say(
            Level::Info,
            index,
            "table-recovered",
            format_args!(" is as it should be again, after: {failure}"),
            &[Field::hidden("detail", Value::Bare(failure))],
        );
    }

    /// A line about a table; what follows its name brings its own blank.
    fn say(
        &self,
        level: Level,
        index: usize,
        event: &'static str,
        sentence: fmt::Arguments<'_>,
        fields: &[Field<'_>],
    ) {
        let name = self.name(index);
        let line = Line {
            event,
            sentence: format_args!("table '{name}'{sentence}"),
            about: &[Field::hidden("table", Value::Bare(&name))],
            fields,
        };
        line::tell(level, module_path!(), &line);
    }
}

/// When the next try is made.
struct RetryIn(Option<Instant>, Instant);

impl RetryIn {
    fn wait(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |at| at.saturating_duration_since(self.1))
    }
}

impl fmt::Display for RetryIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trying again in {:.1} s", self.wait().as_secs_f64())
    }
}
