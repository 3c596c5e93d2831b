//! /dev/pf of FreeBSD: the structures that its calls take, the numbers of the calls, and the calls themselves.
//!
//! Structures and numbers are those of <net/pfvar.h> and <netpfil/pf/pf.h>, the same from FreeBSD 13 to 15 on
//! amd64 and aarch64 but where it is said. They are checked wherever this is compiled; only the calls need
//! FreeBSD. The names are those of the headers, in this language's spelling.

mod device;

use std::ffi::c_void;
use std::ptr;

pub use device::{RealDevice, TableCall};
pub use nix::errno::Errno;

/// Bytes of an anchor's path, with the zero at its end (MAXPATHLEN).
pub const ANCHOR_SIZE: usize = 1024;
/// Bytes of a table's name, with the zero at its end (PF_TABLE_NAME_SIZE).
pub const TABLE_NAME_SIZE: usize = 32;
/// Bytes of an interface's name, with the zero at its end (IFNAMSIZ).
pub const INTERFACE_SIZE: usize = 16;
/// Bytes of a rule's label, with the zero at its end (PF_RULE_LABEL_SIZE).
pub const LABEL_SIZE: usize = 64;

/// IPv4, as FreeBSD numbers it.
pub const AF_INET: u8 = 2;
/// IPv6, as FreeBSD numbers it.
pub const AF_INET6: u8 = 28;

/// `pfrio_flags`: say of each address what came of it (PFR_FLAG_FEEDBACK).
pub const PFR_FLAG_FEEDBACK: i32 = 4;
/// Feedback: nothing was to be done.
pub const PFR_FB_NONE: u8 = 0;
/// Feedback: it was put in.
pub const PFR_FB_ADDED: u8 = 2;
/// Feedback: it was taken out.
pub const PFR_FB_DELETED: u8 = 3;
/// Feedback: it stood earlier in the same request.
pub const PFR_FB_DUPLICATE: u8 = 6;
/// Feedback: the table holds it with the other sign, and goes on holding it.
pub const PFR_FB_CONFLICT: u8 = 8;

/// The index of the limit on addresses in all tables (PF_LIMIT_TABLE_ENTRIES).
pub const PF_LIMIT_TABLE_ENTRIES: i32 = 3;

/// `pf_addr_wrap`: an address and a mask (PF_ADDR_ADDRMASK).
pub const PF_ADDR_ADDRMASK: u8 = 0;

/// `pfsync_state`'s direction of a connection that leaves (PF_OUT).
pub const PF_OUT: u8 = 2;
/// Bytes of a state as DIOCGETSTATES gives it (`pfsync_state_1301`, packed).
pub const STATE_SIZE: usize = 242;
/// Where in it the state's number is; u64.
pub const STATE_ID: usize = 0;
/// Where in it its two keys are: what is on the wire, and what the stack sees.
pub const STATE_KEYS: usize = 24;
/// Bytes of one key (`pfsync_state_key`): two addresses of 16 bytes, two ports.
pub const STATE_KEY_SIZE: usize = 36;
/// Where in a state the number of the machine that made it is; u32.
pub const STATE_CREATOR: usize = 228;
/// Where in it its address family is.
pub const STATE_AF: usize = 232;
/// Where in it its direction is.
pub const STATE_DIRECTION: usize = 234;

/// `pfr_table`: a table's name.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PfrTable {
    /// The anchor's path, zeros behind it; all zeros for none.
    pub anchor: [u8; ANCHOR_SIZE],
    /// The table's own name, zeros behind it.
    pub name: [u8; TABLE_NAME_SIZE],
    /// Zero in calls on addresses.
    pub flags: u32,
    /// Zero.
    pub fback: u8,
}

/// `pfr_addr`: an address in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PfrAddr {
    /// The address, in the network's order; an IPv4 one has the first four bytes. All bits behind its length are
    /// zero.
    pub address: [u8; 16],
    /// [`AF_INET`] or [`AF_INET6`].
    pub af: u8,
    /// Its length in bits.
    pub net: u8,
    /// 1 for a `!` before it.
    pub not: u8,
    /// Feedback; zero in what is asked.
    pub fback: u8,
}

/// `pfioc_table`: what all calls on tables take.
#[derive(Debug)]
#[repr(C)]
pub struct PfiocTable {
    /// Which table.
    pub table: PfrTable,
    /// The addresses; set by [`RealDevice::table`] alone.
    pub buffer: *mut c_void,
    /// Bytes of each.
    pub esize: i32,
    /// How many.
    pub size: i32,
    /// Of no use here.
    pub size2: i32,
    /// How many were put in.
    pub nadd: i32,
    /// How many were taken out.
    pub ndel: i32,
    /// Of no use here.
    pub nchange: i32,
    /// [`PFR_FLAG_FEEDBACK`], or zero.
    pub flags: i32,
    /// Of no use here.
    pub ticket: u32,
}

