//! Tables and their addresses as lines of an answer.

use std::sync::Arc;

use super::answer::Source;
use super::rows::{seconds, wall};
use crate::control::Glob;
use crate::control::protocol::{AddressRow, Reply, TableRow};
use crate::engine::Engine;
use crate::now::Now;
use crate::writer::{AddressStatus, TableStatus};

/// Tables one after the other, each with its addresses.
#[derive(Debug)]
pub(super) struct Tables {
    tables: Arc<[TableStatus]>,
    /// Those that are meant, of all.
    glob: Option<Glob>,
    /// The one that is told.
    table: usize,
    /// Its next address; `None`: the table itself comes first.
    next: Option<usize>,
    told: usize,
}

impl Tables {
    pub(super) fn new(tables: Arc<[TableStatus]>, glob: Option<Glob>) -> Self {
        Self { tables, glob, table: 0, next: None, told: 0 }
    }

    /// The next line.
    pub(super) fn go_on(&mut self, source: &Source<'_>, now: Now) -> Reply {
        loop {
            let Some(table) = self.tables.get(self.table) else {
                let text =
                    if self.told == 1 { "1 table".to_owned() } else { format!("{} tables", self.told) };
                return Reply::Done { text };
            };
            if self.glob.as_ref().is_some_and(|glob| !glob.matches(&table.name)) {
                self.table += 1;
                continue;
            }
            let Some(next) = self.next else {
                self.told += 1;
                self.next = Some(0);
                return Reply::Table(row(table, source, now));
            };
            if let Some(address) = table.addresses.get(next) {
                self.next = Some(next + 1);
                return Reply::Address(address_row(table, address, source.engine));
            }
            self.next = None;
            self.table += 1;
        }
    }
}

/// How a table stands.
pub(in crate::reactor) fn row(table: &TableStatus, source: &Source<'_>, now: Now) -> TableRow {
    let moment = |at| seconds(wall(at, now));
    TableRow {
        table: table.name.to_string(),
        dataplane: table.plane.to_owned(),
        dry_run: source.dry_run,
        managed: table.managed,
        wanted: table.wanted,
        actual: table.actual,
        held: table.held,
        others: table.others,
        repairs: table.repairs,
        written: table.written_at.map(moment),
        error: table.error.clone(),
        retry: table.retry_at.map(moment),
    }
}

/// How one of its addresses stands.
pub(in crate::reactor) fn address_row(
    table: &TableStatus,
    address: &AddressStatus,
    engine: &Engine,
) -> AddressRow {
    // A reload since then may have taken a rule away.
    let rules = address.rules.iter().filter_map(|rule| engine.rules().get(rule.index()));
    AddressRow {
        table: table.name.to_string(),
        address: address.address.to_string(),
        wanted: address.wanted,
        actual: address.actual,
        held: address.held,
        why: address.why.to_owned(),
        rules: rules.filter(|rule| !rule.is_vacant()).map(|rule| rule.name.to_string()).collect(),
    }
}
