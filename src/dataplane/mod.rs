//! Data planes: what holds the tables. Each reads a table and changes single addresses in it; none can
//! make, empty or replace one, so that nothing of others is ever lost.
//!
//! Calls may block, for a bounded time each; the writer thread alone makes them.

mod dry_run;
mod memory;
mod pfctl;

use std::fmt;
use std::time::{Duration, Instant};

pub use dry_run::DryRun;
pub use memory::Memory;
pub use pfctl::Pfctl;

use crate::rule::{DataPlaneChoice, Firewall, Prefix};

/// How long one run of pfctl(8) may take: it answers within milliseconds when it answers at all.
const PFCTL_TIMEOUT: Duration = Duration::from_secs(5);

/// What a configuration says holds the tables; nothing is opened yet. `clock` tells the present moment.
pub fn choose(firewall: &Firewall, clock: fn() -> Instant) -> Box<dyn DataPlane> {
    let plane: Box<dyn DataPlane> = match firewall.dataplane {
        // Where there is no pf, the configuration has refused it.
        DataPlaneChoice::Auto | DataPlaneChoice::Pfctl => {
            Box::new(Pfctl::new(Pfctl::PROGRAM, clock, PFCTL_TIMEOUT))
        }
        DataPlaneChoice::Memory => Box::new(Memory::new()),
    };
    if firewall.dry_run { Box::new(DryRun::new(plane)) } else { plane }
}

/// The one trait of all that hold tables.
pub trait DataPlane: Send + fmt::Debug {
    /// What holds the tables, in a word; addresses are remembered under it.
    fn name(&self) -> &'static str;

    /// Everything in a table, other people's addresses too, in any order.
    ///
    /// # Errors
    /// When it cannot be read; [`TableError`] says whose trouble that is.
    fn read(&mut self, table: &str) -> Result<Vec<Prefix>, TableError>;

    /// Adds these addresses to a table; those that are in it already are left as they are.
    ///
    /// # Errors
    /// When not all of them are in for sure.
    fn add(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError>;

    /// Takes these addresses out of a table; those that are not in it are no error.
    ///
    /// # Errors
    /// When not all of them are out for sure.
    fn remove(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError>;
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
