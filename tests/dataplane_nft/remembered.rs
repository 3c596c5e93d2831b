//! What the data plane remembers of sets is what they hold, whoever changes them and however.

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use hfm::dataplane::{Change, Contents, DataPlane, Managed, Nftables, TableError};
use hfm::rule::Prefix;

use crate::random::Rng;
use crate::world::{SLOTS, World, alone, listed, nft, prefixes, run_quietly};

/// Those that rules speak of in all tables.
const OURS: [&str; 6] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"];

/// Each in several shapes.
const SHAPES: [&str; 9] = [
    "set s { type ipv4_addr; }",
    "set s { type ipv4_addr; size 64; }",
    "set s { type ipv4_addr; flags dynamic; }",
    "set s { type ipv4_addr; flags timeout; }",
    "set s { type ipv4_addr; flags interval; }",
    "set s { type ipv4_addr; flags interval; auto-merge; }",
    "set s { type ipv4_addr; flags interval; counter; }",
    "set s { type ipv4_addr; counter; }",
    "map s { typeof numgen inc mod 16 : ip daddr; }",
];

const TABLES: [&str; 5] = ["ip/t0/s", "ip/t1/s", "ip/t2/s", "inet/t3/s", "ip/t4/s"];

fn new_world() -> World {
    World { plane: Nftables::new(SLOTS) }
}

/// What a data plane reads that remembers nothing.
fn told(table: &str) -> Result<Contents, TableError> {
    new_world().contents(table, &OURS)
}

fn split(table: &str) -> (&str, &str) {
    let mut words = table.split('/');
    (words.next().expect("a family"), words.next().expect("a table"))
}

/// Messages that were sent to the kernel.
fn messages(world: &World) -> u32 {
    let words = format!("{:?}", world.plane);
    let (_, words) = words.split_once("sequence: ").expect("messages are counted");
    words.split(|c: char| !c.is_ascii_digit()).next().expect("a number").parse().expect("a number")
}

/// `true` once the kernel has been asked no more than which generation it is at.
fn is_remembered(world: &mut World, table: &str) -> bool {
    let before = messages(world);
    world.contents(table, &OURS).expect("it is there");
    messages(world) - before == 1
}

#[test]
fn what_was_read_or_written_is_not_read_again() {
    alone("what_was_read_or_written_is_not_read_again", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
             map m { typeof numgen inc mod 16 : ip daddr; }; }");
        for table in ["ip/t/s", "ip/t/i", "ip/t/m"] {
            assert!(!is_remembered(&mut world, table), "{table}");
            assert!(is_remembered(&mut world, table), "{table}");
            for (add, remove) in [(&OURS[..], &[][..]), (&[], &OURS[1..3]), (&OURS[1..2], &OURS[3..])] {
                world.change(table, &OURS, add, remove).unwrap();
                assert!(is_remembered(&mut world, table), "{table}");
                assert_eq!(world.contents(table, &OURS), told(table), "{table}");
            }
        }
        assert!(is_remembered(&mut world, "ip/t/s"), "others of ours were written since");
        nft("add chain ip t c");
        assert!(!is_remembered(&mut world, "ip/t/s"), "others did something");
    });
}

/// The kernel says by itself when it is not so any more.
#[test]
fn what_is_remembered_is_written_without_a_question() {
    alone("what_is_remembered_is_written_without_a_question", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; }");
        world.holds("ip/t/s", &OURS, &[]);
        let before = messages(&world);
        world.change("ip/t/s", &OURS, &OURS[..1], &[]).unwrap();
        // The transaction's beginning, what asks for its generation, the element, its end.
        assert_eq!(messages(&world) - before, 4);
        assert_eq!(listed("ip/t/s"), OURS[..1]);
    });
}

#[test]
fn what_is_remembered_is_not_believed_once_others_have_written() {
    alone("what_is_remembered_is_not_believed_once_others_have_written", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
             map m { typeof numgen inc mod 16 : ip daddr; }; }");
        for (table, put, take) in [
            ("ip/t/s", "add element ip t s { 10.0.0.3 }", "delete element ip t s { 10.0.0.1 }"),
            ("ip/t/i", "add element ip t i { 10.0.0.3 }", "delete element ip t i { 10.0.0.1 }"),
            ("ip/t/m", "add element ip t m { 30 : 10.0.0.3 }", "flush map ip t m"),
        ] {
            // By what is remembered there is nothing to be written, or to be said.
            world.change(table, &OURS, &OURS[..1], &[]).unwrap();
            nft(take);
            world.change(table, &OURS, &OURS[..1], &[]).unwrap();
            assert_eq!(told(table).unwrap().addresses, prefixes(&OURS[..1]), "{table}");
            // By what is remembered only one of the two.
            nft(put);
            world.change(table, &OURS, &OURS[1..2], &OURS[2..3]).unwrap();
            assert_eq!(world.contents(table, &OURS), told(table), "{table}");
            let after = told(table).unwrap().addresses;
            assert!(!after.contains(&prefixes(&OURS[2..3])[0]) || table == "ip/t/m", "{table}: {after:?}");
            assert!(prefixes(&OURS[..2]).iter().all(|of| after.contains(of)), "{table}: {after:?}");
            // One that is gone is written of as such, as one that is gone is no error.
            nft("delete table ip t; add table ip t");
            assert_eq!(world.change(table, &OURS, &OURS[2..3], &[]), Err(TableError::NoTable), "{table}");
            nft("table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
                 map m { typeof numgen inc mod 16 : ip daddr; }; }");
        }
    });
}

