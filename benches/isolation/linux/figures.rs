//! What the kernel says of a process and of a core.

use std::fs;

use nix::unistd::Pid;

/// Of one tick of the kernel's counters of a core, in seconds.
const TICK: f64 = 0.01;

/// How long the main thread of a process has run, and has waited for its core, in nanoseconds.
pub(crate) fn schedule(pid: Pid) -> [u64; 2] {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).expect("it runs");
    let mut numbers = text.split(' ').map(|number| number.trim().parse().expect("a number"));
    [(); 2].map(|()| numbers.next().expect("two numbers"))
}

/// Bytes of memory that a process has.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn rss(pid: Pid) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (kib * 1024) as f64
}

/// How long a core has been busy, in seconds.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn busy(core: usize) -> f64 {
    /// Idle, and idle while something is read or written.
    const IDLE: [usize; 2] = [3, 4];
    let text = fs::read_to_string("/proc/stat").expect("the kernel's counters");
    let name = format!("cpu{core} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name)).expect("the core");
    // Those of guests, behind the first eight, are in the others already.
    let ticks = line.split_whitespace().take(8).enumerate().filter(|(column, _)| !IDLE.contains(column));
    ticks.map(|(_, ticks)| ticks.parse::<u64>().expect("a number")).sum::<u64>() as f64 * TICK
}
