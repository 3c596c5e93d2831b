//! What the writer answers when it is asked, as plain values.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::desired::{Desired, Objection};
use super::kept::{Kept, Retry};
use crate::rule::{Prefix, RuleId};

/// Something that the writer is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// How tables stand.
    Tables(Which),
    /// To read every table now and to repair what differs; answered when that was tried once of each.
    Reconcile,
    /// What speaks against draining these rules, those among them that would be down only because they require
    /// another one. A reload that comes before the answer makes it [`Answer::Unanswered`].
    WouldDrain(BTreeSet<RuleId>),
}

/// Tables that a question is about: by name, for a reload may move them before it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those of these that there are.
    Named(BTreeSet<Arc<str>>),
}

/// What the writer has to say to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The tables, in the order of the file.
    Tables(Box<[TableStatus]>),
    /// All tables were read.
    Reconciled(Reconciled),
    /// What speaks against it.
    WouldDrain(Vec<Objection>),
    /// No answer can be had; why.
    Unanswered(&'static str),
}

/// How a table stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStatus {
    /// Its name.
    pub name: Arc<str>,
    /// What holds it, in a word.
    pub plane: &'static str,
    /// How many addresses are ours, those that are to leave among them.
    pub managed: usize,
    /// How many of them should be in.
    pub wanted: usize,
    /// How many of them are in, as last read or written; `None` while that is not known.
    pub actual: Option<usize>,
    /// How many are in only because of `min_up` or `panic`.
    pub held: usize,
    /// How many addresses are in it that are not ours.
    pub others: Option<usize>,
    /// Addresses that others took out or put in, and that were put right.
    pub repairs: u64,
    /// When it was last written.
    pub written_at: Option<Instant>,
    /// What keeps it, or all tables, from being read or written.
    pub error: Option<String>,
    /// When that is tried again.
    pub retry_at: Option<Instant>,
    /// Its addresses, in the order of the file; after them those that are to leave.
    pub addresses: Box<[AddressStatus]>,
}

/// How an address of a table stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressStatus {
    /// The address.
    pub address: Prefix,
    /// Whether it should be in; `None`: it stays as it is.
    pub wanted: Option<bool>,
    /// Whether it is in; `None` while that is not known.
    pub actual: Option<bool>,
    /// It is in only because of `min_up` or `panic`.
    pub held: bool,
    /// Why, in a word or a few.
    pub why: &'static str,
    /// The rules that have a say in it; none for one that is to leave.
    pub rules: Box<[RuleId]>,
}

/// What came of reading all tables at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Tables that hold what they should, or have been left as they are.
    pub read: usize,
    /// Addresses of these that others took out or put in, and that were put right.
    pub repairs: u64,
    /// Tables that could not be read or written, and why.
    pub failures: Vec<(Arc<str>, String)>,
}

/// How one table stands. `retry` is of what all tables meet with.
pub(super) fn of_table(
    plane: &'static str,
    desired: &Desired,
    index: usize,
    kept: &Kept,
    retry: &Retry,
) -> TableStatus {
    let table = &desired.tables()[index];
    let actual = |address: &Prefix| kept.contents.as_ref().map(|contents| contents.contains(address));
    let mut wanted = desired.wanted(index).map(|wanted| wanted.is_in);
    let mut addresses = Vec::with_capacity(table.members.len() + desired.leaving(index).len());
    let (mut wanted_in, mut held) = (0, 0);
    for (number, member) in table.members.iter().enumerate() {
        let fate = desired.fate(index, number);
        let is_held = fate.is_some_and(|fate| fate.why.is_held());
        wanted_in += usize::from(fate.is_some_and(|fate| fate.is_in));
        held += usize::from(is_held);
        addresses.push(AddressStatus {
            address: member.address,
            wanted: wanted.next().flatten(),
            actual: actual(&member.address),
            held: is_held,
            why: fate.map_or("the table was not read yet", |fate| fate.why.words()),
            rules: member.rules.as_slice().into(),
        });
    }
    for address in desired.leaving(index) {
        addresses.push(AddressStatus {
            address: *address,
            wanted: wanted.next().flatten(),
            actual: actual(address),
            held: false,
            why: "no rule names it any more",
            rules: Box::default(),
        });
    }
    let ours = addresses.iter().filter(|of| of.actual == Some(true)).count();
    let trouble = if retry.error.is_some() { retry } else { &kept.retry };
    TableStatus {
        name: table.name.clone(),
        plane,
        managed: addresses.len(),
        wanted: wanted_in,
        actual: kept.contents.as_ref().map(|_| ours),
        held,
        others: kept.contents.as_ref().map(|contents| contents.len() - ours),
        repairs: kept.repairs,
        written_at: kept.written_at,
        error: trouble.error.as_ref().map(ToString::to_string),
        retry_at: trouble.at.filter(|_| trouble.error.is_some()),
        addresses: addresses.into(),
    }
}
