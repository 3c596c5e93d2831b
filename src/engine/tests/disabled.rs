//! Rules that are disabled, by an operator or in the file: what stops, what stays, and how they go on.

use super::overrides::{DRAINED, moves, requires, well};
use super::words::{placed, words};
use super::*;
use crate::rule::Fate;
use crate::standing::{Contribution, Override};

#[test]
fn a_disabled_rule_stops_and_stays_as_it_is() {
    let mut bench = well([placed(rule()), requires(&[0])]);
    bench.turn(S);
    bench.started(0);
    let run = bench.run(0);
    let outputs = bench.set(0, Override::Disabled);
    assert_eq!(outputs, [Output::Abandon { run }]);
    let at = bench.now().mono;
    bench.event(Event::Exited { run, at, ending: BAD });
    assert_eq!(bench.outputs(), [], "what still comes of the run counts for nothing");
    let view = bench.view(0);
    assert_eq!(
        (view.effective, view.next_due, view.ended, view.running),
        (State::Success, None, None, false)
    );
    bench.started(1);
    bench.exited(1, OK);
    for second in 2..100 {
        let outputs = bench.turn(second * S);
        assert_eq!(starts(&outputs), usize::from(second == 2), "only the other one runs: {outputs:?}");
    }
    assert!(!bench.view(0).stale, "nobody tests it");
    assert_eq!(bench.engine.counters().in_flight, 1);
}

#[test]
fn a_rule_that_is_enabled_is_due_at_once_and_is_what_it_was() {
    let mut bench = well([placed(rule())]);
    bench.set(0, Override::Disabled);
    bench.at = 100 * S + Duration::from_micros(250);
    assert_eq!(bench.enable(0), []);
    assert_eq!((bench.wakes_at(), bench.view(0).effective), (Some(100 * S), State::Success));
    let outputs = bench.whole_run(0, bench.at, OK);
    assert_eq!(moves(&outputs), []);
    assert_eq!((bench.view(0).missed, bench.wakes_at()), (0, Some(101 * S)));
}

#[test]
fn a_rule_disabled_before_it_knew_anything_is_ignored_and_its_addresses_wait_no_more() {
    let mut bench = Bench::new([placed(rule()), placed(requires(&[0]))]);
    bench.outputs();
    let outputs = bench.set(0, Override::Disabled);
    assert_eq!(words(&outputs), [(0, Contribution::Unknown, false, true)]);
    bench.whole_run(1, Duration::ZERO, OK);
    assert_eq!(bench.view(1).effective, State::Success);
    bench.enable(0);
    assert_eq!(bench.view(1).effective, State::Unknown, "it counts again");
}

#[test]
fn a_disabled_rule_keeps_what_was_set_before_until_it_is_enabled() {
    let mut bench = well([placed(rule()), placed(requires(&[0]))]);
    bench.set(0, Override::Drained);
    let outputs = bench.set(0, Override::Disabled);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![]));
    assert_eq!(bench.stands(0), (State::Fail, Some("drained"), None));
    bench.at = 50 * S;
    assert_eq!(moves(&bench.enable(0)), [], "nothing says that it is up");
    assert_eq!(bench.stands(0), (State::Fail, Some("drained"), None));
    let outputs = bench.whole_run(0, 50 * S, OK);
    assert_eq!(moves(&outputs).len(), 2);
    let ups = words(&outputs).into_iter().filter(|word| word.1 == Contribution::Up).map(|word| word.0);
    assert_eq!(ups.collect::<Vec<_>>(), [0, 1]);
}

/// Whatever kept it down, the machine behind it may have been taken away since.
#[test]
fn a_rule_that_was_disabled_while_it_was_down_comes_back_by_a_success_and_not_by_an_old_one() {
    for kept_down in [Override::Drained, Override::AlwaysFail] {
        let mut bench = well([placed(rule()), placed(requires(&[0]))]);
        bench.set(0, kept_down);
        bench.set(1, Override::Disabled);
        bench.set(0, Override::Disabled);
        bench.at = 50 * S;
        assert_eq!(moves(&bench.enable(0)), []);
        assert_eq!(moves(&bench.enable(1)), []);
        assert_eq!(starts(&bench.turn(50 * S)), 2);
        bench.started(0);
        bench.started(1);
        bench.exited(0, BAD);
        let states = |bench: &Bench| (bench.view(0).effective, bench.view(1).effective);
        assert_eq!(states(&bench), (State::Fail, State::Fail));
        bench.whole_run(0, 51 * S, OK);
        assert_eq!(states(&bench), (State::Success, State::Fail), "the other has not been looked at");
        bench.exited(1, OK);
        assert_eq!(states(&bench), (State::Success, State::Success));
    }
}

#[test]
fn a_disabled_rule_that_is_drained_is_tested_again() {
    let mut bench = well([rule()]);
    bench.set(0, Override::Disabled);
    bench.at = 5 * S;
    bench.set(0, Override::Drained);
    assert_eq!(starts(&bench.turn(5 * S)), 1);
}

