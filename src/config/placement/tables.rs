//! From the placements of rules to tables: who names which address, and what counts where several say it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::diagnose::{Diagnostic, Problems};
use super::super::properties::{Key, Setting};
use super::super::raw::Tree;
use super::super::render::quoted;
use super::super::settings::name_of;
use super::{boolean_text, combine_text, percent_text, share_text};
use crate::rule::{Combine, Member, Placement, Prefix, RuleId, Share, Table};
use crate::ucl::Span;

/// A value, and the first rule that gives it.
pub(super) type Said<T> = Option<(T, RuleId)>;

/// A table, and who says what of it.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) table: Table,
    pub(super) min_up: Said<Share>,
    panic: Said<u8>,
    /// Of each of its members.
    pub(super) terms: Vec<Terms>,
}

/// What is said of an address in a table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    pub(super) combine: Said<Combine>,
    pub(super) backup: Said<bool>,
}

/// Every table in the order of the file. What rules give differently is an error.
pub(super) fn gather(tree: &Tree, placements: &[Placement], problems: &mut Problems) -> Vec<Gathered> {
    let mut agreement = Agreement { tree, problems, said: HashSet::new() };
    let mut all: Vec<Gathered> = Vec::new();
    let mut tables: HashMap<Arc<str>, usize> = HashMap::new();
    let mut members: HashMap<(usize, Prefix), usize> = HashMap::new();
    for (placement, rule) in placements.iter().zip((0..).map(RuleId)) {
        for membership in &placement.tables {
            let at = *tables.entry(membership.table.clone()).or_insert_with(|| {
                all.push(Gathered::new(membership.table.clone()));
                all.len() - 1
            });
            let of = &mut all[at];
            let name = &membership.table;
            let what = || format!("table {}", quoted(name));
            agreement.take(Setting::MinUp, &mut of.min_up, placement.min_up, rule, share_text, what);
            agreement.take(Setting::Panic, &mut of.panic, placement.panic, rule, percent_text, what);
            for address in &membership.addresses {
                let member = *members.entry((at, *address)).or_insert_with(|| of.member(*address));
                of.table.members[member].rules.push(rule);
                of.table.members[member].kill_states |= placement.kill_states;
                let terms = &mut of.terms[member];
                let what = || format!("{address} in table {}", quoted(name));
                agreement.take(
                    Setting::Combine,
                    &mut terms.combine,
                    placement.combine,
                    rule,
                    combine_text,
                    what,
                );
                agreement.take(
                    Setting::Backup,
                    &mut terms.backup,
                    placement.backup,
                    rule,
                    boolean_text,
                    what,
                );
            }
        }
    }
    for of in &mut all {
        of.settle();
    }
    all
}

impl Gathered {
    fn new(name: Arc<str>) -> Self {
        let table = Table { name, min_up: None, panic: None, members: Vec::new() };
        Self { table, min_up: None, panic: None, terms: Vec::new() }
    }

    /// Takes in an address that nobody named before; its index.
    fn member(&mut self, address: Prefix) -> usize {
        self.terms.push(Terms::default());
        let (combine, backup, kill_states, rules) = (Combine::default(), false, false, Vec::new());
        self.table.members.push(Member { address, combine, backup, kill_states, rules });
        self.terms.len() - 1
    }

    /// Writes down what counts.
    fn settle(&mut self) {
        let value = |said: Said<_>| said.map(|(value, _)| value);
        self.table.panic = self.panic.map(|(share, _)| share);
        self.table.min_up = value(self.min_up);
        for (member, terms) in self.table.members.iter_mut().zip(&self.terms) {
            member.combine = terms.combine.map(|(combine, _)| combine).unwrap_or_default();
            member.backup = terms.backup.is_some_and(|(backup, _)| backup);
        }
    }
}

/// Holds rules to one value. A pair of places that many rules inherit is reported once.
struct Agreement<'a> {
    tree: &'a Tree,
    problems: &'a mut Problems,
    said: HashSet<(Span, Span)>,
}

impl Agreement<'_> {
    /// Takes in what a rule gives, if it gives anything.
    fn take<T: Copy + PartialEq>(
        &mut self,
        setting: Setting,
        first: &mut Said<T>,
        given: Option<T>,
        rule: RuleId,
        in_words: impl Fn(T) -> String,
        what: impl FnOnce() -> String,
    ) {
        let Some(given) = given else {
            return;
        };
        let (value, by) = *first.get_or_insert((given, rule));
        if value == given {
            return;
        }
        let name = name_of(Key::Setting(setting));
        let id = |rule: RuleId| self.tree.rules[rule.index()];
        let (place, other) = (self.tree.place_of(id(rule), name), self.tree.place_of(id(by), name));
        if !self.said.insert((place, other)) {
            return;
        }
        let (given, value, what) = (in_words(given), in_words(value), what());
        let by = quoted(&self.tree.nodes[id(by)].name);
        let message = format!("'{name}' of {what} is {given} for this rule, and {value} for {by}");
        self.problems.push(
            Diagnostic::error(place, &self.tree.nodes[id(rule)].name, message)
                .note(other, format!("it is {value} here"))
                .help(format!(
                    "make them the same, or give '{name}' to one of the two alone: it counts for both"
                )),
        );
    }
}
