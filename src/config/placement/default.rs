//! The address that a rule has when `addresses` is not given: what its probe connects to.

use std::net::{IpAddr, Ipv4Addr};

use super::super::diagnose::Wrong;
use super::super::host::Host;
use super::super::native::peer_of;
use super::super::render::quoted;
use super::super::target::{Target, classify};
use super::super::url::{self, Place};
use crate::rule::{Peer, Prefix, Test};

/// Why a rule has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum NoDefault {
    /// It runs a program.
    Program,
    /// It connects to a local socket.
    Local,
    /// The host of its URL is this name.
    HostName(Box<str>),
    /// `connect` is this name.
    ConnectName(Box<str>),
    /// `connect` is the first, and the URL's host the second.
    Different(IpAddr, IpAddr),
    /// It connects to this address, written as IPv6.
    Mapped(Ipv4Addr),
}

/// The address that a rule with this test has when none is given.
pub fn own_address(test: &Test) -> Option<Prefix> {
    default_address(test).ok()
}

/// `connect`, else the URL's host, where that is an address.
pub(in crate::config) fn default_address(test: &Test) -> Result<Prefix, NoDefault> {
    let Test::Probe(probe) = test else {
        return Err(NoDefault::Program);
    };
    // It is a URL, or there would be no probe.
    let place = match classify(&probe.url) {
        Target::Probe(protocol, rest) => url::parse(&protocol.scheme, rest).ok().map(|url| url.place),
        Target::Program | Target::NotYet(_) | Target::Unknown { .. } => None,
    };
    let address = match &probe.peer {
        Peer::Local(_) => return Err(NoDefault::Local),
        Peer::Name(name, _) if place.as_ref().is_some_and(|place| peer_of(place) == probe.peer) => {
            return Err(NoDefault::HostName(name.clone()));
        }
        Peer::Name(name, _) => return Err(NoDefault::ConnectName(name.clone())),
        Peer::Address(address, _) => *address,
    };
    if let Some(Place::Remote(Host::Address(host), _)) = place
        && host != address
    {
        return Err(NoDefault::Different(address, host));
    }
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Err(NoDefault::Mapped(v4)),
            None => Ok(Prefix::host(address)),
        },
        IpAddr::V4(_) => Ok(Prefix::host(address)),
    }
}

impl NoDefault {
    /// What is wrong with a rule that needs one.
    pub(super) fn wrong(&self) -> Wrong {
        let why = match self {
            Self::Program => "and a program has none by itself".to_owned(),
            Self::Local => "and a local socket has none".to_owned(),
            Self::HostName(name) => format!("and the URL's host {} is a name", quoted(name)),
            Self::ConnectName(name) => format!("and the host {} in 'connect' is a name", quoted(name)),
            Self::Different(connect, host) => {
                format!("and it could be 'connect' {connect} or the URL's host {host}")
            }
            Self::Mapped(v4) => format!("and ::ffff:{v4} is an IPv4 address written as IPv6"),
        };
        let help = match self {
            Self::Different(connect, _) => format!("give 'addresses', either of the two, as in addresses = \"{connect}\""),
            Self::Mapped(v4) => format!("give 'addresses': addresses = \"{v4}\""),
            Self::Program | Self::Local | Self::HostName(_) | Self::ConnectName(_) => {
                "give 'addresses', as in addresses = \"192.0.2.1\"; tables = [] keeps the rule out of inherited tables"
                    .to_owned()
            }
        };
        Wrong::new(format!("'tables' needs an address, {why}")).help(help)
    }
}
