//! Tables: pf_table.c, and what pf_ioctl.c does before it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use hfm::rule::Prefix;
use hfm::sys::pf::{Errno, PfiocTable, PfrAddr, TableCall};

use super::Kernel;

const DUMMY: i32 = 2;
const FEEDBACK: i32 = 4;
/// All flags that there are (PFR_FLAG_ALLMASK).
const ALL: i32 = 0x7f;

const V4: u8 = 2;
const V6: u8 = 28;

/// Family, bytes and length, in the order in which they are shown.
type Key = (u8, [u8; 16], u8);

/// An anchor's path and a table's name.
type Name = (Vec<u8>, Vec<u8>);

/// What is in one table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Whether each is negated.
    entries: BTreeMap<Key, bool>,
    pub constant: bool,
}

/// All tables.
#[derive(Debug, Default)]
pub struct Tables(HashMap<Name, Table>);

/// An address as it stands in a table, by its text.
pub fn address(text: &str) -> PfrAddr {
    let (not, text) = text.strip_prefix('!').map_or((0, text), |text| (1, text));
    let (host, length) = text.split_once('/').map_or((text, None), |(host, length)| (host, Some(length)));
    let host: IpAddr = host.parse().expect("an address");
    let mut bytes = [0; 16];
    let (af, most) = match host {
        IpAddr::V4(v4) => {
            bytes[..4].copy_from_slice(&v4.octets());
            (V4, 32)
        }
        IpAddr::V6(v6) => {
            bytes = v6.octets();
            (V6, 128)
        }
    };
    let net = length.map_or(most, |length| length.parse().expect("a length"));
    PfrAddr { address: bytes, af, net, not, fback: 0 }
}

impl Table {
    pub fn new(entries: &[&str]) -> Self {
        let mut table = Self::default();
        for entry in entries {
            table.insert(address(entry));
        }
        table
    }

    pub fn constant(entries: &[&str]) -> Self {
        Self { constant: true, ..Self::new(entries) }
    }

    pub fn insert(&mut self, entry: PfrAddr) {
        self.entries.insert((entry.af, entry.address, entry.net), entry.not == 1);
    }

    pub fn remove(&mut self, text: &str) {
        let entry = address(text);
        self.entries.remove(&(entry.af, entry.address, entry.net));
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn shown(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.entries.iter().map(|(key, not)| show(key, *not)).collect();
        shown.sort();
        shown
    }
}

fn show(&(af, bytes, net): &Key, not: bool) -> String {
    let host = match af {
        V4 => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
        _ => IpAddr::from(bytes),
    };
    format!("{}{}", if not { "!" } else { "" }, Prefix::network(host, net))
}

impl Tables {
    pub fn put(&mut self, name: &str, table: Table) {
        self.0.insert(named(name), table);
    }

    pub fn drop(&mut self, name: &str) {
        self.0.remove(&named(name));
    }

    pub fn get(&self, name: &str) -> Option<&Table> {
        self.0.get(&named(name))
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.0.get_mut(&named(name))
    }

    fn entries(&self) -> usize {
        self.0.values().map(Table::len).sum()
    }
}

fn named(name: &str) -> Name {
    let (anchor, table) = name.rsplit_once('/').unwrap_or(("", name));
    (anchor.as_bytes().to_vec(), table.as_bytes().to_vec())
}

impl Kernel {
    /// One of the calls on addresses.
    pub(super) fn table(
        &mut self,
        call: TableCall,
        io: &mut PfiocTable,
        addresses: &mut [PfrAddr],
    ) -> Result<(), Errno> {
        if call != TableCall::Get && self.read_only && io.flags & DUMMY == 0 {
            return Err(Errno::EACCES);
        }
        if self.address_size != size_of::<PfrAddr>() {
            return Err(Errno::ENODEV);
        }
        if addresses.len() > self.request_max {
            return Err(Errno::EINVAL);
        }
        // Nothing is copied out on an error.
        let mut copy = addresses.to_vec();
        match call {
            TableCall::Add => io.nadd = self.add(io, &mut copy)?,
            TableCall::Delete => io.ndel = self.delete(io, &mut copy)?,
            TableCall::Get => io.size = self.get(io, &mut copy)?,
        }
        if call == TableCall::Get || io.flags & FEEDBACK != 0 {
            addresses.copy_from_slice(&copy);
        }
        Ok(())
    }

