//! One child process: made in a group of its own, its output captured.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use mio::unix::pipe::Receiver;

use super::Job;
use super::output::Capture;
use crate::engine::{StartError, StopSignal};
use crate::rule::{CommandLine, RunId};
use crate::sys::process::{self, SpawnFailure};

/// What a child is for.
#[derive(Debug)]
pub(super) enum Role {
    /// A rule's test.
    Test(RunId),
    /// A change command.
    Change(Box<Job>),
}

/// A child that runs, or has ended while its output is still open.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) role: Role,
    pid: u32,
    pub(super) started: Instant,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
    /// The poll watches its output.
    pub(super) watched: bool,
    /// It has been reaped: its number may belong to another.
    pub(super) reaped: bool,
}

impl Child {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn is_running_change(&self) -> bool {
        !self.reaped && matches!(self.role, Role::Change(_))
    }

    pub(super) fn output_is_open(&self) -> bool {
        self.stdout.is_open() || self.stderr.is_open()
    }

    /// Signals it and its group; whether that was done. One that has been reaped is left alone.
    pub(super) fn signal(&self, signal: StopSignal) -> io::Result<bool> {
        if self.reaped {
            return Ok(false);
        }
        match signal {
            StopSignal::Interrupt => process::interrupt(self.pid)?,
            StopSignal::Kill => process::terminate(self.pid)?,
        }
        Ok(true)
    }
}

/// Why there is no child.
#[derive(Debug)]
pub(super) struct NotSpawned {
    pub(super) error: StartError,
    pub(super) source: io::Error,
    /// A process that was made all the same, and has been killed: it must still be reaped.
    pub(super) stray: Option<u32>,
}

/// The command of a program, ready to be spawned any number of times.
///
/// stdin is /dev/null; the process gets a group of its own, so that a signal reaches all it started.
pub(super) fn prepare(line: &CommandLine) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = Command::new(&*line.program);
    command
        .args(line.arguments.iter().map(|argument| &**argument))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// Spawns a prepared command.
pub(super) fn spawn(command: &mut Command, role: Role, started: Instant) -> Result<Child, NotSpawned> {
    let failed = |source: io::Error, stray| NotSpawned { error: classify(&source), source, stray };
    let mut child = command.spawn().map_err(|error| failed(error, None))?;
    let pid = child.id();
    let captured = capture(&mut child);
    // The child is reaped by its pid alone; dropping the handle neither waits nor kills.
    drop(child);
    match captured {
        Ok([stdout, stderr]) => {
            Ok(Child { role, pid, started, stdout, stderr, watched: false, reaped: false })
        }
        Err(error) => {
            // Without its output it is of no use.
            let _ = process::terminate(pid);
            Err(failed(error, Some(pid)))
        }
    }
}

fn capture(child: &mut std::process::Child) -> io::Result<[Capture; 2]> {
    let missing = || io::Error::other("a piped stream of a new child is missing");
    let stdout = Receiver::from(child.stdout.take().ok_or_else(missing)?);
    let stderr = Receiver::from(child.stderr.take().ok_or_else(missing)?);
    Ok([Capture::new(stdout)?, Capture::new(stderr)?])
}

/// Whose fault it is that there is no process.
fn classify(error: &io::Error) -> StartError {
    match process::spawn_failure(error) {
        SpawnFailure::Program(errno) => StartError::Unusable(errno),
        SpawnFailure::Descriptors => StartError::Descriptors,
        SpawnFailure::System(errno) => StartError::Spawn(errno),
    }
}
