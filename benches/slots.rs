//! Which clients move when a host goes, returns or is new, how evenly the slots are spread, and what that costs?
//!
//! hfm's arrangement beside plain rendezvous hashing, Maglev (as in IPVS's `mh`, without its prime table: skips
//! are odd, tables powers of two), and a ring of 160 points for each host (ketama). A slot stands for the clients
//! whose hash leads to it. For every algorithm, each host in turn goes and returns; then, ten times, a host is added
//! that was not there before.
//!
//! `cargo bench --bench slots`
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use hfm::dataplane::slots::Arrangement;
use hfm::rule::Prefix;

const HOSTS: [u32; 3] = [3, 10, 50];
const SLOTS: [u32; 3] = [256, 4096, 65_536];
/// How many different hosts are added, one at a time.
const ADDED: u32 = 10;
/// How often what is timed is done; the least time counts.
const TIMES: u32 = 9;
const RING_POINTS: u64 = 160;

/// Who owns each slot, of these members those that are in.
type Owners = Vec<Option<Prefix>>;
/// From members and the number of slots to what says who owns each slot when one of the members is out.
type Algorithm = fn(&[Prefix], u32) -> Box<dyn Fn(Option<Prefix>) -> Owners>;

const ALGORITHMS: [(&str, Algorithm); 4] =
    [("hfm", arrangement), ("rendezvous", rendezvous), ("Maglev", maglev), ("ring, 160 points", ring)];

fn main() {
    println!(
        "| hosts | slots | algorithm | one goes: mean (worst) | needless | max/min, all in | max/min, one out | one is new |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for hosts in HOSTS {
        for slots in SLOTS {
            for (name, algorithm) in ALGORITHMS {
                quality(hosts, slots, name, algorithm);
            }
        }
    }
    println!("\n| hosts | slots | made | arranged, all in | one out | half out | one in |");
    println!("|---|---|---|---|---|---|---|");
    for hosts in HOSTS.into_iter().chain([1000]) {
        for slots in SLOTS.into_iter().filter(|slots| hosts <= *slots) {
            times(hosts, slots);
        }
    }
}

fn member(number: u32) -> Prefix {
    Prefix::host(Ipv4Addr::from(0x0a02_0001 + number).into())
}

fn members(count: u32) -> Vec<Prefix> {
    (0..count).map(member).collect()
}

/// A line on who moves, and how evenly slots are spread. Moves are in parts of the ideal share: 1 is what has to
/// move, `needless` what moves between hosts that are in before and after.
fn quality(hosts: u32, slots: u32, name: &str, algorithm: Algorithm) {
    let everyone = members(hosts);
    let owners_without = algorithm(&everyone, slots);
    let all_in = owners_without(None);
    let per_slot = f64::from(hosts) / f64::from(slots);
    let (mut total, mut worst, mut needless, mut spread_without) = (0, 0, 0, 0f64);
    for gone in &everyone {
        let one_out = owners_without(Some(*gone));
        let moved = moves(&all_in, &one_out);
        total += moved;
        worst = worst.max(moved);
        needless += moved - all_in.iter().filter(|owner| **owner == Some(*gone)).count();
        spread_without = spread_without.max(spread(&one_out, hosts - 1));
    }
    let mut moved_by_new = 0;
    for new in 0..ADDED {
        let with_new: Vec<Prefix> = everyone.iter().copied().chain([member(1000 + new)]).collect();
        moved_by_new += moves(&all_in, &algorithm(&with_new, slots)(None));
    }
    println!(
        "| {hosts} | {slots} | {name} | {:.3} ({:.3}) | {:.3} | {:.3} | {:.3} | {:.3} |",
        total as f64 * per_slot / f64::from(hosts),
        worst as f64 * per_slot,
        needless as f64 * per_slot / f64::from(hosts),
        spread(&all_in, hosts),
        spread_without,
        moved_by_new as f64 / f64::from(slots) * f64::from(hosts + 1) / f64::from(ADDED),
    );
}

fn moves(before: &Owners, after: &Owners) -> usize {
    before.iter().zip(after).filter(|(before, after)| before != after).count()
}

/// The most slots that a host owns, in parts of the fewest.
fn spread(owners: &Owners, hosts: u32) -> f64 {
    let mut counts: BTreeMap<Prefix, u32> = BTreeMap::new();
    for owner in owners.iter().flatten() {
        *counts.entry(*owner).or_default() += 1;
    }
    if counts.len() < hosts as usize {
        return f64::INFINITY;
    }
    let most = counts.values().max().expect("a host is in");
    f64::from(*most) / f64::from(*counts.values().min().expect("a host is in"))
}

