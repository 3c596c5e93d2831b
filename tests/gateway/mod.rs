//! A gateway as config/gateway-linux makes it, in network namespaces: clients that make requests all the time, nftables,
//! hfm, three hosts with haproxy; and what happens to them.

mod house;
mod judge;
#[path = "../support/lab/mod.rs"]
mod lab;
mod network;
mod ruleset;
mod scenarios;
mod table;
pub(crate) mod unwatched;

pub(crate) use house::House;
pub(crate) use lab::hfm::Pace;
pub(crate) use scenarios::SCENARIOS;
pub(crate) use table::Table;
