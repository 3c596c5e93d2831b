//! The signals that a helper heeds.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGTERM, SIGUSR1};
use signal_hook::{flag, low_level};

/// What signals have asked for, since that was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// To leave, because another one takes over.
    pub(super) to_leave: bool,
    /// To end.
    pub(super) to_end: bool,
}

/// A flag for each signal, and a stream that wakes who waits.
pub(super) struct Signals {
    leave: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
    stream: UnixStream,
}

impl Signals {
    /// Installs the handlers.
    pub(super) fn new() -> io::Result<Self> {
        let (stream, signalled) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        let leave = Arc::new(AtomicBool::new(false));
        let end = Arc::new(AtomicBool::new(false));
        for (number, raised) in [(SIGUSR1, &leave), (SIGTERM, &end)] {
            // In this order: the flag is up before anybody wakes.
            flag::register(number, raised.clone())?;
            low_level::pipe::register(number, signalled.try_clone()?)?;
        }
        Ok(Self { leave, end, stream })
    }

    /// What came since.
    pub(super) fn take(&mut self) -> Asked {
        let mut drain = [0; 64];
        while matches!(self.stream.read(&mut drain), Ok(length) if length > 0) {}
        Asked {
            to_leave: self.leave.swap(false, Ordering::SeqCst),
            to_end: self.end.swap(false, Ordering::SeqCst),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
