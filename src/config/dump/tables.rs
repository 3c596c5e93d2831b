//! What is said of tables, as settings; and as comments what each table would hold.

use std::fmt::{self, Write};

use super::super::placement::{boolean_text, combine_text, default_address, percent_text, share_text};
use super::{Quoted, Seconds};
use crate::rule::{
    Combine, Configuration, DataPlaneChoice, Firewall, Member, Membership, Prefix, Rule, Table,
};

/// Names of rules that are shown of an address at most.
const RULES_SHOWN_MAX: usize = 8;

/// Columns that the names of an address's rules are filled up to at most.
const RULES_WIDTH_MAX: usize = 40;

/// Writes what stands at the root: everything when there are tables, else what is not as it is by default.
pub(super) fn write_root(out: &mut String, configuration: &Configuration) -> fmt::Result {
    let Firewall { dataplane, dry_run, reconcile, state_dir, slots } = &configuration.firewall;
    let default = Firewall::default();
    let all = !configuration.tables.is_empty();
    if all || *dataplane != default.dataplane {
        let word = match dataplane {
            DataPlaneChoice::Auto => "auto",
            DataPlaneChoice::Pf => "pf",
            DataPlaneChoice::Pfctl => "pfctl",
            DataPlaneChoice::Nftables => "nftables",
            DataPlaneChoice::Memory => "memory",
        };
        writeln!(out, "dataplane = {word};")?;
    }
    if all || *dry_run != default.dry_run {
        writeln!(out, "dry_run = {};", boolean_text(*dry_run))?;
    }
    if all || *reconcile != dataplane.reconcile_default() {
        writeln!(out, "reconcile = {};", Seconds(*reconcile))?;
    }
    if all || *state_dir != default.state_dir {
        writeln!(out, "state_dir = {};", Quoted(state_dir))?;
    }
    if *slots != default.slots || all && dataplane.here() == DataPlaneChoice::Nftables {
        writeln!(out, "slots = {slots};")?;
    }
    Ok(())
}

/// Writes what a rule says. Of a rule without tables, nothing but addresses that it would not have by default.
pub(super) fn write_placement(out: &mut String, rule: &Rule) -> fmt::Result {
    let of = &rule.placement;
    let is_default = || default_address(&rule.test).is_ok_and(|address| of.addresses == [address]);
    if !(of.addresses.is_empty() || of.tables.is_empty() && is_default()) {
        write_texts(out, "addresses", of.addresses.iter().map(Prefix::to_string))?;
    }
    if of.tables.is_empty() {
        return Ok(());
    }
    write_texts(out, "tables", of.tables.iter().map(|membership| element(membership, &of.addresses)))?;
    if let Some(combine) = of.combine {
        writeln!(out, "    combine = {};", combine_text(combine))?;
    }
    if let Some(backup) = of.backup {
        writeln!(out, "    backup = {};", boolean_text(backup))?;
    }
    if let Some(share) = of.min_up {
        writeln!(out, "    min_up = {};", share_text(share))?;
    }
    if let Some(share) = of.panic {
        writeln!(out, "    panic = {};", percent_text(share))?;
    }
    if of.kill_states {
        writeln!(out, "    kill_states = yes;")?;
    }
    Ok(())
}

/// Writes, as comments, what every table would hold.
pub(super) fn write_comments(out: &mut String, configuration: &Configuration) -> fmt::Result {
    for table in &configuration.tables {
        writeln!(out)?;
        write_table(out, configuration, table)?;
    }
    Ok(())
}

fn write_table(out: &mut String, configuration: &Configuration, table: &Table) -> fmt::Result {
    let min_up = table.min_up.map(|share| format!("min_up {}", share_text(share)));
    let panic = table.panic.map(|share| format!("panic {}", percent_text(share)));
    let terms: Vec<String> = min_up.into_iter().chain(panic).collect();
    match terms.is_empty() {
        true => writeln!(out, "# table {}", table.name)?,
        false => writeln!(out, "# table {} ({})", table.name, terms.join(", "))?,
    }
    let rows: Vec<[String; 3]> = table.members.iter().map(|member| row(configuration, member)).collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (addresses, rules) = (widest(0), widest(1).min(RULES_WIDTH_MAX));
    for [address, names, terms] in &rows {
        let line = format!("#   {address:addresses$}    {names:rules$}    {terms}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// An address, the rules that name it, and its terms.
fn row(configuration: &Configuration, member: &Member) -> [String; 3] {
    let shown = member.rules.iter().take(RULES_SHOWN_MAX);
    let mut names: Vec<String> = shown.map(|id| configuration.rules[id.index()].name.to_string()).collect();
    let more = member.rules.len().saturating_sub(RULES_SHOWN_MAX);
    if more > 0 {
        names.push(format!("({more} more)"));
    }
    let combine = match member.combine {
        Combine::All => None,
        Combine::Any | Combine::AtLeast(_) => Some(format!("combine {}", combine_text(member.combine))),
    };
    let backup = member.backup.then(|| "backup".to_owned());
    let kill_states = member.kill_states.then(|| "kill_states".to_owned());
    let terms: Vec<String> = combine.into_iter().chain(backup).chain(kill_states).collect();
    [member.address.to_string(), names.join(", "), terms.join(", ")]
}

/// A table as an element of `tables`: with its addresses, unless they are those of the rule.
fn element(membership: &Membership, of_rule: &[Prefix]) -> String {
    if membership.addresses == of_rule {
        return membership.table.to_string();
    }
    let addresses: Vec<String> = membership.addresses.iter().map(Prefix::to_string).collect();
    format!("{}={}", membership.table, addresses.join(","))
}

fn write_texts(out: &mut String, name: &str, texts: impl Iterator<Item = String>) -> fmt::Result {
    let texts: Vec<String> = texts.map(|text| Quoted(&text).to_string()).collect();
    writeln!(out, "    {name} = [{}];", texts.join(", "))
}
