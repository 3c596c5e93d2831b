//! The slots of a map, and which host each of them leads to: consistent hashing for a balancer that looks a
//! client's hash up in the map.
//!
//! Every slot has an order of preference over all hosts, which depends on nothing but who they are and how many
//! slots there are. A slot's owner is the first of its order that is in. From that alone follows what matters,
//! for any hosts whatever that are in, and without a memory of what was before:
//!
//! - a host that goes gives up its own slots, and no other slot moves; when it returns it takes just those back;
//! - two gateways that see the same hosts agree on every slot, and so does the next version of this program.
//!
//! The orders are chosen so that the slots are spread well too:
//!
//! - The *first* choices are dealt out evenly: no two hosts own numbers that differ by more than one.
//! - The *second* choices of each host's slots are dealt out so that without that host, too, no two of the
//!   others own numbers that differ by more than one.
//! - From the third on the order is that of the scores, highest first (rendezvous hashing).
//!
//! As first choices stay whatever else happens, a host that is in owns at least its even share of all slots.
//!
//! When the hosts themselves are others, after a reload, most slots stay: dealing goes by the scores as well, which
//! are each host's own, so that the slots of a new host come from all others and few change hands among those.
//!
//! Pure. Nothing here may ever give other orders: the two gateways of a pair are updated one after the other, and
//! clients would move.

mod deal;
mod ranking;
mod score;

use std::fmt;

use crate::rule::Prefix;
use deal::deal;
use ranking::{Among, Host, Ranking};

/// The largest number of slots: what a 16-bit hash tells apart, and well within what one transaction holds.
pub const SLOTS_MAX: u32 = 65_536;

/// Which hosts the slots of a map prefer.
///
/// It takes some time to make (a few milliseconds per million pairs of host and slot) and is good for as long as
/// the hosts are the same, whichever of them are in.
#[derive(Debug)]
pub struct Arrangement {
    /// In order, each once.
    members: Vec<Prefix>,
    ranking: Ranking,
    /// The first and the second choice of each slot; the same twice when there is but one host. Empty without hosts.
    choices: Vec<[Host; 2]>,
}

impl Arrangement {
    /// For these hosts, in any order, whether they are in or not.
    ///
    /// # Errors
    /// When the slots do not suffice for them, or one is not a single address.
    pub fn new(members: &[Prefix], slots: u32) -> Result<Self, ArrangementError> {
        if slots == 0 || slots > SLOTS_MAX {
            return Err(ArrangementError::Slots(slots));
        }
        if let Some(network) = members.iter().find(|member| Prefix::host(member.address()) != **member) {
            return Err(ArrangementError::Network(*network));
        }
        let members = sorted(members);
        if members.len() > slots as usize {
            return Err(ArrangementError::TooMany { members: members.len(), slots });
        }
        let ranking = Ranking::new(&members, slots);
        let choices = choices(&ranking);
        Ok(Self { members, ranking, choices })
    }

    /// Writes who owns each slot, in the order of the slots, in place of all that `owners` holds. `is_in` is asked
    /// once for each host; when none is in, no slot has an owner.
    pub fn arrange(&self, is_in: impl Fn(Prefix) -> bool, owners: &mut Vec<Option<Prefix>>) {
        owners.clear();
        let present = Among::new(self.members.iter().map(|member| is_in(*member)));
        if present.is_empty() {
            owners.resize(self.ranking.slots(), None);
            return;
        }
        owners.extend(self.choices.iter().enumerate().map(|(slot, choices)| {
            let choice = choices.iter().copied().find(|host| present.has(*host));
            let owner = choice.or_else(|| self.ranking.best(slot, &present).map(|(_, host)| host));
            owner.map(|host| self.members[usize::from(host)])
        }));
    }

    /// Whether it is for these hosts, in any order, and so need not be made anew.
    pub fn is_of(&self, members: &[Prefix]) -> bool {
        self.members == members || self.members == sorted(members)
    }
}

/// The first two choices of every slot.
fn choices(ranking: &Ranking) -> Vec<[Host; 2]> {
    let (slots, hosts) = (ranking.slots(), ranking.hosts());
    if hosts == 0 {
        return Vec::new();
    }
    let mut choices = vec![[0; 2]; slots];
    let mut owned = vec![Vec::new(); hosts];
    let mut counts = vec![0; hosts];
    deal(ranking, 0..slots, Among::new((0..hosts).map(|_| true)), &mut counts, |slot, host| {
        choices[slot] = [host; 2];
        owned[usize::from(host)].push(slot);
    });
    if hosts == 1 {
        return choices;
    }
    for (gone, owned) in owned.iter().enumerate() {
        let others = Among::new((0..hosts).map(|host| host != gone));
        deal(ranking, owned.iter().copied(), others, &mut counts.clone(), |slot, host| {
            choices[slot][1] = host
        });
    }
    choices
}

fn sorted(members: &[Prefix]) -> Vec<Prefix> {
    let mut sorted = members.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// Why hosts and slots do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrangementError {
    /// No such number of slots can be.
    Slots(u32),
    /// Not every host would get one.
    TooMany {
        /// How many hosts there are.
        members: usize,
        /// How many slots.
        slots: u32,
    },
    /// More than one address; a slot leads to one.
    Network(Prefix),
}

impl fmt::Display for ArrangementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slots(slots) => write!(f, "{slots} slots: 1 to {SLOTS_MAX} can be"),
            Self::TooMany { members, slots } => {
                write!(
                    f,
                    "{members} addresses do not fit into {slots} slots: raise 'slots', and the map's 'mod'"
                )
            }
            Self::Network(network) => write!(f, "{network} is a network: a slot leads to a single address"),
        }
    }
}

impl std::error::Error for ArrangementError {}
