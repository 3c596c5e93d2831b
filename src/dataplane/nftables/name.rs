//! What a set is called: `family/table/set`.

use std::fmt;

use super::message::Malformed;
use crate::dataplane::TableError;

/// Bytes of a table's or a set's name at most: NFT_NAME_MAXLEN of linux/netfilter/nf_tables.h, without its end.
const NAME_BYTES_MAX: usize = 255;

/// A family of tables, with its number in linux/netfilter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Inet = 1,
    Ip = 2,
    Arp = 3,
    Netdev = 5,
    Bridge = 7,
    Ip6 = 10,
}

const FAMILIES: [(&str, Family); 6] = [
    ("ip", Family::Ip),
    ("ip6", Family::Ip6),
    ("inet", Family::Inet),
    ("arp", Family::Arp),
    ("bridge", Family::Bridge),
    ("netdev", Family::Netdev),
];

impl Family {
    /// Its number.
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number.
    pub(super) fn of(number: u8) -> Result<Self, Malformed> {
        let family = FAMILIES.iter().find(|(_, family)| family.number() == number);
        family.map(|(_, family)| *family).ok_or(Malformed("a family that is not known"))
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = FAMILIES.iter().find(|(_, family)| family == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

/// Which set of which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub family: Family,
    pub table: &'a str,
    pub set: &'a str,
}

impl<'a> Name<'a> {
    /// What stands in the file, taken apart.
    pub(super) fn parse(name: &'a str) -> Result<Self, TableError> {
        let wrong = |what: &str| TableError::Syntax(format!("the name {name:?} {what}"));
        let mut parts = name.split('/');
        let (Some(family), Some(table), Some(set), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("is not of the form family/table/set, as ip/nat/web is"));
        };
        let Some((_, family)) = FAMILIES.iter().find(|(word, _)| *word == family) else {
            let words: Vec<&str> = FAMILIES.iter().map(|(word, _)| *word).collect();
            return Err(wrong(&format!("does not begin with a family of nftables: {}", words.join(", "))));
        };
        for part in [table, set] {
            if part.is_empty() || part.len() > NAME_BYTES_MAX || part.contains('\0') {
                return Err(wrong(&format!(
                    "holds {part:?}, and a table or set has a name of 1 to {NAME_BYTES_MAX} bytes without NUL"
                )));
            }
        }
        Ok(Self { family: *family, table, set })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_parts() {
        let name = Name { family: Family::Inet, table: "filter", set: "web-1.a" };
        assert_eq!(Name::parse("inet/filter/web-1.a"), Ok(name));
        for (word, family) in FAMILIES {
            assert_eq!(Name::parse(&format!("{word}/t/s")).unwrap().family, family);
            assert_eq!(family.to_string(), word);
            assert_eq!(Family::of(family.number()), Ok(family));
        }
        assert!(Family::of(0).is_err());
    }

    #[test]
    fn a_name_that_nftables_cannot_have_is_not_tried() {
        let long = format!("ip/t/{}", "s".repeat(256));
        for name in ["", "web", "ip/web", "ip/a/b/c", "ip//s", "ip/t/", "ipv4/t/s", "/t/s", "ip/t/a\0", &long]
        {
            assert!(matches!(Name::parse(name), Err(TableError::Syntax(_))), "{name:?}");
        }
        let error = Name::parse("ipv4/t/s").unwrap_err().to_string();
        assert!(error.contains("\"ipv4/t/s\"") && error.contains("ip, ip6, inet"), "{error}");
    }
}
