//! Placement: which addresses of which rules go into which tables, and on what terms.
//!
//! `values` and `prefix` judge one value when it is read; here the lists that count for a rule are put
//! together, `tables` gathers them for each table, and `check` says what does not fit.

mod check;
mod default;
mod names;
mod prefix;
mod tables;
mod values;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::depend::Use;
use super::diagnose::{Diagnostic, Problems};
use super::given::{Given, Text};
use super::properties::{Key, Setting};
use super::raw::{NodeId, ROOT, Tree};
use super::render::{self, quoted};
use super::settings::name_of;
use crate::rule::{Configuration, DataPlaneChoice, Firewall, Membership, Placement, Prefix, Table, Test};
use crate::ucl::{Sources, Span};

pub(super) use default::default_address;
pub use default::own_address;
pub(super) use prefix::prefix;
pub(super) use values::{
    boolean_text, combine, combine_text, element, min_up, panic, percent_text, share_text, slots, state_dir,
};

/// Tables of one rule at most: their names must fit into one variable of a command's environment (Linux:
/// MAX_ARG_STRLEN, 128 KiB).
const TABLES_MAX: usize = 100;

/// Addresses of one rule at most, for the same reason.
const ADDRESSES_MAX: usize = 1_000;

/// Addresses in one file at most, each counted for every rule and every table that it is in.
const PLACES_MAX: usize = 1_000_000;

/// What a file says of tables.
#[derive(Debug)]
pub(super) struct Placed {
    /// Of each rule, in the order of the rules.
    pub(super) placements: Vec<Placement>,
    /// Every table that a rule names.
    pub(super) tables: Vec<Table>,
    /// What holds them.
    pub(super) firewall: Firewall,
}

/// Puts together what is written; everything wrong with it goes to `problems`.
///
/// `tests` are those of the rules, `None` where something is wrong with one; `uses` is who depends on each.
pub(super) fn resolve(
    tree: &Tree,
    tests: &[Option<Test>],
    uses: &[Option<Use>],
    problems: &mut Problems,
) -> Placed {
    let mut placer = Placer {
        tree,
        problems: &mut *problems,
        named: HashMap::new(),
        addresses: HashMap::new(),
        places: 0,
        is_full: false,
        is_whole: true,
    };
    let mut placements = Vec::with_capacity(tree.rules.len());
    for ((id, test), used) in tree.rules.iter().zip(tests).zip(uses) {
        let placement = placer.placement(*id, test.as_ref());
        placer.is_whole &= placement.is_some();
        let placement = placement.unwrap_or_default();
        if let Some(used) = used.filter(|_| !placement.tables.is_empty()) {
            placer.refuse_bystander(*id, &used);
        }
        placements.push(placement);
    }
    let is_whole = placer.is_whole;
    let gathered = tables::gather(tree, &placements, problems);
    if is_whole {
        check::find(tree, &placements, &gathered, problems);
    }
    let firewall = firewall(tree);
    check::names(tree, &firewall, problems);
    Placed { placements, tables: gathered.into_iter().map(|gathered| gathered.table).collect(), firewall }
}

/// Why the tables of a file cannot be kept on this system, and where it says so, if they cannot.
pub(super) fn elsewhere(tree: &Tree, sources: &Sources, configuration: &Configuration) -> Option<String> {
    let why = configuration.firewall.dataplane.elsewhere().filter(|_| !configuration.tables.is_empty())?;
    let place = tree.nodes.get(ROOT)?.settings.place(Key::Setting(Setting::DataPlane))?;
    Some(format!("{}: {why}", render::place(sources, place)))
}

/// What is said at the root of all tables.
fn firewall(tree: &Tree) -> Firewall {
    let given = |setting| {
        let written = tree.nodes.get(ROOT)?.settings.given.get(&setting)?;
        Some(&written.value)
    };
    let default = Firewall::default();
    let dataplane = match given(Setting::DataPlane) {
        Some(Given::Word("pf")) => DataPlaneChoice::Pf,
        Some(Given::Word("pfctl")) => DataPlaneChoice::Pfctl,
        Some(Given::Word("nftables")) => DataPlaneChoice::Nftables,
        Some(Given::Word("memory")) => DataPlaneChoice::Memory,
        Some(_) | None => default.dataplane,
    };
    Firewall {
        dataplane,
        dry_run: if let Some(Given::Boolean(truth)) = given(Setting::DryRun) {
            *truth
        } else {
            default.dry_run
        },
        reconcile: match given(Setting::Reconcile) {
            Some(Given::Interval(interval)) => *interval,
            Some(_) | None => dataplane.reconcile_default(),
        },
        state_dir: match given(Setting::StateDir) {
            Some(Given::Text(text)) => text.text.clone(),
            Some(_) | None => default.state_dir,
        },
        slots: match given(Setting::Slots) {
            Some(Given::Text(text)) => slots(&text.text).unwrap_or(default.slots),
            Some(_) | None => default.slots,
        },
    }
}

