//! What a reload leaves as it is, what begins anew, and what is given up.

use super::words::{demoting, placed, words};
use super::*;
use crate::rule::Fate;
use crate::standing::Contribution;

impl Bench {
    fn reload(&mut self, rules: impl IntoIterator<Item = Rule>, fates: &[Fate]) -> Vec<Output> {
        self.outputs();
        let now = self.now();
        self.engine.reload(rules.into_iter().collect(), fates, now);
        self.outputs()
    }
}

#[test]
fn a_kept_rule_keeps_state_counts_and_schedule() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.whole_run(0, S, BAD);
    let (before, due) = (bench.view(0), bench.wakes_at());
    bench.at = S + 500 * MS;
    assert_eq!(bench.reload([rule()], &[Fate::Kept]), []);
    assert_eq!((bench.view(0), bench.wakes_at()), (before, due));
    assert_eq!(changes(&bench.whole_run(0, 2 * S, BAD)), [], "it has failed before");
}

#[test]
fn a_run_under_way_of_a_kept_rule_goes_on_and_counts() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.at = 500 * MS;
    assert_eq!(bench.reload([rule().with(|of| of.interval = 3 * S)], &[Fate::Adjusted]), []);
    assert_eq!(changes(&bench.exited(0, OK)).len(), 1);
    assert_eq!(bench.wakes_at(), Some(3 * S), "the new interval counts from the last start");
}

#[test]
fn another_schedule_counts_from_the_last_start() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.at = 100 * MS;
    bench.reload([rule().with(|of| of.interval = 300 * MS)], &[Fate::Adjusted]);
    assert_eq!(bench.wakes_at(), Some(300 * MS));
    assert_eq!(bench.view(0).effective, State::Success);
}

#[test]
fn a_changed_rule_is_unknown_and_its_run_is_given_up() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.turn(S);
    bench.started(0);
    let run = bench.run(0);
    let outputs = bench.reload([rule()], &[Fate::Changed]);
    assert_eq!(outputs, [Output::Abandon { run }]);
    assert_eq!((bench.view(0).effective, bench.view(0).runs), (State::Unknown, 0));
    let at = bench.now().mono;
    bench.event(Event::Exited { run, at, ending: BAD });
    assert_eq!(bench.outputs(), [], "what still comes of the old run is dropped");
    let again = bench.whole_run(0, S, BAD);
    assert_eq!(changes(&again), [(0, State::Unknown, State::Fail, Verdict::Failure(Cause::ExitStatus(1)))]);
    assert_eq!(bench.run(0).run, 3, "no run's number is used twice");
}

#[test]
fn a_rule_that_is_gone_runs_no_more_and_a_new_one_may_have_its_slot() {
    let mut bench = Bench::new([rule(), rule()]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.started(1);
    let run = bench.run(0);
    assert_eq!(
        bench.reload([Rule::vacant(), rule()], &[Fate::Vacated, Fate::Kept]),
        [Output::Abandon { run }]
    );
    assert!(!bench.engine.is_finished());
    bench.exited(1, OK);
    assert_eq!(starts(&bench.turn(10 * S)), 1);
    bench.started(1);
    bench.exited(1, OK);
    bench.reload([rule(), rule()], &[Fate::New, Fate::Kept]);
    assert_eq!(starts(&bench.turn(10 * S + MS)), 1);
    let at = bench.now().mono;
    bench.event(Event::Exited { run, at, ending: BAD });
    assert_eq!(bench.view(0).effective, State::Unknown, "the old run is not the new rule's");
}

#[test]
fn new_rules_begin_as_at_a_start() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.at = 200 * MS;
    let late = rule().with(|of| of.start_delay = Some(300 * MS));
    bench.reload([rule(), rule(), late], &[Fate::Kept, Fate::New, Fate::New]);
    assert_eq!(starts(&bench.turn(200 * MS)), 1);
    assert_eq!(bench.wakes_at(), Some(500 * MS));
}

#[test]
fn what_a_rule_requires_now_counts_at_once() {
    let mut bench = Bench::new([rule(), rule()]);
    bench.whole_run(0, Duration::ZERO, BAD);
    bench.started(1);
    bench.exited(1, OK);
    let requires = rule().with(|of| of.requires = vec![RuleId(0)]);
    let outputs = bench.reload([rule(), requires], &[Fate::Kept, Fate::Adjusted]);
    let requires = Verdict::Failure(Cause::Requires);
    assert_eq!(changes(&outputs), [(1, State::Success, State::Fail, requires)]);
    let back = bench.reload([rule(), rule()], &[Fate::Kept, Fate::Adjusted]);
    assert_eq!(changes(&back), [(1, State::Fail, State::Success, Verdict::Success)]);
}

