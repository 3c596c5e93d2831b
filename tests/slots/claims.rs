//! What is promised, for any hosts whatever that are in.

use hfm::dataplane::slots::{Arrangement, ArrangementError};
use hfm::rule::Prefix;

use crate::{Owners, arrangement, count, owners, row, scattered, v4, with_seeds};

/// What may differ between two states that one host's being in tells apart: its own slots, and nothing else.
fn assert_moves_only_its_own(without: &Owners, with: &Owners, host: Prefix, context: &str) {
    for (slot, (without, with)) in without.iter().zip(with).enumerate() {
        assert_ne!(*without, Some(host), "{context}: slot {slot} leads to a host that is out");
        assert!(
            with == without || *with == Some(host),
            "{context}: slot {slot} moves from {with:?} to {without:?}"
        );
    }
}

#[test]
fn a_host_that_goes_or_returns_moves_its_own_slots_alone() {
    // All states of six hosts, and all changes between them: also one by one down to none, and up again.
    let members = row(6);
    for slots in [6, 7, 64, 250] {
        let arrangement = arrangement(&members, slots);
        let of =
            |state: u32| -> Vec<Prefix> { (0..6).filter(|host| state >> host & 1 == 1).map(v4).collect() };
        for state in 0..64 {
            let before = owners(&arrangement, &of(state));
            for host in (0..6).filter(|host| state >> host & 1 == 1) {
                let without = owners(&arrangement, &of(state & !(1 << host)));
                let context = format!("{slots} slots, state {state:06b}, host {host}");
                assert_moves_only_its_own(&without, &before, v4(host), &context);
                assert!(count(&before, v4(host)) > 0, "{context}: no slot");
                assert_eq!(without.contains(&None), state == 1 << host, "{context}: empty slots");
            }
        }
    }
}

#[test]
fn so_it_is_with_many_hosts() {
    with_seeds(40, |rng, seed| {
        let hosts = 2 + rng.below(60);
        let slots = hosts + rng.below(2000);
        let members = scattered(rng, hosts);
        let arrangement = arrangement(&members, u32::try_from(slots).expect("few"));
        let share = rng.below(100);
        let mut present: Vec<Prefix> = members.iter().copied().filter(|_| rng.percent(share)).collect();
        for _ in 0..20 {
            let host = members[rng.below(hosts)];
            present.retain(|member| *member != host);
            let without = owners(&arrangement, &present);
            present.push(host);
            let with = owners(&arrangement, &present);
            assert_moves_only_its_own(&without, &with, host, seed);
            for host in &present {
                let owned = count(&with, *host);
                assert!(
                    owned >= slots / hosts,
                    "{seed}: {host} owns {owned} of {slots} slots beside {hosts} hosts"
                );
            }
        }
    });
}

#[test]
fn slots_are_spread_evenly_with_all_in_and_with_any_one_out() {
    for (hosts, slots) in
        [(1, 1), (2, 2), (2, 3), (3, 256), (7, 7), (7, 48), (10, 256), (50, 256), (50, 4096), (64, 65)]
    {
        let members = row(hosts);
        let arrangement = arrangement(&members, slots);
        for out in std::iter::once(None).chain(members.iter().copied().map(Some)) {
            let present: Vec<Prefix> =
                members.iter().copied().filter(|member| Some(*member) != out).collect();
            let owners = owners(&arrangement, &present);
            let counts = || present.iter().map(|host| count(&owners, *host));
            let (most, fewest) = (counts().max().unwrap_or(0), counts().min().unwrap_or(0));
            assert!(most - fewest <= 1, "{hosts} hosts, {slots} slots, without {out:?}: {fewest} to {most}");
        }
    }
}

#[test]
fn neither_order_nor_repetition_of_the_members_matters() {
    with_seeds(20, |rng, seed| {
        let members = scattered(rng, 12);
        let mut others = members.clone();
        for at in (1..others.len()).rev() {
            others.swap(at, rng.below(at + 1));
        }
        others.push(members[3]);
        let (one, other) = (arrangement(&members, 300), arrangement(&others, 300));
        let present = &members[..rng.below(13)];
        assert_eq!(owners(&one, present), owners(&other, present), "{seed}");
        assert!(one.is_of(&members) && one.is_of(&others) && other.is_of(&members), "{seed}");
        assert!(!one.is_of(&members[1..]) && !one.is_of(&[]), "{seed}");
        others[0] = v4(1);
        assert!(!one.is_of(&others), "{seed}: one is another");
    });
}

#[test]
fn a_new_host_moves_little_more_than_its_share() {
    // In parts of the least that can be; how much more it is falls with the square root of slots per host.
    for (hosts, slots, limit) in [(3, 256, 1.25), (10, 256, 1.6), (10, 4096, 1.2), (50, 4096, 1.8)] {
        let members = row(hosts);
        let before = owners(&arrangement(&members, slots), &members);
        let mut moved = 0;
        for new in 0..10 {
            let members: Vec<Prefix> = members.iter().copied().chain([v4(1000 + new)]).collect();
            let after = owners(&arrangement(&members, slots), &members);
            moved += before.iter().zip(&after).filter(|(before, after)| before != after).count();
        }
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = moved as f64 / 10.0 / f64::from(slots) * f64::from(hosts + 1);
        assert!(share < limit, "{hosts} hosts, {slots} slots: {share} times what has to move");
    }
}

#[test]
fn nobody_in_means_empty_slots() {
    let arrangement = arrangement(&row(3), 16);
    assert_eq!(owners(&arrangement, &[]), vec![None; 16]);
    assert_eq!(owners(&arrangement, &[v4(7)]), vec![None; 16], "one that is no member counts for nothing");
    assert_eq!(
        owners(&crate::arrangement(&[], 16), &[v4(0)]),
        vec![None; 16],
        "nor does any without members"
    );
}

#[test]
fn one_host_has_all_slots() {
    assert_eq!(owners(&arrangement(&row(1), 16), &row(1)), vec![Some(v4(0)); 16]);
}

#[test]
fn what_cannot_be_arranged_is_refused_in_words() {
    let network: Prefix = "10.2.0.0/24".parse().unwrap();
    for (members, slots, error, words) in [
        (row(1), 0, ArrangementError::Slots(0), "0 slots: 1 to 65536 can be"),
        (row(1), 65_537, ArrangementError::Slots(65_537), "65537 slots: 1 to 65536 can be"),
        (
            row(17),
            16,
            ArrangementError::TooMany { members: 17, slots: 16 },
            "17 addresses do not fit into 16 slots: raise 'slots', and the map's 'mod'",
        ),
        (
            vec![v4(0), network],
            16,
            ArrangementError::Network(network),
            "10.2.0.0/24 is a network: a slot leads to a single address",
        ),
    ] {
        let found = Arrangement::new(&members, slots).expect_err(words);
        assert_eq!((found, found.to_string().as_str()), (error, words));
    }
    let twice = [row(16), row(16)].concat();
    assert!(Arrangement::new(&twice, 16).is_ok(), "what stands there twice needs one slot");
}
