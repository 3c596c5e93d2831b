//! What operators set: what it changes, what goes on beneath it, and how a rule comes back.

use super::words::{demoting, placed, words};
use super::*;
use crate::engine::Set;
use crate::rule::Fate;
use crate::standing::{Contribution, Override};

pub(super) const DRAINED: Contribution = Contribution::Down { drained: true };
pub(super) const DOWN: Contribution = Contribution::Down { drained: false };

impl Bench {
    pub(super) fn set(&mut self, rule: u32, kind: Override) -> Vec<Output> {
        self.set_until(rule, kind, None)
    }

    pub(super) fn set_until(&mut self, rule: u32, kind: Override, until: Option<Duration>) -> Vec<Output> {
        let until = until.map(|until| self.base + until);
        let now = self.now();
        self.engine.set_override(RuleId(rule), Some(Set { kind, until }), now);
        self.outputs()
    }

    pub(super) fn enable(&mut self, rule: u32) -> Vec<Output> {
        let now = self.now();
        self.engine.set_override(RuleId(rule), None, now);
        self.outputs()
    }

    /// The effective state with its reason and who is to blame for it.
    pub(super) fn stands(&self, rule: u32) -> (State, Option<&'static str>, Option<u32>) {
        let view = self.view(rule);
        let reason = view.reason.as_ref().map(Verdict::reason);
        (view.effective, reason, view.blame.map(|blame| blame.0))
    }
}

/// The rule, the states and the reason of each change.
pub(super) fn moves(outputs: &[Output]) -> Vec<(u32, State, State, &'static str)> {
    changes(outputs).into_iter().map(|(rule, from, to, verdict)| (rule, from, to, verdict.reason())).collect()
}

pub(super) fn requires(rules: &[u32]) -> Rule {
    rule().with(|of| of.requires = rules.iter().copied().map(RuleId).collect())
}

/// A bench whose rules have all succeeded once, at 0.
pub(super) fn well(rules: impl IntoIterator<Item = Rule>) -> Bench {
    let mut bench = Bench::new(rules);
    bench.turn(Duration::ZERO);
    for rule in 0..u32::try_from(bench.engine.rules().len()).unwrap() {
        bench.started(rule);
        bench.exited(rule, OK);
    }
    bench
}

#[test]
fn what_is_drained_demotes_nothing_and_what_an_operator_fails_does() {
    let mut bench = well([demoting(rule()), demoting(requires(&[0]))]);
    let both = |contribution| [(0, contribution, false, true), (1, contribution, false, true)];
    assert_eq!(words(&bench.set(0, Override::Drained)), both(DRAINED));
    assert_eq!(words(&bench.set(0, Override::AlwaysFail)), both(DOWN));
    assert_eq!(words(&bench.set(0, Override::AlwaysSuccess)), both(Contribution::Up));
}

#[test]
fn a_drained_rule_is_down_at_once_and_goes_on_being_tested() {
    let mut bench = well([placed(rule())]);
    bench.at = 100 * MS;
    let outputs = bench.set(0, Override::Drained);
    assert_eq!(moves(&outputs), [(0, State::Success, State::Fail, "drained")]);
    assert_eq!(words(&outputs), [(0, DRAINED, false, true)]);
    assert_eq!(bench.stands(0), (State::Fail, Some("drained"), None));
    assert_eq!(bench.view(0).effective_since, Some(bench.now().mono));
    let outputs = bench.whole_run(0, S, BAD);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![]), "it is down before and after");
    assert_eq!((bench.view(0).own, bench.view(0).failures), (State::Fail, 1), "its own health counts on");
}

#[test]
fn a_rule_that_failed_before_runs_no_command_when_it_is_drained() {
    let mut bench = Bench::new([placed(rule())]);
    bench.whole_run(0, Duration::ZERO, BAD);
    let outputs = bench.set(0, Override::Drained);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![(0, DRAINED, false, true)]));
    let outputs = bench.enable(0);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![(0, DOWN, false, true)]));
    assert!(!bench.view(0).returning, "it has failed by itself");
    assert_eq!(bench.stands(0), (State::Fail, Some("exit-status"), None));
}

#[test]
fn every_override_counts_before_the_first_verdict() {
    for (kind, state, reason, word) in [
        (Override::Drained, State::Fail, "drained", DRAINED),
        (Override::AlwaysFail, State::Fail, "always-fail", DOWN),
        (Override::AlwaysSuccess, State::Success, "ok", Contribution::Up),
    ] {
        let mut bench = Bench::new([placed(rule())]);
        let outputs = bench.set(0, kind);
        assert_eq!(moves(&outputs), [(0, State::Unknown, state, reason)], "{kind:?}");
        assert_eq!(words(&outputs)[1..], [(0, word, false, false)], "{kind:?}");
        assert_eq!(bench.engine.state_of(RuleId(0)), state);
    }
}

