//! `dataplane = pfctl` while pfctl does as it should.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::thread;

use hfm::dataplane::{DataPlane, DryRun, TableError};
use hfm::rule::Prefix;

use crate::stub::{Simply as _, Stub, prefix, prefixes, read};

#[test]
fn what_is_added_is_read_and_what_is_removed_is_not() {
    let stub = Stub::new("round");
    stub.table("web", &[]);
    let mut pfctl = stub.pfctl();
    assert_eq!(pfctl.name(), "pfctl");
    assert_eq!(pfctl.list("web"), Ok(vec![]));
    let all = prefixes(&["10.0.0.1", "10.0.1.0/24", "2001:db8::1", "2001:db8:1::/48", "0.0.0.0/0"]);
    pfctl.add("web", &all).unwrap();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(read(&mut pfctl, "web"), Ok(sorted));
    pfctl.remove("web", &all[..4]).unwrap();
    assert_eq!(pfctl.list("web"), Ok(prefixes(&["0.0.0.0/0"])));
}

#[test]
fn each_direction_is_one_call_with_all_addresses_on_stdin() {
    let stub = Stub::new("calls");
    stub.table("lb/inner/web", &[]);
    let mut pfctl = stub.pfctl();
    pfctl.add("lb/inner/web", &prefixes(&["10.0.0.1", "10.0.0.2"])).unwrap();
    pfctl.remove("/lb/inner/web", &prefixes(&["10.0.0.1", "10.0.0.9"])).unwrap();
    let calls: Vec<_> = stub.calls().into_iter().map(|call| (call.arguments, call.input)).collect();
    let call =
        |arguments: &str, input: &str| (format!("-a lb/inner -t web -T {arguments}"), input.to_owned());
    assert_eq!(
        calls,
        [call("show", ""), call("add -f -", "10.0.0.1 10.0.0.2"), call("delete -f -", "10.0.0.1 10.0.0.9")]
    );
    assert_eq!(stub.holds("lb/inner/web"), Some(vec!["10.0.0.2".to_owned()]));
}

#[test]
fn nothing_to_do_changes_nothing() {
    let stub = Stub::new("nothing");
    stub.table("web", &["10.0.0.1", "10.0.0.2"]);
    let mut pfctl = stub.pfctl();
    pfctl.add("web", &[]).unwrap();
    pfctl.remove("web", &[]).unwrap();
    assert!(stub.calls().is_empty());
    pfctl.add("web", &prefixes(&["10.0.0.2", "10.0.0.1"])).unwrap();
    assert_eq!(stub.calls().len(), 1, "{:?}", stub.calls());
    // Some are there already, and some are not there: both as they should be.
    pfctl.add("web", &prefixes(&["10.0.0.2", "10.0.0.3", "10.0.0.3"])).unwrap();
    pfctl.remove("web", &prefixes(&["10.0.0.2", "10.0.0.7"])).unwrap();
    assert_eq!(stub.holds("web").unwrap(), ["10.0.0.1", "10.0.0.3"]);
}

/// `pfctl -T add` would make it.
#[test]
fn a_table_that_is_missing_is_never_made() {
    let stub = Stub::new("missing");
    stub.table("lb/web", &[]);
    let mut pfctl = stub.pfctl();
    for name in ["web", "lb/mail", "other/web"] {
        assert_eq!(pfctl.list(name), Err(TableError::NoTable), "{name}");
        assert_eq!(pfctl.add(name, &prefixes(&["10.0.0.1"])), Err(TableError::NoTable), "{name}");
        assert_eq!(pfctl.remove(name, &prefixes(&["10.0.0.1"])), Err(TableError::NoTable), "{name}");
        assert_eq!(stub.holds(name), None, "{name}");
    }
    assert!(matches!(pfctl.list(&"x".repeat(40)), Err(TableError::Syntax(_))));
}

/// It goes between the look at it and the addition: the one moment at which pfctl makes a table for us.
#[test]
fn a_table_that_goes_at_the_wrong_moment_is_told_of() {
    let stub = Stub::new("gone");
    stub.table("web", &[]);
    stub.mode("slow 1 only add");
    let mut pfctl = stub.pfctl();
    let path = stub.place.path.join("pf/web");
    let remover = thread::spawn({
        let calls = stub.place.path.join("pf/.calls");
        move || {
            let added = || std::fs::read_to_string(&calls).is_ok_and(|calls| calls.contains("-T add"));
            assert!(crate::place::patiently(added));
            std::fs::remove_file(path).expect("the table was there");
        }
    });
    let result = pfctl.add("web", &prefixes(&["10.0.0.1"]));
    remover.join().unwrap();
    assert_eq!(result, Err(TableError::Other("the table had gone, and pfctl made a new one".to_owned())));
}

