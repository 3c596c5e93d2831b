//! Maps of slots.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hfm::dataplane::slots::Arrangement;

use crate::world::{SLOTS, alone, listed_map, nft, nft_says, prefixes};

const HOSTS: [&str; 3] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

/// How nft lists the map when these of the hosts are in.
fn arranged(hosts: &[&str], is_in: &[&str]) -> Vec<String> {
    let (mut owners, is_in) = (Vec::new(), prefixes(is_in));
    let arrangement = Arrangement::new(&prefixes(hosts), SLOTS).expect("they fit");
    arrangement.arrange(|host| is_in.contains(&host), &mut owners);
    let slots = owners.iter().enumerate().filter_map(|(slot, owner)| Some(format!("{slot} : {}", (*owner)?)));
    let mut slots: Vec<String> = slots.collect();
    slots.sort();
    slots
}

#[test]
fn hosts_get_their_slots_and_give_up_no_others() {
    alone("hosts_get_their_slots_and_give_up_no_others", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; }");
        world.holds("ip/t/pool", &HOSTS, &[]);
        world.change("ip/t/pool", &HOSTS, &HOSTS, &[]).unwrap();
        world.holds("ip/t/pool", &HOSTS, &HOSTS);
        assert_eq!(listed_map("ip/t/pool"), arranged(&HOSTS, &HOSTS));
        world.change("ip/t/pool", &HOSTS, &[], &HOSTS[1..2]).unwrap();
        assert_eq!(listed_map("ip/t/pool"), arranged(&HOSTS, &["10.0.0.1", "10.0.0.3"]));
        world.change("ip/t/pool", &HOSTS, &HOSTS[1..2], &[]).unwrap();
        assert_eq!(listed_map("ip/t/pool"), arranged(&HOSTS, &HOSTS));
        world.change("ip/t/pool", &HOSTS, &[], &HOSTS).unwrap();
        assert_eq!(listed_map("ip/t/pool"), [""; 0]);
    });
}

#[test]
fn ipv6_hosts_have_slots_too() {
    alone("ipv6_hosts_have_slots_too", |mut world| {
        nft(
            "table ip6 t { map pool { typeof numgen inc mod 16 : ip6 daddr; }; map marks { type mark : ipv6_addr; }; }",
        );
        let hosts = ["2001:db8::1", "2001:db8::2"];
        for map in ["ip6/t/pool", "ip6/t/marks"] {
            world.change(map, &hosts, &hosts, &[]).unwrap();
            world.holds(map, &hosts, &hosts);
        }
        assert_eq!(listed_map("ip6/t/pool"), arranged(&hosts, &hosts));
    });
}

#[test]
fn slots_out_of_place_are_put_right_by_a_change_of_nothing() {
    alone("slots_out_of_place_are_put_right_by_a_change_of_nothing", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; }");
        world.change("ip/t/pool", &HOSTS, &HOSTS, &[]).unwrap();
        let whole = listed_map("ip/t/pool");
        nft("delete element ip t pool { 0 }; delete element ip t pool { 5 };
             delete element ip t pool { 6 }; add element ip t pool { 6 : 10.0.0.1 };
             delete element ip t pool { 7 }; add element ip t pool { 7 : 10.0.0.2 };");
        assert!(world.contents("ip/t/pool", &HOSTS).unwrap().disordered);
        world.change("ip/t/pool", &HOSTS, &[], &[]).unwrap();
        world.holds("ip/t/pool", &HOSTS, &HOSTS);
        assert_eq!(listed_map("ip/t/pool"), whole);
    });
}

#[test]
fn slots_beyond_their_number_and_addresses_that_no_rule_names_stay() {
    alone("slots_beyond_their_number_and_addresses_that_no_rule_names_stay", |mut world| {
        nft(
            "table ip t { map pool { type mark : ipv4_addr; elements = { 16 : 10.0.0.1, 0x80000000 : 192.0.2.1, 3 : 192.0.2.2 }; }; }",
        );
        world.holds("ip/t/pool", &HOSTS, &["192.0.2.2"]);
        world.change("ip/t/pool", &HOSTS, &HOSTS, &[]).unwrap();
        world.holds("ip/t/pool", &HOSTS, &["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.2"]);
        world.change("ip/t/pool", &HOSTS, &[], &HOSTS).unwrap();
        let left = ["0x00000003 : 192.0.2.2", "0x00000010 : 10.0.0.1", "0x80000000 : 192.0.2.1"];
        assert_eq!(listed_map("ip/t/pool"), left);
        world.change("ip/t/pool", &HOSTS, &HOSTS[..1], &["192.0.2.2"]).unwrap();
        world.holds("ip/t/pool", &HOSTS, &HOSTS[..1]);
    });
}

