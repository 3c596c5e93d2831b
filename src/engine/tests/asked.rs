//! Runs that were asked for: when they are extra, what they leave alone, and who gets which answer.

use super::native::{failure, native};
use super::*;
use crate::engine::{Answer, Found, Set, Unanswered};
use crate::rule::Fate;
use crate::standing::Override;
use crate::verdict::{Measured, Stage};

impl Bench {
    fn ask(&mut self, rule: u32) -> Vec<Output> {
        let now = self.now();
        self.engine.ask(RuleId(rule), now);
        self.outputs()
    }

    /// What can be seen of a rule, but for the number of its last run.
    fn lasting(&self, rule: u32) -> RuleView {
        RuleView { run: RunId { rule: RuleId(rule), run: 0 }, ..self.view(rule) }
    }

    fn disable(&mut self, rule: u32) -> Vec<Output> {
        let now = self.now();
        let set = Set { kind: Override::Disabled, until: None };
        self.engine.set_override(RuleId(rule), Some(set), now);
        self.outputs()
    }
}

fn answers(outputs: &[Output]) -> Vec<Result<(u64, Verdict, bool), Unanswered>> {
    let brief = |answer: &Answer| {
        let found = answer.found.clone();
        found.map(|Found { run, verdict, scheduled, .. }| (run.run, verdict, scheduled))
    };
    outputs
        .iter()
        .filter_map(|output| if let Output::Answer(answer) = output { Some(brief(answer)) } else { None })
        .collect()
}

/// A rule with a whole second between a run and the next, of which a run may take a tenth.
fn roomy() -> Rule {
    with_timeouts(None, Some(100 * MS))
}

#[test]
fn an_extra_run_changes_nothing_but_the_answer() {
    let mut bench = Bench::new([roomy()]);
    bench.whole_run(0, Duration::ZERO, OK);
    let (before, counters) = (bench.lasting(0), bench.engine.counters());
    let (due, slots) = (bench.wakes_at(), bench.engine.lateness().count());
    bench.at = 500 * MS;
    let outputs = bench.ask(0);
    let run = bench.run(0);
    assert_eq!((outputs, run.run), (vec![Output::StartTest { run }], 2));
    bench.started(0);
    assert!(bench.view(0).running && bench.view(0).next_due.is_some());
    assert_eq!(bench.engine.counters().in_flight, 1);
    bench.at = 507 * MS;
    let verdict = Verdict::Failure(Cause::ExitStatus(1));
    let found = Found { run, verdict, measured: Measured::default(), elapsed: 7 * MS, scheduled: false };
    let answer = Answer { rule: RuleId(0), found: Ok(found) };
    assert_eq!(bench.exited(0, BAD), [Output::Answer(answer)], "and no notice");
    assert_eq!((bench.lasting(0), bench.engine.counters()), (before, counters));
    assert_eq!((bench.wakes_at(), bench.engine.lateness().count()), (due, slots));
    assert_eq!(bench.engine.durations(RuleId(0)).unwrap().p99, MS, "nor is its time remembered");
    bench.turn(S);
    assert_eq!(bench.run(0).run, 3, "numbers go on");
}

