//! What happens to pairs of gateways.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::gateway::RULESET;
use super::lab::clock::{patiently, pause};
use super::lab::firewall;
use super::lab::places::{HOSTS, name};
use super::network::{GATEWAYS, Side};
use super::town::Town;

/// Something that happens, how it ends, and what may come of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What comes before it, and is not judged.
    pub(crate) before: fn(&mut Town),
    pub(crate) away: fn(&mut Town),
    /// Who has the addresses then.
    pub(crate) leads_to: Owned,
    pub(crate) failures: Failures,
    pub(crate) hosts: Hosts,
    pub(crate) back: fn(&mut Town),
}

/// Who has the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    /// Whoever had them: not for a moment did anybody get or lose one.
    AsBefore,
    ByTheFirst,
    ByTheSecond,
    /// The first does not hear that the second has them.
    ByBoth,
}

/// Which requests may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    None,
    /// Those that began before the addresses had moved.
    UntilMoved,
}

/// What becomes of hosts meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// Every client is served by the same one all the time.
    Stay,
    /// One is drained at first, and back when the addresses move.
    Return,
    /// Their haproxys are replaced, and with them go connections that are open.
    Restart,
}

/// Long enough to see what comes of something that should have no consequences.
const A_WHILE: Duration = Duration::from_secs(1);

const FIRST: usize = 0;
const SECOND: usize = 1;

