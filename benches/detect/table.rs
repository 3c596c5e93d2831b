//! What the kernel tells of elements that come into the table and go out of it.

use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::SystemTime;

use hfm::sys::netlink::Socket;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::trials::News;

/// The set that is watched, of the table `bench`.
pub(crate) const SET: &str = "web";
/// NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h.
const GROUP: u32 = 7;
/// NFT_MSG_NEWSETELEM and NFT_MSG_DELSETELEM of linux/netfilter/nf_tables.h, for NFNL_SUBSYS_NFTABLES.
const COMES: u16 = 10 << 8 | 12;
const GOES: u16 = 10 << 8 | 14;
/// Headers: of a message, and of netfilter behind it.
const HEADER_BYTES: usize = 16;
const HEADERS_BYTES: usize = HEADER_BYTES + 4;
/// NFTA_SET_ELEM_LIST_SET and _ELEMENTS; in an element NFTA_SET_ELEM_KEY, and in that NFTA_DATA_VALUE.
const OF_SET: u16 = 2;
const ELEMENTS: u16 = 3;
const KEY: u16 = 1;
const VALUE: u16 = 1;
/// All but the flags of an attribute's kind.
const KIND_MASK: u16 = 0x3fff;

/// Tells of each change from now on, until nobody hears it any more.
pub(crate) fn watch(news: Sender<News>) {
    let mut socket = Socket::open(&[GROUP]).expect("run as root: news of nftables");
    let mut poll = Poll::new().expect("a poll");
    let source = socket.as_raw_fd();
    poll.registry().register(&mut SourceFd(&source), Token(0), Interest::READABLE).expect("it is waited for");
    thread::spawn(move || {
        let mut events = Events::with_capacity(1);
        loop {
            // When it was interrupted, nothing has come.
            let _ = poll.poll(&mut events, None);
            while let Some(datagram) = socket.receive().expect("nothing was lost") {
                let at = SystemTime::now();
                for (to, is_in) in changes(datagram) {
                    if news.send(News::Table { to, is_in, at }).is_err() {
                        return;
                    }
                }
            }
        }
    });
}

/// Addresses of the set that come or go in these messages.
fn changes(mut datagram: &[u8]) -> Vec<(Ipv4Addr, bool)> {
    let mut found = Vec::new();
    while datagram.len() >= HEADERS_BYTES {
        let length = u32::from_ne_bytes(*datagram.first_chunk().expect("a header")) as usize;
        let kind = u16::from_ne_bytes([datagram[4], datagram[5]]);
        let content = datagram.get(HEADERS_BYTES..length).unwrap_or_default();
        if matches!(kind, COMES | GOES)
            && of(content, OF_SET).is_some_and(|name| name == [SET.as_bytes(), b"\0"].concat())
        {
            let elements = attributes(of(content, ELEMENTS).unwrap_or_default());
            let address =
                |(_, element)| Some(Ipv4Addr::from(*of(of(element, KEY)?, VALUE)?.first_chunk::<4>()?));
            found.extend(elements.filter_map(address).map(|address| (address, kind == COMES)));
        }
        datagram = datagram.get(length.next_multiple_of(4).max(HEADER_BYTES)..).unwrap_or_default();
    }
    found
}

fn of(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(of, _)| *of == kind).map(|(_, value)| value)
}

/// Attributes one after the other, until one is cut off.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *bytes.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & KIND_MASK, value))
    })
}
