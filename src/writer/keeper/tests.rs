//! The keeper before a firewall that fails, lies and is changed by others, in time that is only counted.

mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::dataplane::{Change, Contents, Kill, Killed, Managed};
use crate::rule::{Combine, Firewall, Member, Table};
use crate::standing::Contribution;
use crate::sys::privilege::Rights;
use crate::sys::state_dir::{Lock, StateDir};

/// What a firewall does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    NoTable,
    Absent,
    /// May be read and not written.
    ReadOnly,
    /// Takes addresses out and none in: it is full.
    Full,
    /// Says that it is done, and does nothing.
    Lies,
    /// Does the first half of a write, then fails.
    Half,
}

#[derive(Debug)]
struct Model {
    mood: Mood,
    /// The mood of single tables, where it is another.
    moods: BTreeMap<String, Mood>,
    tables: BTreeMap<String, BTreeSet<Prefix>>,
    calls: Vec<String>,
}

#[derive(Clone, Debug)]
struct Fake(Arc<Mutex<Model>>);

impl Fake {
    fn call(&self, what: &str, table: &str, addresses: &[Prefix]) -> Result<Mood, TableError> {
        let mut model = self.0.lock().unwrap();
        let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        model.calls.push(format!("{what} {table} {}", list.join(" ")).trim_end().to_owned());
        let mood = model.moods.get(table).copied().unwrap_or(model.mood);
        match mood {
            Mood::NoTable => Err(TableError::NoTable),
            Mood::Absent => Err(TableError::Absent("/dev/pf".to_owned())),
            Mood::ReadOnly if what != "read" => Err(TableError::NotPermitted("/dev/pf".to_owned())),
            Mood::Full if what == "add" => Err(TableError::Other("too many elements".to_owned())),
            Mood::Well | Mood::Lies | Mood::Half | Mood::ReadOnly | Mood::Full => Ok(mood),
        }
    }

    fn change(
        &self,
        what: &str,
        table: &str,
        addresses: &[Prefix],
        change: impl Fn(&mut BTreeSet<Prefix>, Prefix),
    ) -> Result<(), TableError> {
        let mood = self.call(what, table, addresses)?;
        let count = match mood {
            Mood::Well | Mood::NoTable | Mood::Absent | Mood::ReadOnly | Mood::Full => addresses.len(),
            Mood::Lies => 0,
            Mood::Half => addresses.len() / 2,
        };
        let mut model = self.0.lock().unwrap();
        let contents = model.tables.entry(table.to_owned()).or_default();
        addresses.iter().take(count).for_each(|address| change(contents, *address));
        if mood == Mood::Half { Err(TableError::Other("half of it".to_owned())) } else { Ok(()) }
    }
}

impl DataPlane for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn how_to_make(&self, table: &str) -> String {
        format!("make {table}")
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        self.call("read", table.name, &[])?;
        let model = self.0.lock().unwrap();
        Ok(Contents::of(model.tables.get(table.name).into_iter().flatten().copied().collect()))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        let one = |Change { table, add, remove }: &Change<'_>| {
            if !add.is_empty() {
                self.change("add", table.name, add, |contents, address| _ = contents.insert(address))?;
            }
            if !remove.is_empty() {
                self.change("remove", table.name, remove, |contents, address| _ = contents.remove(&address))?;
            }
            Ok(())
        };
        changes.iter().map(one).collect()
    }

    fn kill(&mut self, addresses: &[Prefix], what: Kill) -> Result<Killed, TableError> {
        self.call(&format!("kill {what:?}"), "", addresses)?;
        Ok(Killed::default())
    }
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn table(name: &str, first_rule: u32, addresses: &[&str]) -> Table {
    let members = (first_rule..).zip(addresses).map(|(rule, address)| Member {
        address: prefix(address),
        combine: Combine::All,
        backup: false,
        kill_states: false,
        rules: vec![RuleId(rule)],
    });
    Table { name: name.into(), min_up: None, panic: None, members: members.collect() }
}

fn settings(tables: Vec<Table>, fake: &Fake, state_dir: Option<Arc<StateDir>>) -> Settings {
    Settings {
        tables: tables.into(),
        rules: 10,
        plane: Box::new(fake.clone()),
        firewall: Firewall::default(),
        state_dir,
        rights: Rights::NONE,
    }
}

struct Bench {
    keeper: Keeper,
    fake: Fake,
    now: Instant,
}

impl Bench {
    fn new(tables: Vec<Table>, contents: &[(&str, &[&str])]) -> Self {
        let tables_of = contents.iter().map(|(name, addresses)| {
            ((*name).to_owned(), addresses.iter().map(|address| prefix(address)).collect())
        });
        let model = Model {
            mood: Mood::Well,
            moods: BTreeMap::new(),
            tables: tables_of.collect(),
            calls: Vec::new(),
        };
        let fake = Fake(Arc::new(Mutex::new(model)));
        #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
        let now = Instant::now();
        let settings = settings(tables, &fake, None);
        Self { keeper: Keeper::new(settings, Record::default(), now), fake, now }
    }

    /// The same again, as the next process, with what was remembered in a directory.
    fn restart(&mut self, tables: Vec<Table>, state_dir: &Path) {
        // The one before lets go of the directory.
        self.keeper.record = Record::default();
        let dir = StateDir::open(state_dir.to_str().unwrap(), Lock::Exclusive).unwrap();
        let settings = settings(tables, &self.fake, Some(Arc::new(dir)));
        let record = Record::open(&settings);
        self.keeper = Keeper::new(settings, record, self.now);
    }

    fn say(&mut self, rule: u32, contribution: Contribution) {
        let standing = Standing { contribution, since: self.now, stale: false, settled: true };
        self.keeper.on_standing(RuleId(rule), standing);
    }

    fn up(&mut self, rule: u32) {
        self.say(rule, Contribution::Up);
    }

    fn down(&mut self, rule: u32) {
        self.say(rule, Contribution::Down { drained: false });
    }

    /// Goes on until nothing is due any more; when it wants to go on.
    fn settle(&mut self) -> Option<Instant> {
        for _ in 0..1000 {
            let now = self.now;
            if let Step::Idle(at) = self.keeper.step(&mut || now) {
                assert!(at.is_none_or(|at| at > now), "it would never rest");
                return at;
            }
        }
        panic!("it does not come to rest: {:?}", self.calls());
    }

    /// Lets time pass, with every step that becomes due in it.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.settle().filter(|at| *at <= until) {
            self.now = at;
        }
        self.now = until;
        self.settle();
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.0.lock().unwrap().calls)
    }

    fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| !call.starts_with("read")).collect()
    }

    fn contents(&self, table: &str) -> Vec<String> {
        self.fake.0.lock().unwrap().tables[table].iter().map(ToString::to_string).collect()
    }

    fn set(&self, mood: Mood) {
        self.fake.0.lock().unwrap().mood = mood;
    }

    fn change(&self, table: &str, change: impl FnOnce(&mut BTreeSet<Prefix>)) {
        change(self.fake.0.lock().unwrap().tables.get_mut(table).unwrap());
    }
}

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
    bench.calls();
    bench.set(Mood::Well);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.calls()[..2], ["read web", "add web 10.0.0.2 10.0.0.3"]);
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
