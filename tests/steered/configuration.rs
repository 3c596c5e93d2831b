//! Configurations of a history, and the files that say them.

use std::fmt::Write as _;
use std::path::Path;

use crate::random::Rng;

/// The `status` of a rule in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Enabled,
    Disabled,
    AlwaysFail,
    AlwaysSuccess,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    All,
    Any,
    AtLeast(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MinUp {
    Count(usize),
    Percent(usize),
}

/// What all rules of a table say of it. A table never has both: which of those that panic put in `min_up` would hold
/// depends on moments that nobody outside sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableTerms {
    pub(crate) min_up: Option<MinUp>,
    pub(crate) panic: Option<usize>,
}

/// What all rules of an address say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressTerms {
    pub(crate) combine: Combine,
    pub(crate) backup: bool,
}

/// What stays through a whole history.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) tables: Vec<TableTerms>,
    pub(crate) addresses: Vec<AddressTerms>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Of its own: no two rules fail at the same moment.
    pub(crate) target: usize,
    pub(crate) address: usize,
    pub(crate) tables: Vec<usize>,
    pub(crate) status: Status,
    pub(crate) requires: Vec<String>,
    pub(crate) interval_ms: usize,
    pub(crate) debounce: usize,
    /// It stands in the second file.
    pub(crate) included: bool,
}

impl Rule {
    /// Whether its change commands are told of here: the others' run after every run, or are not described.
    pub(crate) fn announces(&self) -> bool {
        self.status == Status::Enabled
    }

    /// Whether it begins anew beside another one of the same name.
    pub(crate) fn is_tested_as(&self, other: &Self) -> bool {
        (self.target, self.address, self.status) == (other.target, other.address, other.status)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) rules: Vec<Rule>,
}

/// A table's name.
pub(crate) fn table(number: usize) -> String {
    if number == 1 { "lb/pool1".to_owned() } else { format!("pool{number}") }
}

/// An address of ours.
pub(crate) fn address(number: usize) -> String {
    if number == 2 { "2001:db8::2".to_owned() } else { format!("10.0.0.{number}") }
}

impl Terms {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let tables = (0..1 + random.below(3)).map(|_| match random.below(6) {
            0 => TableTerms { min_up: Some(MinUp::Count(1)), panic: None },
            1 => TableTerms { min_up: Some(MinUp::Count(1 + random.below(3))), panic: None },
            2 => TableTerms { min_up: Some(MinUp::Percent([30, 50, 67][random.below(3)])), panic: None },
            3 => TableTerms { min_up: None, panic: Some([34, 50, 60][random.below(3)]) },
            _ => TableTerms { min_up: None, panic: None },
        });
        let tables = tables.collect();
        let addresses = (0..2 + random.below(5)).map(|number| AddressTerms {
            combine: match random.below(4) {
                0 => Combine::Any,
                1 => Combine::AtLeast(1 + random.below(3)),
                _ => Combine::All,
            },
            backup: number > 1 && random.percent(20),
        });
        Self { tables, addresses: addresses.collect() }
    }
}

impl Configuration {
    pub(crate) fn draw(random: &mut Rng, terms: &Terms) -> Self {
        let mut all = Self::default();
        for number in 0..3 + random.below(6) {
            let mut rule = all.draw_rule(random, terms, format!("r{number}"), number);
            // The first one has no oddity: hfm ends when all rules are disabled.
            if number == 0 {
                (rule.status, rule.included) = (Status::Enabled, false);
            }
            all.rules.push(rule);
        }
        all
    }

    /// Another rule, which may require those that are there.
    pub(crate) fn draw_rule(&self, random: &mut Rng, terms: &Terms, name: String, target: usize) -> Rule {
        let first = random.below(terms.tables.len());
        let alike = |table: &usize| *table != first && terms.tables[*table] == terms.tables[first];
        let others = (0..terms.tables.len()).filter(alike).filter(|_| random.percent(40));
        let tables: Vec<usize> = std::iter::once(first).chain(others.collect::<Vec<_>>()).collect();
        let status = match random.below(14) {
            0 => Status::Disabled,
            1 => Status::AlwaysFail,
            2 => Status::AlwaysSuccess,
            _ => Status::Enabled,
        };
        let mut requires = Vec::new();
        if status == Status::Enabled && !self.rules.is_empty() && random.percent(25) {
            for _ in 0..1 + random.below(2) {
                let name = &self.rules[random.below(self.rules.len())].name;
                if !requires.contains(name) {
                    requires.push(name.clone());
                }
            }
        }
        Rule {
            name,
            target,
            address: random.below(terms.addresses.len()),
            tables,
            status,
            requires,
            interval_ms: 20 + random.below(31),
            debounce: 1,
            included: random.percent(35),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// The rules of an address of a table.
    pub(crate) fn naming(&self, table: usize, address: usize) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.address == address && rule.tables.contains(&table))
    }

