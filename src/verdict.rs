//! What a run found out: success, failure with a cause, or nothing because of this machine's own trouble.
//!
//! One variant per way a run can end. Each has a stable name (`exit-status`), which logs, commands and
//! control speak, and a detail text for people. The set is closed: a new ending is a new variant.

mod cause;
mod measured;
mod reason;

use std::fmt;
use std::time::Duration;

pub use cause::{Cause, Days, Stage, Text, TimedOut};
pub use measured::Measured;
pub use reason::Reason;

/// The outcome of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target did what was asked of it.
    Success,
    /// The target did not.
    Failure(Cause),
    /// This machine's own trouble: says nothing about the target, changes no state and no count.
    Inconclusive(LocalCause),
}

/// Why a run says nothing about its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalCause {
    /// The name was never found; what the resolver said, if it has answered at all.
    Unresolved(Text),
    /// No descriptors left (EMFILE, ENFILE).
    Descriptors,
    /// No local port left (EADDRINUSE, EADDRNOTAVAIL).
    Ports,
    /// No memory for sockets (ENOBUFS, ENOMEM); the `errno`.
    Buffers(i32),
    /// The system does not let us; what it refused.
    Permission(Text),
    /// The address named by `source` is not one of this machine.
    Address(Text),
    /// The device named by `interface` does not exist.
    Interface(Text),
    /// The system could not make a process; the `errno` it gave.
    Spawn(i32),
    /// A timeout struck, or the target gave up waiting, in a run that our own stalls held up for too long.
    Late {
        /// Our own stalls from the run's due to its end, added up.
        stalled: Duration,
        /// The timeout that struck, or the run's.
        limit: Duration,
    },
    /// It failed while a rule named in `guard` was not succeeding.
    Guarded,
}

/// How a process ended (wait(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this status, 0 to 255.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

impl Verdict {
    /// The stable name of the reason: `ok`, or the cause's.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Failure(cause) => cause.name(),
            Self::Inconclusive(cause) => cause.name(),
        }
    }

    /// Whether it says something about the target.
    pub fn is_conclusive(&self) -> bool {
        !matches!(self, Self::Inconclusive(_))
    }
}

impl fmt::Display for Verdict {
    /// The detail text for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("ok"),
            Self::Failure(cause) => cause.fmt(f),
            Self::Inconclusive(cause) => cause.fmt(f),
        }
    }
}

impl LocalCause {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unresolved(_) => "unresolved",
            Self::Descriptors => "descriptors",
            Self::Ports => "ports",
            Self::Buffers(_) => "buffers",
            Self::Permission(_) => "permission",
            Self::Address(_) => "address",
            Self::Interface(_) => "interface",
            Self::Spawn(_) => "spawn",
            Self::Late { .. } => "late",
            Self::Guarded => "guarded",
        }
    }
}

impl fmt::Display for LocalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptors => f.write_str("no file descriptors left; raise the limit on open files"),
            Self::Ports => {
                f.write_str(
                    "no local port left for a target: 'close = fin' keeps one for a minute after each run, 'reset' \
                     does not; else widen the system's range of ports, or give rules different 'source' addresses",
                )
            }
            Self::Buffers(errno) => {
                write!(f, "no memory for a socket: {}", SystemWords(*errno))
            }
            Self::Unresolved(text) | Self::Permission(text) | Self::Address(text) | Self::Interface(text) => {
                f.write_str(text)
            }
            Self::Spawn(errno) => {
                write!(f, "cannot start a process: {}", SystemWords(*errno))
            }
            Self::Late { stalled, limit } => {
                write!(f, "this machine stalled for {stalled:?} of a timeout of {limit:?}")
            }
            Self::Guarded => f.write_str("failed while its guard does not succeed"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Signaled(signal) => write!(f, "signal {}", SignalName(*signal)),
        }
    }
}

/// What the system calls an `errno`, without its number.
pub struct SystemWords(pub i32);

impl fmt::Display for SystemWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(words.split(" (os error").next().unwrap_or(&words))
    }
}

/// A signal's number with its name, where it is one that every Unix numbers alike (signal(7), sys/signal.h).
struct SignalName(i32);

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            5 => "SIGTRAP",
            6 => "SIGABRT",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            _ => return write!(f, "{}", self.0),
        };
        write!(f, "{} ({name})", self.0)
    }
}
