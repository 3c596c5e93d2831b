//! Change commands: environment, order, limits.

use std::time::Duration;

use crate::harness::{Place, patiently, pause};

#[test]
fn the_environment_tells_what_happened() {
    let place = Place::new("environment");
    let (_, log) = place.run(
        "runs = 2\ninterval = 100ms\n\
         g { up { test = sh; test_arguments = [-c, 'test -e @DIR@/second || { touch @DIR@/second; exit 9; }']\n\
         change_fail = sh; change_fail_arguments = [-c, 'env > @DIR@/fail']\n\
         change_success = sh; change_success_arguments = [-c, 'env > @DIR@/success'] } }",
    );
    let environment = place.read("fail");
    for line in [
        "HFM_RULE=g/up",
        "HFM_STATE=fail",
        "HFM_PREVIOUS=unknown",
        "HFM_REASON=exit-status",
        "HFM_DETAIL=exit status 9",
    ] {
        assert!(environment.lines().any(|found| found == line), "{line}:\n{environment}\n{log}");
    }
    let environment = place.read("success");
    for line in ["HFM_STATE=success", "HFM_PREVIOUS=fail", "HFM_REASON=ok"] {
        assert!(environment.lines().any(|found| found == line), "{line}:\n{environment}\n{log}");
    }
    let run = environment.lines().find_map(|line| line.strip_prefix("HFM_RUN=")).expect("HFM_RUN");
    assert!(run.ends_with(":g/up:2") && log.contains(run), "{run}:\n{log}");
    for line in ["HFM_TABLES=", "HFM_ADDRESSES="] {
        assert!(environment.lines().any(|found| found == line), "{line} is empty:\n{environment}");
    }
}

#[test]
fn the_environment_names_tables_and_addresses() {
    let place = Place::new("environment-tables");
    let rule = |name: &str, what: &str| {
        format!(
            "{name} {{ test = \"true\"; {what}; change_success = sh; \
             change_success_arguments = [-c, 'env > @DIR@/{name}'] }}\n"
        )
    };
    let given = "tables = ['web', 'filter/lb=10.0.0.2,10.0.1.0/24']; addresses = ['2001:db8::1', '10.0.0.2']";
    let configuration = format!(
        "dataplane = memory\nruns = 1\n{}{}{}",
        rule("both", given),
        rule("own", "tables = 'web=10.0.0.3'; addresses = '10.0.0.4'"),
        rule("none", "addresses = ['10.0.0.5', '10.0.0.6']")
    );
    let (_, log) = place.run(&configuration);
    for (name, tables, addresses) in [
        ("both", "web filter/lb", "2001:db8::1 10.0.0.2 10.0.1.0/24"),
        ("own", "web", "10.0.0.3"),
        ("none", "", "10.0.0.5 10.0.0.6"),
    ] {
        let environment = place.read(name);
        for line in [format!("HFM_TABLES={tables}"), format!("HFM_ADDRESSES={addresses}")] {
            assert!(environment.lines().any(|found| found == line), "{line}:\n{environment}\n{log}");
        }
    }
}

#[test]
fn always_fail_and_always_success_run_their_command_after_every_run() {
    let place = Place::new("always");
    let (_, log) = place.run(
        "runs = 3\ninterval = 300ms\nchange_timeout = 5s\n\
         down { status = always-fail; test = \"true\"; change_fail = sh; change_fail_arguments = [-c, 'echo f >> @DIR@/down'] }\n\
         up { status = always-success; test = \"false\"; change_success = sh; change_success_arguments = [-c, 'echo s >> @DIR@/up'] }",
    );
    assert_eq!(place.read("down"), "f\nf\nf\n", "{log}");
    assert_eq!(place.read("up"), "s\ns\ns\n", "{log}");
    assert_eq!(log.matches("changed state to: RuleStateFail").count(), 3, "{log}");
    assert_eq!(log.matches("changed state to: RuleStateSuccess").count(), 3, "{log}");
    // What the tests themselves did is told all the same, and only that.
    assert_eq!(log.matches("'up' run").count(), 6, "{log}");
    assert_eq!(log.matches("completed with error: exit status 1").count(), 3, "{log}");
    assert!(!log.contains("completed with error: exit status 0"), "{log}");
}

