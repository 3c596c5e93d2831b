//! What rules, overrides and tables must be once all is quiet, from the words of SPEC.md sections 5 to 7.
//!
//! What the text leaves to moments that nobody outside sees is not guessed: the step is [`Ambiguous`] then, and
//! histories are drawn without it.

use std::collections::{BTreeMap, BTreeSet};

use crate::configuration::{Configuration, Rule, Status, Terms, address};
use crate::decision::{self, Address, Ambiguous, Combined, Says, who_is_in};
use crate::random::Rng;

/// Orders of several changes that are tried, for they must not matter.
const ORDERS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    Drained,
    Disabled,
    AlwaysFail,
    AlwaysSuccess,
}

/// Up, down or not known, and whether it is down only on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) up: Option<bool>,
    drained: bool,
}

/// A word that a rule's change command left, or may have left when hfm was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) up: bool,
    pub(crate) maybe: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) contents: BTreeSet<String>,
    /// Addresses that are ours.
    managed: BTreeSet<usize>,
    /// When an address that is down went down, if that can be told, and the rules that were.
    failed: BTreeMap<usize, (Option<u64>, BTreeSet<String>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) terms: Terms,
    pub(crate) configuration: Configuration,
    pub(crate) open: Vec<bool>,
    pub(crate) overrides: BTreeMap<String, Override>,
    pub(crate) tables: Vec<Table>,
    pub(crate) changes: BTreeMap<String, Vec<Announced>>,
    own: BTreeMap<String, Option<bool>>,
    announced: BTreeMap<String, Option<bool>>,
    /// What rules said when all was quiet last, or say at their begin.
    pub(crate) said: BTreeMap<String, Says>,
    moment: u64,
}

impl Model {
    /// Before hfm runs.
    pub(crate) fn new(
        terms: Terms,
        configuration: Configuration,
        open: Vec<bool>,
        tables: Vec<Table>,
    ) -> Self {
        let mut model = Self {
            terms,
            configuration: Configuration::default(),
            open,
            overrides: BTreeMap::new(),
            tables,
            changes: BTreeMap::new(),
            own: BTreeMap::new(),
            announced: BTreeMap::new(),
            said: BTreeMap::new(),
            moment: 0,
        };
        model.reload(configuration);
        model
    }

    /// hfm has another configuration.
    pub(crate) fn reload(&mut self, new: Configuration) {
        let old = std::mem::replace(&mut self.configuration, new);
        let is_kept = |rule: &Rule| old.find(&rule.name).is_some_and(|before| before.is_tested_as(rule));
        let (old_names, announced) = (old.rules.iter().map(|rule| &rule.name), self.announced.clone());
        let begins: Vec<Rule> =
            self.configuration.rules.iter().filter(|rule| !is_kept(rule)).cloned().collect();
        let announced_before: Vec<&String> = old_names.filter(|name| self.counts_as_set(name)).collect();
        self.begin(&begins);
        // What an operator has set is not interrupted by another address.
        for name in announced_before {
            if let Some(now) = self.announced.get_mut(name) {
                *now = announced[name];
            }
        }
    }

    /// hfm was started again.
    pub(crate) fn restart(&mut self) {
        let all = self.configuration.rules.clone();
        self.begin(&all);
        for table in &mut self.tables {
            table.failed.values_mut().for_each(|(moment, _)| *moment = None);
        }
    }

    fn begin(&mut self, rules: &[Rule]) {
        for rule in rules {
            let own = match rule.status {
                Status::Enabled | Status::Disabled => None,
                Status::AlwaysFail => Some(false),
                Status::AlwaysSuccess => Some(true),
            };
            self.own.insert(rule.name.clone(), own);
            self.announced.insert(rule.name.clone(), None);
            for table in &mut self.tables {
                if let Some((moment, _)) = table.failed.get_mut(&rule.address) {
                    *moment = None;
                }
            }
        }
        let names: Vec<String> = self.configuration.rules.iter().map(|rule| rule.name.clone()).collect();
        self.own.retain(|name, _| names.contains(name));
        self.announced.retain(|name, _| names.contains(name));
        // What each says before its first verdict; those that require it know no more then.
        let beginning: Vec<String> = rules.iter().map(|rule| rule.name.clone()).collect();
        let says = self.configuration.rules.iter().map(|rule| (rule.name.clone(), self.says(rule)));
        let now: BTreeMap<String, Says> = says.collect();
        let before = std::mem::take(&mut self.said);
        let keep = |name: &String, says: Says| match before.get(name) {
            Some(said) if !beginning.contains(name) && says != Says::Unknown => *said,
            _ => says,
        };
        self.said = now.into_iter().map(|(name, says)| (name.clone(), keep(&name, says))).collect();
    }

    /// Whether its state does not depend on its verdicts.
    fn counts_as_set(&self, name: &str) -> bool {
        match self.overrides.get(name) {
            Some(Override::Drained | Override::AlwaysFail | Override::AlwaysSuccess) => true,
            Some(Override::Disabled) | None => false,
        }
    }

