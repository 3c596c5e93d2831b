//! A gateway's nftables, as an operator or another program would read and change it: by nft(8).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::Command;

use serde_json::Value;

use super::namespace::Namespace;

/// How many slots the maps of the files have.
pub(crate) const SLOTS: u32 = 256;

/// The maps and sets of the files, by family.
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
