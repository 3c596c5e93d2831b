//! What a run found out: success, failure with a cause, or nothing because of this machine's own trouble.
//!
//! One variant per way a run can end. Each has a stable name (`exit-status`), which logs, commands and
//! control speak, and a detail text for people. The set is closed: a new ending is a new variant.

use std::fmt;
use std::time::Duration;

/// The outcome of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target did what was asked of it.
    Success,
    /// The target did not.
    Failure(Cause),
    /// This machine's own trouble: says nothing about the target, changes no state and no count.
    Inconclusive(LocalCause),
}

/// Why a target counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The test exited with a status other than 0.
    ExitStatus(i32),
    /// The test was ended by a signal that was not ours.
    Signal(i32),
    /// The test had to be interrupted at `timeout_int` and did not then succeed.
    TimeoutInt(TimedOut),
    /// The test had to be killed at `timeout_kill`.
    TimeoutKill(TimedOut),
    /// A rule named in `requires` is down.
    Requires,
    /// `status = always-fail`.
    AlwaysFail,
}

/// A timeout that struck, and how the test ended then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// The timeout as configured.
    pub limit: Duration,
    /// How the process ended after the signal.
    pub ending: Ending,
}

/// Why a run says nothing about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalCause {
    /// No descriptors left (EMFILE, ENFILE).
    Descriptors,
    /// The system could not make a process; the `errno` it gave.
    Spawn(i32),
    /// A timeout struck in a run that our own stalls held up for too long.
    Late {
        /// Our own stalls from the run's due to its end, added up.
        stalled: Duration,
        /// The timeout that struck.
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

impl Cause {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ExitStatus(_) => "exit-status",
            Self::Signal(_) => "signal",
            Self::TimeoutInt(_) => "timeout-int",
            Self::TimeoutKill(_) => "timeout-kill",
            Self::Requires => "requires",
            Self::AlwaysFail => "always-fail",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExitStatus(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "ended by signal {}", SignalName(*signal)),
            Self::TimeoutInt(timed_out) => {
                write!(f, "interrupted after {:?}, then {}", timed_out.limit, timed_out.ending)
            }
            Self::TimeoutKill(timed_out) => {
                write!(f, "killed after {:?}, then {}", timed_out.limit, timed_out.ending)
            }
            Self::Requires => f.write_str("a rule it requires is down"),
            Self::AlwaysFail => f.write_str("status is always-fail"),
        }
    }
}

impl LocalCause {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
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
            Self::Spawn(errno) => {
                write!(f, "cannot start a process: {}", std::io::Error::from_raw_os_error(*errno))
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
