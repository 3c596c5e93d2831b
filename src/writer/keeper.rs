//! From what is wanted to what is: reads tables, writes what differs, tries again what failed.
//!
//! One call of the data plane at a time: whoever drives it looks for newer words in between. Nothing is
//! written into a table that has not been read since the last failure, so that what others did to it is known.

mod kills;
mod notices;
mod questions;
mod reading;
mod succession;
mod writing;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::desired::{Desired, Why};
use super::journal::Journal;
use super::kept::{Kept, Presence, Retry};
use super::record::Record;
use super::{Settings, Writes, Written};
use crate::dataplane::{DataPlane, TableError};
use crate::rule::{Prefix, RuleId, Table};
use crate::standing::Standing;
use crate::sys::privilege::Rights;
use kills::Kills;
use questions::Questions;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something; there may be more.
    Did,
    /// Nothing is to be done before then; `None`: before something is said.
    Idle(Option<Instant>),
}

/// The tables, and what is wanted of them.
#[derive(Debug)]
pub(super) struct Keeper {
    plane: Box<dyn DataPlane>,
    desired: Desired,
    tables: Vec<Kept>,
    record: Record,
    journal: Journal,
    reconcile: Duration,
    /// A failure that all tables would meet with.
    retry: Retry,
    written: Vec<Written>,
    questions: Questions,
    kills: Kills,
    writes: Arc<Writes>,
    /// What threads of its own keep.
    rights: Rights,
    /// Where to go on looking for something to do, so that no table keeps others waiting.
    next: usize,
}

impl Keeper {
    pub(super) fn new(settings: Settings, mut record: Record, now: Instant) -> Self {
        let Settings { tables, rules, plane, firewall, state_dir: _, rights } = settings;
        let journal = Journal::new(tables.clone(), firewall.dry_run);
        let (desired, abandoned) = Desired::new(tables, rules, record.remembered(), now);
        journal.abandoned(&abandoned);
        // Before the first write: what is put in has to be known to whoever comes after a crash.
        record.keep(desired.managed(), now);
        let before: HashSet<&str> = record.remembered().iter().map(|of| &*of.table).collect();
        let kept = |table: &Table| {
            let presence = if before.contains(&*table.name) { Presence::Once } else { Presence::Unknown };
            Kept { presence, ..Kept::default() }
        };
        let tables = desired.tables().iter().map(kept).collect();
        let retry = Retry::default();
        let reconcile = firewall.reconcile;
        let (written, questions, kills) = (Vec::new(), Questions::default(), Kills::default());
        let next = 0;
        Self {
            plane,
            desired,
            tables,
            record,
            journal,
            reconcile,
            retry,
            written,
            questions,
            kills,
            writes: Arc::default(),
            rights,
            next,
        }
    }

    /// Counts there from now on.
    pub(super) fn count_in(&mut self, writes: Arc<Writes>) {
        self.writes = writes;
    }

    /// What a rule says of its addresses is now this.
    pub(super) fn on_standing(&mut self, rule: RuleId, standing: Standing) {
        if self.desired.on_standing(rule, standing) {
            for table in self.desired.tables_of(rule) {
                self.tables[*table].retry.forgive();
            }
        }
    }

