//! `dataplane = pf` while pf does as it should.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hfm::dataplane::{Change, DataPlane, DryRun, Managed, TableError};
use hfm::rule::Prefix;

use crate::fake_pf::{FakePf, Table, address};
use crate::stub::{Simply as _, prefix, prefixes, read};

#[test]
fn what_is_added_is_read_and_what_is_removed_is_not() {
    let kernel = FakePf::new();
    kernel.table("web", &[]);
    let mut pf = kernel.pf();
    assert_eq!(pf.name(), "pf");
    assert_eq!(pf.list("web"), Ok(vec![]));
    let all = prefixes(&["10.0.0.1", "10.0.1.0/24", "2001:db8::1", "2001:db8:1::/48", "0.0.0.0/0", "::/0"]);
    pf.add("web", &all).unwrap();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(read(&mut pf, "web"), Ok(sorted));
    pf.remove("web", &all[..4]).unwrap();
    assert_eq!(kernel.holds("web").unwrap(), ["0.0.0.0/0", "::/0"]);
}

#[test]
fn it_is_opened_once_and_may_be_opened_before() {
    let kernel = FakePf::new();
    kernel.table("web", &[]);
    let mut pf = kernel.pf();
    pf.open().unwrap();
    pf.open().unwrap();
    pf.list("web").unwrap();
    pf.add("web", &prefixes(&["10.0.0.1"])).unwrap();
    assert_eq!(kernel.kernel().opened, 1);
    kernel.pf().list("web").unwrap();
    assert_eq!(kernel.kernel().opened, 2, "who was not opened opens by itself");
}

/// In one change what comes in is in before anything leaves, each by one call.
#[test]
fn additions_come_before_removals_in_a_call_each() {
    let kernel = FakePf::new();
    kernel.table("lb/inner/web", &["10.0.0.1", "10.0.0.2"]);
    let mut pf = kernel.pf();
    let table = Managed { name: "/lb/inner/web", members: &[] };
    let (add, remove) = (prefixes(&["10.0.0.3"]), prefixes(&["10.0.0.1", "10.0.0.2"]));
    assert_eq!(pf.apply(&[Change { table, add: &add, remove: &remove }]), [Ok(())]);
    assert_eq!(kernel.sizes(), [("add", 1), ("delete", 2)]);
    assert_eq!(kernel.holds("lb/inner/web").unwrap(), ["10.0.0.3"]);
}

/// One that has no such table does not keep the others from being written.
#[test]
fn each_of_several_tables_has_its_own_result() {
    let kernel = FakePf::new();
    kernel.table("a", &[]);
    kernel.table("c", &[]);
    let some = prefixes(&["10.0.0.1"]);
    let change = |name| Change { table: Managed { name, members: &[] }, add: some.as_slice(), remove: &[] };
    let results = kernel.pf().apply(&[change("a"), change("b"), change("c")]);
    assert_eq!(results, [Ok(()), Err(TableError::NoTable), Ok(())]);
    assert_eq!(kernel.holds("c").unwrap(), ["10.0.0.1"]);
}

#[test]
fn nothing_to_do_is_no_call() {
    let kernel = FakePf::new();
    kernel.table("web", &["10.0.0.1", "10.0.0.2"]);
    let mut pf = kernel.pf();
    pf.add("web", &[]).unwrap();
    pf.remove("web", &[]).unwrap();
    assert_eq!(kernel.sizes(), []);
    // Some are there already, some are not there, some are named twice: all as they should be.
    pf.add("web", &prefixes(&["10.0.0.2", "10.0.0.3", "10.0.0.3"])).unwrap();
    pf.remove("web", &prefixes(&["10.0.0.2", "10.0.0.7", "10.0.0.2"])).unwrap();
    assert_eq!(kernel.holds("web").unwrap(), ["10.0.0.1", "10.0.0.3"]);
}

#[test]
fn a_table_that_is_missing_is_never_made() {
    let kernel = FakePf::new();
    kernel.table("lb/web", &[]);
    let mut pf = kernel.pf();
    for name in ["web", "lb/mail", "other/web"] {
        assert_eq!(pf.list(name), Err(TableError::NoTable), "{name}");
        assert_eq!(pf.add(name, &prefixes(&["10.0.0.1"])), Err(TableError::NoTable), "{name}");
        assert_eq!(pf.remove(name, &prefixes(&["10.0.0.1"])), Err(TableError::NoTable), "{name}");
        assert_eq!(kernel.holds(name), None, "{name}");
    }
    assert_eq!(pf.how_to_make("web"), "write 'table <web> persist' into pf.conf");
    kernel.calls();
    for name in [&"x".repeat(32), "a/*/web", "_pf/web", "a/", ""] {
        assert!(matches!(pf.list(name), Err(TableError::Syntax(_))), "{name}");
        let refused = pf.add(name, &prefixes(&["10.0.0.1"]));
        assert!(matches!(refused, Err(TableError::Syntax(_))), "{name}");
    }
    assert_eq!(kernel.sizes(), [], "nobody was asked");
}

