//! Do probes stay punctual whatever else hfm has to do, and what becomes of them when it has too much to do?
//!
//! One target for each rule on loopback, in a network namespace of its own, whose arrivals are watched as
//! `benches/scale` does. The loop of hfm, its main thread, has a core to itself; its other threads, its children, the
//! targets and everything that the benchmark does besides share another one.
//!
//! **Beside other work.** Many tcp rules every second, alone and beside one burden at a time, in the order A B B A ...,
//! hfm started anew for every window:
//!
//! - `commands`: 50 rules that run a program every second, one in ten of which keeps a processor busy for 100 ms.
//! - `names`: 200 rules by names that are looked up every second, of a server that never answers.
//! - `handshakes`: 300 rules over https, every handshake a full one.
//! - `clients`: two clients that ask for the status of all rules again and again, and one that listens to events.
//! - `reloads`: a reload each second, with one rule in a hundred changed.
//! - `storm`: 2,000 rules whose targets refuse and accept by turns, a log that is read slowly, and a client that
//!   listens to events.
//! - `all`: all of these at once.
//!
//! **More than a core can do**, `--overload`: tcp, http and https rules every 100 ms at one, two and four times what the
//! core was seen to do.
//!
//! `cargo bench --bench isolation [-- OPTIONS]`, as root on Linux.
//!
//! - `--burdens commands,...`, `--kinds tcp,http,https-full`: only these.
//! - `--rules N`: rules that are watched, 10,000; `--windows N`: windows alone and beside each burden, 6 (3 of each row
//!   of `--overload`); `--seconds N`: their length, 10 (5).
//! - `--cores CHECKER,OTHERS`: 1,0 where there are two.
//! - `--one-core`: all of hfm and its children on the checker's core. What is measured then is mostly how the system
//!   shares that.
//! - `--short`: a few rules, one short window each: not how punctual, only whether it works.
//!
//! The status is 1 if a verdict was wrong or a burden was none.
//!
//! What is printed, the median of the windows and (least-most):
//!
//! - *interval error*: for every two visits of one target of the watched rules, how far the time between them is from
//!   the interval, by the arrival of SYNs in the kernel's time.
//! - *late*: by hfm's own count, starts of all rules against their dues, since its start. The burden's rules are in it,
//!   programs too, which another thread starts.
//! - *missed*, *inconclusive*: of the watched rules, slots left out, and runs that say nothing. *wrong*: rules of all
//!   that are not as their targets are, or have failed without a reason.
//! - *loop's CPU*: of the thread of the loop; *waited*: how much of the window it could have run and did not, as
//!   something else did: noise of the machine, and figures beside much of it are worth little.
//! - *beside / alone*: of windows next to each other, the median and (least-most); where these lie on both sides of 1
//!   the difference is inside the spread, and no difference.
//! - Of `--overload`: *runs a second*, and what part of the slots was *missed*, of the runs *inconclusive*; *failed*, runs
//!   that did though every target is well; the most *runs of a rule* over the least, all being alike; memory, and by
//!   how much it grew in a window; how busy the two cores were: where the others' is full it is the targets that do no
//!   more; *warnings*, lines of the log that say that hfm cannot keep up.
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
