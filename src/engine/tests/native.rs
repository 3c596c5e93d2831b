//! Native runs: when they have to end, what of their failures is our own lateness, and the grid that
//! counting towards a change of state brings.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::rule::{Dialogue, Network, Peer, Probe, Service};
use crate::verdict::{Measured, Stage};

/// A rule that probes every second.
pub(super) fn native(timeout: Duration) -> Rule {
    let probe = Probe {
        url: "tcp://192.0.2.1:80".into(),
        peer: Peer::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 80),
        network: Network::default().into(),
        timeout,
        service: Service::Dialogue(Dialogue::default().into()),
        tls: None,
    };
    Rule { test: Test::Probe(probe.into()), ..rule() }
}

pub(super) fn failure(cause: Cause) -> Verdict {
    Verdict::Failure(cause)
}

fn timed_out() -> Verdict {
    failure(Cause::TimeoutConnect(S))
}

impl Bench {
    /// The probe under way ends now.
    fn concluded(&mut self, verdict: Verdict) -> Vec<Output> {
        let (run, at) = (self.run(0), self.now().mono);
        self.event(Event::Concluded { run, at, verdict, measured: Measured::default() });
        self.outputs()
    }

    /// The probe that is due starts at `at` and ends a millisecond later.
    fn whole_probe(&mut self, at: Duration, verdict: Verdict) {
        assert_eq!(starts(&self.turn(at)), 1);
        self.started(0);
        self.at += MS;
        self.concluded(verdict);
    }

    fn last_verdict(&self) -> Verdict {
        self.view(0).last_verdict.unwrap()
    }
}

#[test]
fn deadline_is_the_earlier_of_timeout_and_next_due() {
    for (timeout, started, deadline) in
        [(300 * MS, 0, 300), (300 * MS, 500, 800), (300 * MS, 900, 1000), (S, 0, 1000), (S, 400, 1000)]
    {
        let mut bench = Bench::new([native(timeout)]);
        bench.turn(started * MS);
        bench.started(0);
        assert_eq!(bench.wakes_at(), Some(deadline * MS), "{timeout:?} from {started} ms");
        let run = bench.run(0);
        assert_eq!(bench.turn(deadline * MS - MS), []);
        assert_eq!(bench.turn(deadline * MS), [Output::Expire { run }]);
        assert_eq!(bench.turn(deadline * MS), [], "it is asked once");
    }
}

#[test]
fn verdict_at_the_deadline_and_the_next_start_come_in_one_turn() {
    for verdict in [Verdict::Success, timed_out()] {
        let mut bench = Bench::new([native(S)]);
        bench.turn(Duration::ZERO);
        bench.started(0);
        let run = bench.run(0);
        assert_eq!(bench.turn(S), [Output::Expire { run }], "the verdict comes first");
        assert_eq!(changes(&bench.concluded(verdict.clone())).len(), 1, "{verdict:?}");
        assert_eq!(starts(&bench.turn(S)), 1, "{verdict:?}");
        assert_eq!(bench.view(0).missed, 0);
    }
}

