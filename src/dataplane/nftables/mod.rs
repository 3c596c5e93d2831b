//! nftables by netlink: one socket that stays open, no program.
//!
//! What is read is the kernel's own word, and each [`apply`](DataPlane::apply) is one transaction, whatever
//! number of tables it concerns. It says for which generation of the rules it is meant; when anybody has changed
//! anything since the sets were looked at, the kernel refuses it, and it is made anew from what there is then. So
//! nothing is written into a set that is not what it was taken for. Where others change something all the time,
//! single addresses and slots are in the end written all the same: the kernel refuses what does not fit them.
//!
//! A table is `family/table/set`, in three shapes: a set of addresses, a set with `flags interval`, which holds
//! networks, and a map of slots ([`super::slots`]).

mod batch;
mod change;
mod conntrack;
mod element;
mod exchange;
mod found;
mod intervals;
mod kernel;
mod message;
mod name;
mod notices;
mod remembered;
mod set;
mod transaction;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::RawFd;

use change::Arrangements;
use exchange::{Exchange, Failure};
use intervals::{Held, Interval, Joining};
use name::{Family, Name};
use notices::Listener;
use remembered::{Found, Known, Remembered};
use set::Version;
use transaction::TRIES_TOGETHER;

use super::{Change, Contents, DataPlane, Kill, Killed, Managed, Notices, TableError};
use crate::rule::Prefix;

/// Tables that one transaction is about at most, so that one answers in bounded time.
const TABLES_AT_ONCE: usize = 1024;

/// nftables by netlink. `dataplane = nftables`.
#[derive(Debug)]
pub struct Nftables {
    slots: u32,
    exchange: Exchange,
    listener: Option<Listener>,
    /// Something may have happened that nobody heard.
    is_behind: bool,
    /// Every table that was ever asked about.
    known: BTreeSet<Box<str>>,
    arrangements: Arrangements,
    remembered: Remembered,
}

impl Nftables {
    /// Opens nothing yet. Maps have this number of slots: `slots`.
    pub fn new(slots: u32) -> Self {
        Self {
            slots,
            exchange: Exchange::default(),
            listener: None,
            is_behind: false,
            known: BTreeSet::new(),
            arrangements: HashMap::new(),
            remembered: Remembered::default(),
        }
    }

    fn listen(&mut self) -> Result<(), TableError> {
        if self.listener.is_none() {
            let listener = Listener::open().map_err(|error| Failure::Io(error).into_table_error())?;
            self.listener = Some(listener);
            self.is_behind = true;
        }
        Ok(())
    }

    /// Before each call: without notices tables are kept true all the same, if later.
    fn begin<'a>(&mut self, tables: impl IntoIterator<Item = &'a str>) {
        // Whoever reads it afterwards reads what has happened up to now.
        let _ = self.listen();
        for table in tables {
            if !self.known.contains(table) {
                self.known.insert(table.into());
            }
        }
    }

    fn contents(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        let mut tries = 1;
        loop {
            self.remembered.is_at(kernel::generation(&mut self.exchange)?);
            let found = self.remembered.take(table.name);
            let found =
                found.map_or_else(|| self.remembered.read(&mut self.exchange, table.name, self.slots), Ok);
            let (contents, is_sure) = match found {
                Ok(found) => {
                    let contents = self.contents_of(&found, table);
                    self.remembered.keep(found);
                    (contents, self.remembered.settle(&mut self.exchange))
                }
                Err(error) => {
                    let is_sure = self.remembered.is_sure(&mut self.exchange, &error);
                    (Err(error), is_sure)
                }
            };
            // In the end what was read while others wrote has to do.
            if is_sure || tries == TRIES_TOGETHER {
                return contents;
            }
            tries += 1;
        }
    }

    fn contents_of(&mut self, of: &Found, table: Managed<'_>) -> Result<Contents, TableError> {
        match &of.known {
            Known::Singles(version, found) => {
                let expires = |of: &Prefix| {
                    let is_ours = Version::of(*of) == *version && Version::is_single(*of);
                    let found = found.get(&Version::number(of.address())).filter(|_| is_ours);
                    found.is_some_and(|found| found.to_renew().is_some())
                };
                let disordered = !of.is_steady && table.members.iter().any(expires);
                let addresses = found.keys().map(|number| Prefix::host(version.address(*number))).collect();
                Ok(Contents { addresses, disordered })
            }
            Known::Intervals(version, joining, edges) => {
                Ok(of_intervals(&edges.intervals(*version), *version, *joining, table.members))
            }
            Known::Slots(version, slots) => {
                let in_order =
                    change::is_in_order(&mut self.arrangements, self.slots, *version, table, slots)?;
                let addresses: HashSet<Prefix> = slots.iter().copied().flatten().map(Prefix::host).collect();
                Ok(Contents { addresses: addresses.into_iter().collect(), disordered: !in_order })
            }
        }
    }
}