#[test]
fn after_a_drain_a_rule_that_has_just_succeeded_is_up_at_once() {
    let mut bench = well([placed(rule())]);
    bench.set(0, Override::Drained);
    bench.whole_run(0, S, OK);
    bench.at = 2 * S;
    let outputs = bench.enable(0);
    assert_eq!(moves(&outputs), [(0, State::Fail, State::Success, "ok")]);
    assert_eq!(words(&outputs), [(0, Contribution::Up, false, true)]);
}

#[test]
fn after_a_drain_a_rule_without_a_recent_success_is_down_until_its_next() {
    for kind in [Override::Drained, Override::AlwaysFail] {
        let mut bench = well([placed(rule())]);
        bench.set(0, kind);
        bench.turn(S);
        let started_before_the_end = bench.run(0);
        bench.started(0);
        bench.at = S + 5 * MS;
        assert_eq!(bench.enable(0), [], "{kind:?}: nothing says that it is up");
        assert!(bench.view(0).returning && bench.view(0).set.is_none());
        bench.at = S + 10 * MS;
        let (run, at) = (started_before_the_end, bench.now().mono);
        bench.event(Event::Exited { run, at, ending: OK });
        let outputs = bench.outputs();
        assert_eq!(moves(&outputs), [(0, State::Fail, State::Success, "ok")], "{kind:?}");
        assert_eq!(words(&outputs), [(0, Contribution::Up, false, true)]);
        assert!(!bench.view(0).returning);
    }
}

/// The last verdict decides, not the last success.
#[test]
fn a_success_before_a_failure_or_trouble_of_our_own_is_none() {
    let health = HealthSettings { fail_debounce: times(3), ..HealthSettings::default() };
    let mut bench = well([placed(rule().with(|of| {
        of.health = health;
        of.interval = 60 * S;
    }))]);
    bench.set(0, Override::Drained);
    bench.whole_run(0, 60 * S, BAD);
    assert_eq!(bench.enable(0), []);
    assert!(bench.view(0).returning);
    let outputs = bench.whole_run(0, 120 * S, BAD);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![]), "its own state has not failed yet");
    assert!(bench.view(0).returning);
    let outputs = bench.whole_run(0, 180 * S, BAD);
    assert_eq!((moves(&outputs), words(&outputs)), (vec![], vec![(0, DOWN, false, true)]), "now it has");
    assert!(!bench.view(0).returning);
    assert_eq!(bench.stands(0), (State::Fail, Some("exit-status"), None));

    let mut bench = well([rule()]);
    bench.set(0, Override::Drained);
    bench.turn(S);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Descriptors });
    bench.enable(0);
    assert!(bench.view(0).returning, "an inconclusive run says nothing");
}

#[test]
fn another_override_ends_the_return() {
    let mut bench = Bench::new([placed(rule())]);
    bench.set(0, Override::Drained);
    bench.enable(0);
    assert!(bench.view(0).returning);
    let outputs = bench.set(0, Override::AlwaysSuccess);
    assert_eq!(moves(&outputs), [(0, State::Fail, State::Success, "ok")]);
    assert!(!bench.view(0).returning);
    assert_eq!(words(&bench.enable(0)), [(0, Contribution::Unknown, false, false)]);
}

#[test]
fn after_always_success_or_disable_the_own_state_counts_at_once() {
    let mut bench = Bench::new([placed(rule())]);
    bench.whole_run(0, Duration::ZERO, BAD);
    assert_eq!(moves(&bench.set(0, Override::AlwaysSuccess)), [(0, State::Fail, State::Success, "ok")]);
    assert_eq!(bench.stands(0), (State::Success, Some("ok"), None));
    assert_eq!(moves(&bench.whole_run(0, S, BAD)), []);
    assert_eq!(moves(&bench.enable(0)), [(0, State::Success, State::Fail, "exit-status")]);
}

/// The failure that made the state counts as its reason, although a success came after it.
#[test]
fn a_failed_state_comes_back_with_the_failure_that_made_it() {
    let health = HealthSettings { success_debounce: times(3), ..HealthSettings::default() };
    let mut bench = Bench::new([rule().with(|of| of.health = health)]);
    bench.whole_run(0, Duration::ZERO, BAD);
    bench.set(0, Override::AlwaysSuccess);
    bench.whole_run(0, S, OK);
    assert_eq!(moves(&bench.enable(0)), [(0, State::Success, State::Fail, "exit-status")]);
}

