//! The signals that people send: what each means, without losing one and without a handler that does work.

use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM or SIGINT, by name: end.
    Stop(&'static str),
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGUSR1 (on FreeBSD also SIGINFO): log a summary.
    Summary,
}

/// A flag for each signal, and a stream that wakes the poll.
#[derive(Debug)]
pub(crate) struct Signals {
    flags: Vec<(Signal, Arc<AtomicBool>)>,
    stream: UnixStream,
}

impl Signals {
    /// Installs the handlers.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let (stream, signalled) = StdStream::pair()?;
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE)?;
        let watched = [
            (consts::SIGTERM, Signal::Stop("SIGTERM")),
            (consts::SIGINT, Signal::Stop("SIGINT")),
            (consts::SIGHUP, Signal::Reload),
            (consts::SIGUSR1, Signal::Summary),
            #[cfg(target_os = "freebsd")]
            (consts::SIGINFO, Signal::Summary),
        ];
        let mut flags = Vec::new();
        for (number, signal) in watched {
            let flag = Arc::new(AtomicBool::new(false));
            // In this order: the flag is up before the poll wakes.
            signal_hook::flag::register(number, flag.clone())?;
            signal_hook::low_level::pipe::register(number, signalled.try_clone()?)?;
            flags.push((signal, flag));
        }
        Ok(Self { flags, stream })
    }

    /// Every signal that came since the last call, once each.
    pub(crate) fn take(&mut self) -> Vec<Signal> {
        let mut drain = [0; 64];
        while matches!(io::Read::read(&mut self.stream, &mut drain), Ok(length) if length > 0) {}
        let came = self.flags.iter().filter(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        came.map(|(signal, _)| *signal).collect()
    }
}
