//! The gateway's nftables, as an operator or another program would read and change it: by nft(8).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::Command;

use serde_json::Value;

use super::namespace::Namespace;
use super::network::host_addresses;

/// The file that is tried out here, as it is.
pub(crate) const RULESET: &str = include_str!("../../config/gateway-linux/nftables.conf");

/// How many slots its maps have.
pub(crate) const SLOTS: u32 = 256;

/// Its maps and sets, by family.
pub(crate) const MAPS: [&str; 2] = ["pool4", "pool6"];
pub(crate) const SETS: [&str; 2] = ["live4", "live6"];

/// Whether this kernel has nftables; what else it lacks is a failure when the ruleset is loaded.
///
/// # Errors
/// Why not.
pub(crate) fn is_there(namespace: &Namespace) -> Result<(), String> {
    let listed = namespace.run(|| Command::new("nft").args(["list", "tables"]).output());
    let listed = listed.map_err(|error| format!("no nft: {error}"))?;
    let why = || format!("no nftables here: {}", String::from_utf8_lossy(&listed.stderr).trim());
    if listed.status.success() { Ok(()) } else { Err(why()) }
}

/// Runs nft(8) on this text; all of it is done, or nothing.
pub(crate) fn nft(gateway: &Namespace, text: &str) {
    gateway.feed(Command::new("nft").args(["-f", "-"]), text);
}

/// What a map leads to, by its keys.
pub(crate) fn map(gateway: &Namespace, name: &str) -> BTreeMap<u32, IpAddr> {
    let elements = elements(gateway, "map", name);
    let pair = |element: &Value| {
        let key = element[0].as_u64().and_then(|key| u32::try_from(key).ok()).expect("a number");
        (key, address(&element[1]))
    };
    elements.iter().map(pair).collect()
}

/// What is in a set.
pub(crate) fn set(gateway: &Namespace, name: &str) -> BTreeSet<IpAddr> {
    elements(gateway, "set", name).iter().map(address).collect()
}

fn elements(gateway: &Namespace, kind: &str, name: &str) -> Vec<Value> {
    let text = gateway.feed(Command::new("nft").args(["-j", "list", kind, "inet", "gateway", name]), "");
    let said: Value = serde_json::from_str(&text).expect("JSON");
    let found = said["nftables"].as_array().and_then(|items| items.iter().find_map(|item| item.get(kind)));
    let found = found.unwrap_or_else(|| panic!("no {kind} {name} in {text}"));
    found["elem"].as_array().cloned().unwrap_or_default()
}

fn address(value: &Value) -> IpAddr {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("an address: {value}"))
}

/// Fills all slots over these hosts in turn, and the sets beside them: what hfm does better.
pub(crate) fn fill_by_hand(gateway: &Namespace, hosts: &[usize]) {
    let mut text = String::new();
    for family in 0..MAPS.len() {
        let address = |at: usize| host_addresses(hosts[at % hosts.len()])[family];
        let slots: Vec<String> =
            (0..SLOTS).map(|slot| format!("{slot} : {}", address(slot as usize))).collect();
        let hosts: Vec<String> = (0..hosts.len()).map(|at| address(at).to_string()).collect();
        text.push_str(&format!(
            "add element inet gateway {} {{ {} }}\nadd element inet gateway {} {{ {} }}\n",
            MAPS[family],
            slots.join(", "),
            SETS[family],
            hosts.join(", ")
        ));
    }
    nft(gateway, &text);
}
