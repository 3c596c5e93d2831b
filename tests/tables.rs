//! hfm as a whole beside a firewall: `tests/support/pfctl` stands for pfctl(8), and can be slow, wrong, absent
//! and hanging.

#[path = "tables/exit.rs"]
mod exit;
#[path = "tables/firewall.rs"]
mod firewall;
#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "tables/own.rs"]
mod own;
#[path = "tables/reconcile.rs"]
mod reconcile;
#[path = "tables/start.rs"]
mod start;
#[path = "tables/trouble.rs"]
mod trouble;
