//! The status page of the built hfm, over HTTP: what can be had, what is refused, and clients that mean no good. On
//! Linux alone: each test has an address of its own in 127.0.0.0/8, all of which is there.
#![cfg(target_os = "linux")]

#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "support/skip.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod skip;
#[path = "control/talk.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod talk;

#[path = "status/browse.rs"]
mod browse;
#[path = "status/events.rs"]
mod events;
#[path = "status/health.rs"]
mod health;
#[path = "status/hostile.rs"]
mod hostile;
#[path = "status/paths.rs"]
mod paths;
#[path = "status/start.rs"]
mod start;
