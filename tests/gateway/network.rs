//! The wires between those of config/gateway-linux.
//!
//! ```text
//! clients --- eth0 gateway eth1 (a bridge) --- lb1, lb2, lb3
//! ```

use std::fmt::Write as _;
use std::io;

use super::lab::namespace::Namespace;
use super::lab::places::{HOSTS, VIP4, VIP6, client_addresses, host_addresses, name};

/// All namespaces, wired.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) clients: Namespace,
    pub(crate) gateway: Namespace,
    pub(crate) hosts: [Namespace; HOSTS],
}

impl Network {
    /// A network with everything in it but services.
    ///
    /// # Errors
    /// Where no namespaces can be made.
    pub(crate) fn new() -> io::Result<Self> {
        let hosts = [Namespace::new()?, Namespace::new()?, Namespace::new()?];
        let network = Self { clients: Namespace::new()?, gateway: Namespace::new()?, hosts };
        network.gateway.set("net/ipv4/ip_forward", "1");
        network.gateway.set("net/ipv6/conf/all/forwarding", "1");
        network.wire_clients();
        network.wire_hosts();
        Ok(network)
    }

    fn wire_clients(&self) {
        let clients = self.clients.path();
        self.gateway.ip(&format!(
            "link add eth0 type veth peer name eth0 netns {clients}\n\
             link set eth0 up\n\
             addr add 203.0.113.1/24 dev eth0\n\
             addr add 2001:db8:3::1/64 dev eth0\n\
             addr add {VIP4}/32 dev eth0\n\
             addr add {VIP6}/128 dev eth0\n"
        ));
        let mut lines = String::from("link set eth0 up\n");
        for address in client_addresses() {
            let length = if address.is_ipv4() { 24 } else { 64 };
            let _ = writeln!(lines, "addr add {address}/{length} dev eth0");
        }
        lines.push_str("route add default via 203.0.113.1\nroute add default via 2001:db8:3::1\n");
        self.clients.ip(&lines);
    }

    fn wire_hosts(&self) {
        self.gateway.ip("link add eth1 type bridge mcast_snooping 0\n\
             link set eth1 up\n\
             addr add 192.0.2.1/24 dev eth1\n\
             addr add 2001:db8:2::1/64 dev eth1\n");
        for (host, namespace) in self.hosts.iter().enumerate() {
            let (wire, there) = (name(host), namespace.path());
            self.gateway.ip(&format!(
                "link add {wire} type veth peer name eth0 netns {there}\nlink set {wire} master eth1 up\n"
            ));
            let [v4, v6] = host_addresses(host);
            namespace.ip(&format!(
                "link set eth0 up\n\
                 addr add {v4}/24 dev eth0\n\
                 addr add {v6}/64 dev eth0\n\
                 route add default via 192.0.2.1\n\
                 route add default via 2001:db8:2::1\n"
            ));
        }
    }

    /// Cuts the wire of a host, or mends it.
    pub(crate) fn wire(&self, host: usize, is_whole: bool) {
        let to = if is_whole { "up" } else { "down" };
        self.gateway.ip(&format!("link set {} {to}", name(host)));
    }
}
