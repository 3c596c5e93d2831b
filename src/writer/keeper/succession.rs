//! Going over to other tables while the writer runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::super::Replacement;
use super::super::kept::{Kept, Presence};
use super::Keeper;
use crate::rule::RuleId;

impl Keeper {
    /// Goes over to other tables. What is known of those that are still there stays known, but each is read
    /// before it is written: addresses may be ours now that were not.
    pub(in crate::writer) fn replace(&mut self, replacement: Replacement, now: Instant) {
        let Replacement { tables, carried, reconcile } = replacement;
        let names = self.desired.tables().iter().map(|table| table.name.clone());
        let mut known: HashMap<Arc<str>, Kept> = names.zip(self.tables.drain(..)).collect();
        let is_carried = |rule: RuleId| carried.get(rule.index()).copied().unwrap_or(false);
        let carried_over = |rule| is_carried(rule).then_some(rule);
        let mut abandoned = self.desired.replace(tables.clone(), carried.len(), carried_over, now);
        self.tables = tables.iter().map(|table| known.remove(&table.name).unwrap_or_default()).collect();
        // Into one that was never there nothing was put.
        abandoned.retain(|name| known.get(name).is_none_or(|kept| kept.presence != Presence::Never));
        self.retry.forgive();
        for kept in &mut self.tables {
            kept.must_read = true;
            kept.attempted = None;
            // The file may cure what failed.
            kept.retry.forgive();
        }
        self.journal.replace(tables);
        self.journal.abandoned(&abandoned);
        // Before the first write, as at a start.
        self.write_record(now);
        self.reconcile = reconcile;
        self.reconcile_anew();
    }
}
