//! What operators have set outlives reloads, restarts and crashes.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::firewall::Target;
use crate::harness::pause;
use crate::house::{House, telling};

#[test]
fn it_outlives_reloads_whatever_becomes_of_the_rule() {
    let house = House::new("kept-reload");
    let target = Target::open();
    let other = target.rule("w2", "10.0.0.2", "tables = web");
    let first =
        |name: &str, more: &str| target.rule(name, "10.0.0.1", &format!("tables = web; {more}")) + &other;
    let mut daemon = house.start(&first("w1", ""));
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.done(&["drain", "w1", "--reason", "so"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    // As it is, with another schedule, with another test.
    for more in ["", "interval = 50ms", "timeout = 20ms"] {
        house.rewrite(&first("w1", more));
        house.done(&["reload"]);
        assert_eq!(house.set_of("w1").as_deref(), Some("drained"), "{more}");
        assert_eq!(house.rule("w1")["state"], "fail", "{more}");
        house.done(&["reconcile"]);
        assert!(house.firewall.holds("web", &["10.0.0.2", "10.9.9.9"]), "{more}: {}", daemon.log());
    }
    // Another name is another rule; the old one is still known, and can be cleared or come back.
    house.rewrite(&first("new", ""));
    house.done(&["reload"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    daemon.wait_for("no rule is named 'w1', which is drained; kept for when it comes back", 1);
    for arguments in [&["status"][..], &["status", "w*"], &["status", "w1"]] {
        let said = house.ctl(arguments);
        let warned = "no rule is named 'w1' now, for which 'drained' was set by uid ";
        assert!(said.code == Some(0) && said.err.contains(warned), "{said:?}");
    }
    house.rewrite(&first("w1", ""));
    house.done(&["reload"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    assert!(house.done(&["status", "w1"]).contains("\n  override      drained: so\n"));
    house.rewrite(&other);
    house.done(&["reload"]);
    let said = house.done(&["enable", "w1"]);
    assert_eq!(said, "w1: nothing is set any more; no rule has that name now\n1 rule enabled\n");
    house.rewrite(&first("w1", ""));
    house.done(&["reload"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
}

/// What ended while there was no such rule has nothing to say of the rule that comes.
#[test]
fn what_ends_while_its_rule_is_gone_is_over() {
    let house = House::new("kept-over");
    let target = Target::open();
    let other = target.rule("w2", "10.0.0.2", "tables = web");
    let both = telling(&target, "w1", "10.0.0.1", "") + &other;
    let mut daemon = house.start(&both);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\n");
    house.done(&["drain", "w1", "--for", "1s"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    house.wait_for_file("w1.changes", "success ok\nfail drained\n");
    house.rewrite(&other);
    house.done(&["reload"]);
    pause(Duration::from_millis(1100));
    house.rewrite(&both);
    house.done(&["reload"]);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(house.set_of("w1"), None);
    house.wait_for_file("w1.changes", "success ok\nfail drained\nsuccess ok\n");
    daemon.wait_for("'w1' is no longer drained: its time is over\n", 1);
}

#[test]
fn it_outlives_the_process_however_that_ends() {
    let house = House::new("kept-restart");
    let target = Target::open();
    let rules =
        target.rule("w1", "10.0.0.1", "tables = web") + &target.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.done(&["drain", "w1", "--for", "2h", "--reason", "so"]);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
    let set = house.rule("w1")["override"].clone();
    for end in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGKILL] {
        daemon.signal(end);
        daemon.wait();
        daemon = house.start(&rules);
        daemon.wait_for("overrides of before are in force: 1; 'hfmctl status' shows them", 1);
        house.wait_for_state(&daemon, "w2", "success");
        let row = house.rule("w1");
        assert_eq!((&row["override"], &row["state"]), (&set, &"fail".into()));
        house.done(&["reconcile"]);
        assert!(house.firewall.holds("web", &["10.0.0.2", "10.9.9.9"]), "{}", daemon.log());
    }
    // Done is done, too.
    house.done(&["enable", "w1"]);
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    let daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(house.set_of("w1"), None);
}

#[test]
fn a_damaged_memory_is_set_aside_and_said_so() {
    let house = House::new("kept-damaged");
    let rules = "a { test = \"true\" }\n";
    let mut daemon = house.start(rules);
    house.done(&["drain", "a"]);
    assert!(daemon.stop().success());
    let file = house.home.0.path.join("state/overrides");
    let whole = fs::read(&file).expect("it is written");
    let bytes = &whole[..whole.len() - 3];
    fs::write(&file, bytes).expect("it can be written");
    let daemon = house.start(rules);
    assert_eq!(house.set_of("a"), None, "nothing of it is believed");
    assert!(daemon.tells("state/overrides"), "{}", daemon.log());
    assert_eq!(fs::read(file.with_extension("corrupt")).expect("it is set aside"), bytes);
    house.done(&["drain", "a"]);
}

#[test]
fn what_cannot_be_remembered_is_done_with_a_warning() {
    let house = House::new("kept-not");
    let rules = "a { test = \"true\" }\n";
    let mut daemon = house.start(&format!("state_dir = \"@DIR@/file\"\n{rules}"));
    let is_warned = |said: &crate::house::Said| said.code == Some(0) && said.err.contains("not remembered: ");
    let state = house.home.0.path.join("state");
    assert!(daemon.stop().success());
    // A file where the directory should be.
    fs::write(house.home.0.path.join("plain"), "").expect("a file");
    daemon = house.start(&format!("state_dir = \"@DIR@/plain\"\n{rules}"));
    let said = house.ctl(&["drain", "a"]);
    assert!(is_warned(&said) && said.out.ends_with("1 rule drained\n"), "{said:?}");
    assert_eq!(house.set_of("a").as_deref(), Some("drained"));
    assert!(daemon.stop().success());
    assert!(daemon.tells("what was set last is gone with this process"), "{}", daemon.log());
    // One that is taken away while hfm runs.
    daemon = house.start(rules);
    house.done(&["drain", "a"]);
    fs::remove_dir_all(&state).expect("it is there");
    let said = house.ctl(&["enable", "a"]);
    assert!(is_warned(&said), "{said:?}\n{}", daemon.log());
    assert_eq!(house.set_of("a"), None);
    assert!(daemon.is_running());
    // Another hfm has it.
    assert!(daemon.stop().success());
    let _first = house.start(rules);
    let text = format!("control = \"@DIR@/second.sock\"\nstate_dir = \"{}\"\n{rules}", state.display());
    let other = House::new("kept-second");
    let second = other.home.0.start(&text.replace("@DIR@", &other.home.0.path.to_string_lossy()));
    let ask = || other.ctl(&["-s", &other.home.0.path.join("second.sock").to_string_lossy(), "drain", "a"]);
    assert!(crate::harness::patiently(|| ask().code == Some(0)), "{}", second.log());
    assert!(is_warned(&ask()), "{:?}", ask());
}

#[test]
fn a_dry_run_drains_and_writes_nothing() {
    let house = House::new("kept-dry");
    let target = Target::open();
    let rules = telling(&target, "w1", "10.0.0.1", "") + &target.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&format!("dry_run = yes\n{rules}"));
    house.wait_for_state(&daemon, "w2", "success");
    house.wait_for_state(&daemon, "w1", "success");
    let said = house.ctl(&["drain", "w1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("not remembered: dry_run writes nothing"), "{said:?}");
    house.wait_for_state(&daemon, "w1", "fail");
    let is_as_wanted = || house.done(&["tables"]).contains("  dry run, as wanted (pfctl)\n");
    assert!(crate::harness::patiently(is_as_wanted), "{}", house.done(&["tables"]));
    let said = house.done(&["tables"]);
    assert!(said.contains("\n1 table: as wanted; a dry run: nothing is written, "), "{said}");
    assert!(
        house
            .done(&["--json", "tables"])
            .starts_with("{\"type\":\"table\",\"table\":\"web\",\"dataplane\":\"pfctl\",\"dry_run\":true,")
    );
    // From here on it counts as it is.
    house.done(&["reconcile"]);
    house.firewall.operator("web", &["add", "10.0.0.1"]);
    assert_eq!(house.done(&["reconcile"]), "1 table read, 1 address would be put right (dry run)\n");
    assert!(daemon.stop().success());
    assert!(house.firewall.holds("web", &["10.0.0.1", "10.9.9.9"]));
    assert_eq!(house.home.0.read("w1.changes"), "");
    assert!(!house.home.0.path.join("state/overrides").exists());
}

#[test]
fn without_a_socket_what_was_set_holds_and_is_said() {
    let house = House::new("kept-alone");
    let target = Target::open();
    let rules =
        target.rule("w1", "10.0.0.1", "tables = web") + &target.rule("w2", "10.0.0.2", "tables = web");
    let mut daemon = house.start(&rules);
    house.wait_for_web(&daemon, &["10.0.0.1", "10.0.0.2"]);
    house.done(&["drain", "w1"]);
    assert!(daemon.stop().success());
    let mut command =
        house.home.0.hfm(&format!("control = \"\"\ndataplane = pfctl\ninterval = 100ms\n{rules}"));
    house.firewall.lead(&mut command);
    daemon = house.home.0.start_command(command);
    daemon
        .wait_for("overrides of before are in force: 1; without a control socket they cannot be cleared", 1);
    daemon.wait_for("changed state to", 2);
    house.wait_for_web(&daemon, &["10.0.0.2"]);
}

/// A clock that is set back, or was never set, must not make an hour a year.
#[test]
fn what_was_to_end_soon_ends_soon_whatever_the_clock_was() {
    let house = House::new("kept-clock");
    let rules = "a { test = \"true\" }\n";
    let mut daemon = house.start(rules);
    house.done(&["drain", "a", "--for", "2s"]);
    assert!(daemon.stop().success());
    // The same a year ahead.
    let file = house.home.0.path.join("state/overrides");
    let text = fs::read_to_string(&file).expect("it is remembered");
    let ahead = |word: &str| match word.split_once('.') {
        Some((seconds, nanos)) if nanos.len() == 9 => {
            format!("{}.{nanos}", seconds.parse::<u64>().expect("seconds") + 365 * 86_400)
        }
        Some(_) | None => word.to_owned(),
    };
    let later: Vec<String> =
        text.lines().map(|line| line.split(' ').map(ahead).collect::<Vec<_>>().join(" ")).collect();
    fs::write(&file, later.join("\n") + "\n").expect("its memory");
    daemon = house.start(rules);
    assert_eq!(house.set_of("a").as_deref(), Some("drained"), "{}", daemon.log());
    daemon.wait_for("'a' is no longer drained: its time is over", 1);
    assert_eq!(house.set_of("a"), None);
}
