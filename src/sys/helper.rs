//! A process of our own that outlives this one: forked, on its own, with nothing of what this one has open.

use std::fs::{self, File};
use std::io::{self, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

/// Numbers of signals end below this, on every system.
const SIGNALS_END: libc::c_int = 129;
/// What nobody that is a service should end by.
const IGNORED: &[libc::c_int] = &[libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGPIPE];
/// The exit status of what should not have ended so.
const FAILED: libc::c_int = 70;

/// The other end of a helper.
#[derive(Debug)]
pub struct Forked {
    /// What is spoken with it by.
    pub socket: UnixStream,
    /// Its number.
    pub pid: u32,
}

/// Starts a process that does `body`, with its end of a socket, and ends. It is no child of this one, so nobody has to
/// wait for it. In it: a session of its own, no descriptor but the socket and three that lead nowhere, no signal
/// blocked, none handled, and those ignored by which a terminal would end it; `body` is told whether that could be
/// done.
///
/// To be called while there is no other thread: of those nothing is left in the new process but the locks that they
/// held. Nothing of what this process has open may be used by `body`.
///
/// # Errors
/// When no process or socket can be had.
pub fn start(
    name: &'static std::ffi::CStr,
    body: impl FnOnce(UnixStream, io::Result<()>),
) -> io::Result<Forked> {
    let (ours, theirs) = UnixStream::pair()?;
    // By a pipe of its own: on the socket, the new process may speak before its number is told.
    let (mut number, told) = pipe()?;
    // Twice: whose parent has ended belongs to the system's first process, which waits for everyone.
    // SAFETY: this is the only thread, as the caller has seen to, so the new process may do whatever this one may.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop((ours, number));
            exit_from(|| between(name, theirs, told, body))
        }
        ForkResult::Parent { child } => {
            drop((theirs, told));
            if waited_for(child)? != Some(0) {
                return Err(io::Error::other("the process that was to start it has failed"));
            }
            let mut pid = [0; size_of::<u32>()];
            // Whatever is known of that process, it has done its work if this is here.
            number.read_exact(&mut pid)?;
            Ok(Forked { socket: ours, pid: u32::from_ne_bytes(pid) })
        }
    }
}

/// The process between the two: it tells the number of the one that it starts.
fn between(
    name: &'static std::ffi::CStr,
    theirs: UnixStream,
    mut told: PipeWriter,
    body: impl FnOnce(UnixStream, io::Result<()>),
) -> io::Result<()> {
    // SAFETY: as above; there was no time to start a thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(told);
            let alone = be_alone(name, &theirs);
            body(theirs, alone);
            Ok(())
        }
        ForkResult::Parent { child } => {
            let pid = u32::try_from(child.as_raw()).map_err(io::Error::other)?;
            told.write_all(&pid.to_ne_bytes())
        }
    }
}

/// The status that a child ended with; `None` when a signal ended it.
fn waited_for(child: Pid) -> io::Result<Option<i32>> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(Some(status)),
            Ok(WaitStatus::Signaled(..)) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => {}
            // Whoever started this process has it ignore how its children end: it has ended.
            Err(Errno::ECHILD) => return Ok(Some(0)),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Ends the process with what is to be done, however that ends; what others have left to be done at the end of a
/// process is theirs, and not done here.
fn exit_from(work: impl FnOnce() -> io::Result<()>) -> ! {
    let status = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => 0,
        Ok(Err(_)) | Err(_) => FAILED,
    };
    // SAFETY: it takes a number and does not return.
    unsafe { libc::_exit(status) }
}

/// Leaves everything behind that this process was born with, but for the socket.
fn be_alone(name: &'static std::ffi::CStr, socket: &UnixStream) -> io::Result<()> {
    let step = |what: &'static str| {
        move |error: io::Error| io::Error::new(error.kind(), format!("cannot {what}: {error}"))
    };
    setsid().map_err(|errno| step("have a session of its own")(errno.into()))?;
    // No file system is kept from being unmounted.
    std::env::set_current_dir("/").map_err(step("go to /"))?;
    call_itself(name);
    for signal in 1..SIGNALS_END {
        let disposition = if IGNORED.contains(&signal) { libc::SIG_IGN } else { libc::SIG_DFL };
        // Those that there are not, and those that cannot be handled, are refused.
        // SAFETY: no handler is installed.
        unsafe { libc::signal(signal, disposition) };
    }
    SigSet::empty().thread_set_mask().map_err(|errno| step("have no signal blocked")(errno.into()))?;
    lead_nowhere().map_err(step("have /dev/null for what it reads and writes"))?;
    // The standard library has seen to it that these three were open, so it is none of them.
    let socket = socket.as_raw_fd();
    close(libc::STDERR_FILENO + 1, socket - 1)
        .and_then(|()| close(socket + 1, RawFd::MAX))
        .map_err(step("close what hfm has open"))
}

