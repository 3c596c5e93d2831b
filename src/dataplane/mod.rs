//! Data planes: what holds the tables. Each reads a table and changes single addresses in it; none can
//! make, empty or replace one, so that nothing of others is ever lost.
//!
//! Calls may block, for a bounded time each; the writer thread alone makes them.

mod dry_run;
mod elsewhere;
mod memory;
#[cfg(target_os = "linux")]
mod nftables;
pub mod pf;
mod pfctl;
#[cfg(test)]
mod simply;
pub mod slots;

use std::collections::BTreeSet;
use std::fmt;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

pub use dry_run::DryRun;
pub use memory::Memory;
#[cfg(target_os = "linux")]
pub use nftables::Nftables;
pub use pf::Pf;
pub use pfctl::Pfctl;

use crate::rule::{DataPlaneChoice, Firewall, Prefix};
use elsewhere::Elsewhere;

/// How long one run of pfctl(8) may take: it answers within milliseconds when it answers at all.
const PFCTL_TIMEOUT: Duration = Duration::from_secs(5);

/// What a configuration says holds the tables; nothing is opened yet. `clock` tells the present moment.
pub fn choose(firewall: &Firewall, clock: fn() -> Instant) -> Box<dyn DataPlane> {
    let plane: Box<dyn DataPlane> = match firewall.dataplane.here() {
        #[cfg(target_os = "freebsd")]
        DataPlaneChoice::Auto | DataPlaneChoice::Pf => Box::new(Pf::new()),
        #[cfg(not(target_os = "freebsd"))]
        DataPlaneChoice::Auto | DataPlaneChoice::Pf => Box::new(Elsewhere::new("pf", "FreeBSD")),
        DataPlaneChoice::Pfctl => Box::new(Pfctl::new(Pfctl::PROGRAM, clock, PFCTL_TIMEOUT)),
        #[cfg(target_os = "linux")]
        DataPlaneChoice::Nftables => Box::new(Nftables::new(firewall.slots)),
        #[cfg(not(target_os = "linux"))]
        DataPlaneChoice::Nftables => Box::new(Elsewhere::new("nftables", "Linux")),
        DataPlaneChoice::Memory => Box::new(Memory::new()),
    };
    if firewall.dry_run { Box::new(DryRun::new(plane)) } else { plane }
}

/// The one trait of all that hold tables.
pub trait DataPlane: Send + fmt::Debug {
    /// What holds the tables, in a word; addresses are remembered under it.
    fn name(&self) -> &'static str;

    /// Opens what it works by, while the process still may; without it the first call opens it. A second time it
    /// does nothing.
    ///
    /// # Errors
    /// When it cannot be opened; each later call tries again.
    fn open(&mut self) -> Result<(), TableError> {
        Ok(())
    }

    /// What an operator writes, and where, for there to be such a table.
    fn how_to_make(&self, table: &str) -> String;

    /// How many tables one [`apply`](Self::apply) is given at most: more than one where they are written in one
    /// go, and one where newer words may come while each of them is written.
    fn tables_at_once(&self) -> usize {
        1
    }

    /// Whether what [`apply`](Self::apply) says is made is so for sure, so that nobody need look.
    fn is_sure(&self) -> bool {
        false
    }

    /// Everything in a table, other people's addresses too, in any order.
    ///
    /// # Errors
    /// When it cannot be read; [`TableError`] says whose trouble that is.
    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError>;

    /// Makes these changes, of one table each; of each says in its place what came of it. In a table what is
    /// added comes before what is removed, or at the same moment. Addresses that are in already are left as they
    /// are, and those that are out already are no error.
    ///
    /// A change that failed may have been made in part, unless it says that no call was made.
    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>>;

    /// Another one of the same kind, which only kills, at the same time as this one reads and writes: to go through
    /// all connections may take long. `None` where it is nothing to be waited for.
    fn killer(&self) -> Option<Box<dyn DataPlane>> {
        None
    }

    /// Makes the firewall forget clients that it goes on sending to these addresses, which are in none of our
    /// tables any more. Where it keeps no such thing there is nothing to be done.
    ///
    /// # Errors
    /// When not all of it is forgotten for sure.
    fn kill(&mut self, addresses: &[Prefix], what: Kill) -> Result<Killed, TableError>;

    /// What becomes readable when others have changed tables, where there is such a thing: always the same
    /// descriptor once it is open, for as long as the data plane lives.
    fn notices(&self) -> Option<RawFd> {
        None
    }

    /// Which tables others have changed since the last call. Never waits.
    fn take_notices(&mut self) -> Notices {
        Notices::default()
    }
}

/// A table, and which of its addresses rules speak of.
#[derive(Clone, Copy, Debug)]
pub struct Managed<'a> {
    /// Its name, as in the file.
    pub name: &'a str,
    /// All addresses that are to share what it gives out, whether they are in at the moment or not, each once and
    /// in any order. Without those that no rule names any more and that are to leave.
    pub members: &'a [Prefix],
}

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Its addresses, in any order, each once.
    pub addresses: Vec<Prefix>,
    /// They do not have the places that they should have: even a change of no address puts that right. Only
    /// where addresses have places.
    pub disordered: bool,
}

impl Contents {
    /// Addresses that have no places.
    pub fn of(addresses: Vec<Prefix>) -> Self {
        Self { addresses, disordered: false }
    }
}

/// What is to be done to one table.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The table.
    pub table: Managed<'a>,
    /// Addresses to be put in.
    pub add: &'a [Prefix],
    /// Addresses to be taken out.
    pub remove: &'a [Prefix],
}

/// What a firewall is to forget of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kill {
    /// Which clients it sends there: their next connections go elsewhere, those that there are go on.
    SourceNodes,
    /// That, and then the connections.
    States,
}

/// What a firewall has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Killed {
    /// Clients that were bound to one of the addresses.
    pub source_nodes: u64,
    /// Connections.
    pub states: u64,
}

/// What others have done to tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// It is not known to which: all of them have to be read.
    pub all: bool,
    /// These, by their names in the file; others that are not ours may be among them.
    pub tables: BTreeSet<Box<str>>,
}

/// Why a table could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// There is no such table (or anchor).
    NoTable,
    /// What holds the tables is not there: no program, no device. With what is missing.
    Absent(String),
    /// This process may not.
    NotPermitted(String),
    /// An address or name was not understood.
    Syntax(String),
    /// No answer within this many milliseconds.
    Timeout(u64),
    /// Anything else, in its own words.
    Other(String),
}

impl TableError {
    /// Whether other tables will meet with the same.
    pub fn concerns_all_tables(&self) -> bool {
        match self {
            Self::NoTable | Self::Syntax(_) | Self::Other(_) => false,
            Self::Absent(_) | Self::NotPermitted(_) | Self::Timeout(_) => true,
        }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable => f.write_str("there is no such table"),
            Self::Absent(what) => write!(f, "not there: {what}"),
            Self::NotPermitted(what) => write!(f, "not permitted: {what}"),
            Self::Syntax(what) => write!(f, "not understood: {what}"),
            Self::Timeout(limit_ms) => write!(f, "no answer within {limit_ms} ms"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for TableError {}
