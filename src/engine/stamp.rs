//! Moments and times as the state of a rule keeps them: in half the memory of an [`Instant`] and a [`Duration`].

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// What stamps count from: the engine's beginning, before which nothing happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(Instant);

/// A moment: whole nanoseconds after the [`Epoch`], and one. Reaches 584 years, the last moment standing for all after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(NonZeroU64);

/// A time in whole nanoseconds, up to 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nanos(u64);

impl Epoch {
    pub(super) fn new(beginning: Instant) -> Self {
        Self(beginning)
    }

    pub(super) fn stamp(self, at: Instant) -> Stamp {
        let Nanos(after) = at.saturating_duration_since(self.0).into();
        Stamp(NonZeroU64::MIN.saturating_add(after))
    }

    pub(super) fn instant(self, stamp: Stamp) -> Instant {
        self.0 + Duration::from_nanos(stamp.0.get() - 1)
    }

    /// Whole seconds after the beginning.
    pub(super) fn seconds(self, at: Instant) -> u64 {
        at.saturating_duration_since(self.0).as_secs()
    }

    /// The beginning itself.
    pub(super) fn beginning(self) -> Instant {
        self.0
    }
}

impl From<Duration> for Nanos {
    fn from(time: Duration) -> Self {
        Self(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(time: Nanos) -> Self {
        Self::from_nanos(time.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn epoch() -> Epoch {
        Epoch::new(Instant::now())
    }

    #[test]
    fn a_stamp_is_the_moment_it_was_made_of() {
        let epoch = epoch();
        for nanos in [0, 1, 999_999_999, 1_000_000_001, u64::MAX / 8] {
            let at = epoch.beginning() + Duration::from_nanos(nanos);
            assert_eq!(epoch.instant(epoch.stamp(at)), at);
        }
    }

    #[test]
    fn stamps_come_in_the_order_of_their_moments_and_do_not_wrap() {
        let epoch = epoch();
        let century = Duration::from_secs(100 * 365 * 86_400);
        let at = |centuries: u32| epoch.stamp(epoch.beginning() + century * centuries);
        assert!(at(0) < at(1) && at(1) < at(5));
        assert!(at(5) < at(60));
        assert_eq!(at(60), at(70), "beyond its reach all are one");
    }
}