#[test]
fn a_rule_that_is_disabled_now_ends_and_one_with_more_runs_goes_on() {
    let mut bench = Bench::new([rule(), rule().with(|of| of.runs = Some(times(1)))]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.started(1);
    bench.exited(1, OK);
    assert_eq!(bench.view(1).ended, Some(EndReason::RunsUsedUp));
    let disabled = rule().with(|of| of.status = Status::Disabled);
    let run = bench.run(0);
    let outputs = bench.reload([disabled, rule()], &[Fate::Adjusted, Fate::Adjusted]);
    assert_eq!(outputs, [Output::Abandon { run }]);
    assert_eq!(bench.view(0).ended, Some(EndReason::Disabled));
    assert_eq!((bench.view(1).ended, bench.view(1).effective), (None, State::Success));
    assert_eq!(starts(&bench.turn(S)), 1);
    let fewer = rule().with(|of| of.runs = Some(times(1)));
    bench.started(1);
    bench.exited(1, OK);
    bench.reload([rule(), fewer], &[Fate::Changed, Fate::Adjusted]);
    assert_eq!(bench.view(1).ended, Some(EndReason::RunsUsedUp));
}

#[test]
fn a_program_that_was_not_there_is_tried_again() {
    let mut bench = Bench::new([rule()]);
    bench.turn(Duration::ZERO);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    assert!(bench.engine.is_finished());
    bench.reload([rule()], &[Fate::Kept]);
    assert_eq!(starts(&bench.turn(Duration::ZERO)), 1);
}

#[test]
fn whoever_has_yet_to_hear_a_rule_is_told_of_it_once() {
    const DOWN: Contribution = Contribution::Down { drained: false };
    let down = [(0, DOWN, false, true)];
    let (plain, share, tables) = (rule, || demoting(rule()), || placed(rule()));
    let both = || placed(demoting(rule()));
    let more = || rule().with(|of| of.demote = std::num::NonZeroU8::new(200));
    // Before, after, whether it is told. The state does not change.
    let cases = [
        (plain(), share(), true),
        (tables(), both(), true),
        (share(), both(), true),
        (plain(), both(), true),
        (share(), more(), false),
        (both(), tables(), false),
        (both(), share(), false),
        (share(), plain(), false),
        (both(), both().with(|of| of.interval = 2 * S), false),
    ];
    for (before, after, is_told) in cases {
        let mut bench = Bench::new([before.clone()]);
        bench.whole_run(0, Duration::ZERO, BAD);
        let said = words(&bench.reload([after.clone()], &[Fate::Adjusted]));
        let told: &[_] = if is_told { &down } else { &[] };
        assert_eq!(said, told, "{before:?} {after:?}");
        assert_eq!(words(&bench.whole_run(0, S, BAD)), [], "{before:?} {after:?}");
    }
}

#[test]
fn a_share_that_comes_back_is_told_of_again() {
    let mut bench = Bench::new([demoting(rule())]);
    bench.whole_run(0, Duration::ZERO, BAD);
    assert_eq!(words(&bench.reload([rule()], &[Fate::Adjusted])), []);
    assert_eq!(words(&bench.whole_run(0, S, BAD)), []);
    let said = words(&bench.reload([demoting(rule())], &[Fate::Adjusted]));
    assert_eq!(said, [(0, Contribution::Down { drained: false }, false, true)]);
}

#[test]
fn the_rule_that_follows_in_a_slot_is_heard_from_its_beginning() {
    let mut bench = Bench::new([demoting(rule())]);
    bench.whole_run(0, Duration::ZERO, BAD);
    let unknown = [(0, Contribution::Unknown, false, false)];
    assert_eq!(words(&bench.reload([demoting(rule())], &[Fate::Changed])), unknown);
    assert_eq!(words(&bench.reload([Rule::vacant()], &[Fate::Vacated])), []);
    assert_eq!(words(&bench.reload([demoting(rule())], &[Fate::New])), unknown);
}

#[test]
fn of_rules_that_stay_only_one_that_could_not_start_is_looked_at() {
    let mut bench = Bench::new([rule(), rule(), rule()]);
    bench.turn(Duration::ZERO);
    [0, 1].into_iter().for_each(|rule| bench.started(rule));
    let run = bench.run(2);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    bench.at = 100 * MS;
    let tried = RunId { run: run.run + 1, ..run };
    bench.reload([rule(), rule(), rule()], &[Fate::Kept, Fate::Changed, Fate::Kept]);
    assert!(!bench.engine.is_finished());
    assert_eq!(
        bench.engine.counters().in_flight,
        1,
        "the run of the changed one was given up, the other's goes on"
    );
    assert!(bench.turn(100 * MS).contains(&Output::StartTest { run: tried }), "its program may be there now");
}

#[test]
fn slots_that_stay_empty_stay_as_they_are() {
    let mut bench = Bench::new([rule(), rule()]);
    bench.reload([rule(), Rule::vacant()], &[Fate::Kept, Fate::Vacated]);
    bench.reload([rule(), Rule::vacant()], &[Fate::Kept, Fate::Vacant]);
    assert!(!bench.engine.is_finished());
    assert_eq!(starts(&bench.turn(Duration::ZERO)), 1);
    bench.reload([Rule::vacant(), Rule::vacant()], &[Fate::Vacated, Fate::Vacant]);
    assert_eq!((bench.engine.is_finished(), bench.engine.counters().in_flight), (true, 0));
    bench.reload([Rule::vacant(), rule()], &[Fate::Vacant, Fate::New]);
    assert!(!bench.engine.is_finished());
}
