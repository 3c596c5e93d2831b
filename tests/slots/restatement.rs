//! The definition once more, in as few words as it takes: all pairs are sorted, nothing is remembered.

use std::net::IpAddr;

use hfm::rule::Prefix;

use crate::{Owners, arrangement, owners, scattered, with_seeds};

/// SplitMix64: the number that comes after this state.
fn mix(state: u64) -> u64 {
    let mut bits = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn score(slot: usize, member: Prefix) -> u64 {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let host = match member.address() {
        IpAddr::V4(v4) => mix(mix(4) ^ number(&v4.octets())),
        IpAddr::V6(v6) => mix(mix(mix(6) ^ number(&v6.octets()[..8])) ^ number(&v6.octets()[8..])),
    };
    mix(host ^ mix(0x1_0000_0000 + slot as u64))
}

/// Deals slots to hosts by descending score, so that their numbers in `counts` differ by one at most in the end.
fn deal(slots: &[usize], hosts: &[Prefix], mut counts: Vec<usize>) -> Vec<(usize, Prefix)> {
    let total = counts.iter().sum::<usize>() + slots.len();
    let (share, above) = (total / hosts.len(), total % hosts.len());
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for slot in slots {
        pairs.extend((0..hosts.len()).map(|host| (score(*slot, hosts[host]), *slot, host)));
    }
    pairs.sort_by(|a, b| b.cmp(a));
    let mut dealt: Vec<(usize, Prefix)> = Vec::new();
    for (_, slot, host) in pairs {
        let exceeding = counts.iter().filter(|count| **count > share).count();
        let room = counts[host] < share || (counts[host] == share && exceeding < above);
        if room && !dealt.iter().any(|(taken, _)| *taken == slot) {
            counts[host] += 1;
            dealt.push((slot, hosts[host]));
        }
    }
    dealt
}

/// The hosts of each slot, best first.
fn orders(members: &[Prefix], slots: usize) -> Vec<Vec<Prefix>> {
    let mut orders = vec![Vec::new(); slots];
    let first = deal(&(0..slots).collect::<Vec<_>>(), members, vec![0; members.len()]);
    let owned = |host: Prefix| first.iter().filter(move |(_, owner)| *owner == host).map(|(slot, _)| *slot);
    for (slot, host) in &first {
        orders[*slot].push(*host);
    }
    for gone in members.iter().filter(|_| members.len() > 1) {
        let others: Vec<Prefix> = members.iter().copied().filter(|member| member != gone).collect();
        let counts = others.iter().map(|other| owned(*other).count()).collect();
        for (slot, host) in deal(&owned(*gone).collect::<Vec<_>>(), &others, counts) {
            orders[slot].push(host);
        }
    }
    for (slot, order) in orders.iter_mut().enumerate() {
        let mut rest: Vec<Prefix> =
            members.iter().copied().filter(|member| !order.contains(member)).collect();
        rest.sort_by_key(|member| std::cmp::Reverse(score(slot, *member)));
        order.extend(rest);
    }
    orders
}

#[test]
fn the_code_does_as_its_definition_says() {
    with_seeds(60, |rng, seed| {
        let hosts = 1 + rng.below(24);
        let slots = hosts + rng.below(100);
        let members = scattered(rng, hosts);
        let orders = orders(&members, slots);
        let arrangement = arrangement(&members, u32::try_from(slots).expect("few"));
        for _ in 0..30 {
            let share = rng.below(101);
            let present: Vec<Prefix> = members.iter().copied().filter(|_| rng.percent(share)).collect();
            let wanted: Owners = orders
                .iter()
                .map(|order| order.iter().copied().find(|host| present.contains(host)))
                .collect();
            assert_eq!(owners(&arrangement, &present), wanted, "{seed}: in {present:?} of {members:?}");
        }
    });
}
