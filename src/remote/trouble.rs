//! Why there is no answer, in words for operators: what, where, what to do.

use std::fmt;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::people;
use crate::line::Harmless;

/// Why there is no answer, or not all of it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection.
    Connect {
        /// Where to.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
        /// How long it was tried.
        silence: Option<Duration>,
    },
    /// hfm said nothing for so long.
    Silent {
        /// Where.
        socket: PathBuf,
        /// How long.
        silence: Duration,
    },
    /// hfm closed the connection before its answer was complete.
    Closed {
        /// Where.
        socket: PathBuf,
    },
    /// The connection broke.
    Lost {
        /// Where.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What came is nothing that hfm says.
    Garbled {
        /// Where.
        socket: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A signal came.
    Interrupted,
    /// What was asked for cannot be printed.
    Output(io::Error),
    /// No signals can be had.
    Signals(io::Error),
}

impl Trouble {
    /// Whether it is only that nobody reads any more.
    pub(super) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { socket, error, silence } => connect(f, socket, error, *silence),
            Self::Silent { socket, silence } => write!(
                f,
                "hfm at {} has said nothing for {} s: it may be stuck; see its log (--timeout waits longer)",
                At(socket),
                silence.as_secs_f64()
            ),
            Self::Closed { socket } => write!(
                f,
                "hfm at {} closed the connection before its answer was complete: it has ended, or turned this \
                 client away; see its log",
                At(socket)
            ),
            Self::Lost { socket, error } => {
                write!(f, "the connection to hfm at {} broke: {error}", At(socket))
            }
            Self::Garbled { socket, why } => write!(
                f,
                "what answers at {} is not hfm, or hfm of another version: {}",
                At(socket),
                Harmless(why)
            ),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Output(error) => write!(f, "cannot write the answer: {error}"),
            Self::Signals(error) => write!(f, "cannot wait for signals: {error}"),
        }
    }
}

impl std::error::Error for Trouble {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { error, .. }
            | Self::Lost { error, .. }
            | Self::Output(error)
            | Self::Signals(error) => Some(error),
            Self::Silent { .. } | Self::Closed { .. } | Self::Garbled { .. } | Self::Interrupted => None,
        }
    }
}

/// A path, as it is told.
struct At<'a>(&'a Path);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Harmless(self.0.display()).fmt(f)
    }
}

/// Why nothing listens there for us, and what to do.
fn connect(
    f: &mut fmt::Formatter<'_>,
    socket: &Path,
    error: &io::Error,
    silence: Option<Duration>,
) -> fmt::Result {
    let at = At(socket);
    let is = |kind| error.kind() == kind;
    if is(io::ErrorKind::NotFound) {
        let help = "Start hfm, or name its socket ('control' in its file) with -s";
        write!(f, "no hfm: there is no socket {at}. {help}")
    } else if is(io::ErrorKind::PermissionDenied) {
        denied(f, socket)
    } else if is(io::ErrorKind::ConnectionRefused) && !is_socket(socket) {
        write!(f, "no hfm: {at} is not a socket. Name the one of hfm ('control' in its file) with -s")
    } else if is(io::ErrorKind::ConnectionRefused) {
        write!(f, "no hfm: nobody listens at {at}, so hfm has ended. Start it; its log says why it ended")
    } else if is_timeout(error) {
        let silence = silence.unwrap_or_default().as_secs_f64();
        write!(f, "hfm at {at} takes no connection within {silence} s: it may be stuck; see its log")
    } else if is(io::ErrorKind::InvalidInput) {
        write!(f, "{at} is too long for the path of a socket")
    } else {
        write!(f, "cannot connect to hfm at {at}: {error}")
    }
}

/// Whether a call on a socket took as long as it may.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Whose the socket is, and so in which group one has to be.
fn denied(f: &mut fmt::Formatter<'_>, socket: &Path) -> fmt::Result {
    write!(f, "you may not connect to hfm at {}: ", At(socket))?;
    match std::fs::metadata(socket) {
        Ok(metadata) => {
            let group = people::group(metadata.gid());
            write!(
                f,
                "it is for user {} and group {group}, and you are not in its group. Become one of them, or have \
                 yourself added to group {group}",
                people::user(metadata.uid())
            )
        }
        Err(_) => {
            f.write_str("a directory on the way to it is closed to you. Become root, or join its group")
        }
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}
