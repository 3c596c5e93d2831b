//! What do those who look at the status page cost the probes, and what can those do who mean no good?
//!
//! One hfm with many tcp rules every second and its page at `listen`, in a network namespace of its own; the targets'
//! arrivals are watched as `benches/scale` does. The loop of hfm, its main thread, has a core to itself; its other
//! threads, the targets and all clients share another one. 20 rules more have targets that refuse and accept by turns, in
//! every phase, so that there are events. Phases take turns, A B C C B A ..., with the same hfm:
//!
//! - `quiet`: nobody looks.
//! - `watchers`: 50 browsers come within a second, each asks for the status of all rules, listens to events, and asks again
//!   every 20 s, evenly spread, reading everything as fast as it can; and a scrape of /metrics each second.
//! - `hostile`: 60 half requests; 20 clients that ask for the status of all rules and read nothing, a new one every 600 ms,
//!   so that each has an answer of its own; 500 connections a second, 200 held; heads that smuggle, that are too long, and
//!   garbage, one after the other; and the same scrapes.
//!
//! After them, with nobody else there: how long an answer takes that is made anew, from the request to its last byte.
//!
//! `cargo bench --bench watchers [-- OPTIONS]`, as root on Linux.
//!
//! - `--rules N`: 10,000; `--watchers N`: 50; `--windows N`: of each phase, 3; `--seconds N`: their length, 20.
//! - `--cores LOOP,OTHERS`: 1,0 where there are two.
//! - `--short`: a few rules, watchers and seconds: not how fast, only whether it works.
//!
//! The status is 1 if a verdict was wrong, an answer was not what it should be, or a phase's clients did nothing.
//!
//! What is printed, the median of the windows and (least-most), and all of it in one line of JSON:
//!
//! - *late at the targets*: of the watched rules, by the arrival of SYNs in the kernel's time: how much later a visit is
//!   than the earliest one of the same target in the window on the grid of the interval. hfm's own count is since its
//!   start, so it says little of a phase, and this holds what the kernel takes too; what all visits of a target are late by is not in it.
//! - *own late p99*, *over 1 ms*: of all starts in the phase, those of the flapping rules too, by the difference of
//!   `hfm_start_lateness_seconds`; p99 is interpolated in a bucket, the share is exact. *turn p99*: the same of
//!   `hfm_turn_duration_seconds`. The phase is from before its clients come until they have gone, with a scrape at each end.
//! - *missed*: slots left out in the phase, of all rules.
//! - *CPU*: of all threads of hfm, *loop*: of that one; percent of a core. *waited*: how much of the window the loop could
//!   have run and did not, as something else did: noise of the machine, and figures beside much of it are worth little.
//! - *RSS*: before the phase, the most in it, and some time after it.
//! - *status*, *scrape*: how long those answers took in the phase, for all who got one.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(
    target_os = "linux",
    expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")
)]

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("arrivals are watched on Linux alone");
}
