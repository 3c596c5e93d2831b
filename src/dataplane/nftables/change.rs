//! From what is wanted of a set to the messages that bring it about.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use super::batch::{Act, Batch};
use super::element::{Octets, Remarks, Written};
use super::exchange::Exchange;
use super::found::{self, Edges, Lasting, Singles, first_end, interval_elements};
use super::intervals::{Conflict, Held, Interval, Joining};
use super::kernel;
use super::name::Name;
use super::remembered::{Known, Remembered};
use super::set::{Shape, Version};
use crate::dataplane::slots::Arrangement;
use crate::dataplane::{Change, Managed, TableError};
use crate::rule::Prefix;

/// Who owns the slots of which map: kept, as it takes some time to find out.
pub(super) type Arrangements = HashMap<Box<str>, Arrangement>;

/// What cannot be done of a change, while all else of it is.
pub(super) type Left = Option<TableError>;

/// Writes the messages of one change.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    pub exchange: &'a mut Exchange,
    pub batch: &'a mut Batch,
    pub arrangements: &'a mut Arrangements,
    pub remembered: &'a mut Remembered,
    /// How many slots a map has.
    pub slots: u32,
    /// For whom the messages are.
    pub owner: usize,
    /// Whether it is to be known what is in before anything is taken out.
    pub reads_first: bool,
}