#[test]
fn an_override_ends_at_its_time_and_says_so() {
    let mut bench = well([placed(rule())]);
    bench.set_until(0, Override::Drained, Some(1500 * MS));
    bench.whole_run(0, S, OK);
    assert_eq!(bench.wakes_at(), Some(1500 * MS));
    assert_eq!(bench.turn(1500 * MS - MS), []);
    let outputs = bench.turn(1500 * MS);
    assert_eq!(outputs[0], Output::OverrideEnded { rule: RuleId(0) });
    assert_eq!(moves(&outputs), [(0, State::Fail, State::Success, "ok")]);
    assert_eq!((bench.engine.override_of(RuleId(0)), bench.wakes_at()), (None, Some(2 * S)));
}

#[test]
fn an_override_that_is_set_again_gets_the_new_end_and_changes_nothing_else() {
    let mut bench = well([placed(rule())]);
    bench.set_until(0, Override::Drained, Some(500 * MS));
    assert_eq!(bench.set_until(0, Override::Drained, Some(700 * MS)), []);
    assert_eq!(bench.turn(500 * MS), []);
    assert_eq!(bench.set_until(0, Override::Drained, None), []);
    assert_eq!(bench.turn(900 * MS), []);
    assert_eq!(bench.view(0).set, Some(Set { kind: Override::Drained, until: None }));
}

#[test]
fn an_override_that_an_operator_clears_does_not_end_by_itself_too() {
    let mut bench = well([rule()]);
    bench.set_until(0, Override::Drained, Some(500 * MS));
    let ended = Output::OverrideEnded { rule: RuleId(0) };
    assert!(!bench.enable(0).contains(&ended));
    assert_eq!(bench.turn(500 * MS), []);
    assert_eq!(bench.enable(0), [], "nothing is set");
}

#[test]
fn a_drain_takes_down_whoever_requires_the_rule_and_says_so_through_two_levels() {
    let mut bench = well([rule(), placed(requires(&[0])), placed(requires(&[1]))]);
    let outputs = bench.set(0, Override::Drained);
    let down = |rule, reason| (rule, State::Success, State::Fail, reason);
    assert_eq!(moves(&outputs), [down(0, "drained"), down(1, "requires"), down(2, "requires")]);
    assert_eq!(words(&outputs), [(1, DRAINED, false, true), (2, DRAINED, false, true)]);
    assert_eq!(bench.stands(2), (State::Fail, Some("requires"), Some(1)));
    let outputs = bench.enable(0);
    assert_eq!(moves(&outputs).len(), 3);
    assert_eq!(words(&outputs), [(1, Contribution::Up, false, true), (2, Contribution::Up, false, true)]);
}

/// Only because of a drain is only while nothing else is down: told anew although the state stays what it is.
#[test]
fn what_is_down_for_another_reason_too_is_not_drained() {
    let mut bench = well([rule(), rule(), placed(requires(&[0, 1])), placed(requires(&[2]))]);
    bench.set(0, Override::Drained);
    let failed = bench.whole_run(1, S, BAD);
    assert_eq!(moves(&failed), [(1, State::Success, State::Fail, "exit-status")]);
    assert_eq!(words(&failed), [(2, DOWN, false, true), (3, DOWN, false, true)]);
    assert_eq!(bench.stands(2), (State::Fail, Some("requires"), Some(1)), "not the drained one");
    let well_again = bench.whole_run(1, 2 * S, OK);
    assert_eq!(words(&well_again), [(2, DRAINED, false, true), (3, DRAINED, false, true)]);
    let fails = bench.set(0, Override::AlwaysFail);
    assert_eq!((moves(&fails), words(&fails).len()), (vec![], 2), "set to fail is not drained");
    bench.set(0, Override::Drained);
    bench.turn(3 * S);
    bench.started(2);
    let own = bench.exited(2, BAD);
    assert_eq!(words(&own), [(2, DOWN, false, true), (3, DOWN, false, true)], "its own failure counts first");
}

#[test]
fn a_rule_that_ended_takes_overrides_and_comes_back_at_once() {
    let mut bench = Bench::new([placed(rule().with(|of| of.runs = Some(times(1)))), rule()]);
    bench.whole_run(0, Duration::ZERO, OK);
    assert_eq!(bench.view(0).ended, Some(EndReason::RunsUsedUp));
    assert_eq!(words(&bench.set(0, Override::Drained)), [(0, DRAINED, false, true)]);
    bench.at = 1000 * S;
    let outputs = bench.enable(0);
    assert_eq!(words(&outputs), [(0, Contribution::Up, false, true)], "no success could ever come");
    assert_eq!(bench.set(0, Override::Disabled), []);
    assert_eq!(bench.view(0).ended, Some(EndReason::RunsUsedUp), "it stays ended");
    assert_eq!(bench.enable(0), []);
    assert_eq!(bench.view(0).next_due, None);
}

