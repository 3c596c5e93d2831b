//! Sets of single addresses.

use hfm::dataplane::{DataPlane, TableError};

use crate::world::{alone, listed, nft};

#[test]
fn addresses_come_and_go() {
    alone("addresses_come_and_go", |mut world| {
        nft("table inet t { set four { type ipv4_addr; }; set six { type ipv6_addr; }; }");
        let four = ["10.0.0.1", "10.0.0.2", "255.255.255.255", "0.0.0.0"];
        world.change("inet/t/four", &four, &four, &[]).unwrap();
        assert_eq!(listed("inet/t/four"), ["0.0.0.0", "10.0.0.1", "10.0.0.2", "255.255.255.255"]);
        world.holds("inet/t/four", &four, &four);
        world.change("inet/t/four", &four, &["10.0.0.9"], &["10.0.0.1", "0.0.0.0"]).unwrap();
        assert_eq!(listed("inet/t/four"), ["10.0.0.2", "10.0.0.9", "255.255.255.255"]);
        let six = ["2001:db8::1", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];
        world.change("inet/t/six", &six, &six, &[]).unwrap();
        world.holds("inet/t/six", &six, &six);
        world.change("inet/t/six", &six, &[], &six[1..]).unwrap();
        assert_eq!(listed("inet/t/six"), ["2001:db8::1"]);
        world.change("inet/t/six", &six, &[], &six).unwrap();
        world.holds("inet/t/six", &six, &[]);
    });
}

#[test]
fn every_family_has_sets() {
    alone("every_family_has_sets", |mut world| {
        for family in ["ip", "ip6", "inet", "arp", "bridge", "netdev"] {
            nft(&format!("table {family} t {{ set s {{ type ipv4_addr; }}; }}"));
            let name = format!("{family}/t/s");
            world.change(&name, &[], &["10.0.0.1"], &[]).unwrap();
            assert_eq!(listed(&name), ["10.0.0.1"], "{family}");
            world.holds(&name, &[], &["10.0.0.1"]);
        }
    });
}

#[test]
fn what_is_in_already_and_what_is_out_already_is_no_error() {
    alone("what_is_in_already_and_what_is_out_already_is_no_error", |mut world| {
        nft("table ip t { set s { type ipv4_addr; elements = { 10.0.0.1, 192.0.2.1 }; }; }");
        world.change("ip/t/s", &[], &["10.0.0.1", "10.0.0.1", "10.0.0.2"], &["10.0.0.7"]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.1", "10.0.0.2", "192.0.2.1"]);
        world
            .change("ip/t/s", &[], &[], &["10.0.0.1", "10.0.0.1", "10.0.0.8", "2001:db8::1", "10.0.0.0/8"])
            .unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.2", "192.0.2.1"]);
        world.change("ip/t/s", &[], &[], &[]).unwrap();
        world.change("ip/t/s", &[], &["10.0.0.5"], &["10.0.0.5"]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.2", "192.0.2.1"], "out wins");
    });
}

#[test]
fn several_tables_are_written_at_once_and_one_that_fails_keeps_none_back() {
    alone("several_tables_are_written_at_once_and_one_that_fails_keeps_none_back", |mut world| {
        nft("table ip t { set a { type ipv4_addr; }; set full { type ipv4_addr; size 1; }; set b { type ipv4_addr; };
             set ports { type inet_service; }; }");
        let add = crate::world::prefixes(&["10.0.0.1", "10.0.0.2"]);
        let of = |name: &'static str| hfm::dataplane::Change {
            table: hfm::dataplane::Managed { name, members: &add },
            add: &add,
            remove: &[],
        };
        let names = ["ip/t/a", "ip/t/missing", "ip/t/full", "ip/t/ports", "nonsense", "ip/t/b"];
        let results = world.plane.apply(&names.map(of));
        assert_eq!(results[0], Ok(()));
        assert_eq!(results[1], Err(TableError::NoTable));
        assert!(results[2].as_ref().unwrap_err().to_string().contains("is full"), "{results:?}");
        assert!(results[3].as_ref().unwrap_err().to_string().contains("inet_service"), "{results:?}");
        assert!(matches!(results[4], Err(TableError::Syntax(_))), "{results:?}");
        assert_eq!(results[5], Ok(()));
        for name in ["ip/t/a", "ip/t/b"] {
            assert_eq!(listed(name), ["10.0.0.1", "10.0.0.2"]);
        }
        assert_eq!(listed("ip/t/full"), [""; 0]);
    });
}

#[test]
fn a_full_set_takes_one_for_another() {
    alone("a_full_set_takes_one_for_another", |mut world| {
        nft("table ip t { set s { type ipv4_addr; size 1; elements = { 10.0.0.1 }; }; }");
        world.change("ip/t/s", &[], &["10.0.0.2"], &["10.0.0.1"]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.2"]);
    });
}

#[test]
fn what_others_say_of_their_elements_stays() {
    alone("what_others_say_of_their_elements_stays", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags timeout; counter;
             elements = { 192.0.2.1 counter packets 7 bytes 99 comment \"mine\", 192.0.2.2 timeout 1h }; }; }");
        world.change("ip/t/s", &["10.0.0.1"], &["10.0.0.1"], &[]).unwrap();
        world.holds("ip/t/s", &["10.0.0.1"], &["10.0.0.1", "192.0.2.1", "192.0.2.2"]);
        world.change("ip/t/s", &["10.0.0.1"], &[], &["10.0.0.1"]).unwrap();
        let listed = listed("ip/t/s");
        assert!(listed[0].contains("counter packets 7 bytes 99 comment \"mine\""), "{listed:?}");
        assert!(listed[1].contains("192.0.2.2") && listed[1].contains("timeout 1h"), "{listed:?}");
    });
}

/// Ours with a timeout would leave by themselves: they are in, but not as they should be.
#[test]
fn ours_that_someone_gave_a_timeout_are_made_to_stay() {
    alone("ours_that_someone_gave_a_timeout_are_made_to_stay", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags timeout;
             elements = { 10.0.0.1 timeout 1h comment \"kept\", 10.0.0.2 timeout 1h, 192.0.2.1 timeout 1h }; }; }");
        let members = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        let contents = world.contents("ip/t/s", &members).unwrap();
        assert!(contents.disordered);
        world.change("ip/t/s", &members, &[], &["10.0.0.2"]).unwrap();
        world.holds("ip/t/s", &members, &["10.0.0.1", "192.0.2.1"]);
        let listed = listed("ip/t/s");
        assert_eq!(listed[0], "10.0.0.1 comment \"kept\"");
        assert!(listed[1].starts_with("192.0.2.1 timeout 1h"), "{listed:?}");
    });
}

#[test]
fn an_element_for_all_others_is_neither_read_nor_lost() {
    alone("an_element_for_all_others_is_neither_read_nor_lost", |mut world| {
        nft(
            "table ip t { set s { type ipv4_addr; counter; elements = { * counter packets 3 bytes 4, 192.0.2.1 }; }; }",
        );
        world.holds("ip/t/s", &[], &["192.0.2.1"]);
        world.change("ip/t/s", &[], &["10.0.0.1"], &["192.0.2.1"]).unwrap();
        world.holds("ip/t/s", &[], &["10.0.0.1"]);
        assert!(listed("ip/t/s").iter().any(|element| element.starts_with("* counter packets 3 bytes 4")));
    });
}
