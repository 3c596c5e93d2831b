//! What is counted and measured of one rule's runs.

use std::time::Duration;

use super::stamp::Stamp;
use crate::verdict::Verdict;

/// Durations that are remembered.
const RECENT_MAX: u8 = 128;
const RECENT: usize = RECENT_MAX as usize;

/// Counts of a rule's runs on its schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) inconclusive: u64,
    /// Slots in which no run started.
    pub(super) missed: u64,
    pub(super) last_success: Option<Stamp>,
}

impl Tally {
    /// A run ended with this verdict.
    pub(super) fn count(&mut self, verdict: &Verdict, now: Stamp) {
        match verdict {
            Verdict::Success => {
                self.successes += 1;
                self.last_success = Some(now);
            }
            Verdict::Failure(_) => self.failures += 1,
            Verdict::Inconclusive(_) => self.inconclusive += 1,
        }
    }

    /// Conclusive runs, which are what `runs` bounds.
    pub(super) fn conclusive(&self) -> u64 {
        self.successes + self.failures
    }
}

/// How long a rule's last 128 conclusive runs took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Half of them no longer than this.
    pub p50: Duration,
    /// 99 % of them.
    pub p99: Duration,
}

/// The last runs' durations in 256 bytes: see [`Short`].
#[derive(Debug)]
pub(super) struct Recent {
    kept: [Short; RECENT],
    /// Where the next goes.
    next: u8,
    len: u8,
}

/// The upper bounds of the buckets that durations are counted in; what takes longer than the last is counted in one
/// more.
pub const DURATION_BOUNDS: [Duration; 8] = [
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
const BUCKETS: usize = DURATION_BOUNDS.len() + 1;

/// How many of a rule's conclusive runs took how long, since its first or since one of the counts was full: then all
/// begin again at 0, as they do at a restart. A rule that runs every millisecond takes 49 days for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationCounts {
    /// Runs that took no longer than each of [`DURATION_BOUNDS`], but longer than the one before; and at last those that
    /// took longer than all.
    pub counts: [u32; BUCKETS],
    /// All of them together, to the microsecond.
    pub sum: Duration,
}

/// What [`DurationCounts`] are kept as: packed, so that no room is left free to end at a multiple of 8 bytes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed(4))]
pub(super) struct Spread {
    counts: [u32; BUCKETS],
    sum_us: u64,
}

/// A duration in whole microseconds, of which the highest twelve bits are kept: exact up to 4 ms, from there on less
/// than 0.05 % too long or too short, up to 71 minutes. What is longer counts as that.
///
/// The lower eleven bits, behind a leading one that is not written; above them by how much they are shifted, and one.
/// The smallest have no leading one and 0 there. So the order of the numbers is that of the durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Short(u16);

impl Short {
    const BITS: u32 = 11;

    fn new(took: Duration) -> Self {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let shift = (micros | 1 << Self::BITS).ilog2() - Self::BITS;
        // For small ones nothing is cut off, and the leading bit says by itself whether there is one.
        let whole = (shift << Self::BITS) + (micros >> shift);
        Self(
            u16::try_from(whole)
                .expect("a shift of up to 20, 20 << 11, and up to twelve bits are below 2^16"),
        )
    }

    fn duration(self) -> Duration {
        let whole = u32::from(self.0);
        let shift = (whole >> Self::BITS).saturating_sub(1);
        let kept = whole - (shift << Self::BITS);
        // The middle of what it stands for.
        Duration::from_micros(u64::from((kept << shift) + (1 << shift) / 2))
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self { kept: [Short::default(); RECENT], next: 0, len: 0 }
    }
}

impl Recent {
    pub(super) fn record(&mut self, took: Duration) {
        self.kept[usize::from(self.next)] = Short::new(took);
        self.next = (self.next + 1) % RECENT_MAX;
        self.len = (self.len + 1).min(RECENT_MAX);
    }

    /// `None` before the first.
    pub(super) fn durations(&self) -> Option<Durations> {
        let mut sorted = self.kept;
        let sorted = &mut sorted[..usize::from(self.len)];
        sorted.sort_unstable();
        let quantile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).map(|short| short.duration())
        };
        Some(Durations { p50: quantile(50)?, p99: quantile(99)? })
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.len.into()
    }

    /// The last but so many; what was never recorded is zero.
    pub(super) fn last_but(&self, runs: usize) -> Duration {
        self.kept[(usize::from(self.next) + 2 * RECENT - 1 - runs % RECENT) % RECENT].duration()
    }
}

