//! Each line of "Where ours differs, on purpose": what hfm would lose, ours keeps.

use std::time::Duration;

use crate::harness::{Place, exists, pause};

/// Runs a file whose rules all end by themselves; the log.
fn run(test: &str, configuration: &str) -> String {
    let (status, log) = Place::new(test).run(configuration);
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

/// The report of a file that is refused.
fn refused(test: &str, configuration: &str) -> String {
    let (status, log) = Place::new(test).run(configuration);
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(!log.contains("Loaded"), "{log}");
    log
}

fn assert_changed(log: &str, rule: &str, to: &str) {
    let line =
        log.lines().find(|line| line.contains(&format!("'{rule}' run")) && line.contains("changed state to"));
    assert!(
        line.is_some_and(|line| line.contains(&format!("changed state to: {to}"))),
        "{rule} {to}:\n{log}"
    );
}

#[test]
fn rules_below_an_object_with_a_test_are_read() {
    let log = run("below", "runs = 1\ng1 { test = \"true\"; t1 { test = \"false\" } }");
    assert_changed(&log, "g1", "RuleStateSuccess");
    assert_changed(&log, "g1/t1", "RuleStateFail");
    let report = refused("below-third", "g1 { t1 { test = \"true\"; deeper { test = \"true\" } } }");
    assert!(report.contains("deeper"), "{report}");
}

#[test]
fn repeated_sections_all_run() {
    let log = run(
        "sections",
        "runs = 1\nlb1 haproxy { test = \"true\" }\nlb2 haproxy { test = \"true\" }\nlb1 tinyproxy { test = \"false\" }",
    );
    assert!(log.contains("Loaded 3 rules."), "{log}");
    assert_changed(&log, "lb1/haproxy", "RuleStateSuccess");
    assert_changed(&log, "lb1/tinyproxy", "RuleStateFail");
    assert_changed(&log, "lb2/haproxy", "RuleStateSuccess");
}

#[test]
fn an_object_named_test_is_a_child_and_a_group_may_be_called_default() {
    let log = run("named-test", "runs = 1\ntest { test = \"true\" }\ndefault { a { test = \"false\" } }");
    assert!(log.contains("Loaded 2 rules."), "{log}");
    assert_changed(&log, "test", "RuleStateSuccess");
    assert_changed(&log, "default/a", "RuleStateFail");
    let report = refused("default-twice", "test = \"true\"\ndefault { test = \"true\" }");
    assert!(report.contains("default"), "{report}");
}

#[test]
fn test_is_found_in_any_letter_case() {
    let log = run("letter-case", "RUNS = 1\na { TEST = \"true\" }\nb { Test = \"false\" }");
    assert_changed(&log, "a", "RuleStateSuccess");
    assert_changed(&log, "b", "RuleStateFail");
}

#[test]
fn an_error_inside_a_group_refuses_the_file_and_so_does_a_negative_interval() {
    let report = refused(
        "nested-error",
        "a { b { test = \"true\"; surprise = 1 } }\nc { test = \"true\"; interval = -1s }",
    );
    assert!(report.contains("surprise") && report.contains("hfm.conf:2:"), "{report}");
}

#[test]
fn an_explicit_zero_of_a_group_counts_and_a_change_of_meaning_is_told_once() {
    let log = run(
        "zero",
        "runs = 5\ng { runs = 1; interval = 0; a { test = \"true\" } b { test = \"true\" } }\ninterval = 1h",
    );
    assert_changed(&log, "g/a", "RuleStateSuccess");
    assert_eq!(log.matches("warning").count(), 1, "{log}");
}

#[test]
fn rules_start_in_the_order_of_the_file_and_disabled_ones_are_counted() {
    let place = Place::new("order");
    let mut configuration = String::from("runs = 1\noff { status = disabled; test = \"true\" }\n");
    let rules: Vec<String> = (0..20).map(|rule| format!("r{}", rule * 7 % 20)).collect();
    for rule in &rules {
        configuration +=
            &format!("{rule} {{ test = sh; test_arguments = [-c, 'echo $$ {rule} >> @DIR@/started'] }}\n");
    }
    let (status, log) = place.run(&configuration);
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("Loaded 21 rules."), "{log}");
    // Processes are numbered in the order of their making, but for one turn over at the largest number.
    let started = place.read("started");
    let mut started: Vec<(u32, &str)> = started
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(pid, rule)| (pid.parse().expect("a pid"), rule))
        .collect();
    started.sort_unstable();
    assert_eq!(started.len(), 20, "{log}");
    if started[19].0 - started[0].0 < 10_000 {
        let order: Vec<&str> = started.iter().map(|(_, rule)| *rule).collect();
        assert_eq!(order, rules);
    }
}

