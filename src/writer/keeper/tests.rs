//! The keeper before a firewall that fails, lies and is changed by others, in time that is only counted.

mod bench;
mod failing;
mod in_part;
mod kills;
mod others;
mod questions;
mod record;
mod together;

use std::time::Duration;

use super::*;
use crate::standing::Contribution;
use bench::{Bench, Mood, prefix, table};

const WEB: &[&str] = &["10.0.0.1", "10.0.0.2", "10.0.0.3"];

#[test]
fn a_table_is_read_before_it_is_written_and_left_until_the_first_verdict() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.2", "10.9.9.9"])]);
    bench.settle();
    assert_eq!(bench.calls(), ["read web"]);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.writes(), [""; 0]);
    bench.up(0);
    bench.settle();
    assert_eq!(bench.contents("web"), ["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
}

#[test]
fn additions_come_before_removals_in_one_batch_each() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.2", "10.0.0.3"])]);
    bench.settle();
    bench.calls();
    bench.down(1);
    bench.down(2);
    bench.up(0);
    bench.settle();
    assert_eq!(bench.calls(), ["add web 10.0.0.1", "remove web 10.0.0.2 10.0.0.3"]);
    let written = bench.keeper.take_written();
    assert_eq!(written.len(), 1);
    assert_eq!((written[0].added.len(), written[0].removed.len()), (1, 2));
}

#[test]
fn the_newest_word_counts() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.calls();
    bench.up(0);
    bench.down(0);
    bench.up(1);
    bench.settle();
    assert_eq!(bench.writes(), ["add web 10.0.0.2"]);
}

#[test]
fn the_end_writes_what_is_pending_and_waits_for_nothing() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.1"])]);
    bench.down(0);
    bench.up(1);
    let now = bench.now;
    let mut steps = 0;
    while bench.keeper.finish_step(&mut || now) == Step::Did {
        steps += 1;
        assert!(steps < 10);
    }
    assert_eq!(bench.contents("web"), ["10.0.0.2"]);
    bench.set(Mood::Absent);
    bench.up(0);
    while bench.keeper.finish_step(&mut || now) == Step::Did {
        steps += 1;
        assert!(steps < 20, "a firewall that is gone must not keep hfm from ending");
    }
}
