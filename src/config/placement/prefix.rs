//! One address or network of a table, and what to say of what is none.

use std::net::IpAddr;

use super::super::diagnose::Wrong;
use super::super::render::{clipped, quoted};
use crate::rule::{Prefix, PrefixError};

/// Reads an address or a network.
pub(in crate::config) fn prefix(text: &str) -> Result<Prefix, Wrong> {
    text.parse().map_err(|error| match error {
        PrefixError::Address => not_an_address(text),
        PrefixError::Scoped => Wrong::new(format!("{} has an IPv6 zone, and tables hold none", quoted(text)))
            .help("give an address that is the same on every interface, without '%' and what follows"),
        PrefixError::Mapped(v4) => Wrong::new(format!("{} is an IPv4 address written as IPv6", quoted(text)))
            .help(format!("give the IPv4 address: {v4}")),
        PrefixError::Length(max) => {
            let message = format!("what follows '/' in {} is no number from 0 to {max}", quoted(text));
            Wrong::new(message).help("write how many bits the addresses of the network share, as in /24")
        }
        PrefixError::HostBits(network) => {
            let address = text.split_once('/').map_or(text, |(address, _)| address);
            let message = format!("{} has bits set behind its prefix", quoted(text));
            Wrong::new(message).help(format!(
                "give {network} for the network, or {} for the address alone",
                clipped(address)
            ))
        }
    })
}

/// Neither an address nor a network: says what it looks like.
fn not_an_address(text: &str) -> Wrong {
    let wrong = Wrong::new(match text {
        "" => "an address is empty".to_owned(),
        _ => format!("{} is not an address", quoted(text)),
    });
    let is_address = |text: &str| text.parse::<Prefix>().is_ok();
    wrong.help(if text.is_empty() {
        "give one; addresses = [] clears inherited ones".to_owned()
    } else if text.starts_with('!') {
        "negated entries are not managed: name what shall be in the table".to_owned()
    } else if is_address(text.trim()) {
        format!("take the blanks around it away: {}", clipped(text.trim()))
    } else if text.contains([',', ' ', '\t']) && text.split([',', ' ', '\t']).any(is_address) {
        "give each address as a string of its own: [ \"ADDRESS\", \"ADDRESS\" ]".to_owned()
    } else if text.starts_with('[') && text.ends_with(']') {
        "leave the brackets out".to_owned()
    } else if text.contains("://") || has_port(text) {
        "give the address alone, without a scheme, a port or a path".to_owned()
    } else if text.contains(':') {
        "an IPv6 address is up to eight groups of up to four hexadecimal digits, as in 2001:db8::1".to_owned()
    } else if text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "./-".contains(c))
    {
        "an address is four numbers from 0 to 255, without leading zeros; a network is as in 10.0.0.0/24"
            .to_owned()
    } else {
        "tables hold addresses: a name is resolved by nobody here, give the address".to_owned()
    })
}

/// Whether it is an address with a port behind it.
fn has_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host.parse::<IpAddr>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}
