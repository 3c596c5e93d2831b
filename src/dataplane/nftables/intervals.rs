//! What has to be done to an interval set, and nothing of what others have put into it lost.
//!
//! A set holds intervals that do not overlap. Without `auto-merge` each is what someone put in: ours are those
//! that are the same to the last address. With it, nft(8) joins what touches, so that one of ours may be
//! anywhere within a longer one: it is in when all its addresses are, and taking it out leaves the rest.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashSet};

/// Addresses from the first to the last, both in it, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Interval {
    pub first: u128,
    pub last: u128,
}

/// Whether a set joins what touches: `auto-merge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// No.
    Apart,
    /// Yes.
    Joined,
}

/// What is to be done: all of it at the same moment, what leaves before what comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Those that leave, by their places among those found.
    pub remove: Vec<usize>,
    /// Those that come, and of which one found they are what is left, if of any.
    pub add: Vec<(Interval, Option<usize>)>,
    /// What cannot be done; all else is.
    pub conflict: Option<Conflict>,
}

/// Why something cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// This is to come, and the set holds something else that overlaps it.
    Overlaps(Interval, Interval),
    /// This is to leave, and the set goes on holding something that covers it.
    Covered(Interval, Interval),
}

impl Interval {
    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// What is left of it without these, which lie in order and do not overlap.
    fn without(self, holes: &[Self]) -> Vec<Self> {
        let mut left = Vec::new();
        let mut from = self.first;
        for hole in overlapping(holes, self) {
            if hole.first > from {
                left.push(Self { first: from, last: hole.first - 1 });
            }
            match hole.last.checked_add(1) {
                Some(next) => from = next,
                None => return left,
            }
        }
        if from <= self.last {
            left.push(Self { first: from, last: self.last });
        }
        left
    }
}

/// Those that overlap one, of intervals that lie in order and do not overlap.
fn overlapping(intervals: &[Interval], of: Interval) -> &[Interval] {
    let from = intervals.partition_point(|interval| interval.last < of.first);
    let to = intervals.partition_point(|interval| interval.first <= of.last);
    // In the other order of two only where there is none.
    intervals.get(from..to).unwrap_or_default()
}

/// The same addresses in as few intervals as there can be, in order.
fn joined(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut joined: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match joined.last_mut() {
            Some(before) if before.last.checked_add(1).is_none_or(|next| interval.first <= next) => {
                before.last = before.last.max(interval.last);
            }
            Some(_) | None => joined.push(interval),
        }
    }
    joined
}

/// What a set holds: intervals in order that do not overlap.
#[derive(Debug)]
pub(super) struct Held {
    joining: Joining,
    found: Vec<Interval>,
    /// All addresses, where it does not matter who put them in.
    covered: Vec<Interval>,
}

impl Held {
    /// Of what was found, in order.
    pub(super) fn new(joining: Joining, found: Vec<Interval>) -> Self {
        let covered = match joining {
            Joining::Apart => Vec::new(),
            Joining::Joined => joined(found.clone()),
        };
        Self { joining, found, covered }
    }

    /// Whether one of ours is in.
    pub(super) fn holds(&self, ours: Interval) -> bool {
        match self.joining {
            Joining::Apart => self.found.binary_search(&ours).is_ok(),
            Joining::Joined => overlapping(&self.covered, ours).iter().any(|of| of.covers(ours)),
        }
    }

    /// What it holds besides these of ours, which it holds.
    pub(super) fn others(&self, ours: &[Interval]) -> Vec<Interval> {
        match self.joining {
            Joining::Apart => {
                let mut ours = ours.to_vec();
                ours.sort_unstable();
                self.found.iter().copied().filter(|of| ours.binary_search(of).is_err()).collect()
            }
            Joining::Joined => {
                let ours = joined(ours.to_vec());
                self.covered.iter().flat_map(|of| of.without(&ours)).collect()
            }
        }
    }

