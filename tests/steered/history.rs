//! Histories: what operators, files, targets and the world do to hfm, drawn so that the text says what must come of it.

use std::collections::BTreeSet;

use crate::configuration::{Configuration, Rule, Status, Terms, address};
use crate::decision::Ambiguous;
use crate::model::{Model, Override, Table};
use crate::random::Rng;
use crate::step::{Broken, Lasts, Step, apply, matches, matching};

/// Draws until one is clear.
const TRIES: usize = 200;

/// A history as it is drawn, with what must be after each of its steps.
pub(crate) struct History {
    random: Rng,
    pub(crate) model: Model,
    /// What to go back to, once rules are lost.
    whole: Option<Configuration>,
    /// Names of rules that are gone.
    gone: BTreeSet<String>,
    names: usize,
    pub(crate) targets: usize,
}

/// Targets there are in all: more than any history has rules.
pub(crate) const TARGETS: usize = 40;

impl History {
    /// With the first configuration, and what tables hold before hfm comes.
    pub(crate) fn draw(seed: u64) -> Self {
        for attempt in 0.. {
            let mut random = Rng::new(seed * 1000 + attempt);
            let terms = Terms::draw(&mut random);
            let configuration = Configuration::draw(&mut random, &terms);
            let open = (0..TARGETS).map(|_| random.percent(70)).collect();
            let tables = terms.tables.iter().map(|_| {
                let mut table = Table::default();
                for number in 0..terms.addresses.len() {
                    if random.percent(30) {
                        table.contents.insert(address(number));
                    }
                }
                if random.percent(30) {
                    table.contents.insert("10.9.9.9".to_owned());
                }
                table
            });
            let tables = tables.collect();
            let names = configuration.rules.len();
            let mut model = Model::new(terms, configuration, open, tables);
            let before = model.clone();
            if model.settle(false).is_ok() {
                let gone = BTreeSet::new();
                return Self { random, model: before, whole: None, gone, names, targets: names };
            }
        }
        unreachable!("there is no end to attempts")
    }

    /// hfm was started and all is quiet.
    pub(crate) fn start(&mut self) {
        self.model.settle(false).expect("it was drawn so");
    }

    /// The next steps, done one after the other at once. The model is as it must be after them.
    pub(crate) fn next(&mut self) -> Vec<Step> {
        loop {
            let count = if self.random.percent(30) { 2 + self.random.below(2) } else { 1 };
            let mut steps: Vec<Step> = Vec::new();
            let (mut one_by_one, mut joint) = (self.model.clone(), self.model.clone());
            let mut tries = 0;
            while steps.len() < count && tries < TRIES && !steps.iter().any(Step::ends_hfm) {
                tries += 1;
                let Some(step) = self.draw_step(&one_by_one) else { continue };
                let is_reload = |step: &Step| matches!(step, Step::Reload(..));
                if count > 1 && step.stands_alone() || is_reload(&step) && steps.iter().any(is_reload) {
                    continue;
                }
                let mut after = one_by_one.clone();
                if apply(&mut after, &step).and_then(|()| after.settle(false)).is_err() {
                    continue;
                }
                if apply(&mut joint, &step).is_err() {
                    break;
                }
                one_by_one = after;
                steps.push(step);
            }
            let is_whole = steps.len() == count || steps.last().is_some_and(Step::ends_hfm);
            if is_whole && let Ok(model) = self.together(&steps, one_by_one, joint) {
                self.remember(&steps);
                self.model = model;
                return steps;
            }
        }
    }

    /// What must be after these, when it matters neither whether each comes to its end before the next one nor, if
    /// hfm is ended, how far it had come.
    fn together(&self, steps: &[Step], one_by_one: Model, mut joint: Model) -> Result<Model, Ambiguous> {
        if steps.len() == 1 {
            return Ok(one_by_one);
        }
        joint.settle(false)?;
        if joint.tables.iter().zip(&one_by_one.tables).any(|(one, other)| one.contents != other.contents) {
            return Err(Ambiguous);
        }
        if !steps.last().is_some_and(Step::ends_hfm) {
            return if joint.changes == one_by_one.changes { Ok(one_by_one) } else { Err(Ambiguous) };
        }
        // Commands of before its end may have been run or not.
        let mut model = self.model.clone();
        for step in &steps[..steps.len() - 1] {
            apply(&mut model, step)?;
            model.settle(true)?;
        }
        model.restart();
        model.settle(false)?;
        Ok(model)
    }