    /// How many addresses of others a table holds, if any rule names it.
    pub(crate) fn others(&self, table: usize) -> Option<usize> {
        let named = self.configuration.rules.iter().filter(|rule| rule.tables.contains(&table));
        let named: BTreeSet<String> = named.map(|rule| address(rule.address)).collect();
        (!named.is_empty()).then(|| self.tables[table].contents.difference(&named).count())
    }

    fn set(&self, rule: &Rule) -> Option<Override> {
        self.overrides.get(&rule.name).copied()
    }

    /// Whether it runs.
    pub(crate) fn is_tested(&self, rule: &Rule) -> bool {
        rule.status != Status::Disabled && self.set(rule) != Some(Override::Disabled)
    }

    /// By its own verdicts or its `status`.
    pub(crate) fn own(&self, rule: &Rule) -> Option<bool> {
        self.own[&rule.name]
    }

    /// Its effective state, with what is set.
    pub(crate) fn state(&self, rule: &Rule) -> State {
        let own = self.own(rule);
        match self.set(rule) {
            Some(Override::Drained) => return State { up: Some(false), drained: true },
            Some(Override::AlwaysFail) => return State { up: Some(false), drained: false },
            Some(Override::AlwaysSuccess) => return State { up: Some(true), drained: false },
            Some(Override::Disabled) => return State { up: own, drained: false },
            None => {}
        }
        let required: Vec<State> = rule.requires.iter().filter_map(|name| self.required(name)).collect();
        let is_down =
            own == Some(false) || required.iter().any(|state| state.up == Some(false) && !state.drained);
        if is_down {
            State { up: Some(false), drained: false }
        } else if required.iter().any(|state| state.drained) {
            State { up: Some(false), drained: true }
        } else if own.is_none() || required.iter().any(|state| state.up.is_none()) {
            State { up: None, drained: false }
        } else {
            State { up: Some(true), drained: false }
        }
    }

    /// The state of a rule that is required; `None`: it is ignored.
    fn required(&self, name: &str) -> Option<State> {
        let rule = self.configuration.find(name).expect("only what is there is required");
        let state = self.state(rule);
        let is_still = rule.status == Status::Disabled || self.set(rule) == Some(Override::Disabled);
        (!is_still || state.up.is_some()).then_some(state)
    }

    fn says(&self, rule: &Rule) -> Says {
        if rule.status == Status::Disabled && self.set(rule).is_none() {
            return Says::Nothing;
        }
        match self.state(rule) {
            State { up: None, .. } => Says::Unknown,
            State { up: Some(true), .. } => Says::Up,
            State { up: Some(false), drained } => Says::Down { drained },
        }
    }

    /// All rules that run have had their verdicts, and all that follows is done. `maybe`: hfm may be killed before
    /// that is so.
    pub(crate) fn settle(&mut self, maybe: bool) -> Result<(), Ambiguous> {
        let own_before = self.own.clone();
        for rule in &self.configuration.rules {
            if rule.status == Status::Enabled && self.is_tested(rule) {
                self.own.insert(rule.name.clone(), Some(self.open[rule.target]));
            }
        }
        self.announce(&own_before, maybe)?;
        let now: BTreeMap<String, Says> =
            self.configuration.rules.iter().map(|rule| (rule.name.clone(), self.says(rule))).collect();
        for number in 0..self.tables.len() {
            self.tables[number] = self.settled_table(number, &now)?;
        }
        self.said = now;
        self.moment += 1;
        Ok(())
    }

    fn announce(
        &mut self,
        own_before: &BTreeMap<String, Option<bool>>,
        maybe: bool,
    ) -> Result<(), Ambiguous> {
        let states: Vec<(Rule, State)> =
            self.configuration.rules.iter().map(|rule| (rule.clone(), self.state(rule))).collect();
        // One that follows several, of which one goes up and another one down, may or may not change in between.
        for (rule, _) in &states {
            let own = (own_before[&rule.name], self.own(rule));
            let required = rule.requires.iter().map(|name| {
                let (_, state) = states.iter().find(|(rule, _)| rule.name == *name).expect("it is there");
                (self.announced[name], state.up)
            });
            let all: Vec<_> = required.chain([own]).collect();
            if all.contains(&(Some(true), Some(false))) && all.contains(&(Some(false), Some(true))) {
                return Err(Ambiguous);
            }
        }
        for (rule, state) in states {
            let before = self.announced.insert(rule.name.clone(), state.up.or(self.announced[&rule.name]));
            if let Some(up) = state.up
                && before != Some(Some(up))
                && rule.announces()
            {
                self.changes.entry(rule.name).or_default().push(Announced { up, maybe });
            }
        }
        Ok(())
    }

