//! What is remembered of one rule's conclusive runs, in one allocation that the first of them makes; and the view of it
//! for those who only look.

use std::time::{Duration, Instant};

use super::history::History;
use super::measures::{DurationCounts, Durations, Recent, Spread};
use super::rare::Rare;
use super::{Engine, Epoch};
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict};

/// Of so many of the last runs it is known whether they failed.
const LAST_MAX: usize = u64::BITS as usize;

/// Takes no memory but a pointer's before the first run.
#[derive(Debug, Default)]
pub(super) struct Past(Option<Box<Kept>>);

/// With the header of an allocation, 384 bytes.
#[derive(Debug)]
struct Kept {
    /// The last runs, each a bit, the lowest for the newest: whether it failed.
    failed: u64,
    spread: Spread,
    history: History,
    recent: Recent,
    /// Why the first run failed that did. Other reasons are [rare](Rare).
    first_failure: Option<Reason>,
}

const _: () = assert!(size_of::<Kept>() == 376, "8 bytes less than a multiple of 16, as allocators have it");

impl Past {
    /// A conclusive run ended in this second after the epoch. Gives the reason of a failure, if it is not that of the
    /// first, to be counted elsewhere.
    pub(super) fn record(&mut self, verdict: &Verdict, took: Duration, at_s: u64) -> Option<Reason> {
        let kept = self.0.get_or_insert_with(|| Box::new(Kept::new(at_s)));
        let failure = match verdict {
            Verdict::Failure(cause) => Some(cause.reason()),
            Verdict::Success | Verdict::Inconclusive(_) => None,
        };
        kept.failed = kept.failed << 1 | u64::from(failure.is_some());
        kept.spread.record(took);
        kept.history.record(failure.is_none(), at_s);
        kept.recent.record(took);
        let reason = failure?;
        let first = *kept.first_failure.get_or_insert(reason);
        (reason != first).then_some(reason)
    }

    /// `None` before the first.
    pub(super) fn durations(&self) -> Option<Durations> {
        self.0.as_ref()?.recent.durations()
    }
}

impl Kept {
    fn new(at_s: u64) -> Self {
        Self {
            failed: 0,
            spread: Spread::default(),
            history: History::new(at_s),
            recent: Recent::default(),
            first_failure: None,
        }
    }
}

/// What is remembered of a rule's conclusive runs on its schedule.
#[derive(Clone, Copy, Debug)]
pub struct Measures<'e> {
    rule: RuleId,
    kept: Option<&'e Kept>,
    failures: u64,
    rare: &'e Rare,
    epoch: Epoch,
}

/// How many percent of a rule's conclusive runs succeeded, over the time since the first, in up to 48 buckets; or since
/// as long ago as those reach, which is 17 hours at most.
#[derive(Clone, Copy, Debug)]
pub struct Availability {
    history: History,
    epoch: Epoch,
}

impl Engine {
    /// What is remembered of a rule's runs.
    pub fn measured(&self, rule: RuleId) -> Measures<'_> {
        let state = &self.states[rule.index()];
        let (kept, failures) = (state.past.0.as_deref(), state.tally.failures);
        Measures { rule, kept, failures, rare: &self.rare, epoch: self.epoch }
    }
}

impl<'e> Measures<'e> {
    /// How many runs took how long.
    pub fn durations(&self) -> DurationCounts {
        self.kept.map_or_else(|| Spread::default().counts(), |kept| kept.spread.counts())
    }

    /// The last runs, as many as asked for and 64 at most, the oldest first: how long each took, `None` for one that
    /// failed.
    pub fn last(&self, runs: usize) -> impl ExactSizeIterator<Item = Option<Duration>> + use<'e> {
        let kept = self.kept;
        let len = runs.min(LAST_MAX).min(kept.map_or(0, |kept| kept.recent.len()));
        (0..len).rev().map(move |ago| {
            let kept = kept?;
            (kept.failed >> ago & 1 == 0).then(|| kept.recent.last_but(ago))
        })
    }

    /// Failures by the stable names of their reasons; none that there was not.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> + use<'e> {
        let others = self.rare.reasons_of(self.rule);
        let of_others: u64 = self.rare.reasons_of(self.rule).map(|(_, count)| count).sum();
        let first = self.kept.and_then(|kept| kept.first_failure);
        let of_first = self.failures.saturating_sub(of_others);
        first
            .map(|first| (first, of_first))
            .into_iter()
            .chain(others)
            .map(|(reason, count)| (reason.name(), count))
    }

    /// How many succeeded when, as it is to be told now; `None` before the first run.
    pub fn availability(&self, now: Instant) -> Option<Availability> {
        let mut history = self.kept?.history;
        history.advance(self.epoch.seconds(now));
        Some(Availability { history, epoch: self.epoch })
    }
}

impl Availability {
    /// How long each bucket is: 10 s, or by as much as the time needs 20, 40 and so on up to 1,280 s.
    pub fn width(&self) -> Duration {
        self.history.width()
    }

    /// When the first bucket began. Buckets begin at multiples of their width after the engine's epoch, so this may be
    /// before the first run.
    pub fn since(&self) -> Instant {
        self.epoch.beginning() + Duration::from_secs(self.history.since_s())
    }

    /// The buckets, the oldest first, the present one last: 100 only where all runs succeeded, 0 only where none did,
    /// `None` where there was none.
    pub fn percentages(&self) -> impl ExactSizeIterator<Item = Option<u8>> + use<> {
        self.history.percentages()
    }
}
