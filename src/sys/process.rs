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

/// A child of this process that has ended and was not reaped, which it leaves so; `None` when there is none.
///
/// Others may hide behind it: it is named again and again until somebody has reaped it.
pub fn ended_child() -> Option<u32> {
    loop {
        // SAFETY: all zeroes are a value of this C struct of numbers and pointers.
        let mut ended: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // By libc: nix knows no signals by number alone, and would not name a child that a real-time one ended.
        // SAFETY: `ended` is valid for the call, which writes nothing else.
        let result = unsafe { libc::waitid(libc::P_ALL, 0, &raw mut ended, options) };
        if result == 0 {
            // SAFETY: waitid(2) filled it in for a child, or left si_pid 0.
            let pid = unsafe { ended.si_pid() };
            return u32::try_from(pid).ok().filter(|pid| *pid != 0);
        }
        if Errno::last() != Errno::EINTR {
            return None;
        }
    }
}

/// Reaps this child of this process if it has ended; `None` when it runs still.
///
/// Only who made it may call this: nobody waits for the children of others.
///
/// # Errors
/// When this is no child of this process, or was reaped before.
pub fn reap(child: u32) -> std::io::Result<Option<Exit>> {
    let child = i32::try_from(child).map_err(std::io::Error::other)?;
    loop {
        let mut status = 0;
        // By libc, for the sake of real-time signals, as above.
        // SAFETY: `status` is valid for the call, which writes nothing else.
        let pid = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        match pid {
            0 => return Ok(None),
            1.. if libc::WIFEXITED(status) => return Ok(Some(Exit::Status(libc::WEXITSTATUS(status)))),
            1.. if libc::WIFSIGNALED(status) => return Ok(Some(Exit::Signal(libc::WTERMSIG(status)))),
            // Stopped and continued children are not asked for.
            1.. => {}
            _ if Errno::last() == Errno::EINTR => {}
            _ => return Err(Errno::last().into()),
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
