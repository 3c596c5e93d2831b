//! When a rule's runs are due. Pure functions over instants.
//!
//! Runs lie on a grid: each due is the one before plus the interval, whatever the run took, so lateness
//! never adds up to drift. A run that starts after its due but before the next is *late*; a slot of the
//! grid in which none starts is *missed*. A change of state lays a new grid from the last start.
//! Phases lie on whole milliseconds after the epoch, so one wake-up serves all that are due then.

use std::time::{Duration, Instant};

const NANOS_PER_MILLISECOND: u32 = 1_000_000;

/// Heavy runs that begin at once, at most: what they do in a turn of the loop, some 100 us each at worst, is what others
/// that become due meanwhile are late by.
const TOGETHER_MAX: u32 = 4;
/// Heavy runs that are further apart than this are left where they are.
const TOGETHER_WITHIN: Duration = Duration::from_millis(10);

/// Where a start fell on its rule's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The due of the slot in which the run started.
    pub due: Instant,
    /// Slots before it in which no run started.
    pub missed: u64,
}

/// Finds the slot of a run that was due at `due` and started at `started`.
///
/// With an interval of zero there is no grid: the slot is where it was.
pub fn slot_of(due: Instant, started: Instant, interval: Duration) -> Slot {
    let late = started.saturating_duration_since(due);
    if interval.is_zero() || late < interval {
        return Slot { due, missed: 0 };
    }
    let missed = late.as_nanos() / interval.as_nanos();
    let missed = u64::try_from(missed).unwrap_or(u64::MAX);
    let into_slot = Duration::from_nanos_u128(late.as_nanos() % interval.as_nanos());
    Slot { due: started.checked_sub(into_slot).unwrap_or(started), missed }
}

/// The next due of a rule whose interval stays: one interval on; with an interval of zero, at once.
pub fn next_due(slot_due: Instant, interval: Duration, ended: Instant) -> Option<Instant> {
    if interval.is_zero() { Some(ended) } else { slot_due.checked_add(interval) }
}

/// The next due of a rule whose state changed: the new interval after the last start, that start taken
/// back to a whole millisecond after `epoch` (but not before its due). When that moment has passed at
/// `decided`, the run is due at once; a grid that begins now has no slots to miss.
pub fn due_after_change(
    slot_due: Instant,
    started: Instant,
    interval: Duration,
    decided: Instant,
    epoch: Instant,
) -> Option<Instant> {
    let anchor = floor_to_millisecond(started, epoch).max(slot_due);
    let due = next_due(anchor, interval, decided)?;
    if due < decided { Some(floor_to_millisecond(decided, epoch)) } else { Some(due) }
}

/// The last whole millisecond after `epoch` that is not after `at`.
pub fn floor_to_millisecond(at: Instant, epoch: Instant) -> Instant {
    let since = at.saturating_duration_since(epoch);
    epoch + Duration::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 2))
}

/// What the first start of a rule depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Start {
    /// The rule's.
    pub interval: Duration,
    /// Of its runs.
    pub weight: Weight,
}

/// What a run takes of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Little.
    Light,
    /// Much, and much code and data for it, as a handshake does.
    Heavy,
}

/// Spreads first starts: for each rule given, the delay of its first run.
///
/// Rules of the same interval come evenly over it, and so do those that follow each other: they are likely to be of
/// one host, or all of a kind that costs much, and a hundred handshakes in a row would hold up whatever is due in
/// between. Each group begins at a place of its own, so that rules of many different intervals do not all begin
/// together. Delays are whole milliseconds and shorter than the interval.
///
/// Heavy ones are a group of their own, and a few that would begin within some milliseconds of each other begin at
/// once: one finds in the processor's caches what the other has brought there, and they share wake-ups. When a rule
/// begins matters to nobody, and from there on it keeps to its own grid.
pub fn spread(starts: &[Start]) -> Vec<Duration> {
    let mut groups: Vec<Start> = starts.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let mut members = vec![0u32; groups.len()];
    let group_of: Vec<usize> =
        starts.iter().map(|start| groups.binary_search(start).unwrap_or_default()).collect();
    for &group in &group_of {
        members[group] += 1;
    }
    let strides: Vec<u32> = members.iter().map(|members| stride(*members)).collect();
    let mut next = vec![0u32; groups.len()];
    group_of
        .into_iter()
        .zip(starts)
        .map(|(group, start)| {
            let together = together(*start, members[group]);
            let place = f64::from(next[group] / together * together) / f64::from(members[group]);
            next[group] = (next[group] + strides[group]) % members[group];
            let share = (place + group_phase(group)).fract();
            let delay = start.interval.mul_f64(share);
            floor_to_whole(delay).min(floor_to_whole(start.interval.saturating_sub(Duration::from_nanos(1))))
        })
        .collect()
}

/// How many of a group begin at once.
fn together(start: Start, members: u32) -> u32 {
    match start.weight {
        Weight::Light => 1,
        Weight::Heavy if start.interval.is_zero() => 1,
        Weight::Heavy => {
            let near = u128::from(members) * TOGETHER_WITHIN.as_nanos() / start.interval.as_nanos();
            u32::try_from(near).unwrap_or(u32::MAX).clamp(1, TOGETHER_MAX)
        }
    }
}

/// From the place of one member of a group to that of the next, of `members` places on a circle: about the golden
/// section of it, by which any number of steps falls evenly, and without a common divisor, so that each place is
/// taken once.
fn stride(members: u32) -> u32 {
    /// 2^32 times the golden section.
    const GOLDEN_SECTION: u64 = 2_654_435_769;
    let section = u32::try_from((u64::from(members) * GOLDEN_SECTION) >> 32).unwrap_or(members);
    let nearest_first = (0..members).flat_map(|by| [section.checked_sub(by), section.checked_add(by)]);
    let has_no_divisor =
        |stride: &u32| (1..=members).contains(stride) && greatest_divisor(*stride, members) == 1;
    nearest_first.flatten().find(has_no_divisor).unwrap_or(1)
}

/// The greatest common divisor of two numbers.
fn greatest_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_divisor(other, one % other) }
}

/// Where in its interval a group begins, as a share of 1: multiples of the golden ratio fall evenly
/// however many groups there are. The first begins at 0.
fn group_phase(group: usize) -> f64 {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    let multiple = group as f64 * GOLDEN_RATIO;
    multiple.fract()
}

fn floor_to_whole(delay: Duration) -> Duration {
    delay - Duration::from_nanos(u64::from(delay.subsec_nanos() % NANOS_PER_MILLISECOND))
}

#[cfg(test)]
mod tests;
