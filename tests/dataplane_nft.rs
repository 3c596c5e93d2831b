//! nftables by netlink, against the kernel and nft(8), each test in a network namespace of its own.
#![cfg(target_os = "linux")]

#[path = "support/random.rs"]
mod random;
#[path = "support/skip.rs"]
mod skip;
#[path = "dataplane_nft/world.rs"]
mod world;

#[path = "dataplane_nft/errors.rs"]
mod errors;
#[path = "dataplane_nft/intervals.rs"]
mod intervals;
#[path = "dataplane_nft/many.rs"]
mod many;
#[path = "dataplane_nft/notices.rs"]
mod notices;
#[path = "dataplane_nft/races.rs"]
mod races;
#[path = "dataplane_nft/recorded.rs"]
mod recorded;
#[path = "dataplane_nft/remembered.rs"]
mod remembered;
#[path = "dataplane_nft/sets.rs"]
mod sets;
#[path = "dataplane_nft/slots.rs"]
mod slots;
