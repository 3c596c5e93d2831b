//! Which rights which thread needs, for what a configuration says.

use crate::rule::{Configuration, DataPlaneChoice, Network, Rule, Test};
use crate::sys::privilege::Rights;

/// What the threads need that have to do with the network. All others, and children, need none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The reactor, for its sockets.
    pub reactor: Rights,
    /// The writer, for its data plane.
    pub writer: Rights,
}

impl Needs {
    /// Those of a configuration.
    pub fn of(configuration: &Configuration) -> Self {
        Self {
            reactor: Self::of_rules(&configuration.rules),
            writer: match configuration.firewall.dataplane.here() {
                // Nothing, or a device's own permissions.
                DataPlaneChoice::Auto
                | DataPlaneChoice::Pf
                | DataPlaneChoice::Pfctl
                | DataPlaneChoice::Memory => Rights::NONE,
                // Netlink asks of who opened the socket, and of who sends each request.
                DataPlaneChoice::Nftables => Rights { net_admin: true, net_raw: false },
            },
        }
    }

    /// What these rules need of the reactor.
    pub fn of_rules<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Rights {
        rules.into_iter().map(of_rule).fold(Rights::NONE, Rights::and)
    }

    /// What must outlive the change of the user, for one of them to have it.
    pub fn of_any(self) -> Rights {
        self.reactor.and(self.writer)
    }
}

fn of_rule(rule: &Rule) -> Rights {
    match &rule.test {
        Test::Command { .. } => Rights::NONE,
        Test::Probe(probe) => of_network(&probe.network),
    }
}

/// socket(7): SO_MARK needs CAP_NET_ADMIN (since Linux 5.17 CAP_NET_RAW does too), SO_BINDTODEVICE needs CAP_NET_RAW
/// (before Linux 5.7).
fn of_network(network: &Network) -> Rights {
    Rights { net_admin: network.mark.is_some(), net_raw: network.interface.is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_used_is_needed() {
        let none = Network::default();
        assert_eq!(of_network(&none), Rights::NONE);
        let mark = of_network(&Network { mark: Some(0), ..Network::default() });
        assert_eq!(mark, Rights { net_admin: true, net_raw: false });
        let interface = of_network(&Network { interface: Some("eth0".into()), ..Network::default() });
        assert_eq!(interface, Rights { net_admin: false, net_raw: true });
        let needs = Needs { reactor: mark, writer: interface };
        assert_eq!(needs.of_any(), Rights { net_admin: true, net_raw: true });
    }
}
