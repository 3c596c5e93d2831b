//! What rules say of their addresses and of this gateway: told when it is new or somebody has yet to hear it, and never
//! otherwise.

use std::num::NonZeroU8;

use super::*;
use crate::rule::{Membership, Prefix};
use crate::standing::{Contribution, Standing};

const DOWN: Contribution = Contribution::Down { drained: false };

/// A rule whose address is in a table.
pub(super) fn placed(rule: Rule) -> Rule {
    let addresses = vec![Prefix::host([10, 0, 0, 1].into())];
    let tables = vec![Membership { table: "web".into(), addresses: addresses.clone() }];
    Rule { placement: Placement { addresses, tables, ..Placement::default() }.into(), ..rule }
}

/// A rule that adds to the demotion while it is failed.
pub(super) fn demoting(rule: Rule) -> Rule {
    rule.with(|of| of.demote = NonZeroU8::new(50))
}

/// What was said, by which rule: contribution, stale, settled.
pub(super) fn words(outputs: &[Output]) -> Vec<(u32, Contribution, bool, bool)> {
    standings(outputs).map(|(rule, of)| (rule, of.contribution, of.stale, of.settled)).collect()
}

fn standings(outputs: &[Output]) -> impl Iterator<Item = (u32, Standing)> {
    outputs.iter().filter_map(|output| match output {
        Output::Standing { rule, standing } => Some((rule.0, *standing)),
        Output::StartTest { .. }
        | Output::Signal { .. }
        | Output::Expire { .. }
        | Output::Abandon { .. }
        | Output::Change(_)
        | Output::OverrideEnded { .. }
        | Output::Answer(_)
        | Output::Notice(_) => None,
    })
}

#[test]
fn a_rule_says_what_its_effective_state_is_and_only_when_it_is_new() {
    let mut bench = Bench::new([placed(rule())]);
    assert_eq!(words(&bench.outputs()), [(0, Contribution::Unknown, false, false)]);
    let first = bench.whole_run(0, Duration::ZERO, OK);
    assert_eq!(words(&first), [(0, Contribution::Up, false, true)]);
    assert_eq!(words(&bench.whole_run(0, S, OK)), []);
    assert_eq!(words(&bench.whole_run(0, 2 * S, BAD)), [(0, DOWN, false, true)]);
    assert_eq!(words(&bench.whole_run(0, 3 * S, BAD)), []);
    assert_eq!(words(&bench.whole_run(0, 4 * S, OK)), [(0, Contribution::Up, false, true)]);
}

#[test]
fn a_rule_without_tables_and_share_says_nothing() {
    let mut bench = Bench::new([rule()]);
    let mut outputs = bench.outputs();
    outputs.extend(bench.whole_run(0, Duration::ZERO, BAD));
    outputs.extend(bench.turn(100 * S));
    assert_eq!(words(&outputs), []);
}

#[test]
fn a_rule_with_a_share_says_what_one_with_tables_does_and_one_with_both_says_it_once() {
    let mut bench = Bench::new([demoting(rule()), placed(rule()), placed(demoting(rule()))]);
    let all = |contribution, settled| [0, 1, 2].map(|rule| (rule, contribution, false, settled)).to_vec();
    assert_eq!(words(&bench.outputs()), all(Contribution::Unknown, false));
    for (second, ending, said) in [
        (0, BAD, all(DOWN, true)),
        (1, BAD, Vec::new()),
        (2, OK, all(Contribution::Up, true)),
        (3, OK, Vec::new()),
    ] {
        let mut outputs = bench.turn(second * S);
        for rule in [0, 1, 2] {
            bench.started(rule);
            outputs.extend(bench.exited(rule, ending));
        }
        assert_eq!(words(&outputs), said, "at {second} s");
    }
}

