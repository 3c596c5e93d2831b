//! Values that are the same for all time: of two gateways the one is updated before the other, and clients must
//! not be sent elsewhere when it takes over.

use hfm::rule::Prefix;

use crate::{Owners, arrangement, owners, row};

#[test]
fn small_maps_are_these() {
    let members: Vec<Prefix> =
        ["10.2.1.251", "10.2.1.252", "2001:db8::1"].iter().map(|text| text.parse().unwrap()).collect();
    let arrangement = arrangement(&members, 16);
    let shown = |present: &[Prefix]| -> String {
        let place = |owner: &Option<Prefix>| members.iter().position(|member| Some(*member) == *owner);
        owners(&arrangement, present)
            .iter()
            .map(|owner| place(owner).map_or('-', |at| ['a', 'b', 'c'][at]))
            .collect()
    };
    let states = [&members[..], &members[1..], &[members[0], members[2]], &members[..2], &members[2..]];
    let wanted =
        ["bbabbbacaacccbac", "bbcbbbccbccccbbc", "caaacaacaaccccac", "bbabbbabaabaabaa", "cccccccccccccccc"];
    assert_eq!(states.map(shown), wanted);
}

#[test]
fn large_maps_add_up_to_these() {
    let members = row(50);
    let half: Vec<Prefix> = members.iter().copied().step_by(2).collect();
    let sums = [256, 4096, 65_536].map(|slots| {
        let arrangement = arrangement(&members, slots);
        [&members[..], &members[1..], &half]
            .map(|present| format!("{:016x}", sum(&owners(&arrangement, present))))
    });
    let wanted = [
        ["5f5a009ac388e6d8", "75d0c0bdd2fef15b", "c823782db7ac848d"],
        ["cef75de0361b78c5", "faadf2366ecfc4ed", "7880ffc204b7f1de"],
        ["65778e8e8b9ec4b2", "db2089646fadc3ce", "5713cd1541504e1d"],
    ];
    assert_eq!(sums, wanted);
}

/// FNV-1a over the owners' addresses.
fn sum(owners: &Owners) -> u64 {
    owners.iter().flatten().fold(0xcbf2_9ce4_8422_2325, |sum, owner| {
        let text = owner.to_string();
        text.bytes().fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}