/// The end of a hold-down would be a change of a rule that is to stay as it is.
#[test]
fn a_hold_down_of_a_disabled_rule_ends_by_a_success_after_it_is_enabled() {
    let health = HealthSettings { hold_down: 5 * S, hold_down_max: 5 * S, ..HealthSettings::default() };
    let mut bench = Bench::new([rule().with(|of| of.health = health)]);
    bench.whole_run(0, Duration::ZERO, BAD);
    bench.whole_run(0, S, OK);
    bench.set_until(0, Override::Disabled, Some(60 * S));
    assert_eq!(bench.wakes_at(), Some(60 * S));
    assert_eq!(bench.turn(20 * S), []);
    let outputs = bench.turn(60 * S);
    assert_eq!(moves(&outputs), [], "a success of a minute ago says nothing");
    assert_eq!(starts(&outputs), 1);
    bench.started(0);
    assert_eq!(moves(&bench.exited(0, OK)), [(0, State::Fail, State::Success, "ok")]);
}

#[test]
fn a_disabled_guard_does_not_guard_and_others_set_do_not_count() {
    let guard = vec![RuleId(0)];
    let mut bench = Bench::new([rule(), rule().with(|of| of.guard = guard)]);
    bench.set(0, Override::AlwaysSuccess);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.started(1);
    bench.exited(1, BAD);
    assert_eq!(bench.view(1).inconclusive, 1, "its guard has not succeeded, whatever is set");
    let outputs = bench.set(0, Override::Disabled);
    let unguarded = Output::Notice(Notice::Unguarded { rule: RuleId(0), why: Unguarded::Disabled });
    assert_eq!(outputs.iter().filter(|output| **output == unguarded).count(), 1);
    bench.whole_run(1, S, BAD);
    assert_eq!(bench.view(1).failures, 1);
    bench.enable(0);
    bench.turn(S + MS);
    bench.started(0);
    bench.exited(0, OK);
    bench.set(0, Override::Drained);
    bench.whole_run(1, 2 * S, BAD);
    assert_eq!(bench.view(1).failures, 2, "a drained guard succeeds all the same");
}

#[test]
fn overrides_neither_end_the_program_nor_keep_it() {
    let mut bench = Bench::new([rule()]);
    bench.set(0, Override::Disabled);
    assert!(!bench.engine.is_finished(), "it may be enabled again");
    let mut bench = Bench::new([rule().with(|of| of.status = Status::Disabled)]);
    for kind in [Override::Drained, Override::AlwaysSuccess, Override::Disabled] {
        bench.set(0, kind);
        assert!(bench.engine.is_finished(), "{kind:?}");
    }
}

#[test]
fn a_rule_disabled_in_the_file_can_be_set_but_is_never_run() {
    let disabled = placed(rule().with(|of| of.status = Status::Disabled));
    let mut bench = Bench::new([disabled, requires(&[0])]);
    bench.whole_run(1, Duration::ZERO, OK);
    let outputs = bench.set(0, Override::Drained);
    assert_eq!(words(&outputs), [(0, DRAINED, false, true)]);
    assert_eq!(bench.stands(1), (State::Fail, Some("requires"), Some(0)));
    let outputs = bench.enable(0);
    assert_eq!(words(&outputs), [(0, Contribution::Nothing, false, true)]);
    assert_eq!(bench.view(1).effective, State::Success);
    assert_eq!(bench.view(0).effective, State::Unknown);
    let again = bench.set(0, Override::AlwaysFail);
    assert_eq!(moves(&again).iter().filter(|change| change.0 == 0).count(), 0, "its command ran before");
    assert_eq!(starts(&bench.turn(10 * S)), 1, "only the other one runs");
}

#[test]
fn a_rule_stays_disabled_over_a_reload_that_would_schedule_it() {
    let mut bench = well([rule(), rule().with(|of| of.runs = Some(times(1))), rule()]);
    for index in [0, 1, 2] {
        bench.set(index, Override::Disabled);
    }
    let now = bench.now();
    let faster = || rule().with(|of| of.interval = 100 * MS);
    bench.engine.reload(
        [faster(), faster(), faster()].into(),
        &[Fate::Adjusted, Fate::Adjusted, Fate::Changed],
        now,
    );
    assert_eq!(starts(&bench.turn(10 * S)), 0);
    for index in [0, 1, 2] {
        bench.enable(index);
    }
    assert_eq!(starts(&bench.turn(10 * S)), 3);
    assert_eq!(
        [0, 1, 2].map(|rule| bench.view(rule).effective),
        [State::Success, State::Success, State::Unknown]
    );
}

#[test]
fn a_rule_that_the_file_disables_now_is_unknown_unless_something_is_set() {
    let mut bench = well([placed(rule()), placed(rule())]);
    bench.set(1, Override::AlwaysFail);
    let disabled = || placed(rule().with(|of| of.status = Status::Disabled));
    let now = bench.now();
    bench.engine.reload([disabled(), disabled()].into(), &[Fate::Adjusted, Fate::Adjusted], now);
    assert_eq!(words(&bench.outputs()), [(0, Contribution::Nothing, false, true)]);
    assert_eq!(bench.view(1).effective, State::Fail);
    assert!(bench.engine.is_finished());
}

/// The grid begins anew: when the rule last started before it was disabled has nothing to do with it.
#[test]
fn a_rule_that_is_enabled_stays_due_at_once_although_a_reload_brings_another_interval() {
    let mut bench = well([rule()]);
    bench.set(0, Override::Disabled);
    bench.at = 10 * S;
    bench.enable(0);
    let now = bench.now();
    bench.engine.reload([rule().with(|of| of.interval = 60 * S)].into(), &[Fate::Adjusted], now);
    assert_eq!(bench.wakes_at(), Some(10 * S));
}
