//! What a set is like, and whether it can hold our addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::intervals::{Interval, Joining};
use super::message::{Attributes, Malformed, number};
use crate::rule::Prefix;

/// Of NFTA_SET_*, linux/netfilter/nf_tables.h.
const FLAGS: u16 = 3;
const KEY_TYPE: u16 = 4;
const KEY_BYTES: u16 = 5;
const DATA_TYPE: u16 = 6;
const DATA_BYTES: u16 = 7;
const DESCRIPTION: u16 = 9;
const TIMEOUT: u16 = 11;
const USERDATA: u16 = 13;
const EXPRESSION: u16 = 17;
const EXPRESSIONS: u16 = 18;
/// NFTA_SET_DESC_SIZE, the same.
const SIZE: u16 = 1;

/// Of NFT_SET_*, the same.
const CONSTANT: u32 = 0x2;
const INTERVAL: u32 = 0x4;
const MAP: u32 = 0x8;
const HAS_TIMEOUTS: u32 = 0x10;
const DYNAMIC: u32 = 0x20;
const OBJECTS: u32 = 0x40;
const CONCATENATED: u32 = 0x80;
/// NFT_DATA_VERDICT: what is looked up is what becomes of a packet.
const VERDICT: u32 = 0xffff_ff00;

/// What nft(8) notes for itself: enum nftnl_udata_set_types of libnftnl/udata.h.
mod note {
    pub(super) const KEY_BYTE_ORDER: u8 = 0;
    pub(super) const JOINS: u8 = 2;
    pub(super) const KEY_TYPEOF: u8 = 3;
    /// Within what a key is typeof: which expression, and what is said of it.
    pub(super) const EXPRESSION: u8 = 0;
    pub(super) const EXPRESSION_NOTES: u8 = 1;
    /// EXPR_NUMGEN, and what is said of that.
    pub(super) const NUMBER_GENERATOR: u32 = 23;
    pub(super) const MODULUS: u8 = 1;
    pub(super) const OFFSET: u8 = 2;
    pub(super) const BIG_ENDIAN: u32 = 2;
}

/// Names of nft(8) for what keys and data are; their places are the numbers.
const TYPES: [&str; 41] = [
    "invalid",
    "verdict",
    "nf_proto",
    "bitmask",
    "integer",
    "string",
    "ll_addr",
    "ipv4_addr",
    "ipv6_addr",
    "ether_addr",
    "ether_type",
    "arp_op",
    "inet_proto",
    "inet_service",
    "icmp_type",
    "tcp_flag",
    "dccp_pkttype",
    "mh_type",
    "time",
    "mark",
    "iface_index",
    "iface_type",
    "realm",
    "classid",
    "uid",
    "gid",
    "ct_state",
    "ct_dir",
    "ct_status",
    "icmpv6_type",
    "ct_label",
    "pkt_type",
    "icmp_code",
    "icmpv6_code",
    "icmpx_code",
    "devgroup",
    "dscp",
    "ecn",
    "fib_addrtype",
    "boolean",
    "ct_event",
];
const INTEGER: u32 = 4;
const IPV4_ADDRESS: u32 = 7;
const IPV6_ADDRESS: u32 = 8;
const MARK: u32 = 19;
/// A concatenation is the numbers of its parts, of so many bits each.
const TYPE_BITS: u32 = 6;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// How a set holds our addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each by itself.
    Single {
        version: Version,
        /// Whether an element may have a time at which it goes by itself.
        expires: bool,
    },
    /// As intervals.
    Intervals { version: Version, joining: Joining },
    /// As what the slots of a map lead to.
    Slots(Version),
}

/// A set as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    flags: u32,
    key_type: u32,
    key_bytes: u32,
    data_type: u32,
    data_bytes: u32,
    timeout_ms: u64,
    size: u32,
    /// Its elements count packets, or the like.
    counts: bool,
    joins: bool,
    key_order: Option<u32>,
    generator: Option<Generator>,
}

/// `numgen inc mod N`, of which a map's key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Generator {
    modulus: u32,
    offset: u32,
}

