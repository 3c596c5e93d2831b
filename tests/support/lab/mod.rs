//! What tests of whole gateways are made of, in network namespaces: hosts with haproxy, clients that make requests all the
//! time, nftables, hfm; who is where. How it is wired is each test's own.

pub(crate) mod answer;
pub(crate) mod clients;
pub(crate) mod clock;
pub(crate) mod directory;
pub(crate) mod firewall;
pub(crate) mod held;
pub(crate) mod hfm;
pub(crate) mod host;
pub(crate) mod leg;
pub(crate) mod namespace;
pub(crate) mod places;
pub(crate) mod spread;
