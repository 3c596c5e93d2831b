//! The whole gateway with everything around it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::lab::clients::{Clients, Request};
use super::lab::clock::patiently;
use super::lab::directory::Directory;
use super::lab::firewall::{self, MAPS, SETS, SLOTS};
use super::lab::held::{self, Held};
use super::lab::hfm::{Hfm, Pace};
use super::lab::host::{Host, make_certificate};
use super::lab::namespace::Namespace;
use super::lab::places::{HOSTS, client_addresses, host_addresses, name};
use super::network::Network;
use super::ruleset::{RULESET, fill_by_hand};

/// The files that are tried out here.
const HFM: &str = include_str!("../../config/gateway-linux/hfm.conf");
const HAPROXY: &str = include_str!("../../config/gateway-linux/haproxy.cfg");

/// An address that hfm does not know, of each family, and a key beyond the slots.
const FOREIGN: [&str; 2] = ["192.0.2.99", "2001:db8:2::99"];
const FOREIGN_KEY: u32 = 1000;

/// Who has which slot, by family.
pub(crate) type Slots = [BTreeMap<u32, IpAddr>; 2];

/// Everything; gone without a trace when this goes. What is first goes first.
#[derive(Debug)]
pub(crate) struct House {
    clients: Clients,
    hfm: Option<Hfm>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) network: Network,
    _directory: Directory,
    addresses: Vec<IpAddr>,
    /// Who serves each client while all hosts are there.
    pub(crate) homes: Vec<usize>,
    /// Who has which slot while all hosts are there.
    pub(crate) order: Slots,
    /// Others have put something beside what is hfm's.
    has_foreign: bool,
}

impl House {
    /// Where it can be built; the reason why not elsewhere.
    ///
    /// # Errors
    /// When something that it takes is not there.
    pub(crate) fn possible() -> Result<(), String> {
        if !nix::unistd::getuid().is_root() {
            return Err("only root can make network namespaces".to_owned());
        }
        for (program, argument) in [("ip", "-V"), ("nft", "-v"), ("haproxy", "-v")] {
            let found = Command::new(program).arg(argument).stdout(Stdio::null()).status();
            found.map_err(|error| format!("no {program}: {error}"))?;
        }
        let namespace = Namespace::new().map_err(|error| format!("no network namespaces: {error}"))?;
        firewall::is_there(&namespace)
    }

    /// With hosts that serve and clients that ask, and nobody who keeps the maps: they are filled by hand, once.
    pub(crate) fn unwatched() -> Self {
        Self::build(|network, _| {
            fill_by_hand(&network.gateway, &(0..HOSTS).collect::<Vec<_>>());
            None
        })
    }

    /// With hfm, which finds everything empty.
    pub(crate) fn watched(pace: Pace) -> Self {
        Self::build(|network, directory| {
            let at = directory.path();
            Some(Hfm::start(&network.gateway, HFM, pace, at, at))
        })
    }

    fn build(keep: impl FnOnce(&Network, &Directory) -> Option<Hfm>) -> Self {
        let network = Network::new().expect("network namespaces");
        let directory = Directory::new("gateway");
        make_certificate(directory.path());
        firewall::nft(&network.gateway, RULESET);
        let start = |host: usize| Host::start(&name(host), &network.hosts[host], directory.path(), HAPROXY);
        let hosts: Vec<Host> = (0..HOSTS).map(start).collect();
        hosts.iter().for_each(Host::wait_until_ready);
        let hfm = keep(&network, &directory);
        let addresses = client_addresses();
        let clients = Clients::start(&network.clients, &addresses);
        let mut house = Self {
            clients,
            hfm,
            hosts,
            network,
            _directory: directory,
            addresses,
            homes: Vec::new(),
            order: Slots::default(),
            has_foreign: false,
        };
        house.learn_homes();
        house
    }

    /// Finds out who serves whom while all is well.
    fn learn_homes(&mut self) {
        let is_full = patiently(|| {
            self.order = self.slots();
            (0..2).all(|family| self.is_full(family, &self.order))
        });
        assert!(is_full, "not every slot has a host: {:?}\n{}", self.order, self.log());
        let homes = self.clients.homes();
        self.homes = homes.unwrap_or_else(|found| {
            panic!("not every client is served by one host all the time: {found:?}\n{}", self.log())
        });
    }