/// After a reload those that are to leave keep their slots until they do.
#[test]
fn other_hosts_take_over_when_the_old_ones_leave() {
    alone("other_hosts_take_over_when_the_old_ones_leave", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; }");
        world.change("ip/t/pool", &HOSTS, &HOSTS, &[]).unwrap();
        let whole = listed_map("ip/t/pool");
        let others = ["10.0.9.1", "10.0.9.2"];
        world.holds("ip/t/pool", &others, &HOSTS);
        world.change("ip/t/pool", &others, &[], &[]).unwrap();
        assert_eq!(listed_map("ip/t/pool"), whole);
        world.change("ip/t/pool", &others, &others, &HOSTS).unwrap();
        assert_eq!(listed_map("ip/t/pool"), arranged(&others, &others));
    });
}

#[test]
fn a_host_that_comes_is_not_kept_out_by_addresses_that_no_rule_names() {
    alone("a_host_that_comes_is_not_kept_out_by_addresses_that_no_rule_names", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; }");
        world.change("ip/t/pool", &HOSTS, &HOSTS, &[]).unwrap();
        world.change("ip/t/pool", &["10.0.9.1"], &["10.0.9.1"], &[]).unwrap();
        world.holds("ip/t/pool", &["10.0.9.1"], &["10.0.9.1"]);
    });
}

/// Clients are sent through the map all the time, and each of them finds a host.
#[test]
fn no_slot_is_ever_empty_while_hosts_come_and_go() {
    alone("no_slot_is_ever_empty_while_hosts_come_and_go", |mut world| {
        const LOCAL: [&str; 3] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
        assert!(
            std::process::Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success()
        );
        nft("table ip t { counter missed {}; counter seen {};
             map pool { typeof numgen inc mod 16 : ip daddr; };
             chain out { type nat hook output priority -100; udp dport != 9 accept; counter name seen;
                         dnat to numgen inc mod 16 map @pool; counter name missed; }; }");
        let send = || UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", "127.0.0.4:9").map(drop);
        let packets = |counter: &str| {
            let told = nft_says(&["list", "counter", "ip", "t", counter]);
            let digits = told.split_once("packets ").unwrap().1.split(' ').next().unwrap();
            digits.parse::<u64>().unwrap()
        };
        send().unwrap();
        assert_eq!((packets("seen"), packets("missed")), (1, 1), "an empty map is noticed");
        world.change("ip/t/pool", &LOCAL, &LOCAL, &[]).unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    send().unwrap();
                }
            });
            let wanted = packets("seen") + 3000;
            while packets("seen") < wanted {
                for host in 0..3 {
                    for _ in 0..20 {
                        world.change("ip/t/pool", &LOCAL, &[], &LOCAL[host..=host]).unwrap();
                        world.change("ip/t/pool", &LOCAL, &LOCAL[host..=host], &[]).unwrap();
                    }
                }
            }
            over.store(true, Ordering::Relaxed);
            sender.join().unwrap();
        });
        assert_eq!(packets("missed"), 1);
    });
}

#[test]
fn more_hosts_than_slots_and_what_fits_no_slot_are_errors_in_words() {
    alone("more_hosts_than_slots_and_what_fits_no_slot_are_errors_in_words", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; map wide { typeof numgen inc mod 32 : ip daddr; };
             map far { typeof numgen inc mod 16 offset 4 : ip daddr; }; map text { type ipv4_addr : verdict; }; }");
        let many: Vec<String> = (0..17).map(|host| format!("10.0.1.{host}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (map, members, words) in [
            ("ip/t/pool", &many[..], "17"),
            ("ip/t/pool", &["10.0.0.0/24"][..], "10.0.0.0/24"),
            (
                "ip/t/pool",
                &["2001:db8::1"][..],
                "2001:db8::1 does not fit: it takes a set or map of ipv6_addr",
            ),
            ("ip/t/wide", &HOSTS[..], "'numgen inc mod 32', and 'slots' is 16"),
            ("ip/t/far", &HOSTS[..], "offset 4"),
            ("ip/t/text", &HOSTS[..], "a map of ipv4_addr : verdict"),
        ] {
            let said = world.complaint(map, members, members, &[]);
            assert!(said.contains(words), "{said}\nwithout {words}");
        }
        // What the map is, makes it unreadable; what rules say of it does not.
        for (map, words) in [("wide", "'slots' is 16"), ("far", "offset 4"), ("text", "verdict")] {
            let said = world.contents(&format!("ip/t/{map}"), &HOSTS).unwrap_err().to_string();
            assert!(said.contains(words), "{said}\nwithout {words}");
        }
        world.contents("ip/t/pool", &["10.0.0.0/24"]).unwrap();
    });
}