/// One table of a list, everything that the list says of it taken together.
#[derive(Debug)]
struct Named {
    table: Arc<str>,
    /// Where it stands without addresses, so that those of the rule go into it.
    bare: Option<Span>,
    /// The addresses given with it.
    given: Vec<Prefix>,
}

struct Placer<'a> {
    tree: &'a Tree,
    problems: &'a mut Problems,
    /// The lists of `tables` read so far, by the node that they are written on.
    named: HashMap<NodeId, Rc<[Named]>>,
    /// The same of `addresses`.
    addresses: HashMap<NodeId, Rc<[Prefix]>>,
    places: usize,
    /// Whether a bound was reached: the rest is not looked at.
    is_full: bool,
    /// Whether the placement of every rule so far is known.
    is_whole: bool,
}

impl Placer<'_> {
    /// The placement of one rule; `None` when something is wrong with it, which is reported or has been.
    fn placement(&mut self, id: NodeId, test: Option<&Test>) -> Option<Placement> {
        let lists = [Key::Setting(Setting::Tables), Key::Setting(Setting::Addresses)];
        let is_refused =
            self.tree.chain(id).any(|node| lists.iter().any(|key| node.settings.refused.contains(key)));
        if is_refused || self.is_full {
            return None;
        }
        let named = self.named(id);
        let mut addresses = self.addresses(id).to_vec();
        if addresses.is_empty() {
            let bare = named.iter().find_map(|named| named.bare);
            match (test.map(default_address), bare) {
                (Some(Ok(address)), _) => addresses.push(address),
                (Some(Err(why)), Some(bare)) => {
                    let place = self.own_place(id, Setting::Tables, bare);
                    let error = why.wrong().at(place, &self.tree.nodes[id].name);
                    self.report(error, place, bare);
                    return None;
                }
                (Some(Err(_)), None) => {}
                (None, _) => return None,
            }
        }
        self.bounded(id, &named, &addresses)?;
        let tables: Vec<Membership> = named.iter().map(|named| named.membership(&addresses)).collect();
        if tables.is_empty() {
            // Where no table is to hold what the test has, it need not be kept.
            if test.is_some_and(|test| default_address(test).is_ok_and(|own| addresses == [own])) {
                return Some(Placement::default());
            }
            return Some(Placement { addresses, ..Placement::default() });
        }
        let text = |setting| match &self.tree.given(id, setting)?.value {
            Given::Text(text) => Some(&*text.text),
            Given::Word(_) | Given::Texts(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => {
                None
            }
        };
        Some(Placement {
            addresses,
            tables,
            combine: text(Setting::Combine).and_then(|text| combine(text).ok()),
            backup: match self.tree.given(id, Setting::Backup).map(|written| &written.value) {
                Some(Given::Boolean(truth)) => Some(*truth),
                Some(_) | None => None,
            },
            min_up: text(Setting::MinUp).and_then(|text| min_up(text).ok()),
            panic: text(Setting::Panic).and_then(|text| panic(text).ok()),
            kill_states: self.tree.given(id, Setting::KillStates).map(|written| &written.value)
                == Some(&Given::Boolean(true)),
        })
    }

    /// Keeps a rule, and the file, from having more addresses than anybody means.
    fn bounded(&mut self, id: NodeId, named: &[Named], addresses: &[Prefix]) -> Option<()> {
        let in_tables =
            named.iter().map(|named| named.given.len() + named.bare.map_or(0, |_| addresses.len()));
        self.places += in_tables.sum::<usize>() + addresses.len();
        let given = named.iter().flat_map(|named| &named.given);
        let (setting, message) = if named.len() > TABLES_MAX {
            (Setting::Tables, format!("a rule is in more than {TABLES_MAX} tables"))
        } else if addresses.len() > ADDRESSES_MAX {
            (Setting::Addresses, format!("a rule has more than {ADDRESSES_MAX} addresses"))
        } else if self.places > PLACES_MAX {
            (Setting::Tables, format!("the addresses of all rules in all tables are more than {PLACES_MAX}"))
        } else if given.chain(addresses).collect::<HashSet<_>>().len() > ADDRESSES_MAX {
            (Setting::Tables, format!("a rule has more than {ADDRESSES_MAX} addresses"))
        } else {
            return Some(());
        };
        self.is_full = true;
        let place = self.tree.place_of(id, name_of(Key::Setting(setting)));
        let help = "give networks instead of single addresses, or spread them over more rules";
        self.problems.push(Diagnostic::error(place, &self.tree.nodes[id].name, message).help(help));
        None
    }

    /// Refuses a rule that others depend on when it would go into tables only because it inherits them.
    fn refuse_bystander(&mut self, id: NodeId, used: &Use) {
        let node = &self.tree.nodes[id];
        let has_own = |setting| match node.settings.given.get(&setting).map(|written| &written.value) {
            Some(Given::Texts(texts)) => !texts.is_empty(),
            Some(_) | None => false,
        };
        if has_own(Setting::Tables) || has_own(Setting::Addresses) || !self.problems.keeps_errors() {
            return;
        }
        let property = name_of(used.key());
        let message =
            format!("this rule is in a '{property}', and would go into the tables that it inherits");
        let tables = self.tree.place_of(id, name_of(Key::Setting(Setting::Tables)));
        let error = Diagnostic::error(node.rule.unwrap_or(node.place), &node.name, message)
            .note(
                used.place(self.tree, id),
                format!("'{property}' of {} names it here", quoted(used.by(self.tree))),
            )
            .note(tables, "'tables' is inherited from here")
            .help("write tables = [] on it, or, if it belongs into the tables, addresses of its own");
        self.problems.push(error);
    }

    /// The place to show for what a rule inherits: the rule; for what is written on it, where.
    fn own_place(&self, id: NodeId, setting: Setting, written: Span) -> Span {
        let node = &self.tree.nodes[id];
        match node.settings.given.contains_key(&setting) {
            true => written,
            false => node.rule.unwrap_or(node.place),
        }
    }

    fn report(&mut self, error: Diagnostic, place: Span, inherited: Span) {
        self.problems.push(match place == inherited {
            true => error,
            false => error.note(inherited, "'tables' is inherited from here"),
        });
    }

    /// The list of `tables` that counts for a rule.
    fn named(&mut self, id: NodeId) -> Rc<[Named]> {
        let Some((owner, texts)) = texts(self.tree, id, Setting::Tables) else {
            return Rc::default();
        };
        self.named.entry(owner).or_insert_with(|| read_tables(texts).into()).clone()
    }

    /// The list of `addresses` that counts for a rule, each once.
    fn addresses(&mut self, id: NodeId) -> Rc<[Prefix]> {
        let Some((owner, texts)) = texts(self.tree, id, Setting::Addresses) else {
            return Rc::default();
        };
        let read = || each_once(texts.iter().filter_map(|text| prefix(&text.text).ok())).into();
        self.addresses.entry(owner).or_insert_with(read).clone()
    }
}

