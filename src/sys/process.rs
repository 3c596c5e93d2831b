//! Children: which have ended, and signals to their groups.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};

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
        let mut status = 0;
        // By libc: nix knows no signals by number alone, and would lose a child that a real-time one ended.
        // SAFETY: `status` is valid for the call, which writes nothing else.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        match u32::try_from(pid) {
            Ok(0) => return None,
            Ok(pid) if libc::WIFEXITED(status) => {
                return Some((pid, Exit::Status(libc::WEXITSTATUS(status))));
            }
            Ok(pid) if libc::WIFSIGNALED(status) => return Some((pid, Exit::Signal(libc::WTERMSIG(status)))),
            // Stopped and continued children are not asked for.
            Ok(_) => {}
            Err(_) if Errno::last() == Errno::EINTR => {}
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

/// Sends SIGINT to a child and to its process group.
///
/// The child must not have been reaped: neither its number nor that of its group can have been given to
/// another then. It is signalled itself as well, because it may have left its group.
///
/// # Errors
/// When neither can be signalled, as kill(2).
pub fn interrupt(child: u32) -> std::io::Result<()> {
    signal_with_group(child, Signal::SIGINT)
}

/// Sends SIGKILL to a child and to its process group, under the same condition as [`interrupt`].
///
/// # Errors
/// When neither can be signalled, as kill(2).
pub fn terminate(child: u32) -> std::io::Result<()> {
    signal_with_group(child, Signal::SIGKILL)
}

fn signal_with_group(child: u32, signal: Signal) -> std::io::Result<()> {
    let child = Pid::from_raw(i32::try_from(child).map_err(std::io::Error::other)?);
    let group = killpg(child, signal);
    // A child that is in its group has the signal already; a second SIGINT could mean more than one.
    if group.is_ok() && getpgid(Some(child)) == Ok(child) {
        return Ok(());
    }
    Ok(kill(child, signal).or(group)?)
}
