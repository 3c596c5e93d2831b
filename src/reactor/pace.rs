//! How often the loop turns: at once for whatever comes, as long as little does, and a few times a millisecond when
//! much does.
//!
//! Runs begin on whole milliseconds, and what they bring comes in between: under load something is there every few
//! microseconds, and waking for each costs as much as the work itself. So each millisecond of the grid has a number of
//! turns; when they are used up the loop rests until the next one, in which it has to wake anyway for the runs that
//! begin then. Nothing is later by that than a millisecond, and nothing at all where there is little to do, or where a rule's timeout is
//! so short that a millisecond matters to it.

use std::time::{Duration, Instant};

use crate::schedule;

const MILLISECOND: Duration = Duration::from_millis(1);
/// Turns in a millisecond at most: with 10,000 runs over HTTP a second one is for those that begin, and three are for
/// what they bring. Fewer cost no less, and verdicts come later.
const TURNS_MAX: u32 = 4;

/// Counts turns.
#[derive(Debug)]
pub(super) struct Pace {
    epoch: Instant,
    /// When the present millisecond ends.
    ends: Instant,
    /// Turns in it so far.
    turns: u32,
}

impl Pace {
    /// For a grid that begins at `epoch`.
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, ends: epoch, turns: 0 }
    }

    /// A turn begins.
    pub(super) fn turn_begins(&mut self, now: Instant) {
        if now >= self.ends {
            self.ends = schedule::floor_to_millisecond(now, self.epoch) + MILLISECOND;
            self.turns = 0;
        }
        self.turns += 1;
    }

    /// Until when to rest before the next turn, if at all: not where something is due already, and not where a turn
    /// that is late by a millisecond is more than `ordinary`.
    pub(super) fn rests_until(
        &self,
        deadline: Option<Instant>,
        ordinary: Duration,
        now: Instant,
    ) -> Option<Instant> {
        let is_due = deadline.is_some_and(|deadline| deadline <= now);
        let may_rest = self.turns >= TURNS_MAX && ordinary >= MILLISECOND && !is_due;
        (may_rest && now < self.ends).then_some(self.ends)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    /// When turns begin that are asked for at these microseconds after the epoch.
    fn turns(asked: impl IntoIterator<Item = u32>) -> Vec<u128> {
        turns_where(asked, MILLISECOND)
    }

    /// The same where so much is ordinary.
    fn turns_where(asked: impl IntoIterator<Item = u32>, ordinary: Duration) -> Vec<u128> {
        let epoch = Instant::now();
        let mut pace = Pace::new(epoch);
        let mut turned = Vec::new();
        let mut now = epoch;
        for asked in asked {
            now = now.max(epoch + MICROSECOND * asked);
            now = pace.rests_until(None, ordinary, now).unwrap_or(now);
            pace.turn_begins(now);
            turned.push(now.duration_since(epoch).as_micros());
        }
        turned
    }

    #[test]
    fn what_comes_now_and_then_is_looked_at_at_once() {
        let now_and_then = [0, 700, 1_400, 1_900, 2_000, 2_001, 2_002, 3_999, 900_000];
        assert_eq!(turns(now_and_then), now_and_then.map(u128::from));
    }

    #[test]
    fn a_millisecond_has_so_many_turns_and_the_next_has_them_again() {
        let all_the_time = (0..12).map(|turn| 1_000 + turn);
        let begun = [1_000, 1_001, 1_002, 1_003, 2_000, 2_000, 2_000, 2_000, 3_000, 3_000, 3_000, 3_000];
        assert_eq!(turns(all_the_time), begun);
    }

    #[test]
    fn nothing_waits_for_longer_than_the_rest_of_its_millisecond() {
        for busy in [[10, 20, 30, 40, 999], [0, 0, 0, 0, 1]] {
            assert_eq!(turns(busy)[4], 1_000);
        }
        // One that begins late, or long after the last, is of the millisecond in which it begins.
        assert_eq!(turns([0, 0, 0, 0, 1_000, 5_600, 5_700, 5_800, 5_900, 5_950])[9], 6_000);
    }

    #[test]
    fn where_a_millisecond_matters_there_is_no_rest() {
        assert_eq!(turns_where(0..9, MILLISECOND - MICROSECOND), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_due_is_not_put_off() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        (0..9).for_each(|_| pace.turn_begins(now));
        let soon = now + MICROSECOND;
        assert_eq!(pace.rests_until(Some(now), MILLISECOND, now), None);
        assert_eq!(pace.rests_until(Some(soon), MILLISECOND, now), Some(now + MILLISECOND));
    }

    #[test]
    fn before_the_epoch_there_is_no_rest() {
        let epoch = Instant::now() + Duration::from_secs(1);
        assert_eq!(Pace::new(epoch).rests_until(None, MILLISECOND, Instant::now()), None);
    }
}