impl Named {
    fn membership(&self, of_rule: &[Prefix]) -> Membership {
        let of_rule = if self.bare.is_some() { of_rule } else { &[] };
        let addresses = each_once(of_rule.iter().chain(&self.given).copied());
        Membership { table: self.table.clone(), addresses }
    }
}

/// The list that counts for a node, and the node that it is written on.
fn texts(tree: &Tree, id: NodeId, setting: Setting) -> Option<(NodeId, &[Text])> {
    let mut up = tree.ids_up(id);
    up.find_map(|id| match &tree.nodes[id].settings.given.get(&setting)?.value {
        Given::Texts(texts) => Some((id, &texts[..])),
        Given::Word(_) | Given::Text(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => None,
    })
}

/// What a list of `tables` says of each, in the order in which it names them first.
fn read_tables(texts: &[Text]) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for text in texts {
        // Each has been judged when it was read.
        let Ok(element) = element(&text.text) else {
            continue;
        };
        let at = *places.entry(element.table).or_insert_with(|| {
            all.push(Named { table: element.table.into(), bare: None, given: Vec::new() });
            all.len() - 1
        });
        match element.addresses {
            Some(addresses) => all[at].given.extend(addresses),
            None => all[at].bare = all[at].bare.or(Some(text.span)),
        }
    }
    for named in &mut all {
        named.given = each_once(named.given.drain(..));
    }
    all
}

fn each_once(addresses: impl Iterator<Item = Prefix>) -> Vec<Prefix> {
    let mut seen = HashSet::new();
    addresses.filter(|address| seen.insert(*address)).collect()
}