#[test]
fn who_fits_no_slot_keeps_no_dead_one_in() {
    alone("who_fits_no_slot_keeps_no_dead_one_in", |mut world| {
        nft("table ip t { map pool { typeof numgen inc mod 16 : ip daddr; }; }");
        let members = ["10.0.0.1", "10.0.0.2", "2001:db8::1", "10.0.3.0/24"];
        let said = world.complaint("ip/t/pool", &members, &members, &[]);
        assert!(said.contains("2001:db8::1 does not fit"), "{said}");
        world.holds("ip/t/pool", &members, &HOSTS[..2]);
        world.change("ip/t/pool", &members, &[], &HOSTS[1..2]).unwrap();
        world.holds("ip/t/pool", &members, &HOSTS[..1]);
        // One host more than there are slots.
        let many: Vec<String> = (0..17).map(|host| format!("10.0.1.{host}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let said = world.complaint("ip/t/pool", &many, &many, &HOSTS[..1]);
        assert!(said.contains("10.0.1.16 gets none of 16 slots, there are 17 hosts"), "{said}");
        world.holds("ip/t/pool", &many, &many[..16]);
        world.change("ip/t/pool", &many, &[], &many[..15]).unwrap();
        world.holds("ip/t/pool", &many, &many[15..16]);
    });
}

#[test]
fn of_slots_that_others_fill_only_as_many_are_taken_as_are_needed() {
    alone("of_slots_that_others_fill_only_as_many_are_taken_as_are_needed", |mut world| {
        let sorry: Vec<String> = (0..16).map(|slot| format!("{slot} : 192.0.2.1")).collect();
        let sorry = sorry.join(", ");
        nft(&format!("table ip t {{ map pool {{ type mark : ipv4_addr; elements = {{ {sorry} }}; }}; }}"));
        world.change("ip/t/pool", &HOSTS, &HOSTS[..1], &[]).unwrap();
        world.change("ip/t/pool", &HOSTS, &HOSTS[1..2], &[]).unwrap();
        let left = listed_map("ip/t/pool").iter().filter(|slot| slot.ends_with("192.0.2.1")).count();
        assert!(left < 16, "both have slots");
        world.holds(
            "ip/t/pool",
            &HOSTS,
            &if left > 0 { vec!["10.0.0.1", "10.0.0.2", "192.0.2.1"] } else { vec!["10.0.0.1", "10.0.0.2"] },
        );
    });
}

#[test]
fn a_table_of_another_program_is_its_own_trouble() {
    alone("a_table_of_another_program_is_its_own_trouble", |mut world| {
        use std::io::{BufRead, BufReader, Write};
        use std::process::{Command, Stdio};
        nft("table ip mine { set s { type ipv4_addr; }; }");
        let mut owner = Command::new("nft")
            .arg("-i")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nft runs");
        let mut words = owner.stdin.take().expect("it is piped");
        writeln!(words, "table ip theirs {{ flags owner; set s {{ type ipv4_addr; }}; }}").unwrap();
        writeln!(words, "list tables").unwrap();
        let answers = BufReader::new(owner.stdout.take().expect("it is piped"));
        let mut lines = answers.lines();
        assert!(lines.any(|line| line.unwrap().starts_with("table ip theirs")), "it is made");
        let said = world.complaint("ip/theirs/s", &HOSTS, &HOSTS[..1], &[]);
        assert!(said.contains("flags owner"), "{said}");
        world.change("ip/mine/s", &HOSTS, &HOSTS[..1], &[]).unwrap();
        drop(words);
        owner.wait().unwrap();
    });
}