    /// Whether every slot of a family has one of the hosts, and every host has one.
    fn is_full(&self, family: usize, slots: &Slots) -> bool {
        let hosts: BTreeSet<IpAddr> = (0..HOSTS).map(|host| host_addresses(host)[family]).collect();
        let has: BTreeSet<IpAddr> = slots[family].values().copied().collect();
        slots[family].len() == SLOTS as usize && has == hosts
    }

    /// Who has which slot now, foreign keys left aside.
    pub(crate) fn slots(&self) -> Slots {
        MAPS.map(|map| {
            let all = firewall::map(&self.network.gateway, map);
            all.into_iter().filter(|(key, _)| *key < SLOTS).collect()
        })
    }

    /// Waits until every client has been served for a while without trouble, by a host that it may be served by.
    pub(crate) fn wait_until_well(&self, may_serve: impl Fn(usize, usize) -> bool) -> bool {
        patiently(|| self.clients.are_well(&may_serve))
    }

    /// All requests that began in this time, once all of them are done.
    pub(crate) fn requests(&self, from: Instant, until: Instant) -> Vec<Request> {
        self.clients.between(from, until)
    }

    /// Opens a connection for each client.
    pub(crate) fn hold(&self) -> Vec<Held> {
        held::open(&self.network.clients, &self.addresses)
    }

    pub(crate) fn hfm(&self) -> &Hfm {
        self.hfm.as_ref().expect("this house has an hfm")
    }

    pub(crate) fn kill_hfm(&mut self) {
        self.hfm.as_mut().expect("this house has an hfm").kill();
    }

    pub(crate) fn start_hfm(&mut self) {
        self.hfm.as_mut().expect("this house has an hfm").start_again(&self.network.gateway);
    }

    pub(crate) fn start_haproxy(&mut self, host: usize) {
        self.hosts[host].start_haproxy(&self.network.hosts[host]);
    }

    /// Whether a client comes from an IPv4 address.
    pub(crate) fn is_v4(&self, client: usize) -> bool {
        self.addresses[client].is_ipv4()
    }

    pub(crate) fn nft(&self, text: &str) {
        firewall::nft(&self.network.gateway, text);
    }

    /// Puts something beside what is hfm's.
    pub(crate) fn add_foreign(&mut self) {
        let mut text = String::new();
        for family in 0..2 {
            let (map, set, address) = (MAPS[family], SETS[family], FOREIGN[family]);
            text.push_str(&format!(
                "add element inet gateway {map} {{ {FOREIGN_KEY} : {address} }}\n\
                 add element inet gateway {set} {{ {address} }}\n"
            ));
        }
        self.nft(&text);
        self.has_foreign = true;
    }

    /// Somebody has emptied all maps and sets: what others had put there is gone too.
    pub(crate) fn forget_foreign(&mut self) {
        self.has_foreign = false;
    }

    /// What is wrong with the maps and sets when these hosts should be in and none else: slots that lead elsewhere than
    /// they should, hosts missing, others' elements gone.
    pub(crate) fn wrong_in_tables(&self, is_in: impl Fn(usize) -> bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for family in 0..2 {
            let hosts: BTreeSet<IpAddr> =
                (0..HOSTS).filter(|host| is_in(*host)).map(|host| host_addresses(host)[family]).collect();
            let all = firewall::map(&self.network.gateway, MAPS[family]);
            for (slot, owner) in &self.order[family] {
                let leads = all.get(slot);
                let is_right = match hosts.contains(owner) {
                    true => leads == Some(owner),
                    false => leads.is_some_and(|to| hosts.contains(to)),
                };
                if !is_right {
                    wrong.push(format!("{} slot {slot}: {leads:?}, at first {owner}", MAPS[family]));
                }
            }
            let foreign: IpAddr = FOREIGN[family].parse().expect("an address");
            let others: BTreeMap<u32, IpAddr> = all.into_iter().filter(|(key, _)| *key >= SLOTS).collect();
            let mut others_wanted = BTreeMap::new();
            let mut in_set = hosts;
            if self.has_foreign {
                others_wanted.insert(FOREIGN_KEY, foreign);
                in_set.insert(foreign);
            }
            if others != others_wanted {
                wrong.push(format!("{}: {others:?} beyond the slots, not {others_wanted:?}", MAPS[family]));
            }
            let set = firewall::set(&self.network.gateway, SETS[family]);
            if set != in_set {
                wrong.push(format!("{}: {set:?}, not {in_set:?}", SETS[family]));
            }
        }
        wrong
    }

    /// What hfm has to say.
    pub(crate) fn log(&self) -> String {
        self.hfm.as_ref().map(Hfm::log).unwrap_or_default()
    }
}
