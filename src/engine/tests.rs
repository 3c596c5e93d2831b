//! What the engine does, as short stories. `tests/sim.rs` holds it to a model in thousands of others.

use std::num::NonZeroU16;
use std::time::SystemTime;

use super::*;
use crate::health::State;
use crate::rule::{CommandLine, HealthSettings, Placement, Terms};
use crate::verdict::{Cause, Ending, LocalCause, TimedOut, Verdict};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);
const OK: Ending = Ending::Exited(0);
const BAD: Ending = Ending::Exited(1);

/// An enabled rule that runs every second.
fn rule() -> Rule {
    let command = CommandLine { program: "test".into(), arguments: Vec::new() };
    Rule {
        name: "rule".into(),
        test: Test::Command { command: command.into(), timeout_int: None, timeout_kill: None },
        placement: Placement::default().into(),
        terms: Terms { status: Status::Enabled, interval: S, interval_fail: S, ..Terms::default() }.into(),
    }
}

fn with_timeouts(timeout_int: Option<Duration>, timeout_kill: Option<Duration>) -> Rule {
    let command = CommandLine { program: "test".into(), arguments: Vec::new() };
    Rule { test: Test::Command { command: command.into(), timeout_int, timeout_kill }, ..rule() }
}

fn times(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// The engine with a clock that begins at 0.
struct Bench {
    base: Instant,
    engine: Engine,
    at: Duration,
}

impl Bench {
    fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        // Time then moves by adding.
        #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
        let base = Instant::now();
        let now = Now { mono: base, wall: SystemTime::UNIX_EPOCH };
        Self { base, engine: Engine::new(rules.into_iter().collect(), now), at: Duration::ZERO }
    }

    fn now(&self) -> Now {
        Now { mono: self.base + self.at, wall: SystemTime::UNIX_EPOCH + self.at }
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.engine.poll_output()).collect()
    }

    /// Moves to `at` and does what is due.
    fn turn(&mut self, at: Duration) -> Vec<Output> {
        self.at = at;
        self.engine.handle_timeout(self.now());
        self.outputs()
    }

    fn event(&mut self, event: Event) {
        self.engine.handle_event(event, self.now());
    }

    fn started(&mut self, rule: u32) {
        let (run, at) = (self.run(rule), self.now().mono);
        self.event(Event::Started { run, at });
    }

    /// The run under way ends now.
    fn exited(&mut self, rule: u32, ending: Ending) -> Vec<Output> {
        let (run, at) = (self.run(rule), self.now().mono);
        self.event(Event::Exited { run, at, ending });
        self.outputs()
    }

    /// The run that is due starts at `at`, takes a millisecond, and ends.
    fn whole_run(&mut self, rule: u32, at: Duration, ending: Ending) -> Vec<Output> {
        let mut outputs = self.turn(at);
        let run = self.run(rule);
        assert!(outputs.contains(&Output::StartTest { run }), "{outputs:?}");
        self.started(rule);
        self.at += MS;
        outputs.extend(self.exited(rule, ending));
        outputs
    }

    fn run(&self, rule: u32) -> RunId {
        self.view(rule).run
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.engine.poll_timeout().map(|at| at - self.base)
    }

    fn view(&self, rule: u32) -> RuleView {
        self.engine.view(RuleId(rule))
    }
}

fn changes(outputs: &[Output]) -> Vec<(u32, State, State, Verdict)> {
    let change = |output: &Output| match output {
        Output::Change(change) => Some((change.run.rule.0, change.from, change.to, change.verdict.clone())),
        Output::StartTest { .. }
        | Output::Signal { .. }
        | Output::Expire { .. }
        | Output::Standing { .. }
        | Output::Abandon { .. }
        | Output::OverrideEnded { .. }
        | Output::Answer(_)
        | Output::Notice(_) => None,
    };
    outputs.iter().filter_map(change).collect()
}

fn starts(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::StartTest { .. })).count()
}

#[test]
fn first_verdict_is_a_change_without_debounce() {
    for (ending, to, verdict) in
        [(OK, State::Success, Verdict::Success), (BAD, State::Fail, Verdict::Failure(Cause::ExitStatus(1)))]
    {
        let health = HealthSettings {
            fail_debounce: times(3),
            success_debounce: times(3),
            ..HealthSettings::default()
        };
        let mut bench = Bench::new([rule().with(|of| of.health = health)]);
        let outputs = bench.whole_run(0, Duration::ZERO, ending);
        assert_eq!(changes(&outputs), [(0, State::Unknown, to, verdict)]);
    }
}