#[test]
fn addresses_of_others_are_never_touched() {
    let stub = Stub::new("others");
    let others = ["!192.0.2.7", "192.0.2.0/24", "198.51.100.1", "2001:db8:ffff::/48", "::ffff:192.0.2.1"];
    stub.table("web", &others);
    stub.table("lb/web", &others);
    let mut pfctl = stub.pfctl();
    assert_eq!(pfctl.list("web").unwrap().len(), 4, "the negated one is nobody's address");
    for round in 0..5 {
        let ours: Vec<Prefix> = (0..20).map(|n| prefix(&format!("10.0.{round}.{n}"))).collect();
        pfctl.add("web", &ours).unwrap();
        pfctl.remove("web", &ours).unwrap();
        stub.operator(&["-t", "web", "-T", "add", &format!("203.0.113.{round}")]);
    }
    let mut left: Vec<String> = others.iter().map(ToString::to_string).collect();
    left.sort();
    assert_eq!(stub.holds("lb/web"), Some(left.clone()));
    left.extend((0..5).map(|round| format!("203.0.113.{round}")));
    left.sort();
    assert_eq!(stub.holds("web"), Some(left));
    let ever: Vec<_> = stub.calls();
    assert!(!ever.iter().any(|call| call.arguments.contains("replace") || call.arguments.contains("flush")));
}

/// pf neither adds an address that is in the table negated, nor says so.
#[test]
fn an_address_that_is_in_negated_is_an_error() {
    let stub = Stub::new("negated");
    stub.table("web", &["!10.0.0.1"]);
    let mut pfctl = stub.pfctl();
    let error = pfctl.add("web", &prefixes(&["10.0.0.2", "10.0.0.1"])).unwrap_err();
    assert_eq!(error.to_string(), "the table holds !10.0.0.1, so 10.0.0.1 cannot be added");
    assert_eq!(pfctl.remove("web", &prefixes(&["10.0.0.1"])), Ok(()));
    assert_eq!(stub.holds("web").unwrap(), ["!10.0.0.1"]);
}

#[test]
fn five_thousand_addresses_go_in_one_call() {
    let stub = Stub::new("many");
    stub.table("web", &["192.0.2.1"]);
    let mut pfctl = stub.pfctl();
    let v4 = (0..2500_u32).map(|n| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + n)));
    let v6 = (0..2500_u128).map(|n| IpAddr::from(Ipv6Addr::from((0x2001_0db8 << 96) + 1 + n)));
    let ours: Vec<Prefix> = v4.chain(v6).map(Prefix::host).collect();
    pfctl.add("web", &ours).unwrap();
    let found: BTreeSet<Prefix> = pfctl.list("web").unwrap().into_iter().collect();
    assert!(ours.iter().all(|address| found.contains(address)));
    assert_eq!(found.len(), 5001);
    pfctl.remove("web", &ours[1..]).unwrap();
    assert_eq!(stub.holds("web").unwrap(), ["10.0.0.0", "192.0.2.1"]);
    assert_eq!(stub.calls().len(), 4);
}

#[test]
fn two_threads_do_not_disturb_each_other() {
    let stub = Stub::new("threads");
    stub.table("web", &["192.0.2.1"]);
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let mut pfctl = stub.pfctl();
            thread::spawn(move || {
                for round in 0..20 {
                    let address = prefix(&format!("10.{thread}.0.{round}"));
                    pfctl.add("web", &[address]).unwrap();
                    assert!(pfctl.list("web").unwrap().contains(&address));
                    if round % 2 == 0 {
                        pfctl.remove("web", &[address]).unwrap();
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("each finds its own");
    }
    assert_eq!(stub.holds("web").unwrap().len(), 21);
}

#[test]
fn a_dry_run_reads_and_never_writes() {
    let stub = Stub::new("dry");
    stub.table("web", &["10.0.0.1"]);
    let mut dry = DryRun::new(Box::new(stub.pfctl()));
    dry.add("web", &prefixes(&["10.0.0.2"])).unwrap();
    dry.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
    assert_eq!(read(&mut dry, "web"), Ok(prefixes(&["10.0.0.2"])));
    assert_eq!(stub.holds("web").unwrap(), ["10.0.0.1"]);
    // The other one that it stands beside writes the same, and then something else.
    stub.operator(&["-t", "web", "-T", "replace", "10.0.0.2"]);
    assert_eq!(read(&mut dry, "web"), Ok(prefixes(&["10.0.0.2"])));
    stub.operator(&["-t", "web", "-T", "replace", "10.0.0.1"]);
    assert_eq!(read(&mut dry, "web"), Ok(prefixes(&["10.0.0.1"])));
    assert!(!stub.calls().iter().any(|call| call.arguments.contains("-f -")));
}
