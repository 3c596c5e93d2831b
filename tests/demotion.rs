//! The helper that holds what was demoted, as the process that it is: beside an hfm that speaks with it and is killed,
//! on a counter that adds as CARP's does. Each sentence of what it promises; and kills of both, in every order and at
//! every step, as many as [`kills`] has runs.
//!
//! On Linux alone: whom a process without a parent belongs to, and what it has open, is asked by other ways elsewhere.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "support/random.rs"]
mod random;

#[path = "demotion/alone.rs"]
mod alone;
#[path = "demotion/daemon.rs"]
mod daemon;
#[path = "demotion/holding.rs"]
mod holding;
#[path = "demotion/kills.rs"]
mod kills;
#[path = "demotion/taking_over.rs"]
mod taking_over;
#[path = "demotion/world.rs"]
mod world;
