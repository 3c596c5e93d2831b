//! Many times the rules that a processor can do, and then fewer.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Daemon, Place, now, patiently, pause};
use crate::standing::{Standing, control, of, standings};
use crate::targets::Targets;

/// Rules whose targets accept, refuse and never answer. Each is to run a hundred times a second.
const RULES: [usize; 3] = [2400, 300, 300];
const INTERVAL: Duration = Duration::from_millis(10);
/// For how long there is too much to do: more than it takes until it is said.
const TOO_MUCH_FOR: Duration = Duration::from_secs(6);
/// Memory that hfm may take meanwhile beyond what it had when everything had run, in KiB.
const GROWTH_KIB_MAX: u64 = 16 * 1024;

const TOO_MUCH: &str = "cannot keep up: ";
const ENOUGH: &str = "keeps up again: ";

fn configuration(place: &Place, targets: &Targets, settings: &str) -> String {
    format!("{settings}{}{}", control(place), targets.rules(RULES))
}

fn resident_kib(daemon: &Daemon) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Whoever accepts never failed, whoever does not never succeeded.
fn assert_right(all: &[Standing]) {
    let [up, down, gone] = ["up", "down", "gone"].map(|group| of(group, all));
    assert_eq!([up.len(), down.len(), gone.len()], RULES);
    for one in up {
        assert!(one.failures == 0 && one.state == "success", "{one:?}");
    }
    for one in down {
        assert!(one.failures > 0 && one.state == "fail", "{one:?}");
    }
    for one in gone {
        // One run may be under way.
        assert!(one.successes_at_most() <= 1 && one.state != "success", "{one:?}");
    }
}

/// Of rules that are alike none has twice the runs of another one.
fn assert_fair(all: &[Standing]) {
    for group in ["up", "down", "gone"] {
        let runs = || of(group, all).into_iter().map(|one| one.runs);
        let (least, most) = (runs().min().expect("rules"), runs().max().expect("rules"));
        assert!(most <= 2 * least, "{group}: from {least} to {most} runs");
    }
}

#[test]
fn too_much_to_do_fails_nobody_starves_nobody_and_is_said_once() {
    let place = Place::new("overload");
    let targets = Targets::new();
    let begun = now();
    let mut daemon = place.start(&configuration(&place, &targets, "interval = 10ms\n"));
    daemon.wait_for("changed state to: RuleStateSuccess", RULES[0]);
    let before = resident_kib(&daemon);
    let all_ran = now();
    pause(TOO_MUCH_FOR);
    let at_least = now() - all_ran;
    let all = standings(&place);
    let at_most = now() - begun;
    let after = resident_kib(&daemon);
    assert_right(&all);
    assert_fair(&all);
    // What did not begin is counted: no slot is forgotten, and none is counted twice.
    let slots =
        |time: Duration| u64::try_from(time.as_millis() / INTERVAL.as_millis()).expect("a short time");
    for one in of("up", &all) {
        assert!(one.missed > one.runs, "not more than can be done: {one:?}");
        let counted = one.runs + one.missed;
        assert!(
            (slots(at_least) / 2..=slots(at_most) + 1).contains(&counted),
            "{one:?}, {at_least:?}, {at_most:?}"
        );
    }
    assert!(after <= before + GROWTH_KIB_MAX, "from {before} to {after} KiB");
    daemon.wait_for(TOO_MUCH, 1);
    assert_eq!(daemon.log().matches(ENOUGH).count(), 0, "{}", daemon.log());

    // Less to do, without a restart.
    place.write("hfm.conf", &configuration(&place, &targets, "interval = 2s\n"));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for(ENOUGH, 1);
    let mut last = standings(&place);
    let have_failed = patiently(|| {
        last = standings(&place);
        of("gone", &last).iter().all(|one| one.state == "fail")
    });
    assert!(have_failed, "{:?}", of("gone", &last));
    assert_right(&last);
    assert!(daemon.stop().success());
    let log = daemon.log();
    let said: Vec<&str> =
        log.lines().filter(|line| line.contains(TOO_MUCH) || line.contains(ENOUGH)).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    // In words that an operator can act by.
    for words in [" runs that were due in the last ", " did not begin, ", " % of that time; "] {
        assert!(said[0].contains(words), "{said:?}");
    }
    assert!(said[1].contains(" runs that were due did not begin meanwhile"), "{said:?}");
}