    fn add(&mut self, io: &PfiocTable, addresses: &mut [PfrAddr]) -> Result<i32, Errno> {
        accept(io.flags, DUMMY | FEEDBACK)?;
        let name = validate(io, true)?;
        let room = self.entries_max.saturating_sub(self.tables.entries());
        let table = changeable(&mut self.tables, &name)?;
        let mut added: BTreeMap<Key, bool> = BTreeMap::new();
        for address in addresses {
            let (key, not) = checked(address)?;
            let held = table.entries.get(&key);
            let feedback = if added.contains_key(&key) {
                6
            } else {
                match held {
                    None => 2,
                    Some(held) if *held != not => 8,
                    Some(_) => 0,
                }
            };
            if held.is_none() && !added.contains_key(&key) {
                if added.len() == room {
                    return Err(Errno::ENOMEM);
                }
                added.insert(key, not);
            }
            if io.flags & FEEDBACK != 0 {
                address.fback = feedback;
            }
        }
        let count = i32::try_from(added.len()).expect("as many as were given");
        if io.flags & DUMMY == 0 {
            table.entries.extend(added);
        }
        Ok(count)
    }

    fn delete(&mut self, io: &PfiocTable, addresses: &mut [PfrAddr]) -> Result<i32, Errno> {
        accept(io.flags, DUMMY | FEEDBACK)?;
        let name = validate(io, true)?;
        let table = changeable(&mut self.tables, &name)?;
        let mut deleted: BTreeMap<Key, bool> = BTreeMap::new();
        for address in addresses {
            let (key, not) = checked(address)?;
            let feedback = match table.entries.get(&key) {
                None => 0,
                Some(held) if *held != not => 8,
                Some(_) if deleted.contains_key(&key) => 6,
                Some(_) => 3,
            };
            if feedback == 3 {
                deleted.insert(key, not);
            }
            if io.flags & FEEDBACK != 0 {
                address.fback = feedback;
            }
        }
        if io.flags & DUMMY == 0 {
            table.entries.retain(|key, _| !deleted.contains_key(key));
        }
        Ok(i32::try_from(deleted.len()).expect("as many as were given"))
    }

    fn get(&self, io: &PfiocTable, addresses: &mut [PfrAddr]) -> Result<i32, Errno> {
        accept(io.flags, 0)?;
        let name = validate(io, false)?;
        let table = self.tables.0.get(&name).ok_or(Errno::ESRCH)?;
        addresses.fill(PfrAddr::default());
        if table.len() <= addresses.len() {
            for (place, (&(af, bytes, net), not)) in addresses.iter_mut().zip(&table.entries) {
                *place = PfrAddr { address: bytes, af, net, not: u8::from(*not), fback: 0 };
            }
        }
        Ok(i32::try_from(table.len()).expect("a test's table is small"))
    }
}

fn accept(flags: i32, ok: i32) -> Result<(), Errno> {
    if flags & !ok & ALL == 0 { Ok(()) } else { Err(Errno::EINVAL) }
}

/// pfr_validate_table: the names, as far as their first zero, with nothing but zeros behind it.
fn validate(io: &PfiocTable, is_change: bool) -> Result<Name, Errno> {
    let table = text(&io.table.name)?;
    let anchor = text(&io.table.anchor)?;
    if table.is_empty() || io.table.flags != 0 {
        return Err(Errno::EINVAL);
    }
    let slashes = anchor.iter().take_while(|byte| **byte == b'/').count();
    let anchor = &anchor[slashes..];
    if is_change && anchor == b"_pf" {
        return Err(Errno::EINVAL);
    }
    Ok((anchor.to_vec(), table.to_vec()))
}

fn text(field: &[u8]) -> Result<&[u8], Errno> {
    let end = field.iter().position(|byte| *byte == 0).ok_or(Errno::EINVAL)?;
    let (text, rest) = field.split_at(end);
    if rest.iter().all(|byte| *byte == 0) { Ok(text) } else { Err(Errno::EINVAL) }
}

fn changeable<'a>(tables: &'a mut Tables, name: &Name) -> Result<&'a mut Table, Errno> {
    let table = tables.0.get_mut(name).ok_or(Errno::ESRCH)?;
    if table.constant { Err(Errno::EPERM) } else { Ok(table) }
}

/// pfr_validate_addr.
fn checked(address: &PfrAddr) -> Result<(Key, bool), Errno> {
    let most = match address.af {
        V4 => 32,
        V6 => 128,
        _ => return Err(Errno::EINVAL),
    };
    let bits = u128::from_be_bytes(address.address);
    let behind = u128::MAX.checked_shr(u32::from(address.net)).unwrap_or(0);
    if address.net > most || bits & behind != 0 || address.not > 1 || address.fback != 0 {
        return Err(Errno::EINVAL);
    }
    Ok(((address.af, address.address, address.net), address.not == 1))
}