    fn remember(&mut self, steps: &[Step]) {
        for step in steps {
            let Step::Reload(what, new) = step else { continue };
            let before = std::mem::take(&mut self.gone);
            let old = self.model.configuration.rules.iter().map(|rule| rule.name.clone());
            self.gone = before.into_iter().chain(old).filter(|name| new.find(name).is_none()).collect();
            self.names = self.names.max(self.names_in(new));
            self.targets += usize::from(*what == "added");
            self.whole = match *what {
                "lost include" | "lost table" | "no rules" => {
                    Some(self.whole.take().unwrap_or_else(|| self.model.configuration.clone()))
                }
                "restored" => None,
                _ => self.whole.take(),
            };
            self.model.configuration = new.clone();
        }
    }

    fn names_in(&self, configuration: &Configuration) -> usize {
        let number = |rule: &Rule| rule.name.rsplit_once('r')?.1.parse::<usize>().ok();
        configuration.rules.iter().filter_map(number).max().map_or(0, |number| number + 1)
    }

    fn draw_step(&mut self, model: &Model) -> Option<Step> {
        let rules = &model.configuration.rules;
        match self.random.below(20) {
            0..=3 => {
                let rule = rules.get(self.random.below(rules.len().max(1)))?;
                Some(Step::Toggle(rule.target))
            }
            4..=8 => self.draw_reload(model),
            9 => {
                let all = [Broken::Cut, Broken::Scheme, Broken::NoInclude, Broken::Blank, Broken::Plane];
                Some(Step::Broken(all[self.random.below(all.len())]))
            }
            10..=12 => {
                let rules = self.draw_pattern(model);
                let names = matching(&model.configuration, &rules);
                if names.is_empty() || names.iter().any(|name| is_touchy(model, name)) {
                    return None;
                }
                let force = self.random.percent(30);
                let is_refused = !force && model.objects_to_drain(&names).ok()?;
                Some(Step::Drain { rules, lasts: self.draw_lasts(), force, is_refused })
            }
            13 | 14 => {
                let kinds = [Override::Disabled, Override::AlwaysFail, Override::AlwaysSuccess];
                let kind = kinds[self.random.below(3)];
                let rules = self.draw_pattern(model);
                let names = matching(&model.configuration, &rules);
                let is_refused = |name: &String| {
                    is_touchy(model, name) || kind == Override::Disabled && !can_disable(model, name)
                };
                if names.is_empty() || names.iter().any(is_refused) {
                    return None;
                }
                Some(Step::Set { rules, kind, lasts: self.draw_lasts() })
            }
            15 | 16 => {
                let set: Vec<&String> = model.overrides.keys().collect();
                if set.is_empty() {
                    return None;
                }
                let name = set[self.random.below(set.len())].clone();
                let rules = if self.random.percent(30) { self.draw_pattern(model) } else { name };
                // Whether a pattern is meant for rules that are gone is not said.
                let is_gone = |name: &&&String| model.configuration.find(name).is_none();
                let is_vague =
                    rules.ends_with('*') && set.iter().filter(is_gone).any(|name| matches(&rules, name));
                let any = set.iter().any(|name| matches(&rules, name));
                (any && !is_vague).then_some(Step::Enable { rules })
            }
            17 => self.draw_hand(model),
            18 => self.can_end(model).then_some(Step::Kill),
            _ => self.can_end(model).then_some(Step::Terminate),
        }
    }

    /// An hfm without a rule that is enabled does not stay.
    fn can_end(&self, model: &Model) -> bool {
        model.configuration.rules.iter().any(|rule| rule.status != Status::Disabled)
    }

    fn draw_lasts(&mut self) -> Lasts {
        [Lasts::On, Lasts::On, Lasts::Long, Lasts::Short][self.random.below(4)]
    }

    fn draw_pattern(&mut self, model: &Model) -> String {
        let rules = &model.configuration.rules;
        match self.random.below(8) {
            0 => "*".to_owned(),
            1 => "g/*".to_owned(),
            2 => "r*".to_owned(),
            _ if rules.is_empty() => "*".to_owned(),
            _ => rules[self.random.below(rules.len())].name.clone(),
        }
    }

    /// Somebody changes a table by hand.
    fn draw_hand(&mut self, model: &Model) -> Option<Step> {
        let table = self.random.below(model.terms.tables.len());
        let contents = &model.tables[table].contents;
        if self.random.percent(50) {
            let foreign = format!("10.9.9.{}", 7 + self.random.below(3));
            let comes = !contents.contains(&foreign);
            return Some(Step::Foreign { table, address: foreign, comes });
        }
        let number = self.random.below(model.terms.addresses.len());
        let comes = !contents.contains(&address(number));
        let ask = self.random.percent(50);
        model.is_definite(table, number).then_some(Step::Tamper { table, address: number, comes, ask })
    }

