//! Writing what differs: several tables in one go where the data plane can.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::super::Written;
use super::super::desired::{Wanted, Why};
use super::super::kept::Attempt;
use super::Keeper;
use crate::dataplane::{Change, Managed, TableError};
use crate::rule::Prefix;

/// How long after a write it is looked at whether the table holds what was written, unless that is sure.
pub(super) const PROVE_AFTER: Duration = Duration::from_millis(50);

/// What has to be done to one table; nothing at all puts its addresses in their places.
#[derive(Debug, Default)]
pub(super) struct Batch {
    add: Vec<Prefix>,
    remove: Vec<Prefix>,
}

impl Keeper {
    /// Writes the next tables that have something to be written, as many as the data plane takes at once.
    pub(super) fn write_some(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        let mut batches: Vec<(usize, Batch)> = Vec::new();
        for index in self.in_turn() {
            if self.tables[index].retry.is_waiting(now) {
                continue;
            }
            let Some(mut batch) = self.difference(index) else {
                let kept = &self.tables[index];
                if !kept.is_unread() && !kept.unproved {
                    // It may have become as it should be without being written.
                    self.was_proved(index, false);
                }
                continue;
            };
            let must_leave = self.must_leave(index, &batch);
            if !must_leave.is_empty() {
                batch = Batch { add: Vec::new(), remove: must_leave };
            }
            batches.push((index, batch));
            if batches.len() >= self.plane.tables_at_once() {
                break;
            }
        }
        let Some((last, _)) = batches.last() else { return false };
        self.next = last + 1;
        self.write(batches, clock);
        true
    }

    /// What keeps a table from what is wanted; `None` when nothing does, or it is not known what it holds.
    pub(super) fn difference(&mut self, index: usize) -> Option<Batch> {
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
        // Tables are left until first verdicts, and so are the places of their addresses.
        let is_out_of_order = kept.disordered && self.desired.is_known(index);
        kept.may_differ = !batch.add.is_empty() || !batch.remove.is_empty() || is_out_of_order;
        kept.may_differ.then_some(batch)
    }

    /// Those of a batch that must not wait until what failed to go in is in, while others serve.
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
        // A backup serves until the one that it stands in for is in.
        let members = self.desired.tables()[index].members.iter().enumerate();
        let stands_by =
            |member| self.desired.fate(index, member).is_some_and(|fate| fate.why == Why::BackupStands);
        let stay: HashSet<Prefix> =
            members.filter(|(member, _)| stands_by(*member)).map(|(_, of)| of.address).collect();
        batch.remove.iter().copied().filter(|address| !stay.contains(address)).collect()
    }

    /// Writes batches: in each what is put in comes before what is taken out.
    fn write(&mut self, batches: Vec<(usize, Batch)>, clock: &mut dyn FnMut() -> Instant) {
        let from = clock();
        let rosters: Vec<Vec<Prefix>> =
            batches.iter().map(|(index, _)| self.desired.roster(*index)).collect();
        let changes = batches.iter().zip(&rosters).map(|((index, batch), members)| Change {
            table: Managed { name: &self.desired.tables()[*index].name, members },
            add: &batch.add,
            remove: &batch.remove,
        });
        let changes: Vec<Change<'_>> = changes.collect();
        let results = self.plane.apply(&changes);
        let now = clock();
        let took = now.saturating_duration_since(from);
        self.writes.took(took);
        for (((index, batch), roster), result) in batches.into_iter().zip(rosters).zip(results) {
            match result {
                Ok(()) => self.was_written(index, batch, roster, took, now),
                Err(error) => self.was_not_written(index, batch, took, &error, now),
            }
        }
    }

    fn was_not_written(
        &mut self,
        index: usize,
        batch: Batch,
        took: Duration,
        error: &TableError,
        now: Instant,
    ) {
        let kept = &mut self.tables[index];
        kept.refused = error.concerns_all_tables();
        // After a removal by itself it is the additions' turn again.
        let fails_already = std::mem::replace(&mut kept.adding_fails, !batch.add.is_empty());
        let may_remove = kept.adding_fails && !fails_already && !batch.remove.is_empty();
        let Batch { add, remove } = batch;
        kept.attempted = Some(Attempt { add, remove, took });
        self.failed(index, error, now);
        let kept = &mut self.tables[index];
        kept.read_now = !error.concerns_all_tables();
        if may_remove && kept.read_now {
            // What is to leave need not wait for what cannot be put in.
            kept.retry.at = None;
        }
    }

    /// A write failed, and this is what it has done of what it was to do.
    pub(super) fn attempted(&mut self, index: usize, now: Instant) {
        let kept = &mut self.tables[index];
        let (Some(attempt), Some(contents)) = (kept.attempted.take(), &kept.contents) else { return };
        let Attempt { mut add, mut remove, took } = attempt;
        add.retain(|address| contents.contains(address));
        remove.retain(|address| !contents.contains(address));
        if add.is_empty() && remove.is_empty() {
            return;
        }
        kept.written_at = Some(now);
        self.journal.written(index, &add, &remove, contents.len(), took);
        self.consider_kills(index, &remove);
        self.written.push(Written { table: index, added: add, removed: remove, at: now });
    }

    fn was_written(&mut self, index: usize, batch: Batch, roster: Vec<Prefix>, took: Duration, now: Instant) {
        let is_sure = self.plane.is_sure();
        let kept = &mut self.tables[index];
        (kept.refused, kept.adding_fails, kept.attempted) = (false, false, None);
        if let Some(contents) = &mut kept.contents {
            contents.extend(&batch.add);
            for address in &batch.remove {
                contents.remove(address);
            }
        }
        (kept.disordered, kept.roster) = (false, roster);
        if !is_sure {
            kept.unproved = true;
            let prove_at = now.checked_add(PROVE_AFTER);
            kept.read_at = kept.read_at.into_iter().chain(prove_at).min();
        }
        kept.written_at = Some(now);
        let holds = kept.contents.as_ref().map_or(0, HashSet::len);
        self.journal.written(index, &batch.add, &batch.remove, holds, took);
        self.consider_kills(index, &batch.remove);
        self.written.push(Written { table: index, added: batch.add, removed: batch.remove, at: now });
        self.firewall_answers();
        if is_sure {
            self.proved(index, now);
        }
    }

    /// What a data plane that is sure has written is as good as read.
    fn proved(&mut self, index: usize, now: Instant) {
        self.forget_those_that_left(index, now);
        let differs = self.difference(index).is_some();
        self.found_as_wanted(index, differs);
        self.was_proved(index, differs);
    }
}