    /// What is to be done so that `add` is in and `remove` is not, which have none in common, and all else stays,
    /// such as those of `members` that are in.
    pub(super) fn plan(&self, members: &[Interval], add: &[Interval], remove: &[Interval]) -> Plan {
        match self.joining {
            Joining::Apart => self.plan_apart(add, remove),
            Joining::Joined => self.plan_joined(members, add, remove),
        }
    }

    fn plan_apart(&self, add: &[Interval], remove: &[Interval]) -> Plan {
        let mut plan = Plan::default();
        for ours in remove {
            match self.found.binary_search(ours) {
                Ok(place) => plan.remove.push(place),
                Err(_) => {
                    let covering = overlapping(&self.found, *ours).iter().find(|of| of.covers(*ours));
                    plan.hits(covering.map(|of| Conflict::Covered(*ours, *of)));
                }
            }
        }
        plan.remove.sort_unstable();
        plan.remove.dedup();
        let leaving = |of: &Interval| {
            let place = self.found.binary_search(of).expect("it is one of those found");
            plan.remove.binary_search(&place).is_ok()
        };
        let mut coming: BTreeMap<u128, Interval> = BTreeMap::new();
        let mut conflict = None;
        for ours in add.iter().filter(|of| !self.holds(**of)) {
            let before = coming.range(..=ours.last).next_back().map(|(_, of)| of);
            let mut stays = overlapping(&self.found, *ours).iter().filter(|of| !leaving(of));
            match stays.next().or(before.filter(|of| of.overlaps(*ours) && *of != ours)) {
                Some(other) => conflict = conflict.or(Some(Conflict::Overlaps(*ours, *other))),
                None => drop(coming.insert(ours.first, *ours)),
            }
        }
        plan.hits(conflict);
        plan.add = coming.into_values().map(|of| (of, None)).collect();
        plan
    }

    fn plan_joined(&self, members: &[Interval], add: &[Interval], remove: &[Interval]) -> Plan {
        let mut plan = Plan::default();
        let leave: HashSet<Interval> = remove.iter().copied().collect();
        let stay = members.iter().copied().filter(|of| !leave.contains(of) && self.holds(*of));
        let stay = joined(stay.chain(add.iter().copied()).collect());
        let mut holes = Vec::new();
        // Needed only for what is out already, which is not often asked for.
        let after = LazyCell::new(|| joined(self.covered.iter().chain(add).copied().collect()));
        let covers_then = |ours| overlapping(&after, ours).iter().copied().find(|of| of.covers(ours));
        for ours in remove {
            let goes = ours.without(&stay);
            if self.holds(*ours) && !goes.is_empty() {
                holes.extend(goes);
            } else if let Some(covering) = covers_then(*ours) {
                plan.hits(Some(Conflict::Covered(*ours, covering)));
            }
        }
        let holes = joined(holes);
        for (place, found) in self.found.iter().enumerate() {
            if !overlapping(&holes, *found).is_empty() {
                plan.remove.push(place);
                plan.add.extend(found.without(&holes).into_iter().map(|rest| (rest, Some(place))));
            }
        }
        let mut add = add.to_vec();
        add.sort_unstable();
        let mut reached = None;
        for ours in add {
            // What of it lies within those before it has come with them.
            let first = reached.map_or(ours.first, |last: u128| ours.first.max(last.saturating_add(1)));
            if first <= ours.last && reached.is_none_or(|last| ours.last > last) {
                let rest = Interval { first, last: ours.last };
                plan.add.extend(rest.without(&self.covered).into_iter().map(|gap| (gap, None)));
            }
            reached = reached.max(Some(ours.last));
        }
        plan
    }
}

impl Plan {
    /// The first that is met with is told.
    fn hits(&mut self, conflict: Option<Conflict>) {
        self.conflict = self.conflict.or(conflict);
    }
}

#[cfg(test)]
mod tests;
