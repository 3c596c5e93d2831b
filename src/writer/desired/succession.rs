//! From one configuration to the next: what start, restart and reload make of tables.
//!
//! A restart is a reload in which every rule is new, and what was managed before is what was remembered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::{Desired, Fate, LEAVE_AFTER_MAX, MemberState, RuleSays, TableState, Why};
use crate::rule::{Prefix, RuleId, Table};

/// An address in a table that was managed before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remembered {
    /// The table's name.
    pub table: Arc<str>,
    /// The address.
    pub address: Prefix,
}

/// Tables that no rule names any more: they are left as they are.
pub type Abandoned = Vec<Arc<str>>;

const NOT_DECIDED: MemberState =
    MemberState { is_in: None, fate: Fate { is_in: false, why: Why::Unknown }, decided: false };

impl Desired {
    /// What a start wants: nothing yet of the addresses in the file, and of those that were managed before and
    /// are not in the file that they leave, in time. `rules` is the number of rules.
    pub fn new(
        tables: Arc<[Table]>,
        rules: usize,
        remembered: &[Remembered],
        now: Instant,
    ) -> (Self, Abandoned) {
        let mut desired = Self {
            states: Vec::new(),
            rules: vec![RuleSays::unknown(now); rules],
            fates: Vec::new(),
            tables,
        };
        desired.index_rules();
        let mut managed: HashMap<Arc<str>, Vec<Prefix>> = HashMap::new();
        for of in remembered {
            managed.entry(of.table.clone()).or_default().push(of.address);
        }
        let abandoned = desired.take_over(&HashMap::new(), managed, now);
        (desired, abandoned)
    }

    /// What a reload wants. `rules` is the new number of rules, `carried` says of a new rule which old one it
    /// is, unchanged; all others are new or changed, and unknown.
    pub fn replace(
        &mut self,
        tables: Arc<[Table]>,
        rules: usize,
        carried: impl Fn(RuleId) -> Option<RuleId>,
        now: Instant,
    ) -> Abandoned {
        let mut said = vec![RuleSays::unknown(now); rules];
        for (new, says) in (0..).map(RuleId).zip(&mut said) {
            if let Some(old) = carried(new) {
                says.standing = self.rules[old.index()].standing;
            }
        }
        let mut known: HashMap<(Arc<str>, Prefix), MemberState> = HashMap::new();
        let mut managed: HashMap<Arc<str>, Vec<Prefix>> = HashMap::new();
        for (table, state) in self.tables.iter().zip(&self.states) {
            for (member, of) in state.members.iter().zip(&table.members) {
                known.insert((table.name.clone(), of.address), *member);
            }
            let addresses =
                table.members.iter().map(|member| member.address).chain(state.leaving.iter().copied());
            managed.insert(table.name.clone(), addresses.collect());
        }
        self.tables = tables;
        self.rules = said;
        self.index_rules();
        self.take_over(&known, managed, now)
    }

    /// Everything that is managed: what has to be remembered.
    pub fn managed(&self) -> impl Iterator<Item = Remembered> + '_ {
        self.tables.iter().zip(&self.states).flat_map(|(table, state)| {
            let members = table.members.iter().map(|member| member.address);
            let all = members.chain(state.leaving.iter().copied());
            all.map(|address| Remembered { table: table.name.clone(), address })
        })
    }

    /// Makes the states of the tables; `managed` are the addresses of before, by table.
    fn take_over(
        &mut self,
        known: &HashMap<(Arc<str>, Prefix), MemberState>,
        mut managed: HashMap<Arc<str>, Vec<Prefix>>,
        now: Instant,
    ) -> Abandoned {
        self.states.clear();
        for table in self.tables.iter() {
            let state = |address| known.get(&(table.name.clone(), address)).copied().unwrap_or(NOT_DECIDED);
            let members: Vec<MemberState> =
                table.members.iter().map(|member| state(member.address)).collect();
            let named: HashSet<Prefix> = table.members.iter().map(|member| member.address).collect();
            let mut leaving = managed.remove(&table.name).unwrap_or_default();
            leaving.retain(|address| !named.contains(address));
            let of_table = table.members.iter().flat_map(|member| &member.rules);
            // One that was new in a reload just before this one is still to be waited for.
            let awaits = |rule: &RuleId| !self.rules[rule.index()].standing.settled;
            let mut awaited: Vec<RuleId> = of_table.copied().filter(awaits).collect();
            awaited.sort_unstable();
            awaited.dedup();
            let leave_by = if leaving.is_empty() || awaited.is_empty() {
                awaited.clear();
                None
            } else {
                now.checked_add(LEAVE_AFTER_MAX)
            };
            self.states.push(TableState {
                members,
                leaving,
                leave_by,
                awaited,
                leaving_in: 0,
                others_in: false,
                found: false,
                changed: true,
            });
        }
        let mut abandoned: Abandoned = managed.into_keys().collect();
        abandoned.sort();
        abandoned
    }

    fn index_rules(&mut self) {
        for (index, table) in self.tables.iter().enumerate() {
            for rule in table.members.iter().flat_map(|member| &member.rules) {
                let tables = &mut self.rules[rule.index()].tables;
                if tables.last() != Some(&index) {
                    tables.push(index);
                }
            }
        }
    }
}
