//! The elements of sets and maps, as the kernel tells them and as it wants to be told.

use std::net::IpAddr;

use super::message::{Attributes, Malformed, Writer, number};
use super::set::Version;

/// NFTA_SET_ELEM_LIST_ELEMENTS of linux/netfilter/nf_tables.h.
pub(super) const LIST: u16 = 3;
/// Of NFTA_SET_ELEM_*, the same.
const KEY: u16 = 1;
const DATA: u16 = 2;
const FLAGS: u16 = 3;
const TIMEOUT: u16 = 4;
const EXPIRATION: u16 = 5;
const USERDATA: u16 = 6;
const PADDING: u16 = 8;
const KEY_END: u16 = 10;
/// NFTA_DATA_VALUE.
const VALUE: u16 = 1;

/// NFT_SET_ELEM_INTERVAL_END: the first address behind an interval.
const INTERVAL_END: u32 = 1;
/// NFT_SET_ELEM_CATCHALL: whatever is not in the set.
const CATCH_ALL: u32 = 2;

/// An address or the number of a slot, as it is written: 16 bytes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Octets {
    bytes: [u8; 16],
    length: usize,
}

impl Octets {
    /// Of an address of this version.
    pub(super) fn address(version: Version, number: u128) -> Self {
        let mut bytes = [0; 16];
        let length = version.bytes();
        bytes[..length].copy_from_slice(&number.to_be_bytes()[16 - length..]);
        Self { bytes, length }
    }

    /// Of a slot: a number that the kernel itself makes, in this machine's order of bytes.
    pub(super) fn slot(slot: u32) -> Self {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&slot.to_ne_bytes());
        Self { bytes, length: 4 }
    }

    /// The number of the address.
    pub(super) fn number(&self) -> u128 {
        number_of(self.as_slice())
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// What is said of an element beyond its key and where it leads: comments, counters, timeouts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Remarks {
    /// What nft(8) notes for itself, without what its place in the set says anyway.
    notes: Vec<u8>,
    /// All else.
    attributes: Vec<u8>,
}

/// What nft(8) notes of an interval that has no end, as nothing lies behind it: NFTNL_UDATA_SET_ELEM_FLAGS and
/// NFTNL_SET_ELEM_F_INTERVAL_OPEN of libnftnl/udata.h.
const NOTE_OF_FLAGS: u8 = 1;
const OPEN: u32 = 1;

impl Remarks {
    const NONE: &'static Self = &Self { notes: Vec::new(), attributes: Vec::new() };

    /// Of an element, but for these attributes.
    fn of(attributes: Attributes<'_>, but: &[u16]) -> Self {
        let mut notes = Vec::new();
        if let Ok(Some(mut rest)) = attributes.find(USERDATA) {
            while let [kind, length, ..] = *rest
                && let Some((note, behind)) = rest.split_at_checked(2 + usize::from(length))
            {
                if kind != NOTE_OF_FLAGS {
                    notes.extend(note);
                }
                rest = behind;
            }
        }
        let but = [&[KEY, DATA, FLAGS, USERDATA, PADDING, KEY_END], but].concat();
        Self { notes, attributes: attributes.without(&but) }
    }

    /// Whether nothing is said that may change by itself, as counters do.
    pub(super) fn are_notes(&self) -> bool {
        self.attributes.is_empty()
    }

    fn write(&self, is_open: bool, writer: &mut Writer) {
        let mut notes = self.notes.clone();
        if is_open {
            notes.extend([NOTE_OF_FLAGS, 4]);
            notes.extend(OPEN.to_ne_bytes());
        }
        if !notes.is_empty() {
            writer.attribute(USERDATA, &notes);
        }
        writer.raw(&self.attributes);
    }
}

/// An element to be put in or taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub key: Octets,
    /// It is the first address behind an interval.
    pub is_end: bool,
    /// What a map leads to.
    pub data: Option<Octets>,
    /// It begins an interval that has no end.
    pub is_open: bool,
    pub remarks: &'a Remarks,
}

impl Written<'_> {
    /// One that is nothing but its key.
    pub(super) fn key(key: Octets) -> Self {
        Self { key, is_end: false, data: None, is_open: false, remarks: Remarks::NONE }
    }

    /// Writes it as the one of this number in its list.
    pub(super) fn write(&self, place: u16, writer: &mut Writer) {
        writer.nested(place, |writer| {
            if self.is_end {
                writer.number(FLAGS, INTERVAL_END);
            }
            writer.nested(KEY, |writer| writer.attribute(VALUE, self.key.as_slice()));
            if let Some(data) = self.data {
                writer.nested(DATA, |writer| writer.attribute(VALUE, data.as_slice()));
            }
            self.remarks.write(self.is_open, writer);
        });
    }
}

/// An element that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    key: &'a [u8],
    data: Option<&'a [u8]>,
    /// It is the first address behind an interval.
    pub is_end: bool,
    /// It goes by itself after some time.
    pub expires: bool,
    attributes: Attributes<'a>,
}

impl<'a> Element<'a> {
    /// The elements of a list; the one that stands for all that are not there is passed over.
    pub(super) fn all(list: Attributes<'a>) -> impl Iterator<Item = Result<Self, Malformed>> {
        list.filter_map(|element| {
            let read = element.and_then(|(_, element)| Self::read(Attributes(element)));
            read.transpose()
        })
    }

    fn read(attributes: Attributes<'a>) -> Result<Option<Self>, Malformed> {
        let (mut key, mut data, mut flags, mut expires) = (None, None, 0, false);
        for attribute in attributes {
            let (kind, value) = attribute?;
            match kind {
                KEY => key = Attributes(value).find(VALUE)?,
                DATA => data = Attributes(value).find(VALUE)?,
                FLAGS => flags = number(value)?,
                EXPIRATION => expires = true,
                _ => {}
            }
        }
        if flags & CATCH_ALL != 0 {
            return Ok(None);
        }
        let key = key.ok_or(Malformed("an element without its key"))?;
        Ok(Some(Self { key, data, is_end: flags & INTERVAL_END != 0, expires, attributes }))
    }

    /// Its key, as the number of an address of this version.
    pub(super) fn number(&self, version: Version) -> Result<u128, Malformed> {
        address_number(self.key, version)
    }

    /// Its key, as that of a slot.
    pub(super) fn slot(&self) -> Result<u32, Malformed> {
        let key = self.key.try_into().map_err(|_| Malformed("a slot that is not of four bytes"))?;
        Ok(u32::from_ne_bytes(key))
    }

    /// The address that a map leads to.
    pub(super) fn leads_to(&self, version: Version) -> Result<IpAddr, Malformed> {
        let data = self.data.ok_or(Malformed("an element of a map that leads nowhere"))?;
        Ok(version.address(address_number(data, version)?))
    }

    /// All that is said of it beyond its key and where it leads.
    pub(super) fn remarks(&self) -> Remarks {
        Remarks::of(self.attributes, &[])
    }

    /// The same, so that it stays for good.
    pub(super) fn lasting_remarks(&self) -> Remarks {
        Remarks::of(self.attributes, &[TIMEOUT, EXPIRATION])
    }
}

fn address_number(bytes: &[u8], version: Version) -> Result<u128, Malformed> {
    if bytes.len() != version.bytes() {
        return Err(Malformed("an address of another length than the set's"));
    }
    Ok(number_of(bytes))
}

fn number_of(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
