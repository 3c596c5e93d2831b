//! hfm as a whole beside a firewall: `tests/support/pfctl` stands for pfctl(8), and can be slow, wrong, absent
//! and hanging.
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "loopback/certificates.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod certificates;
#[path = "tables/exit.rs"]
mod exit;
#[path = "tables/firewall.rs"]
mod firewall;
#[path = "tables/haproxy.rs"]
mod haproxy;
#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "tables/killed.rs"]
mod killed;
#[path = "tables/old_style.rs"]
mod old_style;
#[path = "tables/own.rs"]
mod own;
#[path = "loopback/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "tables/reconcile.rs"]
mod reconcile;
#[path = "tables/reload.rs"]
mod reload;
#[path = "support/skip.rs"]
mod skip;
#[path = "tables/start.rs"]
mod start;
#[path = "tables/trouble.rs"]
mod trouble;
