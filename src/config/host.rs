//! Hosts and ports, as in a URL or in `connect`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::diagnose::Wrong;
use super::render::{clipped, quoted};

/// Longest name of a host, in bytes (RFC 1035 section 2.3.4, less its length byte and the root's).
const NAME_BYTES_MAX: usize = 253;

/// Longest label of a name, in bytes (the same).
const LABEL_BYTES_MAX: usize = 63;

/// Which host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, as written.
    Name(Box<str>),
}

/// A host with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// The host as written, IPv6 with its brackets.
    pub(super) written: &'a str,
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// Whether an IPv6 address may stand without brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brackets {
    /// It may not: a URL.
    Needed,
    /// It may, when no port follows: `connect`.
    Optional,
}

/// Reads `HOST[:PORT]`.
pub(super) fn authority(text: &str, brackets: Brackets) -> Result<Authority<'_>, Wrong> {
    if text.contains('@') {
        let help = "take the part up to '@' away; credentials go into http_headers, as in \"Authorization: Basic ...\"";
        return Err(Wrong::new(format!("{} has a user name, and none is taken", quoted(text))).help(help));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else {
            return Err(Wrong::new(format!("{} has '[' without ']'", quoted(text))));
        };
        let written = &text[..inside.len() + 2];
        let address = address_v6(inside)?;
        return Ok(Authority { written, host: Host::Address(address.into()), port: port(after)? });
    }
    if text.matches(':').count() > 1 {
        return without_brackets(text, brackets);
    }
    let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
    if host.is_empty() {
        return Err(Wrong::new("there is no host").help("give a name, an IPv4 address, or [IPv6]"));
    }
    Ok(Authority { written: host, host: self::host(host)?, port: port(after)? })
}

/// A name or an IPv4 address.
fn host(text: &str) -> Result<Host, Wrong> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    name(text)?;
    Ok(Host::Name(text.into()))
}

fn address_v6(inside: &str) -> Result<Ipv6Addr, Wrong> {
    if inside.contains('%') {
        let help = "take '%' and what follows away, and name the device with 'interface'";
        return Err(Wrong::new(format!("{} has an IPv6 zone, and none is taken", quoted(inside))).help(help));
    }
    inside.parse().map_err(|_| {
        let mut wrong = Wrong::new(format!("{} is not an IPv6 address", quoted(inside)));
        if inside.parse::<Ipv4Addr>().is_ok() {
            wrong = wrong.help("brackets are for IPv6: leave them out");
        }
        wrong
    })
}

/// More than one colon, and no bracket at the front.
fn without_brackets(text: &str, brackets: Brackets) -> Result<Authority<'_>, Wrong> {
    let in_brackets = |address: &str, port: &str| match port {
        "" => format!("write [{address}]"),
        port => format!("write [{address}]:{}", clipped(port)),
    };
    match (address_v6(text), brackets) {
        (Ok(address), Brackets::Optional) => {
            Ok(Authority { written: text, host: Host::Address(address.into()), port: None })
        }
        (Ok(_), Brackets::Needed) => {
            let message = format!("the IPv6 address {} needs brackets", quoted(text));
            let mut help = in_brackets(text, "");
            if let Some((front, port)) = text.rsplit_once(':')
                && front.parse::<Ipv6Addr>().is_ok()
                && !port.is_empty()
            {
                help = format!("{help}, or [{front}]:{port} if {port} is the port");
            }
            Err(Wrong::new(message).help(help))
        }
        (Err(zone), Brackets::Needed | Brackets::Optional) if text.contains('%') => Err(zone),
        (Err(_), Brackets::Needed | Brackets::Optional) => {
            let wrong = Wrong::new(format!("{} has more than one ':'", quoted(text)));
            Err(match text.rsplit_once(':') {
                Some((front, port)) if front.parse::<Ipv6Addr>().is_ok() => {
                    wrong.help(in_brackets(front, port))
                }
                Some(_) | None => {
                    wrong.help("give HOST:PORT; an IPv6 address stands in brackets, as in [::1]")
                }
            })
        }
    }
}

/// The port behind a host: nothing, or a colon and 1 to 65535.
fn port(after: &str) -> Result<Option<u16>, Wrong> {
    if after.is_empty() {
        return Ok(None);
    }
    let Some(digits) = after.strip_prefix(':') else {
        return Err(Wrong::new(format!("{} follows the address", quoted(after))).help("write [ADDRESS]:PORT"));
    };
    if digits.is_empty() {
        return Err(Wrong::new("there is no port after ':'").help("give one, or take the ':' away"));
    }
    let is_number = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse().ok().filter(|port| is_number && *port != 0) {
        Some(port) => Ok(Some(port)),
        None => Err(Wrong::new(format!("{} is not a port", quoted(digits))).help("a port is 1 to 65535")),
    }
}

/// Judges the name of a host: letters, digits, `-`, `_` and dots, one at the end included.
pub(super) fn name(text: &str) -> Result<(), Wrong> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    if !text.is_ascii() {
        let help =
            "write it as the DNS has it: letters beyond ASCII are encoded, as in xn--bcher-kva.example";
        return Err(Wrong::new(format!("the host {} has letters that no name has", quoted(text))).help(help));
    }
    if let Some(odd) = bare.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        let message = format!("the host {} has {} in it", quoted(text), quoted(&odd.to_string()));
        return Err(Wrong::new(message).help("a name has letters, digits, '-', '_' and '.' alone"));
    }
    if text.is_empty() {
        return Err(Wrong::new("the name of the host is empty"));
    }
    if bare.len() > NAME_BYTES_MAX {
        return Err(Wrong::new(format!(
            "the host {} is longer than {NAME_BYTES_MAX} characters",
            quoted(text)
        )));
    }
    for label in bare.split('.') {
        if label.is_empty() {
            return Err(Wrong::new(format!("the host {} has nothing between two dots", quoted(text))));
        }
        if label.len() > LABEL_BYTES_MAX {
            let message =
                format!("{} in the host is longer than {LABEL_BYTES_MAX} characters", quoted(label));
            return Err(Wrong::new(message));
        }
    }
    if is_number_like(bare.rsplit('.').next().unwrap_or("")) {
        let message = format!("{} is not an IPv4 address", quoted(text));
        return Err(
            Wrong::new(message).help("an address is four numbers from 0 to 255, without leading zeros")
        );
    }
    Ok(())
}

/// Whether the last label makes a name look like an IPv4 address; no top-level domain is a number.
fn is_number_like(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let all = |digits: &str, is: fn(&u8) -> bool| digits.bytes().all(|byte| is(&byte));
    all(label, u8::is_ascii_digit) || hex.is_some_and(|hex| all(hex, u8::is_ascii_hexdigit))
}
