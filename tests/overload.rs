//! More load than the processor can carry: verdicts stay right, every rule has its share, memory stays bounded, and it is said once.
//!
//! What is checked is what is found and counted; how fast it goes is for `cargo bench --bench isolation -- --overload`.
#![cfg(target_os = "linux")]

#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with tests that use all of it")]
mod harness;

#[path = "overload/page.rs"]
mod page;
#[path = "overload/pulses.rs"]
mod pulses;
#[path = "overload/standing.rs"]
mod standing;
#[path = "overload/targets.rs"]
mod targets;
#[path = "overload/too_much.rs"]
mod too_much;
