//! Runs a program to its end, with its input and its output in memory.
//!
//! For a thread that may block: it waits in poll(2) and by nothing else, up to a deadline over everything.
//! What has not ended by then is killed with its process group. No clock is read here: who runs programs
//! lends one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::process::{self, Exit};

/// Bytes of stdout at most: 200,000 addresses, which is as many as pf's tables hold by default, need a
/// third of it.
pub const STDOUT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of stderr at most.
pub const STDERR_BYTES_MAX: usize = 64 * 1024;
/// A longer time limit than this counts as this.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);
/// How long a killed process is waited for. One that the kernel holds (a device that does not answer) ends
/// later, and is reaped at a later run.
const KILLED_WAIT_MAX: Duration = Duration::from_secs(1);
/// Killed processes that have not ended: with this many no further one is made.
const KILLED_MAX: usize = 8;
/// Between two looks at a process that has closed its output and not ended: the shortest that poll(2) knows.
const EXIT_PAUSE_MS: u8 = 1;

/// A program that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// All that it printed.
    pub stdout: Vec<u8>,
    /// All that it complained of.
    pub stderr: Vec<u8>,
}

/// Why a program did not run, or not to its end.
#[derive(Debug)]
pub enum ProgramError {
    /// There is no such program.
    NotFound,
    /// It may not be executed.
    NotPermitted,
    /// No process could be made, for another reason.
    NotStarted(io::Error),
    /// It had not ended in time, and was killed.
    Timeout,
    /// It printed more than this many bytes, and was killed.
    TooMuchOutput(usize),
    /// Its input, output or end could not be dealt with.
    Io(io::Error),
    /// This many earlier runs were killed and have not ended yet; no further one was made.
    Stuck(usize),
}

/// Runs programs, one at a time.
#[derive(Debug)]
pub struct Runner {
    clock: fn() -> Instant,
    /// Killed, and not ended when that was last looked at.
    killed: Vec<u32>,
}

impl Runner {
    /// Runs nothing yet. `clock` tells the present moment.
    pub fn new(clock: fn() -> Instant) -> Self {
        Self { clock, killed: Vec::new() }
    }

    /// What tells it the present moment.
    pub fn clock(&self) -> fn() -> Instant {
        self.clock
    }

    /// Runs a program (looked up in PATH when it has no slash) to its end, writes `input` to its stdin and
    /// reads what it prints. It has a process group of its own, and messages in plain English (`LC_ALL=C`).
    /// A program that does not read its input is no error.
    ///
    /// # Errors
    /// When there is no program, when it has not ended after `timeout` (an hour at most), and when it prints
    /// too much. All that is left of it is killed then.
    pub fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        input: &[u8],
        timeout: Duration,
    ) -> Result<Finished, ProgramError> {
        self.killed.retain(|pid| matches!(process::reap(*pid), Ok(None)));
        if self.killed.len() >= KILLED_MAX {
            return Err(ProgramError::Stuck(self.killed.len()));
        }
        let deadline = (self.clock)() + timeout.min(TIMEOUT_MAX);
        let mut child = Command::new(program)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        let pid = child.id();
        let streams = Streams::take(&mut child, input).map_err(ProgramError::Io);
        // Reaped by its pid alone; dropping the handle neither waits nor kills.
        drop(child);
        let output = streams.and_then(|streams| self.exchange(streams, deadline));
        let (stdout, stderr) = output.inspect_err(|_| self.kill(pid))?;
        match self.wait(pid, deadline).map_err(ProgramError::Io)? {
            Some(exit) => Ok(Finished { exit, stdout, stderr }),
            None => {
                self.kill(pid);
                Err(ProgramError::Timeout)
            }
        }
    }

    /// Writes the input and reads the output until all of it is closed.
    fn exchange(
        &self,
        mut streams: Streams<'_>,
        deadline: Instant,
    ) -> Result<(Vec<u8>, Vec<u8>), ProgramError> {
        let mut scratch = vec![0; 64 * 1024];
        while streams.are_open() {
            let left = deadline.saturating_duration_since((self.clock)());
            if left.is_zero() {
                return Err(ProgramError::Timeout);
            }
            let [stdin, stdout, stderr] = streams.ready(left).map_err(ProgramError::Io)?;
            if stdin {
                streams.stdin.write().map_err(ProgramError::Io)?;
            }
            if stdout {
                streams.stdout.read(&mut scratch)?;
            }
            if stderr {
                streams.stderr.read(&mut scratch)?;
            }
        }
        Ok((streams.stdout.bytes, streams.stderr.bytes))
    }

    /// Waits for the end of a child until then; `None` when it runs still.
    fn wait(&self, pid: u32, deadline: Instant) -> io::Result<Option<Exit>> {
        loop {
            let exit = process::reap(pid)?;
            if exit.is_some() || (self.clock)() >= deadline {
                return Ok(exit);
            }
            pause()?;
        }
    }

    /// Kills a child that was not reaped, and its group.
    fn kill(&mut self, pid: u32) {
        // One that cannot be killed has changed its user; it is waited for as any other.
        let _ = process::terminate(pid);
        let until = (self.clock)() + KILLED_WAIT_MAX;
        if matches!(self.wait(pid, until), Ok(None)) {
            self.killed.push(pid);
        }
    }
}

