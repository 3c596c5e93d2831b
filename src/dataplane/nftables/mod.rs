//! nftables by netlink.

mod exchange;
mod message;