impl Writing<'_> {
    /// Writes what a change takes. With an error nothing is written.
    pub(super) fn change(&mut self, change: &Change<'_>) -> Result<Left, TableError> {
        let table = change.table.name;
        let name = Name::parse(table)?;
        let mut found = match self.remembered.take(table) {
            Some(found) => found,
            None => {
                let description = kernel::describe(self.exchange, name)?;
                if let Shape::Single { version, expires: false } =
                    description.shape(self.slots).map_err(TableError::Other)?
                    && !self.reads_first
                {
                    return Ok(self.singles(name, version, None, change));
                }
                self.remembered.read(self.exchange, table, self.slots)?
            }
        };
        let messages = self.batch.len();
        let result = match &mut found.known {
            Known::Singles(version, singles) => {
                let held = Some((singles, found.is_steady));
                Ok(self.singles(name, *version, held, change))
            }
            Known::Intervals(version, joining, edges) => {
                Ok(self.intervals(name, *version, *joining, edges, change))
            }
            Known::Slots(version, slots) => self.in_slots(name, *version, slots, change),
        };
        if self.batch.len() == messages {
            self.remembered.keep(found);
        } else {
            self.remembered.keep_as_written(found);
        }
        result
    }

    fn singles(
        &mut self,
        name: Name<'_>,
        version: Version,
        held: Option<(&mut Singles, bool)>,
        change: &Change<'_>,
    ) -> Left {
        let numbers = |of: &[Prefix]| {
            let fits = of.iter().filter(|of| Version::of(**of) == version && Version::is_single(**of));
            let mut numbers: Vec<u128> = fits.map(|of| Version::number(of.address())).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let (mut add, mut remove) = (numbers(change.add), numbers(change.remove));
        add.retain(|number| remove.binary_search(number).is_err());
        let mut renewed = Vec::new();
        if let Some((found, false)) = &held {
            let stays = |number: &u128| remove.binary_search(number).is_err();
            let ours: HashSet<u128> =
                numbers(change.table.members).into_iter().chain(add.iter().copied()).filter(stays).collect();
            let to_renew = ours.into_iter().filter_map(|of| Some((of, found.get(&of)?.to_renew()?.clone())));
            renewed.extend(to_renew);
        }
        if let Some((found, _)) = &held {
            add.retain(|number| !found.contains_key(number));
            remove.retain(|number| found.contains_key(number));
        }
        let key = |number: u128| Written::key(Octets::address(version, number));
        let leave = remove.iter().chain(renewed.iter().map(|(number, _)| number));
        self.write(Act::Take, name, leave.map(|number| key(*number)));
        let renew = renewed.iter().map(|(number, remarks)| Written { remarks, ..key(*number) });
        self.write(Act::Put, name, add.iter().map(|number| key(*number)).chain(renew));
        if let Some((found, _)) = held {
            remove.iter().for_each(|number| drop(found.remove(number)));
            let renewed = renewed.iter().map(|(number, _)| *number);
            found.extend(add.iter().copied().chain(renewed).map(|number| (number, Lasting::ForGood)));
        }
        misfit(version, change.add, |prefix| {
            (!Version::is_single(prefix))
                .then(|| format!("{prefix} does not fit: the set has no 'flags interval' to hold networks"))
        })
    }

    fn intervals(
        &mut self,
        name: Name<'_>,
        version: Version,
        joining: Joining,
        edges: &mut Edges,
        change: &Change<'_>,
    ) -> Left {
        // Where one interval ends in a set that has changed, another may begin by now.
        self.batch.need_generation();
        let found::Intervals { found, is_new } = edges.intervals(version);
        let of = |prefixes: &[Prefix]| -> Vec<Interval> {
            let fits = prefixes.iter().filter(|of| Version::of(**of) == version);
            fits.map(|of| Version::interval(*of)).collect()
        };
        let (members, mut add, remove) = (of(change.table.members), of(change.add), of(change.remove));
        let leave: HashSet<Interval> = remove.iter().copied().collect();
        add.retain(|of| !leave.contains(of));
        let held = Held::new(joining, found.iter().map(|of| of.interval).collect());
        let mut plan = held.plan(&members, &add, &remove);
        let ours: HashSet<Interval> = members.into_iter().chain(add).collect();
        let mut come: Vec<(Interval, Option<&Remarks>)> = Vec::new();
        for (place, of) in found.iter().enumerate() {
            if let Some(remarks) = of.to_renew()
                && ours.contains(&of.interval)
                && !leave.contains(&of.interval)
            {
                plan.remove.push(place);
                come.push((of.interval, Some(remarks)));
            }
        }
        let remarks = |of: Option<usize>| of.map(|place| &found[place].remarks);
        come.extend(plan.add.iter().map(|(interval, of)| (*interval, remarks(*of))));
        come.sort_unstable_by_key(|(interval, _)| *interval);
        let leave = plan.remove.iter().flat_map(|place| found[*place].elements(version));
        self.write(Act::Take, name, leave.inspect(|element| edges.take(element)));
        let first = come.first().filter(|(interval, _)| is_new && interval.first > 0);
        let first = first.map(|_| first_end(version));
        let come =
            come.iter().flat_map(|(interval, remarks)| interval_elements(version, *interval, *remarks));
        self.write(Act::Put, name, first.into_iter().chain(come).inspect(|element| edges.put(element)));
        let conflict = plan.conflict.map(|conflict| TableError::Other(Words(version, conflict).to_string()));
        conflict.or_else(|| misfit(version, change.add, |_| None))
    }

    fn in_slots(
        &mut self,
        name: Name<'_>,
        version: Version,
        found: &mut Vec<Option<IpAddr>>,
        change: &Change<'_>,
    ) -> Result<Left, TableError> {
        let wanted = slots_after(self.arrangements, self.slots, version, change, found)?;
        let differs = |(slot, (found, wanted)): (u32, (&Option<IpAddr>, &Option<IpAddr>))| {
            (found != wanted).then_some((slot, *found, *wanted))
        };
        let changes: Vec<_> = (0..).zip(found.iter().zip(&wanted)).filter_map(differs).collect();
        let leave = changes.iter().filter(|(_, found, _)| found.is_some());
        self.write(Act::Take, name, leave.map(|(slot, ..)| Written::key(Octets::slot(*slot))));
        let come = changes.iter().filter_map(|(slot, _, wanted)| {
            let data = wanted.map(|address| Octets::address(version, Version::number(address)))?;
            Some(Written { data: Some(data), ..Written::key(Octets::slot(*slot)) })
        });
        self.write(Act::Put, name, come);
        let served: HashSet<IpAddr> = wanted.iter().copied().flatten().collect();
        *found = wanted;
        let (slots, hosts) = (self.slots, change.table.members.len());
        Ok(misfit(version, change.add, |prefix| {
            match Version::is_single(prefix) {
            false => Some(format!("{prefix} does not fit: a slot leads to one address, and this is a network")),
            true => (!served.contains(&prefix.address())).then(|| {
                format!("{prefix} gets none of {slots} slots, there are {hosts} hosts: make the map and 'slots' larger")
            }),
        }
        }))
    }

    fn write<'a>(&mut self, act: Act, name: Name<'_>, elements: impl IntoIterator<Item = Written<'a>>) {
        self.batch.add(self.exchange, self.owner, act, name, elements);
    }
}

