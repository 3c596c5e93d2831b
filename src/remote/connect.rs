//! The connection to hfm: a request out, lines in, neither without an end to how long that may take.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, SockAddr, Socket, Type};

use super::command_line;
use super::trouble::{Trouble, is_timeout};
use crate::control::protocol::Request;
use crate::reactor;

/// The longest line that is taken, in bytes, its end left out. hfm's own are far shorter.
const REPLY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;
/// A poll without an end is taken up again after this, as the longest one is a matter of the system.
const POLL_MAX: Duration = Duration::from_secs(3600);

/// A connection on which one answer at a time is read.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    socket: PathBuf,
    silence: Option<Duration>,
    /// Readable when waiting is to end.
    interrupt: Option<UnixStream>,
    /// What has been read and not yet been asked for.
    buffer: Vec<u8>,
    /// Where the next line begins in it.
    begin: usize,
    /// Up to where no line ends in it.
    searched: usize,
}

impl Connection {
    /// Connects, and gives up after `silence` here and wherever hfm says nothing for so long. What makes
    /// `interrupt` readable ends every wait.
    pub(super) fn open(
        socket: &Path,
        silence: Option<Duration>,
        interrupt: Option<UnixStream>,
    ) -> Result<Self, Trouble> {
        let failed = |error: io::Error| Trouble::Connect { socket: socket.to_owned(), error, silence };
        let address = SockAddr::unix(socket).map_err(failed)?;
        let connected = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
        // It bounds connect(2) too, which waits while too many others do.
        connected.set_write_timeout(silence).map_err(failed)?;
        connected.connect(&address).map_err(failed)?;
        Ok(Self {
            stream: connected.into(),
            socket: socket.to_owned(),
            silence,
            interrupt,
            buffer: Vec::new(),
            begin: 0,
            searched: 0,
        })
    }

    /// Sends a request.
    pub(super) fn send(&mut self, request: &Request) -> Result<(), Trouble> {
        match self.stream.write_all(command_line::line(request).as_bytes()) {
            Ok(()) => Ok(()),
            // It may have said why before it closed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) if is_timeout(&error) => Err(self.silent()),
            Err(error) => Err(Trouble::Lost { socket: self.socket.clone(), error }),
        }
    }

    /// The next line, its end left out.
    pub(super) fn line(&mut self) -> Result<String, Trouble> {
        let until = self.silence.map(|silence| reactor::now().mono + silence);
        loop {
            if let Some(length) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = &self.buffer[self.begin..self.searched + length];
                let line = std::str::from_utf8(line).map(str::to_owned);
                self.begin = self.searched + length + 1;
                self.searched = self.begin;
                return line.map_err(|_| self.garbled("a line is not UTF-8".to_owned()));
            }
            self.buffer.drain(..self.begin);
            (self.begin, self.searched) = (0, self.buffer.len());
            if self.searched > REPLY_BYTES_MAX {
                return Err(self.garbled(format!("a line is longer than {REPLY_BYTES_MAX} bytes")));
            }
            self.wait(until)?;
            self.read()?;
        }
    }

    /// What is wrong when a line is nothing that hfm says.
    pub(super) fn garbled(&self, why: String) -> Trouble {
        Trouble::Garbled { socket: self.socket.clone(), why }
    }

    fn silent(&self) -> Trouble {
        Trouble::Silent { socket: self.socket.clone(), silence: self.silence.unwrap_or_default() }
    }

    /// Takes what has come.
    fn read(&mut self) -> Result<(), Trouble> {
        let filled = self.buffer.len();
        self.buffer.resize(filled + READ_BYTES, 0);
        let read = self.stream.read(&mut self.buffer[filled..]);
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Trouble::Closed { socket: self.socket.clone() }),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                Err(Trouble::Closed { socket: self.socket.clone() })
            }
            Err(error) => Err(Trouble::Lost { socket: self.socket.clone(), error }),
        }
    }

    /// Waits until there is something to read.
    fn wait(&self, until: Option<Instant>) -> Result<(), Trouble> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(reactor::now().mono));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(self.silent());
            }
            let ready = wait(Some(&self.stream), self.interrupt.as_ref(), left.unwrap_or(POLL_MAX));
            match ready.map_err(|error| Trouble::Lost { socket: self.socket.clone(), error })? {
                Ready::Interrupted => return Err(Trouble::Interrupted),
                Ready::Readable => return Ok(()),
                Ready::Nothing => {}
            }
        }
    }
}

/// What a wait ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// There is something to read, or the other side has gone.
    Readable,
    /// Waiting is to end.
    Interrupted,
    /// Time has passed.
    Nothing,
}

/// Waits until one of two streams is readable, and no longer than this.
pub(super) fn wait(
    stream: Option<&UnixStream>,
    interrupt: Option<&UnixStream>,
    longest: Duration,
) -> io::Result<Ready> {
    // Rounded up: not to turn without waiting in the last millisecond.
    let millis = longest.min(POLL_MAX).as_micros().div_ceil(1000);
    let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
    let both = [interrupt, stream].into_iter().flatten();
    let mut polled: Vec<_> = both.map(|of| PollFd::new(of.as_fd(), PollFlags::POLLIN)).collect();
    match poll(&mut polled, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let is_ready = |at: usize| polled.get(at).is_some_and(|of| of.any() == Some(true));
    Ok(match interrupt {
        Some(_) if is_ready(0) => Ready::Interrupted,
        _ if stream.is_some() && is_ready(polled.len() - 1) => Ready::Readable,
        _ => Ready::Nothing,
    })
}
