//! A fixed histogram of durations: log-linear buckets, no allocation after it is made.
//!
//! Sixteen buckets for each doubling, from a microsecond to over an hour: an error of at most 6.25 %. Beside them, few and
//! exact, the steps of a [`Ladder`].

use std::time::Duration;

const SUB_BITS: u32 = 4;
const SUB: usize = 1 << SUB_BITS;
/// Doublings above the linear part: 2^32 microseconds are 71 minutes.
const DOUBLINGS: usize = 28;
const BUCKETS: usize = SUB * (DOUBLINGS + 1);

/// The bounds of a [`Ladder`]'s steps; what is longer than the last has a step of its own.
pub const LADDER: [Duration; 10] = [
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
];

/// Counts of durations.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    max: Duration,
    ladder: Ladder,
}

/// How many durations are longer than the bound before and no longer than their own, for each of [`LADDER`], and of what
/// is longer still. Exact, unlike the buckets: few of these bounds are one of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Of each step.
    pub counts: [u64; LADDER.len() + 1],
    /// All durations together, in nanoseconds: room for 584 years.
    pub sum_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0, max: Duration::ZERO, ladder: Ladder::default() }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, value: Duration) {
        self.record_n(value, 1);
    }

    /// Counts one duration `n` times.
    pub fn record_n(&mut self, value: Duration, n: u64) {
        self.counts[bucket(value)] += n;
        self.total += n;
        self.max = self.max.max(value);
        self.ladder.counts[LADDER.partition_point(|bound| *bound < value)] += n;
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.ladder.sum_ns = self.ladder.sum_ns.saturating_add(nanos.saturating_mul(n));
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The largest, exactly.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The same durations, counted by few bounds.
    pub fn ladder(&self) -> Ladder {
        self.ladder
    }

    /// The duration that `share` (0 to 1) of all do not exceed, to within a bucket; zero when empty.
    pub fn quantile(&self, share: f64) -> Duration {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wanted = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(index).min(self.max);
            }
        }
        self.max
    }
}

fn bucket(value: Duration) -> usize {
    let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
    if micros < SUB as u64 {
        return usize::try_from(micros).unwrap_or(0);
    }
    let doubling = micros.ilog2() - SUB_BITS;
    let sub = usize::try_from(micros >> doubling).unwrap_or(SUB) - SUB;
    (SUB * (doubling as usize + 1) + sub).min(BUCKETS - 1)
}

fn upper_bound(index: usize) -> Duration {
    if index < SUB {
        return Duration::from_micros(index as u64 + 1);
    }
    let doubling = index / SUB - 1;
    let sub = index % SUB + SUB;
    Duration::from_micros((sub as u64 + 1) << doubling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_bucket_of_the_truth() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000u64 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, truth) in [(0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!((found / truth - 1.0).abs() < 0.07, "{share}: {found} against {truth}");
        }
        assert_eq!(histogram.max(), Duration::from_millis(10));
        assert_eq!(histogram.count(), 10_000);
    }

    #[test]
    fn every_duration_has_a_bucket_whose_bounds_hold_it() {
        for shift in 0..63 {
            for offset in [0u64, 1, 3] {
                let value = Duration::from_micros((1u64 << shift) + offset);
                let index = bucket(value);
                assert!(index < BUCKETS);
                assert!(index == BUCKETS - 1 || upper_bound(index) > value, "{value:?}");
            }
        }
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_step_ends_with_its_bound_to_the_nanosecond() {
        let mut histogram = Histogram::default();
        for bound in LADDER {
            histogram.record(bound);
            histogram.record_n(bound + Duration::from_nanos(1), 2);
        }
        let mut counts = [3; LADDER.len() + 1];
        (counts[0], counts[LADDER.len()]) = (1, 2);
        let sum = LADDER.iter().sum::<Duration>() * 3 + Duration::from_nanos(20);
        let sum_ns = u64::try_from(sum.as_nanos()).unwrap();
        assert_eq!(histogram.ladder(), Ladder { counts, sum_ns });
    }

    #[test]
    fn a_sum_that_has_no_room_stays_at_its_end() {
        let mut histogram = Histogram::default();
        histogram.record_n(Duration::MAX, 3);
        histogram.record(Duration::from_secs(1));
        assert_eq!((histogram.ladder().sum_ns, histogram.count()), (u64::MAX, 4));
    }

    #[test]
    fn an_empty_one_says_zero() {
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }
}
