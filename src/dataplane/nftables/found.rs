//! What sets hold, by their shapes.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::element::{Element, Octets, Remarks, Written};
use super::exchange::Exchange;
use super::intervals::Interval;
use super::kernel;
use super::name::Name;
use super::set::Version;
use crate::dataplane::TableError;

/// The elements of a set of single addresses: whether each has a time at which it goes, and all else that is
/// said of it.
pub(super) type Singles = HashMap<u128, Lasting>;

/// How long an element stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lasting {
    /// Until someone takes it out.
    ForGood,
    /// For some time; with what is to be said of it when it is to stay for good.
    ForATime(Remarks),
}

impl Lasting {
    fn of(element: &Element<'_>) -> Self {
        if element.expires { Self::ForATime(element.lasting_remarks()) } else { Self::ForGood }
    }

    /// What is to be said of it to stay for good; `None` when it does.
    pub(super) fn to_renew(&self) -> Option<&Remarks> {
        match self {
            Self::ForGood => None,
            Self::ForATime(remarks) => Some(remarks),
        }
    }
}

/// An interval of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundInterval {
    pub interval: Interval,
    /// Whether its end is an element of its own: the last one may do without, and so may one at whose end the
    /// next begins.
    has_end: bool,
    lasting: Lasting,
    /// All else that is said of it.
    pub remarks: Remarks,
}

impl FoundInterval {
    /// What is to be said of it to stay for good; `None` when it does.
    pub(super) fn to_renew(&self) -> Option<&Remarks> {
        self.lasting.to_renew()
    }

    /// As elements that are taken out.
    pub(super) fn elements(&self, version: Version) -> impl Iterator<Item = Written<'static>> + use<> {
        let end = self.has_end.then(|| end_of(version, self.interval)).flatten();
        let is_open = self.interval.last == version.last();
        [Written { is_open, ..start_of(version, self.interval) }].into_iter().chain(end)
    }
}

/// An interval as elements, with what is said of it.
pub(super) fn interval_elements<'a>(
    version: Version,
    interval: Interval,
    remarks: Option<&'a Remarks>,
) -> impl Iterator<Item = Written<'a>> + use<'a> {
    let start = start_of(version, interval);
    let remarks = remarks.unwrap_or(start.remarks);
    let end = end_of(version, interval);
    [Written { remarks, is_open: end.is_none(), ..start }].into_iter().chain(end)
}

/// What nft(8) puts into an interval set before anything else: that the addresses up to the first interval are
/// not in.
pub(super) fn first_end(version: Version) -> Written<'static> {
    Written { is_end: true, ..Written::key(Octets::address(version, 0)) }
}

fn start_of(version: Version, interval: Interval) -> Written<'static> {
    Written::key(Octets::address(version, interval.first))
}

/// None where no address lies behind it.
fn end_of(version: Version, interval: Interval) -> Option<Written<'static>> {
    let behind = (interval.last < version.last()).then(|| Octets::address(version, interval.last + 1))?;
    Some(Written { is_end: true, ..Written::key(behind) })
}

/// Reads a set of single addresses.
pub(super) fn singles(
    exchange: &mut Exchange,
    name: Name<'_>,
    version: Version,
) -> Result<Singles, TableError> {
    let gather = |element: &Element<'_>| Ok((element.number(version)?, Lasting::of(element)));
    kernel::elements(exchange, name, gather, |told| {
        let count = told.len();
        Some(Singles::from_iter(told)).filter(|singles| singles.len() == count)
    })
}

/// An interval set.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    /// In order.
    pub found: Vec<FoundInterval>,
    /// Whether nobody has ever put anything in.
    pub is_new: bool,
}

/// The elements of an interval set, by where they lie and whether an interval begins there or has just ended; what
/// is said of those that begin. Where one ends and another begins, the end comes first.
#[derive(Debug)]
pub(super) struct Edges(BTreeMap<(u128, bool), Option<(Lasting, Remarks)>>);

impl Edges {
    /// Reads an interval set.
    pub(super) fn read(
        exchange: &mut Exchange,
        name: Name<'_>,
        version: Version,
    ) -> Result<Self, TableError> {
        let gather = |element: &Element<'_>| {
            let begins = (!element.is_end).then(|| (Lasting::of(element), element.remarks()));
            Ok(((element.number(version)?, begins.is_some()), begins))
        };
        kernel::elements(exchange, name, gather, |told| Some(Self(BTreeMap::from_iter(told))))
    }

    /// Whether nothing that is said of them may change by itself.
    pub(super) fn are_steady(&self) -> bool {
        self.0.values().flatten().all(|(_, remarks)| remarks.are_notes())
    }

    /// Notes what was put in.
    pub(super) fn put(&mut self, element: &Written<'_>) {
        let begins = (!element.is_end).then(|| (Lasting::ForGood, element.remarks.clone()));
        self.0.entry((element.key.number(), begins.is_some())).or_insert(begins);
    }

    /// Notes what was taken out.
    pub(super) fn take(&mut self, element: &Written<'_>) {
        self.0.remove(&(element.key.number(), !element.is_end));
    }

    /// The intervals between them.
    pub(super) fn intervals(&self, version: Version) -> Intervals {
        let mut found = Vec::new();
        let mut open: Option<(u128, (Lasting, Remarks))> = None;
        let mut close = |open: Option<(u128, (Lasting, Remarks))>, last: Option<u128>, has_end| {
            if let (Some((first, (lasting, remarks))), Some(last)) = (open, last) {
                found.push(FoundInterval { interval: Interval { first, last }, has_end, lasting, remarks });
            }
        };
        for ((at, _), begins) in &self.0 {
            close(open.take(), at.checked_sub(1), begins.is_none());
            open = begins.clone().map(|what| (*at, what));
        }
        close(open, Some(version.last()), false);
        Intervals { found, is_new: self.0.is_empty() }
    }
}

/// Where the slots of a map lead, as far as there are any: those beyond their number are somebody else's.
pub(super) fn slots(
    exchange: &mut Exchange,
    name: Name<'_>,
    version: Version,
    count: u32,
) -> Result<Vec<Option<IpAddr>>, TableError> {
    let gather = |element: &Element<'_>| Ok((element.slot()?, element.leads_to(version)?));
    kernel::elements(exchange, name, gather, |mut told| {
        told.sort_unstable();
        let is_twice = told.windows(2).any(|two| two[0].0 == two[1].0);
        let mut slots = vec![None; usize::try_from(count).expect("numbers are of 32 bits")];
        for (slot, address) in told {
            if let Some(slot) = usize::try_from(slot).ok().and_then(|slot| slots.get_mut(slot)) {
                *slot = Some(address);
            }
        }
        (!is_twice).then_some(slots)
    })
}
