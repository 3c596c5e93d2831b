//! Children: which have ended, and signals to their groups.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a child ended (wait(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

/// Why a process could not be made; `errno` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnFailure {
    /// The program is not found, not executable, or of no known format.
    Program(i32),
    /// No descriptors left.
    Descriptors,
    /// Anything else: this machine's trouble.
    System(i32),
}

/// Tells whose fault it is that a process could not be made: the program's or this machine's (execve(2),
/// pipe(2), fork(2)).
pub fn spawn_failure(error: &std::io::Error) -> SpawnFailure {
    match error.raw_os_error() {
        Some(errno @ (libc::ENOENT | libc::ENOTDIR | libc::EACCES | libc::ENOEXEC | libc::ELOOP)) => {
            SpawnFailure::Program(errno)
        }
        Some(libc::EMFILE | libc::ENFILE) => SpawnFailure::Descriptors,
        Some(errno) => SpawnFailure::System(errno),
        None => SpawnFailure::System(libc::EINVAL),
    }
}

/// Reaps one child of this process that has ended, whichever it is; `None` when none has.
///
/// One thread alone may call it: nobody else can wait for a child of their own then.
pub fn reap_any() -> Option<(u32, Exit)> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => {
                return Some((pid.as_raw().unsigned_abs(), Exit::Status(status)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                return Some((pid.as_raw().unsigned_abs(), Exit::Signal(signal as i32)));
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            // Stopped and continued children are not asked for.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
}

/// Keeps SIGCHLD from the calling thread and from those it starts from now on, so that the end of a child
/// wakes only the thread that waits for it.
///
/// # Errors
/// As pthread_sigmask(3).
pub fn leave_child_signals() -> std::io::Result<()> {
    Ok(child_signal().thread_block()?)
}

/// Has the calling thread take SIGCHLD again.
///
/// # Errors
/// As pthread_sigmask(3).
pub fn take_child_signals() -> std::io::Result<()> {
    Ok(child_signal().thread_unblock()?)
}

fn child_signal() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set
}

/// Sends SIGINT to a process group. The group must be of a child that has not been reaped: its number
/// cannot have been given to another then.
///
/// # Errors
/// As kill(2).
pub fn interrupt_group(leader: u32) -> std::io::Result<()> {
    signal_group(leader, Signal::SIGINT)
}

/// Sends SIGKILL to a process group, under the same condition as [`interrupt_group`].
///
/// # Errors
/// As kill(2).
pub fn kill_group(leader: u32) -> std::io::Result<()> {
    signal_group(leader, Signal::SIGKILL)
}

fn signal_group(leader: u32, signal: Signal) -> std::io::Result<()> {
    let leader = i32::try_from(leader).map_err(std::io::Error::other)?;
    Ok(killpg(Pid::from_raw(leader), signal)?)
}
