//! How long does it take to forget the connections towards some addresses?
//!
//! In a network namespace of its own the kernel follows 100,000 connections, the same number towards each of 50
//! backends, then those towards one, a few or all of them are forgotten. Each is done several times; how
//! long the least took is told, and how long that is for each connection that was forgotten. It takes root and
//! conntrack(8).
//!
//! `cargo bench --bench conntrack [-- [--connections N]]`
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[cfg(target_os = "linux")]
#[path = "conntrack/linux.rs"]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("these connections are followed on Linux alone");
}
