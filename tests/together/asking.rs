//! What is only asked: `status`, `run`, `reload`, `reconcile`, `events`, `stats`, `log`, `stop`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::firewall::Target;
use crate::harness::{Daemon, patiently};
use crate::house::{House, Running};

#[test]
fn status_is_for_people_and_for_programs() {
    let house = House::new("status");
    let mut daemon = house.start(
        "web { \"a b\" { test = \"true\" } \"q'\\\"\u{e9}\" { test = \"false\" } }\noff { status = disabled; test = x }\n",
    );
    daemon.wait_for("changed state to", 2);
    let said = house.done(&["status"]);
    let first: Vec<&str> = said.lines().map(|line| line.split("  ").next().expect("a word")).collect();
    assert_eq!(first, ["RULE", "web/a b", "web/q'\"\u{e9}", "off", "3 rules: 1 up, 1 down, 1 off"]);
    assert!(!said.contains('\u{1b}'), "{said:?}");
    assert!(house.done(&["status", "web/q'\"\u{e9}"]).starts_with("web/q'\"\u{e9}: down\n"));
    assert!(house.done(&["status", "web/*"]).ends_with("\n2 rules: 1 up, 1 down\n"));
    let json = house.done(&["status", "--json", "web/*"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[1]["state"], &lines[2]["text"]), (3, &"fail".into(), &"2 rules".into()));
    assert_eq!(house.refused(&["status", "nosuch"]), "hfmctl: refused: no rule matches 'nosuch'\n");
    assert_eq!(
        house.refused(&["drain", "web"]),
        "hfmctl: refused: no rule matches 'web'; it is a group: 'web/*' takes its rules\n"
    );
    assert_eq!(house.refused(&["tables", "nosuch"]), "hfmctl: refused: no table matches 'nosuch'\n");
    // Longer than any name: it is hfmctl's own affair.
    let long = house.ctl(&["status", &"x".repeat(100_000)]);
    assert_eq!((long.code, long.out.as_str()), (Some(2), ""), "{}", &long.err[..long.err.len().min(200)]);
}

#[test]
fn a_test_that_cannot_be_started_is_named_with_what_the_system_says() {
    let house = House::new("nosuch");
    let mut daemon = house.start("gone { test = \"/nonexistent/test\" }\nup { test = \"true\" }\n");
    daemon.wait_for("failed to start, disabling: /nonexistent/test: No such file or directory", 1);
    assert!(patiently(|| house.rule("gone")["ended"] == "cannot-start"));
    let row = house.rule("gone");
    assert_eq!(row["detail"], "/nonexistent/test: No such file or directory");
    assert!(row["reason"].is_null(), "{row}");
    let said = house.done(&["status", "gone"]);
    let next =
        "next run      none: its test cannot be started: /nonexistent/test: No such file or directory\n";
    assert!(said.contains(next), "{said}");
    house.rewrite("gone { test = \"true\" }\nup { test = \"true\" }\n");
    house.done(&["reload"]);
    house.wait_for_state(&daemon, "gone", "success");
    assert_eq!(house.rule("gone")["detail"], "ok");
}