/// It goes between two calls of one change: what was added is lost with it, and none is made anew.
#[test]
fn a_table_that_goes_at_the_wrong_moment_is_told_of() {
    let kernel = FakePf::new();
    kernel.table("web", &["10.0.0.2"]);
    let mut pf = kernel.pf();
    kernel.kernel().meanwhile.extend([
        Box::new(|_: &mut _| ()) as crate::fake_pf::Meanwhile,
        Box::new(|kernel: &mut crate::fake_pf::Kernel| kernel.tables.drop("web")),
    ]);
    let table = Managed { name: "web", members: &[] };
    let (add, remove) = (prefixes(&["10.0.0.1"]), prefixes(&["10.0.0.2"]));
    let results = pf.apply(&[Change { table, add: &add, remove: &remove }]);
    assert_eq!(results, [Err(TableError::NoTable)]);
    assert_eq!(kernel.holds("web"), None);
    kernel.table("web", &[]);
    pf.add("web", &add).unwrap();
    assert_eq!(kernel.holds("web").unwrap(), ["10.0.0.1"]);
}

#[test]
fn addresses_of_others_are_never_touched() {
    let kernel = FakePf::new();
    let others = ["!192.0.2.7", "192.0.2.0/24", "198.51.100.1", "2001:db8:ffff::/48", "::ffff:192.0.2.1"];
    kernel.table("web", &others);
    kernel.table("lb/web", &others);
    let mut pf = kernel.pf();
    assert_eq!(pf.list("web").unwrap().len(), 4, "the negated one is nobody's address");
    for round in 0..5 {
        let ours: Vec<Prefix> = (0..20).map(|n| prefix(&format!("10.0.{round}.{n}"))).collect();
        pf.add("web", &ours).unwrap();
        pf.remove("web", &ours).unwrap();
        let foreign = format!("203.0.113.{round}");
        kernel.kernel().tables.get_mut("web").unwrap().insert(address(&foreign));
    }
    let mut left: Vec<String> = others.iter().map(ToString::to_string).collect();
    left.sort();
    assert_eq!(kernel.holds("lb/web"), Some(left.clone()));
    left.extend((0..5).map(|round| format!("203.0.113.{round}")));
    left.sort();
    assert_eq!(kernel.holds("web"), Some(left));
}

/// pf adds the others all the same.
#[test]
fn an_address_that_is_in_negated_is_an_error() {
    let kernel = FakePf::new();
    kernel.table("web", &["!10.0.0.1", "10.0.0.9"]);
    let mut pf = kernel.pf();
    let table = Managed { name: "web", members: &[] };
    let (add, remove) = (prefixes(&["10.0.0.2", "10.0.0.1"]), prefixes(&["10.0.0.9"]));
    let results = pf.apply(&[Change { table, add: &add, remove: &remove }]);
    let said = "the table holds !10.0.0.1, so 10.0.0.1 cannot be added".to_owned();
    assert_eq!(results, [Err(TableError::Other(said))]);
    assert_eq!(kernel.holds("web").unwrap(), ["!10.0.0.1", "10.0.0.2", "10.0.0.9"], "nothing left");
    assert_eq!(pf.remove("web", &prefixes(&["10.0.0.1"])), Ok(()));
    assert_eq!(kernel.holds("web").unwrap(), ["!10.0.0.1", "10.0.0.2", "10.0.0.9"]);
}

/// Half of IPv4, half of IPv6.
fn many(count: u32) -> Vec<Prefix> {
    let v4 = (0..count / 2).map(|n| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + n)));
    let v6 =
        (0..u128::from(count - count / 2)).map(|n| IpAddr::from(Ipv6Addr::from((0x2001_0db8 << 96) + 1 + n)));
    v4.chain(v6).map(Prefix::host).collect()
}

