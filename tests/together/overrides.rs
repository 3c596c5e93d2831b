//! `disable`, `set` and who did it.

use serde_json::Value;

use crate::firewall::Target;
use crate::harness::patiently;
use crate::house::{House, telling};

#[test]
fn what_is_disabled_is_not_tested_and_its_address_stays() {
    let house = House::new("disable");
    let (mut first, second) = (Target::open(), Target::open());
    let rules = telling(&first, "w1", "10.0.0.1", "") + &second.rule("w2", "10.0.0.2", "tables = web");
    let daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(house.done(&["disable", "w1", "--reason", "too loud"]), "w1: disabled\n1 rule disabled\n");
    let before = house.rule("w1");
    assert_eq!((&before["state"], &before["next"]), (&"success".into(), &Value::Null));
    first.set(false);
    // The other one runs on.
    let runs = |rule: &str| house.rule(rule)["runs"].as_u64().expect("a number");
    let others = runs("w2");
    assert!(patiently(|| runs("w2") > others + 5));
    let after = house.rule("w1");
    assert_eq!(
        (&after["runs"], &after["state"], &after["stale"]),
        (&before["runs"], &"success".into(), &false.into())
    );
    assert!(house.firewall.holds("web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]));
    assert!(house.done(&["status", "w1"]).contains("\n  override      disabled: too loud\n"));
    // What has changed meanwhile is found out at once.
    house.done(&["enable", "w1"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\nfail refused\n");
    // Disabled while it is out it stays out, whatever has come back.
    house.done(&["disable", "w1"]);
    first.set(true);
    let others = runs("w2");
    assert!(patiently(|| runs("w2") > others + 5));
    assert!(house.firewall.holds("web", &["10.0.0.2", "10.9.9.9"]));
    house.done(&["enable", "w1"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn set_has_the_last_word_both_ways() {
    let house = House::new("set");
    let (up, dead) = (Target::open(), Target::closed());
    let rules = telling(&up, "w1", "10.0.0.1", "") + &telling(&dead, "w2", "10.0.0.2", "");
    let daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1"]);
    house.wait_for_state(&daemon, "w2", "fail");
    assert_eq!(
        house.done(&["set", "w2", "always-success"]),
        "w2: always-success\n1 rule set to always-success\n"
    );
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    // Unlike a drain it asks nobody.
    house.done(&["set", "w*", "always-fail"]);
    house.wait_for_web(&daemon, &[]);
    let table = house.done(&["tables"]);
    assert!(table.contains("\n  10.0.0.1  out  down  w1\n"), "{table}");
    assert!(
        house.done(&["set", "w1", "always-success"]).starts_with("w1: always-success; was always-fail\n")
    );
    house.wait_for_web(&daemon, &["10.0.0.1"]);
    house.done(&["enable", "*"]);
    house.wait_for_state(&daemon, "w2", "fail");
    house.wait_for_web(&daemon, &["10.0.0.1"]);
    house.wait_for_file("w1.changes", "success ok\nfail always-fail\nsuccess ok\n");
    house.wait_for_file("w2.changes", "fail refused\nsuccess ok\nfail always-fail\n");
}

#[test]
fn who_did_it_is_told_in_text_in_json_and_in_the_log() {
    let house = House::new("who");
    let uid = nix::unistd::getuid().as_raw();
    for format in ["text", "json"] {
        let mut daemon = house.start(&format!("log_format = {format}\na {{ test = \"true\" }}\n"));
        let mut command = house.hfmctl(&["drain", "a", "--for", "2h", "--reason", "only \"so\""]);
        let child = command.env("SUDO_USER", "alice").spawn().expect("hfmctl runs");
        let pid = child.id();
        assert!(child.wait_with_output().expect("it ends").status.success());
        let set = house.rule("a")["override"].clone();
        assert_eq!((&set["uid"], &set["by"]), (&uid.into(), &"alice".into()));
        let (since, until) = (set["since"].as_f64().unwrap(), set["until"].as_f64().unwrap());
        assert!((until - since - 7200.0).abs() < 0.001, "{set}");
        let said = house.done(&["status", "a"]);
        let name = nix::unistd::User::from_uid(uid.into()).unwrap().map_or(uid.to_string(), |user| user.name);
        assert!(said.contains(&format!("\n  set by        alice (as {name})\n")), "{said}");
        house.done(&["enable", "a"]);
        if format == "text" {
            let line = format!("'a' is drained now uid={uid} pid={pid} by=\"alice\" until=");
            daemon.wait_for(&line, 1);
            daemon.wait_for(&format!("'a' is no longer drained uid={uid} pid="), 1);
        } else {
            daemon.wait_for("\"event\":\"override-cleared\"", 1);
            let line = daemon.log().lines().find(|line| line.contains("\"override-set\"")).map(str::to_owned);
            let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            assert_eq!(
                (&line["rule"], &line["override"], &line["by"]),
                (&"a".into(), &"drained".into(), &"alice".into())
            );
            assert_eq!((&line["uid"], &line["pid"]), (&uid.into(), &pid.into()));
            assert_eq!(line["reason"], "only \"so\"");
        }
        assert!(daemon.stop().success());
    }
}
