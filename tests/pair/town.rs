//! Both gateways with everything around them.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::process::{Command, Stdio};

use super::gateway::Gateway;
use super::lab::clients::Clients;
use super::lab::clock::patiently;
use super::lab::directory::Directory;
use super::lab::firewall::{self, MAPS, SLOTS};
use super::lab::held::{self, Held};
use super::lab::hfm::Pace;
use super::lab::host::{Host, Process, haproxy, make_certificate};
use super::lab::namespace::Namespace;
use super::lab::places::{HOSTS, VIP4, VIP6, client_addresses, host_addresses, name};
use super::network::{GATEWAYS, Network, Side, gateway_name};
use super::owners::Owners;

/// A host's file: that of config/gateway-linux, for a pair too.
const HAPROXY: &str = include_str!("../../config/gateway-linux/haproxy.cfg");
const UPSTREAM: &str = include_str!("upstream.cfg");

/// Who knows of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    /// The gateway that they go through.
    OfOne,
    /// Both: conntrackd tells the other one.
    OfBoth,
}

/// Everything; gone without a trace when this goes. What is first goes first.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) clients: Clients,
    pub(crate) owners: Owners,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) hosts: Vec<Host>,
    _router: Process,
    pub(crate) network: Network,
    _directory: Directory,
    pub(crate) connections: Connections,
    addresses: Vec<IpAddr>,
    /// Who serves each client while all hosts are there.
    pub(crate) homes: Vec<usize>,
}

impl Town {
    /// Where it can be built; the reason why not elsewhere.
    ///
    /// # Errors
    /// When something that it takes is not there.
    pub(crate) fn possible(connections: Connections) -> Result<(), String> {
        if !nix::unistd::getuid().is_root() {
            return Err("only root can make network namespaces".to_owned());
        }
        let all = [("ip", "-V"), ("nft", "-v"), ("haproxy", "-v"), ("conntrack", "-V"), ("keepalived", "-v")];
        let conntrackd = (connections == Connections::OfBoth).then_some(("conntrackd", "-v"));
        for (program, argument) in all.into_iter().chain(conntrackd) {
            let found =
                Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
            found.map_err(|error| format!("no {program}: {error}"))?;
        }
        let namespace = Namespace::new().map_err(|error| format!("no network namespaces: {error}"))?;
        firewall::is_there(&namespace)
    }

    /// Builds everything, and waits until the first gateway serves everybody.
    pub(crate) fn new(pace: Pace, connections: Connections) -> Self {
        let network = Network::new().expect("network namespaces");
        let directory = Directory::new("pair");
        let at = directory.path();
        make_certificate(at);
        fs::write(at.join("upstream.cfg"), UPSTREAM).expect("a file for the router");
        let router = haproxy("router", &network.clients, &at.join("upstream.cfg"), &at.join("upstream.log"));
        let start = |host: usize| Host::start(&name(host), &network.hosts[host], at, HAPROXY);
        let hosts: Vec<Host> = (0..HOSTS).map(start).collect();
        hosts.iter().for_each(Host::wait_until_ready);
        let owners = Owners::watch(&network.gateways);
        let start = |gateway: usize| {
            Gateway::start(gateway, &network, pace, directory.within(&gateway_name(gateway)), at)
        };
        let mut gateways: Vec<Gateway> = (0..GATEWAYS).map(start).collect();
        if connections == Connections::OfBoth {
            for (gateway, namespace) in gateways.iter_mut().zip(&network.gateways) {
                gateway.start_conntrackd(namespace);
            }
        }
        let logs = || gateways.iter().map(Gateway::log).collect::<Vec<_>>().join("\n");
        let all_in = patiently(|| network.gateways.iter().all(serves_with_all));
        assert!(all_in, "not every host has a part of the slots\n{}", logs());
        assert!(owners.wait_for(0).is_some(), "the first gateway does not get the addresses\n{}", logs());
        let addresses = client_addresses();
        let clients = Clients::start(&network.clients, &addresses);
        let homes = clients.homes();
        let homes = homes.unwrap_or_else(|found| {
            panic!("not every client is served by one host all the time: {found:?}\n{}", logs())
        });
        Self {
            clients,
            owners,
            gateways,
            hosts,
            _router: router,
            network,
            _directory: directory,
            connections,
            addresses,
            homes,
        }
    }

    /// Waits until every client has been served for a while without trouble, by a host that it may be served by.
    pub(crate) fn wait_until_well(&self, may_serve: impl Fn(usize, usize) -> bool) -> bool {
        patiently(|| self.clients.are_well(&may_serve))
    }

    /// Opens a connection for each client.
    pub(crate) fn hold(&self) -> Vec<Held> {
        held::open(&self.network.clients, &self.addresses)
    }

    pub(crate) fn start_haproxy(&mut self, host: usize) {
        self.hosts[host].start_haproxy(&self.network.hosts[host]);
    }

    /// Has hfmctl on a gateway do something that has to succeed.
    pub(crate) fn tell(&self, gateway: usize, arguments: &[&str]) {
        self.gateways[gateway].hfm.done(arguments);
    }

    pub(crate) fn start_hfm(&mut self, gateway: usize) {
        self.gateways[gateway].hfm.start_again(&self.network.gateways[gateway]);
    }

    pub(crate) fn start_keepalived(&mut self, gateway: usize) {
        self.gateways[gateway].keepalived.start_again(&self.network.gateways[gateway]);
    }

    /// Ends everything on a gateway in good order.
    pub(crate) fn shut_down(&mut self, gateway: usize) {
        self.gateways[gateway].keepalived.end();
        self.gateways[gateway].hfm.end();
        self.cut_off(gateway);
    }

    /// Starts everything on a gateway that has been shut down.
    pub(crate) fn boot(&mut self, gateway: usize) {
        self.reconnect(gateway);
        self.gateways[gateway].boot(&self.network.gateways[gateway]);
    }

    /// Pulls the wires of a gateway.
    pub(crate) fn cut_off(&self, gateway: usize) {
        [Side::Wan, Side::Lan].into_iter().for_each(|side| self.network.plug_in(gateway, side, false));
    }

    /// Puts the wires of a gateway in again.
    fn reconnect(&self, gateway: usize) {
        [Side::Wan, Side::Lan].into_iter().for_each(|side| self.network.plug_in(gateway, side, true));
    }

    /// Has a gateway that has died not have the shared addresses any more, as after a reboot.
    pub(crate) fn forget_addresses(&self, gateway: usize) {
        self.network.gateways[gateway].ip(&format!(
            "addr del {VIP4}/24 dev eth0\n\
             addr del {VIP6}/64 dev eth0\n\
             addr del 192.0.2.1/24 dev eth1\n\
             addr del 2001:db8:2::1/64 dev eth1\n\
             addr del fe80::1/64 dev eth1\n"
        ));
    }

    /// What the gateways have to say.
    pub(crate) fn log(&self) -> String {
        let of = |(gateway, its): (usize, &Gateway)| format!("{}:\n{}", gateway_name(gateway), its.log());
        self.gateways.iter().enumerate().map(of).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a gateway leads clients to all hosts.
fn serves_with_all(gateway: &Namespace) -> bool {
    let leads_to_all = |family: usize| {
        let slots = firewall::map(gateway, MAPS[family]);
        let hosts: BTreeSet<IpAddr> = (0..HOSTS).map(|host| host_addresses(host)[family]).collect();
        slots.len() == SLOTS as usize && slots.into_values().collect::<BTreeSet<_>>() == hosts
    };
    (0..MAPS.len()).all(leads_to_all)
}
