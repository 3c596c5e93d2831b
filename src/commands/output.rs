//! What a child prints: kept up to a bound, the rest counted and thrown away.
//!
//! A pipe is watched by the poll only when its child lives for longer than a moment: most tests have ended
//! before, and then it is enough to read once at the end.

use std::io::{self, Read};

use mio::unix::pipe::Receiver;
use mio::{Interest, Registry, Token};

/// Bytes kept of each stream of a run. More is read, so that the child does not block, and counted.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// Bytes read in one go at most, so that a child that prints without end does not hold the thread.
const READ_BYTES_MAX: usize = 256 * 1024;

/// One stream of a child.
#[derive(Debug)]
pub(super) struct Capture {
    pipe: Option<Receiver>,
    kept: Vec<u8>,
    dropped: u64,
}

/// What a stream brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Up to [`OUTPUT_BYTES_MAX`].
    pub kept: Vec<u8>,
    /// Bytes beyond these.
    pub dropped: u64,
}

impl Capture {
    /// Takes on a pipe; nothing is read before it is asked for.
    ///
    /// # Errors
    /// When the pipe cannot be made non-blocking.
    pub(super) fn new(pipe: Receiver) -> io::Result<Self> {
        pipe.set_nonblocking(true)?;
        Ok(Self { pipe: Some(pipe), kept: Vec::new(), dropped: 0 })
    }

    /// Has the poll say, by this token, when there is something to read.
    ///
    /// # Errors
    /// When the pipe cannot be registered.
    pub(super) fn watch(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => registry.register(pipe, token, Interest::READABLE),
            None => Ok(()),
        }
    }

    /// Reads what is there; whether there may be more at once, because the bound on one go was reached.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> bool {
        let mut budget = READ_BYTES_MAX;
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(scratch) {
                Ok(0) => self.close(),
                Ok(length) => {
                    self.keep(&scratch[..length]);
                    budget = budget.saturating_sub(length);
                    if budget == 0 {
                        return true;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.close(),
            }
        }
        false
    }

    /// Stops reading. Closing takes the pipe out of the poll.
    pub(super) fn close(&mut self) {
        self.pipe = None;
    }

    /// Whether the other end may still write.
    pub(super) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Takes out what was read.
    pub(super) fn take(&mut self) -> Captured {
        Captured { kept: std::mem::take(&mut self.kept), dropped: std::mem::take(&mut self.dropped) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = OUTPUT_BYTES_MAX - self.kept.len();
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        self.kept.extend_from_slice(kept);
        self.dropped += dropped.len() as u64;
    }
}
