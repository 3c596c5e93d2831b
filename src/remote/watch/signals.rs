//! The signals that a watch has to know of, without a handler that does work.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

/// What signals ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// SIGINT, SIGTERM, SIGHUP: end.
    Stop,
    /// SIGTSTP: stop until somebody has it go on.
    Suspend,
    /// SIGWINCH: the terminal has another size.
    Resized,
    /// Nothing.
    Nothing,
}

/// A flag for each, in the order in which they count, and a stream that ends every wait.
#[derive(Debug)]
pub(super) struct Signals {
    flags: Vec<(Came, Arc<AtomicBool>)>,
    stream: UnixStream,
}

impl Signals {
    /// Installs the handlers.
    pub(super) fn new() -> io::Result<Self> {
        let (stream, signalled) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        let watched = [
            (SIGINT, Came::Stop),
            (SIGTERM, Came::Stop),
            (SIGHUP, Came::Stop),
            (SIGTSTP, Came::Suspend),
            (SIGWINCH, Came::Resized),
        ];
        let mut flags = Vec::new();
        for (number, came) in watched {
            let flag = Arc::new(AtomicBool::new(false));
            // In this order: the flag is up before the wait ends.
            signal_hook::flag::register(number, flag.clone())?;
            signal_hook::low_level::pipe::register(number, signalled.try_clone()?)?;
            flags.push((came, flag));
        }
        Ok(Self { flags, stream })
    }

    /// Readable once a signal has come.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// The first that has come and was not taken yet.
    pub(super) fn take(&mut self) -> Came {
        let mut drain = [0; 64];
        while matches!(self.stream.read(&mut drain), Ok(length) if length > 0) {}
        let came = self.flags.iter().find(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        came.map_or(Came::Nothing, |(came, _)| *came)
    }
}
