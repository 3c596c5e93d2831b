//! Which connections are forgotten, and that no other is ever touched.

use std::process::Command;
use std::sync::Barrier;
use std::thread;

use hfm::dataplane::TableError;
use hfm::rule::Prefix;

use crate::skip::skip;
use crate::{follow, followed, forget, prefixes, with_conntrack};

/// One that asked for `asked` and is sent to `sent`.
fn tcp(client: &str, port: usize, asked: &str, sent: &str) -> String {
    format!(
        "-s {client} -d {asked} -r {sent} -q {client} -p tcp --sport {port} --dport 80 --reply-port-src 8080 \
         --reply-port-dst {port} --state ESTABLISHED -u ASSURED"
    )
}

fn udp(client: &str, port: usize, asked: &str, sent: &str) -> String {
    format!(
        "-s {client} -d {asked} -r {sent} -q {client} -p udp --sport {port} --dport 53 --reply-port-src 53 \
         --reply-port-dst {port}"
    )
}

/// Forgets those towards these addresses: of all connections just the ones of which `is_towards` is true.
fn assert_forgets(addresses: &[Prefix], is_towards: impl Fn(&str) -> bool) {
    let before = followed();
    let (towards, others): (Vec<String>, Vec<String>) = before.into_iter().partition(|line| is_towards(line));
    assert!(!towards.is_empty() && !others.is_empty(), "{towards:?} of {others:?}");
    let killed = forget(addresses).expect("the kernel forgets");
    let after = followed();
    let less = |of: &[String], than: &[String]| -> Vec<String> {
        of.iter().filter(|line| !than.contains(line)).cloned().collect()
    };
    assert_eq!(less(&others, &after), [""; 0], "these are not towards {addresses:?}");
    assert_eq!(less(&after, &others), [""; 0], "these are towards {addresses:?}");
    assert_eq!(killed, towards.len() as u64);
}

/// Whom a connection of [`followed`] is answered by.
fn who_answers(line: &str) -> &str {
    let reply = line.rfind("src=").expect("a reply");
    line[reply + 4..].split(' ').next().expect("an address")
}

/// Some of all kinds, for clients and backends of both families.
fn scene() {
    let mut connections = Vec::new();
    for port in 1000..1300 {
        connections.push(tcp(
            "192.0.2.1",
            port,
            "198.51.100.1",
            ["10.0.0.3", "10.0.0.20", "10.0.1.2"][port % 3],
        ));
        connections.push(tcp(
            "2001:db8::1",
            port,
            "2001:db8:1::1",
            ["2001:db8:2::3", "2001:db8:2::20"][port % 2],
        ));
    }
    for port in 2000..2020 {
        connections.push(tcp("192.0.2.1", port, "198.51.100.1", "10.0.0.2"));
        connections.push(udp("192.0.2.2", port, "198.51.100.1", "10.0.0.2"));
        connections.push(tcp("192.0.2.3", port, "10.0.0.2", "10.0.0.2"));
        connections.push(format!("{} -w 7", tcp("192.0.2.1", port, "198.51.100.1", "10.0.0.2")));
        connections.push(tcp("2001:db8::1", port, "2001:db8:1::1", "2001:db8:2::2"));
        // What it asks for itself, and who asked for it and was sent elsewhere.
        connections.push(tcp("10.0.0.2", port, "203.0.113.1", "203.0.113.1"));
        connections.push(tcp("192.0.2.4", port, "10.0.0.2", "10.0.0.9"));
        connections.push(format!("{} -w 7", tcp("192.0.2.5", port, "198.51.100.1", "10.0.0.3")));
    }
    connections.push(
        "-s 192.0.2.1 -d 198.51.100.1 -r 10.0.0.2 -q 192.0.2.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7".to_owned(),
    );
    connections.push(
        "-s 192.0.2.1 -d 198.51.100.1 -r 10.0.0.2 -q 192.0.2.1 -p sctp --orig-port-src 7 --orig-port-dst 80 \
         --reply-port-src 80 --reply-port-dst 7 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2"
            .to_owned(),
    );
    follow(&connections);
    assert_eq!(followed().len(), connections.len(), "the kernel follows all");
}

