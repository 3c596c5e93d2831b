//! How a probe connects, and how TLS is spoken.

use std::net::IpAddr;
use std::time::Duration;

use super::super::diagnose::Wrong;
use super::super::host::{self, Authority, Brackets, Host};
use super::super::properties::Setting;
use super::super::render::quoted;
use super::super::url::Place;
use super::chosen::Chosen;
use crate::rule::{Close, Family, Network, Peer, ProxyVersion, Tls, TlsVersion};

/// Longest name of a network device, in bytes (Linux, IFNAMSIZ less its NUL).
const INTERFACE_BYTES_MAX: usize = 15;

/// Largest number of a routing table that FreeBSD can have (`net.fibs`, sys/net/route.h: RT_MAXFIBS).
const FIB_MAX: u32 = 65_535;

/// Where to connect to: `connect`, or the URL's own place.
pub(super) fn peer(chosen: &Chosen<'_>, place: &Place) -> Option<Peer> {
    let connect = match (place, chosen.text(Setting::Connect)) {
        (Place::Remote(_, port), Some(text)) => {
            let (host, own) = connect(text).ok()?;
            Some(Place::Remote(host, own.unwrap_or(*port)))
        }
        (Place::Remote(..), None) | (Place::Local(_), _) => None,
    };
    Some(peer_of(connect.as_ref().unwrap_or(place)))
}

/// The peer at a place.
pub(in crate::config) fn peer_of(place: &Place) -> Peer {
    match place {
        Place::Remote(Host::Address(address), port) => Peer::Address(*address, *port),
        Place::Remote(Host::Name(name), port) => Peer::Name(name.clone(), *port),
        Place::Local(path) => Peer::Local(path.clone()),
    }
}

pub(super) fn network(chosen: &Chosen<'_>) -> Option<Network> {
    let default = Network::default();
    Some(Network {
        family: match chosen.word(Setting::Family) {
            Some("4") => Family::V4,
            Some("6") => Family::V6,
            Some(_) | None => Family::Any,
        },
        resolve: chosen.interval(Setting::Resolve).unwrap_or(default.resolve),
        source: chosen.text(Setting::Source).map(source).transpose().ok()?,
        interface: chosen.text(Setting::Interface).map(Box::from),
        fib: chosen.text(Setting::Fib).map(fib).transpose().ok()?,
        mark: chosen.text(Setting::Mark).map(mark).transpose().ok()?,
        proxy_protocol: proxy_protocol(chosen),
        close: match chosen.word(Setting::Close) {
            Some("fin") => Close::Fin,
            Some(_) | None => Close::Reset,
        },
    })
}

pub(super) fn proxy_protocol(chosen: &Chosen<'_>) -> Option<ProxyVersion> {
    match chosen.word(Setting::ProxyProtocol) {
        Some("v1") => Some(ProxyVersion::V1),
        Some("v2") => Some(ProxyVersion::V2),
        Some(_) | None => None,
    }
}

/// How TLS is spoken with this host.
pub(super) fn tls(chosen: &Chosen<'_>, host: &Host) -> Option<Tls> {
    let name = match (chosen.text(Setting::TlsName), host) {
        (Some(name), _) => tls_name(name).ok()?,
        (None, Host::Address(address)) => address.to_string().into(),
        (None, Host::Name(name)) => name.strip_suffix('.').unwrap_or(name).into(),
    };
    let file = |setting| chosen.text(setting).map(Box::from);
    Some(Tls {
        verify: chosen.boolean(Setting::TlsVerify).unwrap_or(true),
        name,
        ca: file(Setting::TlsCa),
        alpn: chosen.strings(Setting::TlsAlpn),
        min: chosen.text(Setting::TlsMin).map_or(Ok(TlsVersion::V12), tls_min).ok()?,
        client: file(Setting::TlsCert).zip(file(Setting::TlsKey)),
        expiry: chosen.interval(Setting::TlsExpiry).unwrap_or(Duration::ZERO),
        resume: chosen.boolean(Setting::TlsResume).unwrap_or_default(),
        contents: 0,
    })
}

pub(super) fn connect(text: &str) -> Result<(Host, Option<u16>), Wrong> {
    if text.contains("://") || text.contains('/') {
        let message = format!("{} is not an address", quoted(text));
        return Err(Wrong::new(message).help("give ADDRESS or ADDRESS:PORT alone; the rest is the URL's"));
    }
    let Authority { host, port, .. } = host::authority(text, Brackets::Optional)?;
    Ok((host, port))
}

