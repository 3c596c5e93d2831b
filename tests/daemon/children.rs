//! Children that hang, fork, ignore signals, print without end, close their output, or cannot start.

use crate::harness::{Place, exists, patiently};
use crate::skip::skip;

fn run(test: &str, configuration: &str) -> String {
    let (status, log) = Place::new(test).run(configuration);
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

#[test]
fn one_that_hangs_is_interrupted_and_one_that_ignores_that_is_killed() {
    let log = run(
        "hang",
        "runs = 1\n\
         polite { test = sleep; test_arguments = \"60\"; timeout_int = 200ms; timeout_kill = 5s }\n\
         deaf { test = sh; test_arguments = [-c, 'trap \"\" INT; sleep 60; sleep 60']; timeout_int = 200ms; timeout_kill = 500ms }\n\
         obliging { test = sh; test_arguments = [-c, 'trap \"exit 0\" INT; sleep 60 & wait']; timeout_int = 200ms }",
    );
    assert!(log.contains("'polite' run") && log.contains("reason=timeout-int"), "{log}");
    let deaf: Vec<_> = log.lines().filter(|line| line.contains("'deaf' run")).collect();
    let at = |text: &str| deaf.iter().position(|line| line.contains(text));
    assert!(at("issuing interrupt.") < at("issuing kill.") && at("issuing interrupt.").is_some(), "{log}");
    assert!(at("issuing kill.") < at("reason=timeout-kill detail"), "{log}");
    let obliging = log.lines().find(|line| line.contains("'obliging' run") && line.contains("changed state"));
    assert!(obliging.is_some_and(|line| line.contains("RuleStateSuccess")), "exit 0 is success: {log}");
    assert!(!log.contains("'polite' run 1 kill"), "{log}");
}

#[test]
fn all_that_a_killed_test_forked_goes_with_it() {
    let place = Place::new("forks");
    let (_, log) = place.run(
        "runs = 1\na { test = sh; timeout_kill = 700ms; test_arguments = [-c, \
         'for i in 1 2 3; do sh -c \"echo \\$\\$ >> @DIR@/pids; sleep 100\" & done; wait'] }",
    );
    let pids: Vec<u32> = place.read("pids").lines().map(|line| line.parse().expect("a pid")).collect();
    assert_eq!(pids.len(), 3, "{log}");
    assert!(patiently(|| !pids.iter().any(|pid| exists(*pid))), "{log}");
}

#[test]
fn one_that_prints_without_end_is_bounded_and_does_not_disturb_others() {
    let place = Place::new("endless");
    let (_, log) = place.run(
        "runs = 1\n\
         loud { test = \"yes\"; timeout_kill = 1s }\n\
         err { test = sh; test_arguments = [-c, 'yes complaint >&2']; timeout_kill = 1s }\n\
         quiet { test = \"true\"; interval = 100ms; runs = 10 }",
    );
    let loud =
        log.lines().find(|line| line.contains("'loud' run") && line.contains("produced output: y\\ny"));
    let loud = loud.unwrap_or_else(|| panic!("no output:\n{}", &log[..log.len().min(4000)]));
    assert!(loud.len() < 40_000 && loud.contains(" dropped_bytes="), "{} bytes", loud.len());
    assert!(log.contains("test produced error output: complaint\\ncomplaint"));
    assert!(log.contains("'quiet' completed execution."));
}

#[test]
fn one_that_closes_its_output_is_still_waited_for() {
    let log =
        run("closed", "runs = 1\na { test = sh; test_arguments = [-c, 'exec >&- 2>&-; sleep 0.5; exit 7'] }");
    assert!(log.contains("detail=\"exit status 7\""), "{log}");
}

#[test]
fn one_that_is_ended_by_a_signal_has_failed() {
    let log = run("signal", "runs = 1\na { test = sh; test_arguments = [-c, 'kill -SEGV $$'] }");
    assert!(log.contains("reason=signal detail=\"ended by signal 11 (SIGSEGV)\""), "{log}");
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_is_ended_by_a_real_time_signal_has_failed_too() {
    let log = run(
        "real-time",
        "runs = 2\ninterval = 50ms\na { test = sh; test_arguments = [-c, 'kill -40 $$']; \
         change_fail = sh; change_fail_arguments = [-c, 'kill -41 $$'] }\nb { test = \"true\"; runs = 20 }",
    );
    assert!(log.contains("'a' run") && log.contains("detail=\"ended by signal 40\""), "{log}");
    assert!(log.contains("change command failed: signal 41"), "{log}");
    assert!(log.contains("'b' completed execution."), "{log}");
}

#[test]
fn one_that_left_its_group_is_killed_in_time_all_the_same() {
    if std::process::Command::new("perl").args(["-e", "1"]).status().is_err() {
        return skip("children::left its group: perl is not installed");
    }
    let log = run(
        "left-group",
        "runs = 1\na { timeout_kill = 300ms; test = perl; \
         test_arguments = [-e, 'setpgrp(0, getpgrp(getppid())); sleep 60'] }",
    );
    assert!(log.contains("reason=timeout-kill"), "{log}");
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_stays_open_at_every_run_takes_no_more_than_one_run_of_descriptors() {
    let place = Place::new("lingering");
    let mut daemon = place.start(
        "interval = 5ms\na { test = sh; test_arguments = [-c, 'echo run >> @DIR@/runs; sleep 0.8 & exit 0'] }",
    );
    assert!(patiently(|| place.read("runs").lines().count() > 60), "{}", daemon.log());
    // About 30 of its own, and a few runs.
    assert!(daemon.descriptors() < 50, "{}", daemon.descriptors());
    daemon.stop();
}

#[test]
fn one_that_cannot_start_disables_its_rule_without_a_change_of_state() {
    let place = Place::new("cannot");
    place.write("not-executable", "#!/bin/sh\n");
    place.write("no-format", "this is not a program");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path.join("no-format"), executable).expect("a mode");
    let (status, log) = place.run(
        "interval = 50ms\n\
         missing { test = \"hfm-has-no-such-program\"; change_fail = touch; change_fail_arguments = \"@DIR@/changed\" }\n\
         directory { test = \"@DIR@\" }\n\
         below { test = \"@DIR@/not-executable/x\" }\n\
         mode { test = \"@DIR@/not-executable\" }\n\
         format { test = \"@DIR@/no-format\" }",
    );
    assert_eq!(status.code(), Some(0));
    for rule in ["missing", "directory", "below", "mode", "format"] {
        let disabled = log.lines().filter(|line| {
            line.contains(&format!("'{rule}' ")) && line.contains("failed to start, disabling: ")
        });
        assert_eq!(disabled.count(), 1, "{rule}:\n{log}");
    }
    assert!(!log.contains("changed state"), "{log}");
    assert!(!place.path.join("changed").exists());
}

#[test]
fn what_children_print_cannot_make_lines_of_its_own() {
    let log = run(
        "injection",
        "runs = 1\na { test = printf; test_arguments = '2026/01/01 00:00:00 first\\n2026/01/01 00:00:00 second\\033[31m\\r\\tend\\n\\n' }",
    );
    let line = log.lines().find(|line| line.contains("produced output: ")).expect("output");
    assert!(line.contains("first\\n2026/01/01 00:00:00 second\\u{1b}[31m\\r\\tend\\n"), "{line}");
    assert!(log.lines().all(|line| !line.contains("second") || line.contains("produced output")), "{log}");
}

#[test]
#[cfg(target_os = "linux")]
fn children_get_three_descriptors_no_blocked_signals_and_their_own_group() {
    let place = Place::new("inherits");
    let ours: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .expect("/proc")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .map(|to| to.to_string_lossy().into_owned())
        .collect();
    let look = "ls -l /proc/self/fd > @DIR@/$0-fd; grep -E ^Sig /proc/self/status > @DIR@/$0-signals; \
                cut -d\" \" -f5 /proc/$$/stat > @DIR@/$0-group; echo $$ >> @DIR@/$0-group";
    let (_, log) = place.run(&format!(
        "runs = 1\na {{ test = sh; test_arguments = [-c, '{look}', test]; \
         change_success = sh; change_success_arguments = [-c, '{look}', change] }}"
    ));
    for child in ["test", "change"] {
        // 1, 2, the directory that ls reads, and whatever hfm itself was started with.
        let descriptors = place.read(&format!("{child}-fd"));
        let links = descriptors.lines().filter_map(|line| line.split_once(" -> ").map(|(_, to)| to));
        let own = links.filter(|to| *to != "/dev/null" && !ours.contains(&(*to).to_owned())).count();
        assert_eq!(own, 3, "{descriptors}\n{log}");
        assert!(descriptors.contains("0 -> /dev/null"), "{descriptors}");
        let signals = place.read(&format!("{child}-signals"));
        assert!(signals.contains("SigBlk:\t0000000000000000"), "{signals}");
        // SIGPIPE is 13: a child of ours ends on a closed pipe as any other does.
        let ignored = signals.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).expect("SigIgn");
        assert_eq!(u64::from_str_radix(ignored, 16).expect("hex") >> 12 & 1, 0, "{signals}");
        let group = place.read(&format!("{child}-group"));
        let mut numbers = group.lines();
        assert_eq!(numbers.next(), numbers.next(), "{group}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_thousand_runs_leave_no_zombies_and_no_descriptors() {
    let place = Place::new("leaks");
    let mut configuration = String::from("interval = 20ms\n");
    for rule in 0..10 {
        configuration += &format!(
            "r{rule} {{ test = sh; test_arguments = [-c, 'echo out; echo err >&2; exit {}'] }}\n\
             x{rule} {{ test = sh; test_arguments = [-c, 'sleep 0.1 & exit 0']; }}\n",
            rule % 2
        );
    }
    let mut daemon = place.start(&configuration);
    daemon.wait_for("produced output", 200);
    let early = daemon.descriptors();
    // Ten rules and one line a second of each: thousands of runs later.
    daemon.wait_for("produced output", 300);
    // Twenty rules run at any time, with two descriptors each, and output that lives on for 0.1 s.
    let late = daemon.descriptors();
    assert!(late < early + 150, "{early} descriptors, then {late}");
    let zombies = || daemon.children().iter().filter(|(_, state)| *state == 'Z').count();
    assert!(patiently(|| zombies() <= 2), "zombies: {:?}", daemon.children());
    assert_eq!(daemon.stop().code(), Some(0));
}