#[test]
fn what_changes_by_itself_is_read_each_time() {
    alone("what_changes_by_itself_is_read_each_time", |mut world| {
        nft(
            "table ip t { set d { type ipv4_addr; flags dynamic; }; set o { type ipv4_addr; flags timeout; };
             set n { type ipv4_addr; size 16; }; set c { type ipv4_addr; flags interval; counter; };
             set x { type ipv4_addr; flags interval, timeout; }; }",
        );
        for set in ["d", "o", "n", "c", "x"] {
            let table = format!("ip/t/{set}");
            for _ in 0..3 {
                assert!(!is_remembered(&mut world, &table), "{table}");
            }
        }
    });
}

/// A transaction of what is in already makes no generation; that of the others is not taken for it.
#[test]
fn a_change_that_changes_nothing_hides_nothing_of_others() {
    alone("a_change_that_changes_nothing_hides_nothing_of_others", |mut world| {
        nft(
            "table ip t { set s { type ipv4_addr; elements = { 10.0.0.1 }; }; set i { type ipv4_addr; flags interval; }; }",
        );
        world.holds("ip/t/i", &OURS, &[]);
        world.change("ip/t/s", &OURS, &["10.0.0.1"], &[]).unwrap();
        nft("add element ip t i { 10.0.0.2 }");
        world.holds("ip/t/i", &OURS, &["10.0.0.2"]);
    });
}

fn send_to(address: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("there are ports left");
    socket.send_to(b"x", (address, 9)).expect("it is sent");
}

fn loopback_up() {
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip(8) is there");
    assert!(status.success());
}

/// Rules may write sets that nobody has called dynamic, and no transaction tells of it.
#[test]
fn what_packets_put_in_is_seen() {
    alone("what_packets_put_in_is_seen", |mut world| {
        loopback_up();
        for (shape, rule) in [
            ("set s { type ipv4_addr; }", "udp dport 9 add @s { ip daddr }"),
            ("set s { type ipv4_addr; flags dynamic; }", "udp dport 9 add @s { ip daddr }"),
            ("map s { type mark : ipv4_addr; }", "udp dport 9 add @s { meta mark : ip daddr }"),
        ] {
            nft(&format!("table ip t {{ {shape}; chain out {{ type filter hook output priority 0; }}; }}"));
            world.holds("ip/t/s", &[], &[]);
            nft(&format!("add rule ip t out {rule}"));
            world.holds("ip/t/s", &[], &[]);
            send_to("127.0.0.7");
            world.holds("ip/t/s", &[], &["127.0.0.7"]);
            nft("delete table ip t");
        }
    });
}

#[test]
fn what_packets_count_is_not_turned_back() {
    alone("what_packets_count_is_not_turned_back", |mut world| {
        loopback_up();
        nft("table ip t { set s { type ipv4_addr; flags interval; auto-merge; counter;
             elements = { 127.0.0.4-127.0.0.7 counter packets 0 bytes 0 }; };
             chain out { type filter hook output priority 0; ip daddr @s; }; }");
        world.contents("ip/t/s", &["127.0.0.4"]).unwrap();
        send_to("127.0.0.6");
        world.change("ip/t/s", &["127.0.0.4"], &[], &["127.0.0.4"]).unwrap();
        assert_eq!(listed("ip/t/s"), ["127.0.0.5-127.0.0.7 counter packets 1 bytes 29"]);
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "nobody tells that an element has expired")]
fn what_expires_is_seen() {
    alone("what_expires_is_seen", |mut world| {
        for interval in ["", "interval, "] {
            nft(&format!(
                "table ip t {{ set s {{ type ipv4_addr; flags {interval}timeout;
                 elements = {{ 10.0.0.1 timeout 300ms, 10.0.0.2 }}; }}; }}"
            ));
            world.contents("ip/t/s", &OURS).unwrap();
            while told("ip/t/s").unwrap().addresses.len() > 1 {
                thread::sleep(Duration::from_millis(20));
            }
            world.holds("ip/t/s", &OURS, &["10.0.0.2"]);
            nft("delete table ip t");
        }
    });
}