    /// Without these; nobody requires them any more.
    pub(crate) fn without(&self, is_gone: impl Fn(&Rule) -> bool) -> Self {
        let (gone, mut rules): (Vec<_>, Vec<_>) = self.rules.iter().cloned().partition(is_gone);
        for rule in &mut rules {
            rule.requires.retain(|name| !gone.iter().any(|gone| gone.name == *name));
        }
        Self { rules }
    }

    /// `combine` of an address, no greater than what its rules allow.
    pub(crate) fn combine(&self, terms: &Terms, address: usize) -> Combine {
        let enabled =
            |table| self.naming(table, address).filter(|rule| rule.status != Status::Disabled).count().max(1);
        let named = |table: &usize| self.naming(*table, address).next().is_some();
        match terms.addresses[address].combine {
            Combine::AtLeast(n) => {
                let most = (0..terms.tables.len()).filter(named).map(enabled).min().unwrap_or(1);
                Combine::AtLeast(n.min(most))
            }
            combine @ (Combine::All | Combine::Any) => combine,
        }
    }

    /// The text of one of its two files.
    pub(crate) fn text(&self, terms: &Terms, included: bool, ports: &[u16], directory: &Path) -> String {
        let rules = self.rules.iter().filter(|rule| rule.included == included);
        rules.map(|rule| self.rule_text(terms, rule, ports, directory)).collect()
    }

    fn rule_text(&self, terms: &Terms, rule: &Rule, ports: &[u16], directory: &Path) -> String {
        let table_terms = terms.tables[rule.tables[0]];
        let tables: Vec<String> =
            rule.tables.iter().map(|number| format!("\"{}\"", table(*number))).collect();
        let mut text = format!(
            "test = \"tcp://127.0.0.1:{}\"; addresses = \"{}\"; tables = [{}]; interval = {}ms; ",
            ports[rule.target],
            address(rule.address),
            tables.join(", "),
            rule.interval_ms
        );
        match self.combine(terms, rule.address) {
            Combine::All => {}
            Combine::Any => text += "combine = any; ",
            Combine::AtLeast(n) => write!(text, "combine = {n}; ").expect("memory"),
        }
        if terms.addresses[rule.address].backup {
            text += "backup = yes; ";
        }
        match table_terms.min_up {
            None => {}
            Some(MinUp::Count(n)) => write!(text, "min_up = {n}; ").expect("memory"),
            Some(MinUp::Percent(n)) => write!(text, "min_up = \"{n}%\"; ").expect("memory"),
        }
        if let Some(panic) = table_terms.panic {
            write!(text, "panic = \"{panic}%\"; ").expect("memory");
        }
        match rule.status {
            Status::Enabled => {}
            Status::Disabled => text += "status = disabled; ",
            Status::AlwaysFail => text += "status = always-fail; ",
            Status::AlwaysSuccess => text += "status = always-success; ",
        }
        if !rule.requires.is_empty() {
            let names: Vec<String> = rule.requires.iter().map(|name| format!("\"{name}\"")).collect();
            write!(text, "requires = [{}]; ", names.join(", ")).expect("memory");
        }
        if rule.debounce > 1 {
            write!(text, "change_fail_debounce = {}; ", rule.debounce).expect("memory");
        }
        if rule.announces() {
            for word in ["fail", "success"] {
                let file = changes_file(directory, &rule.name);
                let file = file.display();
                write!(
                    text,
                    "change_{word} = sh; change_{word}_arguments = [\"-c\", \"echo {word} >> {file}\"]; "
                )
                .expect("memory");
            }
        }
        match rule.name.split_once('/') {
            Some((group, name)) => format!("{group} {{ {name} {{ {text}}} }}\n"),
            None => format!("{} {{ {text}}}\n", rule.name),
        }
    }
}

/// Where a rule's change commands leave a word each.
pub(crate) fn changes_file(directory: &Path, rule: &str) -> std::path::PathBuf {
    directory.join("changes").join(rule.replace('/', "."))
}
