//! What others do to our tables, and what they have in them.

use std::collections::BTreeSet;

use super::*;

#[test]
fn what_others_change_of_ours_is_put_right_and_counted_and_what_is_theirs_is_left() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.9.9.9"])]);
    bench.up(0);
    bench.up(1);
    bench.down(2);
    bench.pass(Duration::from_secs(20));
    bench.calls();
    bench.change("web", |contents| {
        contents.clear();
        contents.insert(prefix("10.0.0.3"));
        contents.insert(prefix("10.8.8.8"));
    });
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.writes(), ["add web 10.0.0.1 10.0.0.2", "remove web 10.0.0.3"]);
    assert_eq!(bench.contents("web"), ["10.0.0.1", "10.0.0.2", "10.8.8.8"]);
    assert_eq!(bench.keeper.tables[0].repairs, 3);
}

#[test]
fn what_nothing_is_known_of_is_not_put_right() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.1", "10.0.0.2"])]);
    bench.say(1, Contribution::Nothing);
    bench.pass(Duration::from_secs(20));
    bench.change("web", BTreeSet::clear);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.writes(), [""; 0]);
    assert_eq!(bench.keeper.tables[0].repairs, 0);
}

#[test]
fn no_write_flushes_or_touches_what_is_not_ours() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.9.9.9", "10.0.0.1"])]);
    bench.settle();
    for rule in 0..3 {
        bench.down(rule);
    }
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.contents("web"), ["10.9.9.9"]);
}

#[test]
fn an_address_that_others_fight_over_keeps_no_other_of_its_table_waiting() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.2"])]);
    bench.up(0);
    bench.up(1);
    let until = bench.now + Duration::from_secs(15);
    while let Some(at) = bench.settle().filter(|at| *at < until) {
        bench.change("web", |contents| _ = contents.remove(&prefix("10.0.0.1")));
        bench.now = at;
    }
    let tries = bench.writes().len();
    assert!((6..=9).contains(&tries), "{tries}");
    assert!(bench.keeper.tables[0].retry.is_waiting(bench.now + Duration::from_secs(5)));
    bench.down(1);
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.1"], "a dead one is in");
    bench.change("web", |contents| _ = contents.remove(&prefix("10.0.0.1")));
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.writes().len(), 2, "the wait goes on where it was");
}

#[test]
fn what_others_undo_at_once_is_put_right_after_the_first_wait_already() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.up(0);
    bench.settle();
    bench.change("web", |contents| _ = contents.remove(&prefix("10.0.0.1")));
    let start = bench.now;
    while bench.contents("web").is_empty() {
        bench.now = bench.settle().expect("it goes on");
        assert!(bench.now <= start + Duration::from_millis(200), "{:?}", bench.now - start);
    }
}
