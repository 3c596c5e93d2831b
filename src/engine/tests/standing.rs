//! What rules stand to each other, and to time: states that are given, requires, guard, stale, fairness.

use super::*;

#[test]
fn always_fail_is_down_from_the_load_on_and_confirmed_by_every_run() {
    let mut bench = Bench::new([rule().with(|of| of.status = Status::AlwaysFail)]);
    assert_eq!(bench.outputs(), []);
    assert_eq!(bench.view(0).effective, State::Fail);
    let verdict = Verdict::Failure(Cause::AlwaysFail);
    let first = changes(&bench.whole_run(0, Duration::ZERO, OK));
    assert_eq!(first, [(0, State::Unknown, State::Fail, verdict.clone())]);
    let second = changes(&bench.whole_run(0, S, OK));
    assert_eq!(second, [(0, State::Fail, State::Fail, verdict)]);
}

#[test]
fn rule_that_requires_an_always_fail_rule_is_down_at_load() {
    let requires = vec![RuleId(0)];
    let mut bench = Bench::new([
        rule().with(|of| of.status = Status::AlwaysFail),
        rule().with(|of| of.requires = requires),
    ]);
    let outputs = bench.outputs();
    let [Output::Change(change)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(change.run, RunId { rule: RuleId(1), run: 0 });
    assert_eq!((change.from, change.to), (State::Unknown, State::Fail));
    assert_eq!((change.verdict.clone(), change.blame), (Verdict::Failure(Cause::Requires), Some(RuleId(0))));
}

#[test]
fn required_rule_takes_its_dependents_down_and_back() {
    let requires = vec![RuleId(0)];
    let mut bench = Bench::new([rule(), rule().with(|of| of.requires = requires)]);
    bench.turn(Duration::ZERO);
    for rule in [1, 0] {
        bench.started(rule);
    }
    assert_eq!(changes(&bench.exited(1, OK)), [], "nothing is known while one of them is unknown");
    let up = changes(&bench.exited(0, OK));
    assert_eq!(up.iter().map(|(rule, ..)| *rule).collect::<Vec<_>>(), [0, 1]);
    let down = changes(&bench.whole_run(0, S, BAD));
    let requires = Verdict::Failure(Cause::Requires);
    assert_eq!(down[1], (1, State::Success, State::Fail, requires));
    let back = changes(&bench.whole_run(0, 2 * S, OK));
    assert_eq!(back[1], (1, State::Fail, State::Success, Verdict::Success));
}

#[test]
fn guard_without_a_verdict_guards_until_it_is_stale() {
    let guard = vec![RuleId(0)];
    let mut bench = Bench::new([rule(), rule().with(|of| of.guard = guard)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.started(1);
    bench.exited(1, BAD);
    let guarded = Some(Verdict::Inconclusive(LocalCause::Guarded));
    assert_eq!(bench.view(1).last_verdict, guarded);
    bench.whole_run(1, 29 * S, BAD);
    assert_eq!(bench.view(1).last_verdict, guarded);
    let outputs = bench.turn(30 * S);
    let unguarded = Notice::Unguarded { rule: RuleId(0), why: Unguarded::Stale };
    assert!(outputs.contains(&Output::Notice(unguarded)), "{outputs:?}");
    bench.started(1);
    bench.exited(1, BAD);
    assert_eq!(bench.view(1).last_verdict, Some(Verdict::Failure(Cause::ExitStatus(1))));
}

/// What began while the way was cut is not over at the moment at which the guard gets through again.
#[test]
fn what_began_before_its_guard_was_well_again_does_not_count() {
    let guard = vec![RuleId(0)];
    let mut bench = Bench::new([rule(), rule().with(|of| of.guard = guard)]);
    let guarded = Some(Verdict::Inconclusive(LocalCause::Guarded));
    bench.whole_run(0, Duration::ZERO, BAD);
    bench.started(1);
    // The guard is well before the run has ended, and well once more.
    bench.turn(S);
    bench.started(0);
    bench.exited(0, OK);
    bench.turn(2 * S);
    bench.started(0);
    bench.exited(0, OK);
    bench.exited(1, BAD);
    assert_eq!(bench.view(1).last_verdict, guarded);
    bench.whole_run(1, 3 * S, BAD);
    assert_eq!(bench.view(1).failures, 1);
    // A success is one whenever it began.
    bench.turn(4 * S);
    bench.started(1);
    bench.started(0);
    bench.exited(0, BAD);
    bench.exited(1, OK);
    assert_eq!(bench.view(1).last_verdict, Some(Verdict::Success));
}

#[test]
fn guard_that_succeeds_lets_failures_count() {
    let guard = vec![RuleId(0)];
    let mut bench = Bench::new([rule(), rule().with(|of| of.guard = guard)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.started(1);
    bench.exited(0, OK);
    assert_eq!(changes(&bench.exited(1, BAD)).len(), 1);
}

#[test]
fn silence_makes_stale_and_a_verdict_fresh() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    let run = bench.run(0);
    assert_eq!(bench.wakes_at(), Some(30 * S));
    assert_eq!(bench.turn(30 * S), [Output::Notice(Notice::Stale { run, age: 30 * S })]);
    assert!(bench.view(0).stale);
    assert!(bench.exited(0, OK).contains(&Output::Notice(Notice::Fresh { run })));
    assert!(!bench.view(0).stale);
}

/// A stale rule that ends is not scheduled any more, and so not stale either.
#[test]
fn rule_that_ended_is_not_stale() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    bench.turn(30 * S);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    assert!(!bench.view(0).stale);
}

/// The end of a hold-down changes the own state with no run; people are told as after a run.
#[test]
fn end_of_hold_down_tells_of_an_own_state_that_requires_hides() {
    let health = HealthSettings { hold_down: 5 * S, hold_down_max: 5 * S, ..HealthSettings::default() };
    let requires = vec![RuleId(0)];
    let always_fail = rule().with(|of| {
        of.status = Status::AlwaysFail;
        of.start_delay = Some(100 * S);
    });
    let mut bench = Bench::new([
        always_fail,
        rule().with(|of| {
            of.health = health;
            of.requires = requires;
        }),
    ]);
    bench.whole_run(1, Duration::ZERO, BAD);
    bench.whole_run(1, 4 * S, OK);
    bench.turn(5 * S);
    let own = Notice::OwnState { run: bench.run(1), own: State::Success, effective: State::Fail };
    assert_eq!(bench.turn(5 * S + MS), [Output::Notice(own)]);
}

#[test]
fn pass_is_bounded_and_starves_nobody() {
    let mut bench = Bench::new(std::iter::repeat_with(rule).take(10_000));
    let first = starts(&bench.turn(Duration::ZERO));
    assert!((1..=1000).contains(&first), "{first} starts in one pass");
    let mut all = first;
    let mut turns = 1;
    while bench.wakes_at().is_some_and(|at| at <= bench.at) {
        all += starts(&bench.turn(bench.at));
        turns += 1;
        assert!(turns <= 1000, "{all} starts in {turns} turns");
    }
    assert_eq!(all, 10_000);
}

#[test]
fn interval_of_zero_leaves_room_for_others() {
    let busy = rule().with(|of| {
        of.interval = Duration::ZERO;
        of.interval_fail = Duration::ZERO;
    });
    let mut bench = Bench::new([busy, rule().with(|of| of.start_delay = Some(5 * MS))]);
    for n in 0..5 {
        bench.whole_run(0, n * MS, OK);
    }
    let outputs = bench.turn(5 * MS);
    assert_eq!(starts(&outputs), 2, "{outputs:?}");
}

#[test]
fn stopped_engine_starts_nothing_and_drops_what_comes_back() {
    let mut bench = Bench::new([rule(), rule().with(|of| of.start_delay = Some(S))]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.engine.stop();
    assert_eq!(bench.exited(0, OK), []);
    assert_eq!(bench.turn(10 * S), []);
    assert_eq!(bench.wakes_at(), None);
}