/// A line on how long hfm's own takes.
fn times(hosts: u32, slots: u32) {
    let everyone = members(hosts);
    let made = least(|| Arrangement::new(black_box(&everyone), slots));
    let arrangement = Arrangement::new(&everyone, slots).expect("there are slots enough");
    let mut owners = Vec::new();
    let mut arranged = |is_in: &dyn Fn(u32) -> bool| {
        let is_in: Vec<bool> = (0..hosts).map(is_in).collect();
        let numbers: BTreeMap<Prefix, usize> = everyone.iter().copied().zip(0..).collect();
        least(|| {
            arrangement.arrange(|member| is_in[numbers[&member]], &mut owners);
            black_box(&owners);
        })
    };
    let all_in = arranged(&|_| true);
    let one_out = arranged(&|host| host != 1);
    let half_out = arranged(&|host| host % 2 == 0);
    let one_in = arranged(&|host| host == 1);
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    println!(
        "| {hosts} | {slots} | {:.2} ms | {:.3} ms | {:.3} ms | {:.3} ms | {:.3} ms |",
        ms(made),
        ms(all_in),
        ms(one_out),
        ms(half_out),
        ms(one_in)
    );
}

/// The least time that this takes, of several.
fn least<T>(mut what: impl FnMut() -> T) -> Duration {
    let times = (0..TIMES).map(|_| {
        let start = Instant::now();
        black_box(what());
        start.elapsed()
    });
    times.min().expect("it was done")
}

fn arrangement(members: &[Prefix], slots: u32) -> Box<dyn Fn(Option<Prefix>) -> Owners> {
    let arrangement = Arrangement::new(members, slots).expect("there are slots enough");
    Box::new(move |out| {
        let mut owners = Vec::new();
        arrangement.arrange(|member| Some(member) != out, &mut owners);
        owners
    })
}

/// Each slot goes to the host with the highest score of all that are in.
fn rendezvous(members: &[Prefix], slots: u32) -> Box<dyn Fn(Option<Prefix>) -> Owners> {
    of_those_in(members, move |present| {
        let score = |slot: u32, member: Prefix| mix(mix(u64::from(slot)) ^ key(member));
        (0..slots).map(|slot| present.iter().copied().max_by_key(|member| score(slot, *member))).collect()
    })
}

/// Hosts take turns; each takes the next free slot of its own permutation.
fn maglev(members: &[Prefix], slots: u32) -> Box<dyn Fn(Option<Prefix>) -> Owners> {
    of_those_in(members, move |present| {
        let mut owners = vec![None; slots as usize];
        let slots = u64::from(slots);
        let mut next: Vec<(u64, u64)> = present
            .iter()
            .map(|member| (mix(key(*member)) % slots, mix(key(*member) + 1) % slots / 2 * 2 + 1))
            .collect();
        let mut free = slots;
        while free > 0 {
            for (member, (at, skip)) in present.iter().zip(&mut next) {
                while owners[usize::try_from(*at).expect("a slot")].is_some() {
                    *at = (*at + *skip) % slots;
                }
                owners[usize::try_from(*at).expect("a slot")] = Some(*member);
                free -= 1;
                if free == 0 {
                    break;
                }
            }
        }
        owners
    })
}

/// Each slot goes to the host with the next point on a ring.
fn ring(members: &[Prefix], slots: u32) -> Box<dyn Fn(Option<Prefix>) -> Owners> {
    of_those_in(members, move |present| {
        let points = present
            .iter()
            .flat_map(|member| (0..RING_POINTS).map(|point| (mix(mix(point + 1) ^ key(*member)), *member)));
        let points: BTreeMap<u64, Prefix> = points.collect();
        let owner =
            |slot: u32| points.range(mix(u64::from(slot))..).chain(&points).next().map(|(_, member)| *member);
        (0..slots).map(owner).collect()
    })
}

/// An algorithm that knows only of those that are in.
fn of_those_in(
    members: &[Prefix],
    owners: impl Fn(&[Prefix]) -> Owners + 'static,
) -> Box<dyn Fn(Option<Prefix>) -> Owners> {
    let members = members.to_vec();
    Box::new(move |out| {
        let present: Vec<Prefix> = members.iter().copied().filter(|member| Some(*member) != out).collect();
        owners(&present)
    })
}

fn key(member: Prefix) -> u64 {
    match member.address() {
        std::net::IpAddr::V4(v4) => mix(u64::from(v4.to_bits())),
        std::net::IpAddr::V6(v6) => v6.segments().iter().fold(6, |key, part| mix(key ^ u64::from(*part))),
    }
}

/// SplitMix64's finalizer.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
