//! Names of tables, as what holds them has them.

use super::super::diagnose::Wrong;
use super::super::render::quoted;
use crate::nearest::nearest;

/// Longest name of a table of pf's, in bytes (PF_TABLE_NAME_SIZE less its NUL).
const TABLE_BYTES_MAX: usize = 31;

/// Longest path of anchors, in bytes (pf: MAXPATHLEN less its NUL).
const ANCHOR_BYTES_MAX: usize = 1023;

/// Longest name of a table or a set of nftables', in bytes (NFT_NAME_MAXLEN less its NUL).
const NFT_BYTES_MAX: usize = 255;

/// Families of nftables' tables.
const FAMILIES: [&str; 6] = ["ip", "ip6", "inet", "arp", "bridge", "netdev"];

/// `table` or `anchor/path/table`.
pub(super) fn in_pf(name: &str) -> Result<(), Wrong> {
    let (anchor, table) = name.rsplit_once('/').unwrap_or(("", name));
    if table.len() > TABLE_BYTES_MAX {
        let message =
            format!("the name of the table {} is longer than {TABLE_BYTES_MAX} bytes", quoted(table));
        return Err(Wrong::new(message).help("pf has no tables of longer names: is it misspelt?"));
    }
    if anchor.len() > ANCHOR_BYTES_MAX {
        let message =
            format!("the anchor of the table {} is longer than {ANCHOR_BYTES_MAX} bytes", quoted(table));
        return Err(Wrong::new(message).help("pf has no longer paths: is it misspelt?"));
    }
    Ok(())
}

/// `family/table/set`.
pub(super) fn in_nftables(name: &str) -> Result<(), Wrong> {
    const HELP: &str = "write FAMILY/TABLE/SET, as in inet/filter/web, the set or map of nftables that holds the \
                        addresses; with dataplane = memory no firewall is touched";
    let parts: Vec<&str> = name.split('/').collect();
    let [family, table, set] = parts[..] else {
        let message = format!("{} names no set of nftables", quoted(name));
        return Err(Wrong::new(message).help(HELP));
    };
    if !FAMILIES.contains(&family) {
        let message =
            format!("{} names no set of nftables: there is no family {}", quoted(name), quoted(family));
        return Err(Wrong::new(message).help(match nearest(family, FAMILIES) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("a family is one of {}", FAMILIES.join(", ")),
        }));
    }
    if table.len() > NFT_BYTES_MAX || set.len() > NFT_BYTES_MAX {
        let message = format!("a part of the name {} is longer than {NFT_BYTES_MAX} bytes", quoted(name));
        return Err(Wrong::new(message).help("nftables has no longer names: is it misspelt?"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_names_are_the_firewalls_own() {
        let table = "t".repeat(31);
        assert!(in_pf(&table).is_ok());
        assert!(in_pf(&"t".repeat(32)).is_err());
        let anchor = "a".repeat(1023);
        assert!(in_pf(&format!("{anchor}/{table}")).is_ok());
        assert!(in_pf(&format!("{anchor}a/{table}")).is_err());
        assert!(in_pf(&format!("{}/{table}", "a/".repeat(511) + "a")).is_ok());
        assert!(in_pf(&format!("{}/{table}", "a/".repeat(512))).is_err());
        let set = "s".repeat(255);
        assert!(in_nftables(&format!("ip/{set}/{set}")).is_ok());
        assert!(in_nftables(&format!("ip/{set}/{set}s")).is_err());
        assert!(in_nftables(&format!("ip/{set}t/{set}")).is_err());
    }

    #[test]
    fn nftables_names_have_three_parts() {
        for name in ["ip/nat/pool", "ip6/nat/pool", "inet/filter/web", "bridge/a/b", "netdev/a/b", "arp/a/b"]
        {
            assert!(in_nftables(name).is_ok(), "{name}");
        }
        for name in
            ["web", "nat/pool", "ip/nat", "ip/nat/pool/x", "ipv4/nat/pool", "IP/nat/pool", "pool/nat/ip"]
        {
            assert!(in_nftables(name).is_err(), "{name}");
        }
    }
}
