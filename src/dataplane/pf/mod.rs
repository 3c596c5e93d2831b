//! pf's tables by the calls of /dev/pf: microseconds each, no process, nothing to be parsed.
//!
//! Addresses are added, removed and read, and nothing else: no call here can make, empty or replace a table, and
//! pf answers one on a table that is not there with an error. What pf says of each address that it is given is
//! looked at, so that what is reported as done is done.

mod address;
mod kill;
pub(super) mod name;
mod nvlist;
mod trouble;

use std::fmt;

use self::address::Entry;
use self::trouble::Doing;
use super::{Change, Contents, DataPlane, Kill, Killed, Managed, TableError};
use crate::rule::Prefix;
use crate::sys::pf::{
    Errno, PFR_FB_ADDED, PFR_FB_CONFLICT, PFR_FB_DELETED, PFR_FB_DUPLICATE, PFR_FB_NONE, PFR_FLAG_FEEDBACK,
    PfiocLimit, PfiocSrcNodeKill, PfiocStateKill, PfiocTable, PfrAddr, RealDevice, TableCall,
};

/// Room for this many addresses more than are expected in a table.
const SLACK: usize = 64;
/// How many times a table is read anew because it has grown.
const READS_MAX: u32 = 8;

/// What answers pf's calls: the kernel, or in tests what stands in for it. Each fails as pf(4).
pub trait Device: Send + fmt::Debug {
    /// Opens it; nothing happens if it is open.
    ///
    /// # Errors
    /// When it cannot be opened for reading and writing.
    fn open(&mut self) -> Result<(), Errno>;

    /// Closes it, so that it is opened anew.
    fn close(&mut self);

    /// Another way to the same, open if this one is.
    fn another(&self) -> Box<dyn Device>;

    /// A call on the addresses of a table; how many these are is put into `io` by who makes the call. Afterwards
    /// `io.size` tells of [`TableCall::Get`] how many the table holds, be there room for them or not.
    ///
    /// # Errors
    /// When it was refused; nothing has changed then.
    fn table(&mut self, call: TableCall, io: &mut PfiocTable, addresses: &mut [PfrAddr])
    -> Result<(), Errno>;

    /// Kills source nodes.
    ///
    /// # Errors
    /// When it was refused.
    fn kill_source_nodes(&mut self, kill: &mut PfiocSrcNodeKill) -> Result<(), Errno>;

    /// Kills states; until FreeBSD 14.
    ///
    /// # Errors
    /// When it was refused; ENODEV where there is no such call.
    fn kill_states(&mut self, kill: &mut PfiocStateKill) -> Result<(), Errno>;

    /// Kills states; since FreeBSD 13.1. A packed list says which, and is replaced by the answer.
    ///
    /// # Errors
    /// When it was refused; ENODEV where there is no such call.
    fn kill_states_listed(&mut self, list: &mut Vec<u8>) -> Result<(), Errno>;

    /// Puts as many states into `buffer` as there is room for, and says how many bytes that makes; without any
    /// room, how many all of them would make.
    ///
    /// # Errors
    /// When it was refused.
    fn states(&mut self, buffer: &mut [u8]) -> Result<usize, Errno>;

    /// One of pf's limits.
    ///
    /// # Errors
    /// When it was refused.
    fn limit(&mut self, limit: &mut PfiocLimit) -> Result<(), Errno>;

    /// How many addresses one call may take.
    fn request_max(&self) -> usize;
}

impl Device for RealDevice {
    fn open(&mut self) -> Result<(), Errno> {
        self.open()
    }

    fn close(&mut self) {
        self.close();
    }

    fn another(&self) -> Box<dyn Device> {
        Box::new(self.another())
    }

    fn table(
        &mut self,
        call: TableCall,
        io: &mut PfiocTable,
        addresses: &mut [PfrAddr],
    ) -> Result<(), Errno> {
        self.table(call, io, addresses)
    }

    fn kill_source_nodes(&mut self, kill: &mut PfiocSrcNodeKill) -> Result<(), Errno> {
        self.kill_source_nodes(kill)
    }

    fn kill_states(&mut self, kill: &mut PfiocStateKill) -> Result<(), Errno> {
        self.kill_states(kill)
    }

    fn kill_states_listed(&mut self, list: &mut Vec<u8>) -> Result<(), Errno> {
        self.kill_states_listed(list)
    }

    fn states(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.states(buffer)
    }

    fn limit(&mut self, limit: &mut PfiocLimit) -> Result<(), Errno> {
        self.limit(limit)
    }

    fn request_max(&self) -> usize {
        self.request_max()
    }
}

/// pf by its own calls. `dataplane = pf`.
#[derive(Debug)]
pub struct Pf {
    device: Box<dyn Device>,
    /// How this kernel kills states, once it is known.
    interface: Option<kill::Interface>,
    /// Addresses on their way, kept for its room.
    addresses: Vec<PfrAddr>,
}

impl Pf {
    /// By /dev/pf, which is opened by [`open`](DataPlane::open), or else by the first call.
    pub fn new() -> Self {
        Self::by(Box::new(RealDevice::new()))
    }

    /// By a device that may not be the kernel's.
    pub fn by(device: Box<dyn Device>) -> Self {
        Self { device, interface: None, addresses: Vec::new() }
    }