/// The runs in which each direction changed, for a word of `+` and `-`.
fn debounce_story(fail: u16, success: u16, word: &str) -> (Vec<u64>, Vec<u64>) {
    let health = HealthSettings {
        fail_debounce: times(fail),
        success_debounce: times(success),
        ..HealthSettings::default()
    };
    let runs = NonZeroU16::new(u16::try_from(word.len()).unwrap());
    let mut bench = Bench::new([rule().with(|of| {
        of.health = health;
        of.runs = runs;
    })]);
    let (mut to_success, mut to_fail) = (Vec::new(), Vec::new());
    for (n, c) in (0..).zip(word.chars()) {
        let outputs = bench.whole_run(0, n * S, if c == '+' { OK } else { BAD });
        for (_, _, to, _) in changes(&outputs) {
            if to == State::Success { &mut to_success } else { &mut to_fail }.push(u64::from(n) + 1);
        }
    }
    assert!(bench.engine.is_finished());
    assert_eq!(bench.view(0).runs, word.len() as u64);
    (to_success, to_fail)
}

#[test]
fn blips_shorter_than_the_debounce_change_nothing() {
    assert_eq!(debounce_story(3, 1, "+-+--+---+"), (vec![1, 10], vec![9]));
    assert_eq!(debounce_story(1, 3, "-+-++-+++-"), (vec![9], vec![1, 10]));
}

#[test]
fn runs_end_the_rule_and_the_last_one_ends_all() {
    let mut bench = Bench::new([rule().with(|of| of.runs = Some(times(1)))]);
    assert!(!bench.engine.is_finished());
    let outputs = bench.whole_run(0, Duration::ZERO, OK);
    assert!(outputs.contains(&Output::Notice(Notice::RunsUsedUp { run: bench.run(0) })));
    assert_eq!(bench.view(0).ended, Some(EndReason::RunsUsedUp));
    assert_eq!(bench.view(0).own, State::Success, "a rule that ended keeps its state");
    assert!(bench.engine.is_finished());
    assert_eq!(bench.wakes_at(), None);
}

#[test]
fn disabled_rule_never_runs_and_a_file_of_them_is_finished_at_once() {
    let mut bench = Bench::new([rule().with(|of| of.status = Status::Disabled)]);
    assert!(bench.engine.is_finished());
    assert_eq!(bench.turn(100 * S), []);
    assert_eq!(bench.wakes_at(), None);
}

#[test]
fn test_that_cannot_be_started_disables_its_rule_without_a_change() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    assert_eq!(bench.outputs(), [Output::Notice(Notice::CannotStart { run, errno: 2 })]);
    assert_eq!(bench.view(0).ended, Some(EndReason::CannotStart(2)));
    assert!(bench.engine.is_finished());
}

#[test]
fn shortage_of_our_own_is_inconclusive_and_the_grid_goes_on() {
    let mut bench = Bench::new([rule().with(|of| of.runs = Some(times(1)))]);
    bench.turn(Duration::ZERO);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Descriptors });
    assert_eq!(changes(&bench.outputs()), []);
    assert_eq!(bench.view(0).last_verdict, Some(Verdict::Inconclusive(LocalCause::Descriptors)));
    assert_eq!(bench.wakes_at(), Some(S));
    bench.whole_run(0, S, OK);
    assert!(bench.engine.is_finished(), "only the second run counted");
}

#[test]
fn interrupt_comes_at_its_time_and_kill_at_its_own() {
    let mut bench = Bench::new([with_timeouts(Some(100 * MS), Some(300 * MS))]);
    bench.turn(Duration::ZERO);
    bench.at = 10 * MS;
    bench.started(0);
    let run = bench.run(0);
    assert_eq!(bench.wakes_at(), Some(110 * MS), "counted from the start");
    assert_eq!(bench.turn(110 * MS), [Output::Signal { run, signal: StopSignal::Interrupt }]);
    bench.event(Event::Signaled { run, signal: StopSignal::Interrupt });
    assert_eq!(bench.turn(309 * MS)[1..], [], "it ignores the interrupt");
    assert_eq!(bench.turn(310 * MS), [Output::Signal { run, signal: StopSignal::Kill }]);
    bench.event(Event::Signaled { run, signal: StopSignal::Kill });
    let ending = Ending::Signaled(9);
    let outputs = bench.exited(0, ending);
    let verdict = Verdict::Failure(Cause::TimeoutKill(TimedOut { limit: 300 * MS, ending }));
    assert_eq!(changes(&outputs), [(0, State::Unknown, State::Fail, verdict)]);
}