    fn draw_reload(&mut self, model: &Model) -> Option<Step> {
        let old = &model.configuration;
        if self.whole.is_some() {
            let whole = self.whole.clone().filter(|_| self.random.percent(70))?;
            return Some(Step::Reload("restored", whole));
        }
        if old.rules.is_empty() {
            return None;
        }
        let mut new = old.clone();
        let place = self.random.below(new.rules.len());
        let name = new.rules[place].name.clone();
        let what = match self.random.below(11) {
            0 => {
                new = old.without(|rule| rule.name == name);
                "removed"
            }
            1 | 2 => {
                let fresh = self.draw_name(false);
                let rule = old.draw_rule(&mut self.random, &model.terms, fresh, self.targets);
                if self.targets + 1 >= TARGETS
                    || model.overrides.contains_key(&rule.name) && rule.status != Status::Enabled
                {
                    return None;
                }
                new.rules.push(rule);
                "added"
            }
            3 | 4 => {
                let grouped = self.random.percent(50);
                let fresh = self.draw_name(grouped);
                new.rules[place].name.clone_from(&fresh);
                for rule in &mut new.rules {
                    for required in rule.requires.iter_mut().filter(|required| **required == name) {
                        required.clone_from(&fresh);
                    }
                }
                if grouped { "moved into a group" } else { "renamed" }
            }
            5 | 6 => {
                new.rules[place].address = self.random.below(model.terms.addresses.len());
                "other address"
            }
            7 => {
                new.rules[place].interval_ms = 20 + self.random.below(31);
                new.rules[place].debounce = 1 + self.random.below(3);
                "other schedule"
            }
            8 => {
                new = old.without(|rule| rule.included);
                "lost include"
            }
            9 => {
                let table = self.random.below(model.terms.tables.len());
                new = old.without(|rule| rule.tables.contains(&table));
                "lost table"
            }
            _ if self.random.percent(30) => {
                new.rules.clear();
                "no rules"
            }
            _ => "the same",
        };
        self.is_sound(model, &new, what).then_some(Step::Reload(what, new))
    }

    /// A name that no rule has: one that was there before, at times.
    fn draw_name(&mut self, grouped: bool) -> String {
        if self.random.percent(40) && !self.gone.is_empty() {
            let place = self.random.below(self.gone.len());
            return self.gone.iter().nth(place).expect("there are so many").clone();
        }
        format!("{}r{}", if grouped { "g/" } else { "" }, self.names)
    }

    fn is_sound(&self, model: &Model, new: &Configuration, what: &str) -> bool {
        let names: BTreeSet<&String> = new.rules.iter().map(|rule| &rule.name).collect();
        let is_unique = names.len() == new.rules.len();
        // hfm ends when every rule there is is disabled.
        let stays = new.rules.is_empty() || new.rules.iter().any(|rule| rule.status != Status::Disabled);
        // A table that nobody names any more comes back only as it was.
        let is_lost = ["lost include", "lost table", "no rules"].contains(&what);
        let named =
            |all: &Configuration, table: usize| all.rules.iter().any(|rule| rule.tables.contains(&table));
        let tables = 0..model.terms.tables.len();
        let keeps = tables.into_iter().all(|table| !named(&model.configuration, table) || named(new, table));
        // What is set of a rule that is another one now may be of a kind that the text does not tell.
        let is_clear = new.rules.iter().all(|rule| {
            let set = model.overrides.get(&rule.name);
            set.is_none()
                || rule.status == Status::Enabled
                    && (set != Some(&Override::Disabled) || rule.requires.is_empty())
                || model.configuration.find(&rule.name).is_some_and(|before| before.is_tested_as(rule))
        });
        is_unique && stays && is_clear && (is_lost || keeps)
    }
}

/// A rule of which the text does not say what an override makes of it: it is disabled and required.
fn is_touchy(model: &Model, name: &str) -> bool {
    let rule = model.configuration.find(name).expect("it was matched");
    let is_required = model.configuration.rules.iter().any(|rule| rule.requires.iter().any(|by| by == name));
    rule.status == Status::Disabled && is_required
}

/// Whether the text says what a rule's frozen contribution is.
fn can_disable(model: &Model, name: &str) -> bool {
    let rule = model.configuration.find(name).expect("it was matched");
    let is_plain = rule.status == Status::Enabled && rule.requires.is_empty();
    let is_free = !model.overrides.contains_key(name) && model.own(rule).is_some();
    is_plain && is_free && !model.terms.addresses[rule.address].backup
}