#[test]
fn a_word_counts_since_it_became_what_it_is() {
    let mut bench = Bench::new([placed(rule())]);
    bench.outputs();
    let outputs = bench.whole_run(0, Duration::ZERO, BAD);
    let (_, down) = standings(&outputs).next().expect("it went down");
    assert_eq!(down.since, bench.base + MS);
    let outputs = bench.turn(40 * S);
    let (_, stale) = standings(&outputs).next().expect("it went stale");
    assert_eq!((stale.contribution, stale.stale, stale.since), (DOWN, true, down.since));
    bench.started(0);
    bench.at += MS;
    assert_eq!(words(&bench.exited(0, BAD)), [(0, DOWN, false, true)]);
}

#[test]
fn an_inconclusive_verdict_says_nothing() {
    let mut bench = Bench::new([placed(rule())]);
    bench.outputs();
    bench.turn(Duration::ZERO);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Descriptors });
    let outputs = bench.outputs();
    assert_eq!(words(&outputs), []);
}

#[test]
fn always_fail_is_down_and_always_success_up_before_any_run_and_after_the_last() {
    let given = |status| {
        placed(rule().with(|of| {
            of.status = status;
            of.runs = Some(times(1));
        }))
    };
    let mut bench = Bench::new([given(Status::AlwaysFail), given(Status::AlwaysSuccess)]);
    let at_load = words(&bench.outputs());
    assert_eq!(at_load, [(0, DOWN, false, false), (1, Contribution::Up, false, false)]);
    bench.turn(Duration::ZERO);
    for (rule, ending) in [(0, OK), (1, BAD)] {
        bench.started(rule);
        let word = if rule == 0 { DOWN } else { Contribution::Up };
        let last = words(&bench.exited(rule, ending));
        assert_eq!(last, [(rule, word, false, true)], "its runs are used up");
    }
    assert!(bench.engine.is_finished());
}

#[test]
fn a_rule_that_ended_keeps_its_last_word() {
    let mut bench = Bench::new([placed(rule().with(|of| of.runs = Some(times(2))))]);
    bench.outputs();
    bench.whole_run(0, Duration::ZERO, OK);
    assert_eq!(words(&bench.whole_run(0, S, BAD)), [(0, DOWN, false, true)]);
    assert_eq!(words(&bench.turn(1000 * S)), [], "it goes neither unknown nor stale");
}

#[test]
fn a_rule_that_ended_before_it_knew_anything_has_no_say() {
    let mut bench = Bench::new([placed(rule())]);
    bench.outputs();
    bench.turn(Duration::ZERO);
    let run = bench.run(0);
    bench.event(Event::NotStarted { run, error: StartError::Unusable(2) });
    assert_eq!(words(&bench.outputs()), [(0, Contribution::Nothing, false, true)]);
}

#[test]
fn a_rule_disabled_in_the_file_has_no_say() {
    let mut bench = Bench::new([placed(rule().with(|of| of.status = Status::Disabled))]);
    assert_eq!(words(&bench.outputs()), [(0, Contribution::Nothing, false, true)]);
}

#[test]
fn a_required_rule_that_fails_speaks_for_its_dependents() {
    let mut bench = Bench::new([rule(), placed(rule().with(|of| of.requires = vec![RuleId(0)]))]);
    bench.outputs();
    bench.turn(Duration::ZERO);
    for rule in [0, 1] {
        bench.started(rule);
    }
    assert_eq!(
        words(&bench.exited(1, OK)),
        [(1, Contribution::Unknown, false, true)],
        "it waits for the other"
    );
    assert_eq!(words(&bench.exited(0, OK)), [(1, Contribution::Up, false, true)]);
    assert_eq!(words(&bench.whole_run(0, S, BAD)), [(1, DOWN, false, true)]);
    assert_eq!(words(&bench.whole_run(0, 2 * S, OK)), [(1, Contribution::Up, false, true)]);
}

#[test]
fn a_rule_without_a_verdict_for_too_long_is_told_to_be_stale() {
    let mut bench = Bench::new([placed(rule())]);
    bench.outputs();
    bench.turn(Duration::ZERO);
    assert_eq!(words(&bench.turn(31 * S)), [(0, Contribution::Unknown, true, false)]);
}
