//! A lock that tells which process has it (fcntl(2)), and which one waits for it. It ends with that process, and no
//! child has a part in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid, getpid};

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
    /// When it cannot be opened for writing, or is none that was made so: whoever may write to the directory could have
    /// put a link there that leads to a file of ours.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // O_NONBLOCK: a FIFO of that name must not hold us.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        options.create(true).truncate(false).read(true).write(true).mode(0o600).custom_flags(flags);
        let file = options.open(path)?;
        let (found, directory) = (file.metadata()?, fs::metadata(path.parent().unwrap_or(path))?);
        let us = geteuid().as_raw();
        if !found.is_file() || found.nlink() != 1 || ![us, directory.uid()].contains(&found.uid()) {
            return Err(io::Error::other("it is not what hfm has made: see whose it is, and remove it"));
        }
        if found.uid() != directory.uid() {
            // Another hfm may be run by the owner of the directory. Who may not give it away leaves it so.
            let _ = fchown(&file, Some(directory.uid()), None);
        }
        Ok(Self(file))
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

    /// Takes back that this process waits for it.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn wait_no_more(&self) -> io::Result<()> {
        self.0.write_all_at(&[0; size_of::<libc::pid_t>()], 0)
    }

    /// Whether another process waits for it, as far as is known.
    pub fn is_waited_for(&self) -> bool {
        let mut bytes = [0; size_of::<libc::pid_t>()];
        if self.0.read_exact_at(&mut bytes, 0).is_err() {
            return false;
        }
        let waiting = libc::pid_t::from_ne_bytes(bytes);
        // It may be this process that has waited, or one that is gone.
        waiting > 1 && waiting != getpid().as_raw() && is_there(kill(Pid::from_raw(waiting), None))
    }
}

/// What kill(2) says of a process: one that may not be signalled is there.
fn is_there(found: Result<(), Errno>) -> bool {
    found != Err(Errno::ESRCH)
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use nix::unistd::mkfifo;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("hfm-lock-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    #[test]
    fn what_somebody_else_put_there_is_no_lock() {
        let directory = directory("foreign");
        let path = directory.join("lock");
        fs::write(directory.join("ours"), "").expect("a file");
        fs::hard_link(directory.join("ours"), &path).expect("a link");
        assert!(ProcessLock::open(&path).is_err());
        fs::remove_file(&path).expect("it is there");
        mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        assert!(ProcessLock::open(&path).is_err());
        fs::remove_file(&path).expect("it is there");
        ProcessLock::open(&path).expect("nothing is there any more");
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12345), None).expect("we are root");
            assert!(ProcessLock::open(&path).is_err());
            std::os::unix::fs::chown(&directory, Some(12345), None).expect("we are root");
            ProcessLock::open(&path).expect("it is the directory's owner's");
            fs::remove_file(&path).expect("it is there");
            ProcessLock::open(&path).expect("it makes one");
            assert_eq!(fs::metadata(&path).expect("it is there").uid(), 12345);
        }
        fs::remove_dir_all(&directory).expect("it is ours");
    }

    #[test]
    fn only_a_process_that_is_not_there_is_gone() {
        assert!(is_there(Ok(())) && is_there(Err(Errno::EPERM)) && !is_there(Err(Errno::ESRCH)));
    }
}
