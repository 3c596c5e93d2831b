//! TERM, INT, HUP, USR1, and the whole process stopped and continued.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Place, exists, patiently, pause};

#[test]
fn term_and_int_end_it_with_status_0_and_kill_running_tests() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let place = Place::new(&format!("end-{signal}"));
        let mut daemon = place.start(
            "interval = 1s\na { test = sh; test_arguments = [-c, 'echo $$ > @DIR@/pid; sleep 100 & sleep 100'] }",
        );
        assert!(patiently(|| !place.read("pid").is_empty()));
        let pid: u32 = place.read("pid").trim().parse().expect("a pid");
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(!daemon.log().contains("still run after 10 s"), "it waited for a test: {}", daemon.log());
        assert!(patiently(|| !exists(pid)), "the test still runs");
        assert!(daemon.tells(&format!("{signal}: stopping")), "{}", daemon.log());
        assert!(!daemon.log().contains("RuleStateFail"), "our own kill is no verdict");
    }
}

#[test]
fn change_commands_that_are_due_are_started_and_waited_for_at_the_end() {
    let place = Place::new("end-waits");
    let mut daemon = place.start(
        "a { test = \"false\"; interval = 1h; change_fail = sh; \
         change_fail_arguments = [-c, 'echo started > @DIR@/started; sleep 2; echo done > @DIR@/done'] }",
    );
    assert!(patiently(|| !place.read("started").is_empty()));
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(place.read("done"), "done\n");
}

#[test]
fn a_second_term_ends_it_at_once() {
    let place = Place::new("end-twice");
    let mut daemon = place.start(
        "a { test = \"false\"; interval = 1h; change_fail = sh; \
         change_fail_arguments = [-c, 'echo $$ > @DIR@/started; sleep 60; echo done > @DIR@/done'] }",
    );
    assert!(patiently(|| !place.read("started").is_empty()));
    daemon.signal(Signal::SIGTERM);
    daemon.wait_for("SIGTERM: stopping", 1);
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!daemon.log().contains("still run after 10 s"), "it waited: {}", daemon.log());
    assert_eq!(place.read("done"), "");
    let left: i32 = place.read("started").trim().parse().expect("a pid");
    let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(left), Signal::SIGKILL);
}

#[test]
fn a_change_command_that_never_ends_does_not_keep_it() {
    let place = Place::new("end-stuck");
    let mut daemon = place.start(
        "a { test = \"false\"; interval = 1h; change_fail = sh; \
         change_fail_arguments = [-c, 'echo $$ > @DIR@/pid; sleep 60'] }",
    );
    assert!(patiently(|| !place.read("pid").is_empty()));
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(daemon.tells("1 change commands still run after 10 s"), "{}", daemon.log());
    let pid: i32 = place.read("pid").trim().parse().expect("a pid");
    let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
}

#[test]
fn hup_reads_the_configuration_again_however_often() {
    let place = Place::new("hup");
    let mut daemon = place.start("a { test = \"true\"; interval = 1s }");
    daemon.wait_for("'a' run", 1);
    place.write("hfm.conf", "interval = 1s\na { test = \"true\" }\nb { test = \"false\" }");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("reloaded rules=2 kept=1 adjusted=0 changed=0 new=1 gone=0", 1);
    daemon.wait_for("'b' run", 1);
    for times in 1..=50 {
        daemon.signal(Signal::SIGHUP);
        daemon.wait_for("reloaded rules=2 kept=2", times);
    }
    assert!(daemon.is_running());
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn usr1_logs_a_summary_with_the_rules_that_are_not_well() {
    let place = Place::new("usr1");
    let mut daemon = place
        .start("interval = 1h\nup { test = \"true\" }\ndown { test = \"false\" }\noff { status = disabled; test = x }");
    daemon.wait_for("changed state to", 2);
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: rules=3 success=1 fail=1 unknown=1 stale=0 disabled=1 ended=0", 1);
    daemon.wait_for("summary: runs=2 failures=1 inconclusive=0 in_flight=0", 1);
    daemon.wait_for("summary: 'down' state=fail own=fail last_verdict=exit-status runs=1", 1);
    assert!(!daemon.log().contains("summary: 'up'"));
    daemon.stop();
}

#[test]
fn standing_still_for_five_seconds_changes_no_state() {
    let place = Place::new("stop-cont");
    // One that answers at once, one that takes a while, one that is killed in time only if we are awake:
    // it ends by itself after 3 s, its limit is 2 s, and it is stopped in between.
    let mut daemon = place.start(
        "interval = 1s\n\
         quick { test = \"true\" }\n\
         slow { test = sh; test_arguments = [-c, 'sleep 0.4'] }\n\
         once { test = sh; timeout_kill = 2s; interval = 1h; interval_fail = 1h;\n\
           test_arguments = [-c, 'if [ -e @DIR@/seen ]; then sleep 60; fi; touch @DIR@/seen'] }\n\
         limited { test = sh; timeout_kill = 900ms; test_arguments = [-c, 'test -e @DIR@/hang && sleep 60; true'] }",
    );
    daemon.wait_for("RuleStateSuccess", 4);
    // From here on `limited` hangs, while we stand still over its limit: that must not be held against it.
    place.write("hang", "");
    pause(Duration::from_millis(1200));
    let changes_before = daemon.log().matches("changed state").count();
    let hung_before = daemon.log().matches("'limited' run").count();
    daemon.signal(Signal::SIGSTOP);
    std::fs::remove_file(place.path.join("hang")).expect("the file is there");
    pause(Duration::from_secs(5));
    daemon.signal(Signal::SIGCONT);
    pause(Duration::from_secs(3));
    let log = daemon.log();
    for rule in ["quick", "slow", "once"] {
        assert_eq!(log.matches(&format!("'{rule}' run")).count(), 1, "{log}");
    }
    // It may have failed honestly before we were stopped; if it had not, it must not have failed since.
    if hung_before == 1 {
        assert_eq!(log.matches("changed state").count(), changes_before, "{log}");
    }
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("missed_slots=", 1);
    daemon.stop();
}
