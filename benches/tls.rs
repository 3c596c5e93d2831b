//! What does TLS cost a probe, and where does it go?
//!
//! A probe and a server in memory, nothing between them; only the probe's share is timed, in user space alone.
//! First the probe as rules have it: each kind of run, in TLS 1.3 and 1.2, with a chain that is met for the
//! first time, one that was met before, and a session that is resumed. Then by part: the same handshakes made
//! with rustls alone, its cryptography wrapped in clocks, for every group and suite of TLS 1.3. Then the memory
//! of rules (on Linux).
//!
//! The server has a P-256 key, its chain one certificate under a root; every figure is the tenth percentile (and
//! the median) of many runs, for a machine that does other things as well makes some slower and none faster.
//!
//! `cargo bench --bench tls [-- [--runs N] [--only NAME]]`. With `--only`, a kind of run of the first table
//! alone, for a profiler, which is to look into `bench_turn`:
//! `valgrind --tool=callgrind --toggle-collect='*bench_turn*' BENCH --only resumed --runs 100`.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "tls/memory.rs"]
mod memory;
#[path = "tls/parts.rs"]
mod parts;
#[path = "tls/probe.rs"]
mod probe;
#[path = "tls/server.rs"]
mod server;

use std::time::Duration;

/// What is not counted: caches and predictors are cold, and the first run has no session to resume.
const WARM_UP: usize = 50;

fn main() {
    let (mut runs, mut only) = (2000, None);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => runs = value.parse().expect("a number of runs"),
            "--only" => only = Some(value),
            _ => panic!("unknown option {argument}"),
        }
    }
    assert!(runs > 0, "at least one run");
    let house = server::House::new();
    probe::kinds(&house, runs, only.as_deref());
    if only.is_none() {
        parts::table(&house, runs);
        memory::table(&house);
    }
}

/// The tenth percentile and the median.
fn quantiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at =
        |tenths: usize| times.get(times.len() * tenths / 10).map_or(0.0, |time| time.as_nanos() as f64 / 1e3);
    (at(1), at(5))
}
