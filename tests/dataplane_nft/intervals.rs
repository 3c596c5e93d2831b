//! Sets with `flags interval`.

use crate::world::{alone, listed, nft};

#[test]
fn networks_come_and_go_beside_addresses() {
    alone("networks_come_and_go_beside_addresses", |mut world| {
        nft(
            "table inet t { set four { type ipv4_addr; flags interval; }; set six { type ipv6_addr; flags interval; }; }",
        );
        let four = ["10.0.0.0/24", "10.0.1.0", "10.0.1.1", "255.255.255.255", "0.0.0.0"];
        world.change("inet/t/four", &four, &four, &[]).unwrap();
        world.holds("inet/t/four", &four, &four);
        assert_eq!(
            listed("inet/t/four"),
            ["0.0.0.0", "10.0.0.0/24", "10.0.1.0", "10.0.1.1", "255.255.255.255"]
        );
        world
            .change("inet/t/four", &four, &["240.0.0.0/8"], &["10.0.1.0", "255.255.255.255", "0.0.0.0"])
            .unwrap();
        assert_eq!(listed("inet/t/four"), ["10.0.0.0/24", "10.0.1.1", "240.0.0.0/8"]);
        let six = ["2001:db8::/32", "::", "ff00::/8"];
        world.change("inet/t/six", &six, &six, &[]).unwrap();
        world.holds("inet/t/six", &six, &six);
        world.change("inet/t/six", &six, &[], &["::", "ff00::/8"]).unwrap();
        assert_eq!(listed("inet/t/six"), ["2001:db8::/32"]);
    });
}

#[test]
fn everything_is_a_network_too() {
    alone("everything_is_a_network_too", |mut world| {
        for (family, kind, all) in [("ip", "ipv4_addr", "0.0.0.0/0"), ("ip6", "ipv6_addr", "::/0")] {
            nft(&format!("table {family} t {{ set s {{ type {kind}; flags interval; }}; }}"));
            let name = format!("{family}/t/s");
            world.change(&name, &[all], &[all], &[]).unwrap();
            assert_eq!(listed(&name), [all]);
            world.holds(&name, &[all], &[all]);
            world.change(&name, &[all], &[], &[all]).unwrap();
            world.holds(&name, &[all], &[]);
        }
    });
}

/// What nft put in, we take out, and the other way about: in all places where an interval may lie.
#[test]
fn nft_and_we_mean_the_same() {
    alone("nft_and_we_mean_the_same", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags interval; }; }");
        for network in
            ["0.0.0.0", "0.0.0.0/8", "10.0.0.1", "10.0.0.0/9", "128.0.0.0/1", "255.255.255.255", "0.0.0.0/0"]
        {
            for _ in 0..2 {
                nft(&format!("add element ip t s {{ {network} }}"));
                world.holds("ip/t/s", &[network], &[network]);
                world.change("ip/t/s", &[network], &[], &[network]).unwrap();
                world.holds("ip/t/s", &[network], &[]);
                world.change("ip/t/s", &[network], &[network], &[]).unwrap();
                assert_eq!(listed("ip/t/s"), [network]);
                nft(&format!("delete element ip t s {{ {network} }}"));
                world.holds("ip/t/s", &[network], &[]);
            }
        }
    });
}

#[test]
fn others_intervals_stay() {
    alone("others_intervals_stay", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags interval; counter;
             elements = { 192.0.2.5-192.0.2.9 counter packets 1 bytes 2 comment \"theirs\", 10.0.0.2, 224.0.0.0/3 }; }; }");
        let ours = ["10.0.0.1", "10.0.0.3", "192.0.2.4", "192.0.2.10"];
        world.change("ip/t/s", &ours, &ours, &[]).unwrap();
        let theirs = ["192.0.2.5", "192.0.2.6/31", "192.0.2.8/31", "10.0.0.2", "224.0.0.0/3"];
        world.holds("ip/t/s", &ours, &[&ours[..], &theirs].concat());
        world.change("ip/t/s", &ours, &[], &ours).unwrap();
        world.holds("ip/t/s", &ours, &theirs);
        assert!(
            listed("ip/t/s")
                .contains(&"192.0.2.5-192.0.2.9 counter packets 1 bytes 2 comment \"theirs\"".into())
        );
    });
}

