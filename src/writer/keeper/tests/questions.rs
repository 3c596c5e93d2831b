//! What the keeper answers, and when, before a firewall that fails.

use std::collections::BTreeSet;

use super::super::writing::PROVE_AFTER;
use super::*;
use crate::rule::{Firewall, Table};
use crate::writer::Replacement;
use crate::writer::desired::Objection;
use crate::writer::status::{Answer, Question, Reconciled, TableStatus, Which};

impl Bench {
    fn ask(&mut self, ticket: u64, question: Question) {
        self.keeper.ask(ticket, question, self.now);
    }

    /// All answers that there are.
    fn answers(&mut self) -> Vec<(u64, Answer)> {
        std::iter::from_fn(|| self.keeper.poll_answer()).collect()
    }

    fn statuses(&mut self, which: Which) -> Vec<TableStatus> {
        self.ask(7, Question::Tables(which));
        let [(7, Answer::Tables(tables))] = <[_; 1]>::try_from(self.answers()).unwrap() else {
            panic!("no tables");
        };
        tables.into_vec()
    }

    fn status(&mut self) -> TableStatus {
        let [status] = <[_; 1]>::try_from(self.statuses(Which::All)).unwrap();
        status
    }

    /// What came of the one time that all tables were read.
    fn reconciled(&mut self) -> Reconciled {
        let [(_, Answer::Reconciled(what))] = <[_; 1]>::try_from(self.answers()).unwrap() else {
            panic!("another answer");
        };
        what
    }

    fn replace(&mut self, tables: Vec<Table>) {
        let reconcile = Firewall::default().reconcile;
        let replacement = Replacement { tables: tables.into(), carried: vec![true; 10], reconcile };
        self.keeper.replace(replacement, self.now);
    }
}

/// `address wanted actual why`, with `+` for in, `-` for out and `?` for neither.
fn rows(status: &TableStatus) -> Vec<String> {
    let sign = |is_in: Option<bool>| match is_in {
        Some(true) => '+',
        Some(false) => '-',
        None => '?',
    };
    let row = |of: &crate::writer::AddressStatus| {
        format!("{} {}{} {}", of.address, sign(of.wanted), sign(of.actual), of.why)
    };
    status.addresses.iter().map(row).collect()
}

fn well(read: usize, repairs: u64) -> Reconciled {
    Reconciled { read, repairs, failures: Vec::new() }
}

#[test]
fn a_table_is_told_as_it_stands() {
    let mut web = table("web", 0, &["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    web.min_up = Some(crate::rule::Share::Count(2));
    let contents: &[&str] = &["10.0.0.2", "10.0.0.3", "10.9.9.9"];
    let mut bench = Bench::new(vec![web], &[("web", contents)]);
    let unread = bench.status();
    assert_eq!((unread.actual, unread.others, unread.written_at), (None, None, None));
    assert_eq!((&*unread.name, unread.plane, unread.managed, unread.wanted), ("web", "fake", 4, 0));
    assert_eq!(rows(&unread)[0], "10.0.0.1 ?? the table was not read yet");
    bench.settle();
    bench.up(0);
    bench.down(1);
    bench.down(3);
    // Before it was written already: what is said before a question counts.
    assert_eq!(
        rows(&bench.status()),
        ["10.0.0.1 +- up", "10.0.0.2 -+ down", "10.0.0.3 ?+ not known yet", "10.0.0.4 -- down"]
    );
    bench.settle();
    bench.down(2);
    bench.settle();
    let status = bench.status();
    assert_eq!(
        rows(&status),
        ["10.0.0.1 ++ up", "10.0.0.2 -- down", "10.0.0.3 ++ held by min_up", "10.0.0.4 -- down"]
    );
    assert_eq!((status.wanted, status.actual, status.held, status.others), (2, Some(2), 1, Some(1)));
    assert_eq!(status.addresses.iter().filter(|of| of.held).count(), 1);
    assert_eq!(*status.addresses[2].rules, [RuleId(2)]);
    assert_eq!((status.written_at, status.error, status.retry_at), (Some(bench.now), None, None));
}

#[test]
fn what_is_to_leave_is_ours_until_it_has_left() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &["10.0.0.3", "10.9.9.9"])]);
    bench.up(0);
    bench.up(1);
    bench.up(2);
    bench.settle();
    // A new rule has the only address that stays.
    let tables = vec![table("web", 5, &["10.0.0.1"])];
    bench.replace(tables);
    bench.settle();
    let status = bench.status();
    assert_eq!((status.managed, status.actual, status.others), (3, Some(3), Some(1)));
    assert_eq!(rows(&status)[1], "10.0.0.2 ?+ no rule names it any more");
    assert!(status.addresses[1].rules.is_empty());
    bench.up(5);
    bench.pass(Duration::from_secs(1));
    assert_eq!(rows(&bench.status()), ["10.0.0.1 ++ up"]);
}

