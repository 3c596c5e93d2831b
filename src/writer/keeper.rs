//! From what is wanted to what is: reads tables, writes what differs, tries again what failed.
//!
//! One call of the data plane at a time: whoever drives it looks for newer words in between. Nothing is
//! written into a table that has not been read since the last failure, so that what others did to it is known.

mod questions;
mod succession;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::desired::{Desired, Wanted, Why};
use super::journal::Journal;
use super::kept::{Kept, Retry};
use super::record::Record;
use super::{Settings, Written};
use crate::dataplane::{DataPlane, TableError};
use crate::rule::{Prefix, RuleId};
use crate::standing::Standing;
use questions::Questions;

/// How long after a write it is looked at whether the table holds what was written.
const PROVE_AFTER: Duration = Duration::from_millis(50);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something; there may be more.
    Did,
    /// Nothing is to be done before then; `None`: before something is said.
    Idle(Option<Instant>),
}

/// What has to be done to one table.
#[derive(Debug, Default)]
struct Batch {
    add: Vec<Prefix>,
    remove: Vec<Prefix>,
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
    /// Where to go on looking for something to do, so that no table keeps others waiting.
    next: usize,
}

impl Keeper {
    pub(super) fn new(settings: Settings, mut record: Record, now: Instant) -> Self {
        let Settings { tables, rules, plane, firewall, state_dir: _, rights: _ } = settings;
        let journal = Journal::new(tables.clone(), firewall.dry_run);
        let (desired, abandoned) = Desired::new(tables, rules, record.remembered(), now);
        journal.abandoned(&abandoned);
        // Before the first write: what is put in has to be known to whoever comes after a crash.
        record.keep(desired.managed(), now);
        let tables = desired.tables().iter().map(|_| Kept::default()).collect();
        let retry = Retry::default();
        let reconcile = firewall.reconcile;
        let (written, questions) = (Vec::new(), Questions::default());
        Self { plane, desired, tables, record, journal, reconcile, retry, written, questions, next: 0 }
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
        if may_call && self.write_one(clock) || self.keep_record(now) || may_call && self.read_one(clock) {
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
        if !self.retry.is_waiting(now) && (self.write_one(clock) || any_unread && self.read_one(clock)) {
            return Step::Did;
        }
        if self.record.due_at.is_some() {
            self.record.keep(self.desired.managed(), now);
        }
        Step::Idle(None)
    }

    fn keep_record(&mut self, now: Instant) -> bool {
        let is_due = self.record.due_at.is_some_and(|at| at <= now);
        if is_due {
            self.record.keep(self.desired.managed(), now);
        }
        is_due
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

    /// Writes the next table that has something to be written.
    fn write_one(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        for index in self.in_turn() {
            if self.tables[index].retry.is_waiting(now) {
                continue;
            }
            let Some(mut batch) = self.difference(index) else { continue };
            let must_leave = self.must_leave(index, &batch);
            if !must_leave.is_empty() {
                batch = Batch { add: Vec::new(), remove: must_leave };
            }
            self.next = index + 1;
            self.write(index, batch, clock);
            return true;
        }
        false
    }

    /// Reads the next table that is to be read.
    fn read_one(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        for index in self.in_turn() {
            let kept = &self.tables[index];
            let is_due = kept.is_unread() || kept.read_at.is_none_or(|at| at <= now);
            if is_due && !kept.retry.is_waiting(now) {
                self.next = index + 1;
                self.read(index, clock);
                return true;
            }
        }
        false
    }

    fn in_turn(&self) -> impl Iterator<Item = usize> + use<> {
        let (next, count) = (self.next, self.tables.len());
        (0..count).map(move |step| (next + step) % count)
    }

    /// What keeps a table from what is wanted; `None` when nothing does, or it is not known what it holds.
    fn difference(&mut self, index: usize) -> Option<Batch> {
        let kept = &mut self.tables[index];
        let contents = kept.contents.as_ref().filter(|_| kept.may_differ && !kept.must_read)?;
        let mut batch = Batch::default();
        for Wanted { address, is_in } in self.desired.wanted(index) {
            match (is_in, contents.contains(&address)) {
                (Some(true), false) => batch.add.push(address),
                (Some(false), true) => batch.remove.push(address),
                (Some(true), true) | (Some(false), false) | (None, _) => {}
            }
        }
        kept.may_differ = !batch.add.is_empty() || !batch.remove.is_empty();
        kept.may_differ.then_some(batch)
    }

    /// Those of a batch that must not wait until what failed to go in is in: they are down, and others serve.
    fn must_leave(&self, index: usize, batch: &Batch) -> Vec<Prefix> {
        let kept = &self.tables[index];
        let Some(contents) = kept.contents.as_ref().filter(|_| kept.adding_fails && !batch.add.is_empty())
        else {
            return Vec::new();
        };
        let serves = |of: Wanted| of.is_in == Some(true) && contents.contains(&of.address);
        if !self.desired.wanted(index).any(serves) {
            return Vec::new();
        }
        let members = self.desired.tables()[index].members.iter().enumerate();
        let is_down = |member| self.desired.fate(index, member).is_some_and(|fate| fate.why == Why::Down);
        let down: HashSet<Prefix> =
            members.filter(|(member, _)| is_down(*member)).map(|(_, of)| of.address).collect();
        batch.remove.iter().copied().filter(|address| down.contains(address)).collect()
    }

    /// Writes a batch: what is put in comes before what is taken out.
    fn write(&mut self, index: usize, batch: Batch, clock: &mut dyn FnMut() -> Instant) {
        let name = self.desired.tables()[index].name.clone();
        let from = clock();
        let mut done = Ok(());
        if !batch.add.is_empty() {
            done = self.plane.add(&name, &batch.add);
            self.tables[index].adding_fails = done.is_err();
        }
        if done.is_ok() && !batch.remove.is_empty() {
            done = self.plane.remove(&name, &batch.remove);
        }
        let now = clock();
        if let Err(error) = done {
            let kept = &mut self.tables[index];
            kept.refused = error.concerns_all_tables();
            // After a removal by itself it is the additions' turn again.
            kept.adding_fails &= !batch.add.is_empty();
            self.failed(index, &error, now);
            return;
        }
        let kept = &mut self.tables[index];
        kept.refused = false;
        if let Some(contents) = &mut kept.contents {
            contents.extend(&batch.add);
            for address in &batch.remove {
                contents.remove(address);
            }
        }
        kept.unproved = true;
        let prove_at = now.checked_add(PROVE_AFTER);
        kept.read_at = kept.read_at.into_iter().chain(prove_at).min();
        kept.written_at = Some(now);
        let holds = kept.contents.as_ref().map_or(0, HashSet::len);
        self.journal.written(index, &batch.add, &batch.remove, holds, now.saturating_duration_since(from));
        self.written.push(Written { table: index, added: batch.add, removed: batch.remove, at: now });
        self.firewall_answers();
    }

    fn read(&mut self, index: usize, clock: &mut dyn FnMut() -> Instant) {
        let name = self.desired.tables()[index].name.clone();
        let result = self.plane.read(&name);
        let now = clock();
        let contents: HashSet<Prefix> = match result {
            Ok(contents) => contents.into_iter().collect(),
            Err(error) => return self.failed(index, &error, now),
        };
        self.desired.found(index, &contents);
        let kept = &mut self.tables[index];
        let before = kept.contents.replace(contents);
        let was_unproved = std::mem::take(&mut kept.unproved);
        (kept.may_differ, kept.must_read) = (true, false);
        kept.read_at = now.checked_add(self.reconcile);
        self.forget_those_that_left(index, now);
        let changed = before.map_or(0, |before| self.changed_by_others(index, &before, was_unproved));
        let mut differs = true;
        if changed > 0 && was_unproved {
            // It would not hold it any better at once.
            self.tables[index].retry.wait(now);
        } else {
            self.decide_one(index, now);
            // Only now what failed before is over: there is nothing more to be written.
            differs = self.difference(index).is_some();
            if !differs {
                self.tables[index].refused = false;
                if let Some(error) = self.tables[index].retry.succeeded() {
                    self.journal.table_recovered(index, &error);
                }
            }
        }
        self.firewall_answers();
        if changed > 0 && was_unproved {
            self.was_not_reconciled(index, "it does not hold what was written into it a moment ago");
        } else {
            self.was_read(index, changed, differs);
        }
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

    /// Looks for what others changed of ours, which will be put right; so many addresses.
    fn changed_by_others(&mut self, index: usize, before: &HashSet<Prefix>, was_unproved: bool) -> u64 {
        let kept = &mut self.tables[index];
        let Some(contents) = &kept.contents else { return 0 };
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        for Wanted { address, is_in } in self.desired.wanted(index) {
            match (is_in, before.contains(&address), contents.contains(&address)) {
                (Some(true), true, false) => missing.push(address),
                (Some(false), false, true) => surplus.push(address),
                (Some(_) | None, _, _) => {}
            }
        }
        let count = (missing.len() + surplus.len()) as u64;
        kept.repairs += count;
        if count > 0 {
            self.journal.changed_by_others(index, &missing, &surplus, was_unproved);
        }
        count
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
        let kept = &mut self.tables[index];
        kept.contents = None;
        if error.concerns_all_tables() {
            self.tables.iter_mut().for_each(|kept| kept.must_read = true);
            if self.retry.failed(error.clone(), now) {
                self.journal.plane_failed(error, self.retry.at, now);
            }
            self.none_was_reconciled(error);
            return;
        }
        if kept.retry.failed(error.clone(), now) {
            self.journal.table_failed(index, error, kept.retry.at, now);
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
        tables.flatten().chain(self.desired.poll_timeout()).chain(self.record.due_at).min()
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
