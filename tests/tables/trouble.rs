//! A firewall that is absent, forbids, hangs, is slow, lies or fails: probing goes on, and all is made good.

use crate::firewall::{Firewall, Target};
use crate::harness::Place;

const HEAD: &str = "interval = 50ms\ntables = web\n";

/// A rule of which every run is seen: it counts them in a file.
fn counter() -> String {
    "count { test = sh; test_arguments = [\"-c\", \"echo >> @DIR@/runs\"]; interval = 100ms; tables = [] }\n"
        .to_owned()
}

/// The firewall is in this mode when hfm starts and for some time; then it is well.
fn is_survived(mode: &str, said: &str) {
    let place = Place::new(&format!("tables-{}", mode.split(' ').next().expect("a word")));
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.2", "10.9.9.9"])]);
    firewall.set_mode(mode);
    let (up, dead) = (Target::open(), Target::closed());
    let rules = [up.rule("w1", "10.0.0.1", ""), dead.rule("w2", "10.0.0.2", ""), counter()].concat();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{rules}"));
    daemon.wait_for(said, 1);
    let before = place.read("runs").lines().count();
    assert!(
        crate::harness::patiently(|| place.read("runs").lines().count() >= before + 5),
        "probing goes on"
    );
    firewall.set_mode("ok");
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.9.9.9"]);
    assert!(daemon.is_running());
    assert!(daemon.stop().success());
}

#[test]
fn an_absent_firewall_is_waited_for() {
    is_survived("absent", "tables cannot be read or written: not there: ");
}

#[test]
fn a_firewall_that_forbids_is_waited_for() {
    is_survived("denied", "tables cannot be read or written: not permitted: ");
}

#[test]
fn a_firewall_that_fails_is_tried_again() {
    is_survived("fail", "table 'web' cannot be read or written: ");
}

#[test]
fn a_firewall_that_talks_nonsense_is_tried_again() {
    is_survived("garbage", "table 'web' cannot be read or written: ");
}

#[test]
fn a_firewall_that_hangs_is_given_up_and_tried_again() {
    is_survived("hang", "tables cannot be read or written: no answer within ");
}

#[test]
fn a_firewall_that_lies_is_found_out() {
    is_survived("lie", "table 'web' does not hold what was written into it a moment ago");
}

#[test]
fn a_firewall_that_does_half_of_it_is_asked_for_the_rest() {
    is_survived("partial", "table 'web' cannot be read or written: ");
}

#[test]
fn a_slow_firewall_gets_the_newest_word_and_delays_no_probe() {
    let place = Place::new("tables-slow");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    firewall.set_mode("slow 0.5");
    let mut target = Target::open();
    let rules = [target.rule("w1", "10.0.0.1", ""), counter()].concat();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{rules}"));
    for open in [false, true, false, true, false] {
        // The other rule never fails.
        let state = if open { "previous=RuleStateFail" } else { "changed state to: RuleStateFail" };
        let times = daemon.log().matches(state).count() + 1;
        target.set(open);
        daemon.wait_for(state, times);
    }
    firewall.set_mode("ok");
    target.set(true);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    let writes = firewall.calls().lines().filter(|line| line.contains("-T add")).count();
    assert!(writes <= 4, "of six changes a slow firewall need not hear of all:\n{}", firewall.calls());
}

#[test]
fn a_program_that_is_not_there_is_said_to_be() {
    let place = Place::new("tables-no-program");
    let target = Target::open();
    let text = format!(
        "dataplane = pfctl\nstate_dir = \"@DIR@/state\"\n{HEAD}{}",
        target.rule("w1", "10.0.0.1", "")
    );
    let mut command = place.hfm(&text);
    command.env("PATH", &place.path);
    let mut daemon = place.start_command(command);
    daemon.wait_for("tables cannot be read or written: not there: ", 1);
    daemon.wait_for("pfctl", 1);
    assert!(daemon.is_running());
}