#[test]
fn what_overlaps_is_an_error_in_words_and_the_rest_is_done() {
    alone("what_overlaps_is_an_error_in_words_and_the_rest_is_done", |mut world| {
        nft(
            "table ip t { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 10.1.0.5-10.1.0.9 }; }; }",
        );
        let said = world.complaint("ip/t/s", &["10.0.0.7"], &["10.0.0.7", "10.2.0.1"], &[]);
        assert!(
            said.contains("10.0.0.7 cannot be put in beside 10.0.0.0/24") && said.contains("auto-merge"),
            "{said}"
        );
        let said = world.complaint("ip/t/s", &[], &["10.3.0.1"], &["10.1.0.6"]);
        assert!(said.contains("10.1.0.6 cannot be taken out: 10.1.0.5-10.1.0.9 covers it"), "{said}");
        assert_eq!(listed("ip/t/s"), ["10.0.0.0/24", "10.1.0.5-10.1.0.9", "10.2.0.1", "10.3.0.1"]);
        world.holds(
            "ip/t/s",
            &["10.0.0.0/25", "10.1.0.6/31"],
            &["10.0.0.0/24", "10.1.0.5", "10.1.0.8/31", "10.2.0.1", "10.3.0.1"],
        );
    });
}

#[test]
fn what_nft_has_joined_with_ours_stays_when_ours_leaves() {
    alone("what_nft_has_joined_with_ours_stays_when_ours_leaves", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags interval; auto-merge; }; }");
        let ours = ["10.0.0.2", "10.0.0.8/29"];
        world.change("ip/t/s", &ours, &ours, &[]).unwrap();
        nft("add element ip t s { 10.0.0.1, 10.0.0.3-10.0.0.7, 10.0.0.16 }");
        assert_eq!(listed("ip/t/s"), ["10.0.0.1-10.0.0.16"], "nft joins");
        world.holds(
            "ip/t/s",
            &ours,
            &["10.0.0.2", "10.0.0.8/29", "10.0.0.1", "10.0.0.3", "10.0.0.4/30", "10.0.0.16"],
        );
        world.change("ip/t/s", &ours, &ours, &[]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.1-10.0.0.16"], "they are in already");
        world.change("ip/t/s", &ours, &[], &["10.0.0.8/29"]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.1-10.0.0.7", "10.0.0.16"]);
        world.change("ip/t/s", &ours, &["10.0.0.8/29"], &["10.0.0.2"]).unwrap();
        world.holds("ip/t/s", &ours, &["10.0.0.8/29", "10.0.0.1", "10.0.0.3", "10.0.0.4/30", "10.0.0.16"]);
    });
}

#[test]
fn what_is_cut_out_of_an_interval_without_an_end_leaves_one_with_and_one_without() {
    alone("what_is_cut_out_of_an_interval_without_an_end_leaves_one_with_and_one_without", |mut world| {
        nft(
            "table ip t { set s { type ipv4_addr; flags interval; auto-merge; elements = { 240.0.0.0/4 comment \"c\" }; }; }",
        );
        world.change("ip/t/s", &["250.0.0.1"], &[], &["250.0.0.1"]).unwrap();
        let rest = ["240.0.0.0-250.0.0.0 comment \"c\"", "250.0.0.2-255.255.255.255 comment \"c\""];
        assert_eq!(listed("ip/t/s"), rest);
        world.change("ip/t/s", &["250.0.0.1"], &["250.0.0.1"], &[]).unwrap();
        nft("delete element ip t s { 250.0.0.1 }");
        assert_eq!(listed("ip/t/s"), rest);
    });
}

#[test]
fn ours_in_a_set_of_networks_that_someone_gave_a_timeout_are_made_to_stay() {
    alone("ours_in_a_set_of_networks_that_someone_gave_a_timeout_are_made_to_stay", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags interval, timeout;
             elements = { 10.0.0.0/24 timeout 1h, 192.0.2.0/24 timeout 1h }; }; }");
        assert!(world.contents("ip/t/s", &["10.0.0.0/24"]).unwrap().disordered);
        world.change("ip/t/s", &["10.0.0.0/24"], &[], &[]).unwrap();
        world.holds("ip/t/s", &["10.0.0.0/24"], &["10.0.0.0/24", "192.0.2.0/24"]);
        let listed = listed("ip/t/s");
        assert!(listed[0] == "10.0.0.0/24" && listed[1].starts_with("192.0.2.0/24 timeout 1h"), "{listed:?}");
    });
}
