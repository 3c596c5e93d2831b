//! The machine in few letters.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use hfm::rule::{Combine, Member, Prefix, RuleId, Table};
use hfm::standing::{Contribution, Standing};
use hfm::writer::desired::{Abandoned, Desired, Remembered};

use crate::{at, base};

/// 10.0.0.N
pub(crate) fn address(n: usize) -> Prefix {
    format!("10.0.0.{n}").parse().expect("an address")
}

/// Address N of a table, named by these rules.
pub(crate) fn named(n: usize, rules: &[u32]) -> Member {
    let rules = rules.iter().copied().map(RuleId).collect();
    Member { address: address(n), combine: Combine::All, backup: false, kill_states: false, rules }
}

pub(crate) fn backup(n: usize, rules: &[u32]) -> Member {
    Member { backup: true, ..named(n, rules) }
}

pub(crate) fn table(name: &str, members: Vec<Member>) -> Table {
    Table { name: name.into(), min_up: None, panic: None, members }
}

/// One table whose address N is named by rule N alone.
pub(crate) fn plain(addresses: usize) -> Table {
    let members = (0..addresses).map(|n| named(n, &[u32::try_from(n).expect("a few")]));
    table("t", members.collect())
}

/// `u` up, `d` down, `D` drained, `?` unknown, `s` unknown and stale, `-` no say; a digit: since when.
pub(crate) fn standing(base: Instant, word: &str) -> Standing {
    let (letter, since) = word.split_at(1);
    let contribution = match letter {
        "u" => Contribution::Up,
        "d" => Contribution::Down { drained: false },
        "D" => Contribution::Down { drained: true },
        "?" | "s" => Contribution::Unknown,
        "-" => Contribution::Nothing,
        other => panic!("no word: {other}"),
    };
    let settled = contribution != Contribution::Unknown;
    let since = at(base, since.parse().unwrap_or(0));
    Standing { contribution, since, stale: letter == "s", settled }
}

/// The machine, and what a firewall that obeys at once holds.
pub(crate) struct Machine {
    pub(crate) base: Instant,
    pub(crate) now: u64,
    pub(crate) desired: Desired,
    pub(crate) held: Vec<HashSet<Prefix>>,
}

pub(crate) const RULES: usize = 8;

impl Machine {
    pub(crate) fn start(tables: Vec<Table>) -> Self {
        Self::restart(tables, &[]).0
    }

    /// `remembered`: addresses of the table `t`.
    pub(crate) fn restart(tables: Vec<Table>, remembered: &[usize]) -> (Self, Abandoned) {
        let base = base();
        let remembered: Vec<Remembered> =
            remembered.iter().map(|n| Remembered { table: "t".into(), address: address(*n) }).collect();
        let held = vec![HashSet::new(); tables.len()];
        let (desired, abandoned) = Desired::new(Arc::from(tables), RULES, &remembered, base);
        (Self { base, now: 0, desired, held }, abandoned)
    }

    /// The first table holds these.
    pub(crate) fn found(&mut self, addresses: &[usize]) -> &mut Self {
        self.held[0] = addresses.iter().map(|n| address(*n)).collect();
        self.desired.found(0, &self.held[0]);
        self
    }

    /// A word of each rule in turn.
    pub(crate) fn says(&mut self, words: &str) -> &mut Self {
        for (rule, word) in (0..).map(RuleId).zip(words.split_whitespace()) {
            self.desired.on_standing(rule, standing(self.base, word));
        }
        self
    }

    pub(crate) fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = seconds;
        self
    }

    /// Decides; of each address of the first table, by number: `1` must be in, `0` out, `.` is left.
    pub(crate) fn wants(&mut self) -> String {
        self.desired.decide(0, at(self.base, self.now));
        let wanted = self.desired.wanted(0);
        let mut all: Vec<(Prefix, char)> = wanted
            .map(|wanted| {
                let sign = match wanted.is_in {
                    Some(true) => '1',
                    Some(false) => '0',
                    None => '.',
                };
                (wanted.address, sign)
            })
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, sign)| sign).collect()
    }

    /// The same rules, but for these.
    pub(crate) fn reload(&mut self, tables: Vec<Table>, new: &[u32]) -> Abandoned {
        let carried = |rule: RuleId| (!new.contains(&rule.0)).then_some(rule);
        let abandoned = self.desired.replace(Arc::from(tables), RULES, carried, at(self.base, self.now));
        self.held.resize(self.desired.tables().len(), HashSet::new());
        abandoned
    }
}

/// What is wanted of a table that held these, once its rules said that.
pub(crate) fn decided(table: Table, held: &[usize], words: &str) -> String {
    Machine::start(vec![table]).found(held).says(words).wants()
}
