//! A gateway as config/gateway-linux makes it, in network namespaces: clients that make requests all the time, nftables,
//! hfm, three hosts with haproxy; and what happens to them.

mod answer;
mod clients;
mod clock;
mod firewall;
mod held;
mod host;
mod house;
mod judge;
mod leg;
mod namespace;
mod network;
mod scenarios;
mod table;
pub(crate) mod unwatched;
mod watch;

pub(crate) use house::House;
pub(crate) use scenarios::SCENARIOS;
pub(crate) use table::Table;
pub(crate) use watch::Pace;
