//! What the writer tells the log: what it wrote and why, what it could not write, what others changed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{error, info, warn};

use super::desired::{Desired, Why};
use super::keeper::held;
use super::kept::{Kept, Retry};
use crate::dataplane::TableError;
use crate::rule::{Prefix, Table};

/// Addresses named in one line at most.
const NAMED_MAX: usize = 20;
/// Addresses listed one by one in a summary at most.
const LISTED_MAX: usize = 200;

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
            warn!(
                "table '{name}' is named by no rule any more: it is left as it is, with what hfm put into it"
            );
        }
    }

    /// A table was decided anew: tells which addresses are held, if those are others than before.
    pub(super) fn decided(&self, desired: &Desired, index: usize, kept: &mut Kept) {
        let held = held(desired, index);
        let addresses: Vec<Prefix> = held.iter().map(|(address, _)| *address).collect();
        if addresses == kept.held_told {
            return;
        }
        let name = self.name(index);
        match held.first() {
            None => info!("table '{name}' holds no address back any more"),
            Some((_, why)) => {
                let count = match addresses.len() {
                    1 => "1 address is in although it is down".to_owned(),
                    count => format!("{count} addresses are in although they are down"),
                };
                let (why, addresses) = (why.words(), Listed(&addresses));
                warn!("table '{name}' {why}: {count} held=[{addresses}]");
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
        let name = self.name(index);
        let what = if self.dry_run { "would be written (dry_run)" } else { "written" };
        let (added, removed) = (Listed(added), Listed(removed));
        let took_us = took.as_micros();
        info!("table '{name}' {what} added=[{added}] removed=[{removed}] holds={holds} took_us={took_us}");
    }

    /// A table does not hold what it held when it was last read or written.
    pub(super) fn changed_by_others(
        &self,
        index: usize,
        missing: &[Prefix],
        surplus: &[Prefix],
        was_unproved: bool,
    ) {
        let name = self.name(index);
        let (missing, surplus) = (Listed(missing), Listed(surplus));
        if was_unproved {
            error!(
                "table '{name}' does not hold what was written into it a moment ago, trying again missing=[{missing}] \
                 surplus=[{surplus}]"
            );
        } else {
            warn!(
                "table '{name}' was changed by others and is put right missing=[{missing}] surplus=[{surplus}]; to take \
                 an address out, make its test fail"
            );
        }
    }

    /// No table can be read or written.
    pub(super) fn plane_failed(&self, failure: &TableError, retry_at: Option<Instant>, now: Instant) {
        let retry = RetryIn(retry_at, now);
        error!("tables cannot be read or written: {failure}; they stay as they are, {retry}");
    }

    /// They can again.
    pub(super) fn plane_recovered(&self, failure: &TableError) {
        info!("tables can be read and written again, after: {failure}");
    }

    /// One table cannot be read or written.
    pub(super) fn table_failed(
        &self,
        index: usize,
        failure: &TableError,
        retry_at: Option<Instant>,
        now: Instant,
    ) {
        let (name, retry) = (self.name(index), RetryIn(retry_at, now));
        match failure {
            TableError::NoTable => {
                warn!(
                    "table '{name}': {failure}; it is not made by hfm, write 'table <NAME> persist' into pf.conf, {retry}"
                );
            }
            TableError::Absent(_)
            | TableError::NotPermitted(_)
            | TableError::Syntax(_)
            | TableError::Timeout(_)
            | TableError::Other(_) => {
                error!("table '{name}' cannot be read or written: {failure}; it stays as it is, {retry}");
            }
        }
    }

    /// It can again.
    pub(super) fn table_recovered(&self, index: usize, failure: &TableError) {
        info!("table '{}' is as it should be again, after: {failure}", self.name(index));
    }

    /// How every table stands, then every address that is not simply in because it is up.
    pub(super) fn summary(
        &self,
        plane: &str,
        desired: &Desired,
        tables: &[Kept],
        retry: &Retry,
        now: Instant,
    ) {
        let dry = if self.dry_run { " dry_run" } else { "" };
        let trouble = retry
            .error
            .as_ref()
            .map_or_else(String::new, |error| format!(" trouble={:?}", error.to_string()));
        info!("summary: dataplane={plane}{dry} tables={}{trouble}", tables.len());
        let mut listed = 0;
        for (index, kept) in tables.iter().enumerate() {
            self.summary_of_table(desired, index, kept, now);
            listed += self.summary_of_members(desired, index, kept, LISTED_MAX.saturating_sub(listed));
        }
        if listed > LISTED_MAX {
            info!("summary: {} more addresses are not in because they are up", listed - LISTED_MAX);
        }
    }

    fn summary_of_table(&self, desired: &Desired, index: usize, kept: &Kept, now: Instant) {
        let members = 0..self.tables[index].members.len();
        let fates: Vec<_> = members.filter_map(|member| desired.fate(index, member)).collect();
        let wanted = fates.iter().filter(|fate| fate.is_in).count();
        let held = fates.iter().filter(|fate| fate.why.is_held()).count();
        let (actual, others) = match &kept.contents {
            None => ("unknown".to_owned(), "unknown".to_owned()),
            Some(contents) => {
                let ours = |member: &&crate::rule::Member| contents.contains(&member.address);
                let ours = self.tables[index].members.iter().filter(ours).count();
                (ours.to_string(), (contents.len() - ours).to_string())
            }
        };
        let age = |at: Instant| format!("{:.1}s ago", now.saturating_duration_since(at).as_secs_f64());
        let written = kept.written_at.map_or_else(|| "never".to_owned(), age);
        let trouble = kept
            .retry
            .error
            .as_ref()
            .map_or_else(String::new, |error| format!(" trouble={:?}", error.to_string()));
        info!(
            "summary: table '{}' managed={} wanted={wanted} actual={actual} held={held} leaving={} others={others} \
             repairs={} written={written:?}{trouble}",
            self.name(index),
            self.tables[index].members.len(),
            desired.leaving(index).len(),
            kept.repairs,
        );
    }

    /// Lists up to `room` addresses; says how many there were to list.
    fn summary_of_members(&self, desired: &Desired, index: usize, kept: &Kept, room: usize) -> usize {
        let is_in = |address: Prefix| match &kept.contents {
            None => "unknown",
            Some(contents) if contents.contains(&address) => "in",
            Some(_) => "out",
        };
        let mut count = 0;
        let name = self.name(index);
        for (number, member) in self.tables[index].members.iter().enumerate() {
            let fate = desired.fate(index, number);
            let (wanted, why) = match fate {
                None => ("unknown", "the table was not read yet"),
                Some(fate) => (if fate.is_in { "in" } else { "out" }, fate.why.words()),
            };
            let actual = is_in(member.address);
            if fate.is_some_and(|fate| fate.why == Why::Up) && actual == wanted {
                continue;
            }
            count += 1;
            if count <= room {
                let address = member.address;
                info!("summary: table '{name}' {address} wanted={wanted} actual={actual} why={why:?}");
            }
        }
        for address in desired.leaving(index) {
            count += 1;
            if count <= room {
                let actual = is_in(*address);
                info!(
                    "summary: table '{name}' {address} wanted=out actual={actual} why=\"no rule names it any more\""
                );
            }
        }
        count
    }
}

/// Addresses in one line, a bounded number of them.
struct Listed<'a>(&'a [Prefix]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().take(NAMED_MAX).enumerate() {
            write!(f, "{}{address}", if index > 0 { " " } else { "" })?;
        }
        match self.0.len().checked_sub(NAMED_MAX) {
            Some(more @ 1..) => write!(f, " and {more} more"),
            Some(_) | None => Ok(()),
        }
    }
}

/// When the next try is made.
struct RetryIn(Option<Instant>, Instant);

impl fmt::Display for RetryIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wait = self.0.map_or(Duration::ZERO, |at| at.saturating_duration_since(self.1));
        write!(f, "trying again in {:.1} s", wait.as_secs_f64())
    }
}
