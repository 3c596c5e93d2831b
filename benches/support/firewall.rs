//! A firewall of the benchmark's own: nftables in a network namespace that this process goes into.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

static MADE: AtomicBool = AtomicBool::new(false);

const RULES: &str = "table ip bench { set web { type ipv4_addr; }; set others { type ipv4_addr; }; set other { type ipv4_addr; }; }";

/// Goes into a new namespace, before any thread is started, and makes the sets there.
pub(crate) fn make() {
    enter_namespace();
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip(8) runs");
    assert!(up.success(), "loopback is up");
    nft(RULES);
    MADE.store(true, Ordering::Relaxed);
}

#[cfg(target_os = "linux")]
fn enter_namespace() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
        .expect("run as root: a network namespace is needed");
}

#[cfg(not(target_os = "linux"))]
fn enter_namespace() {
    panic!("network namespaces and nftables are there on Linux alone");
}

/// Empties the sets, if there are any.
pub(crate) fn empty() {
    if MADE.load(Ordering::Relaxed) {
        nft("flush set ip bench web; flush set ip bench others; flush set ip bench other");
    }
}

/// Has nft(8) do something.
pub(crate) fn nft(what: &str) {
    let done = Command::new("nft").arg(what).status().expect("nft(8) runs");
    assert!(done.success(), "{what}");
}
