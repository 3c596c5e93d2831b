//! From one configuration to the next while hfm runs: which rule is which, and what it keeps.
//!
//! A rule is the one of its name. It stays in its slot for as long as it lives, so that whatever speaks of it
//! by its [`RuleId`] (runs under way, connections, children, words on their way to the writer) goes on
//! speaking of the same one. Slots of rules that are gone stay empty until nothing can speak of them any more.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::probe::{Plan, Plans};
use crate::rule::{
    Alike, CommandLine, Configuration, Control, Demotion, Fate, Firewall, LogFormat, Rule, RuleId, RunAs,
    Status, Table, Terms, Test, test_commands,
};

/// A new configuration, fitted into the slots of the old one.
#[derive(Debug)]
pub struct Succession {
    /// By slot; empty slots are [vacant](Rule::is_vacant) rules.
    pub rules: Arc<[Rule]>,
    /// The programs of tests that are programs.
    pub tests: HashMap<RuleId, CommandLine>,
    /// Every table that a rule names.
    pub tables: Arc<[Table]>,
    /// How native probes are run, by slot.
    pub plans: Plans,
    /// By slot.
    pub fates: Vec<Fate>,
    /// As in the configuration.
    pub change_max: usize,
    /// As in the configuration.
    pub firewall: Firewall,
    /// As in the configuration.
    pub run_as: RunAs,
    /// As in the configuration.
    pub log_format: LogFormat,
    /// As in the configuration.
    pub control: Control,
    /// As in the configuration.
    pub listen: Option<SocketAddr>,
    /// As in the configuration.
    pub demotion: Demotion,
    /// Why this system cannot keep the tables of the configuration, if it cannot.
    pub elsewhere: Option<String>,
}

impl Succession {
    /// Fits `next`, whose ids are places in the file, into the slots of `rules`. `is_free` says of an empty slot
    /// whether a new rule may have it.
    pub fn new(rules: &[Rule], is_free: impl Fn(RuleId) -> bool, next: Configuration, plans: Plans) -> Self {
        let slots = assign(rules, is_free, &next.rules);
        let total = slots.iter().map(|slot| slot.index() + 1).max().unwrap_or(0).max(rules.len());
        let mut fates: Vec<Fate> =
            rules.iter().map(|rule| if rule.is_vacant() { Fate::Vacant } else { Fate::Vacated }).collect();
        fates.resize(total, Fate::Vacant);
        let Configuration {
            rules: next_rules,
            change_max,
            mut tables,
            firewall,
            run_as,
            log_format,
            control,
            listen,
            demotion,
        } = next;
        let Plans { plans: next_plans, clock } = plans;
        let mut by_slot: Vec<Rule> = Vec::new();
        by_slot.resize_with(total, Rule::vacant);
        let mut plans_by_slot: Vec<Option<Plan>> = Vec::new();
        plans_by_slot.resize_with(total, || None);
        let mut terms = Alike::<Terms>::default();
        let move_to = |ids: &mut Vec<RuleId>| ids.iter_mut().for_each(|id| *id = slots[id.index()]);
        for ((mut rule, plan), slot) in next_rules.into_iter().zip(next_plans).zip(&slots) {
            if !rule.requires.is_empty() || !rule.guard.is_empty() {
                move_to(&mut rule.terms.requires);
                move_to(&mut rule.terms.guard);
                rule.terms = terms.share(rule.terms);
            }
            fates[slot.index()] = match rules.get(slot.index()).filter(|old| !old.is_vacant()) {
                None => Fate::New,
                Some(old) => compare(old, &rule),
            };
            by_slot[slot.index()] = rule;
            plans_by_slot[slot.index()] = plan;
        }
        for member in tables.iter_mut().flat_map(|table| &mut table.members) {
            move_to(&mut member.rules);
        }
        Self {
            tests: test_commands(&by_slot),
            rules: by_slot.into(),
            tables: tables.into(),
            plans: Plans { plans: plans_by_slot, clock },
            fates,
            change_max,
            firewall,
            run_as,
            log_format,
            control,
            listen,
            demotion,
            elsewhere: None,
        }
    }

    /// How many slots have this fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.fates.iter().filter(|of| **of == fate).count()
    }
}

/// The slot of each rule of the next file: its own, else the first that is free, else a new one.
fn assign(rules: &[Rule], is_free: impl Fn(RuleId) -> bool, next: &[Rule]) -> Vec<RuleId> {
    let slots = || rules.iter().zip(0..).map(|(rule, index)| (rule, RuleId(index)));
    let own: HashMap<&str, RuleId> =
        slots().filter(|(rule, _)| !rule.is_vacant()).map(|(rule, id)| (&*rule.name, id)).collect();
    let mut free = slots().filter(|(rule, id)| rule.is_vacant() && is_free(*id)).map(|(_, id)| id);
    let mut fresh = rules.len()..;
    let mut other = || {
        free.next().unwrap_or_else(|| {
            let index = fresh.next().unwrap_or_default();
            RuleId(u32::try_from(index).expect("the configuration bounds the number of rules far below 2^32"))
        })
    };
    next.iter().map(|rule| own.get(&*rule.name).copied().unwrap_or_else(&mut other)).collect()
}

/// What a rule keeps that is there before and after.
fn compare(old: &Rule, new: &Rule) -> Fate {
    if old == new {
        return Fate::Kept;
    }
    let was_given = matches!(old.status, Status::AlwaysFail | Status::AlwaysSuccess | Status::Disabled);
    let is_found = new.status == Status::Enabled;
    let same_addresses = old.placement.all_addresses() == new.placement.all_addresses();
    // A state that was given says nothing of the target.
    if is_found && was_given || !is_same_test(&old.test, &new.test) || !same_addresses {
        return Fate::Changed;
    }
    Fate::Adjusted
}

/// Whether two tests ask the same of the same target. How long they may take is schedule.
fn is_same_test(old: &Test, new: &Test) -> bool {
    match (old, new) {
        (Test::Command { command: old, .. }, Test::Command { command: new, .. }) => old == new,
        (Test::Probe(old), Test::Probe(new)) => {
            let mut old = old.clone();
            old.timeout = new.timeout;
            old == *new
        }
        (Test::Command { .. }, Test::Probe(_)) | (Test::Probe(_), Test::Command { .. }) => false,
    }
}

/// Of two plans for one slot the one that counts: a rule that is kept or adjusted goes on with its own, which
/// the runs under way go by; only its timeout may be another. The other is left in `next`.
pub fn choose_plan(fate: Fate, own: &mut Option<Plan>, next: &mut Option<Plan>) {
    match fate {
        Fate::Kept | Fate::Adjusted => {
            if let (Some(own), Some(next)) = (own, next) {
                own.change_probe_with(next);
            }
        }
        Fate::Changed | Fate::New | Fate::Vacated | Fate::Vacant => mem::swap(own, next),
    }
}

#[cfg(test)]
mod tests;
