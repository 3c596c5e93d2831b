//! *Who is in a table*, said a second time from the text alone: slow, plain, and in the order of its steps.
//!
//! Where the text can be read in two ways, this is what is taken:
//!
//! - "as last wanted" is given from outside, as is whether the table holds addresses of others.
//! - `combine`: `all`, `any` and N want at least T of the M that contribute: M, 1, and the smaller of N and M.
//! - An address to which no rule contributes stays as it is, a backup too. It is not up for 3, and 4 and 5 do
//!   not count it; it does fill a table, for 5, when it is in.
//! - An override takes the place of every contribution, of none as well: it is in the words.
//! - An address is stale when any of the rules that contribute to it is, though another one be unknown.
//! - Drained: step 2 puts it out, and any one of those that are down is drained, though it would be out
//!   without that one.
//! - 3: a backup that is unknown is taken out while a non-backup is up, and else stays as it is: that one is
//!   only counted as up, being unknown itself, takes out no backup of which nothing is known ("tables are left
//!   until first verdicts").
//!   What counts as up is what step 2 says, not who panic or `min_up` put in.
//! - 3: a drained address is down. That a non-backup counts as up takes no `min_up` away from it.
//! - 4: "an up backup is in": it is up by step 2 and step 3 left it in. A backup of which nothing is known is
//!   not up here ("it counts as up" is said of what is counted, and a backup is not).
//! - 4: "all managed ones" are all that are counted: neither backups, nor drained, nor without a contribution.
//! - 5: addresses that are in by 2 and unknown ones that stay in are among those that `min_up` wants.
//!   Only one that failed is held, and only while it is in.
//! - 5: of a `min_up` of nothing (0, 0%, or no address that counts) nothing is added.
//! - 5: an address failed when the rule went down that was one too many for its `combine`.
//! - 5 adds nothing while any address of the table, a backup too, is unknown and not stale; and only when no
//!   address at all would be in. First those that are down, by their latest failure, then the stale ones.

use hfm::rule::{Combine, Share};
use hfm::standing::Contribution;

/// What a rule says, or what an operator has set in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) contribution: Contribution,
    /// On any scale.
    pub(crate) since: u64,
    pub(crate) stale: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) combine: Combine,
    pub(crate) backup: bool,
    /// As last wanted.
    pub(crate) is_in: bool,
    pub(crate) words: Vec<Word>,
}

#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) min_up: Option<Share>,
    pub(crate) panic: Option<u8>,
    /// The table holds addresses besides these.
    pub(crate) others: bool,
    pub(crate) addresses: Vec<Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Three {
    Up,
    Down,
    Unknown,
}

/// An address after steps 1 and 2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combined {
    /// `None`: no rule contributes.
    pub(crate) state: Option<Three>,
    pub(crate) drained: bool,
    stale: bool,
    failed: u64,
}

/// For each address whether it is in.
pub(crate) fn who_is_in(table: &Whole) -> Vec<bool> {
    let all = &table.addresses;
    let combined: Vec<Combined> = all.iter().map(combine).collect();
    let places = || 0..all.len();
    let is = |place: usize, state: Three| combined[place].state == Some(state);
    let fresh_unknown = |place: usize| is(place, Three::Unknown) && !combined[place].stale;

    // 2. What is neither up nor down stays as it is.
    let mut is_in: Vec<bool> = places()
        .map(|place| match combined[place].state {
            Some(Three::Up) => true,
            Some(Three::Down) => false,
            Some(Three::Unknown) | None => all[place].is_in,
        })
        .collect();

    // 3. Backups.
    let up_for_3 = |place: usize| is(place, Three::Up) || fresh_unknown(place) && all[place].is_in;
    let others = || places().filter(|place| !all[*place].backup);
    let (counts, up) = (others().any(up_for_3), others().any(|place| is(place, Three::Up)));
    for place in places().filter(|place| all[*place].backup) {
        if up && is(place, Three::Unknown) || counts && (is(place, Three::Up) || is(place, Three::Down)) {
            is_in[place] = false;
        }
    }

    if places().any(|place| all[place].backup && is(place, Three::Up) && is_in[place]) {
        return is_in;
    }
    let counted: Vec<usize> = places()
        .filter(|place| !all[*place].backup && !combined[*place].drained && combined[*place].state.is_some())
        .collect();

    // 4. Panic.
    let up_for_4 = counted.iter().filter(|place| is(**place, Three::Up) || fresh_unknown(**place)).count();
    if table.panic.is_some_and(|percent| up_for_4 * 100 < usize::from(percent) * counted.len()) {
        for place in &counted {
            is_in[*place] = true;
        }
    }

    // 5. Those that failed stay, the latest first, until there are enough.
    let enough = match table.min_up {
        None => 0,
        Some(Share::Count(count)) => usize::try_from(count).expect("32 bits").min(counted.len()),
        Some(Share::Percent(percent)) => (usize::from(percent) * counted.len()).div_ceil(100),
    };
    let mut failed: Vec<usize> = counted.iter().copied().filter(|place| is(*place, Three::Down)).collect();
    failed.sort_by_key(|place| (std::cmp::Reverse(combined[*place].failed), *place));
    for place in failed.iter().filter(|place| all[**place].is_in) {
        if counted.iter().filter(|counted| is_in[**counted]).count() < enough {
            is_in[*place] = true;
        }
    }
    let empty = !table.others && !is_in.contains(&true);
    if enough > 0 && empty && !places().any(fresh_unknown) {
        let stale = counted.iter().copied().filter(|place| is(*place, Three::Unknown));
        if let Some(place) = failed.iter().copied().chain(stale).next() {
            is_in[place] = true;
        }
    }
    is_in
}

/// Steps 1 and 2.
pub(crate) fn combine(address: &Address) -> Combined {
    let words: Vec<Word> =
        address.words.iter().copied().filter(|word| word.contribution != Contribution::Nothing).collect();
    let ups = words.iter().filter(|word| word.contribution == Contribution::Up).count();
    let is_down = |word: &&Word| matches!(word.contribution, Contribution::Down { .. });
    let unknown = words.iter().filter(|word| word.contribution == Contribution::Unknown).count();
    let is_up = |ups: usize| match address.combine {
        Combine::All => ups == words.len(),
        Combine::Any => ups >= 1,
        Combine::AtLeast(n) => {
            ups >= usize::try_from(n.get()).expect("32 bits") || ups == words.len() && !words.is_empty()
        }
    };
    // Whatever the unknown ones become.
    let outcomes: Vec<bool> = (0..=unknown).map(|more| is_up(ups + more)).collect();
    let state = match (outcomes.contains(&true), outcomes.contains(&false)) {
        (true, false) => Three::Up,
        (false, true) => Three::Down,
        (true, true) => Three::Unknown,
        (false, false) => unreachable!("there is one outcome at least"),
    };
    // All were up once; then they went down one by one.
    let mut downs: Vec<u64> = words.iter().filter(is_down).map(|word| word.since).collect();
    downs.sort_unstable();
    let one_too_many = downs.iter().zip(1..).find(|(_, down)| !is_up(words.len() - down));
    let drained = words.iter().any(|word| word.contribution == Contribution::Down { drained: true });
    Combined {
        state: (!words.is_empty()).then_some(state),
        drained: !words.is_empty() && state == Three::Down && drained,
        stale: words.iter().any(|word| word.stale),
        failed: one_too_many.map_or(0, |(since, _)| *since),
    }
}