#[test]
fn tables_are_asked_for_by_name_whatever_a_reload_made_of_their_order() {
    let of = |names: &[&str]| names.iter().map(|name| table(name, 0, WEB)).collect::<Vec<_>>();
    let mut bench = Bench::new(of(&["a", "b", "c"]), &[("a", &[]), ("b", &[]), ("c", &[])]);
    let names = |statuses: Vec<TableStatus>| -> Vec<String> {
        statuses.into_iter().map(|status| status.name.to_string()).collect()
    };
    let asked = || Which::Named(["c".into(), "a".into(), "gone".into()].into());
    assert_eq!(names(bench.statuses(asked())), ["a", "c"]);
    bench.replace(of(&["c", "b"]));
    assert_eq!(names(bench.statuses(asked())), ["c"]);
    assert_eq!(names(bench.statuses(Which::All)), ["c", "b"]);
}

#[test]
fn what_is_in_the_way_is_told_with_the_time_of_the_next_try() {
    let tables = vec![table("gone", 0, &["10.0.0.1"]), table("web", 1, &["10.0.0.2"])];
    let mut bench = Bench::new(tables, &[("gone", &[]), ("web", &[])]);
    bench.fake.0.lock().unwrap().moods.insert("gone".to_owned(), Mood::NoTable);
    bench.settle();
    let [gone, web] = <[_; 2]>::try_from(bench.statuses(Which::All)).unwrap();
    assert_eq!(gone.error.as_deref(), Some("there is no such table"));
    assert_eq!(gone.retry_at, Some(bench.now + Duration::from_millis(100)));
    assert_eq!((web.error, web.retry_at), (None, None));
    bench.fake.0.lock().unwrap().moods.clear();
    bench.set(Mood::Absent);
    bench.pass(Duration::from_secs(20));
    for status in bench.statuses(Which::All) {
        assert_eq!(status.error.as_deref(), Some("not there: /dev/pf"), "{}", status.name);
        assert!(status.retry_at.is_some_and(|at| at > bench.now));
    }
}

#[test]
fn a_drain_is_judged_by_what_was_said_before() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.settle();
    bench.up(0);
    bench.down(1);
    bench.down(2);
    bench.ask(1, Question::WouldDrain([RuleId(0)].into()));
    let empty = Objection::Empty { table: "web".into() };
    assert_eq!(bench.answers(), [(1, Answer::WouldDrain(vec![empty]))]);
    bench.up(1);
    bench.ask(2, Question::WouldDrain([RuleId(0)].into()));
    assert_eq!(bench.answers(), [(2, Answer::WouldDrain(Vec::new()))]);
    assert_eq!(bench.writes(), [""; 0], "nothing is done");
}

#[test]
fn reconciling_reads_every_table_now_puts_right_what_differs_and_looks_again() {
    let tables = vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])];
    let mut bench = Bench::new(tables, &[("web", &[]), ("dns", &[])]);
    for rule in 0..4 {
        bench.up(rule);
    }
    bench.pass(Duration::from_secs(1));
    bench.change("web", |contents| {
        contents.remove(&prefix("10.0.0.1"));
        contents.remove(&prefix("10.0.0.2"));
    });
    bench.calls();
    bench.ask(1, Question::Reconcile);
    assert_eq!(bench.answers(), []);
    bench.settle();
    assert_eq!(bench.contents("web"), WEB);
    assert_eq!(bench.answers(), [], "it is not proved yet");
    bench.pass(PROVE_AFTER);
    assert_eq!(bench.reconciled(), well(2, 2));
    bench.ask(2, Question::Reconcile);
    bench.settle();
    assert_eq!(bench.reconciled(), well(2, 0));
}

#[test]
fn reconciling_without_tables_is_done_at_once() {
    let mut bench = Bench::new(Vec::new(), &[]);
    bench.ask(1, Question::Reconcile);
    assert_eq!(bench.reconciled(), well(0, 0));
}

#[test]
fn reconciling_does_not_wait_for_retries_and_names_what_fails() {
    let tables = vec![table("gone", 0, &["10.0.0.1"]), table("web", 1, &["10.0.0.2"])];
    let mut bench = Bench::new(tables, &[("gone", &[]), ("web", &[])]);
    let moods = bench.fake.clone();
    moods.0.lock().unwrap().moods.insert("gone".to_owned(), Mood::NoTable);
    bench.up(0);
    bench.up(1);
    bench.pass(Duration::from_secs(60));
    let failures = vec![("gone".into(), "there is no such table".to_owned())];
    bench.ask(1, Question::Reconcile);
    bench.settle();
    assert_eq!(bench.reconciled(), Reconciled { read: 1, repairs: 0, failures });
    moods.0.lock().unwrap().moods.clear();
    bench.ask(2, Question::Reconcile);
    bench.settle();
    assert_eq!(bench.contents("gone"), ["10.0.0.1"], "long before the next try was due");
    bench.pass(PROVE_AFTER);
    assert_eq!(bench.reconciled(), well(2, 0));
}

