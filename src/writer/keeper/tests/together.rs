//! A firewall that takes several tables in one go, is sure of what it writes, and tells what others do.

use super::*;
use crate::dataplane::Notices;

const MAIL: &[&str] = &["10.0.1.1", "10.0.1.2"];

fn two_tables() -> Bench {
    let tables = vec![table("web", 0, WEB), table("mail", 3, MAIL)];
    let mut bench = Bench::new(tables, &[("web", WEB), ("mail", MAIL)]).modern();
    (0..5).for_each(|rule| bench.up(rule));
    bench.settle();
    bench.calls();
    bench
}

#[test]
fn all_tables_that_differ_are_written_in_one_go_and_not_looked_at_again() {
    let mut bench = two_tables();
    bench.down(0);
    bench.down(3);
    bench.settle();
    assert_eq!(bench.calls(), ["together 2", "remove web 10.0.0.1", "remove mail 10.0.1.1"]);
    bench.pass(Duration::from_secs(9));
    assert_eq!(bench.calls(), [""; 0], "the firewall is sure");
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.calls().len(), 2, "every `reconcile` they are read all the same");
}

#[test]
fn one_that_fails_keeps_no_other_of_the_batch_from_being_right() {
    let mut bench = two_tables();
    bench.set_of("web", Mood::NoTable);
    bench.down(0);
    bench.down(3);
    bench.settle();
    assert_eq!(bench.contents("mail"), ["10.0.1.2"]);
    assert_eq!(bench.contents("web"), WEB);
    bench.set_of("web", Mood::Well);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.contents("web"), ["10.0.0.2", "10.0.0.3"]);
}

#[test]
fn a_data_plane_takes_no_more_tables_at_once_than_it_says() {
    let mut bench = two_tables();
    bench.fake.0.lock().unwrap().at_once = 1;
    bench.down(0);
    bench.down(3);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.1", "remove mail 10.0.1.1"]);
}

#[test]
fn what_others_change_is_put_right_as_soon_as_it_is_told() {
    let mut bench = two_tables();
    bench.pass(Duration::from_secs(1));
    bench.foreign("web", |web| web.clear());
    bench.settle();
    assert_eq!(
        bench.calls(),
        ["read web", "add web 10.0.0.1 10.0.0.2 10.0.0.3"],
        "and the other is not read"
    );
    assert_eq!(bench.repairs(), 3);
    // Even right after a write of ours.
    bench.pass(Duration::from_millis(25));
    bench.down(0);
    bench.settle();
    bench.foreign("web", |web| web.clear());
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.2", "10.0.0.3"]);
    assert_eq!(bench.repairs(), 5);
}

#[test]
fn what_others_do_to_several_tables_is_put_right_in_one_go() {
    let mut bench = two_tables();
    bench.pass(Duration::from_secs(1));
    bench.change("web", |web| web.clear());
    bench.foreign("mail", |mail| mail.clear());
    bench.foreign("web", |_| {});
    bench.settle();
    assert_eq!(
        bench.calls(),
        [
            "read web",
            "read mail",
            "together 2",
            "add web 10.0.0.1 10.0.0.2 10.0.0.3",
            "add mail 10.0.1.1 10.0.1.2"
        ]
    );
}

#[test]
fn a_table_that_others_change_all_the_time_is_not_read_all_the_time() {
    let mut bench = two_tables();
    bench.pass(Duration::from_secs(1));
    for _ in 0..100 {
        bench.foreign("web", |web| _ = web.insert(prefix("192.0.2.1")));
        bench.pass(Duration::from_millis(1));
    }
    let reads = bench.calls().iter().filter(|call| *call == "read web").count();
    assert!((4..=6).contains(&reads), "{reads} in 100 ms");
}

#[test]
fn a_table_that_is_made_again_is_filled_as_soon_as_that_is_told() {
    let mut bench = two_tables();
    bench.set_of("web", Mood::NoTable);
    bench.foreign("web", |web| web.clear());
    bench.pass(Duration::from_secs(5));
    bench.set_of("web", Mood::Well);
    bench.foreign("web", |_| {});
    bench.settle();
    assert_eq!(bench.contents("web"), WEB);
}

#[test]
fn when_it_is_not_known_what_changed_all_tables_are_read() {
    let mut bench = two_tables();
    bench.pass(Duration::from_secs(1));
    bench.change("mail", |mail| mail.clear());
    bench.fake.0.lock().unwrap().notices = Notices { all: true, ..Notices::default() };
    bench.keeper.on_notices(bench.now);
    bench.settle();
    assert_eq!(bench.calls(), ["read web", "read mail", "add mail 10.0.1.1 10.0.1.2"]);
}

#[test]
fn places_are_put_right_once_all_is_known_and_counted_only_when_others_changed_them() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", WEB)]).modern();
    bench.disorder("web");
    bench.settle();
    bench.up(0);
    bench.up(1);
    bench.settle();
    assert_eq!(bench.calls(), ["read web"], "tables are left until first verdicts");
    bench.up(2);
    bench.settle();
    assert_eq!(bench.calls(), ["order web 10.0.0.1 10.0.0.2 10.0.0.3"]);
    assert_eq!(bench.repairs(), 0, "nobody changed them");
    bench.pass(Duration::from_secs(1));
    bench.disorder("web");
    bench.foreign("web", |_| {});
    bench.settle();
    assert_eq!(bench.calls(), ["read web", "order web 10.0.0.1 10.0.0.2 10.0.0.3"]);
    assert_eq!(bench.repairs(), 1);
    bench.pass(Duration::from_secs(60));
    assert!(bench.calls().iter().all(|call| call == "read web"));
}

#[test]
fn in_a_table_in_which_nobody_has_a_say_places_are_left() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", WEB)]).modern();
    bench.disorder("web");
    (0..3).for_each(|rule| bench.say(rule, Contribution::Nothing));
    bench.pass(Duration::from_secs(60));
    assert!(bench.calls().iter().all(|call| call == "read web"));
}