#[test]
fn those_that_an_address_answers_are_forgotten_and_no_other() {
    with_conntrack("those_that_an_address_answers_are_forgotten_and_no_other", || {
        scene();
        assert_forgets(&prefixes(&["10.0.0.2"]), |line| who_answers(line) == "10.0.0.2");
        assert_forgets(&prefixes(&["2001:db8:2::2"]), |line| who_answers(line) == "2001:db8:2::2");
        assert_eq!(forget(&prefixes(&["10.0.0.2"])), Ok(0), "they are gone");
        assert_eq!(forget(&prefixes(&["192.0.2.1", "10.0.0.200"])), Ok(0), "clients answer nobody");
        assert_eq!(forget(&[]), Ok(0));
    });
}

#[test]
fn networks_and_both_families_at_once_are_forgotten_and_no_other() {
    with_conntrack("networks_and_both_families_at_once_are_forgotten_and_no_other", || {
        scene();
        assert_forgets(&prefixes(&["10.0.0.2", "2001:db8:2::2"]), |line| {
            ["10.0.0.2", "2001:db8:2::2"].contains(&who_answers(line))
        });
        assert_forgets(&prefixes(&["10.0.0.0/28", "10.9.0.0/16"]), |line| {
            ["10.0.0.3", "10.0.0.9"].contains(&who_answers(line))
        });
        assert_forgets(&prefixes(&["2001:db8:2::10/124", "2001:db8:2::20/128"]), |line| {
            who_answers(line) == "2001:db8:2::20"
        });
    });
}

#[test]
fn many_addresses_are_forgotten_and_no_other() {
    with_conntrack("many_addresses_are_forgotten_and_no_other", || {
        let address = |number: usize| format!("10.0.{}.{}", number / 100, number % 100);
        let towards = |number: usize| tcp("192.0.2.1", 1000 + number, "198.51.100.1", &address(number));
        let scene: Vec<String> = (0..5000).map(|number| towards(number % 1000 + number)).collect();
        follow(&scene);
        let texts: Vec<String> =
            (0..1000).step_by(3).map(address).chain(["2001:db8::1".to_owned()]).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_forgets(&prefixes(&texts), |line| texts.contains(&who_answers(line)));
    });
}

#[test]
fn those_that_are_over_meanwhile_are_no_error() {
    with_conntrack("those_that_are_over_meanwhile_are_no_error", || {
        let scene: Vec<String> =
            (0..10_000).map(|port| tcp("192.0.2.1", 1000 + port, "198.51.100.1", "10.0.0.2")).collect();
        follow(&scene);
        // Two that forget the same at the same time: each connection is forgotten by one of them.
        let both_are_ready = Barrier::new(2);
        let forget = || {
            both_are_ready.wait();
            forget(&prefixes(&["10.0.0.2"]))
        };
        let [one, other] = thread::scope(|scope| {
            [scope.spawn(forget), scope.spawn(forget)].map(|thread| thread.join().expect("it ends"))
        });
        assert_eq!(one.expect("no error") + other.expect("no error"), 10_000);
        assert_eq!(followed(), [""; 0]);
    });
}

/// Set for this program when it is to run without a right.
const WITHOUT_RIGHT: &str = "HFM_CONNTRACK_WITHOUT_RIGHT";

#[test]
fn who_may_not_is_told_what_it_takes() {
    let test = "who_may_not_is_told_what_it_takes";
    if std::env::var_os(WITHOUT_RIGHT).is_some() {
        let error = forget(&prefixes(&["10.0.0.2"])).expect_err("it may not");
        assert!(
            matches!(&error, TableError::NotPermitted(what) if what.contains("CAP_NET_ADMIN")),
            "{error}"
        );
        return;
    }
    with_conntrack(test, move || {
        follow(&[tcp("192.0.2.1", 1000, "198.51.100.1", "10.0.0.2")]);
        let program = std::env::current_exe().expect("it runs");
        let output = Command::new("setpriv")
            .args(["--bounding-set=-net_admin", "--"])
            .arg(program)
            .args(["--exact", "forgotten::who_may_not_is_told_what_it_takes"])
            .env(WITHOUT_RIGHT, "1")
            .output();
        let Ok(output) = output else { return skip(&format!("{test}: setpriv(1) is not installed")) };
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        assert_eq!(followed().len(), 1);
    });
}
