//! The stream of a client, of whichever kind, and what the poll said of it.

use std::io::{self, ErrorKind, Read, Write};

use mio::event::{Event as PollEvent, Source};
use mio::{Interest, Registry, Token};

/// A stream that never blocks. The poll tells of changes alone, so what it said holds until a call says otherwise.
#[derive(Debug)]
pub(super) struct ClientStream<S> {
    stream: S,
    is_readable: bool,
    is_writable: bool,
    /// Nobody reads any more.
    is_gone: bool,
}

impl<S: Source + Read + Write> ClientStream<S> {
    pub(super) fn new(mut stream: S, registry: &Registry, token: Token) -> io::Result<Self> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, is_readable: true, is_writable: true, is_gone: false })
    }

    /// What the poll says; `has_shut` when the end of what we send was ours.
    pub(super) fn on_event(&mut self, event: &PollEvent, has_shut: bool) {
        self.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.is_writable |= event.is_writable() || event.is_error();
        self.is_gone |= event.is_write_closed() && !has_shut;
    }

    /// Whether there may be something to read, or its end.
    pub(super) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether it may take something.
    pub(super) fn is_writable(&self) -> bool {
        self.is_writable && !self.is_gone
    }

    /// Whether nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// It is to be closed.
    pub(super) fn give_up(&mut self) {
        self.is_gone = true;
    }

    /// Reads once: how many bytes, 0 at the end of the stream, `None` when there is nothing at present.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Option<usize> {
        if !self.is_readable || into.is_empty() {
            return None;
        }
        match self.stream.read(into) {
            Ok(bytes) => {
                self.is_readable = bytes > 0;
                return Some(bytes);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => {
                self.is_gone = true;
                self.is_readable = false;
            }
        }
        None
    }

    /// Writes once: how many of these bytes are gone, if any could be written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Option<usize> {
        if !self.is_writable() || bytes.is_empty() {
            return None;
        }
        match self.stream.write(bytes) {
            Ok(written) => return Some(written),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.is_gone = true,
        }
        None
    }

    /// Has the poll forget it, before its descriptor is closed: a child that is just being made may hold that
    /// for a moment longer.
    pub(super) fn close(&mut self, registry: &Registry) {
        let _ = registry.deregister(&mut self.stream);
    }

    /// The stream itself.
    pub(super) fn get(&self) -> &S {
        &self.stream
    }
}
