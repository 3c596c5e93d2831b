//! What begins before the events of a turn, and what has to wait until they were looked at.

use super::native::native;
use super::*;
use crate::standing::Override;
use crate::verdict::Measured;

const TIMEOUT: Duration = Duration::from_millis(300);

impl Bench {
    /// Moves to `at` and begins what is due, as at the beginning of a turn.
    fn begin_due(&mut self, at: Duration) -> Vec<Output> {
        self.at = at;
        let now = self.now();
        self.engine.turn_begins(now.mono);
        self.engine.begin_due(now);
        self.outputs()
    }

    /// A probe of this rule ended now.
    fn succeeded(&mut self, rule: u32) -> Vec<Output> {
        let (run, at) = (self.run(rule), self.now().mono);
        let (verdict, measured) = (Verdict::Success, Measured::default());
        self.event(Event::Concluded { run, at, verdict, measured });
        self.outputs()
    }
}

/// Due at 0, and at `delay` for the first time.
fn two(delay: Duration) -> Bench {
    let later = native(TIMEOUT).with(|rule| rule.start_delay = Some(delay));
    let mut bench = Bench::new([native(TIMEOUT), later]);
    assert_eq!(starts(&bench.turn(Duration::ZERO)), 1);
    bench.started(0);
    bench
}

#[test]
fn no_deadline_comes_before_an_answer_that_is_there() {
    let mut bench = two(350 * MS);
    // The loop is late: a deadline has passed, whose answer has come in time, and another rule is due.
    let run = RunId { rule: RuleId(1), run: 1 };
    assert_eq!(bench.begin_due(400 * MS), [Output::StartTest { run }]);
    assert_eq!(bench.wakes_at(), Some(TIMEOUT), "the deadline is still to be looked at");
    bench.started(1);
    assert_eq!(changes(&bench.succeeded(0)).len(), 1);
    assert_eq!(bench.turn(400 * MS), [], "no deadline of a run that has ended");
    assert_eq!(bench.view(0).last_verdict, Some(Verdict::Success));
}

#[test]
fn a_deadline_without_an_answer_comes_in_the_same_turn() {
    let mut bench = two(350 * MS);
    let run = bench.run(0);
    assert_eq!(starts(&bench.begin_due(400 * MS)), 1);
    bench.started(1);
    assert_eq!(bench.turn(400 * MS), [Output::Expire { run }]);
    assert_eq!(bench.wakes_at(), Some(700 * MS), "the other one's");
}

#[test]
fn runs_begin_in_the_order_of_their_dues_and_not_too_many_in_a_turn() {
    let many = u32::try_from(PASS_MAX).unwrap() + 10;
    let delayed = |rule: u32| native(TIMEOUT).with(|of| of.start_delay = Some(MS * (many - rule)));
    let mut bench = Bench::new((0..many).map(delayed));
    let begun = |outputs: &[Output]| -> Vec<u32> { outputs.iter().filter_map(of_start).collect() };
    let last_first: Vec<u32> = (0..many).rev().collect();
    let (in_time, later) = last_first.split_at(PASS_MAX);
    assert_eq!(begun(&bench.begin_due(S / 2)), in_time);
    // Before the next event of the same turn there is nothing left to begin.
    assert!(!bench.engine.begins(bench.now().mono));
    bench.engine.begin_due(bench.now());
    assert_eq!(bench.outputs(), []);
    assert!(bench.wakes_at().is_some_and(|at| at <= bench.at), "the rest is still due");
    assert_eq!(begun(&bench.begin_due(S / 2)), later, "in the next turn");
}

/// The rule of which a run is to start.
fn of_start(output: &Output) -> Option<u32> {
    if let Output::StartTest { run } = output { Some(run.rule.0) } else { None }
}

#[test]
fn what_stands_in_the_way_is_looked_at_once_in_a_turn() {
    let mut bench = two(350 * MS);
    bench.begin_due(320 * MS);
    assert!(!bench.engine.begins(bench.now().mono), "its deadline is for later");
    assert_eq!(bench.wakes_at(), Some(TIMEOUT));
    assert_eq!(bench.turn(320 * MS).len(), 1);
    assert_eq!(bench.wakes_at(), Some(350 * MS));
}

#[test]
fn a_run_beside_the_schedule_may_have_its_answer_already() {
    let mut bench = Bench::new([with_timeouts(None, Some(100 * MS))]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.at = 500 * MS;
    bench.engine.ask(RuleId(0), bench.now());
    assert_eq!(starts(&bench.outputs()), 1);
    bench.started(0);
    // It seems to be under way when the next one is due, and its answer is among the events of this turn.
    assert_eq!(bench.begin_due(S), []);
    let outputs = bench.exited(0, OK);
    assert!(matches!(outputs[..], [Output::Answer(Answer { found: Ok(_), .. })]), "{outputs:?}");
    assert_eq!(starts(&bench.turn(S)), 1);
}

#[test]
fn nothing_is_due_of_what_was_stopped_meanwhile() {
    let mut bench = two(350 * MS);
    assert_eq!(bench.begin_due(320 * MS), []);
    let disabled = Some(Set { kind: Override::Disabled, until: None });
    bench.engine.set_override(RuleId(0), disabled, bench.now());
    assert!(!bench.outputs().is_empty());
    assert_eq!(bench.turn(320 * MS), [], "it was disabled");
    assert_eq!(starts(&bench.turn(350 * MS)), 1);
    bench.started(1);
    assert_eq!(bench.begin_due(700 * MS), []);
    bench.engine.stop();
    assert_eq!(bench.wakes_at(), None);
    assert_eq!(bench.turn(700 * MS), []);
}
