//! A firewall that fails, lies or is gone.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_missing_table_is_tried_again_ever_more_rarely_and_keeps_no_other_waiting() {
    let tables = vec![table("gone", 0, &["10.0.0.1"]), table("web", 1, &["10.0.0.2"])];
    let mut bench = Bench::new(tables, &[("gone", &[]), ("web", &[])]);
    bench.fake.0.lock().unwrap().moods.insert("gone".to_owned(), Mood::NoTable);
    bench.up(0);
    bench.up(1);
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.2"]);
    bench.calls();
    bench.pass(Duration::from_secs(60));
    let tries = bench.calls().iter().filter(|call| *call == "read gone").count();
    assert!((6..=14).contains(&tries), "{tries}");
    bench.fake.0.lock().unwrap().moods.clear();
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.contents("gone"), ["10.0.0.1"]);
}

#[test]
fn when_the_firewall_is_gone_nothing_is_tried_in_vain_and_all_is_made_good_after() {
    let mut bench =
        Bench::new(vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])], &[("web", &[]), ("dns", &[])]);
    for rule in 0..4 {
        bench.up(rule);
    }
    bench.settle();
    bench.set(Mood::Absent);
    bench.calls();
    bench.down(0);
    bench.pass(Duration::from_secs(60));
    let tries = bench.calls().len();
    assert!((6..=14).contains(&tries), "{tries}");
    bench.down(3);
    bench.up(0);
    bench.down(1);
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.contents("web"), ["10.0.0.1", "10.0.0.3"]);
    assert_eq!(bench.contents("dns"), [""; 0]);
}

#[test]
fn after_the_firewall_was_gone_every_table_is_read_before_it_is_written() {
    let tables = vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])];
    let mut bench = Bench::new(tables, &[("web", &[]), ("dns", &[])]);
    for rule in 0..4 {
        bench.up(rule);
    }
    bench.pass(Duration::from_secs(1));
    // pf is loaded anew while it cannot be reached: a table that nobody tried to reach is empty too.
    bench.set(Mood::Absent);
    bench.down(0);
    bench.settle();
    bench.change("web", BTreeSet::clear);
    bench.change("dns", BTreeSet::clear);
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.contents("dns"), ["10.0.1.1"], "long before the next reconciliation");
    assert_eq!(bench.contents("web"), ["10.0.0.2", "10.0.0.3"]);
    assert_eq!(bench.keeper.tables[1].repairs, 1);
}

#[test]
fn after_a_failed_write_the_table_is_read_before_it_is_written_again() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.set(Mood::Half);
    for rule in 0..3 {
        bench.up(rule);
    }
    bench.settle();
    assert_eq!(bench.calls()[1..], ["add web 10.0.0.1 10.0.0.2 10.0.0.3", "read web"]);
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.calls()[0], "add web 10.0.0.2 10.0.0.3");
    assert_eq!(bench.contents("web"), WEB);
    assert_eq!(bench.keeper.tables[0].retry.error, None);
}

#[test]
fn writes_that_go_on_failing_are_tried_ever_more_rarely() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.up(0);
    bench.set(Mood::Half);
    bench.pass(Duration::from_secs(60));
    let tries = bench.writes().len();
    assert!((6..=14).contains(&tries), "{tries}");
}

#[test]
fn a_firewall_that_lies_is_found_out_and_not_hammered() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.set(Mood::Lies);
    bench.up(0);
    bench.pass(Duration::from_secs(60));
    let tries = bench.writes().len();
    assert!((6..=16).contains(&tries), "{tries}");
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(11));
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
    bench.calls();
    bench.down(0);
    bench.settle();
    assert_eq!(bench.writes(), ["remove web 10.0.0.1"], "what is well again is written at once");
}

#[test]
fn a_firewall_that_comes_back_without_its_table_is_not_asked_without_rest() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.set(Mood::Absent);
    bench.up(0);
    bench.pass(Duration::from_secs(1));
    bench.set(Mood::NoTable);
    bench.calls();
    bench.pass(Duration::from_secs(60));
    let tries = bench.calls().len();
    assert!((6..=14).contains(&tries), "{tries}");
    assert_eq!(bench.keeper.retry.error, None, "it answers");
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
}

#[test]
fn who_may_read_and_not_write_does_not_try_without_rest() {
    let mut bench =
        Bench::new(vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])], &[("web", &[]), ("dns", &[])]);
    bench.settle();
    bench.set(Mood::ReadOnly);
    bench.up(0);
    bench.pass(Duration::from_secs(60));
    let tries = bench.writes().len();
    assert!((6..=14).contains(&tries), "{tries}");
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(11));
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
    assert_eq!(bench.keeper.retry.error, None);
}

#[test]
fn what_cannot_be_put_in_keeps_no_dead_one_in_while_another_serves() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.1", "10.0.0.2"])]);
    bench.settle();
    bench.set(Mood::Full);
    bench.up(0);
    bench.down(1);
    bench.up(2);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.contents("web"), ["10.0.0.1"]);
    bench.down(0);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.contents("web"), ["10.0.0.1"], "nothing else would be in");
    let tries = bench.writes().len();
    assert!((6..=16).contains(&tries), "{tries}");
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(11));
    assert_eq!(bench.contents("web"), ["10.0.0.3"]);
}

#[test]
fn a_backup_stays_while_what_it_stands_in_for_cannot_be_put_in() {
    let mut web = table("web", 0, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    web.members[1].backup = true;
    let mut bench = Bench::new(vec![web], &[("web", &["10.0.0.2", "10.0.0.3"])]);
    bench.set(Mood::Full);
    bench.up(1);
    bench.down(2);
    bench.up(0);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.contents("web"), ["10.0.0.2", "10.0.0.3"]);
}
