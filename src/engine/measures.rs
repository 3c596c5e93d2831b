//! What is counted and measured of one rule's runs.

use std::time::{Duration, Instant};

use crate::verdict::Verdict;

/// Durations that are remembered.
const RECENT: usize = 128;

/// Counts of a rule's runs on its schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) started: u64,
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) inconclusive: u64,
    /// Slots in which no run started.
    pub(super) missed: u64,
    pub(super) last_success: Option<Instant>,
}

impl Tally {
    /// A run ended with this verdict.
    pub(super) fn count(&mut self, verdict: &Verdict, now: Instant) {
        match verdict {
            Verdict::Success => {
                self.successes += 1;
                self.last_success = Some(now);
            }
            Verdict::Failure(_) => self.failures += 1,
            Verdict::Inconclusive(_) => self.inconclusive += 1,
        }
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

/// The last runs' durations in whole microseconds, those beyond 71 minutes as that. Takes no memory before the first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    micros: Option<Box<[u32; RECENT]>>,
    /// Where the next goes.
    next: usize,
    len: usize,
}

impl Recent {
    pub(super) fn record(&mut self, took: Duration) {
        let micros = self.micros.get_or_insert_with(|| Box::new([0; RECENT]));
        micros[self.next] = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.next = (self.next + 1) % RECENT;
        self.len = (self.len + 1).min(RECENT);
    }

    /// `None` before the first.
    pub(super) fn durations(&self) -> Option<Durations> {
        let mut sorted = **self.micros.as_ref()?;
        let sorted = &mut sorted[..self.len];
        sorted.sort_unstable();
        let quantile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            Duration::from_micros(sorted[rank.saturating_sub(1)].into())
        };
        Some(Durations { p50: quantile(50), p99: quantile(99) })
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
        assert_eq!(durations([9_000; 200].into_iter().chain(1..=128)), Some((64, 127)));
        assert_eq!(durations((0..127).map(|_| 5).chain([9_000])), Some((5, 5)));
        assert_eq!(durations((0..126).map(|_| 5).chain([9_000; 2])), Some((5, 9_000)));
    }

    #[test]
    fn a_run_of_hours_is_told_as_the_longest_there_is_room_for() {
        assert_eq!(durations([u64::MAX]), Some((u32::MAX.into(), u32::MAX.into())));
    }
}
