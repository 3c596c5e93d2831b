//! What others do is noticed, and what we do ourselves is not.

use std::collections::BTreeSet;
use std::time::Duration;

use hfm::dataplane::{DataPlane, Notices};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::world::{World, alone, nft};

fn of(tables: &[&str]) -> Notices {
    Notices { all: false, tables: tables.iter().map(|name| (*name).into()).collect() }
}

/// Whether there is something to be taken.
fn is_readable(world: &World) -> bool {
    let descriptor = world.plane.notices().expect("it is open");
    let mut poll = Poll::new().expect("there are descriptors left");
    let mut events = Events::with_capacity(1);
    let registered = poll.registry().register(&mut SourceFd(&descriptor), Token(0), Interest::READABLE);
    registered.expect("it can be polled");
    poll.poll(&mut events, Some(Duration::ZERO)).expect("it is polled");
    !events.is_empty()
}

/// With these sets, known and listened to.
fn listening(world: &mut World, names: &[&str]) {
    world.plane.open().expect("it may");
    for name in names {
        world.contents(name, &[]).expect("it is there");
    }
    assert!(world.plane.take_notices().all, "before it listened anything may have happened");
    assert_eq!(world.plane.take_notices(), Notices::default());
}

const RULES: &str = "table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
                     set theirs { type ipv4_addr; }; map m { typeof numgen inc mod 16 : ip daddr; }; }";

#[test]
fn what_others_change_is_named() {
    alone("what_others_change_is_named", |mut world| {
        nft(RULES);
        listening(&mut world, &["ip/t/s", "ip/t/i", "ip/t/m"]);
        assert!(!is_readable(&world));
        for (script, tables) in [
            ("add element ip t s { 10.0.0.1, 10.0.0.2 }", &["ip/t/s"][..]),
            ("delete element ip t s { 10.0.0.1 }", &["ip/t/s"]),
            ("add element ip t i { 10.0.0.0/8 }; add element ip t m { 3 : 10.0.0.1 }", &["ip/t/i", "ip/t/m"]),
            ("flush set ip t i", &["ip/t/i"]),
            ("delete set ip t i", &["ip/t/i"]),
            ("add set ip t i { type ipv4_addr; }", &["ip/t/i"]),
            ("add element ip t theirs { 10.0.0.1 }; add chain ip t c; add table inet t", &[]),
            ("flush ruleset", &["ip/t/i", "ip/t/m", "ip/t/s"]),
            (RULES, &["ip/t/i", "ip/t/m", "ip/t/s"]),
        ] {
            nft(script);
            assert!(is_readable(&world), "{script}");
            assert_eq!(world.plane.take_notices(), of(tables), "{script}");
            assert!(!is_readable(&world), "{script}");
        }
    });
}

#[test]
fn a_table_that_is_deleted_and_made_again_is_noticed_and_written_again() {
    alone("a_table_that_is_deleted_and_made_again_is_noticed_and_written_again", |mut world| {
        nft(RULES);
        world.change("ip/t/s", &[], &["10.0.0.1"], &[]).unwrap();
        listening(&mut world, &["ip/t/s"]);
        nft("delete table ip t");
        assert_eq!(world.plane.take_notices(), of(&["ip/t/s"]));
        assert_eq!(world.contents("ip/t/s", &[]), Err(hfm::dataplane::TableError::NoTable));
        nft("table ip t { set s { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }; }");
        assert_eq!(world.plane.take_notices(), of(&["ip/t/s"]));
        world.change("ip/t/s", &[], &["10.0.0.1"], &[]).unwrap();
        world.holds("ip/t/s", &[], &["10.0.0.1", "192.0.2.0/24"]);
    });
}

#[test]
fn our_own_changes_are_no_news() {
    alone("our_own_changes_are_no_news", |mut world| {
        nft(RULES);
        listening(&mut world, &["ip/t/s", "ip/t/i", "ip/t/m"]);
        for name in ["ip/t/s", "ip/t/i", "ip/t/m"] {
            world.change(name, &["10.0.0.1"], &["10.0.0.1"], &[]).unwrap();
            world.change(name, &["10.0.0.1"], &[], &["10.0.0.1"]).unwrap();
        }
        assert_eq!(world.plane.take_notices(), Notices::default());
        let mut other = World { plane: hfm::dataplane::Nftables::new(16) };
        other.change("ip/t/s", &[], &["10.0.0.1"], &[]).unwrap();
        assert_eq!(world.plane.take_notices(), of(&["ip/t/s"]), "those of another of us are");
    });
}

#[test]
fn what_was_not_heard_is_all() {
    alone("what_was_not_heard_is_all", |mut world| {
        nft(RULES);
        listening(&mut world, &["ip/t/s"]);
        // More than the socket takes while nobody reads it.
        let mut other = World { plane: hfm::dataplane::Nftables::new(16) };
        let many: Vec<String> =
            (0..60_000).map(|n: u32| std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for _ in 0..4 {
            other.change("ip/t/theirs", &[], &many, &[]).unwrap();
            other.change("ip/t/theirs", &[], &[], &many).unwrap();
        }
        let mut heard = world.plane.take_notices();
        assert!(heard.all);
        while is_readable(&world) {
            heard = world.plane.take_notices();
        }
        drop(heard);
        nft("add element ip t s { 10.0.0.1 }");
        assert_eq!(world.plane.take_notices(), of(&["ip/t/s"]), "it goes on listening");
        assert_eq!(world.plane.take_notices().tables, BTreeSet::new());
    });
}