#[test]
fn seventy_thousand_addresses_go_in_batches() {
    let kernel = FakePf::new();
    kernel.table("web", &["192.0.2.1"]);
    let mut pf = kernel.pf();
    let ours = many(70_000);
    pf.add("web", &ours).unwrap();
    assert_eq!(kernel.sizes(), [("add", 65_535), ("add", 4_465)]);
    let Err(TableError::Other(said)) = pf.list("web") else { panic!("more than one call shows") };
    assert_eq!(
        said,
        "the table holds 70001 addresses, and pf shows 65535 at most: raise net.pf.request_maxcount in \
         /boot/loader.conf and boot"
    );
    kernel.kernel().request_max = 100_000;
    let found: BTreeSet<Prefix> = pf.list("web").unwrap().into_iter().collect();
    assert_eq!(found.len(), 70_001);
    assert!(ours.iter().all(|address| found.contains(address)));
    kernel.kernel().request_max = 30_000;
    kernel.calls();
    pf.remove("web", &ours[1..]).unwrap();
    assert_eq!(kernel.sizes(), [("delete", 30_000), ("delete", 30_000), ("delete", 9_999)]);
    assert_eq!(kernel.holds("web").unwrap(), ["10.0.0.0", "192.0.2.1"]);
}

/// A table of the size that is known of is read at once, and one that is larger at the second time.
#[test]
fn a_buffer_that_is_too_short_is_made_longer() {
    let kernel = FakePf::new();
    let ours = many(10_000);
    kernel.table("web", &[]);
    let mut pf = kernel.pf();
    pf.add("web", &ours).unwrap();
    kernel.calls();
    let found = pf.read(Managed { name: "web", members: &ours }).unwrap();
    assert_eq!((found.addresses.len(), found.disordered), (10_000, false));
    assert_eq!(kernel.sizes(), [("get", 10_064)]);
    assert_eq!(pf.list("web").unwrap().len(), 10_000);
    assert_eq!(kernel.sizes(), [("get", 64), ("get", 11_314)]);
}

/// Most of those that rules name are out.
#[test]
fn room_is_asked_for_no_more_addresses_than_pf_shows() {
    let kernel = FakePf::new();
    kernel.table("web", &["10.0.0.1"]);
    kernel.kernel().request_max = 100;
    let found = kernel.pf().read(Managed { name: "web", members: &many(1000) }).unwrap();
    assert_eq!(found.addresses, prefixes(&["10.0.0.1"]));
    assert_eq!(kernel.sizes(), [("get", 100)]);
}

#[test]
fn a_table_that_grows_while_it_is_read_is_read_whole() {
    let kernel = FakePf::new();
    kernel.table("web", &[]);
    let mut pf = kernel.pf();
    let grow = |from: u32, to: u32| {
        Box::new(move |kernel: &mut crate::fake_pf::Kernel| {
            let table = kernel.tables.get_mut("web").unwrap();
            (from..to).for_each(|n| table.insert(address(&Ipv4Addr::from(n).to_string())));
        }) as crate::fake_pf::Meanwhile
    };
    kernel.kernel().meanwhile.extend([grow(0, 100), grow(100, 1000), grow(1000, 5000), grow(5000, 5001)]);
    assert_eq!(pf.list("web").unwrap().len(), 5001);
    // One that never stops is given up.
    let more = |round: u32| 5000 * 7_u32.pow(round) / 5_u32.pow(round);
    let places = (0..8).map(|round| (1_000_000 * (round + 1), more(round)));
    kernel.kernel().meanwhile.extend(places.map(|(from, count)| grow(from, from + count)));
    kernel.kernel().request_max = usize::MAX;
    let said = "the table grows faster than it can be read".to_owned();
    assert_eq!(pf.list("web"), Err(TableError::Other(said)));
}

#[test]
fn a_dry_run_reads_and_never_writes() {
    let kernel = FakePf::new();
    kernel.table("web", &["10.0.0.1"]);
    let mut dry = DryRun::new(Box::new(kernel.pf()));
    dry.add("web", &prefixes(&["10.0.0.2"])).unwrap();
    dry.remove("web", &prefixes(&["10.0.0.1"])).unwrap();
    assert_eq!(read(&mut dry, "web"), Ok(prefixes(&["10.0.0.2"])));
    assert_eq!(kernel.holds("web").unwrap(), ["10.0.0.1"]);
    kernel.kernel().tables.put("web", Table::new(&["10.0.0.2"]));
    assert_eq!(read(&mut dry, "web"), Ok(prefixes(&["10.0.0.2"])));
}

/// Here there is no such device, and it is not asked.
#[test]
#[cfg(not(target_os = "freebsd"))]
fn where_there_is_no_pf_it_says_so() {
    let mut pf = hfm::dataplane::Pf::new();
    let said = TableError::Absent(
        "/dev/pf: no such device (load pf by 'kldload pf', or at each boot by pf_enable=\"YES\" in \
         /etc/rc.conf; in a jail, its devfs ruleset must show it)"
            .to_owned(),
    );
    assert_eq!(pf.open(), Err(said.clone()));
    assert_eq!(pf.list("web"), Err(said.clone()));
    assert_eq!(pf.add("web", &prefixes(&["10.0.0.1"])), Err(said));
}