impl Version {
    /// What nft(8) calls its addresses.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::V4 => "ipv4_addr",
            Self::V6 => "ipv6_addr",
        }
    }

    /// Bytes of an address.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::V4 => 4,
            Self::V6 => 16,
        }
    }

    /// The last address there is.
    pub(super) fn last(self) -> u128 {
        u128::MAX >> (128 - 8 * self.bytes())
    }

    /// That of an address.
    pub(super) fn of(prefix: Prefix) -> Self {
        if prefix.address().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The address of this number.
    pub(super) fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from(u32::try_from(number & self.last()).expect("it is of 32 bits")).into(),
            Self::V6 => Ipv6Addr::from(number).into(),
        }
    }

    /// An address's number.
    pub(super) fn number(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(v4) => u32::from(v4).into(),
            IpAddr::V6(v6) => v6.into(),
        }
    }

    /// Whether this is one single address.
    pub(super) fn is_single(prefix: Prefix) -> bool {
        usize::from(prefix.length()) == 8 * Self::of(prefix).bytes()
    }

    /// The addresses of a network.
    pub(super) fn interval(prefix: Prefix) -> Interval {
        let first = Self::number(prefix.address());
        let behind = Self::of(prefix).last().checked_shr(prefix.length().into()).unwrap_or(0);
        Interval { first, last: first | behind }
    }

    /// The networks that an interval is made of, the fewest there can be.
    pub(super) fn networks(self, interval: Interval) -> Vec<Prefix> {
        let bits = u32::try_from(8 * self.bytes()).expect("it is a few");
        let mut networks = Vec::new();
        let mut first = interval.first;
        loop {
            let left = interval.last - first;
            let aligned = first.trailing_zeros().min(bits);
            let fits = left.checked_add(1).map_or(bits, |count| count.ilog2());
            let size = aligned.min(fits);
            let length = u8::try_from(bits - size).expect("128 at most");
            networks.push(Prefix::network(self.address(first), length));
            let behind = u128::MAX.checked_shr(128 - size).unwrap_or(0);
            if first | behind >= interval.last {
                return networks;
            }
            first = (first | behind) + 1;
        }
    }
}

impl Description {
    /// What the attributes of a set say.
    pub(super) fn read(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let mut set = Self::default();
        for attribute in attributes {
            let (kind, value) = attribute?;
            match kind {
                FLAGS => set.flags = number(value)?,
                KEY_TYPE => set.key_type = number(value)?,
                KEY_BYTES => set.key_bytes = number(value)?,
                DATA_TYPE => set.data_type = number(value)?,
                DATA_BYTES => set.data_bytes = number(value)?,
                TIMEOUT => {
                    let bytes =
                        value.try_into().map_err(|_| Malformed("a timeout that is not of eight bytes"))?;
                    set.timeout_ms = u64::from_be_bytes(bytes);
                }
                USERDATA => set.read_notes(value),
                DESCRIPTION => {
                    set.size = Attributes(value).find(SIZE)?.map(number).transpose()?.unwrap_or(0);
                }
                EXPRESSION | EXPRESSIONS => set.counts = true,
                _ => {}
            }
        }
        Ok(set)
    }

    /// What nft(8) has noted, as far as it can be read: another program may have noted what it liked.
    fn read_notes(&mut self, notes: &[u8]) {
        self.joins = noted_number(notes, note::JOINS).is_some_and(|joins| joins != 0);
        self.key_order = noted_number(notes, note::KEY_BYTE_ORDER);
        let Some(of) = noted(notes, note::KEY_TYPEOF) else { return };
        if noted_number(of, note::EXPRESSION) == Some(note::NUMBER_GENERATOR)
            && let Some(of) = noted(of, note::EXPRESSION_NOTES)
            && let Some(modulus) = noted_number(of, note::MODULUS)
        {
            let offset = noted_number(of, note::OFFSET).unwrap_or(0);
            self.generator = Some(Generator { modulus, offset });
        }
    }

    /// Whether it changes by transactions alone, with all that is ever written again of what is said of elements.
    ///
    /// Rules may put in elements and take them out as packets come, whether the set is dynamic or not. But they
    /// cannot where there are intervals, and the first rule that could gives a set a size that has none.
    pub(super) fn is_steady(&self) -> bool {
        let may_be_updated = if self.flags & INTERVAL == 0 { self.size != 0 } else { self.counts };
        self.flags & (HAS_TIMEOUTS | DYNAMIC) == 0 && !may_be_updated
    }

