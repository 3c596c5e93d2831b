//! What tables should hold: a pure machine from what rules say to what is wanted.
//!
//! It owns, per table, what was last wanted of each address and which addresses are to leave because no rule
//! names them any more. It knows no firewall and no clock: what a table holds is told to it
//! ([`Desired::found`]), time is the last argument.

mod decide;
mod drain;
mod succession;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use decide::{Fate, Says, Why, decide};
pub use drain::Objection;
pub use succession::{Abandoned, Remembered};

use crate::rule::{Member, Prefix, RuleId, Table};
use crate::standing::{Contribution, Standing};

/// How long addresses that no rule names any more wait for the verdicts of the rules that replace them, at most.
pub const LEAVE_AFTER_MAX: Duration = Duration::from_secs(30);

/// Everything that is wanted of tables.
#[derive(Debug)]
pub struct Desired {
    tables: Arc<[Table]>,
    states: Vec<TableState>,
    rules: Vec<RuleSays>,
    /// Scratch for a decision.
    fates: Vec<Fate>,
}

/// What is known of a rule.
#[derive(Clone, Debug)]
struct RuleSays {
    standing: Standing,
    /// The tables that it has a say in.
    tables: Vec<usize>,
}

impl RuleSays {
    fn says(&self) -> Says {
        let Standing { contribution, since, stale, settled: _ } = self.standing;
        Says { contribution, since, stale }
    }
}

#[derive(Debug, Default)]
struct TableState {
    /// In the order of the table's members.
    members: Vec<MemberState>,
    /// Addresses that no rule names any more and that are still to leave.
    leaving: Vec<Prefix>,
    /// When they leave at the latest.
    leave_by: Option<Instant>,
    /// Rules whose first verdict they wait for.
    awaited: Vec<RuleId>,
    /// How many of them are in the table, as last found.
    leaving_in: usize,
    /// Addresses are in it that are not ours.
    others_in: bool,
    /// What it holds is known, and which of that is ours: nothing is decided before.
    found: bool,
    /// Something changed since the last decision.
    changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct MemberState {
    /// As last wanted, at the start as found; `None` while neither is known.
    is_in: Option<bool>,
    fate: Fate,
    /// Something was decided of it, so that it is put right when others change it.
    decided: bool,
}

/// What is wanted of one address of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The address.
    pub address: Prefix,
    /// `Some(true)`: it must be in, `Some(false)`: it must not, `None`: it is left as it is.
    pub is_in: Option<bool>,
}

impl Desired {
    /// What rules say of this rule's addresses is now this; says whether that is new.
    pub fn on_standing(&mut self, rule: RuleId, standing: Standing) -> bool {
        let says = &mut self.rules[rule.index()];
        let is_new = says.standing != standing;
        if is_new {
            says.standing = standing;
            self.touch(rule);
        }
        is_new
    }

    /// This is what a table holds now. The first time it says what is in; later it counts only for addresses
    /// that are left as they are.
    pub fn found(&mut self, table: usize, contents: &HashSet<Prefix>) {
        let state = &mut self.states[table];
        let mut ours = 0;
        for (member, of) in state.members.iter_mut().zip(&self.tables[table].members) {
            let is_in = contents.contains(&of.address);
            ours += usize::from(is_in);
            if member.is_in.is_none() || !member.decided {
                state.changed |= member.is_in.replace(is_in) != Some(is_in);
            }
        }
        state.leaving_in = state.leaving.iter().filter(|address| contents.contains(*address)).count();
        let others_in = contents.len() > ours + state.leaving_in;
        state.changed |= std::mem::replace(&mut state.others_in, others_in) != others_in;
        state.found = true;
    }