/// What an interval set holds: those of ours that are in, and all else.
fn of_intervals(
    intervals: &found::Intervals,
    version: Version,
    joining: Joining,
    members: &[Prefix],
) -> Contents {
    let held = Held::new(joining, intervals.found.iter().map(|of| of.interval).collect());
    let ours = members.iter().copied().filter(|of| Version::of(*of) == version);
    let mut addresses: Vec<Prefix> = ours.filter(|of| held.holds(Version::interval(*of))).collect();
    let ours: HashSet<Interval> = addresses.iter().map(|of| Version::interval(*of)).collect();
    let others = held.others(&ours.iter().copied().collect::<Vec<_>>());
    // Part of something else that is not ours is not ours either.
    let members: HashSet<Prefix> = members.iter().copied().collect();
    let others = others.into_iter().flat_map(|of| version.networks(of));
    addresses.extend(others.filter(|of| !members.contains(of)));
    let expires = |of: &found::FoundInterval| of.to_renew().is_some() && ours.contains(&of.interval);
    Contents { addresses, disordered: intervals.found.iter().any(expires) }
}

impl DataPlane for Nftables {
    fn name(&self) -> &'static str {
        "nftables"
    }

    fn open(&mut self) -> Result<(), TableError> {
        self.listen()?;
        // That it answers also says that the kernel has loaded what it needs.
        kernel::generation(&mut self.exchange).map(drop)
    }

    fn how_to_make(&self, table: &str) -> String {
        let Ok(Name { family, table, set }) = Name::parse(table) else {
            return "give it a name of the form family/table/set, such as ip/nat/web".to_owned();
        };
        let (holds, remark) = match family {
            Family::Ip => ("ipv4_addr", ""),
            Family::Ip6 => ("ipv6_addr", ""),
            Family::Inet | Family::Arp | Family::Bridge | Family::Netdev => {
                ("ipv4_addr", ", with ipv6_addr instead where its addresses are of IPv6")
            }
        };
        format!(
            "write 'table {family} {table} {{ set {set} {{ type {holds}; }}; }}' into /etc/nftables.conf{remark}"
        )
    }

    fn tables_at_once(&self) -> usize {
        TABLES_AT_ONCE
    }

    fn is_sure(&self) -> bool {
        true
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        self.begin([table.name]);
        self.contents(table)
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        self.begin(changes.iter().map(|change| change.table.name));
        self.write(changes)
    }

    fn killer(&self) -> Option<Box<dyn DataPlane>> {
        Some(Box::new(Self::new(self.slots)))
    }

    fn kill(&mut self, addresses: &[Prefix], what: Kill) -> Result<Killed, TableError> {
        match what {
            // Linux remembers of a client no more than its connections.
            Kill::SourceNodes => Ok(Killed::default()),
            Kill::States => {
                let states = conntrack::forget(&mut self.exchange, addresses)?;
                Ok(Killed { source_nodes: 0, states })
            }
        }
    }

    fn notices(&self) -> Option<RawFd> {
        self.listener.as_ref().map(Listener::descriptor)
    }

    fn take_notices(&mut self) -> Notices {
        let own = self.exchange.port();
        let mut notices =
            self.listener.as_mut().map_or_else(Notices::default, |listener| listener.take(own, &self.known));
        notices.all |= std::mem::take(&mut self.is_behind);
        notices
    }
}
