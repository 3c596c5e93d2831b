//! The wires between those of config/pair-linux.
//!
//! ```text
//!                          eth0 gw1 eth1
//! clients, router --- wan {             } lan --- lb1, lb2, lb3
//!                          eth0 gw2 eth1
//! ```
//!
//! Both networks are switches in a namespace of their own, so a wire can be cut without either end being told.

use std::fmt::Write as _;
use std::io;

use super::lab::namespace::Namespace;
use super::lab::places::{HOSTS, client_addresses, host_addresses, name};

/// How many gateways there are.
pub(crate) const GATEWAYS: usize = 2;

/// What a gateway's kernel is told.
const SYSCTL: &str = include_str!("../../config/pair-linux/sysctl.conf");

/// One end of a gateway's wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Towards clients.
    Wan,
    /// Towards hosts and the other gateway.
    Lan,
}

impl Side {
    /// The switch that it leads to.
    fn switch(self) -> &'static str {
        match self {
            Self::Wan => "wan",
            Self::Lan => "lan",
        }
    }
}

/// All namespaces, wired.
#[derive(Debug)]
pub(crate) struct Network {
    /// Clients, and the router that they are behind.
    pub(crate) clients: Namespace,
    pub(crate) gateways: [Namespace; GATEWAYS],
    pub(crate) hosts: [Namespace; HOSTS],
    switches: Namespace,
}

impl Network {
    /// A network with everything in it but services, and but the addresses that gateways share.
    ///
    /// # Errors
    /// Where no namespaces can be made.
    pub(crate) fn new() -> io::Result<Self> {
        let hosts = [Namespace::new()?, Namespace::new()?, Namespace::new()?];
        let gateways = [Namespace::new()?, Namespace::new()?];
        let network = Self { clients: Namespace::new()?, gateways, hosts, switches: Namespace::new()? };
        network.switches.ip("link add wan type bridge mcast_snooping 0\n\
             link add lan type bridge mcast_snooping 0\n\
             link set wan up\n\
             link set lan up\n");
        network.wire_clients();
        (0..GATEWAYS).for_each(|gateway| network.wire_gateway(gateway));
        (0..HOSTS).for_each(|host| network.wire_host(host));
        Ok(network)
    }

    /// Sets what sysctl.conf says on a gateway, once rules that need the modules are loaded.
    pub(crate) fn set_kernel(&self, gateway: usize) {
        for line in SYSCTL.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (what, value) = line.split_once(" = ").expect("a setting");
            self.gateways[gateway].set(&what.replace('.', "/"), value);
        }
    }

    fn wire_clients(&self) {
        self.plug(&self.clients, "eth0", "clients", Side::Wan);
        let mut lines = String::from(
            "link set eth0 up\n\
             addr add 198.51.100.1/24 dev eth0\n\
             addr add 2001:db8:100::1/64 dev eth0\n",
        );
        for address in client_addresses() {
            let length = if address.is_ipv4() { 32 } else { 128 };
            let _ = writeln!(lines, "addr add {address}/{length} dev lo");
        }
        self.clients.ip(&lines);
    }

    fn wire_gateway(&self, gateway: usize) {
        let namespace = &self.gateways[gateway];
        self.plug(namespace, "eth0", &port(gateway, Side::Wan), Side::Wan);
        self.plug(namespace, "eth1", &port(gateway, Side::Lan), Side::Lan);
        let last = gateway + 2;
        namespace.ip(&format!(
            "link set eth0 up\n\
             link set eth1 up\n\
             addr add 198.51.100.{last}/24 dev eth0\n\
             addr add 2001:db8:100::{last}/64 dev eth0\n\
             addr add 192.0.2.{last}/24 dev eth1\n\
             addr add 2001:db8:2::{last}/64 dev eth1\n\
             route add default via 198.51.100.1\n\
             route add default via 2001:db8:100::1\n"
        ));
    }

    fn wire_host(&self, host: usize) {
        let namespace = &self.hosts[host];
        self.plug(namespace, "eth0", &name(host), Side::Lan);
        let [v4, v6] = host_addresses(host);
        namespace.ip(&format!(
            "link set eth0 up\n\
             addr add {v4}/24 dev eth0\n\
             addr add {v6}/64 dev eth0\n\
             route add default via 192.0.2.1\n\
             route add default via 2001:db8:2::1\n"
        ));
    }

    /// Leads a wire from an interface of somebody to a port of a switch.
    fn plug(&self, whose: &Namespace, interface: &str, port: &str, side: Side) {
        self.switches.ip(&format!(
            "link add {port} type veth peer name {interface} netns {}\nlink set {port} master {} up\n",
            whose.path(),
            side.switch()
        ));
    }

    /// Cuts a gateway off a switch, or mends that; the gateway sees nothing of it but that nobody answers.
    pub(crate) fn join(&self, gateway: usize, side: Side, is_whole: bool) {
        let to = if is_whole { format!("master {}", side.switch()) } else { "nomaster".to_owned() };
        self.switches.ip(&format!("link set {} {to}", port(gateway, side)));
    }

    /// Pulls a gateway's plug out of a switch, or puts it in: the gateway's interface is down.
    pub(crate) fn plug_in(&self, gateway: usize, side: Side, is_in: bool) {
        let to = if is_in { "up" } else { "down" };
        self.switches.ip(&format!("link set {} {to}", port(gateway, side)));
    }
}

/// What a gateway is called.
pub(crate) fn gateway_name(gateway: usize) -> String {
    format!("gw{}", gateway + 1)
}

/// A gateway's port in a switch.
fn port(gateway: usize, side: Side) -> String {
    format!("{}-{}", gateway_name(gateway), side.switch())
}
