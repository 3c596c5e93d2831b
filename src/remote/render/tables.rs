//! How tables stand: a line a table, and below it one for each of its addresses.

use std::fmt::Write as _;

use super::super::columns::{Cell, Column, Grid, Place};
use super::super::times::{NOTHING, Short};
use super::super::view::{Paint, View};
use crate::control::protocol::{AddressRow, TableRow};
use crate::line::Harmless;

const TABLES: &[Column] = &[
    Column::flexible("TABLE", 12, 2, Place::Middle),
    Column::numbers("WANTED", 4),
    Column::numbers("ACTUAL", 3),
    Column::numbers("HELD", 2),
    Column::numbers("OTHERS", 1),
    Column::flexible("STATE", 10, 1, Place::End),
];

/// Under no titles: they say what they are.
const ADDRESSES: &[Column] = &[
    Column::flexible("", 15, 3, Place::Middle),
    Column::words(""),
    Column::flexible("", 8, 2, Place::End),
    Column::flexible("", 8, 1, Place::End),
];

/// Blanks before an address.
const INDENT: usize = 2;

/// All tables in the order in which they came, and what they add up to.
pub(super) fn text(tables: &[(TableRow, Vec<AddressRow>)], now: f64, view: View) -> String {
    if tables.is_empty() {
        return "no tables\n".to_owned();
    }
    let mut table_grid = Grid::new(TABLES, 0);
    let mut address_grid = Grid::new(ADDRESSES, INDENT);
    for (row, addresses) in tables {
        table_grid.push(table(row, addresses));
        for row in addresses {
            address_grid.push(address(row));
        }
    }
    let (layout, address_layout) = (table_grid.layout(view), address_grid.layout(view));
    let mut out = table_grid.head(&layout, view);
    let mut next_address = 0;
    for (place, (row, addresses)) in tables.iter().enumerate() {
        out.push_str(&table_grid.row(place, &layout, view));
        if let Some(error) = &row.error {
            let retry = row.retry.map(|retry| format!("; tried again in {}", Short(retry - now)));
            let error = format!("error: {}{}", Harmless(error), retry.unwrap_or_default());
            let _ = writeln!(out, "  {}", view.colour.paint(Paint::Bad, &error));
        }
        for _ in addresses {
            out.push_str(&address_grid.row(next_address, &address_layout, view));
            next_address += 1;
        }
    }
    let wrong =
        tables.iter().filter(|(row, addresses)| Trueness::of(row, addresses) != Trueness::True).count();
    let dry_run = tables.iter().any(|(row, _)| row.dry_run);
    let note =
        if dry_run { "; a dry run: nothing is written, and what would be counts as if it were" } else { "" };
    let _ = writeln!(out, "{}{note}", summary(tables.len(), wrong));
    out
}

fn summary(tables: usize, wrong: usize) -> String {
    let all = if tables == 1 { "1 table".to_owned() } else { format!("{tables} tables") };
    match wrong {
        0 => format!("{all}: as wanted"),
        _ => format!("{all}: {wrong} not as wanted"),
    }
}

/// Whether a table holds what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trueness {
    True,
    Differs,
    NotKnown,
    Trouble,
}

impl Trueness {
    fn of(row: &TableRow, addresses: &[AddressRow]) -> Self {
        if row.error.is_some() {
            Self::Trouble
        } else if row.actual.is_none() {
            Self::NotKnown
        } else if addresses.iter().any(differs) {
            Self::Differs
        } else {
            Self::True
        }
    }
}

/// Whether an address should be in and is not, or the other way round.
fn differs(row: &AddressRow) -> bool {
    row.wanted.zip(row.actual).is_some_and(|(wanted, actual)| wanted != actual)
}

fn table(row: &TableRow, addresses: &[AddressRow]) -> Vec<Cell> {
    let (state, paint) = match Trueness::of(row, addresses) {
        // As wanted is what would be, not what is.
        Trueness::True if row.dry_run => ("as wanted", Paint::Odd),
        Trueness::True => ("as wanted", Paint::Good),
        Trueness::Differs => ("differs", Paint::Bad),
        Trueness::NotKnown => ("not known yet", Paint::Odd),
        Trueness::Trouble => ("trouble", Paint::Bad),
    };
    let dry = if row.dry_run { "dry run, " } else { "" };
    let mut state = format!("{dry}{state} ({})", row.dataplane);
    if row.repairs > 0 {
        let _ = write!(state, ", {} repaired", row.repairs);
    }
    let known = |count: Option<usize>| count.map_or_else(|| NOTHING.to_owned(), |count| count.to_string());
    vec![
        Cell::plain(&row.table),
        Cell::plain(row.wanted),
        Cell::plain(known(row.actual)),
        Cell::plain(row.held),
        Cell::plain(known(row.others)),
        Cell::new(state, paint),
    ]
}

fn address(row: &AddressRow) -> Vec<Cell> {
    let word = |is_in| if is_in { "in" } else { "out" };
    let (state, paint) = match (row.actual, row.wanted) {
        (Some(actual), Some(wanted)) if actual != wanted => {
            (format!("{}, should be {}", word(actual), word(wanted)), Paint::Bad)
        }
        (Some(true), Some(_)) if row.held => ("in, held".to_owned(), Paint::Odd),
        (Some(true), Some(_)) => ("in".to_owned(), Paint::Good),
        (Some(false), Some(_)) => ("out".to_owned(), Paint::Odd),
        (Some(actual), None) => (format!("{}, stays so", word(actual)), Paint::Odd),
        (None, Some(wanted)) => (format!("?, should be {}", word(wanted)), Paint::Odd),
        (None, None) => ("?".to_owned(), Paint::Odd),
    };
    let rules = if row.rules.is_empty() { "no rule names it".to_owned() } else { row.rules.join(", ") };
    vec![Cell::plain(&row.address), Cell::new(state, paint), Cell::plain(&row.why), Cell::plain(rules)]
}