fn lead_nowhere() -> io::Result<()> {
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&nowhere)?;
    dup2_stdout(&nowhere)?;
    Ok(dup2_stderr(&nowhere)?)
}

/// Closes all descriptors from one to another.
fn close(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: whoever owns one of them in this process never uses it again; the only one that is used is not closed.
    #[cfg(target_os = "linux")]
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    // SAFETY: as above.
    #[cfg(target_os = "freebsd")]
    let result = unsafe { libc::close_range(first.cast_unsigned(), last.cast_unsigned(), 0) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // Kernels before Linux 5.9 have no such call, and some containers refuse what they do not know.
    close_listed(Path::new("/proc/self/fd"), first, last).map_err(|_| error)
}

/// The same, one by one, as a directory lists them.
fn close_listed(listed: &Path, first: RawFd, last: RawFd) -> io::Result<()> {
    let mut open = Vec::new();
    for entry in fs::read_dir(listed)? {
        open.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    // That of the list is among them, and closed by now.
    for descriptor in open.into_iter().filter(|descriptor| (first..=last).contains(descriptor)) {
        // SAFETY: as above. One that is not open is refused.
        unsafe { libc::close(descriptor) };
    }
    Ok(())
}

/// What process lists show.
#[cfg(target_os = "linux")]
fn call_itself(name: &'static std::ffi::CStr) {
    // Nothing depends on it.
    let _ = nix::sys::prctl::set_name(name);
}

/// What process lists show.
#[cfg(target_os = "freebsd")]
fn call_itself(name: &'static std::ffi::CStr) {
    // SAFETY: both strings end in NUL; the format takes exactly one. `-` leaves the program's name out.
    unsafe { libc::setproctitle(c"-%s".as_ptr(), name.as_ptr()) }
}

/// Waits until one of these can be read from without waiting, or has ended, for so long in milliseconds; -1 is for
/// ever. Says which. Being interrupted counts as none.
///
/// # Errors
/// As poll(2).
pub fn wait_readable<const N: usize>(
    streams: [Option<BorrowedFd<'_>>; N],
    milliseconds: i32,
) -> io::Result<[bool; N]> {
    let mut polled: Vec<PollFd<'_>> =
        streams.iter().flatten().map(|of| PollFd::new(of.as_fd(), PollFlags::POLLIN)).collect();
    let timeout = PollTimeout::try_from(milliseconds).map_err(io::Error::other)?;
    let mut found = [false; N];
    match poll(&mut polled, timeout) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(found),
        Err(errno) => return Err(errno.into()),
    }
    let mut polled = polled.iter();
    for (found, stream) in found.iter_mut().zip(streams) {
        *found = stream.is_some() && polled.next().and_then(PollFd::any).unwrap_or(false);
    }
    Ok(found)
}

/// Whether the other end of a socket is closed, whatever there is to be read yet.
///
/// # Errors
/// As poll(2).
pub fn has_hung_up(socket: BorrowedFd<'_>) -> io::Result<bool> {
    let mut polled = [PollFd::new(socket, PollFlags::empty())];
    match poll(&mut polled, PollTimeout::ZERO) {
        Ok(_) => Ok(polled[0].revents().is_some_and(|found| found.contains(PollFlags::POLLHUP))),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use nix::fcntl::{FcntlArg, fcntl};

    use super::*;

    #[test]
    fn without_close_range_descriptors_are_closed_one_by_one() {
        // Far from those of other tests.
        const FIRST: RawFd = 700;
        let file = File::open("/dev/zero").expect("every system has it");
        let copy = |number| fcntl(&file, FcntlArg::F_DUPFD_CLOEXEC(number)).expect("there is room");
        let copies = [FIRST, FIRST + 7, FIRST + 8].map(copy);
        assert_eq!(copies, [FIRST, FIRST + 7, FIRST + 8]);
        close_listed(Path::new("/proc/self/fd"), FIRST, FIRST + 7).expect("Linux lists them");
        let is_open = |number: RawFd| Path::new(&format!("/proc/self/fd/{number}")).exists();
        assert_eq!(copies.map(is_open), [false, false, true]);
        close_listed(Path::new("/proc/self/fd"), FIRST + 8, FIRST + 8).expect("Linux lists them");
        assert!(!is_open(FIRST + 8));
        assert!(close_listed(Path::new("/nowhere"), FIRST, RawFd::MAX).is_err());
    }
}