/// Where the slots of a map are to lead after a change.
fn slots_after(
    arrangements: &mut Arrangements,
    slots: u32,
    version: Version,
    change: &Change<'_>,
    found: &[Option<IpAddr>],
) -> Result<Vec<Option<IpAddr>>, TableError> {
    let arrangement = arrangement(arrangements, slots, version, change.table)?;
    let leave: HashSet<Prefix> = change.remove.iter().copied().collect();
    let mut is_in: HashSet<Prefix> = found.iter().flatten().map(|address| Prefix::host(*address)).collect();
    is_in.extend(change.add);
    is_in.retain(|address| !leave.contains(address));
    let mut owners = Vec::new();
    arrangement.arrange(|member| is_in.contains(&member), &mut owners);
    let members: HashSet<Prefix> = change.table.members.iter().copied().collect();
    let owners: Vec<Option<IpAddr>> = owners.into_iter().map(|owner| owner.map(Prefix::address)).collect();
    // Like every address that none of our rules names, one in a slot stays until it is to leave,
    let is_others = |of: &IpAddr| {
        let address = Prefix::host(*of);
        !members.contains(&address) && !leave.contains(&address)
    };
    let beside = owners
        .iter()
        .zip(found)
        .map(|(owner, found)| if owner == found { *owner } else { found.filter(is_others).or(*owner) });
    let beside: Vec<Option<IpAddr>> = beside.collect();
    // but not those of one of ours that would be left without any slot.
    let served: HashSet<IpAddr> = beside.iter().copied().flatten().collect();
    let is_unserved = |owner: &Option<IpAddr>| owner.is_some_and(|owner| !served.contains(&owner));
    let wanted = owners.iter().zip(beside);
    Ok(wanted.map(|(owner, beside)| if is_unserved(owner) { *owner } else { beside }).collect())
}

/// Whether the slots of a map lead where they should, with those of ours that are in.
pub(super) fn is_in_order(
    arrangements: &mut Arrangements,
    slots: u32,
    version: Version,
    table: Managed<'_>,
    found: &[Option<IpAddr>],
) -> Result<bool, TableError> {
    let change = Change { table, add: &[], remove: &[] };
    Ok(slots_after(arrangements, slots, version, &change, found)? == found)
}

/// Who owns which slot, of the members that a map can hold; the others have none.
fn arrangement<'a>(
    arrangements: &'a mut Arrangements,
    slots: u32,
    version: Version,
    table: Managed<'_>,
) -> Result<&'a Arrangement, TableError> {
    let fits = table.members.iter().copied().filter(|of| fits(version, *of));
    let most = usize::try_from(slots).unwrap_or(usize::MAX);
    let members: Vec<Prefix> = fits.take(most).collect();
    let is_known = arrangements.get(table.name).is_some_and(|of| of.is_of(&members));
    if !is_known {
        let made = Arrangement::new(&members, slots);
        let made = made.map_err(|error| TableError::Other(error.to_string()))?;
        arrangements.insert(table.name.into(), made);
    }
    Ok(&arrangements[table.name])
}

/// Whether a slot of a map, or an element of a set without intervals, can be this.
fn fits(version: Version, of: Prefix) -> bool {
    Version::of(of) == version && Version::is_single(of)
}

/// The first address that a set of this version cannot hold, in words.
fn misfit(
    version: Version,
    addresses: &[Prefix],
    why: impl Fn(Prefix) -> Option<String>,
) -> Option<TableError> {
    let words = addresses.iter().find_map(|prefix| {
        let own = Version::of(*prefix);
        if own == version {
            return why(*prefix);
        }
        let (own, of) = (own.type_name(), version.type_name());
        Some(format!("{prefix} does not fit: it takes a set or map of {own}, and this is one of {of}"))
    });
    words.map(TableError::Other)
}

/// A conflict in words.
struct Words(Version, Conflict);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |interval: Interval| match self.0.networks(interval)[..] {
            [network] => network.to_string(),
            _ => format!("{}-{}", self.0.address(interval.first), self.0.address(interval.last)),
        };
        match self.1 {
            Conflict::Overlaps(ours, other) => write!(
                f,
                "{} cannot be put in beside {}, which overlaps it: a set with 'flags interval' holds only what lies \
                 apart, unless it has 'auto-merge'",
                range(ours),
                range(other)
            ),
            Conflict::Covered(ours, other) => {
                write!(f, "{} cannot be taken out: {} covers it, and stays in", range(ours), range(other))
            }
        }
    }
}
