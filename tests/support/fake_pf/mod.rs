//! A pf in memory, written from the sources of FreeBSD's (sys/netpfil/pf: pf_ioctl.c, pf_table.c, pf_nv.c) and
//! from nothing that uses it: what its calls accept, what they answer and what they refuse, and with which error.
#![allow(dead_code, unreachable_pub, reason = "shared by several tests")]

mod list;
mod states;
mod tables;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use hfm::dataplane::pf::{Device, Pf};
use hfm::sys::pf::{Errno, PfiocLimit, PfiocSrcNodeKill, PfiocStateKill, PfiocTable, PfrAddr, TableCall};

pub use states::{SourceNode, State};
pub use tables::{Table, address};

/// Which kernel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 13.0 and older: states are killed by a structure.
    Thirteen,
    /// 13.1 to 14: by a structure, or by a list whose `nat` means nothing.
    Fourteen,
    /// 15: by a list.
    Fifteen,
    /// One that has neither call.
    Later,
}

/// A call as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub what: &'static str,
    /// How many addresses, or bytes.
    pub size: usize,
}

/// Something that somebody else does at the moment of a call, before it is answered.
pub type Meanwhile = Box<dyn FnOnce(&mut Kernel) + Send>;

/// What the answers of a call on a table are made into.
pub type Garble = fn(&mut PfiocTable, &mut [PfrAddr]);

/// All that the kernel knows.
pub struct Kernel {
    pub era: Era,
    /// Why it cannot be opened.
    pub closed: Option<Errno>,
    /// It is open for reading only.
    pub read_only: bool,
    /// kern.securelevel is 3.
    pub secure: bool,
    /// `net.pf.request_maxcount`.
    pub request_max: usize,
    /// `set limit table-entries`.
    pub entries_max: usize,
    /// Bytes of an address, as this kernel has it.
    pub address_size: usize,
    pub tables: tables::Tables,
    pub states: Vec<State>,
    pub source_nodes: Vec<SourceNode>,
    pub calls: Vec<Call>,
    /// One for each call to come.
    pub meanwhile: VecDeque<Meanwhile>,
    /// How the next calls are refused, whatever they are.
    pub refuse: VecDeque<Option<Errno>>,
    pub garble: Option<Garble>,
    /// What the next list is answered by.
    pub answer: Option<Vec<u8>>,
    /// How often it was opened.
    pub opened: usize,
}

impl Kernel {
    /// What comes before every call.
    fn enter(&mut self, is_open: bool, what: &'static str, size: usize) -> Result<(), Errno> {
        if !is_open {
            return Err(Errno::EBADF);
        }
        self.calls.push(Call { what, size });
        if let Some(meanwhile) = self.meanwhile.pop_front() {
            meanwhile(self);
        }
        match self.refuse.pop_front().flatten() {
            Some(errno) => Err(errno),
            None => Ok(()),
        }
    }

    /// What changes states or source nodes is for whoever may write, while the machine is not secured.
    fn may_kill(&self) -> Result<(), Errno> {
        match (self.secure, self.read_only) {
            (true, _) => Err(Errno::EPERM),
            (false, true) => Err(Errno::EACCES),
            (false, false) => Ok(()),
        }
    }
}

/// The pf of a test; clones are the same one.
#[derive(Clone)]
pub struct FakePf(Arc<Mutex<Kernel>>);

