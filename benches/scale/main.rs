//! How cheap and how punctual are native probes, beside haproxy's checks and the least that can be done?
//!
//! One target for each rule, every one at a loopback address of its own, all served by one thread on one core. On
//! another core, one after the other and never two at once: hfm as it is released, haproxy's checks (one thread,
//! `inter` the same, `spread-checks 0`), and the floor (`floor.c`: one epoll loop that wakes at most once a
//! millisecond and keeps nothing; for https with OpenSSL). Each is started anew for every window, in the order A B C C B A ...,
//! and is measured when every target has been visited and two intervals more have passed, so that loading,
//! page faults and first handshakes are not counted. All of it happens in a network namespace of its own.
//!
//! `cargo bench --bench scale [-- OPTIONS]`, as root on Linux, with haproxy and a C compiler, and libssl-dev for
//! the floor's https; who is missing is left out, and that is said.
//!
//! - `--kinds tcp,http,https-full,https-resumed,blackhole`: which rows; `blackhole` is tcp with three targets in ten that never answer.
//! - `--rules N,...`, `--peers hfm,haproxy,floor`: only these.
//! - `--windows N`: windows for each peer and row, 6; `--seconds N`: their length, 10, and three intervals at least.
//! - `--cores CHECKER,TARGET`: 1,0 where there are two.
//! - `--short`: a few rules, one short window: not how fast, only whether it works. The status is 1 if a row is
//!   not right: too few probes, one that failed, a target that was not seen.
//!
//! What is printed, the median of the windows and (least-most):
//!
//! - *us/probe*: CPU of the checker, user and system, all of its threads, for each probe that reached its target. Loopback
//!   delivers a packet in the context of who sends it, so this holds the target's kernel's part of a connect too,
//!   and what the watching of arrivals costs (some 0.7 us); both are the same for everybody. CPU falls with the
//!   rate, as wake-ups are shared: compare within a row.
//! - *rate*: new connections seen by the target (https: answers given), of those asked for.
//! - *interval error*: for every two visits of one target, how far the time between them is from the interval, in
//!   milliseconds; by the arrival of SYNs as a packet socket on lo sees them, in the kernel's time. A SYN that is
//!   sent again is not a visit.
//! - *ppm*: how far the mean time between two visits of a target is from the interval. A visit that is left out counts.
//! - *RSS*, and *B/rule*: what it is more than with one rule, for each.
//! - *resumed*: handshakes that were resumed, as the target knows.
//! - By the checker's own count: *failed*, probes that failed in the window (haproxy counts those of servers that are up; the floor those since its
//!   start); *wrong*, rules that are failed at its end and have no reason to be, or the other way round; *missed*,
//!   slots left out; *late p99*, of starts against their dues, since its start.
//! - *waited*: how much of the window the checker could have run and did not, as something else did: noise, and
//!   figures beside much of it are worth little. hfm's threads wait for each other too.
//! - A ratio is that of windows next to each other, the median and (least-most); where these lie on both sides of
//!   1 the difference is inside the spread, and no difference.
//! - *goal*: what hfm is to reach in this row, and whether it does.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(
    target_os = "linux",
    expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")
)]

#[cfg(target_os = "linux")]
mod arrivals;
#[cfg(target_os = "linux")]
mod certificate;
#[cfg(target_os = "linux")]
mod checkers;
#[cfg(target_os = "linux")]
mod goals;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod statistics;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod target;
#[cfg(target_os = "linux")]
mod words;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    run::run(&options::options())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("arrivals are watched on Linux alone");
}
