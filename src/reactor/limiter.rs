//! How often a rule may say the same: a burst, then one line a second of each kind; the rest is counted.
//!
//! What nothing more follows is told of by itself, ten seconds later at most. Pure: time comes with each question. It holds one small entry for each (rule, kind) that ever had a line,
//! so that its memory is bounded by the number of rules. Lines of a rule that runs once a second or less
//! often are never held back, and neither is any line that is not of a [`Kind`].

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::rule::RuleId;

/// Lines that may follow each other at once.
const BURST: u32 = 10;
/// Behind the burst, from line to line.
const PERIOD: Duration = Duration::from_secs(1);

/// Lines that repeat with the runs of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A failed run.
    Failed,
    /// A result that counts towards a change.
    Debounced,
    /// A test was interrupted because it overstayed.
    Interrupted,
    /// A test was killed because it overstayed.
    Killed,
    /// What a test printed on stdout.
    Output,
    /// What a test printed on stderr.
    ErrorOutput,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Failed, Self::Debounced, Self::Interrupted, Self::Killed, Self::Output, Self::ErrorOutput];

    /// The event whose lines are held back.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Debounced => "debounced",
            Self::Interrupted | Self::Killed => "overstayed",
            Self::Output | Self::ErrorOutput => "output",
        }
    }
}

#[derive(Debug)]
struct Bucket {
    /// When it will be full again.
    full_at: Instant,
    held_back: u64,
}

/// Who has said how much.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    buckets: HashMap<(RuleId, Kind), Bucket>,
    /// When to look for what was held back and is still to be told; never after the first such moment.
    look_at: Option<Instant>,
}

impl Limiter {
    /// Asks for one line: the number of those held back since the last one, or `None` to hold it back.
    pub(super) fn admit(&mut self, rule: RuleId, kind: Kind, now: Instant) -> Option<u64> {
        let bucket = self.buckets.entry((rule, kind)).or_insert(Bucket { full_at: now, held_back: 0 });
        if bucket.full_at.saturating_duration_since(now) > PERIOD * (BURST - 1) {
            bucket.held_back += 1;
            self.look_at = Some(self.look_at.map_or(bucket.full_at, |at| at.min(bucket.full_at)));
            return None;
        }
        bucket.full_at = bucket.full_at.max(now) + PERIOD;
        Some(std::mem::take(&mut bucket.held_back))
    }

    /// When [`overdue`](Self::overdue) wants to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.look_at
    }

    /// What was held back and is to be told now, for nothing came after it: how many lines of whom.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<(RuleId, Kind, u64)> {
        if self.look_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut told = Vec::new();
        let mut next: Option<Instant> = None;
        for ((rule, kind), bucket) in self.buckets.iter_mut().filter(|(_, bucket)| bucket.held_back > 0) {
            if bucket.full_at <= now {
                told.push((*rule, *kind, std::mem::take(&mut bucket.held_back)));
            } else {
                next = Some(next.map_or(bucket.full_at, |at| at.min(bucket.full_at)));
            }
        }
        // Not more often, however many rules there are.
        self.look_at = next.map(|at| at.max(now + PERIOD));
        told.sort_unstable_by_key(|(rule, kind, _)| (*rule, kind.event()));
        told
    }

    /// Forgets a rule.
    pub(super) fn forget(&mut self, rule: RuleId) {
        for kind in Kind::ALL {
            self.buckets.remove(&(rule, kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
    fn start() -> Instant {
        Instant::now()
    }

    /// The answers to a line at each of these milliseconds.
    fn answers(limiter: &mut Limiter, start: Instant, at: impl Iterator<Item = u64>) -> Vec<Option<u64>> {
        let ask = |at| limiter.admit(RuleId(0), Kind::Failed, start + Duration::from_millis(at));
        at.map(ask).collect()
    }

    #[test]
    fn one_line_a_second_is_never_held_back() {
        let mut limiter = Limiter::default();
        let answers = answers(&mut limiter, start(), (0..10_000).map(|second| second * 1000));
        assert!(answers.iter().all(|answer| *answer == Some(0)));
    }

    #[test]
    fn a_burst_goes_out_then_one_a_second_with_the_number_held_back() {
        let mut limiter = Limiter::default();
        let answers = answers(&mut limiter, start(), (0..1000).map(|line| line * 10));
        let out: Vec<(usize, u64)> =
            answers.iter().enumerate().filter_map(|(line, held)| Some((line, (*held)?))).collect();
        let burst = (0..10).map(|line| (line, 0));
        // From then on every hundredth.
        let later = (1..10).map(|second| (second * 100, if second == 1 { 90 } else { 99 }));
        assert_eq!(out, burst.chain(later).collect::<Vec<_>>());
    }

    #[test]
    fn no_line_is_lost_from_the_count() {
        let mut limiter = Limiter::default();
        let answers = answers(&mut limiter, start(), (0..3000).map(|line| line * 7 % 20_000));
        let out = answers.iter().flatten().count() as u64;
        let told: u64 = answers.iter().flatten().sum();
        let pending = limiter.buckets[&(RuleId(0), Kind::Failed)].held_back;
        assert_eq!(out + told + pending, 3000);
    }

    #[test]
    fn a_quiet_time_gives_the_burst_back_and_no_more() {
        let mut limiter = Limiter::default();
        let start = start();
        answers(&mut limiter, start, (0..100).map(|_| 0));
        let later = answers(&mut limiter, start, (0..100).map(|_| 3_600_000));
        assert_eq!(later.iter().flatten().count(), 10);
        assert_eq!(later[0], Some(90));
    }

    #[test]
    fn what_nothing_follows_is_told_once() {
        let mut limiter = Limiter::default();
        let start = start();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limiter.poll_timeout(), None);
        answers(&mut limiter, start, (0..100).map(|_| 0));
        for _ in 0..12 {
            limiter.admit(RuleId(1), Kind::Output, at(5));
        }
        assert_eq!(limiter.poll_timeout(), Some(at(10)));
        assert_eq!(limiter.overdue(at(9)), []);
        assert_eq!(limiter.overdue(at(10)), [(RuleId(0), Kind::Failed, 90)]);
        assert_eq!(limiter.poll_timeout(), Some(at(15)));
        assert_eq!(limiter.overdue(at(20)), [(RuleId(1), Kind::Output, 2)]);
        assert_eq!(limiter.poll_timeout(), None);
        assert_eq!(limiter.overdue(at(60)), []);
    }

    #[test]
    fn what_goes_on_is_counted_in_its_own_lines_and_not_told_apart() {
        let mut limiter = Limiter::default();
        let start = start();
        for tick in 0..3000_u64 {
            let now = start + Duration::from_millis(tick * 20);
            assert_eq!(limiter.overdue(now), [], "at {tick}");
            limiter.admit(RuleId(0), Kind::Failed, now);
        }
    }

    #[test]
    fn rules_and_kinds_do_not_share() {
        let mut limiter = Limiter::default();
        let now = start();
        for _ in 0..10 {
            for rule in 0..100 {
                for kind in Kind::ALL {
                    assert_eq!(limiter.admit(RuleId(rule), kind, now), Some(0));
                }
            }
        }
        for rule in 0..100 {
            for kind in Kind::ALL {
                assert_eq!(limiter.admit(RuleId(rule), kind, now), None);
            }
        }
        assert_eq!(limiter.buckets.len(), 600);
        limiter.forget(RuleId(7));
        assert_eq!(limiter.buckets.len(), 594);
        assert_eq!(limiter.admit(RuleId(7), Kind::Output, now), Some(0));
        assert_eq!(limiter.admit(RuleId(8), Kind::Output, now), None);
    }
}