    /// What the table holds, into `self.addresses`.
    fn fetch(&mut self, table: Managed<'_>) -> Result<(), TableError> {
        let name = address::table(table.name)?;
        let mut room = table.members.len() + SLACK;
        for _ in 0..READS_MAX {
            let max = self.device.request_max().max(1);
            room = room.min(max);
            self.addresses.clear();
            self.addresses.resize(room, PfrAddr::default());
            let mut io = PfiocTable::new(name, 0);
            let result = self.device.table(TableCall::Get, &mut io, &mut self.addresses);
            result.map_err(|errno| trouble::refused(Doing::Read, errno, &mut *self.device))?;
            let count = usize::try_from(io.size)
                .map_err(|_| TableError::Other(format!("pf tells of {} addresses in the table", io.size)))?;
            if count <= room {
                self.addresses.truncate(count);
                return Ok(());
            }
            if count > max {
                return Err(TableError::Other(format!(
                    "the table holds {count} addresses, and pf shows {max} at most: \
                     raise net.pf.request_maxcount in /boot/loader.conf and boot"
                )));
            }
            room = count + count / 8 + SLACK;
        }
        Err(TableError::Other("the table grows faster than it can be read".to_owned()))
    }

    /// Adds all of these.
    fn add(&mut self, table: Managed<'_>, prefixes: &[Prefix]) -> Result<(), TableError> {
        self.in_batches(table, TableCall::Add, Doing::Add, prefixes, |answers, io| {
            if let Some(Entry::Address(prefix) | Entry::Negated(prefix)) =
                answers.iter().find(|answer| answer.fback == PFR_FB_CONFLICT).and_then(address::decode)
            {
                return Err(TableError::Other(format!(
                    "the table holds !{prefix}, so {prefix} cannot be added"
                )));
            }
            agree(answers, PFR_FB_ADDED, io.nadd)
        })
    }

    /// Takes all of these out. One that is in with a `!` is somebody else's, and stays.
    fn remove(&mut self, table: Managed<'_>, prefixes: &[Prefix]) -> Result<(), TableError> {
        self.in_batches(table, TableCall::Delete, Doing::Remove, prefixes, |answers, io| {
            agree(answers, PFR_FB_DELETED, io.ndel)
        })
    }

    /// Makes a call for these, or as many as it takes; each answer is judged.
    fn in_batches(
        &mut self,
        table: Managed<'_>,
        call: TableCall,
        doing: Doing,
        prefixes: &[Prefix],
        judge: impl Fn(&[PfrAddr], &PfiocTable) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let name = address::table(table.name)?;
        let request_max = self.device.request_max().max(1);
        for batch in prefixes.chunks(request_max) {
            self.addresses.clear();
            self.addresses.extend(batch.iter().map(|prefix| address::encode(*prefix)));
            let mut io = PfiocTable::new(name, PFR_FLAG_FEEDBACK);
            let result = self.device.table(call, &mut io, &mut self.addresses);
            result.map_err(|errno| trouble::refused(doing, errno, &mut *self.device))?;
            judge(&self.addresses, &io)?;
        }
        Ok(())
    }

    fn make(&mut self, change: &Change<'_>) -> Result<(), TableError> {
        self.open()?;
        self.add(change.table, change.add)?;
        self.remove(change.table, change.remove)
    }
}

impl Default for Pf {
    fn default() -> Self {
        Self::new()
    }
}

impl DataPlane for Pf {
    fn name(&self) -> &'static str {
        "pf"
    }

    fn open(&mut self) -> Result<(), TableError> {
        self.device.open().map_err(trouble::not_opened)
    }

    fn how_to_make(&self, table: &str) -> String {
        name::how_to_make(table)
    }

    fn is_sure(&self) -> bool {
        true
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        self.open()?;
        self.fetch(table)?;
        let plain = self.addresses.iter().filter_map(|entry| match address::decode(entry)? {
            Entry::Address(prefix) => Some(prefix),
            Entry::Negated(_) => None,
        });
        Ok(Contents::of(plain.collect()))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        changes.iter().map(|change| self.make(change)).collect()
    }

    fn killer(&self) -> Option<Box<dyn DataPlane>> {
        Some(Box::new(Self::by(self.device.another())))
    }

    fn kill(&mut self, addresses: &[Prefix], what: Kill) -> Result<Killed, TableError> {
        self.open()?;
        let source_nodes = kill::source_nodes(&mut *self.device, addresses)?;
        let states = match what {
            Kill::SourceNodes => 0,
            Kill::States => kill::states(&mut *self.device, &mut self.interface, addresses)?,
        };
        Ok(Killed { source_nodes, states })
    }
}

/// Whether what pf says of each address is what it says of all: so many have this feedback, and the others were
/// as they should be.
fn agree(answers: &[PfrAddr], done: u8, told: i32) -> Result<(), TableError> {
    let is_known = |fback: u8| [PFR_FB_NONE, PFR_FB_DUPLICATE, PFR_FB_CONFLICT, done].contains(&fback);
    if let Some(answer) = answers.iter().find(|answer| !is_known(answer.fback)) {
        return Err(TableError::Other(format!(
            "pf answers of an address by {}, which means nothing",
            answer.fback
        )));
    }
    let count = answers.iter().filter(|answer| answer.fback == done).count();
    if usize::try_from(told) != Ok(count) {
        return Err(TableError::Other(format!(
            "pf says that it changed {told} addresses, and names {count}"
        )));
    }
    Ok(())
}
