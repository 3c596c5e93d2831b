//! When clients are looked after: not in every turn, and not while a run is due in a moment.
//!
//! After a turn that looked after them they are left alone for a millisecond, so that they never take more than a small
//! part of the processor, and until a run that is due soon has begun.

use std::time::{Duration, Instant};

/// How long clients are left alone after a turn that looked after them.
const REST: Duration = Duration::from_millis(1);
/// Clients are left alone also while a run is due within this: about what a turn spends on them, so that the run does
/// not begin later for it.
const CLEAR_BEFORE_RUN: Duration = Duration::from_micros(300);
/// But no longer than this: where runs are due all the time clients get their part all the same.
const PUT_OFF_MAX: Duration = Duration::from_millis(10);

/// Says when the clients of one server may have their part.
#[derive(Debug)]
pub(super) struct Manners {
    rests_until: Instant,
    /// Until then a run that is due soon goes before clients.
    put_off_until: Instant,
}

impl Manners {
    /// At once for the first time.
    pub(super) fn new(now: Instant) -> Self {
        Self { rests_until: now, put_off_until: now }
    }

    /// Whether clients may have their part now, where a run is due at `due`.
    pub(super) fn may_begin(&mut self, due: Option<Instant>, now: Instant) -> bool {
        if now < self.rests_until {
            return false;
        }
        let is_soon = |due: &Instant| *due > now && due.saturating_duration_since(now) < CLEAR_BEFORE_RUN;
        if now < self.put_off_until
            && let Some(due) = due.filter(is_soon)
        {
            self.rests_until = due;
            return false;
        }
        true
    }

    /// They have had it.
    pub(super) fn ended(&mut self, now: Instant) {
        self.rests_until = now.checked_add(REST).unwrap_or(now);
        self.put_off_until = self.rests_until.checked_add(PUT_OFF_MAX).unwrap_or(now);
    }

    /// Not before this.
    pub(super) fn rests_until(&self) -> Instant {
        self.rests_until
    }
}
