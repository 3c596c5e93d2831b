//! What is hfm's own: dry_run, memory, the environment of change commands, brakes as people see them.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::firewall::{Firewall, Target};
use crate::harness::{Place, pause};

const HEAD: &str = "interval = 50ms\ntables = web\n";

#[test]
fn dry_run_writes_nothing_runs_no_command_and_tells_once_what_it_would_do() {
    let place = Place::new("tables-dry");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.2", "10.9.9.9"])]);
    let (up, dead) = (Target::open(), Target::closed());
    let change = "change_fail = touch; change_fail_arguments = \"@DIR@/ran\"";
    let rules = [up.rule("w1", "10.0.0.1", ""), dead.rule("w2", "10.0.0.2", change)].concat();
    let mut daemon = firewall.start(&place, &format!("dry_run = yes\n{HEAD}{rules}"));
    daemon.wait_for("would be written (dry_run)", 1);
    daemon.wait_for("change command would run (dry_run): touch", 1);
    // Several reconciliations later nothing more is told, for it reckons with what it would have written.
    pause(Duration::from_secs(2));
    let log = daemon.log();
    assert!(log.contains("added=[10.0.0.1]") && log.contains("removed=[10.0.0.2]"), "{log}");
    assert!(log.matches("would be written").count() <= 2, "{log}");
    assert!(!log.contains("was changed by others"), "{log}");
    assert!(firewall.holds("web", &["10.0.0.2", "10.9.9.9"]));
    assert!(!place.path.join("ran").exists());
    assert!(!place.path.join("state").exists(), "dry_run makes no directory");
    let writes = firewall.calls().lines().filter(|line| !line.contains("-T show")).count();
    assert_eq!(writes, 0, "{}", firewall.calls());
}

#[test]
fn dry_run_stands_beside_another_hfm() {
    let place = Place::new("tables-beside");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let mut target = Target::open();
    let rules = target.rule("w1", "10.0.0.1", "");
    let real = firewall.start(&place, &format!("{HEAD}{rules}"));
    firewall.wait_for(&real, "web", &["10.0.0.1"]);
    let before = place.read("state/managed");
    let beside = Place::new("tables-beside-dry");
    let state = place.path.join("state");
    let text =
        format!("dataplane = pfctl\nstate_dir = \"{}\"\nreconcile = 200ms\ndry_run = yes\n", state.display());
    let mut command = beside.hfm(&format!("{text}{HEAD}{rules}"));
    firewall.lead(&mut command);
    let mut dry = beside.start_command(command);
    dry.wait_for("changed state to: RuleStateSuccess", 1);
    for open in [false, true] {
        target.set(open);
        let state = if open { "RuleStateSuccess" } else { "RuleStateFail" };
        let times = dry.log().matches(state).count() + 1;
        dry.wait_for(state, times);
        firewall.wait_for(&real, "web", if open { &["10.0.0.1"] } else { &[] });
    }
    assert!(!dry.log().contains("another hfm uses it"), "{}", dry.log());
    assert!(!dry.log().contains("was changed by others"), "the other one is right: {}", dry.log());
    assert_eq!(place.read("state/managed"), before);
}

#[test]
fn tables_in_memory_need_nothing_and_are_seen_in_the_summary() {
    let place = Place::new("tables-memory");
    let (up, dead) = (Target::open(), Target::closed());
    let rules = [up.rule("w1", "10.0.0.1", ""), dead.rule("w2", "2001:db8::2", "")].concat();
    let text = format!("dataplane = memory\nstate_dir = \"@DIR@/state\"\n{HEAD}{rules}");
    let mut daemon = place.start(&text);
    daemon.wait_for("table 'web' written added=[10.0.0.1]", 1);
    daemon.wait_for("'w2' run", 1);
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: dataplane=memory tables=1", 1);
    daemon.wait_for("summary: table 'web' managed=2 wanted=1 actual=1 held=0", 1);
    daemon.wait_for("summary: table 'web' 2001:db8::2 wanted=out actual=out why=\"down\"", 1);
    assert!(!place.path.join("state/managed").exists(), "memory records nothing");
}

#[test]
fn min_up_keeps_the_last_ones_in_and_says_so() {
    let place = Place::new("tables-min-up");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let mut targets = [Target::open(), Target::open()];
    let rules = [targets[0].rule("w1", "10.0.0.1", ""), targets[1].rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = firewall.start(&place, &format!("min_up = 1\n{HEAD}{rules}"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);
    targets[0].set(false);
    firewall.wait_for(&daemon, "web", &["10.0.0.2"]);
    targets[1].set(false);
    daemon.wait_for("table 'web' held by min_up: 1 address is in although it is down held=[10.0.0.2]", 1);
    assert!(firewall.holds("web", &["10.0.0.2"]));
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("table 'web' 10.0.0.2 wanted=in actual=in why=\"held by min_up\"", 1);
    targets[0].set(true);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    daemon.wait_for("table 'web' holds no address back any more", 1);
}

#[test]
fn a_backup_serves_only_while_no_other_address_is_up() {
    let place = Place::new("tables-backup");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let (mut main, spare) = (Target::open(), Target::open());
    let rules = [main.rule("main", "10.0.0.1", ""), spare.rule("spare", "10.0.0.9", "backup = yes")].concat();
    let daemon = firewall.start(&place, &format!("{HEAD}{rules}"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    main.set(false);
    firewall.wait_for(&daemon, "web", &["10.0.0.9"]);
    main.set(true);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
}

#[test]
fn change_commands_know_tables_and_addresses() {
    let place = Place::new("tables-environment");
    let target = Target::open();
    let change = "tables = [web, \"lb/dns=10.0.1.1,2001:db8::1\"]; change_success = sh; \
                  change_success_arguments = [\"-c\", \"echo $HFM_TABLES:$HFM_ADDRESSES > @DIR@/seen\"]";
    let text = format!("dataplane = memory\n{HEAD}{}", target.rule("w1", "10.0.0.1", change));
    let daemon = place.start(&text);
    let is_seen = crate::harness::patiently(|| place.read("seen").ends_with('\n'));
    assert!(is_seen, "{}", daemon.log());
    assert_eq!(place.read("seen"), "web lb/dns:10.0.0.1 10.0.1.1 2001:db8::1\n");
}
