//! Writes that are done in part, or not at all for one of several addresses.

use super::*;
use crate::writer::status::Question;

/// A table that is full: two are in, and the third cannot be put in.
fn full() -> Bench {
    let contents: &[(&str, &[&str])] = &[("web", &["10.0.0.1", "10.0.0.2"])];
    let mut bench = Bench::new(vec![table("web", 0, WEB)], contents).modern();
    bench.settle();
    bench.set(Mood::Full);
    (0..3).for_each(|rule| bench.up(rule));
    bench
}

#[test]
fn a_dead_one_does_not_wait_for_the_next_try_to_put_another_in() {
    let mut bench = full();
    bench.pass(Duration::from_secs(61));
    bench.down(1);
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
}

#[test]
fn one_that_dies_when_the_first_addition_fails_leaves_at_once() {
    let mut bench = full();
    bench.down(1);
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
}

#[test]
fn a_drained_one_leaves_though_another_cannot_be_put_in() {
    let mut bench = full();
    bench.pass(Duration::from_secs(1));
    bench.say(1, Contribution::Down { drained: true });
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
}

#[test]
fn what_a_table_holds_is_known_while_something_waits_to_be_put_in() {
    let mut bench = full();
    bench.pass(Duration::from_secs(61));
    let contents = bench.keeper.tables[0].contents.as_ref().expect("it is known");
    assert_eq!(contents.len(), 2);
}

#[test]
fn what_was_done_of_a_write_that_failed_is_told() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]).modern();
    bench.settle();
    bench.set(Mood::Half);
    bench.up(0);
    bench.up(1);
    bench.settle();
    let written = bench.keeper.take_written();
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(written[0].added, [prefix("10.0.0.1")]);
}

#[test]
fn a_failure_of_all_tables_is_over_when_another_one_goes_well() {
    let tables = vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])];
    let mut bench = Bench::new(tables, &[("web", &[]), ("dns", &[])]).modern();
    bench.settle();
    bench.set_of("web", Mood::ReadOnly);
    bench.up(0);
    bench.settle();
    bench.set_of("web", Mood::NoTable);
    bench.up(3);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.keeper.retry.error, None);
    assert_eq!(bench.contents("dns"), ["10.0.1.1"]);
}

#[test]
fn a_kill_that_waits_does_not_keep_the_writer_awake_while_no_table_can_be_reached() {
    let mut web = table("web", 0, WEB);
    web.members.iter_mut().for_each(|member| member.kill_states = true);
    let mut bench = Bench::new(vec![web], &[("web", WEB)]).modern();
    (0..3).for_each(|rule| bench.up(rule));
    bench.pass(Duration::from_secs(1));
    bench.kills_fail(true);
    bench.down(0);
    bench.settle();
    bench.set(Mood::Absent);
    bench.down(1);
    bench.pass(Duration::from_secs(30));
    bench.kills_fail(false);
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(30));
    let calls = bench.calls();
    assert!(
        calls.iter().any(|call| call.starts_with("kill States") && call.ends_with("10.0.0.2")),
        "{calls:?}"
    );
}

#[test]
fn who_waits_for_a_table_that_became_right_by_itself_is_answered() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]).modern();
    bench.up(0);
    bench.settle();
    bench.change("web", |web| _ = web.remove(&prefix("10.0.0.1")));
    bench.keeper.ask(7, Question::Reconcile, bench.now);
    let now = bench.now;
    bench.keeper.step(&mut || now);
    // Between the read and the write it is not to be in any more.
    bench.down(0);
    bench.settle();
    assert!(bench.keeper.poll_answer().is_some());
}

#[test]
fn who_undoes_all_that_is_done_is_met_ever_more_rarely() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", WEB)]).modern();
    (0..3).for_each(|rule| bench.up(rule));
    bench.pass(Duration::from_secs(1));
    bench.calls();
    for _ in 0..5000 {
        bench.foreign("web", |web| web.clear());
        bench.pass(Duration::from_millis(1));
    }
    let repairs = bench.writes().len();
    assert!((10..25).contains(&repairs), "{repairs} in 5 s");
    // Once they have stopped, the next one is put right at once.
    bench.pass(Duration::from_secs(10));
    bench.calls();
    bench.foreign("web", |web| web.clear());
    bench.settle();
    assert_eq!(bench.contents("web"), WEB);
    bench.pass(Duration::from_millis(25));
    bench.foreign("web", |web| web.clear());
    bench.pass(Duration::from_millis(45));
    assert_eq!(bench.contents("web"), WEB);
}

#[test]
fn a_file_that_cures_what_failed_is_tried_at_once() {
    let mut bench = full();
    bench.pass(Duration::from_secs(61));
    bench.set(Mood::Well);
    let tables = vec![table("web", 0, WEB)].into();
    let carried = vec![true; 3];
    let reconcile = Duration::from_secs(10);
    bench.keeper.replace(crate::writer::Replacement { tables, carried, reconcile }, bench.now);
    bench.settle();
    assert_eq!(bench.contents("web"), WEB);
}
