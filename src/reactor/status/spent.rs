//! What was made for clients and nobody needs any more: given back a piece at a time, for to free ten megabytes takes longer
//! than a turn should.

use std::sync::Arc;
use std::time::Instant;

use crate::status::Body;
use crate::writer::{AddressStatus, TableStatus};

/// Addresses that are freed between two looks at the clock.
const ADDRESSES_AT_A_TIME: usize = 128;

/// Keeps what others have too, and frees what they have not any more.
#[derive(Debug, Default)]
pub(super) struct Spent {
    bodies: Vec<Body>,
    tables: Vec<Arc<[TableStatus]>>,
    /// Of such a table.
    addresses: Vec<AddressStatus>,
}

impl Spent {
    /// Nobody else is to free this one.
    pub(super) fn keep_body(&mut self, body: &Body) {
        if body.len() > 1 && !self.bodies.iter().any(|of| Arc::ptr_eq(of, body)) {
            self.bodies.push(body.clone());
        }
    }

    /// These are not the newest any more.
    pub(super) fn take_tables(&mut self, tables: Arc<[TableStatus]>) {
        self.tables.push(tables);
    }

    /// Whether something can be freed at once.
    pub(super) fn has_more(&self) -> bool {
        let is_unshared = |of: &Arc<[TableStatus]>| Arc::strong_count(of) == 1;
        let has_body = self.bodies.iter().any(|body| Arc::strong_count(body) == 1);
        has_body || !self.addresses.is_empty() || self.tables.iter().any(is_unshared)
    }

    /// Frees a piece, and more of them until the time is over.
    pub(super) fn free(&mut self, until: Instant, clock: impl Fn() -> Instant) {
        while self.free_piece() {
            if clock() >= until {
                return;
            }
        }
    }

    /// Whether there was one.
    fn free_piece(&mut self) -> bool {
        if !self.addresses.is_empty() {
            self.addresses.truncate(self.addresses.len().saturating_sub(ADDRESSES_AT_A_TIME));
            return true;
        }
        for place in 0..self.bodies.len() {
            let Some(pieces) = Arc::get_mut(&mut self.bodies[place]) else { continue };
            match pieces.iter_mut().find(|piece| !piece.is_empty()) {
                Some(piece) => *piece = Box::default(),
                None => drop(self.bodies.swap_remove(place)),
            }
            return true;
        }
        for place in 0..self.tables.len() {
            let Some(tables) = Arc::get_mut(&mut self.tables[place]) else { continue };
            match tables.iter_mut().find(|table| !table.addresses.is_empty()) {
                Some(table) => self.addresses = std::mem::take(&mut table.addresses).into_vec(),
                None => drop(self.tables.swap_remove(place)),
            }
            return true;
        }
        false
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use super::*;

    fn body() -> Body {
        (0..5_u8).map(|n| vec![n; 10].into_boxed_slice()).collect()
    }

    #[test]
    fn what_somebody_has_is_kept_and_what_nobody_has_goes_piece_by_piece() {
        let (now, mut spent) = (Instant::now(), Spent::default());
        let ours = body();
        spent.keep_body(&ours);
        spent.keep_body(&ours);
        spent.free(now, || now);
        assert!(!spent.has_more());
        assert_eq!(ours.len(), 5);
        assert!(ours.iter().all(|piece| piece.len() == 10));
        drop(ours);
        let mut turns = 0;
        while spent.has_more() {
            // The time is over at once: one piece goes.
            spent.free(now, || now);
            turns += 1;
        }
        assert_eq!(turns, 6, "five pieces, and what held them");
        assert!(spent.bodies.is_empty());
    }
}