#[test]
fn one_runs_and_one_waits_and_a_newer_one_takes_its_place() {
    let place = Place::new("replaced");
    let (_, log) = place.run(
        "runs = 4\ninterval = 100ms\n\
         a { status = always-fail; test = \"true\"; change_fail = sh; \
         change_fail_arguments = [-c, 'echo ${HFM_RUN##*:} >> @DIR@/runs; sleep 2'] }",
    );
    assert_eq!(
        place.read("runs"),
        "1\n4\n",
        "the first runs, the last waited, those between were replaced:\n{log}"
    );
    assert_eq!(log.matches("change command never started: a newer change replaced it").count(), 2, "{log}");
}

#[test]
fn one_that_overstays_change_timeout_is_killed_with_its_group() {
    let place = Place::new("change-timeout");
    let (status, log) = place.run(
        "runs = 1\na { test = \"false\"; change_timeout = 500ms; change_fail = sh; \
         change_fail_arguments = [-c, 'echo before; sleep 60; echo after'] }",
    );
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("still run after 10 s"), "{log}");
    assert!(log.contains("change command killed: it ran longer than change_timeout=500.000ms"), "{log}");
    assert!(log.contains("change command produced output: before"), "{log}");
    assert!(!log.contains("produced output: before\\nafter"), "{log}");
}

#[test]
fn failures_of_change_commands_are_told() {
    let (_, log) = Place::new("change-fails").run(
        "runs = 1\na { test = \"false\"; change_fail = \"hfm-has-no-such-program\" }\n\
         b { test = \"true\"; change_success = \"false\" }",
    );
    assert!(log.contains("'a' run") && log.contains("change command failed to start: "), "{log}");
    assert!(log.contains("change command failed: exit status 1"), "{log}");
}

#[test]
fn no_more_than_change_max_run_at_a_time() {
    let place = Place::new("change-max");
    let mut configuration = String::from("runs = 1\nchange_max = 3\n");
    for rule in 0..12 {
        configuration += &format!(
            "r{rule} {{ test = \"false\"; change_fail = sh; change_fail_arguments = [-c, \
             'echo + >> @DIR@/now; sleep 0.3; echo - >> @DIR@/now'] }}\n"
        );
    }
    let (_, log) = place.run(&configuration);
    let (mut running, mut most) = (0, 0);
    for step in place.read("now").lines() {
        running += if step == "+" { 1 } else { -1 };
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 3), "{log}");
    assert_eq!(place.read("now").matches('+').count(), 12, "none is lost");
}

#[test]
fn a_required_rule_that_fails_takes_its_dependents_with_it() {
    let place = Place::new("requires");
    let mut daemon = place.start(
        "interval = 100ms\n\
         uplink { test = sh; test_arguments = [-c, 'test ! -e @DIR@/down'] }\n\
         web { requires = [uplink]; test = \"true\"; change_fail = sh; change_success = sh\n\
         change_fail_arguments = [-c, 'echo fail $HFM_REASON $HFM_DETAIL >> @DIR@/web']\n\
         change_success_arguments = [-c, 'echo success $HFM_REASON >> @DIR@/web'] }",
    );
    assert!(patiently(|| place.read("web") == "success ok\n"), "{}", daemon.log());
    place.write("down", "");
    assert!(
        patiently(|| place.read("web").contains("fail requires requires 'uplink', which is down")),
        "{}",
        daemon.log()
    );
    std::fs::remove_file(place.path.join("down")).expect("it is there");
    assert!(patiently(|| place.read("web").lines().count() == 3), "{}", daemon.log());
    assert!(place.read("web").ends_with("success ok\n"));
    daemon.stop();
}

#[test]
fn failures_under_a_failing_guard_change_nothing() {
    let place = Place::new("guard");
    place.write("up", "");
    let mut daemon = place.start(
        "interval = 100ms\n\
         canary { test = sh; test_arguments = [-c, 'test -e @DIR@/up'] }\n\
         web { guard = canary; test = sh; test_arguments = [-c, 'test -e @DIR@/up'] }",
    );
    daemon.wait_for("RuleStateSuccess", 2);
    std::fs::remove_file(place.path.join("up")).expect("it is there");
    daemon.wait_for("'canary' run", 2);
    pause(Duration::from_millis(600));
    let log = daemon.log();
    // The very first failure of `web` may come before the canary's.
    let web = log
        .lines()
        .filter(|line| line.contains("'web' run") && line.contains("changed state to: RuleStateFail"));
    assert!(web.count() <= 1, "{log}");
    place.write("up", "");
    daemon.stop();
}
