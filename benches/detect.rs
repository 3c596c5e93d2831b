//! How soon after a target is lost, or is cut off, is its address out of the firewall's table?
//!
//! The hfm that was built, with its file, its log and nftables, in a network namespace; a hundred targets at one second,
//! half of them asked by tcp and half by http, each a process of its own, beside thousands of other tcp rules. At random
//! moments the process of one is killed (connections are refused), or what goes to one is dropped by nftables. Measured
//! are, all by the kernel's clock of the day:
//!
//! - when: before the kill, and after it; the kernel closes the sockets of a process in between.
//! - runs: SYNs on the wire, with the time that the kernel gave them. Those of a rule lie on a grid, and no run starts
//!   before it is due; so the one that was least late tells where the grid lies, to some ten microseconds.
//! - verdicts: the SYN of the run that brought it, and what the run took by hfm's log, whose lines come after the writer
//!   of tables was told.
//! - the table: what the kernel tells everybody of elements that come and go.
//!
//! A target that refuses cannot be found out before its next run is due, and one that says nothing not before the timeout
//! (300 ms) of that run is over: that is the earliest moment that the schedule allows. What comes after it is hfm's doing.
//!
//! `cargo bench --bench detect [-- [--short] [--trials N] [--others N] [--seed N]]`; as root on Linux, with nft(8) and ip(8).
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]
#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
#[path = "support/figures.rs"]
mod figures;
#[cfg(target_os = "linux")]
#[path = "support/firewall.rs"]
#[allow(dead_code, reason = "shared with benchmarks that use all of it")]
mod firewall;
#[cfg(target_os = "linux")]
#[path = "../tests/support/random.rs"]
mod random;

#[cfg(target_os = "linux")]
#[path = "detect/course.rs"]
mod course;
#[cfg(target_os = "linux")]
#[path = "detect/monitor.rs"]
mod monitor;
#[cfg(target_os = "linux")]
#[path = "detect/table.rs"]
mod table;
#[cfg(target_os = "linux")]
#[path = "detect/target.rs"]
mod target;
#[cfg(target_os = "linux")]
#[path = "detect/trials.rs"]
mod trials;
#[cfg(target_os = "linux")]
#[path = "detect/wire.rs"]
mod wire;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("cannot be run here: it takes nftables");
    std::process::exit(2);
}

/// What is asked for.
struct Options {
    trials: usize,
    /// Rules beside those of the targets.
    others: u32,
    seed: u64,
}

#[cfg(target_os = "linux")]
fn main() {
    if let Some(address) = target::asked_to_be() {
        return target::be(address);
    }
    let options = options();
    firewall::make();
    // In this order: whoever is started goes where this process is.
    trials::pin(0);
    let monitor = monitor::Monitor::start(options.others);
    trials::pin(1);
    let courses = trials::run(&options, monitor);
    course::print(&courses);
}

fn options() -> Options {
    let mut options = Options { trials: 1000, others: 10_000, seed: 1 };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--short" {
            // Whether it works, and not how fast.
            options = Options { trials: 20, others: 200, ..options };
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--trials" => options.trials = value.parse().expect("a number of trials"),
            "--others" => options.others = value.parse().expect("a number of rules"),
            "--seed" => options.seed = value.parse().expect("a number"),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}
