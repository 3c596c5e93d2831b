//! What pf remembers of a backend: source nodes, which bind clients to it, and states, its connections.
//!
//! A connection that `rdr` sends to a backend has a state on the way in whose *wire* key names the virtual
//! address and whose *stack* key names the backend; and, where the ruleset keeps one, a state on the way out,
//! with the backend in both.
//! - FreeBSD 15 kills by the stack key when it is asked to (`nat` in the list of DIOCKILLSTATESNV), which finds
//!   both.
//! - FreeBSD 13 and 14 kill by the wire key alone, and take no notice of `nat`. `kill_match` is no help: from a
//!   state on the way out it goes to one that came in with the same addresses on the wire, and what `rdr`
//!   takes in has others. So all states are read, and those towards the backend are killed by their numbers.
//!
//! The kernels are told apart by the older call, DIOCKILLSTATES, which 15 does not have any more.

use std::collections::HashSet;
use std::net::IpAddr;

use super::nvlist::{self, Value};
use super::trouble::{self, Doing};
use super::{Device, address};
use crate::dataplane::TableError;
use crate::rule::Prefix;
use crate::sys::pf::{
    Errno, INTERFACE_SIZE, LABEL_SIZE, PF_ADDR_ADDRMASK, PF_OUT, PfRuleAddr, PfStateCmp, PfiocSrcNodeKill,
    PfiocStateKill, STATE_AF, STATE_CREATOR, STATE_DIRECTION, STATE_ID, STATE_KEY_SIZE, STATE_KEYS,
    STATE_SIZE,
};

/// Room for this many states more than there are: some come while they are read, and the kernel stops before a
/// whole row of its table for which there is no room.
const SLACK: usize = 1024;
/// How many times states are read anew because there were more of them.
const READS_MAX: u32 = 4;
/// States that are read at most; a gigabyte.
const STATES_MAX: usize = (1 << 30) / STATE_SIZE;

/// How this kernel kills states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    /// By DIOCKILLSTATES, until FreeBSD 14.
    Older,
    /// By DIOCKILLSTATESNV, which knows of stack keys.
    Newer,
}

/// Kills all source nodes that bind a client to one of these; says how many.
pub(super) fn source_nodes(device: &mut dyn Device, addresses: &[Prefix]) -> Result<u64, TableError> {
    let mut killed = 0;
    for prefix in addresses {
        let mut kill = PfiocSrcNodeKill {
            af: address::family(*prefix),
            src: address::any_like(*prefix),
            dst: address::within(*prefix),
            killed: 0,
        };
        let result = device.kill_source_nodes(&mut kill);
        result.map_err(|errno| trouble::refused(Doing::KillSourceNodes, errno, device))?;
        killed += u64::from(kill.killed);
    }
    Ok(killed)
}

/// Kills all states towards one of these; says how many. What kind of kernel this is, is asked once.
pub(super) fn states(
    device: &mut dyn Device,
    interface: &mut Option<Interface>,
    addresses: &[Prefix],
) -> Result<u64, TableError> {
    let asked = match *interface {
        Some(known) => known,
        None => *interface.insert(ask(device)?),
    };
    match asked {
        Interface::Older => older(device, addresses),
        Interface::Newer => newer(device, addresses),
    }
}

/// Asks for the end of a state that cannot be.
fn ask(device: &mut dyn Device) -> Result<Interface, TableError> {
    let none = PfStateCmp { id: u64::MAX, creatorid: u32::MAX, ..PfStateCmp::default() };
    match device.kill_states(&mut by_number(none)) {
        Ok(()) => Ok(Interface::Older),
        Err(Errno::ENODEV | Errno::ENOTTY) => Ok(Interface::Newer),
        Err(errno) => Err(trouble::refused(Doing::KillStates, errno, device)),
    }
}

/// By stack keys.
fn newer(device: &mut dyn Device, addresses: &[Prefix]) -> Result<u64, TableError> {
    let mut killed = 0;
    for prefix in addresses {
        let mut list = request(*prefix);
        let result = device.kill_states_listed(&mut list);
        result.map_err(|errno| trouble::refused(Doing::KillStates, errno, device))?;
        killed += nvlist::number(&list, "killed").ok_or_else(|| {
            TableError::Other(
                "pf killed states, and does not say how many in words that are known".to_owned(),
            )
        })?;
    }
    Ok(killed)
}

/// The list that asks for all states towards these (pf_nvstate_kill_to_kstate_kill).
fn request(prefix: Prefix) -> Vec<u8> {
    let [source, destination] = [address::any_like(prefix), address::within(prefix)];
    let (source_address, source_mask) = address_and_mask(&source);
    let (destination_address, destination_mask) = address_and_mask(&destination);
    let source_wrap = wrap(&source_address, &source_mask);
    let destination_wrap = wrap(&destination_address, &destination_mask);
    nvlist::pack(&[
        (
            "cmp",
            Value::List(&[
                ("id", Value::Number(0)),
                ("creatorid", Value::Number(0)),
                ("direction", Value::Number(0)),
            ]),
        ),
        ("af", Value::Number(u64::from(address::family(prefix)))),
        ("proto", Value::Number(0)),
        ("src", Value::List(&rule_address(&source_wrap))),
        ("dst", Value::List(&rule_address(&destination_wrap))),
        ("ifname", Value::String("")),
        ("label", Value::String("")),
        ("kill_match", Value::Bool(false)),
        ("nat", Value::Bool(true)),
    ])
}

