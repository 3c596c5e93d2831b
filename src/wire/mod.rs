//! What is said on the network, as bytes: readers and writers without a socket, a clock or a log.
//!
//! Readers are total. What a peer sends can make them say no, and nothing else: no panic, and work and
//! memory bounded by the input.

pub mod certificate;
pub mod proxy;
