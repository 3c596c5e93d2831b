//! How much of the time a rule's runs succeeded, in a few bytes: the past in up to 48 buckets of one width. When it
//! needs more than that, each two become one of twice the width, up to the widest; from then on the oldest go.
//!
//! Times are whole seconds after the engine's epoch, at multiples of the width after which buckets begin. Nothing
//! happens by itself: a bucket ends when something is recorded, or looked for, behind it.

use std::time::Duration;

/// Buckets in all, the present one included.
const BUCKETS: u32 = 48;
const CLOSED_MAX: usize = BUCKETS as usize;
/// The first width.
const WIDTH_MIN_S: u64 = 10;
/// How often that is doubled at most: to 1,280 s, with which the buckets reach 17 hours.
const DOUBLINGS_MAX: u8 = 7;
/// In place of a percentage: no conclusive run.
const NONE: u8 = u8::MAX;

/// The past of one rule. A percentage is 100 only where all runs succeeded, and 0 only where none did. It is exact but
/// for rounding, toward 50, until its bucket becomes part of a wider one: then it is the mean of both, however many
/// runs each had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct History {
    /// The number of the present bucket: how many of this width are between the epoch and its beginning.
    present: u32,
    /// Of the present one.
    successes: u32,
    failures: u32,
    /// Percentages of those before, oldest first. There is room for one more than are ever left here.
    closed: [u8; CLOSED_MAX],
    closed_len: u8,
    /// How often the width was doubled.
    doublings: u8,
}

impl History {
    /// One that begins in this second, with nothing in it.
    pub(super) fn new(at_s: u64) -> Self {
        Self {
            present: number(at_s, 0),
            successes: 0,
            failures: 0,
            closed: [NONE; CLOSED_MAX],
            closed_len: 0,
            doublings: 0,
        }
    }

    /// A conclusive run ended in this second. One before the present bucket counts there.
    pub(super) fn record(&mut self, succeeded: bool, at_s: u64) {
        self.advance(at_s);
        let count = if succeeded { &mut self.successes } else { &mut self.failures };
        *count = count.saturating_add(1);
    }

    /// The present bucket becomes the one of this second, unless it is there or beyond.
    pub(super) fn advance(&mut self, at_s: u64) {
        let (first, to) = (self.first(), number(at_s, self.doublings));
        if to <= self.present {
            return;
        }
        let widest = DOUBLINGS_MAX - self.doublings;
        let wider = (0..widest).find(|by| (to >> by) - (first >> by) < BUCKETS).unwrap_or(widest);
        let to = to >> wider;
        // Else the present one goes on as the first part of a wider one, and still counts exactly.
        if self.present >> wider < to {
            self.close();
        }
        for _ in 0..wider {
            self.halve();
        }
        self.begin(to);
    }

    /// How long each bucket is.
    pub(super) fn width(&self) -> Duration {
        Duration::from_secs(WIDTH_MIN_S << self.doublings)
    }

    /// When the first bucket began: that many seconds after the epoch.
    pub(super) fn since_s(&self) -> u64 {
        u64::from(self.first()) * (WIDTH_MIN_S << self.doublings)
    }

    /// Each bucket's percentage, oldest first, the present one last; `None` where there was no conclusive run.
    pub(super) fn percentages(&self) -> impl ExactSizeIterator<Item = Option<u8>> + use<> {
        let mut all = self.closed;
        let present = usize::from(self.closed_len);
        all[present] = percentage(self.successes, self.failures);
        all.into_iter().take(present + 1).map(|percentage| (percentage != NONE).then_some(percentage))
    }

    /// The number of the oldest bucket.
    fn first(&self) -> u32 {
        self.present - u32::from(self.closed_len)
    }

    /// The present bucket is over.
    fn close(&mut self) {
        self.closed[usize::from(self.closed_len)] = percentage(self.successes, self.failures);
        self.closed_len += 1;
        self.present += 1;
        (self.successes, self.failures) = (0, 0);
    }

    /// Makes one of each two buckets that begin where one of twice the width does. Where the present one has none
    /// before it to be one with, it keeps its counts; else it has none yet.
    fn halve(&mut self) {
        let first = self.first();
        let mut halved = [NONE; CLOSED_MAX];
        for (number, percentage) in (first..self.present).zip(self.closed) {
            let into = &mut halved[(number / 2 - first / 2) as usize];
            *into = mean(*into, percentage);
        }
        self.closed = halved;
        self.present = self.present.div_ceil(2);
        self.closed_len = u8::try_from(self.present - first / 2).expect("half of 48, and one at most");
        self.doublings += 1;
    }

    /// The present bucket becomes this one; those in between had no runs, and the oldest go where there is no room.
    fn begin(&mut self, number: u32) {
        let between = number - self.present;
        let all = u32::from(self.closed_len).saturating_add(between);
        let gone = all.saturating_sub(BUCKETS - 1).min(self.closed_len.into());
        self.closed.copy_within(gone as usize..usize::from(self.closed_len), 0);
        let left = usize::from(self.closed_len) - gone as usize;
        let len = all.min(BUCKETS - 1) as usize;
        self.closed[left..len].fill(NONE);
        self.closed_len = u8::try_from(len).expect("47 at most");
        self.present = number;
    }
}

/// The number of the bucket that has this second in it.
fn number(at_s: u64, doublings: u8) -> u32 {
    // Reaches 1,361 years.
    u32::try_from((at_s / WIDTH_MIN_S) >> doublings).unwrap_or(u32::MAX)
}

fn percentage(successes: u32, failures: u32) -> u8 {
    let (successes, all) = (u64::from(successes), u64::from(successes) + u64::from(failures));
    if all == 0 {
        return NONE;
    }
    let hundredfold = 100 * successes;
    let percent = if 2 * successes > all { hundredfold / all } else { hundredfold.div_ceil(all) };
    u8::try_from(percent).expect("no more than all")
}

/// The mean of two percentages, rounded toward 50; the other one where one is [`NONE`].
fn mean(a: u8, b: u8) -> u8 {
    match (a, b) {
        (NONE, only) | (only, NONE) => only,
        (a, b) if a + b > 100 => (a + b) / 2,
        (a, b) => (a + b).div_ceil(2),
    }
}

#[cfg(test)]
mod tests;
