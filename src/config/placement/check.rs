//! What of tables does not fit together, or does nothing, though every value is good by itself.

use std::collections::HashSet;

use super::super::diagnose::{Diagnostic, Problems};
use super::super::given::Given;
use super::super::properties::{Key, Setting};
use super::super::raw::{Level, NodeId, ROOT, Tree};
use super::super::render::quoted;
use super::super::settings::name_of;
use super::names::{in_nftables as name_in_nftables, in_pf as name_in_pf};
use super::tables::Gathered;
use super::values::element;
use crate::rule::{Combine, DataPlaneChoice, Firewall, Placement, RuleId, Share};
use crate::ucl::Span;

/// Reports what can be said once every placement is known.
pub(super) fn find(tree: &Tree, placements: &[Placement], tables: &[Gathered], problems: &mut Problems) {
    too_few_rules(tree, tables, problems);
    let in_tables = tree.rules.iter().zip(placements).filter(|(_, placement)| !placement.tables.is_empty());
    let above_tables: HashSet<NodeId> = in_tables.flat_map(|(id, _)| tree.ids_up(*id)).collect();
    without_effect(tree, &above_tables, problems);
    for of in tables {
        let backups = of.table.members.iter().filter(|member| member.backup).count();
        let others = of.table.members.len() - backups;
        if others == 0 {
            backups_alone(tree, of, problems);
        } else {
            never_leave(tree, of, others, backups, problems);
        }
    }
}

/// Refuses names of tables that what holds them cannot have.
pub(super) fn names(tree: &Tree, firewall: &Firewall, problems: &mut Problems) {
    let key = Key::Setting(Setting::DataPlane);
    let root = tree.nodes.get(ROOT).map(|root| &root.settings);
    if root.is_none_or(|root| root.refused.contains(&key)) {
        return;
    }
    let judge = match firewall.dataplane.here() {
        DataPlaneChoice::Nftables | DataPlaneChoice::Auto => name_in_nftables,
        DataPlaneChoice::Pf | DataPlaneChoice::Pfctl | DataPlaneChoice::Memory => name_in_pf,
    };
    let plane = root.and_then(|root| root.place(key));
    for node in &tree.nodes {
        let written = node.settings.given.get(&Setting::Tables);
        let Some(Given::Texts(texts)) = written.map(|written| &written.value) else { continue };
        for text in texts {
            // What is no element has been refused when it was read.
            let Some(wrong) = element(&text.text).ok().and_then(|of| judge(of.table).err()) else { continue };
            let mut error = wrong.at(text.span, &node.name);
            match plane {
                Some(place) => error = error.note(place, "'dataplane' is here"),
                None => {
                    error = error.help("'dataplane' is auto, which is nftables on Linux and pf on FreeBSD")
                }
            }
            problems.push(error);
        }
    }
}

/// A `combine` that could never be met.
fn too_few_rules(tree: &Tree, tables: &[Gathered], problems: &mut Problems) {
    let mut said: HashSet<Span> = HashSet::new();
    for of in tables {
        for (member, terms) in of.table.members.iter().zip(&of.terms) {
            let Some((Combine::AtLeast(wanted), by)) = terms.combine else {
                continue;
            };
            let there = u32::try_from(member.rules.len()).unwrap_or(u32::MAX);
            let id = tree.rules[by.index()];
            let place = tree.place_of(id, name_of(Key::Setting(Setting::Combine)));
            if wanted.get() <= there || !said.insert(place) {
                continue;
            }
            let (address, table) = (member.address, quoted(&of.table.name));
            let (rules, help) = match there {
                1 => ("1 rule names".to_owned(), "take it away: the one rule decides".to_owned()),
                _ => (
                    format!("{there} rules name"),
                    format!("make it {there} or less; 'all' is however many there are"),
                ),
            };
            let message = format!("'combine' is {wanted}, and only {rules} {address} in table {table}");
            problems.push(Diagnostic::error(place, &tree.nodes[id].name, message).help(help));
        }
    }
}

/// Terms of tables, written where no table is.
fn without_effect(tree: &Tree, above_tables: &HashSet<NodeId>, problems: &mut Problems) {
    let parents: HashSet<NodeId> = tree.rules.iter().filter_map(|id| tree.nodes[*id].parent).collect();
    for (id, node) in tree.nodes.iter().enumerate() {
        // Of a group without rules more than this has been said.
        let has_rules = node.rule.is_some() || node.level == Level::Root || parents.contains(&id);
        if above_tables.contains(&id) || !has_rules {
            continue;
        }
        let (why, help) = match node.rule {
            Some(_) => ("the rule has no 'tables'", "write tables = \"NAME\" too, or take it away"),
            None => ("no rule below has 'tables'", "write tables = \"NAME\" on those rules, or take it away"),
        };
        for setting in
            [Setting::Combine, Setting::Backup, Setting::MinUp, Setting::Panic, Setting::KillStates]
        {
            let key = Key::Setting(setting);
            if let Some(place) = node.settings.place(key) {
                let message = format!("'{}' has no effect here: {why}", name_of(key));
                problems.push(Diagnostic::warning(place, &node.name, message).help(help));
            }
        }
    }
}

/// A `min_up` of more addresses than there are.
fn never_leave(tree: &Tree, of: &Gathered, others: usize, backups: usize, problems: &mut Problems) {
    let Some((Share::Count(wanted), by)) = of.min_up else {
        return;
    };
    if usize::try_from(wanted).is_ok_and(|wanted| wanted <= others) {
        return;
    }
    let what = match (others, backups) {
        (1, 0) => "1 address".to_owned(),
        (_, 0) => format!("{others} addresses"),
        (1, _) => "1 address that is no backup".to_owned(),
        (_, _) => format!("{others} addresses that are no backups"),
    };
    let table = quoted(&of.table.name);
    let message =
        format!("'min_up' is {wanted}, and table {table} has only {what}: none of them ever leaves");
    warn(tree, by, Setting::MinUp, message, "make it smaller than the number of addresses", problems);
}

/// A table of backups for nothing.
fn backups_alone(tree: &Tree, of: &Gathered, problems: &mut Problems) {
    let Some((_, by)) = of.terms.first().and_then(|terms| terms.backup) else {
        return;
    };
    let message =
        format!("every address of table {} is a backup, with none to stand in for", quoted(&of.table.name));
    warn(
        tree,
        by,
        Setting::Backup,
        message,
        "give 'backup' only to those that stand in for others",
        problems,
    );
}

fn warn(tree: &Tree, by: RuleId, setting: Setting, message: String, help: &str, problems: &mut Problems) {
    let id = tree.rules[by.index()];
    let place = tree.place_of(id, name_of(Key::Setting(setting)));
    problems.push(Diagnostic::warning(place, &tree.nodes[id].name, message).help(help));
}
