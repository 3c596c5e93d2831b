//! What the kernel tells of changes to sets, whoever makes them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::ops::Bound;
use std::os::fd::{AsRawFd, RawFd};

use super::message::{Malformed, Meaning, Message, Messages, text};
use super::name::Family;
use crate::dataplane::Notices;
use crate::sys::netlink::{ENOBUFS, Socket};

/// NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h: whoever listens there is told of all that is changed.
const GROUP: u32 = 7;

/// NFNL_SUBSYS_NFTABLES of linux/netfilter/nfnetlink.h.
const NFTABLES: u16 = 10 << 8;
/// Of NFT_MSG_*, linux/netfilter/nf_tables.h: a table is gone, a set has come or gone, or elements have.
const DELETED_TABLE: u16 = NFTABLES | 2;
const NEW_SET: u16 = NFTABLES | 9;
const DELETED_SET: u16 = NFTABLES | 11;
const NEW_ELEMENTS: u16 = NFTABLES | 12;
const DELETED_ELEMENTS: u16 = NFTABLES | 14;
/// A table's name and a set's, whatever is told of them.
const TABLE: u16 = 1;
const SET: u16 = 2;

/// Datagrams taken at once, so that it ends: those who change more than that are not worth a closer look.
const DATAGRAMS_MAX: usize = 4096;

/// The socket that hears of changes.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    /// A set's name, written anew for each message.
    name: String,
}

impl Listener {
    /// Begins to listen.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { socket: Socket::open(&[GROUP])?, name: String::new() })
    }

    /// What becomes readable.
    pub(super) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Which of the tables that are `known` others than the socket `own` have changed. Never waits.
    pub(super) fn take(&mut self, own: Option<u32>, known: &BTreeSet<Box<str>>) -> Notices {
        let mut notices = Notices::default();
        for _ in 0..DATAGRAMS_MAX {
            match self.socket.receive() {
                Ok(None) => return notices,
                Ok(Some(datagram)) => {
                    for message in Messages(datagram) {
                        let told = message.and_then(|message| {
                            tell(&message, own, known, &mut self.name, &mut notices.tables)
                        });
                        notices.all |= told.is_err();
                    }
                }
                Err(error) => {
                    notices.all = true;
                    // Some were lost; what comes after them is there still.
                    if error.raw_os_error() != Some(ENOBUFS) {
                        return notices;
                    }
                }
            }
        }
        // What has not been heard yet was done before anybody reads a table now.
        notices.all = true;
        notices
    }
}

/// Notes which table a message tells of.
fn tell(
    message: &Message<'_>,
    own: Option<u32>,
    known: &BTreeSet<Box<str>>,
    name: &mut String,
    tables: &mut BTreeSet<Box<str>>,
) -> Result<(), Malformed> {
    if own == Some(message.port) {
        return Ok(());
    }
    let is_table = match message.kind {
        DELETED_TABLE => true,
        NEW_SET | DELETED_SET | NEW_ELEMENTS | DELETED_ELEMENTS => false,
        _ => return Ok(()),
    };
    let Meaning::Content { family, attributes } = message.meaning()? else { return Ok(()) };
    let table = text(attributes.find(TABLE)?.ok_or(Malformed("news of no table"))?)?;
    name.clear();
    write!(name, "{}/{table}/", Family::of(family)?).expect("a text takes all");
    if is_table {
        let from = (Bound::Included(name.as_str()), Bound::Unbounded);
        let within = known.range::<str, _>(from).take_while(|known| known.starts_with(name.as_str()));
        tables.extend(within.cloned());
        return Ok(());
    }
    name.push_str(text(attributes.find(SET)?.ok_or(Malformed("news of no set"))?)?);
    if let Some(known) = known.get(name.as_str())
        && !tables.contains(known)
    {
        tables.insert(known.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
