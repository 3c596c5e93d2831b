//! A reload in the middle of what a rule goes through: nothing that was counted is lost, nothing runs twice.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::command_line::ELSEWHERE;
use crate::harness::{Daemon, Place, patiently, pause};

fn reload(place: &Place, daemon: &mut Daemon, text: &str, said: &str) {
    place.write("hfm.conf", &text.replace("@DIR@", &place.path.to_string_lossy()));
    let times = daemon.log().matches(said).count() + 1;
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for(said, times);
}

/// A rule that succeeds while the file `up` is there.
fn watches_up(more: &str) -> String {
    format!("a {{ test = test; test_arguments = [\"-e\", \"@DIR@/up\"]; interval = 100ms; {more} }}\n")
}

#[test]
fn what_was_counted_towards_a_change_still_counts() {
    let place = Place::new("reload-debounce");
    place.write("up", "");
    let text = |debounce: u32, interval: &str| {
        format!(
            "a {{ test = sh; test_arguments = [\"-c\", \"echo >> @DIR@/runs; test -e @DIR@/up\"]; \
             interval = {interval}; change_fail_debounce = {debounce} }}\n"
        )
    };
    let runs = || place.read("runs").lines().count();
    let mut daemon = place.start(&text(1000, "50ms"));
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
    std::fs::remove_file(place.path.join("up")).expect("it was there");
    let from = runs();
    while runs() < from + 25 {
        let debounce = 1000 + u32::try_from(runs()).expect("a small number");
        reload(&place, &mut daemon, &text(debounce, "50ms"), "reloaded rules=1");
    }
    // Twenty more would take longer than anything is waited for.
    reload(&place, &mut daemon, &text(20, "3s"), "adjusted=1");
    daemon.wait_for("changed state to: RuleStateFail", 1);
    assert!(daemon.stop().success());
}

#[test]
fn a_hold_down_ends_when_it_would_have() {
    let place = Place::new("reload-hold");
    let text = |more: &str| watches_up(&format!("hold_down = 2s; {more}"));
    let mut daemon = place.start(&text(""));
    daemon.wait_for("changed state to: RuleStateFail", 1);
    place.write("up", "");
    // If a reload began it anew it would never end while there are reloads.
    let mut reloads = 0;
    while !daemon.log().contains("changed state to: RuleStateSuccess") {
        reloads += 1;
        assert!(reloads < 300, "the hold-down does not end: {}", daemon.log());
        let more = if reloads % 2 == 0 { "" } else { "change_fail_debounce = 2" };
        reload(&place, &mut daemon, &text(more), "adjusted=1");
        pause(Duration::from_millis(50));
    }
    assert!(reloads > 5, "it was not held: {}", daemon.log());
    assert!(daemon.stop().success());
}

#[test]
fn a_change_command_that_runs_goes_on_and_the_next_one_waits_for_it() {
    let place = Place::new("reload-change");
    place.write("up", "");
    let script = "echo begin $HFM_STATE >> @DIR@/said; while [ ! -e @DIR@/go ]; do sleep 0.05; done; \
                  echo end $HFM_STATE >> @DIR@/said";
    let text = |interval: &str| {
        format!(
            "a {{ test = test; test_arguments = [\"-e\", \"@DIR@/up\"]; interval = {interval}; \
             change_success = sh; change_success_arguments = [\"-c\", '{script}']; \
             change_fail = sh; change_fail_arguments = [\"-c\", '{script}'] }}\n"
        )
    };
    let mut daemon = place.start(&text("100ms"));
    assert!(patiently(|| place.read("said") == "begin success\n"), "{}", daemon.log());
    reload(&place, &mut daemon, &text("110ms"), "adjusted=1");
    std::fs::remove_file(place.path.join("up")).expect("it was there");
    daemon.wait_for("changed state to: RuleStateFail", 1);
    reload(&place, &mut daemon, &text("120ms"), "adjusted=1");
    pause(Duration::from_millis(300));
    assert_eq!(place.read("said"), "begin success\n", "one at a time: {}", daemon.log());
    place.write("go", "");
    let all = "begin success\nend success\nbegin fail\nend fail\n";
    assert!(patiently(|| place.read("said") == all), "{:?}\n{}", place.read("said"), daemon.log());
    assert!(daemon.stop().success());
}

#[test]
fn a_change_command_of_a_rule_that_is_gone_goes_on_to_its_end() {
    let place = Place::new("reload-change-gone");
    let script =
        "echo begin >> @DIR@/said; while [ ! -e @DIR@/go ]; do sleep 0.05; done; echo end >> @DIR@/said";
    let other = "b { test = \"true\"; interval = 1s }\n";
    let mut daemon = place.start(&format!(
        "{other}a {{ test = \"false\"; interval = 1h; change_fail = sh; change_fail_arguments = [\"-c\", '{script}'] }}\n"
    ));
    assert!(patiently(|| place.read("said") == "begin\n"), "{}", daemon.log());
    reload(&place, &mut daemon, other, "gone=1");
    place.write("go", "");
    assert!(patiently(|| place.read("said") == "begin\nend\n"), "{}", daemon.log());
    assert!(daemon.stop().success());
}

#[test]
fn a_reload_to_tables_of_another_system_is_refused_as_a_start_is() {
    let (file, why) = ELSEWHERE;
    let place = Place::new("reload-elsewhere");
    let mut daemon = place.start("a { test = \"true\"; interval = 1h }\n");
    daemon.wait_for("RuleStateSuccess", 1);
    reload(&place, &mut daemon, file, &format!("{why}\n"));
    let refused = format!("reload refused, nothing changes: {}/{why}\n", place.path.display());
    assert!(daemon.tells(&refused), "{}", daemon.log());
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: rules=1 success=1 fail=0", 1);
    assert!(daemon.stop().success());
}
