use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::rule::{CommandLine, Dialogue, Http, HttpVersion, Network, Page, Patterns, Peer, Service, Status};

fn probed(service: Service) -> Rule {
    let probe = Probe {
        url: "under test".into(),
        peer: Peer::Address(IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
        network: Network::default().into(),
        timeout: Duration::from_millis(300),
        service,
        tls: None,
    };
    let rule = Rule { name: "rule".into(), test: Test::Probe(probe.into()), ..Rule::vacant() };
    rule.with(|of| {
        of.status = Status::Enabled;
        of.interval = Duration::from_secs(10);
        of.interval_fail = Duration::from_secs(10);
        of.spread = true;
    })
}

fn connection() -> Rule {
    probed(Service::Dialogue(Dialogue::default().into()))
}

fn kept() -> Rule {
    let http = Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns: Patterns::default(),
        reuse: true,
    };
    probed(Service::Http(Page::new("h", "/"), http.into()))
}

fn of(rule: &Rule, count: usize) -> (u64, u64) {
    let Descriptors { own: _, of_clients: _, at_worst, of_children: _, in_silence } =
        Descriptors::of(&vec![rule.clone(); count], 0);
    (at_worst, in_silence)
}

#[test]
fn a_probe_has_a_connection_for_its_timeout_at_most() {
    assert_eq!(of(&connection(), 100_000), (100_000, 3_000));
    let second = Some(Duration::from_secs(1));
    assert_eq!(of(&connection().with(|of| of.interval_debounce = second), 1_000), (1_000, 300));
    assert_eq!(of(&connection().with(|of| of.interval_fail = Duration::from_millis(300)), 10), (10, 10));
    assert_eq!(of(&connection().with(|of| of.interval = Duration::ZERO), 10), (10, 10));
}

#[test]
fn what_begins_together_or_is_kept_counts_in_full() {
    assert_eq!(of(&connection().with(|of| of.spread = false), 10), (10, 10));
    assert_eq!(of(&connection().with(|of| of.start_delay = Some(Duration::ZERO)), 10), (10, 10));
    assert_eq!(of(&kept(), 10), (10, 10));
}

#[test]
fn a_command_counts_its_streams_and_an_empty_slot_nothing() {
    let command = Rule { name: "rule".into(), ..Rule::vacant() };
    assert_eq!(of(&command, 10), (40, 40));
    assert_eq!(of(&Rule::vacant(), 10), (0, 0));
}

#[test]
fn change_commands_count_where_there_are_any() {
    let mut rules = vec![connection(); 100];
    assert_eq!(
        Descriptors::of(&rules, 5),
        Descriptors { own: OWN, of_clients: 0, at_worst: 100, of_children: 0, in_silence: 3 }
    );
    rules[7].terms.change_fail = Some(CommandLine { program: "tell".into(), arguments: Vec::new() });
    assert_eq!(
        Descriptors::of(&rules, 5),
        Descriptors { own: OWN, of_clients: 0, at_worst: 120, of_children: 20, in_silence: 23 }
    );
}

#[test]
fn connections_leave_the_program_and_its_children_their_own() {
    let with = |of_children| Descriptors {
        own: OWN,
        of_clients: 0,
        at_worst: 1_000 + of_children,
        of_children,
        in_silence: 0,
    };
    for (of_children, limit, connections) in [
        (0, OWN + 1_000, 1_000),
        (200, OWN + 1_200, 1_000),
        (200, OWN + 500, 300),
        // Children want most of it: half is for connections.
        (800, OWN + 500, 250),
        (0, OWN + 24, 24),
        // Less than the program wants for itself: a part of that.
        (0, OWN, 12),
        (0, 40, 5),
        (200, u64::MAX, u64::MAX - OWN - 200),
    ] {
        assert_eq!(with(of_children).connections_within(limit), connections, "{of_children} {limit}");
    }
}

#[test]
fn too_few_are_told_by_how_many_and_enough_are_not_told_at_all() {
    let descriptors =
        Descriptors { own: OWN, of_clients: 0, at_worst: 1_000, of_children: 0, in_silence: 300 };
    let judge = |limit| descriptors.judge(OpenFiles { limit, needed: OWN + 1_000 });
    assert_eq!(judge(OWN + 1_000), None);
    let level = |limit| judge(limit).map(|(level, _)| level);
    assert_eq!(level(OWN + 999), Some(Level::Info));
    assert_eq!(level(OWN + 300), Some(Level::Info));
    assert_eq!(level(OWN + 299), Some(Level::Warn));
    let (_, line) = judge(OWN + 200).expect("there are too few");
    let begin = "open files are limited to 296: 200 are left for runs, which need 300 while no target answers and \
                 1000 at worst; runs without one are inconclusive (descriptors); for all of them raise the limit to 1096: ";
    assert_eq!(line.strip_prefix(begin), Some(limits::RAISED_BY));
    // Fewer than the program needs for itself.
    assert!(judge(OWN).expect("there are too few").1.contains(" 12 are left for runs"));
    assert!(judge(8).expect("there are too few").1.contains(" 1 are left for runs"));
}

#[test]
fn clients_of_the_status_page_take_none_from_runs() {
    let rules = vec![connection(); 100];
    let page = "[::1]:9090".parse().ok();
    let serving = Descriptors::of(&rules, 5).serving(page);
    assert_eq!(serving.connections_within(OWN + 256 + 100), 100);
    assert_eq!(Descriptors::of(&rules, 5).serving(None), Descriptors::of(&rules, 5));
}

#[test]
fn what_is_told_is_what_is_in_force_and_what_the_status_page_keeps() {
    let rules = vec![connection(); 200];
    let serving = Descriptors::of(&rules, 5).serving("[::1]:9090".parse().ok());
    let (level, line) =
        serving.judge(OpenFiles { limit: 300, needed: OWN + 456 }).expect("there are too few");
    let begin = "open files are limited to 300: 37 are left for runs, which need 6 while no target answers and 200 at \
                 worst; 'listen' keeps up to 256 for its clients; runs without one are inconclusive (descriptors); ";
    assert!(line.starts_with(begin), "{line}");
    assert_eq!((level, serving.connections_within(300)), (Level::Info, 37));
}
