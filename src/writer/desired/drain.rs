//! What draining rules would do to tables: looked at before it is done.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::decide::{Combined, combine};
use super::{Desired, Fate, Says, decide};
use crate::rule::{RuleId, Share, Table};
use crate::standing::Contribution;

/// What speaks against a drain: one for each table at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// A table that holds something would hold nothing, neither backups nor addresses of others.
    Empty {
        /// The table.
        table: Arc<str>,
    },
    /// Fewer addresses of a table would be up than before, and than its `min_up` asks for.
    BelowMinUp {
        /// The table.
        table: Arc<str>,
        /// How many would be up.
        left: usize,
        /// Of how many that are not drained already.
        of: usize,
        /// How many must be.
        asked: usize,
    },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { table } => write!(f, "table {table} would be left empty"),
            Self::BelowMinUp { table, left, of, asked } => {
                write!(
                    f,
                    "table {table} would be left with {left} of {of} addresses, min_up asks for {asked}"
                )
            }
        }
    }
}

impl Desired {
    /// What speaks against draining these rules, on top of all that is said now; those that would be down only
    /// because they require one of them are to be among them. In the order of the tables.
    ///
    /// `min_up` counts as where it keeps addresses in: managed ones to which a rule contributes, without backups
    /// and those that are drained already. One that is not known yet is up while it is in and not stale. Before a
    /// table was found, what is up counts as in.
    pub fn would_drain(&self, rules: &BTreeSet<RuleId>) -> Vec<Objection> {
        let of_rules = rules.iter().filter_map(|rule| self.rules.get(rule.index()));
        let tables: BTreeSet<usize> = of_rules.flat_map(|rule| rule.tables.iter().copied()).collect();
        tables.into_iter().filter_map(|table| self.object(table, rules)).collect()
    }

    fn object(&self, index: usize, rules: &BTreeSet<RuleId>) -> Option<Objection> {
        let (table, state) = (&self.tables[index], &self.states[index]);
        let says = |rule: RuleId| self.rules[rule.index()].says();
        let drained = |rule: RuleId| match says(rule) {
            Says { since, stale, .. } if rules.contains(&rule) => {
                Says { contribution: Contribution::Down { drained: true }, since, stale }
            }
            says => says,
        };
        let before = Picture::new(table, says, |member, combined| {
            state.members[member].is_in.unwrap_or(combined == Combined::Up)
        });
        let after = Picture::new(table, drained, |member, _| before.is_in[member]);
        let others_in = state.others_in || state.leaving_in > 0 && !state.awaited.is_empty();
        let mut fates: Vec<Fate> = Vec::new();
        decide(table, drained, |member| before.is_in[member], others_in, &mut fates);
        let held = before.is_in.contains(&true) || state.others_in || state.leaving_in > 0;
        if held && !others_in && !fates.iter().any(|fate| fate.is_in) {
            return Some(Objection::Empty { table: table.name.clone() });
        }
        let asked = match table.min_up? {
            Share::Count(count) => count as usize,
            Share::Percent(percent) => (usize::from(percent) * before.counted).div_ceil(100),
        };
        let is_below = after.up < asked && after.up < before.up;
        is_below.then(|| Objection::BelowMinUp {
            table: table.name.clone(),
            left: after.up,
            of: before.counted,
            asked,
        })
    }
}

/// A table as what rules say makes it.
struct Picture {
    is_in: Vec<bool>,
    /// Addresses that `min_up` counts.
    counted: usize,
    /// Those of them that are up.
    up: usize,
}

impl Picture {
    fn new(table: &Table, says: impl Fn(RuleId) -> Says, is_in: impl Fn(usize, Combined) -> bool) -> Self {
        let mut picture = Self { is_in: Vec::with_capacity(table.members.len()), counted: 0, up: 0 };
        for (index, member) in table.members.iter().enumerate() {
            let combined = combine(member, &says);
            let is_in = is_in(index, combined);
            picture.is_in.push(is_in);
            let (counts, is_up) = match combined {
                Combined::NoSay | Combined::Down { drained: true, .. } => (false, false),
                Combined::Down { drained: false, .. } => (true, false),
                Combined::Up => (true, true),
                Combined::Unknown { fresh } => (true, fresh && is_in),
            };
            if !member.backup {
                picture.counted += usize::from(counts);
                picture.up += usize::from(is_up);
            }
        }
        picture
    }
}
