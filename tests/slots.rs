//! Which host each slot of a map leads to: the code against a restatement of its definition, what it promises for
//! any hosts that are in, and values that may never be others.
//!
//! `HFM_SLOTS_SEED=N` replays what one seed draws.

#[path = "slots/claims.rs"]
mod claims;
#[path = "slots/fixed.rs"]
mod fixed;
#[path = "slots/restatement.rs"]
mod restatement;
#[path = "support/random.rs"]
mod support_random;

use std::net::{Ipv4Addr, Ipv6Addr};

use hfm::dataplane::slots::Arrangement;
use hfm::rule::Prefix;
use support_random::Rng;

type Owners = Vec<Option<Prefix>>;

fn v4(number: u32) -> Prefix {
    Prefix::host(Ipv4Addr::from_bits(0x0a02_0001 + number).into())
}

/// This many addresses in a row.
fn row(count: u32) -> Vec<Prefix> {
    (0..count).map(v4).collect()
}

/// This many addresses of both families, anywhere.
fn scattered(rng: &mut Rng, count: usize) -> Vec<Prefix> {
    let mut members: Vec<Prefix> = Vec::new();
    while members.len() < count {
        let bits = u128::from(rng.next()) << 70 | u128::from(rng.next());
        let member = if rng.percent(50) {
            Prefix::host(Ipv6Addr::from_bits(bits).into())
        } else {
            Prefix::host(Ipv4Addr::from_bits(u32::try_from(rng.next() >> 16).expect("32 bits")).into())
        };
        if !members.contains(&member) {
            members.push(member);
        }
    }
    members
}

fn arrangement(members: &[Prefix], slots: u32) -> Arrangement {
    Arrangement::new(members, slots).unwrap_or_else(|error| panic!("{error}"))
}

/// Who owns the slots when these are in.
fn owners(arrangement: &Arrangement, present: &[Prefix]) -> Owners {
    // What was there before is of no concern.
    let mut owners = vec![Some(v4(999))];
    arrangement.arrange(|member| present.contains(&member), &mut owners);
    owners
}

/// How many slots a host owns.
fn count(owners: &Owners, host: Prefix) -> usize {
    owners.iter().filter(|owner| **owner == Some(host)).count()
}

/// Does something with each of the seeds, or with the one that was asked for.
fn with_seeds(seeds: u64, what: impl Fn(&mut Rng, &str)) {
    let one = std::env::var("HFM_SLOTS_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
    let range = one.map_or(0..seeds, |seed: u64| seed..seed + 1);
    for seed in range {
        what(&mut Rng::new(seed), &format!("HFM_SLOTS_SEED={seed}"));
    }
}
