//! When this process itself stood still: remembered for as long as a run under way may need it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Up to this much of a turn or of a timer's lateness is ordinary,
const ORDINARY_MAX: Duration = Duration::from_millis(5);
/// or this share of the timeout where that is less (1/20 is 5 %).
const ORDINARY_DIVISOR: u32 = 20;
/// Stalls remembered; older ones are forgotten. Each is over a share of the shortest timeout, so these
/// fill a good part of any run that could need them.
const KEPT_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Stalls {
    kept: VecDeque<Stall>,
    /// The turn of the loop that goes on, if one does: its end is not known yet.
    turn_from: Option<Instant>,
    /// Shorter ones matter to no rule.
    ordinary_min: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Stall {
    from: Instant,
    until: Instant,
}

/// How much of a stall is ordinary for a run with this timeout.
fn ordinary(timeout: Duration) -> Duration {
    ORDINARY_MAX.min(timeout / ORDINARY_DIVISOR)
}

impl Stalls {
    pub(super) fn new(shortest_timeout: Option<Duration>) -> Self {
        let ordinary_min = shortest_timeout.map_or(ORDINARY_MAX, ordinary);
        Self { kept: VecDeque::new(), turn_from: None, ordinary_min }
    }

    /// There are other timeouts too now, of which this is the shortest.
    pub(super) fn matter_also_from(&mut self, shortest_timeout: Option<Duration>) {
        self.ordinary_min = self.ordinary_min.min(shortest_timeout.map_or(ORDINARY_MAX, ordinary));
    }

    /// What no rule minds.
    pub(super) fn ordinary_min(&self) -> Duration {
        self.ordinary_min
    }

    /// Remembers a stall. One that overlaps those before it is one with them: a wake-up is late because
    /// the turn before it was long, and no moment is lost twice.
    pub(super) fn note(&mut self, from: Instant, took: Duration) {
        if took.is_zero() {
            return;
        }
        let mut stall = Stall { from, until: from + took };
        while let Some(last) = self.kept.pop_back_if(|last| last.until > stall.from) {
            stall = Stall { from: stall.from.min(last.from), until: stall.until.max(last.until) };
        }
        // Short ones matter to no rule; but those that lead up to this one without a gap may yet be one
        // with what overlaps it.
        let ordinary_min = self.ordinary_min;
        if self.kept.back().is_some_and(|last| last.until < stall.from) {
            while self.kept.pop_back_if(|last| last.until - last.from <= ordinary_min).is_some() {}
        }
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(stall);
    }

    /// A turn of the loop begins.
    pub(super) fn turn_begins(&mut self, at: Instant) {
        self.turn_from = Some(at);
    }

    /// It has ended.
    pub(super) fn turn_ends(&mut self, at: Instant) {
        if let Some(from) = self.turn_from.take() {
            self.note(from, at.saturating_duration_since(from));
        }
    }

    /// What the stalls between two moments add up to, each beyond what is ordinary for this timeout.
    pub(super) fn between(&self, start: Instant, end: Instant, timeout: Duration) -> Duration {
        let ordinary = ordinary(timeout);
        let turn = self.turn_from.map(|from| Stall { from, until: end.max(from) });
        let newest_first = self.kept.iter().rev().take_while(|stall| stall.until > start).copied();
        newest_first
            .chain(turn)
            .map(|stall| stall.until.min(end).saturating_duration_since(stall.from.max(start)))
            .map(|inside| inside.saturating_sub(ordinary))
            .sum()
    }
}

#[cfg(test)]
mod tests;
