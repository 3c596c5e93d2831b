//! The record of what is managed, across starts.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn state_dir(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("hfm-keeper-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).unwrap();
    path
}

/// Lines of the record, its head and foot left out.
fn remembered(state_dir: &Path) -> usize {
    fs::read_to_string(state_dir.join("managed")).unwrap().lines().count() - 2
}

#[test]
fn tables_that_addresses_leave_at_the_same_time_cost_one_record() {
    let names = ["a", "b", "c"];
    let of = |addresses| (0..).zip(names).map(|(n, name)| table(name, n, addresses)).collect::<Vec<_>>();
    let contents: Vec<(&str, &[&str])> = names.map(|name| (name, WEB)).into();
    let mut bench = Bench::new(of(WEB), &contents);
    let dir = state_dir("leave");
    bench.restart(of(WEB), &dir);
    bench.settle();
    assert_eq!(remembered(&dir), 9);
    bench.restart(of(&WEB[..1]), &dir);
    for rule in 0..3 {
        bench.up(rule);
    }
    bench.pass(Duration::from_millis(900));
    assert!(names.iter().all(|name| bench.contents(name) == WEB[..1]));
    assert_eq!(remembered(&dir), 9, "they are not written one by one");
    bench.pass(Duration::from_secs(1));
    assert_eq!(remembered(&dir), 3);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_record_that_cannot_be_written_is_tried_again() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    let dir = state_dir("full");
    // Stands where the new one is to be written.
    fs::create_dir_all(dir.join("managed.new")).unwrap();
    bench.restart(vec![table("web", 0, WEB)], &dir);
    bench.set(Mood::Absent);
    bench.pass(Duration::from_secs(30));
    assert!(!dir.join("managed").exists());
    fs::remove_dir(dir.join("managed.new")).unwrap();
    bench.pass(Duration::from_secs(31));
    assert_eq!(remembered(&dir), 3);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_end_brings_the_record_in_line() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", WEB)]);
    let dir = state_dir("end");
    bench.restart(vec![table("web", 0, WEB)], &dir);
    bench.restart(vec![table("web", 0, &WEB[..1])], &dir);
    bench.up(0);
    bench.pass(Duration::from_millis(60));
    assert_eq!(remembered(&dir), 3);
    let now = bench.now;
    while bench.keeper.finish_step(&mut || now) == Step::Did {}
    assert_eq!(remembered(&dir), 1);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_table_that_was_never_there_is_neither_remembered_nor_missed() {
    let both = || vec![table("web", 0, WEB), table("wbe", 3, WEB)];
    let mut bench = Bench::new(both(), &[("web", &[]), ("wbe", &[])]);
    let dir = state_dir("never");
    bench.set_of("wbe", Mood::NoTable);
    bench.restart(both(), &dir);
    assert_eq!(remembered(&dir), 6, "it may be there");
    bench.pass(Duration::from_millis(1_500));
    assert_eq!(remembered(&dir), 3, "it is not");
    bench.reload(both());
    assert_eq!(remembered(&dir), 3, "and is known not to be");
    // Somebody makes it: it is remembered before anything is put in, and from then on.
    bench.set_of("wbe", Mood::ReadOnly);
    bench.pass(Duration::from_secs(30));
    assert_eq!(remembered(&dir), 6);
    bench.set_of("wbe", Mood::NoTable);
    bench.pass(Duration::from_secs(30));
    assert_eq!(remembered(&dir), 6, "it was there once");
    bench.restart(both(), &dir);
    bench.pass(Duration::from_secs(30));
    assert_eq!(remembered(&dir), 6, "and an hfm before this one knew it");
    fs::remove_dir_all(dir).unwrap();
}