impl Spread {
    pub(super) fn record(&mut self, took: Duration) {
        let bucket = DURATION_BOUNDS.partition_point(|bound| *bound < took);
        if self.counts[bucket] == u32::MAX {
            *self = Self::default();
        }
        self.counts[bucket] += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us = self.sum_us.saturating_add(micros);
    }

    pub(super) fn counts(&self) -> DurationCounts {
        DurationCounts { counts: self.counts, sum: Duration::from_micros(self.sum_us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(micros: impl IntoIterator<Item = u64>) -> Option<(u128, u128)> {
        let mut recent = Recent::default();
        micros.into_iter().for_each(|micros| recent.record(Duration::from_micros(micros)));
        recent.durations().map(|of| (of.p50.as_micros(), of.p99.as_micros()))
    }

    #[test]
    fn nothing_is_known_before_the_first() {
        assert_eq!(durations([]), None);
    }

    #[test]
    fn quantiles_are_those_that_so_many_do_not_exceed() {
        assert_eq!(durations([7]), Some((7, 7)));
        assert_eq!(durations([3, 1]), Some((1, 3)));
        assert_eq!(durations([3, 1, 2]), Some((2, 3)));
        assert_eq!(durations((1..=100).rev()), Some((50, 99)));
    }

    #[test]
    fn only_the_last_128_count() {
        assert_eq!(durations([3_000; 200].into_iter().chain(1..=128)), Some((64, 127)));
        assert_eq!(durations((0..127).map(|_| 5).chain([3_000])), Some((5, 5)));
        assert_eq!(durations((0..126).map(|_| 5).chain([3_000; 2])), Some((5, 3_000)));
    }

    #[test]
    fn a_run_of_hours_is_told_as_the_longest_there_is_room_for() {
        let longest = Short::new(Duration::MAX);
        assert_eq!(longest, Short::new(Duration::from_micros(u32::MAX.into())));
        assert!(longest.duration() > Duration::from_mins(71));
    }

    #[test]
    fn what_is_kept_of_a_duration_is_exact_when_short_and_close_when_long() {
        for micros in (0..4_096_u32)
            .chain((12..32).flat_map(|shift| [1 << shift, (1 << shift) + 1, u32::MAX >> (31 - shift)]))
        {
            let kept = u32::try_from(Short::new(Duration::from_micros(micros.into())).duration().as_micros());
            let error = kept.unwrap().abs_diff(micros);
            let allowed = if micros < 4_096 { 0 } else { micros / 2_000 };
            assert!(error <= allowed, "{micros} us is told as {kept:?}");
        }
    }

    #[test]
    fn the_last_ones_are_told_by_how_long_ago_they_were() {
        let mut recent = Recent::default();
        (0..300).for_each(|micros| recent.record(Duration::from_micros(micros)));
        for runs in 0..128 {
            assert_eq!(recent.last_but(runs).as_micros(), 299 - runs as u128);
        }
    }

    #[test]
    fn a_duration_is_counted_up_to_and_with_a_bound() {
        let mut spread = Spread::default();
        for bound in DURATION_BOUNDS {
            spread.record(bound);
            spread.record(bound + Duration::from_nanos(1));
        }
        spread.record(Duration::ZERO);
        let DurationCounts { counts, sum } = spread.counts();
        assert_eq!(counts, [2, 2, 2, 2, 2, 2, 2, 2, 1]);
        assert_eq!(sum, DURATION_BOUNDS.iter().sum::<Duration>() * 2);
        assert!(DURATION_BOUNDS.is_sorted());
    }

    #[test]
    fn when_a_count_is_full_all_begin_again() {
        let mut spread = Spread { counts: [7, u32::MAX, 3, 0, 0, 0, 0, 0, 0], sum_us: 1_000_000 };
        spread.record(Duration::from_millis(2));
        assert_eq!(spread.counts().counts[..3], [7, u32::MAX, 4]);
        spread.record(Duration::from_micros(800));
        let DurationCounts { counts, sum } = spread.counts();
        assert_eq!((counts, sum), ([0, 1, 0, 0, 0, 0, 0, 0, 0], Duration::from_micros(800)));
    }

    #[test]
    fn the_order_of_durations_is_kept() {
        let mut before = Short::new(Duration::ZERO);
        for micros in (1..10_000).chain((14..32).map(|shift| (1 << shift) - 1)) {
            let next = Short::new(Duration::from_micros(micros));
            assert!(before <= next, "{micros}");
            before = next;
        }
    }
}