pub(super) fn source(text: &str) -> Result<IpAddr, Wrong> {
    text.parse().map_err(|_| {
        let help = match text {
            _ if text.contains('%') => "an IPv6 zone is not taken: name the device with 'interface'",
            _ if text.starts_with('[') => "leave the brackets out",
            _ => "give one of this machine's addresses, without a port",
        };
        Wrong::new(format!("{} is not an address", quoted(text))).help(help)
    })
}

pub(super) fn interface(text: &str) -> Result<(), Wrong> {
    only_on("interface", cfg!(target_os = "linux"), "Linux")?;
    // dev_valid_name() in net/core/dev.c.
    let odd = text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control());
    if odd || text.len() > INTERFACE_BYTES_MAX || matches!(text, "." | "..") {
        let message = format!("{} is not the name of a network device", quoted(text));
        let help = format!("a name has at most {INTERFACE_BYTES_MAX} bytes, and no '/', ':' or blank");
        return Err(Wrong::new(message).help(help));
    }
    Ok(())
}

pub(super) fn fib(text: &str) -> Result<u32, Wrong> {
    only_on("fib", cfg!(target_os = "freebsd"), "FreeBSD")?;
    fib_number(text)
}

fn fib_number(text: &str) -> Result<u32, Wrong> {
    let fib = number(text).filter(|fib| *fib <= FIB_MAX);
    fib.ok_or_else(|| {
        Wrong::new(format!("{} is not a routing table", quoted(text)))
            .help(format!("it is a number from 0 to {FIB_MAX}, below the sysctl net.fibs"))
    })
}

pub(super) fn mark(text: &str) -> Result<u32, Wrong> {
    only_on("mark", cfg!(target_os = "linux"), "Linux")?;
    mark_number(text)
}

fn mark_number(text: &str) -> Result<u32, Wrong> {
    number(text).ok_or_else(|| {
        Wrong::new(format!("{} is not a packet mark", quoted(text)))
            .help("it is a number of 32 bits, as in 16 or 0x10")
    })
}

/// Decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| is_digits)
}

fn only_on(name: &str, here: bool, system: &str) -> Result<(), Wrong> {
    if here {
        return Ok(());
    }
    Err(Wrong::new(format!("'{name}' is there only on {system}")).help("take it away on this system"))
}

/// A host name, without a dot at its end, or an address.
pub(super) fn tls_name(text: &str) -> Result<Box<str>, Wrong> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string().into());
    }
    if text.contains(':') {
        let message = format!("{} is neither a host name nor an address", quoted(text));
        return Err(Wrong::new(message).help("give the name alone, without a scheme, a port or brackets"));
    }
    host::name(text)?;
    Ok(bare.into())
}

pub(super) fn tls_min(text: &str) -> Result<TlsVersion, Wrong> {
    match text {
        "1.2" => Ok(TlsVersion::V12),
        "1.3" => Ok(TlsVersion::V13),
        "1.0" | "1.1" => {
            let message = format!("TLS {text} is not spoken: it has been withdrawn (RFC 8996)");
            Err(Wrong::new(message).help("it is 1.2 or 1.3"))
        }
        _ => Err(Wrong::new(format!("{} is not a version of TLS", quoted(text))).help("it is 1.2 or 1.3")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_routing_tables_are_numbers_in_their_bounds() {
        for (text, mark) in [
            ("0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("0xffffffff", Some(u32::MAX)),
            ("0X1f", Some(31)),
            ("4294967296", None),
            ("-1", None),
            ("+1", None),
            ("0x", None),
            ("0x+1", None),
            ("1k", None),
            ("", None),
            ("ff", None),
        ] {
            assert_eq!(mark_number(text).ok(), mark, "{text}");
        }
        assert_eq!(fib_number("65535").ok(), Some(65_535));
        assert!(fib_number("65536").is_err());
    }

    #[test]
    fn settings_of_another_system_are_refused_by_its_name() {
        let linux = cfg!(target_os = "linux");
        assert_eq!(interface("eth0").is_ok(), linux);
        assert_eq!(mark("1").is_ok(), linux);
        assert_eq!(fib("1").is_ok(), cfg!(target_os = "freebsd"));
        let wrong = if linux { fib("1").err() } else { mark("1").err() };
        let wrong = wrong.expect("it is not there");
        assert!(
            wrong.message.ends_with(if linux { "only on FreeBSD" } else { "only on Linux" }),
            "{wrong:?}"
        );
    }
}