/// `pf_addr_wrap`, as far as an address and a mask go.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PfAddrWrap {
    /// The address.
    pub address: [u8; 16],
    /// The bits of it that count.
    pub mask: [u8; 16],
    /// Null: for addresses that are not written out.
    pub dynamic: *mut c_void,
    /// [`PF_ADDR_ADDRMASK`].
    pub kind: u8,
    /// Zero.
    pub iflags: u8,
}

/// `pf_rule_addr`: addresses and ports.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PfRuleAddr {
    /// The addresses.
    pub addr: PfAddrWrap,
    /// Ports; they do not count with an operator of zero.
    pub port: [u16; 2],
    /// 1 for all others.
    pub neg: u8,
    /// Zero: any port.
    pub port_op: u8,
}

/// `pfioc_src_node_kill`.
#[derive(Debug)]
#[repr(C)]
pub struct PfiocSrcNodeKill {
    /// The address family; the kernels that were read do not look at it.
    pub af: u8,
    /// The clients.
    pub src: PfRuleAddr,
    /// Where they are sent.
    pub dst: PfRuleAddr,
    /// How many there were.
    pub killed: u32,
}

/// `pf_state_cmp`: a state by its number.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct PfStateCmp {
    /// The number; zero for none.
    pub id: u64,
    /// The number of the machine that made it.
    pub creatorid: u32,
    /// Zero.
    pub direction: u8,
    /// Zeros.
    pub pad: [u8; 3],
}

/// `pfioc_state_kill`, until FreeBSD 14.
#[derive(Debug)]
#[repr(C)]
pub struct PfiocStateKill {
    /// This one state, if it has a number; nothing else counts then.
    pub pfcmp: PfStateCmp,
    /// The address family.
    pub af: u8,
    /// Zero: any protocol.
    pub proto: i32,
    /// The source.
    pub src: PfRuleAddr,
    /// The destination, as it is on the wire.
    pub dst: PfRuleAddr,
    /// Zeros: any interface.
    pub ifname: [u8; INTERFACE_SIZE],
    /// Zeros: any rule.
    pub label: [u8; LABEL_SIZE],
    /// How many there were.
    pub killed: u32,
}

/// `pfioc_nv`: a call that takes a packed list, and gives one in the same place.
#[derive(Debug)]
#[repr(C)]
pub struct PfiocNv {
    /// The list.
    pub data: *mut c_void,
    /// Its bytes.
    pub len: usize,
    /// The bytes that the answer may have.
    pub size: usize,
}

/// `pfioc_states`: a call for all states.
#[derive(Debug)]
#[repr(C)]
pub struct PfiocStates {
    /// Bytes of the buffer, and then of what is in it; zero asks how many are needed.
    pub len: i32,
    /// The buffer.
    pub buffer: *mut c_void,
}

/// `pfioc_limit`: one of pf's limits.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PfiocLimit {
    /// Which, as [`PF_LIMIT_TABLE_ENTRIES`].
    pub index: i32,
    /// How much.
    pub limit: u32,
}

impl PfiocTable {
    /// A call on a table, with no addresses yet.
    pub fn new(table: PfrTable, flags: i32) -> Self {
        Self {
            table,
            buffer: ptr::null_mut(),
            esize: 0,
            size: 0,
            size2: 0,
            nadd: 0,
            ndel: 0,
            nchange: 0,
            flags,
            ticket: 0,
        }
    }
}

impl PfRuleAddr {
    /// All addresses of which these bits are so, at any port.
    pub fn new(address: [u8; 16], mask: [u8; 16]) -> Self {
        let addr = PfAddrWrap { address, mask, dynamic: ptr::null_mut(), kind: PF_ADDR_ADDRMASK, iflags: 0 };
        Self { addr, port: [0; 2], neg: 0, port_op: 0 }
    }
}

/// The number of a call of pf's that takes `size` bytes and gives them back: _IOWR('D', number, size) of
/// <sys/ioccom.h>.
const fn iowr(number: u8, size: usize) -> u64 {
    const INOUT: u64 = 0xc000_0000;
    const SIZE_MASK: u64 = 0x1fff;
    INOUT | ((size as u64 & SIZE_MASK) << 16) | ((b'D' as u64) << 8) | number as u64
}