impl FakePf {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Kernel {
            era: Era::Fourteen,
            closed: None,
            read_only: false,
            secure: false,
            request_max: 65_535,
            entries_max: 200_000,
            address_size: 20,
            tables: tables::Tables::default(),
            states: Vec::new(),
            source_nodes: Vec::new(),
            calls: Vec::new(),
            meanwhile: VecDeque::new(),
            refuse: VecDeque::new(),
            garble: None,
            answer: None,
            opened: 0,
        })))
    }

    pub fn kernel(&self) -> MutexGuard<'_, Kernel> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// The data plane that uses it.
    pub fn pf(&self) -> Pf {
        Pf::by(Box::new(Descriptor { pf: self.clone(), is_open: false }))
    }

    /// Puts a table there, as a ruleset would; `!` before an address negates it.
    pub fn table(&self, name: &str, entries: &[&str]) {
        let table = Table::new(entries);
        self.kernel().tables.put(name, table);
    }

    /// What a table holds, as it would be shown, in order; `None` when there is no such table.
    pub fn holds(&self, name: &str) -> Option<Vec<String>> {
        self.kernel().tables.get(name).map(Table::shown)
    }

    /// The calls since the last time this was asked, without opening.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.kernel().calls)
    }

    /// Names and sizes of the calls since the last time.
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        self.calls().into_iter().map(|call| (call.what, call.size)).collect()
    }
}

/// An open file of /dev/pf.
struct Descriptor {
    pf: FakePf,
    is_open: bool,
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

impl Device for Descriptor {
    fn open(&mut self) -> Result<(), Errno> {
        if self.is_open {
            return Ok(());
        }
        let mut kernel = self.pf.kernel();
        match kernel.closed {
            Some(errno) => Err(errno),
            None => {
                kernel.opened += 1;
                self.is_open = true;
                Ok(())
            }
        }
    }

    fn another(&self) -> Box<dyn Device> {
        Box::new(Self { pf: self.pf.clone(), is_open: self.is_open })
    }

    fn close(&mut self) {
        self.is_open = false;
    }

    fn table(
        &mut self,
        call: TableCall,
        io: &mut PfiocTable,
        addresses: &mut [PfrAddr],
    ) -> Result<(), Errno> {
        let what = match call {
            TableCall::Add => "add",
            TableCall::Delete => "delete",
            TableCall::Get => "get",
        };
        let mut kernel = self.pf.kernel();
        // As the device does.
        io.size = i32::try_from(addresses.len()).map_err(|_| Errno::EINVAL)?;
        kernel.enter(self.is_open, what, addresses.len())?;
        kernel.table(call, io, addresses)?;
        if let Some(garble) = kernel.garble {
            garble(io, addresses);
        }
        Ok(())
    }

    fn kill_source_nodes(&mut self, kill: &mut PfiocSrcNodeKill) -> Result<(), Errno> {
        let mut kernel = self.pf.kernel();
        kernel.enter(self.is_open, "source nodes", 0)?;
        kernel.may_kill()?;
        kernel.kill_source_nodes(kill)
    }

    fn kill_states(&mut self, kill: &mut PfiocStateKill) -> Result<(), Errno> {
        let mut kernel = self.pf.kernel();
        let what = if kill.pfcmp.id == 0 { "states" } else { "state" };
        kernel.enter(self.is_open, what, 0)?;
        kernel.may_kill()?;
        kernel.kill_by_structure(kill)
    }

    fn kill_states_listed(&mut self, list: &mut Vec<u8>) -> Result<(), Errno> {
        let mut kernel = self.pf.kernel();
        kernel.enter(self.is_open, "list", list.len())?;
        kernel.may_kill()?;
        let answer = kernel.kill_by_list(list)?;
        *list = kernel.answer.take().unwrap_or(answer);
        Ok(())
    }

    fn states(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let mut kernel = self.pf.kernel();
        kernel.enter(self.is_open, "get states", buffer.len())?;
        kernel.get_states(buffer)
    }

    fn limit(&mut self, limit: &mut PfiocLimit) -> Result<(), Errno> {
        let mut kernel = self.pf.kernel();
        kernel.enter(self.is_open, "limit", 0)?;
        limit.limit = match limit.index {
            3 => u32::try_from(kernel.entries_max).expect("a test's limit is small"),
            _ => return Err(Errno::EINVAL),
        };
        Ok(())
    }

    fn request_max(&self) -> usize {
        self.pf.kernel().request_max
    }
}
