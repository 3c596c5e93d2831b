//! The connections that the kernel follows: forgetting those towards some addresses, by ctnetlink.
//!
//! A connection is *towards* an address when that is who answers: the source of its reply. So it is for those that
//! were sent there by a rule, whatever address the client asked for, and for those that asked for it themselves. A
//! connection that asked for it and was sent elsewhere is not one of them, nor is one that it began itself.
//!
//! Connections are looked for first and deleted then, each by what it was found by and its number, so that
//! none of another kind can be hit, and neither can one that came in the place of one that is over.

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::exchange::{Amount, Exchange, Failure, Refusal};
use super::message::{ACK, Attributes, Header, Malformed, Meaning, Message, Writer};
use crate::dataplane::TableError;
use crate::rule::Prefix;
use crate::sys::netlink::{EINVAL, ENOENT};

/// NFNL_SUBSYS_CTNETLINK of linux/netfilter/nfnetlink.h, where a message has its part of netfilter.
const SUBSYSTEM: u16 = 1 << 8;
/// IPCTNL_MSG_CT_GET of linux/netfilter/nfnetlink_conntrack.h, as all that follows.
const GET: u16 = SUBSYSTEM | 1;
/// IPCTNL_MSG_CT_DELETE.
const DELETE: u16 = SUBSYSTEM | 2;

/// CTA_TUPLE_ORIG: a connection as whoever began it sees it.
const ORIGINAL: u16 = 1;
/// CTA_TUPLE_REPLY: as it is answered.
const REPLY: u16 = 2;
/// CTA_ID.
const NUMBER: u16 = 12;
/// CTA_ZONE: connections of several zones may look the same.
const ZONE: u16 = 18;
/// CTA_FILTER: what to go by in a question.
const FILTER: u16 = 25;
/// CTA_FILTER_REPLY_FLAGS.
const FILTER_REPLY: u16 = 2;
/// CTA_FILTER_F_CTA_IP_SRC, in this machine's order of bytes.
const BY_SOURCE: u32 = 1;
/// CTA_TUPLE_IP.
const ADDRESSES: u16 = 1;
/// CTA_IP_V4_SRC.
const SOURCE_V4: u16 = 1;
/// CTA_IP_V6_SRC.
const SOURCE_V6: u16 = 3;

/// NFPROTO_IPV4.
const IPV4: u8 = 2;
/// NFPROTO_IPV6.
const IPV6: u8 = 10;

/// Up to this many IPv4 addresses the kernel is asked for the connections of each, and goes through all that it
/// has each time. Beyond, it tells all of them once, which takes it about as long as being asked this often.
const ASKED_ONE_BY_ONE_MAX: usize = 8;
/// How many are deleted at once. Each may bring an error, and all of these have to be kept for us meanwhile.
const DELETED_AT_ONCE: usize = 1000;

/// What a connection is deleted by.
#[derive(Debug)]
struct Connection {
    family: u8,
    original: Box<[u8]>,
    number: [u8; 4],
    zone: Option<Box<[u8]>>,
}

/// Forgets all connections towards these addresses, and says how many those were. What is over by itself
/// meanwhile counts for nothing.
///
/// # Errors
/// When not all are forgotten for sure.
pub(super) fn forget(exchange: &mut Exchange, addresses: &[Prefix]) -> Result<u64, TableError> {
    let backends = Backends::new(addresses);
    let mut found = Vec::new();
    match single_v4(addresses) {
        Some(few) => {
            for address in few {
                find(exchange, IPV4, |writer| ask_by_source(writer, address), &backends, &mut found)?;
            }
        }
        None => find(exchange, IPV4, |_| {}, &backends, &mut found)?,
    }
    if addresses.iter().any(|prefix| prefix.address().is_ipv6()) {
        // Kernels know of questions by address here too, and answer with all connections but those.
        find(exchange, IPV6, |_| {}, &backends, &mut found)?;
    }
    delete(exchange, &found)
}

/// Adds to `found` all connections towards the backends, of those that the question brings.
fn find(
    exchange: &mut Exchange,
    family: u8,
    question: impl FnOnce(&mut Writer),
    backends: &Backends,
    found: &mut Vec<Connection>,
) -> Result<(), TableError> {
    let each = |message: &Message<'_>| {
        // Kernels before 5.8 answer with all that they have, whatever the question.
        found.extend(Connection::read(message, backends)?);
        Ok(())
    };
    exchange.ask(GET, family, Amount::All, question, each).map_err(in_words)
}

