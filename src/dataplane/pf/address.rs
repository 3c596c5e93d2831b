//! Addresses and names as pf's structures have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::name;
use crate::dataplane::TableError;
use crate::rule::Prefix;
use crate::sys::pf::{AF_INET, AF_INET6, ANCHOR_SIZE, PfRuleAddr, PfrAddr, PfrTable, TABLE_NAME_SIZE};

/// A table of this name, with zeros wherever pf wants them.
pub(super) fn table(name: &str) -> Result<PfrTable, TableError> {
    let (anchor, name) = name::split(name)?;
    let anchor = anchor.unwrap_or_default();
    let mut table = PfrTable { anchor: [0; ANCHOR_SIZE], name: [0; TABLE_NAME_SIZE], flags: 0, fback: 0 };
    table.anchor[..anchor.len()].copy_from_slice(anchor.as_bytes());
    table.name[..name.len()].copy_from_slice(name.as_bytes());
    Ok(table)
}

/// The family of an address, as FreeBSD numbers it.
pub(super) fn family(prefix: Prefix) -> u8 {
    if prefix.address().is_ipv4() { AF_INET } else { AF_INET6 }
}

/// An address to be put into a table or taken out.
pub(super) fn encode(prefix: Prefix) -> PfrAddr {
    PfrAddr { address: bytes(prefix.address()), af: family(prefix), net: prefix.length(), not: 0, fback: 0 }
}

/// What a table holds at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An address or a network.
    Address(Prefix),
    /// One that is excepted: with a `!` before it.
    Negated(Prefix),
}

/// An entry of a table; `None` when it is of a kind that no file of ours can name.
pub(super) fn decode(entry: &PfrAddr) -> Option<Entry> {
    let address = address(entry.af, &entry.address)?;
    let prefix = Prefix::network(address, entry.net);
    if prefix.address() != address || prefix.length() != entry.net {
        return None;
    }
    Some(if entry.not == 0 { Entry::Address(prefix) } else { Entry::Negated(prefix) })
}

/// The address in these bytes; `None` for another family.
pub(super) fn address(family: u8, bytes: &[u8; 16]) -> Option<IpAddr> {
    match family {
        AF_INET => {
            let [a, b, c, d, ..] = *bytes;
            Some(Ipv4Addr::new(a, b, c, d).into())
        }
        AF_INET6 => Some(Ipv6Addr::from(*bytes).into()),
        _ => None,
    }
}

/// All addresses of a network.
pub(super) fn within(prefix: Prefix) -> PfRuleAddr {
    PfRuleAddr::new(bytes(prefix.address()), mask(prefix.address(), prefix.length()))
}

/// All addresses of the family of this one.
pub(super) fn any_like(prefix: Prefix) -> PfRuleAddr {
    PfRuleAddr::new([0; 16], mask(prefix.address(), 0))
}

/// The bits that count. The 96 that an IPv4 address has no use of count too, as zeros: where pf does not look at
/// the family (DIOCKILLSRCNODES), an IPv6 address that begins like it is left alone so.
fn mask(address: IpAddr, length: u8) -> [u8; 16] {
    match address {
        IpAddr::V4(_) => {
            let mut mask = [0xff; 16];
            let bits = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            mask[..4].copy_from_slice(&bits.to_be_bytes());
            mask
        }
        IpAddr::V6(_) => u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0).to_be_bytes(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_what_it_was() {
        for text in ["10.0.0.1", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::1", "2001:db8::/33", "::/0"] {
            assert_eq!(decode(&encode(prefix(text))), Some(Entry::Address(prefix(text))), "{text}");
        }
        let v4 = encode(prefix("10.1.2.0/23"));
        assert_eq!((v4.af, v4.net, v4.not, v4.fback), (2, 23, 0, 0));
        assert_eq!(v4.address, [10, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(encode(prefix("2001:db8::1")).af, 28);
    }

    #[test]
    fn what_no_file_can_name_is_nothing() {
        let good = encode(prefix("10.1.2.0/24"));
        let negated = PfrAddr { not: 1, ..good };
        assert_eq!(decode(&negated), Some(Entry::Negated(prefix("10.1.2.0/24"))));
        for wrong in [
            PfrAddr { af: 0, ..good },
            PfrAddr { af: 10, ..good },
            PfrAddr { net: 33, ..good },
            PfrAddr { net: 22, ..good },
            PfrAddr { af: AF_INET6, net: 129, ..good },
        ] {
            assert_eq!(decode(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_table_has_zeros_behind_its_names() {
        let in_anchor = table("/lb/inner/web").unwrap();
        assert_eq!(&in_anchor.anchor[..10], b"lb/inner\0\0");
        assert_eq!(&in_anchor.name[..5], b"web\0\0");
        assert!(in_anchor.anchor[8..].iter().chain(&in_anchor.name[3..]).all(|byte| *byte == 0));
        assert_eq!(table("web").unwrap().anchor, [0; ANCHOR_SIZE]);
        assert!(matches!(table("a/"), Err(TableError::Syntax(_))));
    }

    #[test]
    fn masks_leave_out_the_other_family() {
        let v4 = within(prefix("10.1.2.0/23")).addr;
        assert_eq!(v4.mask, [255, 255, 254, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(any_like(prefix("10.0.0.1")).addr.mask[..5], [0, 0, 0, 0, 255]);
        let v6 = within(prefix("2001:db8::/33")).addr;
        assert_eq!(v6.mask[..6], [255, 255, 255, 255, 128, 0]);
        assert_eq!(any_like(prefix("2001:db8::1")).addr.mask, [0; 16]);
        assert_eq!(within(prefix("2001:db8::1")).addr.mask, [255; 16]);
        assert_eq!(within(prefix("0.0.0.0/0")).addr.mask[..5], [0, 0, 0, 0, 255]);
    }
}