    /// What was written since the last call.
    pub(super) fn take_written(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.written)
    }

    /// Logs how every table stands.
    pub(super) fn log_summary(&self, now: Instant) {
        self.journal.summary(self.plane.name(), &self.desired, &self.tables, &self.retry, now);
    }

    /// Does one thing: a write that is due before a read that is.
    pub(super) fn step(&mut self, clock: &mut dyn FnMut() -> Instant) -> Step {
        let now = clock();
        self.decide(now);
        let may_call = !self.retry.is_waiting(now);
        if may_call && self.write_some(clock)
            || self.keep_record(now)
            || may_call && (self.kill_some(clock) || self.read_some(clock))
        {
            return Step::Did;
        }
        Step::Idle(self.wakes_at())
    }

    /// The same at the end: writes what is to be written and waits for nothing.
    pub(super) fn finish_step(&mut self, clock: &mut dyn FnMut() -> Instant) -> Step {
        let now = clock();
        self.decide(now);
        let unread = |kept: &Kept| kept.is_unread() && kept.retry.error.is_none();
        let any_unread = self.tables.iter().any(unread);
        if !self.retry.is_waiting(now)
            && (self.write_some(clock) || self.finish_kills(clock) || any_unread && self.read_some(clock))
        {
            return Step::Did;
        }
        if self.record.due_at.is_some() {
            self.write_record(now);
        }
        Step::Idle(None)
    }

    fn keep_record(&mut self, now: Instant) -> bool {
        let is_due = self.record.due_at.is_some_and(|at| at <= now);
        if is_due {
            self.write_record(now);
        }
        is_due
    }

    /// Records what is managed, but for tables that were never there: nothing was put into them.
    fn write_record(&mut self, now: Instant) {
        let all = self.desired.tables().iter().zip(&self.tables);
        let never: HashSet<&str> =
            all.filter(|(_, kept)| kept.presence == Presence::Never).map(|(table, _)| &*table.name).collect();
        self.record.keep(self.desired.managed().filter(|of| !never.contains(&*of.table)), now);
    }

    /// A table is there.
    fn is_there(&mut self, index: usize, now: Instant) {
        let presence = std::mem::replace(&mut self.tables[index].presence, Presence::Once);
        if presence == Presence::Never {
            // Before the first write, as at a start.
            self.write_record(now);
        }
    }

    /// A table is not there.
    fn is_missing(&mut self, index: usize, now: Instant) {
        let presence = &mut self.tables[index].presence;
        if *presence == Presence::Unknown {
            *presence = Presence::Never;
            self.record.falls_behind(now);
        }
    }

    fn decide(&mut self, now: Instant) {
        for index in 0..self.tables.len() {
            self.decide_one(index, now);
        }
    }

    fn decide_one(&mut self, index: usize, now: Instant) {
        if self.desired.decide(index, now) {
            self.tables[index].may_differ = true;
            self.journal.decided(&self.desired, index, &mut self.tables[index]);
        }
    }

    fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        let (next, count) = (self.next, self.tables.len());
        (0..count).map(move |step| (next + step) % count)
    }

    /// What all tables met with is over, unless all that it does is let them be read.
    fn firewall_answers(&mut self) {
        if self.retry.error.is_some()
            && !self.tables.iter().any(|kept| kept.refused)
            && let Some(error) = self.retry.succeeded()
        {
            self.journal.plane_recovered(&error);
        }
    }

    /// Addresses that were to leave and are out are ours no more.
    fn forget_those_that_left(&mut self, index: usize, now: Instant) {
        let Some(contents) = &self.tables[index].contents else { return };
        if self.desired.have_left(index, contents) {
            self.record.falls_behind(now);
        }
    }

    /// A call failed: nothing is known of the table until it is read again.
    fn failed(&mut self, index: usize, error: &TableError, now: Instant) {
        self.writes.failed();
        if *error == TableError::NoTable {
            self.is_missing(index, now);
        }
        let kept = &mut self.tables[index];
        kept.contents = None;
        kept.refused &= error.concerns_all_tables();
        if error.concerns_all_tables() {
            self.tables.iter_mut().for_each(|kept| kept.must_read = true);
            if self.retry.failed(error.clone(), now) {
                self.journal.plane_failed(error, self.retry.at, now);
            }
            self.none_was_reconciled(error);
            return;
        }
        if kept.retry.failed(error.clone(), now) {
            let how_to_make = self.plane.how_to_make(&self.desired.tables()[index].name);
            self.journal.table_failed(index, error, &how_to_make, kept.retry.at, now);
        }
        self.firewall_answers();
        self.was_not_reconciled(index, &error.to_string());
    }

    /// When there is something to do that nobody says.
    fn wakes_at(&self) -> Option<Instant> {
        let tables = self.tables.iter().map(|kept| {
            // What is to be written, or is not known, waits for retries alone.
            let is_due = kept.is_unread() || kept.may_differ;
            let read_at = if is_due { None } else { kept.read_at };
            // All three: a table is not touched before any retry, and need not be before its next read.
            read_at.max(kept.retry.at).max(self.retry.at)
        });
        let kills = self.kills.wakes_at().max(self.retry.at.filter(|_| self.kills.wakes_at().is_some()));
        let others = [self.desired.poll_timeout(), self.record.due_at, kills];
        tables.flatten().chain(others.into_iter().flatten()).min()
    }
}

/// The members of a table that are held in it, by why.
pub(super) fn held(desired: &Desired, index: usize) -> Vec<(Prefix, Why)> {
    let members = desired.tables()[index].members.iter().enumerate();
    let held = members.filter_map(|(member, of)| {
        let why = desired.fate(index, member)?.why;
        why.is_held().then_some((of.address, why))
    });
    held.collect()
}

#[cfg(test)]
mod tests;
