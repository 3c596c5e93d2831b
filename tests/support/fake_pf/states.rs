//! States and source nodes: pf_killstates, pf_kill_srcnodes, DIOCGETSTATES.

use std::net::IpAddr;

use hfm::sys::pf::{Errno, PfRuleAddr, PfiocSrcNodeKill, PfiocStateKill};

use super::list::{self, List};
use super::{Era, Kernel};

/// Bytes of a state, packed.
const SIZE: usize = 242;
/// Rows of the kernel's table of states, as many as the numbers of states are spread over.
const ROWS: u64 = 16;

const V4: u8 = 2;
const V6: u8 = 28;

/// Which way its first packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

/// A connection as pf knows it: from whom to whom, on the wire and as the stack sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub id: u64,
    pub creator: u32,
    pub direction: Direction,
    pub wire: [IpAddr; 2],
    pub stack: [IpAddr; 2],
}

impl State {
    /// One that comes in for `to` and that `rdr` sends to `backend`.
    pub fn redirected(id: u64, from: &str, to: &str, backend: &str) -> Self {
        let [from, to, backend] = [from, to, backend].map(ip);
        Self { id, creator: 7, direction: Direction::In, wire: [from, to], stack: [from, backend] }
    }

    /// One that leaves, with the sender's address or another.
    pub fn leaving(id: u64, from: &str, translated: &str, to: &str) -> Self {
        let [from, translated, to] = [from, translated, to].map(ip);
        Self { id, creator: 7, direction: Direction::Out, wire: [translated, to], stack: [from, to] }
    }

    /// DIOCGETSTATES, pfsync_state_1301.
    fn packed(&self) -> [u8; SIZE] {
        let mut packed = [0xee; SIZE];
        packed[..8].copy_from_slice(&self.id.to_ne_bytes());
        for (key, at) in [(self.wire, 24), (self.stack, 60)] {
            // The addresses of what goes out stand the other way round.
            let [first, second] = match self.direction {
                Direction::In => key,
                Direction::Out => [key[1], key[0]],
            };
            packed[at..at + 16].copy_from_slice(&bytes(first));
            packed[at + 16..at + 32].copy_from_slice(&bytes(second));
        }
        packed[228..232].copy_from_slice(&self.creator.to_ne_bytes());
        packed[232] = family(self.wire[0]);
        packed[234] = match self.direction {
            Direction::In => 1,
            Direction::Out => 2,
        };
        packed
    }
}

/// A client bound to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceNode {
    pub client: IpAddr,
    pub backend: IpAddr,
}

impl SourceNode {
    pub fn new(client: &str, backend: &str) -> Self {
        Self { client: ip(client), backend: ip(backend) }
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { V4 } else { V6 }
}

fn bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            bytes
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// pf_match_addr: the bits under the mask, of IPv4 the first four bytes.
fn matches(rule: &PfRuleAddr, address: IpAddr) -> bool {
    let count = if address.is_ipv4() { 4 } else { 16 };
    let other = bytes(address);
    let same = (0..count).all(|at| (rule.addr.address[at] ^ other[at]) & rule.addr.mask[at] == 0);
    same != (rule.neg == 1)
}

/// pf_check_rule_addr.
fn check(rule: &PfRuleAddr) -> Result<(), Errno> {
    if rule.addr.kind > 5 || !rule.addr.dynamic.is_null() { Err(Errno::EINVAL) } else { Ok(()) }
}

impl Kernel {
    pub(super) fn kill_source_nodes(&mut self, kill: &mut PfiocSrcNodeKill) -> Result<(), Errno> {
        let before = self.source_nodes.len();
        self.source_nodes
            .retain(|node| !(matches(&kill.src, node.client) && matches(&kill.dst, node.backend)));
        kill.killed = u32::try_from(before - self.source_nodes.len()).expect("a test has few");
        Ok(())
    }

    pub(super) fn kill_by_structure(&mut self, kill: &mut PfiocStateKill) -> Result<(), Errno> {
        if matches!(self.era, Era::Fifteen | Era::Later) {
            return Err(Errno::ENODEV);
        }
        check(&kill.src)?;
        check(&kill.dst)?;
        let before = self.states.len();
        let (id, creator) = (kill.pfcmp.id, kill.pfcmp.creatorid);
        if id != 0 {
            self.states.retain(|state| (state.id, state.creator) != (id, creator));
        } else {
            self.kill_matching(kill.af, &kill.src, &kill.dst, |state| state.wire);
        }
        kill.killed = u32::try_from(before - self.states.len()).expect("a test has few");
        Ok(())
    }

    /// The answer.
    pub(super) fn kill_by_list(&mut self, packed: &[u8]) -> Result<Vec<u8>, Errno> {
        if matches!(self.era, Era::Thirteen | Era::Later) {
            return Err(Errno::ENODEV);
        }
        let list = List::unpack(packed)?;
        let cmp = list.list("cmp")?;
        assert_eq!((cmp.number("id")?, cmp.number("creatorid")?, cmp.byte("direction")?), (0, 0, 0));
        let af = list.byte("af")?;
        assert_eq!(list.number("proto")?, 0);
        let (source, destination) = (rule_address(list.list("src")?)?, rule_address(list.list("dst")?)?);
        assert_eq!((list.string("ifname")?, list.string("label")?), ("", ""));
        assert!(!list.bool("kill_match")?, "it would look for the opposite state, which rdr's is not");
        let by_stack = self.era == Era::Fifteen && list.bool("nat").unwrap_or(false);
        let before = self.states.len();
        self.kill_matching(
            af,
            &source,
            &destination,
            |state| if by_stack { state.stack } else { state.wire },
        );
        Ok(list::answer("killed", (before - self.states.len()) as u64))
    }

    fn kill_matching(
        &mut self,
        af: u8,
        source: &PfRuleAddr,
        destination: &PfRuleAddr,
        key: impl Fn(&State) -> [IpAddr; 2],
    ) {
        self.states.retain(|state| {
            let [from, to] = key(state);
            !((af == 0 || af == family(from)) && matches(source, from) && matches(destination, to))
        });
    }

    /// Row by row; a row for which there is no room ends it.
    pub(super) fn get_states(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        if self.era == Era::Later {
            return Err(Errno::ENODEV);
        }
        if buffer.is_empty() {
            return Ok(self.states.len() * SIZE);
        }
        let mut filled = 0;
        for row in 0..ROWS {
            let states: Vec<&State> = self.states.iter().filter(|state| state.id % ROWS == row).collect();
            if filled + states.len() * SIZE > buffer.len() {
                break;
            }
            for state in states {
                buffer[filled..filled + SIZE].copy_from_slice(&state.packed());
                filled += SIZE;
            }
        }
        Ok(filled)
    }
}

fn rule_address(list: &List) -> Result<PfRuleAddr, Errno> {
    let wrap = list.list("addr")?;
    assert_eq!((wrap.byte("type")?, wrap.byte("iflags")?), (0, 0));
    let address = wrap.list("addr")?.address("addr")?;
    let mask = wrap.list("mask")?.address("addr")?;
    let mut rule = PfRuleAddr::new(address, mask);
    rule.port = list.ports("port")?;
    rule.neg = list.byte("neg")?;
    rule.port_op = list.byte("port_op")?;
    assert_eq!((rule.port, rule.port_op), ([0, 0], 0));
    Ok(rule)
}