#[test]
fn exit_status_0_after_an_interrupt_is_success() {
    let mut bench = Bench::new([with_timeouts(Some(10 * MS), None)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.turn(10 * MS);
    let run = bench.run(0);
    bench.event(Event::Signaled { run, signal: StopSignal::Interrupt });
    bench.exited(0, OK);
    assert_eq!(bench.view(0).last_verdict, Some(Verdict::Success));
}

#[test]
fn timeout_that_our_own_stall_brought_is_late() {
    let mut bench = Bench::new([with_timeouts(None, Some(100 * MS))]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.engine.note_stall(bench.base + 20 * MS, 70 * MS);
    bench.turn(100 * MS);
    let run = bench.run(0);
    bench.event(Event::Signaled { run, signal: StopSignal::Kill });
    bench.exited(0, Ending::Signaled(9));
    let (stalled, limit) = (65 * MS, 100 * MS);
    assert_eq!(bench.view(0).last_verdict, Some(Verdict::Inconclusive(LocalCause::Late { stalled, limit })));
    assert_eq!(bench.view(0).own, State::Unknown);
}

/// A kill that struck in time and was only reported late is no fault of ours: what stalls after the end
/// of a run held nothing up.
#[test]
fn stall_after_the_end_of_a_run_does_not_excuse_it() {
    let mut bench = Bench::new([with_timeouts(None, Some(100 * MS))]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.turn(100 * MS);
    let run = bench.run(0);
    bench.event(Event::Signaled { run, signal: StopSignal::Kill });
    let (at, ending) = (bench.base + 101 * MS, Ending::Signaled(9));
    bench.engine.note_stall(at, 800 * MS);
    bench.at = 901 * MS;
    bench.event(Event::Exited { run, at, ending });
    let timed_out = TimedOut { limit: 100 * MS, ending };
    assert_eq!(bench.view(0).last_verdict, Some(Verdict::Failure(Cause::TimeoutKill(timed_out))));
}

#[test]
fn grid_begins_after_start_delay_and_does_not_drift() {
    let mut bench = Bench::new([rule().with(|of| {
        of.start_delay = Some(300 * MS);
        of.interval = 100 * MS;
    })]);
    for n in 0..10 {
        assert_eq!(bench.wakes_at(), Some((300 + 100 * n) * MS));
        bench.whole_run(0, (300 + 100 * n) * MS + 7 * MS, OK);
    }
    assert_eq!(bench.view(0).missed, 0);
}

#[test]
fn run_longer_than_its_interval_is_followed_at_once_and_misses_slots() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.at = 3500 * MS;
    bench.exited(0, OK);
    assert_eq!(starts(&bench.turn(3500 * MS)), 1);
    bench.started(0);
    assert_eq!(bench.view(0).missed, 2, "1 s and 2 s; the run is that of 3 s");
    bench.exited(0, OK);
    assert_eq!(bench.wakes_at(), Some(4 * S));
}

#[test]
fn interval_of_zero_runs_again_at_once() {
    let mut bench = Bench::new([rule().with(|of| {
        of.interval = Duration::ZERO;
        of.interval_fail = Duration::ZERO;
    })]);
    for n in 0..10 {
        bench.whole_run(0, n * MS, OK);
    }
    bench.turn(10 * MS);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Spawn(11) });
    assert_eq!(bench.wakes_at(), Some(110 * MS), "but not when nothing can be started");
}

#[test]
fn state_brings_its_interval_counted_from_the_last_start() {
    let slower = rule().with(|of| {
        of.interval = 100 * MS;
        of.interval_fail = 150 * MS;
    });
    let mut bench = Bench::new([slower]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.whole_run(0, 100 * MS, BAD);
    assert_eq!(bench.wakes_at(), Some(250 * MS));
    bench.whole_run(0, 250 * MS, BAD);
    bench.whole_run(0, 400 * MS, OK);
    assert_eq!(bench.wakes_at(), Some(500 * MS));
}

#[test]
fn late_and_repeated_events_of_ended_runs_are_dropped() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    let (old, at) = (bench.run(0), bench.now().mono);
    bench.event(Event::Exited { run: old, at, ending: BAD });
    bench.turn(S);
    bench.started(0);
    for event in [
        Event::Exited { run: old, at, ending: BAD },
        Event::Started { run: old, at },
        Event::NotStarted { run: old, error: StartError::Unusable(2) },
        Event::Exited { run: RunId { run: 9, ..old }, at, ending: BAD },
        Event::Exited { run: RunId { rule: RuleId(9), ..old }, at, ending: BAD },
    ] {
        bench.event(event);
    }
    assert_eq!(bench.outputs(), []);
    assert_eq!(bench.view(0).own, State::Success);
    assert_eq!(bench.engine.counters().in_flight, 1);
}

mod asked;
mod begin;
mod disabled;
mod native;
mod overrides;
mod past;
mod reload;
mod standing;
mod words;

#[test]
fn what_comes_before_the_loop_makes_no_first_run_late() {
    let mut bench = Bench::new((0..100).map(|_| rule().with(|of| of.spread = true)));
    // Ten rules would have been due in this time.
    bench.at = 100 * MS;
    bench.engine.begin(bench.now());
    for ten_ms in 10..110 {
        let outputs = bench.turn(ten_ms * 10 * MS);
        let [Output::StartTest { run }] = outputs[..] else { panic!("at {ten_ms}0 ms: {outputs:?}") };
        bench.started(run.rule.0);
        bench.exited(run.rule.0, OK);
    }
    assert_eq!(bench.engine.lateness().max(), Duration::ZERO);
    // And from there on the grid goes on.
    assert_eq!(bench.wakes_at(), Some(1100 * MS));
}