/// All of them, in the order in which they are run.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "first gateway loses its uplink",
        before: |_| {},
        away: |town| town.network.join(FIRST, Side::Wan, false),
        leads_to: Owned::ByTheSecond,
        failures: Failures::UntilMoved,
        hosts: Hosts::Stay,
        back: |town| town.network.join(FIRST, Side::Wan, true),
    },
    Scenario {
        name: "the same, hfm killed and started again meanwhile",
        before: |town| {
            town.network.join(FIRST, Side::Wan, false);
            assert!(town.owners.wait_for(SECOND).is_some(), "{}", town.log());
        },
        away: |town| {
            town.gateways[FIRST].hfm.kill();
            pause(A_WHILE);
            town.start_hfm(FIRST);
            pause(A_WHILE);
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |town| town.network.join(FIRST, Side::Wan, true),
    },
    Scenario {
        name: "operator has the second serve (hfmctl set standby always-fail)",
        before: |_| {},
        away: |town| town.tell(FIRST, &["set", "standby", "always-fail"]),
        leads_to: Owned::ByTheSecond,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |town| town.tell(FIRST, &["enable", "standby"]),
    },
    Scenario {
        name: "the same, with connections from a time when a host was drained",
        before: |town| (0..GATEWAYS).for_each(|gateway| town.tell(gateway, &["drain", "lb2/*"])),
        away: |town| {
            (0..GATEWAYS).for_each(|gateway| town.tell(gateway, &["enable", "lb2/*"]));
            town.tell(FIRST, &["set", "standby", "always-fail"]);
        },
        leads_to: Owned::ByTheSecond,
        failures: Failures::None,
        hosts: Hosts::Return,
        back: |town| town.tell(FIRST, &["enable", "standby"]),
    },
    Scenario {
        name: "operator has the second serve, then hfm killed for good",
        before: |town| {
            town.tell(FIRST, &["set", "standby", "always-fail"]);
            assert!(town.owners.wait_for(SECOND).is_some(), "{}", town.log());
        },
        away: |town| town.gateways[FIRST].hfm.kill(),
        leads_to: Owned::ByTheFirst,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |town| {
            // What operators have set outlives hfm.
            town.start_hfm(FIRST);
            assert!(town.owners.wait_for(SECOND).is_some(), "{}", town.log());
            town.tell(FIRST, &["enable", "standby"]);
        },
    },
    Scenario {
        name: "rolling upgrade of hfm",
        before: |_| {},
        away: |town| {
            for gateway in [SECOND, FIRST] {
                town.gateways[gateway].hfm.end();
                town.start_hfm(gateway);
                pause(A_WHILE);
            }
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |_| {},
    },
    Scenario {
        name: "rolling upgrade of haproxy, hfmctl drain on both gateways",
        before: |_| {},
        away: |town| {
            for host in 0..HOSTS {
                let rules = format!("{}/*", name(host));
                (0..GATEWAYS).for_each(|gateway| town.tell(gateway, &["drain", &rules]));
                replace_haproxy(town, host);
                (0..GATEWAYS).for_each(|gateway| town.tell(gateway, &["enable", &rules]));
                wait_until_home(town);
            }
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Restart,
        back: |_| {},
    },
    Scenario {
        name: "rolling upgrade of haproxy, by its monitor",
        before: |_| {},
        away: |town| {
            for host in 0..HOSTS {
                town.hosts[host].switch(false);
                replace_haproxy(town, host);
                wait_until_home(town);
            }
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Restart,
        back: |_| {},
    },
    Scenario {
        name: "upgrade of the second gateway",
        before: |_| {},
        away: |town| {
            town.shut_down(SECOND);
            town.boot(SECOND);
            pause(A_WHILE);
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |_| {},
    },
    Scenario {
        name: "upgrade of the first gateway, with 'standby'",
        before: |_| {},
        away: |town| {
            town.tell(FIRST, &["set", "standby", "always-fail"]);
            assert!(town.owners.wait_for(SECOND).is_some(), "{}", town.log());
            town.shut_down(FIRST);
            town.boot(FIRST);
        },
        leads_to: Owned::ByTheSecond,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |town| town.tell(FIRST, &["enable", "standby"]),
    },
    Scenario {
        name: "ruleset loaded again on the first gateway",
        before: |_| {},
        away: |town| {
            firewall::nft(&town.network.gateways[FIRST], RULESET);
            pause(A_WHILE);
        },
        leads_to: Owned::AsBefore,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |_| {},
    },
    Scenario {
        name: "keepalived of the first gateway ended, started again",
        before: |_| {},
        away: |town| town.gateways[FIRST].keepalived.end(),
        leads_to: Owned::ByTheSecond,
        failures: Failures::None,
        hosts: Hosts::Stay,
        back: |town| town.start_keepalived(FIRST),
    },
    Scenario {
        name: "first gateway dies",
        before: |_| {},
        away: |town| {
            town.gateways[FIRST].keepalived.kill();
            town.cut_off(FIRST);
            town.gateways[FIRST].hfm.kill();
        },
        leads_to: Owned::ByBoth,
        failures: Failures::UntilMoved,
        hosts: Hosts::Stay,
        back: |town| {
            town.forget_addresses(FIRST);
            town.boot(FIRST);
        },
    },
    Scenario {
        name: "first gateway reaches no host, nor the second gateway",
        // It is heard outside, so what it still has to say of itself since it got the addresses (vrrp_garp_master_delay) would
        // lead the router back to it.
        before: |_| pause(2 * A_WHILE),
        away: |town| town.network.join(FIRST, Side::Lan, false),
        leads_to: Owned::ByBoth,
        failures: Failures::UntilMoved,
        hosts: Hosts::Stay,
        back: |town| town.network.join(FIRST, Side::Lan, true),
    },
];

/// Once nobody is served by a host any more, ends its haproxy and starts another one.
fn replace_haproxy(town: &mut Town, host: usize) {
    let homes = town.homes.clone();
    let well = town
        .wait_until_well(|client, by| if homes[client] == host { by != host } else { by == homes[client] });
    assert!(well, "clients of {} are not served by the others\n{}", name(host), town.log());
    town.hosts[host].signal_haproxy(Signal::SIGUSR1);
    town.hosts[host].wait_for_haproxy();
    town.start_haproxy(host);
    town.hosts[host].wait_until_ready();
}

/// Waits until every client is served by the host that it was served by at first.
fn wait_until_home(town: &Town) {
    let homes = &town.homes;
    assert!(patiently(|| town.clients.are_well(|client, by| by == homes[client])), "{}", town.log());
}
