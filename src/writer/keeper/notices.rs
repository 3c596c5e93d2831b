//! What others do to tables, where a data plane tells of it at once.

use std::os::fd::RawFd;
use std::time::Instant;

use super::super::kept::PACE;
use super::Keeper;
use crate::dataplane::Notices;

impl Keeper {
    /// What becomes readable when there is something to be taken notice of.
    pub(in crate::writer) fn notices(&self) -> Option<RawFd> {
        self.plane.notices()
    }

    /// Takes notice: tables that others have changed are to be read, those that could not be used as well.
    pub(in crate::writer) fn on_notices(&mut self, now: Instant) {
        let Notices { all, tables: changed } = self.plane.take_notices();
        for (kept, table) in self.tables.iter_mut().zip(self.desired.tables().iter()) {
            if !all && !changed.contains(&*table.name) {
                continue;
            }
            kept.noticed = true;
            let pace = kept.pace.max(PACE);
            let next = kept.looked_at.and_then(|at| at.checked_add(pace)).filter(|at| *at > now);
            kept.read_at = next.and_then(|next| kept.read_at.map(|at| at.min(next)));
            // What is found then is the others' doing, whatever was written before.
            kept.unproved = false;
            if kept.retry.error.is_some() {
                kept.retry.at = next;
            }
        }
    }
}