#[test]
fn a_run_that_does_not_fit_in_is_the_next_on_the_schedule_and_counts() {
    let mut bench = Bench::new([roomy()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.at = 901 * MS;
    assert_eq!(bench.ask(0), [], "99 ms are left, and it may take 100");
    let outputs = bench.whole_run(0, S, BAD);
    assert_eq!(answers(&outputs), [Ok((2, Verdict::Failure(Cause::ExitStatus(1)), true))]);
    assert_eq!((changes(&outputs).len(), bench.view(0).runs), (1, 2));
    assert_eq!(answers(&bench.whole_run(0, 2 * S, BAD)), [], "one answer");
}

#[test]
fn what_a_run_has_to_have_is_its_timeout_and_never_more_than_a_few_seconds() {
    let every = |interval, rule: Rule| {
        rule.with(|of| {
            of.interval = interval;
            of.interval_fail = interval;
        })
    };
    for (rule, limit) in [
        (with_timeouts(Some(50 * MS), Some(100 * MS)), 100 * MS),
        (with_timeouts(Some(50 * MS), None), 50 * MS),
        (with_timeouts(None, None), 10 * S),
        (with_timeouts(None, Some(30 * S)), 10 * S),
        (native(300 * MS), 300 * MS),
        // As without 'timeout': it would never fit in.
        (native(60 * S), S),
    ] {
        let mut bench = Bench::new([every(60 * S, rule.clone()).with(|of| of.start_delay = Some(60 * S))]);
        bench.at = 60 * S - limit;
        assert_eq!(starts(&bench.ask(0)), 1, "{limit:?} is enough");
        let mut bench = Bench::new([every(60 * S, rule).with(|of| of.start_delay = Some(60 * S))]);
        bench.at = 60 * S - limit + MS;
        assert_eq!(bench.ask(0), [], "less than {limit:?} is not");
    }
}

/// It may have begun before whatever the operator did.
#[test]
fn a_run_that_began_before_it_was_asked_for_is_no_answer() {
    let mut bench = Bench::new([roomy()]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    bench.at = 10 * MS;
    assert_eq!(bench.ask(0), []);
    let outputs = bench.exited(0, OK);
    assert_eq!((answers(&outputs), starts(&outputs)), (vec![], 1), "there is room for an extra one now");
    bench.started(0);
    assert_eq!(bench.ask(0), [], "nor is an extra one");
    let outputs = bench.exited(0, OK);
    assert_eq!((answers(&outputs), starts(&outputs)), (vec![Ok((2, Verdict::Success, false))], 1));
    bench.started(0);
    assert_eq!(answers(&bench.exited(0, OK)), [Ok((3, Verdict::Success, false))]);
}

#[test]
fn those_who_ask_before_it_starts_get_one_answer() {
    let mut bench = Bench::new([rule()]);
    assert_eq!((bench.ask(0), bench.ask(0)), (vec![], vec![]));
    let outputs = bench.whole_run(0, Duration::ZERO, OK);
    assert_eq!(answers(&outputs), [Ok((1, Verdict::Success, true))]);
}

#[test]
fn an_extra_run_makes_room_for_the_schedule_and_leaves_it_the_answer() {
    let mut bench = Bench::new([native(100 * MS)]);
    bench.turn(Duration::ZERO);
    bench.started(0);
    let (run, at) = (bench.run(0), bench.now().mono);
    bench.event(Event::Concluded { run, at, verdict: Verdict::Success, measured: Measured::default() });
    bench.at = 900 * MS;
    assert_eq!(starts(&bench.ask(0)), 1);
    let extra = bench.run(0);
    // The loop was slow to start it.
    bench.at = 950 * MS;
    bench.started(0);
    let outputs = bench.turn(S);
    let run = RunId { run: 3, ..extra };
    assert_eq!(outputs, [Output::Abandon { run: extra }, Output::StartTest { run }]);
    bench.started(0);
    for (of, verdict) in [(extra, failure(Cause::Refused(111))), (run, Verdict::Success)] {
        let at = bench.now().mono;
        bench.event(Event::Concluded { run: of, at, verdict, measured: Measured::default() });
    }
    assert_eq!(answers(&bench.outputs()), [Ok((3, Verdict::Success, true))]);
    assert_eq!((bench.view(0).missed, bench.view(0).failures), (0, 0));
    assert_eq!(bench.engine.counters().in_flight, 0);
}

#[test]
fn an_extra_run_keeps_the_timeouts_of_its_rule() {
    let mut bench = Bench::new([with_timeouts(Some(100 * MS), Some(200 * MS))]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.ask(0);
    bench.started(0);
    let run = bench.run(0);
    for (at, signal) in [(101 * MS, StopSignal::Interrupt), (201 * MS, StopSignal::Kill)] {
        assert_eq!(bench.wakes_at(), Some(at));
        assert_eq!(bench.turn(at), [Output::Signal { run, signal }]);
        bench.event(Event::Signaled { run, signal });
        assert_eq!(bench.outputs(), [Output::Notice(Notice::Signaled { run, signal })]);
    }
    let ending = Ending::Signaled(9);
    let killed = Cause::TimeoutKill(TimedOut { limit: 200 * MS, ending });
    assert_eq!(answers(&bench.exited(0, ending)), [Ok((2, failure(killed), false))]);

    let mut bench = Bench::new([native(300 * MS).with(|of| of.start_delay = Some(5 * S))]);
    bench.ask(0);
    bench.started(0);
    let run = bench.run(0);
    assert_eq!(bench.turn(300 * MS), [Output::Expire { run }]);
}

#[test]
fn an_answer_is_what_the_test_itself_found() {
    let guard = vec![RuleId(0)];
    let given = rule().with(|of| of.status = Status::AlwaysSuccess);
    let mut bench = Bench::new([rule(), rule().with(|of| of.guard = guard), given]);
    bench.ask(1);
    bench.ask(2);
    bench.turn(Duration::ZERO);
    for rule in [1, 2] {
        bench.started(rule);
        let found = Ok((1, Verdict::Failure(Cause::ExitStatus(1)), true));
        assert_eq!(answers(&bench.exited(rule, BAD)), [found]);
    }
    assert_eq!(bench.view(1).last_verdict, Some(Verdict::Inconclusive(LocalCause::Guarded)));
    assert_eq!(bench.view(2).last_verdict, Some(Verdict::Success));
}

#[test]
fn our_own_lateness_is_no_answer_about_the_target() {
    let mut bench = Bench::new([native(100 * MS).with(|of| of.start_delay = Some(5 * S))]);
    bench.ask(0);
    bench.at = 20 * MS;
    bench.started(0);
    bench.at = 90 * MS;
    let (run, at) = (bench.run(0), bench.now().mono);
    let (verdict, measured) = (failure(Cause::Reset(Stage::Connect)), Measured::default());
    bench.event(Event::Concluded { run, at, verdict, measured });
    let late = Verdict::Inconclusive(LocalCause::Late { stalled: 20 * MS, limit: 100 * MS });
    assert_eq!(answers(&bench.outputs()), [Ok((1, late, false))]);
    assert_eq!(bench.view(0).inconclusive, 0);
}

#[test]
fn a_test_that_cannot_be_started_is_an_answer_and_ends_the_rule_only_on_its_schedule() {
    let mut bench = Bench::new([roomy(), rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.ask(0);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    assert_eq!(
        bench.outputs(),
        [Output::Answer(Answer { rule: RuleId(0), found: Err(Unanswered::CannotStart(2)) })]
    );
    assert_eq!(bench.view(0).ended, None);
    bench.ask(0);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Descriptors });
    let trouble = Verdict::Inconclusive(LocalCause::Descriptors);
    assert_eq!(answers(&bench.outputs()), [Ok((3, trouble, false))]);
    bench.at = 950 * MS;
    bench.ask(0);
    bench.turn(S);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(13) });
    assert_eq!(answers(&bench.outputs()), [Err(Unanswered::CannotStart(13))]);
    assert_eq!(bench.view(0).ended, Some(EndReason::CannotStart(13)));
}

#[test]
fn rules_that_are_not_scheduled_can_be_asked_for_a_run() {
    let disabled = rule().with(|of| of.status = Status::Disabled);
    let mut bench = Bench::new([disabled, rule().with(|of| of.runs = Some(times(1))), rule()]);
    bench.turn(Duration::ZERO);
    for index in [1, 2] {
        bench.started(index);
        bench.exited(index, OK);
    }
    bench.disable(2);
    for index in [0, 1, 2] {
        let before = bench.lasting(index);
        assert_eq!(starts(&bench.ask(index)), 1);
        bench.started(index);
        assert_eq!(answers(&bench.exited(index, BAD)).len(), 1);
        assert_eq!(bench.lasting(index), before, "rule {index}");
    }
    assert!(!bench.engine.is_finished(), "one may be enabled again");
    assert_eq!(bench.wakes_at(), None);
}

#[test]
fn a_run_that_hangs_where_nothing_else_runs_does_not_keep_the_program() {
    let mut bench = Bench::new([rule().with(|of| of.status = Status::Disabled)]);
    bench.ask(0);
    bench.started(0);
    assert!(bench.engine.is_finished());
}

#[test]
fn a_rule_that_is_disabled_lets_its_extra_run_end_and_asks_anew_for_one_on_the_schedule() {
    let mut bench = Bench::new([roomy()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.ask(0);
    bench.started(0);
    assert_eq!(bench.disable(0), []);
    assert_eq!(answers(&bench.exited(0, OK)), [Ok((2, Verdict::Success, false))]);

    let mut bench = Bench::new([rule()]);
    bench.ask(0);
    bench.turn(Duration::ZERO);
    bench.started(0);
    let run = bench.run(0);
    let extra = RunId { run: 2, ..run };
    assert_eq!(bench.disable(0)[..], [Output::Abandon { run }, Output::StartTest { run: extra }]);
    bench.started(0);
    assert_eq!(answers(&bench.exited(0, OK)), [Ok((2, Verdict::Success, false))]);
}

#[test]
fn a_rule_that_is_enabled_during_an_extra_run_runs_at_once_and_answers() {
    let mut bench = Bench::new([rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.disable(0);
    bench.ask(0);
    bench.started(0);
    let extra = bench.run(0);
    bench.at = 5 * S;
    let now = bench.now();
    bench.engine.set_override(RuleId(0), None, now);
    let outputs = bench.turn(5 * S);
    assert!(outputs.contains(&Output::Abandon { run: extra }), "{outputs:?}");
    bench.started(0);
    assert_eq!(answers(&bench.exited(0, OK)), [Ok((3, Verdict::Success, true))]);
}

#[test]
fn a_reload_keeps_the_question_for_a_rule_that_stays_and_answers_it_for_one_that_goes() {
    let mut bench = Bench::new([roomy(), roomy(), roomy(), roomy()]);
    bench.turn(Duration::ZERO);
    for index in 0..4 {
        bench.started(index);
        bench.exited(index, OK);
        bench.ask(index);
        bench.started(index);
    }
    bench.at = 50 * MS;
    let extra: Vec<RunId> = (0..4).map(|index| bench.run(index)).collect();
    let rules = [roomy(), roomy().with(|of| of.interval = 60 * S), roomy(), Rule::vacant()];
    let fates = [Fate::Kept, Fate::Adjusted, Fate::Changed, Fate::Vacated];
    let now = bench.now();
    bench.engine.reload(rules.into(), &fates, now);
    let outputs = bench.outputs();
    let gone = |rule: u32| Output::Answer(Answer { rule: RuleId(rule), found: Err(Unanswered::Gone) });
    let given_up = |rule: usize| Output::Abandon { run: extra[rule] };
    assert_eq!(outputs, [given_up(2), gone(2), given_up(3), gone(3)]);
    for index in [0, 1] {
        assert_eq!(answers(&bench.exited(index, BAD)), [Ok((2, failure(Cause::ExitStatus(1)), false))]);
    }
    assert_eq!(answers(&bench.ask(3)), [Err(Unanswered::Gone)], "nobody is there");
}

/// A reload may make room before the next run.
#[test]
fn a_question_that_waited_for_the_schedule_is_looked_at_again_after_a_reload() {
    let mut bench = Bench::new([roomy()]);
    bench.whole_run(0, Duration::ZERO, OK);
    bench.at = 950 * MS;
    assert_eq!(bench.ask(0), []);
    let now = bench.now();
    bench.engine.reload([roomy().with(|of| of.interval = 60 * S)].into(), &[Fate::Adjusted], now);
    assert_eq!(starts(&bench.outputs()), 1);
}

#[test]
fn a_stopped_engine_answers_nobody() {
    let mut bench = Bench::new([roomy()]);
    bench.engine.stop();
    assert_eq!(bench.ask(0), []);
}