#[test]
fn a_rule_whose_runs_end_while_it_returns_is_what_it_was() {
    let health = HealthSettings { fail_debounce: times(9), ..HealthSettings::default() };
    let mut bench = well([placed(rule().with(|of| {
        of.health = health;
        of.runs = Some(times(3));
    }))]);
    bench.set(0, Override::Drained);
    bench.whole_run(0, S, BAD);
    bench.enable(0);
    assert!(bench.view(0).returning);
    let outputs = bench.whole_run(0, 2 * S, BAD);
    assert_eq!(moves(&outputs), [(0, State::Fail, State::Success, "ok")]);
    assert!(!bench.view(0).returning);
}

#[test]
fn an_override_takes_the_place_of_a_status_that_says_the_state() {
    let mut bench = Bench::new([rule().with(|of| of.status = Status::AlwaysFail)]);
    let drained = moves(&bench.set(0, Override::Drained));
    assert_eq!(drained, [(0, State::Unknown, State::Fail, "drained")], "once, although it was down before");
    assert_eq!(moves(&bench.whole_run(0, Duration::ZERO, OK)), [], "and not after each run");
    assert_eq!(moves(&bench.set(0, Override::AlwaysSuccess)), [(0, State::Fail, State::Success, "ok")]);
    assert_eq!(moves(&bench.enable(0)), [(0, State::Success, State::Fail, "always-fail")]);
    assert_eq!(moves(&bench.whole_run(0, S, OK)), [(0, State::Fail, State::Fail, "always-fail")]);

    let mut bench = Bench::new([rule().with(|of| of.status = Status::AlwaysSuccess)]);
    bench.set(0, Override::Drained);
    bench.enable(0);
    let back = moves(&bench.whole_run(0, Duration::ZERO, BAD));
    assert_eq!(back, [(0, State::Fail, State::Success, "ok")], "told once");
}

#[test]
fn a_reload_leaves_what_is_set_of_rules_that_stay() {
    let rules = || [placed(rule()), placed(rule()), requires(&[1])];
    let mut bench = well(rules());
    bench.set_until(0, Override::Drained, Some(10 * S));
    bench.set(1, Override::Drained);
    let now = bench.now();
    let fates = [Fate::Adjusted, Fate::Changed, Fate::Kept];
    bench.engine.reload(rules().into_iter().collect(), &fates, now);
    let outputs = bench.outputs();
    assert_eq!(moves(&outputs), [], "nobody is any better or worse for it");
    assert_eq!(words(&outputs), [(1, DRAINED, false, false)], "told again, for other addresses perhaps");
    assert_eq!(bench.view(1).own, State::Unknown);
    assert_eq!(bench.set(1, Override::Drained), [], "setting it again by name changes nothing");
    assert_eq!(bench.engine.override_of(RuleId(0)).unwrap().until, Some(bench.base + 10 * S));
    assert!(bench.turn(10 * S).contains(&Output::OverrideEnded { rule: RuleId(0) }));
}

#[test]
fn a_slot_that_another_rule_takes_has_nothing_set() {
    let mut bench = well([rule(), rule()]);
    bench.set(0, Override::Drained);
    let now = bench.now();
    bench.engine.reload([Rule::vacant(), rule()].into(), &[Fate::Vacated, Fate::Kept], now);
    bench.outputs();
    bench.engine.reload([rule(), rule()].into(), &[Fate::New, Fate::Kept], now);
    assert_eq!(moves(&bench.outputs()), []);
    assert_eq!((bench.engine.override_of(RuleId(0)), bench.view(0).effective), (None, State::Unknown));
}

#[test]
fn a_stopped_engine_takes_no_overrides() {
    let mut bench = well([rule()]);
    bench.engine.stop();
    assert_eq!(bench.set(0, Override::Drained), []);
    assert_eq!(bench.view(0).set, None);
}

#[test]
fn who_would_be_down_with_a_rule_are_all_that_are_not_down_already_or_set() {
    // 1 and 2 require 0, 3 requires 1, 4 requires 2, 5 nothing.
    let rules = [rule(), requires(&[0]), requires(&[0]), requires(&[1]), requires(&[2]), rule()];
    let mut bench = well(rules);
    let down_with = |bench: &Bench, rules: &[u32]| -> Vec<u32> {
        let all = bench.engine.down_with(rules.iter().copied().map(RuleId).collect());
        all.into_iter().map(|rule| rule.0).collect()
    };
    assert_eq!(down_with(&bench, &[0]), [0, 1, 2, 3, 4]);
    assert_eq!(down_with(&bench, &[1, 5]), [1, 3, 5]);
    bench.set(2, Override::AlwaysSuccess);
    assert_eq!(down_with(&bench, &[0]), [0, 1, 3], "what is set counts whatever it requires");
    bench.set(1, Override::AlwaysFail);
    assert_eq!(down_with(&bench, &[0]), [0], "those are down already");
}
