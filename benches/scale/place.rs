//! Where it happens: a network namespace of its own, limits that do not bind, a core for each side.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

/// Descriptors for everybody: a checker of 100,000 rules, and the target.
const DESCRIPTORS: u64 = 400_000;

/// What is set in the namespace: no queue of the target's is the measure, and there are ports enough.
const SETTINGS: [(&str, &str); 4] = [
    ("net/core/somaxconn", "65535"),
    ("net/ipv4/tcp_max_syn_backlog", "65535"),
    ("net/ipv4/ip_local_port_range", "10000 65535"),
    // Those that a checker leaves behind by closing politely do not disturb the next one for a minute.
    ("net/ipv4/tcp_max_tw_buckets", "16384"),
];

/// The cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pub(crate) checker: usize,
    pub(crate) target: usize,
}

/// Goes there, before any thread is started.
///
/// # Errors
/// What is not allowed or not there.
pub(crate) fn enter(cores: Option<(usize, usize)>) -> Result<Cores, String> {
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("no network namespace: {error}; run it as root"))?;
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    if !up.map_err(|error| format!("ip(8), of iproute2: {error}"))?.success() {
        return Err("loopback cannot be brought up in the new namespace".to_owned());
    }
    for (name, value) in SETTINGS {
        let path = format!("/proc/sys/{name}");
        fs::write(&path, value).map_err(|error| format!("{path} = {value}: {error}"))?;
    }
    raise_descriptors()?;
    let cores = match cores {
        Some((checker, target)) => Cores { checker, target },
        None => two_cores()?,
    };
    pin(cores.target)?;
    Ok(cores)
}

/// As many as may be; what a checker lacks then it says itself.
fn raise_descriptors() -> Result<(), String> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| format!("limits: {error}"))?;
    let wanted = hard.max(DESCRIPTORS);
    setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted)
        .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard))
        .map_err(|error| format!("a limit of {hard} descriptors: {error}"))
}

/// The last core that is ours for checkers, the first one for targets: the first one has the interrupts.
fn two_cores() -> Result<Cores, String> {
    let ours = sched_getaffinity(Pid::from_raw(0)).map_err(|error| format!("affinity: {error}"))?;
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| ours.is_set(*core) == Ok(true)).collect();
    match cores[..] {
        [target, .., checker] => Ok(Cores { checker, target }),
        _ => Err("two cores are needed, one for checkers and one for targets".to_owned()),
    }
}

/// Keeps the calling thread, and all that it starts from now on, on a core.
///
/// # Errors
/// There is no such core.
pub(crate) fn pin(core: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|error| format!("core {core}: {error}"))
}

/// A program that does not outlive the benchmark, whatever ends that.
pub(crate) fn bound(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}