    /// Decides anew where something changed; says whether it did. A table that was not found since the start or the
    /// last reload is not decided: whether it would be empty depends on what it holds besides.
    pub fn decide(&mut self, table: usize, now: Instant) -> bool {
        let state = &mut self.states[table];
        if state.leave_by.is_some_and(|by| by <= now) {
            state.awaited.clear();
            state.leave_by = None;
            state.changed = true;
        }
        if !state.changed {
            return false;
        }
        let rules = &self.rules;
        state.awaited.retain(|rule| !rules[rule.index()].standing.settled);
        if state.awaited.is_empty() {
            state.leave_by = None;
        }
        if !state.found {
            return false;
        }
        state.changed = false;
        let says = |rule: RuleId| rules[rule.index()].says();
        let is_in = |index: usize| state.members[index].is_in.unwrap_or_default();
        let others_in = state.others_in || state.leaving_in > 0 && !state.awaited.is_empty();
        decide(&self.tables[table], says, is_in, others_in, &mut self.fates);
        for (member, fate) in state.members.iter_mut().zip(&self.fates) {
            member.fate = *fate;
            member.is_in = Some(fate.is_in);
            member.decided |= fate.why.is_decided();
            member.decided &= fate.why != Why::NoSay;
        }
        true
    }

    /// When [`decide`](Self::decide) wants to be called although nothing was said.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.states.iter().filter_map(|state| state.leave_by).min()
    }

    /// The tables, in the order of the file.
    pub fn tables(&self) -> &Arc<[Table]> {
        &self.tables
    }

    /// The tables that a rule has a say in.
    pub fn tables_of(&self, rule: RuleId) -> &[usize] {
        &self.rules[rule.index()].tables
    }

    /// What is wanted of each address of a table, its members first; nothing before the table was found.
    pub fn wanted(&self, table: usize) -> impl Iterator<Item = Wanted> + '_ {
        let state = &self.states[table];
        let members = state.members.iter().zip(&self.tables[table].members);
        let members = members.map(|(member, of)| Wanted {
            address: of.address,
            is_in: member.is_in.filter(|_| member.decided),
        });
        let leaves = if state.awaited.is_empty() { Some(false) } else { None };
        members.chain(state.leaving.iter().map(move |address| Wanted { address: *address, is_in: leaves }))
    }

    /// The fates of a table's members, in their order; `None` before the first decision.
    pub fn fate(&self, table: usize, member: usize) -> Option<Fate> {
        let state = &self.states[table].members[member];
        state.is_in.map(|_| state.fate)
    }

    /// All addresses of a table that are to share what it gives out, whether they are in or not: its members, and
    /// those that no rule names any more for as long as they stay.
    pub fn roster(&self, table: usize) -> Vec<Prefix> {
        let state = &self.states[table];
        let members = self.tables[table].members.iter().map(|member| member.address);
        let stays = state.leaving.iter().copied().filter(|_| !state.awaited.is_empty());
        members.chain(stays).collect()
    }

    /// Whether something was decided of a table's addresses, and of all of them as far as can be expected.
    pub fn is_known(&self, table: usize) -> bool {
        let state = &self.states[table];
        let is_stale = |rule: &RuleId| self.rules[rule.index()].standing.stale;
        let awaits = |(state, of): (&MemberState, &Member)| {
            state.fate.why == Why::Unknown && !of.rules.iter().any(is_stale)
        };
        let awaits_any = state.members.iter().zip(&self.tables[table].members).any(awaits);
        state.members.iter().any(|member| member.decided) && !awaits_any
    }

    /// Addresses of a table that are still to leave.
    pub fn leaving(&self, table: usize) -> &[Prefix] {
        &self.states[table].leaving
    }

    /// This is what a table holds for sure. Of addresses that were to leave and are out nothing more is wanted;
    /// says whether there are such.
    pub fn have_left(&mut self, table: usize, contents: &HashSet<Prefix>) -> bool {
        let state = &mut self.states[table];
        let before = state.leaving.len();
        if state.awaited.is_empty() {
            state.leaving.retain(|address| contents.contains(address));
            state.leaving_in = state.leaving.len();
        }
        state.leaving.len() < before
    }

    fn touch(&mut self, rule: RuleId) {
        for table in &self.rules[rule.index()].tables {
            self.states[*table].changed = true;
        }
    }
}

impl RuleSays {
    /// A rule of which nothing is known.
    fn unknown(now: Instant) -> Self {
        let contribution = Contribution::Unknown;
        let standing = Standing { contribution, since: now, stale: false, settled: false };
        Self { standing, tables: Vec::new() }
    }
}