/// What a process owns goes with it, and the generation does not tell.
#[test]
fn a_table_that_goes_with_its_owner_is_seen() {
    alone("a_table_that_goes_with_its_owner_is_seen", |mut world| {
        let mut owner = Command::new("nft")
            .arg("-i")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("nft runs");
        let mut words = owner.stdin.take().expect("it is piped");
        let mut answers = BufReader::new(owner.stdout.take().expect("it is piped"));
        writeln!(
            words,
            "table ip t {{ flags owner; set s {{ type ipv4_addr; elements = {{ 10.0.0.1 }}; }}; }}"
        )
        .unwrap();
        writeln!(words, "list tables").unwrap();
        let mut answer = String::new();
        while !answer.contains("table ip t") {
            assert!(answers.read_line(&mut answer).unwrap() > 0, "{answer}");
        }
        world.holds("ip/t/s", &OURS, &["10.0.0.1"]);
        drop(words);
        owner.wait().unwrap();
        assert_eq!(world.contents("ip/t/s", &OURS), Err(TableError::NoTable));
    });
}

/// Something that somebody else does.
fn others_do(random: &mut Rng, other: &mut World) -> String {
    let table = random.pick(&TABLES);
    let (family, name) = split(table);
    let address = random.pick(&OURS);
    let shape = SHAPES[random.below(SHAPES.len())];
    let script = match random.below(12) {
        0 => format!("delete table {family} {name}; table {family} {name} {{ {shape}; }}"),
        1 => format!("delete table {family} {name}"),
        2 | 3 => format!("table {family} {name} {{ {shape}; }}"),
        4 => format!("flush set {family} {name} s"),
        5 => format!("delete set {family} {name} s"),
        6 => format!("add chain {family} {name} c{}", random.below(1000)),
        7 => format!("add element {family} {name} s {{ {address} timeout 1h }}"),
        8 => format!("add element {family} {name} s {{ {} : 192.0.2.1 }}", random.below(20)),
        9 => format!("add element {family} {name} s {{ 10.0.0.{}/31 }}", 2 * random.below(6)),
        10 => {
            let add = prefixes(&[address]);
            let members = prefixes(&OURS);
            let change = Change { table: Managed { name: table, members: &members }, add: &add, remove: &[] };
            let done = other.plane.apply(&[change]);
            return format!("another: {address} into {table}: {done:?}");
        }
        _ => {
            let act = if random.percent(50) { "add" } else { "delete" };
            format!("{act} element {family} {name} s {{ {address} }}")
        }
    };
    run_quietly(&script);
    script
}

/// Changes some tables, and checks that what is said to be done is done.
fn we_do(random: &mut Rng, world: &mut World) -> String {
    let members = prefixes(&OURS);
    let tables: Vec<&str> = TABLES.into_iter().filter(|_| random.percent(50)).collect();
    let some = |random: &mut Rng, share: usize| -> Vec<Prefix> {
        members.iter().copied().filter(|_| random.percent(share)).collect()
    };
    let wanted: Vec<(Vec<Prefix>, Vec<Prefix>)> = tables
        .iter()
        .map(|_| {
            let remove = some(random, 30);
            let mut add = some(random, 40);
            add.retain(|address| !remove.contains(address));
            (add, remove)
        })
        .collect();
    let changes = tables.iter().zip(&wanted).map(|(name, (add, remove))| Change {
        table: Managed { name, members: &members },
        add,
        remove,
    });
    let results = world.plane.apply(&changes.collect::<Vec<_>>());
    for ((table, (add, remove)), result) in tables.iter().zip(&wanted).zip(&results) {
        match (result, told(table)) {
            (Ok(()), Ok(contents)) => {
                let is_in = |of: &Prefix| contents.addresses.contains(of);
                assert!(add.iter().all(is_in), "{table}: {add:?} in {contents:?}");
                assert!(!remove.iter().any(is_in), "{table}: {remove:?} in {contents:?}");
            }
            (Ok(()), Err(error)) => panic!("{table}: written, and now {error}"),
            (Err(_), _) => {}
        }
    }
    format!("{tables:?} {wanted:?} {results:?}")
}

/// Everybody does what they like, one after the other: each time we read what there is.
#[test]
fn whatever_is_done_what_is_read_is_what_there_is() {
    alone("whatever_is_done_what_is_read_is_what_there_is", |mut world| {
        let mut other = new_world();
        for seed in 0..6 {
            let mut random = Rng::new(seed);
            let mut history: Vec<String> = Vec::new();
            run_quietly("flush ruleset");
            for table in TABLES {
                let (family, name) = split(table);
                run_quietly(&format!("table {family} {name} {{ {}; }}", SHAPES[random.below(SHAPES.len())]));
            }
            for _ in 0..150 {
                history.push(match random.below(5) {
                    0 | 1 => others_do(&mut random, &mut other),
                    2 | 3 => we_do(&mut random, &mut world),
                    _ => {
                        for table in TABLES {
                            let words = || format!("seed {seed}: {table} after {history:#?}");
                            assert_eq!(world.contents(table, &OURS), told(table), "{}", words());
                        }
                        continue;
                    }
                });
            }
        }
    });
}
