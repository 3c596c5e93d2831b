//! A thousand reloads leave nothing behind.

use std::fs;

use crate::firewall::Target;
use crate::harness::{Daemon, patiently};
use crate::house::House;

const ROUNDS: usize = 1000;
/// Sockets rest between runs, one for each rule of a probe at most: more at one time than at another, and far fewer than
/// one for each reload.
const RESTING: usize = 50;
/// Memory comes and goes in pieces; each reload that left its rules behind would take far more than this together.
const GROWTH_KIB: usize = 6 * 1024;

fn threads(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/task", daemon.pid())).map_or(0, Iterator::count)
}

fn resident_kib(daemon: &Daemon) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Fifty rules of every kind, all of which are others at each second moment; now and then some go away and come back.
/// (Not often: the slot of one that is gone rests for a minute, and new ones are made meanwhile.)
fn rules(target: &Target, moment: usize) -> String {
    let port = target.port;
    let rule = |n: usize| {
        let (odd, name) = (moment % 2, format!("r{n}"));
        let test = match n % 5 {
            0 => format!("test = \"tcp://127.0.0.1:{port}\"; timeout = {}ms", 50 + odd),
            1 => "test = \"http://127.0.0.1:1/\"".to_owned(),
            2 => format!("test = \"https://127.0.0.1:1/{odd}\"; tls_verify = no"),
            3 => "test = \"tls://127.0.0.1:1\"; tls_verify = no".to_owned(),
            _ => format!("test = sh; test_arguments = [-c, 'exit {odd}']"),
        };
        format!("{name} {{ {test}; tables = t{}; addresses = \"10.0.0.{n}\" }}\n", n % 3)
    };
    let is_there = |n: &usize| moment % 100 != 99 || !n.is_multiple_of(7);
    (1..=50).filter(is_there).map(rule).collect()
}

#[test]
fn a_thousand_of_them_leave_nothing_behind() {
    let house = House::new("thousand");
    let target = Target::open();
    let write = |moment: usize| {
        let text = format!("dataplane = memory\ninterval = 200ms\n{}", rules(&target, moment));
        house.home.0.hfm(&house.home.configuration(&text));
    };
    write(0);
    let daemon = house.home.start(&format!("dataplane = memory\ninterval = 200ms\n{}", rules(&target, 0)));
    let mut talk = house.home.talk();
    for kind in ["r1*", "r2*"] {
        talk.done(&format!(r#"{{"command":"drain","rules":"{kind}","force":true,"reason":"so"}}"#));
    }
    talk.done(r#"{"command":"disable","rules":"r3?"}"#);
    let round = |moment: usize, talk: &mut crate::talk::Talk| {
        write(moment);
        let said = talk.done(r#"{"command":"reload"}"#);
        assert!(said.starts_with("reloaded: "), "{said}");
    };
    // What is kept for later grows to its size first.
    (0..ROUNDS / 5).for_each(|moment| round(moment, &mut talk));
    let settled = |daemon: &Daemon| {
        // With no test under way the number of children and of sockets is what it is.
        let mut counts = (daemon.descriptors(), threads(daemon), daemon.children().len());
        let _ = patiently(|| {
            let now = (daemon.descriptors(), threads(daemon), daemon.children().len());
            counts = (counts.0.min(now.0), counts.1.min(now.1), counts.2.min(now.2));
            counts.2 == 0
        });
        counts
    };
    let (before, memory) = (settled(&daemon), resident_kib(&daemon));
    (0..ROUNDS).for_each(|moment| round(moment, &mut talk));
    let is_flat = patiently(|| {
        let now = settled(&daemon);
        now.0 <= before.0 + RESTING && now.1 <= before.1 && now.2 <= before.2
    });
    assert!(is_flat, "{before:?}, then {:?}", settled(&daemon));
    let grown = resident_kib(&daemon).saturating_sub(memory);
    assert!(grown < GROWTH_KIB, "{memory} KiB, then {grown} more");
    let drained = talk.ask(r#"{"command":"status","rules":"r1*"}"#);
    let rules: Vec<_> = drained.iter().filter(|row| row["type"] == "rule").collect();
    assert!(!rules.is_empty() && rules.iter().all(|row| row["override"]["kind"] == "drained"), "{rules:?}");
}