/// Gives all states. Since 15 there for compatibility alone.
pub const DIOCGETSTATES: u64 = iowr(25, size_of::<PfiocStates>());
/// Gives a limit.
pub const DIOCGETLIMIT: u64 = iowr(39, size_of::<PfiocLimit>());
/// Kills states; until FreeBSD 14.
pub const DIOCKILLSTATES: u64 = iowr(41, size_of::<PfiocStateKill>());
/// Kills states; since FreeBSD 13.1.
pub const DIOCKILLSTATESNV: u64 = iowr(41, size_of::<PfiocNv>());
/// Puts addresses into a table.
pub const DIOCRADDADDRS: u64 = iowr(67, size_of::<PfiocTable>());
/// Takes addresses out of a table.
pub const DIOCRDELADDRS: u64 = iowr(68, size_of::<PfiocTable>());
/// Gives all addresses of a table.
pub const DIOCRGETADDRS: u64 = iowr(70, size_of::<PfiocTable>());
/// Kills source nodes.
pub const DIOCKILLSRCNODES: u64 = iowr(91, size_of::<PfiocSrcNodeKill>());

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<PfrTable>() == 1064);
    assert!(offset_of!(PfrTable, anchor) == 0 && offset_of!(PfrTable, name) == 1024);
    assert!(offset_of!(PfrTable, flags) == 1056 && offset_of!(PfrTable, fback) == 1060);

    assert!(size_of::<PfrAddr>() == 20);
    assert!(offset_of!(PfrAddr, address) == 0 && offset_of!(PfrAddr, af) == 16);
    assert!(offset_of!(PfrAddr, net) == 17 && offset_of!(PfrAddr, not) == 18);
    assert!(offset_of!(PfrAddr, fback) == 19);

    assert!(size_of::<PfiocTable>() == 1104);
    assert!(offset_of!(PfiocTable, table) == 0 && offset_of!(PfiocTable, buffer) == 1064);
    assert!(offset_of!(PfiocTable, esize) == 1072 && offset_of!(PfiocTable, size) == 1076);
    assert!(offset_of!(PfiocTable, size2) == 1080 && offset_of!(PfiocTable, nadd) == 1084);
    assert!(offset_of!(PfiocTable, ndel) == 1088 && offset_of!(PfiocTable, nchange) == 1092);
    assert!(offset_of!(PfiocTable, flags) == 1096 && offset_of!(PfiocTable, ticket) == 1100);

    assert!(size_of::<PfAddrWrap>() == 48 && offset_of!(PfAddrWrap, mask) == 16);
    assert!(offset_of!(PfAddrWrap, dynamic) == 32 && offset_of!(PfAddrWrap, kind) == 40);
    assert!(size_of::<PfRuleAddr>() == 56 && offset_of!(PfRuleAddr, port) == 48);
    assert!(offset_of!(PfRuleAddr, neg) == 52 && offset_of!(PfRuleAddr, port_op) == 53);

    assert!(size_of::<PfiocSrcNodeKill>() == 128 && offset_of!(PfiocSrcNodeKill, af) == 0);
    assert!(offset_of!(PfiocSrcNodeKill, src) == 8 && offset_of!(PfiocSrcNodeKill, dst) == 64);
    assert!(offset_of!(PfiocSrcNodeKill, killed) == 120);

    assert!(size_of::<PfStateCmp>() == 16 && offset_of!(PfStateCmp, creatorid) == 8);
    assert!(size_of::<PfiocStateKill>() == 224 && offset_of!(PfiocStateKill, af) == 16);
    assert!(offset_of!(PfiocStateKill, proto) == 20 && offset_of!(PfiocStateKill, src) == 24);
    assert!(offset_of!(PfiocStateKill, dst) == 80 && offset_of!(PfiocStateKill, ifname) == 136);
    assert!(offset_of!(PfiocStateKill, label) == 152 && offset_of!(PfiocStateKill, killed) == 216);

    assert!(size_of::<PfiocNv>() == 24 && offset_of!(PfiocNv, len) == 8 && offset_of!(PfiocNv, size) == 16);
    assert!(size_of::<PfiocStates>() == 16 && offset_of!(PfiocStates, buffer) == 8);
    assert!(size_of::<PfiocLimit>() == 8 && offset_of!(PfiocLimit, limit) == 4);

    assert!(DIOCGETSTATES == 0xc010_4419);
    assert!(DIOCGETLIMIT == 0xc008_4427);
    assert!(DIOCKILLSTATES == 0xc0e0_4429);
    assert!(DIOCKILLSTATESNV == 0xc018_4429);
    assert!(DIOCRADDADDRS == 0xc450_4443);
    assert!(DIOCRDELADDRS == 0xc450_4444);
    assert!(DIOCRGETADDRS == 0xc450_4446);
    assert!(DIOCKILLSRCNODES == 0xc080_445b);
};
