//! Reading a table: what others did to it, and whether it holds what it should.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::super::desired::Wanted;
use super::super::kept::Kept;
use super::Keeper;
use crate::dataplane::{Contents, Managed};
use crate::rule::Prefix;

/// How long tables are read before it is looked at what there is to be written.
const READS_TIME: Duration = Duration::from_millis(2);

/// What was known of a table before it was read.
struct Before {
    addresses: HashSet<Prefix>,
    /// They had the places that they have to have among these.
    ordered_among: Option<Vec<Prefix>>,
    /// It was written since it was last read, by a data plane that is not sure.
    unproved: bool,
}

impl Keeper {
    /// Reads the next table that is to be read; where others have changed several, all of these within a short
    /// time, so that what somebody did to all of them is put right in one go.
    pub(super) fn read_some(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let from = clock();
        let mut any = false;
        while self.read_one(clock) {
            any = true;
            let now = clock();
            let is_enough = now.saturating_duration_since(from) >= READS_TIME;
            let is_due = |kept: &Kept| kept.noticed && kept.read_at.is_none_or(|at| at <= now);
            if self.plane.tables_at_once() == 1 || is_enough || !self.tables.iter().any(is_due) {
                break;
            }
        }
        any
    }

    /// Reads the next table that is to be read.
    fn read_one(&mut self, clock: &mut dyn FnMut() -> Instant) -> bool {
        let now = clock();
        for index in self.in_turn() {
            let kept = &self.tables[index];
            let is_due = kept.is_unread() || kept.read_at.is_none_or(|at| at <= now);
            if kept.read_now || is_due && !kept.retry.is_waiting(now) {
                self.next = index + 1;
                self.read(index, clock);
                return true;
            }
        }
        false
    }

    fn read(&mut self, index: usize, clock: &mut dyn FnMut() -> Instant) {
        let roster = self.desired.roster(index);
        let name = self.desired.tables()[index].name.clone();
        let result = self.plane.read(Managed { name: &name, members: &roster });
        let now = clock();
        let kept = &mut self.tables[index];
        (kept.looked_at, kept.read_now, kept.noticed) = (Some(now), false, false);
        let Contents { addresses, disordered } = match result {
            Ok(contents) => contents,
            Err(error) => return self.failed(index, &error, now),
        };
        let contents: HashSet<Prefix> = addresses.into_iter().collect();
        self.is_there(index, now);
        self.desired.found(index, &contents);
        let kept = &mut self.tables[index];
        let before = kept.contents.replace(contents).map(|addresses| Before {
            addresses,
            ordered_among: (!kept.disordered).then(|| std::mem::take(&mut kept.roster)),
            unproved: kept.unproved,
        });
        (kept.disordered, kept.roster) = (disordered, roster);
        (kept.may_differ, kept.must_read, kept.unproved) = (true, false, false);
        kept.read_at = now.checked_add(self.reconcile);
        self.attempted(index, now);
        self.forget_those_that_left(index, now);
        let changed = before.as_ref().map_or(0, |before| self.changed_by_others(index, before, now));
        if changed > 0 && before.is_some_and(|before| before.unproved) {
            // It would not hold it any better at once.
            self.tables[index].retry.wait(now);
            self.firewall_answers();
            self.was_not_reconciled(index, "it does not hold what was written into it a moment ago");
            return;
        }
        self.decide_one(index, now);
        // Only now what failed before is over: there is nothing more to be written.
        let differs = self.difference(index).is_some();
        self.found_as_wanted(index, differs);
        self.firewall_answers();
        self.was_read(index, changed, differs);
    }

    /// A table does not differ from what is wanted, unless it does.
    pub(super) fn found_as_wanted(&mut self, index: usize, differs: bool) {
        if differs {
            return;
        }
        self.tables[index].refused = false;
        if let Some(error) = self.tables[index].retry.succeeded() {
            self.journal.table_recovered(index, &error);
        }
    }

    /// Looks for what others changed of ours, which will be put right; so many addresses, or one for their places.
    fn changed_by_others(&mut self, index: usize, before: &Before, now: Instant) -> u64 {
        let kept = &mut self.tables[index];
        let Some(contents) = &kept.contents else { return 0 };
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        for Wanted { address, is_in } in self.desired.wanted(index) {
            match (is_in, before.addresses.contains(&address), contents.contains(&address)) {
                (Some(true), true, false) => missing.push(address),
                (Some(false), false, true) => surplus.push(address),
                (Some(_) | None, _, _) => {}
            }
        }
        let mut count = (missing.len() + surplus.len()) as u64;
        let had_places = before.ordered_among.as_ref() == Some(&kept.roster);
        let lost_places = count == 0 && had_places && kept.disordered && self.desired.is_known(index);
        count += u64::from(lost_places);
        kept.repairs += count;
        if count > 0 {
            kept.fight(now);
        }
        if lost_places {
            self.journal.places_changed_by_others(index);
        } else if count > 0 {
            self.journal.changed_by_others(index, &missing, &surplus, before.unproved);
        }
        count
    }
}