type Pair<'a> = (&'a str, Value<'a>);

fn address_and_mask(of: &PfRuleAddr) -> ([Pair<'_>; 1], [Pair<'_>; 1]) {
    ([("addr", Value::Binary(&of.addr.address))], [("addr", Value::Binary(&of.addr.mask))])
}

fn wrap<'a>(address: &'a [Pair<'a>], mask: &'a [Pair<'a>]) -> [Pair<'a>; 4] {
    [
        ("type", Value::Number(u64::from(PF_ADDR_ADDRMASK))),
        ("iflags", Value::Number(0)),
        ("addr", Value::List(address)),
        ("mask", Value::List(mask)),
    ]
}

fn rule_address<'a>(wrap: &'a [Pair<'a>]) -> [Pair<'a>; 4] {
    [
        ("addr", Value::List(wrap)),
        ("port", Value::Numbers(&[0, 0])),
        ("neg", Value::Number(0)),
        ("port_op", Value::Number(0)),
    ]
}

/// By wire keys, and then what is left by its numbers.
fn older(device: &mut dyn Device, addresses: &[Prefix]) -> Result<u64, TableError> {
    let mut killed = 0;
    for prefix in addresses {
        let mut kill = by_number(PfStateCmp::default());
        kill.af = address::family(*prefix);
        kill.src = address::any_like(*prefix);
        kill.dst = address::within(*prefix);
        killed += kill_one(device, &mut kill)?;
    }
    let towards = Towards::new(addresses);
    for state in read(device)?.chunks_exact(STATE_SIZE) {
        if let Some(number) = towards.number_of(state) {
            // One that has gone meanwhile is counted as none.
            killed += kill_one(device, &mut by_number(number))?;
        }
    }
    Ok(killed)
}

fn kill_one(device: &mut dyn Device, kill: &mut PfiocStateKill) -> Result<u64, TableError> {
    let result = device.kill_states(kill);
    result.map_err(|errno| trouble::refused(Doing::KillStates, errno, device))?;
    Ok(u64::from(kill.killed))
}

fn by_number(pfcmp: PfStateCmp) -> PfiocStateKill {
    let nothing = PfRuleAddr::new([0; 16], [0; 16]);
    PfiocStateKill {
        pfcmp,
        af: 0,
        proto: 0,
        src: nothing,
        dst: nothing,
        ifname: [0; INTERFACE_SIZE],
        label: [0; LABEL_SIZE],
        killed: 0,
    }
}

/// All states, each of [`STATE_SIZE`] bytes.
fn read(device: &mut dyn Device) -> Result<Vec<u8>, TableError> {
    let mut fill = |buffer: &mut [u8]| {
        let result = device.states(buffer);
        result.map_err(|errno| trouble::refused(Doing::KillStates, errno, device))
    };
    for _ in 0..READS_MAX {
        let count = fill(&mut [])? / STATE_SIZE;
        let room = count + count / 8 + 2 * SLACK;
        if room > STATES_MAX {
            break;
        }
        let mut states = vec![0; room * STATE_SIZE];
        let filled = fill(&mut states)?.min(states.len());
        if filled / STATE_SIZE + SLACK <= room {
            states.truncate(filled);
            return Ok(states);
        }
        // It may have stopped for want of room.
    }
    Err(TableError::Other(format!(
        "there are too many states to look through ({STATES_MAX} at most), or too many new ones: \
         those on the way in go on"
    )))
}

/// Where states must not lead.
struct Towards {
    hosts: HashSet<IpAddr>,
    networks: Vec<Prefix>,
}

impl Towards {
    fn new(addresses: &[Prefix]) -> Self {
        let is_host = |prefix: &Prefix| Prefix::host(prefix.address()) == *prefix;
        let (hosts, networks): (Vec<Prefix>, Vec<Prefix>) = addresses.iter().partition(|of| is_host(of));
        Self { hosts: hosts.into_iter().map(Prefix::address).collect(), networks }
    }

    fn leads(&self, to: IpAddr) -> bool {
        self.hosts.contains(&to)
            || self.networks.iter().any(|network| Prefix::network(to, network.length()) == *network)
    }

    /// The number of a state that leads there by either of its keys.
    fn number_of(&self, state: &[u8]) -> Option<PfStateCmp> {
        let family = *state.get(STATE_AF)?;
        // Addresses stand in the order of the packets that come in.
        let place = if *state.get(STATE_DIRECTION)? == PF_OUT { 0 } else { 16 };
        let destination = |key: usize| {
            let at = STATE_KEYS + key * STATE_KEY_SIZE + place;
            let bytes = state.get(at..at + 16)?.try_into().ok()?;
            address::address(family, &bytes)
        };
        let leads = [0, 1].into_iter().filter_map(destination).any(|to| self.leads(to));
        if !leads {
            return None;
        }
        let id = u64::from_ne_bytes(state.get(STATE_ID..STATE_ID + 8)?.try_into().ok()?);
        let creatorid = u32::from_ne_bytes(state.get(STATE_CREATOR..STATE_CREATOR + 4)?.try_into().ok()?);
        // A kill without a number would kill everything.
        (id != 0).then_some(PfStateCmp { id, creatorid, direction: 0, pad: [0; 3] })
    }
}