fn not_started(error: io::Error) -> ProgramError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of errors are not ours")]
    match error.kind() {
        io::ErrorKind::NotFound => ProgramError::NotFound,
        io::ErrorKind::PermissionDenied => ProgramError::NotPermitted,
        _ => ProgramError::NotStarted(error),
    }
}

fn pause() -> io::Result<()> {
    match poll(&mut [], PollTimeout::from(EXIT_PAUSE_MS)) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A child's three pipes.
#[derive(Debug)]
struct Streams<'a> {
    stdin: Input<'a>,
    stdout: Output,
    stderr: Output,
}

impl<'a> Streams<'a> {
    fn take(child: &mut Child, input: &'a [u8]) -> io::Result<Self> {
        let missing = || io::Error::other("a piped stream of a new child is missing");
        let stdin = pipe(child.stdin.take().ok_or_else(missing)?.into())?;
        let stdout = pipe(child.stdout.take().ok_or_else(missing)?.into())?;
        let stderr = pipe(child.stderr.take().ok_or_else(missing)?.into())?;
        Ok(Self {
            stdin: Input { pipe: (!input.is_empty()).then_some(stdin), rest: input },
            stdout: Output { pipe: Some(stdout), bytes: Vec::new(), bytes_max: STDOUT_BYTES_MAX },
            stderr: Output { pipe: Some(stderr), bytes: Vec::new(), bytes_max: STDERR_BYTES_MAX },
        })
    }

    fn are_open(&self) -> bool {
        self.stdin.pipe.is_some() || self.stdout.pipe.is_some() || self.stderr.pipe.is_some()
    }

    /// Which of stdin, stdout and stderr have something to do; waits for one of them, for this long at most.
    fn ready(&self, left: Duration) -> io::Result<[bool; 3]> {
        let timeout_ms = u16::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        let pipes = [
            (&self.stdin.pipe, PollFlags::POLLOUT),
            (&self.stdout.pipe, PollFlags::POLLIN),
            (&self.stderr.pipe, PollFlags::POLLIN),
        ];
        let open = pipes.iter().filter_map(|(pipe, flags)| Some(PollFd::new(pipe.as_ref()?.as_fd(), *flags)));
        let mut open: Vec<PollFd<'_>> = open.collect();
        match poll(&mut open, PollTimeout::from(timeout_ms)) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => return Ok([false; 3]),
            Err(error) => return Err(error.into()),
        }
        let mut polled = open.iter();
        // An error or a hang-up is found out by using the pipe.
        Ok(pipes.map(|(pipe, _)| {
            pipe.is_some() && polled.next().is_some_and(|fd| fd.any().is_none_or(|any| any))
        }))
    }
}

/// A pipe of ours, made non-blocking.
fn pipe(fd: OwnedFd) -> io::Result<File> {
    // SAFETY: the descriptor is ours and open; F_GETFL and F_SETFL take and give plain numbers.
    let result = unsafe {
        match libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) {
            -1 => -1,
            flags => libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK),
        }
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(File::from(fd)) }
}

#[derive(Debug)]
struct Input<'a> {
    pipe: Option<File>,
    rest: &'a [u8],
}

impl Input<'_> {
    fn write(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        match pipe.write(self.rest) {
            Ok(length) => self.rest = &self.rest[length..],
            Err(error) if is_passing(&error) => {}
            // It has ended, or does not want to hear more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.rest = &[],
            Err(error) => return Err(error),
        }
        if self.rest.is_empty() {
            self.pipe = None;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Output {
    pipe: Option<File>,
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Output {
    fn read(&mut self, scratch: &mut [u8]) -> Result<(), ProgramError> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        match pipe.read(scratch) {
            Ok(0) => self.pipe = None,
            Ok(length) if length > self.bytes_max - self.bytes.len() => {
                return Err(ProgramError::TooMuchOutput(self.bytes_max));
            }
            Ok(length) => self.bytes.extend_from_slice(&scratch[..length]),
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(ProgramError::Io(error)),
        }
        Ok(())
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
