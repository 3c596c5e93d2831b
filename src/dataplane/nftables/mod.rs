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

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::RawFd;

use batch::{Batch, Meant, Sent};
use change::{Arrangements, Writing};
use exchange::{Exchange, Failure, Refusal};
use intervals::{Held, Interval, Joining};
use name::{Family, Name};
use notices::Listener;
use remembered::{Found, Known, Remembered};
use set::Version;

use super::{Change, Contents, DataPlane, Kill, Killed, Managed, Notices, TableError};
use crate::rule::Prefix;
use crate::sys::netlink;

/// How often a transaction is made anew because of what others did at the same time, each time within well under a
/// millisecond.
const TRIES_TOGETHER: usize = 6;
/// How often after that, each table by itself: its own look and write take less time than those of all.
const TRIES_ALONE: usize = 6;

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

    /// Makes changes, in one transaction as far as that is possible.
    fn write(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        let mut outcomes: Vec<Outcome> = changes.iter().map(|_| Outcome::default()).collect();
        for _ in 0..TRIES_TOGETHER {
            let waiting = waiting(&outcomes);
            match self.try_to_write(changes, &mut outcomes, &waiting, Meant::ForGeneration) {
                Err(Failure::Io(error))
                    if error.raw_os_error() == Some(netlink::EMSGSIZE) && changes.len() > 1 =>
                {
                    let (one, other) = changes.split_at(changes.len() / 2);
                    let mut results = self.write(one);
                    results.extend(self.write(other));
                    return results;
                }
                tried => note(tried, &mut outcomes, &waiting),
            }
        }
        for owner in waiting(&outcomes) {
            for _ in 0..TRIES_ALONE {
                let tried = self.try_to_write(changes, &mut outcomes, &[owner], Meant::ForAny);
                note(tried, &mut outcomes, &[owner]);
            }
        }
        outcomes.into_iter().map(Outcome::result).collect()
    }

    /// Makes those of the changes `owners` of which nothing has come yet.
    fn try_to_write(
        &mut self,
        changes: &[Change<'_>],
        outcomes: &mut [Outcome],
        owners: &[usize],
        meant: Meant,
    ) -> Result<(), Failure> {
        let owners = owners.iter().copied().filter(|owner| outcomes[*owner].done.is_none());
        let owners: Vec<usize> = owners.collect();
        if owners.is_empty() {
            return Ok(());
        }
        let generation = match kernel::generation(&mut self.exchange) {
            Ok(generation) => generation,
            Err(error) => {
                owners.iter().for_each(|owner| outcomes[*owner].fails(&error));
                return Ok(());
            }
        };
        self.remembered.is_at(generation);
        let mut batch = Batch::new(&mut self.exchange, generation);
        let mut written = Vec::new();
        for owner in owners {
            let outcome = &mut outcomes[owner];
            let messages = batch.len();
            let mut writing = Writing {
                exchange: &mut self.exchange,
                batch: &mut batch,
                arrangements: &mut self.arrangements,
                remembered: &mut self.remembered,
                slots: self.slots,
                owner,
                reads_first: outcome.reads_first,
            };
            match writing.change(&changes[owner]) {
                Err(error) if !self.remembered.is_sure(&mut self.exchange, &error) => {}
                Err(error) => outcome.fails(&error),
                Ok(left) if batch.len() == messages => outcome.done = Some(left.map_or(Ok(()), Err)),
                Ok(left) => written.push((owner, left)),
            }
        }
        if batch.len() == 0 {
            self.remembered.settle(&mut self.exchange);
            return Ok(());
        }
        let refused = match batch.send(&mut self.exchange, meant) {
            Ok(Sent::Done { made }) => {
                self.remembered.is_written(made);
                for (owner, left) in written {
                    outcomes[owner].done = Some(left.map_or(Ok(()), Err));
                }
                return Ok(());
            }
            Ok(Sent::Refused(refused)) => refused,
            Err(failure) => {
                self.remembered.forget();
                return Err(failure);
            }
        };
        self.remembered.forget();
        for (owner, refusal) in refused {
            match owner {
                Some(owner) => outcomes[owner].refused(refusal),
                // Someone has changed something since: that is why each try begins anew.
                None if refusal.errno == netlink::ERESTART => {}
                None => return Err(Failure::Refused(refusal)),
            }
        }
        Ok(())
    }
}

/// Those changes of which nothing has come yet.
fn waiting(outcomes: &[Outcome]) -> Vec<usize> {
    (0..outcomes.len()).filter(|owner| outcomes[*owner].done.is_none()).collect()
}

/// What all changes of a try have failed for.
fn note(tried: Result<(), Failure>, outcomes: &mut [Outcome], owners: &[usize]) {
    if let Err(failure) = tried {
        let error = failure.into_table_error();
        owners.iter().for_each(|owner| outcomes[*owner].fails(&error));
    }
}

/// What has come of a change so far.
#[derive(Debug, Default)]
struct Outcome {
    done: Option<Result<(), TableError>>,
    /// It was refused for what the set held, which has to be known for the next try.
    reads_first: bool,
    refused: Option<Refusal>,
}

impl Outcome {
    fn fails(&mut self, error: &TableError) {
        self.done.get_or_insert_with(|| Err(error.clone()));
    }

    /// Messages of it were refused, and so the whole transaction.
    fn refused(&mut self, refusal: Refusal) {
        match refusal.errno {
            // Elements or the set itself have come or gone: some go by themselves.
            netlink::ENOENT | netlink::EEXIST | netlink::EBUSY | netlink::ENOTEMPTY => {
                self.reads_first = true;
                self.refused = Some(refusal);
            }
            // Who may not change anything has been told so when it asked for the generation.
            netlink::EPERM => self.fails(&TableError::Other(
                "the table belongs to another program ('flags owner'), which alone may change it: make one of your \
                 own for hfm"
                    .to_owned(),
            )),
            netlink::ENFILE => self.fails(&TableError::Other(
                "the set is full: make it with a larger 'size', or without one".to_owned(),
            )),
            _ => self.fails(&refusal.into_table_error()),
        }
    }

    fn result(self) -> Result<(), TableError> {
        let tried_in_vain = || {
            let why = self.refused.map_or_else(
                || "others change the rules of nftables all the time".to_owned(),
                |refusal| refusal.to_string(),
            );
            let tries = TRIES_TOGETHER + TRIES_ALONE;
            Err(TableError::Other(format!("not written after {tries} tries: {why}")))
        };
        self.done.unwrap_or_else(tried_in_vain)
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
        let holds = match family {
            Family::Ip => "type ipv4_addr;",
            Family::Ip6 => "type ipv6_addr;",
            Family::Inet | Family::Arp | Family::Bridge | Family::Netdev => "type ipv4_addr; (or ipv6_addr)",
        };
        format!("write 'table {family} {table} {{ set {set} {{ {holds} }}; }}' into /etc/nftables.conf")
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
