//! What happens to gateways.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::house::House;
use super::lab::clock::pause;
use super::lab::firewall::{MAPS, SETS};
use super::lab::held::Fate;
use super::lab::places::HOSTS;
use super::ruleset::RULESET;

/// The host that things happen to.
pub(crate) const VICTIM: usize = 1;

/// Something that happens, how it ends, and what may come of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) loses: Loses,
    pub(crate) failures: Failures,
    /// What becomes of connections that are open towards what is lost.
    pub(crate) fate: Fate,
    pub(crate) away: fn(&mut House),
    pub(crate) back: fn(&mut House),
}

/// Who does not serve while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loses {
    Nobody,
    TheVictim,
    Everybody,
}

impl Loses {
    pub(crate) fn has_lost(self, host: usize) -> bool {
        match self {
            Self::Nobody => false,
            Self::TheVictim => host == VICTIM,
            Self::Everybody => true,
        }
    }
}

/// Which requests may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    None,
    /// Those towards what is lost, until it is known to be.
    OfTheLost,
    /// Any, until what somebody emptied is full again.
    Any,
}

/// Long enough to see what comes of something that should have no consequences.
const A_WHILE: Duration = Duration::from_millis(1000);

/// All of them, in the order in which they are run: others' elements come early, so that they have to outlive the rest.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "others add elements",
        loses: Loses::Nobody,
        failures: Failures::None,
        fate: Fate::GoesOn,
        away: |house| {
            house.add_foreign();
            pause(A_WHILE);
        },
        back: |_| {},
    },
    Scenario {
        name: "haproxy killed",
        loses: Loses::TheVictim,
        failures: Failures::OfTheLost,
        fate: Fate::Told,
        away: |house| house.hosts[VICTIM].kill_haproxy(),
        back: |house| house.start_haproxy(VICTIM),
    },
    Scenario {
        name: "haproxy stopped (SIGSTOP)",
        loses: Loses::TheVictim,
        failures: Failures::OfTheLost,
        fate: Fate::Told,
        away: |house| house.hosts[VICTIM].signal_haproxy(Signal::SIGSTOP),
        back: |house| house.hosts[VICTIM].signal_haproxy(Signal::SIGCONT),
    },
    Scenario {
        name: "link cut",
        loses: Loses::TheVictim,
        failures: Failures::OfTheLost,
        fate: Fate::Told,
        away: |house| house.network.wire(VICTIM, false),
        back: |house| house.network.wire(VICTIM, true),
    },
    Scenario {
        name: "drained by its monitor",
        loses: Loses::TheVictim,
        failures: Failures::None,
        // A monitor that says no has failed, and `kill_states` is about those that have.
        fate: Fate::Told,
        away: |house| house.hosts[VICTIM].switch(false),
        back: |house| house.hosts[VICTIM].switch(true),
    },
    Scenario {
        name: "hfmctl drain",
        loses: Loses::TheVictim,
        failures: Failures::None,
        fate: Fate::GoesOn,
        away: |house| _ = house.hfm().done(&["drain", "lb2/*", "--reason", "kernel update"]),
        back: |house| _ = house.hfm().done(&["enable", "lb2/*"]),
    },
    Scenario {
        name: "hfmctl reload, nothing changed",
        loses: Loses::Nobody,
        failures: Failures::None,
        fate: Fate::GoesOn,
        away: |house| {
            house.hfm().done(&["reload"]);
            pause(A_WHILE);
        },
        back: |_| {},
    },
    Scenario {
        name: "hfm killed, started again",
        loses: Loses::Nobody,
        failures: Failures::None,
        fate: Fate::GoesOn,
        away: |house| {
            house.kill_hfm();
            pause(A_WHILE / 2);
            house.start_hfm();
            pause(A_WHILE);
        },
        back: |_| {},
    },
    Scenario {
        name: "hfm killed, a haproxy too, hfm started again",
        loses: Loses::TheVictim,
        failures: Failures::OfTheLost,
        fate: Fate::Told,
        away: |house| {
            house.kill_hfm();
            house.hosts[VICTIM].kill_haproxy();
            pause(A_WHILE / 2);
            house.start_hfm();
        },
        back: |house| house.start_haproxy(VICTIM),
    },
    Scenario {
        name: "ruleset loaded again",
        loses: Loses::Nobody,
        failures: Failures::None,
        fate: Fate::GoesOn,
        away: |house| {
            house.nft(RULESET);
            pause(A_WHILE);
        },
        back: |_| {},
    },
    Scenario {
        name: "all haproxys killed",
        loses: Loses::Everybody,
        failures: Failures::Any,
        fate: Fate::Told,
        away: |house| {
            (0..HOSTS).for_each(|host| house.hosts[host].kill_haproxy());
            pause(A_WHILE);
        },
        back: |house| (0..HOSTS).for_each(|host| house.start_haproxy(host)),
    },
    Scenario {
        name: "maps and sets flushed by hand",
        loses: Loses::Nobody,
        failures: Failures::Any,
        fate: Fate::GoesOn,
        away: |house| {
            house.forget_foreign();
            let flush = |kind, name| format!("flush {kind} inet gateway {name}\n");
            let maps = MAPS.iter().map(|name| flush("map", name));
            let text: String = maps.chain(SETS.iter().map(|name| flush("set", name))).collect();
            house.nft(&text);
        },
        back: House::add_foreign,
    },
    Scenario {
        name: "'flush ruleset' and loaded again",
        loses: Loses::Nobody,
        failures: Failures::Any,
        fate: Fate::GoesOn,
        away: |house| {
            house.forget_foreign();
            house.nft(&format!("flush ruleset\n{RULESET}"));
        },
        back: House::add_foreign,
    },
    Scenario {
        name: "table deleted, made again 0.5 s later",
        loses: Loses::Nobody,
        failures: Failures::Any,
        fate: Fate::GoesOn,
        away: |house| {
            house.forget_foreign();
            house.nft("delete table inet gateway");
            pause(A_WHILE / 2);
            house.nft(RULESET);
        },
        back: House::add_foreign,
    },
];