#[test]
fn run_finds_out_and_changes_nothing() {
    let house = House::new("run");
    let (target, dead) = (Target::open(), Target::closed());
    let many: String = (0..101).map(|n| format!("m{n} {{ test = \"true\"; interval = 1h }}\n")).collect();
    let rules = format!(
        "{}{}cmd {{ test = sh; test_arguments = [-c, 'exit 7']; interval = 1h }}\n\
         off {{ status = disabled; test = \"true\" }}\ngone {{ test = \"/nonexistent/test\" }}\n\
         busy {{ test = sleep; test_arguments = [\"0.2\"]; interval = 50ms }}\n{many}",
        target.rule("w1", "10.0.0.1", "tables = []; interval = 1h; spread = no"),
        dead.rule("w2", "10.0.0.2", "tables = []; interval = 1h; spread = no"),
    );
    let mut daemon = house.start(&rules);
    daemon.wait_for("changed state to", 105);
    let before = house.rule("w2");
    for (rule, code, said) in [
        ("w1", 0, "w1: success ok after "),
        ("w2", 0, "w2: failure refused after "),
        ("cmd", 0, "cmd: failure exit-status after "),
        ("off", 0, "off: success ok after "),
        ("busy", 0, "busy: success ok after "),
    ] {
        let answer = house.ctl(&["run", rule]);
        assert_eq!(answer.code, Some(code), "{answer:?}");
        assert!(answer.out.starts_with(said), "{answer:?}");
    }
    let after = house.rule("w2");
    for member in ["state", "own", "runs", "failures"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    // It is reckoned back from the clock of each answer, which somebody may adjust.
    let since = |row: &Value| row["since"].as_f64().expect("a time");
    assert!((since(&after) - since(&before)).abs() < 0.01, "{after} {before}");
    assert_eq!(house.rule("off")["runs"], 0);
    let gone = house.ctl(&["run", "gone"]);
    assert!(gone.err.contains("'gone' cannot be run: No such file or directory"), "{gone:?}");
    assert_eq!(
        house.refused(&["run", "m*"]),
        "hfmctl: refused: 'm*' matches 101 rules; run takes 100 at most\n"
    );
    assert_eq!(house.done(&["run", "m1*"]).lines().count(), 12, "m1, m10 to m19, m100");
}

#[test]
fn reload_says_what_became_of_the_file() {
    let house = House::new("reload");
    let _daemon = house.start("a { test = \"true\" }\nb { test = \"true\" }\n");
    house.rewrite("a { test = \"true\" }\nc { test = \"true\" }\nb { test = \"false\" }\n");
    assert_eq!(house.done(&["reload"]), "reloaded: 3 rules: 1 kept, 0 adjusted, 1 changed, 1 new; 0 gone\n");
    house.rewrite("a { tset = \"true\"; test = \"\" }\n");
    let said = house.refused(&["reload"]);
    assert!(said.starts_with("hfmctl: refused: the configuration has 2 errors, nothing changes\n"), "{said}");
    assert_eq!(said.matches("/hfm.conf:5:").count(), 2, "{said}");
    for (setting, other) in
        [("dry_run", "dry_run = yes"), ("state_dir", "state_dir = \"@DIR@/other\""), ("user", "user = root")]
    {
        // pfctl and another user do not go together: the setting is refused before that is.
        house.rewrite(&format!("{other}\na {{ test = \"true\" }}\n"));
        let said = house.refused(&["reload"]);
        let wanted = format!("hfmctl: refused: '{setting}' cannot change while hfm runs; restart hfm\n");
        assert_eq!(said, wanted);
    }
    assert_eq!(house.done(&["status"]).lines().count(), 5, "three rules, as before");
}

#[test]
fn reconcile_puts_right_what_others_did_and_says_what_it_cannot() {
    let house = House::new("reconcile");
    let target = Target::open();
    let rules =
        target.rule("w1", "10.0.0.1", "tables = web") + &target.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    assert!(patiently(|| house.done(&["reconcile"]) == "1 table read, 0 addresses put right\n"));
    house.firewall.operator("web", &["delete", "10.0.0.2"]);
    assert_eq!(house.done(&["reconcile"]), "1 table read, 1 address put right\n");
    // Done means that it is there already.
    assert!(house.firewall.holds("web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]), "{}", daemon.log());
    house.firewall.set_mode("fail");
    house.firewall.operator("web", &["delete", "10.0.0.1"]);
    let said = house.refused(&["reconcile"]);
    assert!(said.starts_with("hfmctl: refused: 1 table of 1 cannot be read or written"), "{said}");
    assert!(said.contains("\nweb: "), "{said}");
    house.firewall.set_mode("ok");
    house.done(&["reconcile"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    daemon.wait_for("control: reconcile uid=", 4);
}

/// Reads lines until all of these have come, each in one of them.
fn wait_for_lines(lines: &mut impl Iterator<Item = String>, wanted: &[&str], daemon: &Daemon) {
    let mut missing: Vec<&str> = wanted.to_vec();
    while !missing.is_empty() {
        let line = lines.next().unwrap_or_else(|| panic!("no {missing:?}: {}", daemon.log()));
        missing.retain(|wanted| !line.contains(wanted));
    }
}

#[test]
fn events_come_though_the_log_is_off() {
    let house = House::new("events");
    let target = Target::open();
    let rules =
        target.rule("w1", "10.0.0.1", "tables = web") + &target.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.done(&["log", "off"]);
    // The last line that there is; it is on its way when the answer is.
    daemon.wait_for("control: log off", 1);
    let before = daemon.log();
    let mut listeners = [&["events"][..], &["--json", "events"]]
        .map(|arguments| Running(house.hfmctl(arguments).spawn().expect("hfmctl runs")));
    assert!(patiently(|| house.done(&["stats"]).contains("\nclients            3\n")));
    house.done(&["drain", "w1", "--reason", "so"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    let mut said = listeners.each_mut().map(|listener| {
        let stdout = listener.0.stdout.take().expect("its stdout");
        BufReader::new(stdout).lines().map(|line| line.expect("text"))
    });
    for lines in &mut said {
        wait_for_lines(lines, &["override-set", "changed state to: RuleStateFail", "table-written"], &daemon);
    }
    assert_eq!(daemon.log(), before, "the log is off");
    house.done(&["enable", "w1"]);
    assert_eq!(house.done(&["stop"]), "hfm is ending\n");
    assert_eq!(daemon.wait().code(), Some(0));
    for listener in &mut listeners {
        assert_eq!(listener.0.wait().expect("it ends").code(), Some(2), "hfm went away");
    }
    let said = house.ctl(&["status"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
}

#[test]
fn the_level_is_changed_for_good_and_stats_tell_it() {
    let house = House::new("log");
    let daemon = house.start("a { test = \"true\" }\n");
    assert_eq!(house.done(&["log", "debug"]), "the log's level is debug, was info\n");
    assert!(patiently(|| daemon.log().contains("verdict=ok")));
    // A reload leaves it.
    house.done(&["reload"]);
    assert!(house.done(&["stats"]).contains("\nlog level          debug, 0 lines dropped\n"));
    let said = house.ctl(&["log", "loud"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}
