//! A firewall that fails, lies and is changed by others, and a keeper before it, in time that is only counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::super::record::Record;
use super::super::{Keeper, Step};
use crate::dataplane::{Change, Contents, DataPlane, Kill, Killed, Managed, Notices, TableError};
use crate::rule::{Combine, Firewall, Member, Prefix, RuleId, Table};
use crate::standing::{Contribution, Standing};
use crate::sys::privilege::Rights;
use crate::sys::state_dir::{Lock, StateDir};
use crate::writer::{Replacement, Settings};

/// What a firewall does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
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
pub(super) struct Model {
    pub(super) mood: Mood,
    /// The mood of single tables, where it is another.
    pub(super) moods: BTreeMap<String, Mood>,
    pub(super) tables: BTreeMap<String, BTreeSet<Prefix>>,
    /// Tables whose addresses are not in their places.
    pub(super) disordered: BTreeSet<String>,
    pub(super) calls: Vec<String>,
    /// It is sure of what it writes, and tells of what others do.
    pub(super) sure: bool,
    pub(super) at_once: usize,
    pub(super) notices: Notices,
    /// What is asked to be forgotten fails.
    pub(super) kills_fail: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Fake(pub(super) Arc<Mutex<Model>>);

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

    fn tables_at_once(&self) -> usize {
        self.0.lock().unwrap().at_once
    }

    fn is_sure(&self) -> bool {
        self.0.lock().unwrap().sure
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        self.call("read", table.name, &[])?;
        let model = self.0.lock().unwrap();
        let addresses = model.tables.get(table.name).into_iter().flatten().copied().collect();
        Ok(Contents { addresses, disordered: model.disordered.contains(table.name) })
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        if changes.len() > 1 {
            self.0.lock().unwrap().calls.push(format!("together {}", changes.len()));
        }
        let one = |Change { table, add, remove }: &Change<'_>| {
            if add.is_empty() && remove.is_empty() {
                self.call("order", table.name, table.members)?;
            }
            self.0.lock().unwrap().disordered.remove(table.name);
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
        let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let mut model = self.0.lock().unwrap();
        model.calls.push(format!("kill {what:?} {}", list.join(" ")));
        if model.kills_fail {
            return Err(TableError::Other("it will not".to_owned()));
        }
        Ok(Killed::default())
    }

    fn take_notices(&mut self) -> Notices {
        std::mem::take(&mut self.0.lock().unwrap().notices)
    }
}

pub(super) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

pub(super) fn table(name: &str, first_rule: u32, addresses: &[&str]) -> Table {
    let members = (first_rule..).zip(addresses).map(|(rule, address)| Member {
        address: prefix(address),
        combine: Combine::All,
        backup: false,
        kill_states: false,
        rules: vec![RuleId(rule)],
    });
    Table { name: name.into(), min_up: None, panic: None, members: members.collect() }
}

pub(super) fn settings(tables: Vec<Table>, fake: &Fake, state_dir: Option<Arc<StateDir>>) -> Settings {
    Settings {
        tables: tables.into(),
        rules: 10,
        plane: Box::new(fake.clone()),
        firewall: Firewall::default(),
        state_dir,
        rights: Rights::NONE,
    }
}

pub(super) struct Bench {
    pub(super) keeper: Keeper,
    pub(super) fake: Fake,
    pub(super) now: Instant,
}

impl Bench {
    pub(super) fn new(tables: Vec<Table>, contents: &[(&str, &[&str])]) -> Self {
        let tables_of = contents.iter().map(|(name, addresses)| {
            ((*name).to_owned(), addresses.iter().map(|address| prefix(address)).collect())
        });
        let model = Model {
            mood: Mood::Well,
            moods: BTreeMap::new(),
            tables: tables_of.collect(),
            disordered: BTreeSet::new(),
            calls: Vec::new(),
            sure: false,
            at_once: 1,
            notices: Notices::default(),
            kills_fail: false,
        };
        let fake = Fake(Arc::new(Mutex::new(model)));
        #[expect(clippy::disallowed_methods, reason = "an instant to count from")]
        let now = Instant::now();
        let settings = settings(tables, &fake, None);
        Self { keeper: Keeper::new(settings, Record::default(), now), fake, now }
    }