/// Deletes these, and says how many were still there.
fn delete(exchange: &mut Exchange, connections: &[Connection]) -> Result<u64, TableError> {
    let (mut deleted, mut left) = (0, 0);
    let mut cause = None;
    let mut writer = Writer::default();
    for some in connections.chunks(DELETED_AT_ONCE) {
        writer.clear();
        let first = exchange.next_sequence();
        let mut last = first;
        for (place, connection) in some.iter().enumerate() {
            if place > 0 {
                last = exchange.next_sequence();
            }
            let flags = if place + 1 == some.len() { ACK } else { 0 };
            connection.write_delete(&mut writer, flags, last);
        }
        let refused = exchange.tell(writer.bytes(), first, last, |_| Ok(())).map_err(in_words)?;
        deleted += some.len() - refused.len();
        for (_, refusal) in refused.into_iter().filter(|(_, refusal)| refusal.errno != ENOENT) {
            left += 1;
            cause.get_or_insert(refusal);
        }
    }
    let Some(cause) = cause else { return Ok(deleted as u64) };
    let all = connections.len();
    Err(TableError::Other(format!("{left} of {all} connections are not forgotten: {cause}")))
}

impl Connection {
    /// A connection that the kernel tells of, if it is towards one of these.
    fn read(message: &Message<'_>, backends: &Backends) -> Result<Option<Self>, Malformed> {
        let Meaning::Content { family, attributes } = message.meaning()? else { return Ok(None) };
        if !who_answers(attributes)?.is_some_and(|address| backends.contain(address)) {
            return Ok(None);
        }
        let original = attributes.find(ORIGINAL)?.ok_or(Malformed("a connection that nobody began"))?;
        let number = attributes.find(NUMBER)?.and_then(|number| number.try_into().ok());
        let number = number.ok_or(Malformed("a connection without its number"))?;
        let zone = attributes.find(ZONE)?.map(Into::into);
        Ok(Some(Self { family, original: original.into(), number, zone }))
    }

    /// What deletes it, and nothing else. Without what it was begun by, the kernel would delete all there are.
    fn write_delete(&self, writer: &mut Writer, flags: u16, sequence: u32) {
        let header = Header { kind: DELETE, flags, sequence, family: self.family, resource: 0 };
        writer.message(header, |writer| {
            writer.nested(ORIGINAL, |writer| writer.raw(&self.original));
            writer.attribute(NUMBER, &self.number);
            if let Some(zone) = &self.zone {
                writer.attribute(ZONE, zone);
            }
        });
    }
}

/// The IPv4 addresses among these, if there are few and no networks.
fn single_v4(addresses: &[Prefix]) -> Option<Vec<Ipv4Addr>> {
    let mut found = Vec::new();
    for prefix in addresses {
        match prefix.address() {
            IpAddr::V4(v4) if prefix.length() == 32 && found.len() < ASKED_ONE_BY_ONE_MAX => found.push(v4),
            IpAddr::V4(_) => return None,
            IpAddr::V6(_) => {}
        }
    }
    Some(found)
}

/// A question for the connections that this IPv4 address answers.
fn ask_by_source(writer: &mut Writer, address: Ipv4Addr) {
    writer.nested(REPLY, |writer| {
        writer.nested(ADDRESSES, |writer| writer.attribute(SOURCE_V4, &address.octets()));
    });
    writer.nested(FILTER, |writer| writer.attribute(FILTER_REPLY, &BY_SOURCE.to_ne_bytes()));
}

/// Who answers a connection; `None` when that is no address.
fn who_answers(connection: Attributes<'_>) -> Result<Option<IpAddr>, Malformed> {
    let Some(reply) = connection.find(REPLY)? else { return Ok(None) };
    let Some(addresses) = Attributes(reply).find(ADDRESSES)? else { return Ok(None) };
    let v4 = Attributes(addresses).find(SOURCE_V4)?.and_then(|source| <[u8; 4]>::try_from(source).ok());
    let v6 = Attributes(addresses).find(SOURCE_V6)?.and_then(|source| <[u8; 16]>::try_from(source).ok());
    Ok(v4.map(IpAddr::from).or(v6.map(IpAddr::from)))
}

/// The addresses whose connections are looked for.
#[derive(Debug)]
struct Backends {
    prefixes: HashSet<Prefix>,
    /// The lengths that there are.
    lengths: BTreeSet<u8>,
}

impl Backends {
    fn new(addresses: &[Prefix]) -> Self {
        Self {
            prefixes: addresses.iter().copied().collect(),
            lengths: addresses.iter().map(|prefix| prefix.length()).collect(),
        }
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.lengths.iter().any(|length| self.prefixes.contains(&Prefix::network(address, *length)))
    }
}

/// The kernel says EINVAL to what is meant for a part of netfilter that it does not have.
fn in_words(failure: Failure) -> TableError {
    match failure {
        Failure::Refused(Refusal { errno: EINVAL, words }) if words.is_empty() => TableError::Absent(
            "this kernel tells of no connections (CONFIG_NF_CT_NETLINK; modprobe nf_conntrack_netlink)"
                .to_owned(),
        ),
        Failure::Refused(_) | Failure::Interrupted | Failure::Io(_) | Failure::Malformed(_) => {
            failure.into_table_error()
        }
    }
}

#[cfg(test)]
mod tests;
