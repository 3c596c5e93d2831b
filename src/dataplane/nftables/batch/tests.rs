//! Against the bytes of nft(8), recorded in tests/dataplane_nft, where they are also recorded anew.
#![cfg(target_endian = "little")]

use super::super::element::Octets;
use super::super::found::{first_end, interval_elements};
use super::super::set::Version;
use super::*;
use crate::rule::Prefix;

/// The bytes of a recording, without what differs for good reasons: numbers of messages, and what nft(8) calls a
/// set within its own batch.
fn recorded(text: &str) -> Vec<u8> {
    let hex = text.lines().filter(|line| !line.contains(": "));
    let bytes = hex.flat_map(str::split_whitespace).map(|byte| u8::from_str_radix(byte, 16).unwrap());
    let mut bytes: Vec<u8> = bytes.collect();
    let set = b"\x06\0\x02\0s\0\0\0";
    let behind = bytes.windows(set.len()).position(|of| of == set).expect("the set has its name") + set.len();
    if bytes[behind..].starts_with(&[8, 0, 4, 0]) {
        bytes.drain(behind..behind + 8);
        let length = 20;
        bytes[length] -= 8;
    }
    without_numbers(bytes)
}

fn without_numbers(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while at < bytes.len() {
        bytes[at + 8..at + 12].fill(0);
        at += usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    }
    bytes
}

fn ours<'a>(act: Act, name: &str, elements: impl IntoIterator<Item = Written<'a>>) -> Vec<u8> {
    let mut exchange = Exchange::default();
    let mut batch = Batch::new(&mut exchange, 77);
    batch.add(&mut exchange, 0, act, Name::parse(name).unwrap(), elements);
    let mut whole = batch.head(Meant::ForAny);
    whole.raw(batch.writer.bytes());
    batch.end(&mut exchange, &mut whole);
    without_numbers(whole.bytes().to_vec())
}

fn octets(address: &str) -> Octets {
    let prefix: Prefix = address.parse().unwrap();
    Octets::address(Version::of(prefix), Version::number(prefix.address()))
}

fn key(address: &str) -> Written<'static> {
    Written::key(octets(address))
}

fn network(network: &str) -> Vec<Written<'static>> {
    let prefix: Prefix = network.parse().unwrap();
    interval_elements(Version::of(prefix), Version::interval(prefix), None).collect()
}

fn slot(slot: u32, address: &str) -> Written<'static> {
    Written { data: Some(octets(address)), ..Written::key(Octets::slot(slot)) }
}

/// Compares with a recording, by its name.
macro_rules! same {
    ($name:literal, $act:expr, $set:literal, $elements:expr) => {
        let recording = include_str!(concat!("../../../../tests/dataplane_nft/recorded/", $name, ".txt"));
        assert_eq!(ours($act, $set, $elements), recorded(recording), $name);
    };
}

#[test]
fn addresses_are_sent_as_nft_sends_them() {
    same!("add-ipv4", Act::Put, "ip/t/s", [key("10.0.0.1"), key("10.0.0.2")]);
    same!("delete-ipv4", Act::Take, "ip/t/s", [key("10.0.0.9")]);
    same!("add-ipv6", Act::Put, "inet/t/s", [key("2001:db8::1")]);
}

#[test]
fn networks_are_sent_as_nft_sends_them() {
    let first = [vec![first_end(Version::V4)], network("10.0.0.0/24"), network("10.9.0.1")].concat();
    same!("add-first-networks", Act::Put, "ip/t/s", first);
    same!("add-network", Act::Put, "ip/t/s", network("10.0.0.0/24"));
    same!("delete-network", Act::Take, "ip/t/s", network("10.9.0.0/16"));
    same!("delete-last-network", Act::Take, "ip/t/s", network("255.255.255.0/24"));
    let first = [vec![first_end(Version::V4)], network("255.255.255.0/24")].concat();
    same!("add-last-network", Act::Put, "ip/t/s", first);
    same!("add-everything", Act::Put, "ip/t/s", network("0.0.0.0/0"));
    same!("delete-everything", Act::Take, "ip/t/s", network("0.0.0.0/0"));
    same!("add-ipv6-network", Act::Put, "ip6/t/s", network("2001:db8::/32"));
}

#[test]
fn slots_are_sent_as_nft_sends_them() {
    same!("add-slot", Act::Put, "ip/t/s", [slot(3, "10.0.0.1")]);
    same!("delete-slot", Act::Take, "ip/t/s", [Written::key(Octets::slot(7))]);
    same!("add-ipv6-slot", Act::Put, "inet/t/s", [slot(3, "2001:db8::1")]);
}

#[test]
fn what_is_too_much_for_a_message_goes_into_several_each_of_the_same_owner() {
    let mut exchange = Exchange::default();
    let mut batch = Batch::new(&mut exchange, 77);
    let name = Name::parse("ip/t/s").unwrap();
    let many = (0..10_000).map(|number| Written::key(Octets::address(Version::V6, number)));
    batch.add(&mut exchange, 5, Act::Put, name, many);
    batch.add(&mut exchange, 6, Act::Take, name, [key("10.0.0.1")]);
    let owners: Vec<usize> = batch.messages.iter().map(|(.., owner)| *owner).collect();
    assert!(owners.len() > 3 && owners.len() < 20, "{owners:?}");
    assert!(owners.iter().rev().skip(1).all(|owner| *owner == 5) && owners.last() == Some(&6), "{owners:?}");
}
