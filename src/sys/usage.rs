//! What this process uses, as far as the system tells at once.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Processor time of all threads (CLOCK_PROCESS_CPUTIME_ID, clock_gettime(2)).
pub fn cpu() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok().map(Duration::from)
}

/// Memory that is resident, in bytes: from /proc/self/statm (proc_pid_statm(5)); `None` where that is not there.
pub fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: sysconf(3) takes a number, and answers -1 to one that it does not know.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.checked_mul(u64::try_from(page).ok()?)
}

/// Descriptors that are open: the size of /proc/self/fd, which Linux tells from 6.2 on (fs/proc/fd.c, proc_readfd_count);
/// `None` elsewhere, for counting them one by one would take too long.
pub fn open_descriptors() -> Option<u64> {
    fs::metadata("/proc/self/fd").ok().map(|directory| directory.len()).filter(|open| *open > 0)
}