#[test]
fn change_commands_of_the_last_rule_are_not_lost() {
    let place = Place::new("last-change");
    let configuration = "runs = 1\na { test = \"false\"; change_fail = sh; \
                         change_fail_arguments = [-c, 'sleep 1; echo done > @DIR@/done'] }";
    let (status, log) = place.run(configuration);
    assert_eq!(status.code(), Some(0));
    assert_eq!(place.read("done"), "done\n", "{log}");
}

#[test]
fn a_long_run_that_changes_the_state_goes_by_the_new_interval() {
    let place = Place::new("long-run");
    let mut daemon = place.start(
        "a { interval = 100ms; interval_fail = 1h; test = sh; \
         test_arguments = [-c, 'echo run >> @DIR@/runs; sleep 0.5; exit 1'] }",
    );
    daemon.wait_for("RuleStateFail", 1);
    pause(Duration::from_secs(1));
    assert_eq!(place.read("runs"), "run\n", "hfm would have run once more at once");
    daemon.stop();
}

#[test]
fn a_timeout_reaches_the_whole_process_group() {
    let place = Place::new("group");
    let (_, log) =
        place.run("runs = 1\na { test = sh; test_arguments = [-c, 'sleep 60; true'] timeout_kill = 300ms }");
    assert!(log.contains("reason=timeout-kill"), "{log}");
    assert!(log.contains("kill timeout exceeded, issuing kill."), "{log}");
}

#[test]
fn the_verdict_falls_when_the_process_exits_not_when_its_output_is_closed() {
    let place = Place::new("background");
    let mut daemon =
        place.start("a { interval = 1h; test = sh; test_arguments = [-c, 'echo begun; sleep 60 & echo $! > @DIR@/pid; exit 0'] }");
    // Both come while the background process still holds the output.
    daemon.wait_for("RuleStateSuccess", 1);
    daemon.wait_for("test produced output: begun", 1);
    let background = place.read("pid").trim().parse().expect("a pid");
    assert!(exists(background));
    let background = nix::unistd::Pid::from_raw(i32::try_from(background).expect("a pid"));
    nix::sys::signal::kill(background, nix::sys::signal::Signal::SIGKILL).expect("it is ours");
    daemon.stop();
}

#[test]
fn stdin_is_dev_null() {
    let log =
        run("stdin", "runs = 1\na { test = sh; test_arguments = [-c, 'read line; test -z \"$line\"'] }");
    assert_changed(&log, "a", "RuleStateSuccess");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert!(refused("empty-test", "a { test = \"\" }").contains("test"));
    let report = refused("scheme", "a { test = \"htps://127.0.0.1/\" }");
    assert!(report.contains("https"), "{report}");
    let report = refused("scheme-later", "a { test = \"icmp://127.0.0.1\" }");
    assert!(report.contains("not supported yet"), "{report}");
    let report =
        refused("merged", "g { interval = 1s; a { test = x } }\ng { interval = 2s; b { test = x } }");
    assert!(report.contains("hfm.conf:1:") && report.contains(":2:"), "{report}");
}