    /// How it can hold our addresses, a map in this many slots; or why it cannot.
    pub(super) fn shape(&self, slots: u32) -> Result<Shape, String> {
        if self.flags & CONSTANT != 0 {
            return Err(
                "the set is constant, and nobody can change it: make it without 'flags constant'".into()
            );
        }
        if self.timeout_ms > 0 {
            return Err(format!(
                "the set has a timeout of {} s, after which addresses would leave by themselves: make it without \
                 'timeout'",
                self.timeout_ms.div_ceil(1000)
            ));
        }
        let expires = self.flags & HAS_TIMEOUTS != 0;
        if self.flags & (MAP | OBJECTS) != 0 {
            return self.map_shape(slots);
        }
        let version = match (self.key_type, self.key_bytes) {
            (IPV4_ADDRESS, 4) => Version::V4,
            (IPV6_ADDRESS, 16) => Version::V6,
            _ => {
                return Err(format!(
                    "the set is of type {}, and must be of ipv4_addr or ipv6_addr",
                    Type(self.key_type)
                ));
            }
        };
        if self.flags & INTERVAL == 0 {
            return Ok(Shape::Single { version, expires });
        }
        let joining = if self.joins { Joining::Joined } else { Joining::Apart };
        if expires && self.joins {
            let why =
                "the set has both 'auto-merge' and 'flags timeout', so that nobody can tell when what leaves";
            return Err(format!("{why}: make it without one of them"));
        }
        Ok(Shape::Intervals { version, joining })
    }

    fn map_shape(&self, slots: u32) -> Result<Shape, String> {
        const WANTED: &str = "and must be a map of 'typeof numgen inc mod N : ip daddr' (or ip6 daddr)";
        let data = match (self.data_type, self.data_bytes) {
            _ if self.flags & OBJECTS != 0 => None,
            (IPV4_ADDRESS, 4) => Some(Version::V4),
            (IPV6_ADDRESS, 16) => Some(Version::V6),
            (_, _) => None,
        };
        let is_number = matches!(self.key_type, INTEGER | MARK)
            && self.key_bytes == 4
            && self.flags & (INTERVAL | CONCATENATED) == 0
            && self.key_order != Some(note::BIG_ENDIAN);
        let (Some(version), true) = (data, is_number) else {
            let interval = if self.flags & INTERVAL == 0 { "" } else { " with 'flags interval'" };
            let to =
                if self.flags & OBJECTS == 0 { Type(self.data_type).to_string() } else { "objects".into() };
            return Err(format!("it is a map of {} : {to}{interval}, {WANTED}", Type(self.key_type)));
        };
        if self.flags & HAS_TIMEOUTS != 0 {
            return Err(
                "the map has 'flags timeout', so that slots may empty themselves: make it without".into()
            );
        }
        match self.generator {
            Some(Generator { modulus, .. }) if modulus != slots => Err(format!(
                "the map is of 'numgen inc mod {modulus}', and 'slots' is {slots}: make them the same"
            )),
            Some(Generator { offset, .. }) if offset != 0 => Err(format!(
                "the map is of 'numgen inc mod {slots} offset {offset}', and its slots must begin at 0: make it \
                 without 'offset'"
            )),
            Some(_) | None => Ok(Shape::Slots(version)),
        }
    }
}

/// A note: how many bytes, after its kind and that number.
fn noted(mut notes: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [kind, length, rest @ ..] = notes {
        let (value, rest) = rest.split_at_checked((*length).into())?;
        if *kind == wanted {
            return Some(value);
        }
        notes = rest;
    }
    None
}

/// A note's number, in this machine's order of bytes.
fn noted_number(notes: &[u8], wanted: u8) -> Option<u32> {
    noted(notes, wanted)?.try_into().ok().map(u32::from_ne_bytes)
}

/// What nft(8) calls a type.
struct Type(u32);

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == VERDICT {
            return f.write_str("verdict");
        }
        let part = self.0 & ((1 << TYPE_BITS) - 1);
        if self.0 >> TYPE_BITS != 0 {
            write!(f, "{} . ", Self(self.0 >> TYPE_BITS))?;
        }
        match usize::try_from(part).ok().and_then(|part| TYPES.get(part)) {
            Some(name) => f.write_str(name),
            None => write!(f, "number {part}"),
        }
    }
}

#[cfg(test)]
mod tests;
