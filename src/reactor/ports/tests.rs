use std::net::Ipv4Addr;

use super::*;
use crate::rule::{Dialogue, Network};

/// The range that Linux has by default.
const PORTS: u32 = 28_232;

fn rule(peer: Peer, close: Close) -> Rule {
    let probe = Probe {
        url: "under test".into(),
        peer,
        network: Network { close, ..Network::default() }.into(),
        timeout: Duration::from_millis(300),
        service: Service::Dialogue(Dialogue::default().into()),
        tls: None,
    };
    let rule = Rule { name: "rule".into(), test: Test::Probe(probe.into()), ..Rule::vacant() };
    rule.with(|of| of.interval = Duration::from_secs(1))
}

fn host(last: u8) -> Peer {
    Peer::Address(Ipv4Addr::new(10, 0, 0, last).into(), 80)
}

fn many(count: usize, close: Close) -> Vec<Rule> {
    vec![rule(host(1), close); count]
}

#[test]
fn half_of_the_ports_is_enough_and_more_is_told() {
    // 14,100 connections wait.
    assert_eq!(shortage(&many(235, Close::Fin), PORTS), None);
    let told = shortage(&many(236, Close::Fin), PORTS).expect("14,160 wait");
    let target = "10.0.0.1:80".to_owned();
    assert_eq!(told, Shortage { target, rules: 236, waiting: 14_160, ports: PORTS, others: 0 });
    assert!(told.to_string().ends_with("rules=236"), "{told}");
}

#[test]
fn what_leaves_nothing_behind_or_is_far_apart_needs_no_ports() {
    assert_eq!(shortage(&many(100_000, Close::Reset), PORTS), None);
    let rare = |rule: Rule| rule.with(|of| of.interval = Duration::from_secs(60));
    assert_eq!(shortage(&many(10_000, Close::Fin).into_iter().map(rare).collect::<Vec<_>>(), PORTS), None);
    let local = Peer::Local("/run/service".into());
    assert_eq!(shortage(&vec![rule(local, Close::Fin); 10_000], PORTS), None);
}

#[test]
fn each_pair_of_addresses_has_ports_of_its_own() {
    let mut rules: Vec<Rule> = (1..=200).flat_map(|last| vec![rule(host(last), Close::Fin); 200]).collect();
    assert_eq!(shortage(&rules, PORTS), None);
    rules.extend(many(200, Close::Fin));
    assert_eq!(
        shortage(&rules, PORTS).map(|told| (told.target, told.rules)),
        Some(("10.0.0.1:80".into(), 400))
    );
    // The same from another address of ours.
    for rule in rules.iter_mut().rev().take(200) {
        let Test::Probe(probe) = &mut rule.test else { panic!("it is a probe") };
        probe.network.source = Some(Ipv4Addr::new(10, 0, 0, 254).into());
    }
    assert_eq!(shortage(&rules, PORTS), None);
}

#[test]
fn the_worst_target_is_named_and_the_others_are_counted() {
    let mut rules = many(300, Close::Fin);
    rules.extend(vec![rule(host(2), Close::Fin); 400]);
    rules.push(rule(host(3), Close::Fin).with(|of| of.interval = Duration::ZERO));
    let told = shortage(&rules, PORTS).expect("all three");
    assert_eq!((told.target.as_str(), told.waiting, told.others), ("10.0.0.3:80", 60_000, 2));
    assert!(told.to_string().ends_with("rules=1 other_targets=2"), "{told}");
}
