//! One client's connection: its stream, and what the poll said of it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::time::Instant;

use mio::event::Event as PollEvent;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::now::Now;
use crate::status::Client;

/// What is written to one client at a time at most, in bytes.
const WRITE_BYTES: usize = 64 * 1024;

/// A client that is connected.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    pub(super) client: Client,
    is_readable: bool,
    is_writable: bool,
    /// Nobody reads any more.
    is_gone: bool,
    /// The sending side is closed.
    is_shut: bool,
}

impl Connection {
    pub(super) fn new(
        stream: StdStream,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            client: Client::new(now),
            is_readable: true,
            is_writable: true,
            is_gone: false,
            is_shut: false,
        })
    }

    pub(super) fn on_event(&mut self, event: &PollEvent) {
        self.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.is_writable |= event.is_writable() || event.is_error();
        self.is_gone |= event.is_write_closed() && !self.is_shut;
    }

    /// Reads once, what there is room for.
    pub(super) fn read(&mut self, scratch: &mut [u8], now: Instant) {
        let room = self.client.room().min(scratch.len());
        if !self.is_readable || room == 0 {
            return;
        }
        match self.stream.read(&mut scratch[..room]) {
            Ok(0) => {
                self.client.handle_end();
                self.is_readable = false;
            }
            Ok(bytes) => self.client.handle_bytes(&scratch[..bytes], now),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => {
                self.is_gone = true;
                self.is_readable = false;
            }
        }
    }

    /// Writes once, a bounded part of what waits.
    pub(super) fn write(&mut self, now: Instant) {
        let waiting = self.client.waiting();
        if !self.is_writable || self.is_gone || waiting.is_empty() {
            return;
        }
        match self.stream.write(&waiting[..waiting.len().min(WRITE_BYTES)]) {
            Ok(bytes) => self.client.written(bytes, now),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.is_gone = true,
        }
        if self.client.has_all() && !self.is_shut {
            self.is_shut = true;
            // One that is gone by now is found out when it is read.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }

    /// Whether something has come from it, or was left of what came before.
    pub(super) fn has_input(&self) -> bool {
        self.client.may_ask() || self.is_readable && self.client.room() > 0
    }

    /// Whether it can be told something.
    pub(super) fn has_output(&self, last_event: u64, now: Instant) -> bool {
        let can_write = self.is_writable && !self.is_gone && !self.client.waiting().is_empty();
        can_write || self.client.wants_feeding(last_event, now)
    }

    /// Whether something can be done for it at once.
    pub(super) fn has_more(&self, last_event: u64, now: Instant) -> bool {
        self.is_gone || self.has_input() || self.has_output(last_event, now)
    }

    /// It is to be closed.
    pub(super) fn give_up(&mut self) {
        self.is_gone = true;
    }

    /// Whether it is to be closed.
    pub(super) fn is_over(&mut self, now: Now) -> bool {
        if let Some(why) = self.client.overdue(now) {
            log::debug!("status page: a client is closed: {why}");
            return true;
        }
        self.is_gone || self.client.is_over(now.mono)
    }

    /// Has the poll forget it, before its descriptor is closed: a child that is just being made may hold that
    /// for a moment longer.
    pub(super) fn close(&mut self, registry: &Registry) {
        let _ = registry.deregister(&mut self.stream);
    }
}

/// Tells one client too many so, as far as it takes that at once.
pub(super) fn turn_away(mut stream: &StdStream) {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 17\r\nContent-Type: text/plain\r\n\r\ntoo many clients\n";
    let _ = stream.write(answer.as_bytes());
}