    /// The same again, as the next process, with what was remembered in a directory.
    pub(super) fn restart(&mut self, tables: Vec<Table>, state_dir: &Path) {
        // The one before lets go of the directory.
        self.keeper.record = Record::default();
        let dir = StateDir::open(state_dir.to_str().unwrap(), Lock::Exclusive).unwrap();
        let settings = settings(tables, &self.fake, Some(Arc::new(dir)));
        let record = Record::open(&settings);
        self.keeper = Keeper::new(settings, record, self.now);
    }

    /// Goes over to these tables; no rule has changed.
    pub(super) fn reload(&mut self, tables: Vec<Table>) {
        let reconcile = Firewall::default().reconcile;
        let replacement = Replacement { tables: tables.into(), carried: vec![true; 10], reconcile };
        self.keeper.replace(replacement, self.now);
    }

    pub(super) fn say(&mut self, rule: u32, contribution: Contribution) {
        let standing = Standing { contribution, since: self.now, stale: false, settled: true };
        self.keeper.on_standing(RuleId(rule), standing);
    }

    pub(super) fn up(&mut self, rule: u32) {
        self.say(rule, Contribution::Up);
    }

    pub(super) fn down(&mut self, rule: u32) {
        self.say(rule, Contribution::Down { drained: false });
    }

    /// Goes on until nothing is due any more; when it wants to go on.
    pub(super) fn settle(&mut self) -> Option<Instant> {
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
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.settle().filter(|at| *at <= until) {
            self.now = at;
        }
        self.now = until;
        self.settle();
    }

    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.0.lock().unwrap().calls)
    }

    pub(super) fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| !call.starts_with("read")).collect()
    }

    pub(super) fn contents(&self, table: &str) -> Vec<String> {
        self.fake.0.lock().unwrap().tables[table].iter().map(ToString::to_string).collect()
    }

    /// Writes what is to be written and ends.
    pub(super) fn finish(&mut self) {
        let now = self.now;
        while self.keeper.finish_step(&mut || now) == Step::Did {}
    }

    pub(super) fn set_of(&self, table: &str, mood: Mood) {
        self.fake.0.lock().unwrap().moods.insert(table.to_owned(), mood);
    }

    /// A firewall that is sure of what it writes, takes several tables in one go, and tells what others do.
    pub(super) fn modern(self) -> Self {
        let mut model = self.fake.0.lock().unwrap();
        (model.sure, model.at_once) = (true, 100);
        drop(model);
        self
    }

    /// Others do something to a table, and the firewall tells of it.
    pub(super) fn foreign(&mut self, table: &str, change: impl FnOnce(&mut BTreeSet<Prefix>)) {
        self.change(table, change);
        self.fake.0.lock().unwrap().notices.tables.insert(table.into());
        self.keeper.on_notices(self.now);
    }

    /// Others move the addresses of a table to other places.
    pub(super) fn disorder(&self, table: &str) {
        self.fake.0.lock().unwrap().disordered.insert(table.to_owned());
    }

    pub(super) fn kills_fail(&self, fail: bool) {
        self.fake.0.lock().unwrap().kills_fail = fail;
    }

    pub(super) fn repairs(&mut self) -> u64 {
        self.keeper.tables.iter().map(|kept| kept.repairs).sum()
    }

    pub(super) fn set(&self, mood: Mood) {
        self.fake.0.lock().unwrap().mood = mood;
    }

    pub(super) fn change(&self, table: &str, change: impl FnOnce(&mut BTreeSet<Prefix>)) {
        change(self.fake.0.lock().unwrap().tables.get_mut(table).unwrap());
    }
}
