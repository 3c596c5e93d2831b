//! A processor that is taken away and given back, again and again, for longer than a run may take.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Place, pause};
use crate::standing::{control, of, standings};
use crate::targets::Targets;

const RULES: [usize; 3] = [300, 50, 50];
/// Longer than the timeout and the interval, so that every run under way is held up and slots are missed.
const TAKEN_FOR: Duration = Duration::from_millis(130);
/// Not in step with the interval, so that each rule is met at every place of its run.
const GIVEN_FOR: Duration = Duration::from_millis(83);
const PULSES: usize = 30;

#[test]
fn a_processor_that_comes_and_goes_fails_nobody() {
    let place = Place::new("overload-pulses");
    let targets = Targets::new();
    let settings = "interval = 100ms\ntimeout = 60ms\n";
    let configuration = format!("{settings}{}{}", control(&place), targets.rules(RULES));
    let mut daemon = place.start(&configuration);
    daemon.wait_for("changed state to: RuleStateSuccess", RULES[0]);
    for _ in 0..PULSES {
        daemon.signal(Signal::SIGSTOP);
        pause(TAKEN_FOR);
        daemon.signal(Signal::SIGCONT);
        pause(GIVEN_FOR);
    }
    let all = standings(&place);
    for one in of("up", &all) {
        assert!(one.failures == 0 && one.state == "success", "{one:?}");
    }
    assert!(of("up", &all).iter().map(|one| one.missed).sum::<u64>() > 0, "{all:?}");
    for one in of("down", &all) {
        assert!(one.state == "fail", "{one:?}");
    }
    for one in of("gone", &all) {
        assert!(one.successes_at_most() <= 1 && one.state != "success", "{one:?}");
    }
    // Those that never answer say nothing while it is not known who was late.
    assert!(of("gone", &all).iter().any(|one| one.inconclusive > 0), "{all:?}");
    assert!(daemon.stop().success());
}
