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
pub(crate) mod scenarios;
mod table;
mod town;

pub(crate) use lab::hfm::Pace;
pub(crate) use scenarios::SCENARIOS;
pub(crate) use table::Table;
pub(crate) use town::{Connections, Town};
