//! `drain` and `enable`: out on purpose, and back again.

use nix::sys::signal::Signal;

use crate::firewall::Target;
use crate::house::{House, telling};
use crate::talk::Talk;

/// Two rules of one table, the first of which tells its changes.
fn pair(first: &Target, second: &Target) -> String {
    telling(first, "w1", "10.0.0.1", "") + &second.rule("w2", "10.0.0.2", "tables = web")
}

#[test]
fn it_ends_by_itself_and_each_way_is_told_once() {
    let house = House::new("drain-for");
    let targets = [Target::open(), Target::open()];
    let mut daemon = house.start(&pair(&targets[0], &targets[1]));
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\n");
    let said = house.done(&["drain", "w1", "--for", "1s", "--reason", "kernel \"6.1\""]);
    assert!(said.starts_with("w1: drained for 1s, until ") && said.ends_with("\n1 rule drained\n"), "{said}");
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    daemon.wait_for("'w1' is drained now", 1);
    assert!(daemon.tells(" reason=\"kernel \\\"6.1\\\"\""), "{}", daemon.log());
    // Its tests go on and have nothing to say.
    daemon.wait_for("'w1' is no longer drained: its time is over", 1);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\nfail drained\nsuccess ok\n");
    assert_eq!((house.set_of("w1"), &house.rule("w1")["state"]), (None, &"success".into()));
    assert_eq!(house.done(&["enable", "w1"]), "nothing was set\n");
}

