//! What the writer knows of one table: what it holds, and when to look at it again.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::dataplane::TableError;
use crate::rule::Prefix;

/// How long after a failure the next try is made; doubles with each further one.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// What it doubles up to.
const RETRY_MAX: Duration = Duration::from_secs(10);
/// The same failure is told again after this long.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// A table that others change all the time is read as often as this.
pub(super) const PACE: Duration = Duration::from_millis(20);
/// And one in which they change ours again and again, in the end, as often as this.
const PACE_MAX: Duration = Duration::from_millis(500);
/// Whoever leaves it alone for this long has stopped.
const QUIET: Duration = Duration::from_secs(5);

/// Whether the firewall has ever had a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Presence {
    /// That is not known.
    #[default]
    Unknown,
    /// It has not: whatever was to be managed there never was.
    Never,
    /// It has, or an hfm before this one has managed addresses there.
    Once,
}

/// A table as it was last found, our own writes reckoned in.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Whether it was ever there.
    pub(super) presence: Presence,
    /// Everything in it; `None` while that is not known: never read, or a call has failed.
    pub(super) contents: Option<HashSet<Prefix>>,
    /// Others may have changed it unseen, while no table could be reached: it is read before it is written.
    pub(super) must_read: bool,
    /// Its addresses do not have the places that they should have.
    pub(super) disordered: bool,
    /// Among which addresses they had to have them when it was last read or written.
    pub(super) roster: Vec<Prefix>,
    /// When it was last read, or that was tried.
    pub(super) looked_at: Option<Instant>,
    /// When it is to be read again; `None`: at once.
    pub(super) read_at: Option<Instant>,
    /// It may not hold what is wanted.
    pub(super) may_differ: bool,
    /// It was written since it was last read.
    pub(super) unproved: bool,
    /// What it was last to be written met with a failure that all tables would meet with.
    pub(super) refused: bool,
    /// The last addition failed: others might too.
    pub(super) adding_fails: bool,
    /// What the last write was to do, which failed and may have been done in part: known when it is read.
    pub(super) attempted: Option<Attempt>,
    /// To be read at once, whatever waits to be tried again.
    pub(super) read_now: bool,
    /// Others have changed it, as the firewall tells.
    pub(super) noticed: bool,
    /// How long after it was looked at it is looked at again because of others.
    pub(super) pace: Duration,
    /// When something that others did was last put right.
    pub(super) repaired_at: Option<Instant>,
    pub(super) retry: Retry,
    /// Addresses that others took out or put in, and that were put right.
    pub(super) repairs: u64,
    /// When the data plane last acknowledged a write.
    pub(super) written_at: Option<Instant>,
    /// Held addresses that were last told of.
    pub(super) held_told: Vec<Prefix>,
}

/// A write that failed.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) add: Vec<Prefix>,
    pub(super) remove: Vec<Prefix>,
    pub(super) took: Duration,
}

impl Kept {
    /// Something that others did is put right. Who does it again and again is met ever more rarely.
    pub(super) fn fight(&mut self, now: Instant) {
        let is_again = self.repaired_at.is_some_and(|at| now.saturating_duration_since(at) < QUIET);
        self.pace = if is_again { (self.pace * 2).clamp(PACE, PACE_MAX) } else { PACE };
        self.repaired_at = Some(now);
    }

    /// Whether it has to be read before it is written.
    pub(super) fn is_unread(&self) -> bool {
        self.contents.is_none() || self.must_read
    }
}

/// When to try again what failed, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Retry {
    delay: Duration,
    pub(super) at: Option<Instant>,
    pub(super) error: Option<TableError>,
    told_at: Option<Instant>,
}

impl Retry {
    /// It failed; says whether that is to be told: when it is another failure than before, and now and then.
    pub(super) fn failed(&mut self, error: TableError, now: Instant) -> bool {
        let is_same = self.error.as_ref() == Some(&error);
        self.wait(now);
        self.error = Some(error);
        let is_told =
            is_same && self.told_at.is_some_and(|at| now.saturating_duration_since(at) < TELL_AGAIN);
        if !is_told {
            self.told_at = Some(now);
        }
        !is_told
    }

    /// Waits before the next try, longer each time.
    pub(super) fn wait(&mut self, now: Instant) {
        self.delay = (self.delay * 2).clamp(RETRY_FIRST, RETRY_MAX);
        self.at = now.checked_add(self.delay);
    }

    /// Something else is to be done: that need not wait. What fails again waits the longer.
    pub(super) fn forgive(&mut self) {
        self.at = None;
    }

    /// It went well; gives back the failure that is over.
    pub(super) fn succeeded(&mut self) -> Option<TableError> {
        std::mem::take(self).error
    }

    /// Whether the next try has to wait.
    pub(super) fn is_waiting(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| at > now)
    }
}