    /// A table once these words have come, in whatever order.
    fn settled_table(&self, number: usize, now: &BTreeMap<String, Says>) -> Result<Table, Ambiguous> {
        let changed: Vec<&String> =
            now.iter().filter(|(name, says)| self.said[*name] != **says).map(|(name, _)| name).collect();
        let mut orders = vec![changed.clone()];
        let mut random = Rng::new(self.moment + 1);
        for _ in 0..if changed.len() > 1 { ORDERS } else { 0 } {
            let mut rest = changed.clone();
            orders.push((0..rest.len()).map(|_| rest.swap_remove(random.below(rest.len()))).collect());
        }
        let mut ends = Vec::new();
        for order in &orders {
            ends.push(self.play(number, order, now, false)?);
        }
        if !changed.is_empty() {
            ends.push(self.play(number, &changed, now, true)?);
        }
        let mut end = ends.pop().expect("one at least");
        for other in ends {
            if other.contents != end.contents {
                return Err(Ambiguous);
            }
            for (address, (moment, _)) in &mut end.failed {
                if other.failed.get(address).is_none_or(|(other, _)| other != moment) {
                    *moment = None;
                }
            }
        }
        Ok(end)
    }

    /// The words come one by one; or all at once, so that nothing is decided on what was before them.
    fn play(
        &self,
        number: usize,
        order: &[&String],
        now: &BTreeMap<String, Says>,
        at_once: bool,
    ) -> Result<Table, Ambiguous> {
        let mut table = self.tables[number].clone();
        let named: BTreeSet<usize> = self
            .configuration
            .rules
            .iter()
            .filter(|rule| rule.tables.contains(&number))
            .map(|rule| rule.address)
            .collect();
        if named.is_empty() {
            table.managed.clear();
            table.failed.clear();
            return Ok(table);
        }
        table.failed.retain(|address, _| named.contains(address));
        let mut said = self.said.clone();
        if !at_once {
            self.decide(number, &mut table, &named, &said, self.moment * 100)?;
        }
        for (name, moment) in order.iter().zip(self.moment * 100 + 1..) {
            said.insert((*name).clone(), now[*name]);
            if !at_once {
                self.decide(number, &mut table, &named, &said, moment)?;
            }
        }
        self.decide(number, &mut table, &named, &said, self.moment * 100 + 99)?;
        for gone in table.managed.difference(&named) {
            table.contents.remove(&address(*gone));
        }
        table.managed = named.clone();
        // What was the last one to leave leaves it empty.
        self.decide(number, &mut table, &named, &said, self.moment * 100 + 99)?;
        Ok(table)
    }

    fn decide(
        &self,
        number: usize,
        table: &mut Table,
        named: &BTreeSet<usize>,
        said: &BTreeMap<String, Says>,
        moment: u64,
    ) -> Result<(), Ambiguous> {
        let mut all = Vec::new();
        for place in named {
            let combined = self.combined(number, *place, said);
            let is_down = |rule: &&Rule| matches!(said[&rule.name], Says::Down { .. });
            let down: BTreeSet<String> = self
                .configuration
                .naming(number, *place)
                .filter(is_down)
                .map(|rule| rule.name.clone())
                .collect();
            match (combined, table.failed.get_mut(place)) {
                (Combined::Down { drained: false }, None) => {
                    drop(table.failed.insert(*place, (Some(moment), down)))
                }
                // A rule less, or another one: by which of them it is down is anybody's guess.
                (Combined::Down { drained: false }, Some((failed, before))) => {
                    if !before.is_subset(&down) {
                        *failed = None;
                    }
                    *before = down;
                }
                // What fails under its drain has failed at a moment that is not seen.
                (Combined::Down { drained: true }, _) => drop(table.failed.insert(*place, (None, down))),
                (Combined::Nothing | Combined::Unknown | Combined::Up, _) => drop(table.failed.remove(place)),
            }
            all.push(Address {
                combined,
                backup: self.terms.addresses[*place].backup,
                is_in: table.contents.contains(&address(*place)),
                failed: table.failed.get(place).and_then(|(moment, _)| *moment),
            });
        }
        let ours: BTreeSet<String> = named.iter().map(|place| address(*place)).collect();
        let others = table.contents.difference(&ours).next().is_some();
        let is_in = who_is_in(self.terms.tables[number], &all, others)?;
        for (place, is_in) in named.iter().zip(is_in) {
            match is_in {
                true => table.contents.insert(address(*place)),
                false => table.contents.remove(&address(*place)),
            };
        }
        Ok(())
    }

    pub(crate) fn combined(&self, table: usize, place: usize, said: &BTreeMap<String, Says>) -> Combined {
        let words: Vec<Says> = self.configuration.naming(table, place).map(|rule| said[&rule.name]).collect();
        decision::combine(self.configuration.combine(&self.terms, place), &words)
    }

    /// Whether the text says clearly if an address is in: it is repaired then.
    pub(crate) fn is_definite(&self, table: usize, place: usize) -> bool {
        let is_known = |combined| matches!(combined, Combined::Up | Combined::Down { .. });
        self.configuration.naming(table, place).next().is_some()
            && is_known(self.combined(table, place, &self.said))
    }
}
