//! Two gateways as config/pair-linux makes them, in network namespaces: clients that make requests all the time, nftables,
//! keepalived and hfm on both, three hosts with haproxy; and what happens to them.

mod conntrackd;
mod gateway;
mod judge;
mod keepalived;
#[path = "../support/lab/mod.rs"]
mod lab;
mod network;
mod owners;
mod scenarios;
mod table;
mod town;

pub(crate) use conntrackd::Conntrackd;
pub(crate) use lab::hfm::Pace;
pub(crate) use scenarios::{Hosts, SCENARIOS, Scenario};
pub(crate) use table::Table;
pub(crate) use town::{Connections, Town};
