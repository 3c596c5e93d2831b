//! The built hfm and the built hfmctl together: what an operator types, what hfm and its tables do, what is left of it.
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "tables/firewall.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod firewall;
#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "support/skip.rs"]
mod skip;
#[path = "control/talk.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod talk;

#[path = "together/asking.rs"]
mod asking;
#[path = "together/demotion.rs"]
mod demotion;
#[path = "together/drains.rs"]
mod drains;
#[path = "together/house.rs"]
mod house;
#[path = "together/overrides.rs"]
mod overrides;
#[path = "together/people.rs"]
mod people;
#[cfg(target_os = "linux")]
#[path = "together/reloads.rs"]
mod reloads;
#[path = "together/remembered.rs"]
mod remembered;
#[path = "together/signals.rs"]
mod signals;