#[test]
fn what_would_be_left_speaks_against_it_and_force_does_it() {
    let house = House::new("drain-against");
    let target = Target::open();
    let rules: String = (1..=3)
        .map(|n| target.rule(&format!("w{n}"), &format!("10.0.0.{n}"), "tables = web; min_up = 2"))
        .collect();
    let daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    let said = house.refused(&["drain", "w[12]"]);
    assert!(said.starts_with("hfmctl: refused: nothing was drained, for too little would be left"), "{said}");
    assert!(said.ends_with("\ntable web would be left with 1 of 3 addresses, min_up asks for 2\n"), "{said}");
    assert_eq!((house.set_of("w1"), house.set_of("w2")), (None, None));
    // One may go; after it none.
    house.done(&["drain", "w1"]);
    house.wait_for_web(&daemon, &["10.0.0.2", "10.0.0.3"]);
    house.refused(&["drain", "w2"]);
    // One that is drained already takes nothing away.
    house.done(&["drain", "w1", "--reason", "still"]);
    assert_eq!(
        house.done(&["drain", "w?", "--force"]),
        "w1: drained\nw2: drained\nw3: drained\n3 rules drained\n"
    );
    house.wait_for_web(&daemon, &[]);
    let table = house.done(&["tables", "web"]);
    assert!(table.contains("\n  10.0.0.2  out  drained  w2\n"), "{table}");
    house.done(&["enable", "w*"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
}

#[test]
fn a_table_is_not_emptied_by_a_rule_that_others_require() {
    let house = House::new("drain-required");
    // An address of somebody else's would be left in it.
    house.firewall.operator("web", &["delete", "10.9.9.9"]);
    let target = Target::open();
    let rules = [
        target.rule("base", "10.0.0.3", "tables = []"),
        telling(&target, "w1", "10.0.0.1", "requires = base"),
        target.rule("w2", "10.0.0.2", "tables = web; requires = w1"),
    ]
    .concat();
    let daemon = house.start(&rules);
    house.firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\n");
    let said = house.refused(&["drain", "base"]);
    assert!(said.ends_with("\ntable web would be left empty\n"), "{said}");
    house.done(&["drain", "base", "--force"]);
    house.firewall.wait_for(&daemon, "web", &[]);
    house.wait_for_file("w1.changes", "success ok\nfail requires\n");
    let row = house.rule("w2");
    assert_eq!(
        (&row["state"], &row["own"], &row["reason"]),
        (&"fail".into(), &"success".into(), &"requires".into())
    );
    // What is down only through one that is drained is drained.
    let table = house.done(&["tables"]);
    assert!(table.contains("\n  10.0.0.1  out  drained  w1\n"), "{table}");
    assert!(table.contains("\n  10.0.0.2  out  drained  w2\n"), "{table}");
    house.done(&["enable", "base"]);
    house.firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\nfail requires\nsuccess ok\n");
}

#[test]
fn without_a_recent_success_it_stays_out_until_the_next_one() {
    let house = House::new("drain-return");
    let (mut first, second) = (Target::open(), Target::open());
    // It takes so many failures that its own state never changes here.
    let rules = telling(&first, "w1", "10.0.0.1", "change_fail_debounce = 60000")
        + &second.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\n");
    house.done(&["drain", "w1"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    first.set(false);
    daemon.wait_for("'w1' run", 2);
    assert!(crate::harness::patiently(|| house.rule("w1")["verdict"] == "failure"));
    let said = house.done(&["enable", "w1"]);
    assert_eq!(said, "w1: nothing is set any more; counts as down until its next success\n1 rule enabled\n");
    let row = house.rule("w1");
    assert_eq!(
        (&row["state"], &row["own"], &row["override"]),
        (&"fail".into(), &"success".into(), &().into())
    );
    // Several failures later it is where it was.
    let runs = row["failures"].as_u64().expect("a number");
    assert!(crate::harness::patiently(|| house.rule("w1")["failures"].as_u64() > Some(runs + 3)));
    assert!(house.firewall.holds("web", &["10.0.0.2", "10.9.9.9"]));
    first.set(true);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\nfail drained\nsuccess ok\n");
}

/// Each of the two would leave enough, both together too little.
#[test]
fn of_two_at_the_same_moment_the_second_is_judged_by_what_the_first_leaves() {
    let house = House::new("drain-both");
    let target = Target::open();
    let rules: String = (1..=2)
        .map(|n| target.rule(&format!("w{n}"), &format!("10.0.0.{n}"), "tables = web; min_up = 1"))
        .collect();
    let daemon = house.start(&rules);
    let both = ["10.0.0.1", "10.0.0.2"];
    house.wait_for_web(&daemon, &both);
    for round in 0..20 {
        let mut talks = [house.home.talk(), house.home.talk()];
        for (number, talk) in talks.iter_mut().enumerate() {
            talk.send(format!("{{\"command\":\"drain\",\"rules\":\"w{}\"}}\n", number + 1).as_bytes());
        }
        let last = |talk: &mut Talk| talk.answer().pop().expect("a last line")["type"].clone();
        let mut ends = talks.each_mut().map(last).map(|end| end.as_str().expect("a word").to_owned());
        ends.sort_unstable();
        assert_eq!(ends, ["done", "refused"], "round {round}: {}", daemon.log());
        house.done(&["enable", "w?"]);
        house.wait_for_web(&daemon, &both);
    }
}

#[test]
fn one_that_a_reload_overtakes_is_judged_by_the_new_configuration() {
    let house = House::new("drain-reload");
    let target = Target::open();
    let rules = |min_up: &str| -> String {
        (1..=3)
            .map(|n| {
                target.rule(&format!("w{n}"), &format!("10.0.0.{n}"), &format!("tables = web; {min_up}"))
            })
            .collect()
    };
    let mut daemon = house.start(&rules(""));
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    // The writer is kept busy, so that the question waits for it.
    house.firewall.set_mode("slow 1");
    let (mut asks, mut drains) = (house.home.talk(), house.home.talk());
    asks.send(b"{\"command\":\"reconcile\"}\n");
    daemon.wait_for("control: reconcile", 1);
    house.rewrite(&rules("min_up = 3"));
    drains.send(b"{\"command\":\"drain\",\"rules\":\"w1\"}\n");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("reloaded rules=3", 1);
    house.firewall.set_mode("ok");
    let end = drains.answer().pop().expect("a last line");
    // The writer may have been quicker than the reload: then it was judged, and done, before that.
    let log = daemon.log();
    let (drained, reloaded) = (log.find("'w1' is drained now"), log.find("reloaded rules=3"));
    match drained {
        None => assert_eq!((&end["type"], house.set_of("w1")), (&"refused".into(), None), "{end}\n{log}"),
        Some(_) => assert!(drained < reloaded && end["type"] == "done", "{end}\n{log}"),
    }
}
