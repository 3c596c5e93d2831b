//! Dealing slots to hosts: as evenly as can be, and as the scores would have it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ranking::{Among, Host, Ranking};

/// Deals `slots` to the hosts `among`, on top of the numbers `counts` that they hold already, so that in the end
/// no two of these hosts hold numbers that differ by more than one; none may hold more than that before. Counts
/// on, and says of each slot who got it.
///
/// Of all pairs of a slot and a host the one with the highest score is made first, then the highest of those that
/// are left, and so on, as far as each host has room: which pairs there are depends on the scores alone, not on
/// the order of anything.
pub(super) fn deal(
    ranking: &Ranking,
    slots: impl Iterator<Item = usize>,
    mut among: Among,
    counts: &mut [usize],
    mut give: impl FnMut(usize, Host),
) {
    let best = |slot, among: &Among| {
        let (score, host) = ranking.best(slot, among).expect("there is room for every slot");
        (score, Reverse(slot), host)
    };
    let mut waiting: Vec<usize> = slots.collect();
    let held: usize = among.iter().map(|host| counts[usize::from(host)]).sum();
    let total = held + waiting.len();
    let (share, mut extra) = (total / among.len(), total % among.len());
    extra -= among.iter().filter(|host| counts[usize::from(*host)] > share).count();
    let has_room = |count: usize, extra: usize| count < share || (count == share && extra > 0);
    among.retain(|host| has_room(counts[usize::from(host)], extra));
    let mut pairs: BinaryHeap<_> = waiting.drain(..).map(|slot| best(slot, &among)).collect();
    while let Some((_, Reverse(slot), host)) = pairs.pop() {
        if !among.has(host) {
            // Whoever has no room now never will again, so what comes next has a lower score.
            pairs.push(best(slot, &among));
            continue;
        }
        let count = &mut counts[usize::from(host)];
        let takes_extra = *count == share;
        *count += 1;
        give(slot, host);
        if takes_extra {
            extra -= 1;
        }
        if takes_extra && extra == 0 {
            among.retain(|host| counts[usize::from(host)] < share);
        } else if !has_room(counts[usize::from(host)], extra) {
            among.retain(|other| other != host);
        }
    }
}
