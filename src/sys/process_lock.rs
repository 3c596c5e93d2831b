//! A lock that tells which process has it (fcntl(2)). It ends with that process, and no child has a part in it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A file that one process at a time has locked. No other descriptor of that file may be closed by this process while
/// the lock is to last.
#[derive(Debug)]
pub struct ProcessLock(File);

/// Whose a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process's, from now on.
    Us,
    /// Another one's.
    Other(Pid),
    /// Another one's, and which is not to be known: one that a container hides, or that has just let go.
    Unknown,
}

impl ProcessLock {
    /// Opens the file, and makes it if there is none. It stays.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // O_NONBLOCK: a FIFO of that name must not hold us.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags);
        Ok(Self(options.open(path)?))
    }

    /// Locks it, if nobody has it.
    ///
    /// # Errors
    /// When files of that kind cannot be locked.
    pub fn try_lock(&self) -> io::Result<Holder> {
        let mut lock = whole_file();
        match fcntl(&self.0, FcntlArg::F_SETLK(&lock)) {
            Ok(_) => return Ok(Holder::Us),
            Err(Errno::EACCES | Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        fcntl(&self.0, FcntlArg::F_GETLK(&mut lock))?;
        let is_held = i32::from(lock.l_type) != libc::F_UNLCK;
        // 0 and below would be groups of processes, and 1 is the one that must never be signalled.
        Ok(if is_held && lock.l_pid > 1 { Holder::Other(Pid::from_raw(lock.l_pid)) } else { Holder::Unknown })
    }
}

/// Asks who has a lock to leave (SIGUSR1). One that is gone has left.
///
/// # Errors
/// As kill(2).
pub fn ask_to_leave(holder: Pid) -> io::Result<()> {
    signal(holder, Signal::SIGUSR1)
}

/// Has who has a lock end (SIGKILL). One that is gone has ended.
///
/// # Errors
/// As kill(2).
pub fn end(holder: Pid) -> io::Result<()> {
    signal(holder, Signal::SIGKILL)
}

fn signal(holder: Pid, signal: Signal) -> io::Result<()> {
    match kill(holder, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// A lock to write, of everything in a file.
fn whole_file() -> libc::flock {
    // SAFETY: all zeroes are a value of this C struct of numbers: from the first byte on, without an end.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    // Small constants on all systems, of types that differ between them.
    #[allow(clippy::cast_possible_truncation)]
    {
        lock.l_type = libc::F_WRLCK as libc::c_short;
        lock.l_whence = libc::SEEK_SET as libc::c_short;
    }
    lock
}
