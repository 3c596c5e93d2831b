//! A lock that tells which process has it (fcntl(2)), and which one waits for it. It ends with that process, and no
//! child has a part in it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

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
        options.create(true).truncate(false).read(true).write(true).mode(0o600).custom_flags(flags);
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
        // Left as it is, 0, when nobody has it.
        fcntl(&self.0, FcntlArg::F_GETLK(&mut lock))?;
        // 0 and below would be groups of processes, and 1 is the one that must never be signalled.
        Ok(if lock.l_pid > 1 { Holder::Other(Pid::from_raw(lock.l_pid)) } else { Holder::Unknown })
    }

    /// Tells whoever has it, or is to have it, that this process waits for it.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn wait_in_it(&self) -> io::Result<()> {
        self.0.write_all_at(&getpid().as_raw().to_ne_bytes(), 0)
    }

    /// Whether another process waits for it, as far as is known.
    pub fn is_waited_for(&self) -> bool {
        let mut bytes = [0; size_of::<libc::pid_t>()];
        if self.0.read_exact_at(&mut bytes, 0).is_err() {
            return false;
        }
        let waiting = libc::pid_t::from_ne_bytes(bytes);
        // It may be this process that has waited, or one that is gone.
        waiting > 1 && waiting != getpid().as_raw() && kill(Pid::from_raw(waiting), None).is_ok()
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
    #[allow(
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        reason = "small constants on all systems, of types that differ between them"
    )]
    {
        lock.l_type = libc::F_WRLCK as libc::c_short;
        lock.l_whence = libc::SEEK_SET as libc::c_short;
    }
    lock
}