/// What the probe measured is told with its verdict.
#[test]
fn measured_is_told_with_the_verdict() {
    let mut bench = Bench::new([native(S)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.at = 3 * MS;
    let measured = Measured { connect: Some(2 * MS), ..Measured::default() };
    let (run, at, verdict) = (bench.run(0), bench.now().mono, Verdict::Success);
    bench.event(Event::Concluded { run, at, verdict: verdict.clone(), measured });
    let told = Notice::Verdict { run, verdict, ending: None, measured, elapsed: 3 * MS };
    assert_eq!(bench.outputs()[0], Output::Notice(told));
}

/// The verdict of a probe with a timeout of 100 ms, ended after 50 ms of which we stalled `stalled`.
fn after_stall(status: Status, stalled: Duration, found: &Verdict) -> Verdict {
    let mut bench = Bench::new([native(100 * MS).with(|of| of.status = status)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.engine.note_stall(bench.base + 10 * MS, stalled);
    bench.at = 50 * MS;
    bench.concluded(found.clone());
    bench.last_verdict()
}

#[test]
fn only_what_may_have_waited_for_us_is_late() {
    let status = |seen| Cause::HttpStatus { seen, wanted: "200-399".into() };
    let may = [
        Cause::TimeoutConnect(100 * MS),
        Cause::TimeoutTls(100 * MS),
        Cause::TimeoutResponse { limit: 100 * MS, received: 0 },
        Cause::Reset(Stage::Connect),
        Cause::Closed(Stage::Response),
        status(408),
    ];
    let late = Verdict::Inconclusive(LocalCause::Late { stalled: 11 * MS, limit: 100 * MS });
    for found in may.map(failure) {
        assert_eq!(after_stall(Status::Enabled, 16 * MS, &found), late, "{found:?}");
        assert_eq!(after_stall(Status::Enabled, 15 * MS, &found), found, "a tenth is not more than one");
    }
    let may_not =
        [Cause::Refused(111), Cause::Unreachable(113), status(503), Cause::HttpProtocol("?".into())];
    for found in may_not.map(failure).into_iter().chain([Verdict::Success]) {
        assert_eq!(after_stall(Status::Enabled, 40 * MS, &found), found);
    }
}

#[test]
fn given_states_stand_over_what_is_found_but_not_over_our_own_trouble() {
    let reset = failure(Cause::Reset(Stage::Tls));
    for found in [&Verdict::Success, &reset] {
        assert_eq!(after_stall(Status::AlwaysFail, 40 * MS, found), failure(Cause::AlwaysFail));
        assert_eq!(after_stall(Status::AlwaysSuccess, 40 * MS, found), Verdict::Success);
    }
    let trouble = Verdict::Inconclusive(LocalCause::Descriptors);
    for status in [Status::Enabled, Status::AlwaysFail, Status::AlwaysSuccess] {
        assert_eq!(after_stall(status, Duration::ZERO, &trouble), trouble);
    }
}

#[test]
fn turn_that_still_goes_on_counts_up_to_the_end_of_the_run() {
    let mut bench = Bench::new([native(100 * MS)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.engine.turn_begins(bench.base + 60 * MS);
    bench.at = 80 * MS;
    bench.concluded(timed_out());
    let late = LocalCause::Late { stalled: 15 * MS, limit: 100 * MS };
    assert_eq!(bench.last_verdict(), Verdict::Inconclusive(late));
}

/// A run that we let end after the next one's due left that one less time than its target was promised.
#[test]
fn start_lateness_counts_from_the_due_although_the_last_run_was_over_late() {
    let mut bench = Bench::new([native(S)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.turn(1800 * MS);
    bench.concluded(timed_out());
    assert_eq!(starts(&bench.turn(1800 * MS)), 1);
    bench.started(0);
    assert_eq!(bench.wakes_at(), Some(2 * S));
    bench.turn(2 * S);
    bench.concluded(timed_out());
    let late = LocalCause::Late { stalled: 800 * MS, limit: S };
    assert_eq!(bench.last_verdict(), Verdict::Inconclusive(late));
}

/// A turn of 50 ms, in the middle of which a deadline passed: the wake-up for that came 25 ms late, but
/// we stood still for 50 ms, not for 75.
#[test]
fn stalls_that_overlap_are_one() {
    let mut bench = Bench::new([native(S)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.engine.turn_begins(bench.base + 100 * MS);
    bench.engine.turn_ends(bench.base + 150 * MS);
    bench.engine.note_stall(bench.base + 125 * MS, 25 * MS);
    bench.engine.note_stall(bench.base + 400 * MS, 62 * MS);
    bench.at = 900 * MS;
    bench.concluded(timed_out());
    let late = LocalCause::Late { stalled: 102 * MS, limit: S };
    assert_eq!(bench.last_verdict(), Verdict::Inconclusive(late));
}

fn debounced() -> Rule {
    let health = HealthSettings {
        fail_debounce: times(3),
        success_debounce: times(2),
        fail_reset: times(2),
        ..HealthSettings::default()
    };
    native(200 * MS).with(|of| {
        of.interval_fail = 3 * S;
        of.interval_debounce = Some(200 * MS);
        of.health = health;
    })
}

#[test]
fn debounce_interval_counts_while_results_do() {
    let mut bench = Bench::new([debounced()]);
    let mut due = Duration::ZERO;
    for (verdict, next) in [
        (Verdict::Success, 1000),
        (timed_out(), 200),
        (Verdict::Success, 200),
        (timed_out(), 200),
        (Verdict::Inconclusive(LocalCause::Ports), 200),
        (Verdict::Success, 200),
        (Verdict::Success, 1000),
        (timed_out(), 200),
        (timed_out(), 200),
        (timed_out(), 3000),
        (Verdict::Success, 200),
        (timed_out(), 3000),
        (Verdict::Success, 200),
        (Verdict::Success, 1000),
    ] {
        bench.whole_probe(due, verdict.clone());
        due += next * MS;
        assert_eq!(bench.wakes_at(), Some(due), "after {verdict:?}");
    }
}

#[test]
fn hold_down_alone_is_no_debounce() {
    let mut rule = debounced();
    let health = &mut rule.terms.health;
    (health.hold_down, health.hold_down_max) = (20 * S, 20 * S);
    let mut bench = Bench::new([rule]);
    bench.whole_probe(Duration::ZERO, timed_out());
    bench.whole_probe(3 * S, Verdict::Success);
    bench.whole_probe(3200 * MS, Verdict::Success);
    assert_eq!(bench.wakes_at(), Some(6200 * MS), "only the hold-down keeps it failed");
}

/// The end of a hold-down brings another interval while a run is under way, and so another next due.
#[test]
fn deadline_follows_the_grid_that_the_end_of_a_hold_down_brings() {
    let health =
        HealthSettings { hold_down: 3100 * MS, hold_down_max: 3100 * MS, ..HealthSettings::default() };
    let rule = native(S).with(|of| {
        of.health = health;
        of.interval = 4 * S;
    });
    let mut bench = Bench::new([rule]);
    bench.whole_probe(Duration::ZERO, timed_out());
    bench.whole_probe(S, Verdict::Success);
    bench.whole_probe(2 * S, Verdict::Success);
    bench.turn(3050 * MS);
    bench.started(0);
    bench.turn(3101 * MS);
    assert_eq!(bench.view(0).own, State::Success);
    assert_eq!(bench.wakes_at(), Some(4050 * MS), "4 s is not a due any more");
}