#[test]
fn a_firewall_that_is_gone_fails_all_tables_with_one_call() {
    let tables = vec![table("web", 0, WEB), table("dns", 3, &["10.0.1.1"])];
    let mut bench = Bench::new(tables, &[("web", &[]), ("dns", &[])]);
    bench.settle();
    bench.set(Mood::Absent);
    bench.calls();
    bench.ask(1, Question::Reconcile);
    bench.ask(2, Question::Reconcile);
    bench.settle();
    // The second one has asked after the first try began, and has its own.
    assert_eq!(bench.calls().len(), 2);
    let failures: Vec<_> = ["web", "dns"].map(|name| (name.into(), "not there: /dev/pf".to_owned())).into();
    let what = Reconciled { read: 0, repairs: 0, failures };
    let answers = bench.answers();
    assert_eq!(answers, [(1, Answer::Reconciled(what.clone())), (2, Answer::Reconciled(what))]);
    bench.set(Mood::Well);
    bench.ask(3, Question::Reconcile);
    bench.settle();
    assert_eq!(bench.reconciled(), well(2, 0));
}

#[test]
fn a_firewall_that_lies_is_no_success() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.up(0);
    bench.pass(Duration::from_secs(1));
    bench.set(Mood::Lies);
    bench.change("web", BTreeSet::clear);
    bench.ask(1, Question::Reconcile);
    bench.pass(PROVE_AFTER);
    let failures = vec![("web".into(), "it does not hold what was written into it a moment ago".to_owned())];
    assert_eq!(bench.reconciled(), Reconciled { read: 0, repairs: 0, failures });
    for mood in [Mood::Half, Mood::ReadOnly, Mood::Full] {
        bench.set(mood);
        bench.ask(2, Question::Reconcile);
        bench.pass(PROVE_AFTER);
        assert_eq!(bench.reconciled().failures.len(), 1, "{mood:?}");
    }
}

#[test]
fn who_asks_while_tables_are_read_has_them_read_once_more() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.up(0);
    bench.pass(Duration::from_secs(1));
    bench.change("web", BTreeSet::clear);
    bench.ask(1, Question::Reconcile);
    bench.settle();
    bench.calls();
    // It is read and written for the first one; others undo it before it is looked at again.
    bench.ask(2, Question::Reconcile);
    bench.ask(3, Question::Reconcile);
    bench.pass(PROVE_AFTER);
    let all = bench.answers();
    let tickets: Vec<u64> = all.iter().map(|(ticket, _)| *ticket).collect();
    assert_eq!(tickets, [1, 2, 3]);
    assert_eq!(all[0].1, Answer::Reconciled(well(1, 1)));
    assert_eq!(all[1].1, Answer::Reconciled(well(1, 0)));
    assert_eq!(bench.calls(), ["read web", "read web"], "the two have theirs together");
}

#[test]
fn a_reload_in_between_has_the_new_tables_read() {
    let mut bench =
        Bench::new(vec![table("web", 0, WEB), table("dns", 3, WEB)], &[("web", &[]), ("dns", &[])]);
    bench.fake.0.lock().unwrap().tables.insert("new".to_owned(), BTreeSet::new());
    bench.up(0);
    bench.pass(Duration::from_secs(1));
    bench.change("web", BTreeSet::clear);
    bench.ask(1, Question::Reconcile);
    bench.settle();
    bench.replace(vec![table("new", 4, WEB), table("other", 5, WEB), table("web", 0, WEB)]);
    bench.fake.0.lock().unwrap().moods.insert("other".to_owned(), Mood::NoTable);
    bench.calls();
    bench.settle();
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, ["read new", "read other", "read web"]);
    let what = bench.reconciled();
    assert_eq!((what.read, what.failures.len()), (2, 1));
    assert_eq!(what.failures[0].0, "other".into());
}

#[test]
fn at_the_end_nobody_is_left_waiting() {
    let mut bench = Bench::new(vec![table("web", 0, WEB)], &[("web", &[])]);
    bench.ask(1, Question::Reconcile);
    bench.ask(2, Question::Reconcile);
    bench.keeper.answer_no_more();
    let ending = Answer::Unanswered("hfm is ending");
    assert_eq!(bench.answers(), [(1, ending.clone()), (2, ending)]);
    bench.settle();
    assert_eq!(bench.answers(), [], "once each");
}
