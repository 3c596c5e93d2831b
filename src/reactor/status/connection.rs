//! One client's connection: its stream, and what the poll said of it.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::time::Instant;

use mio::event::Event as PollEvent;
use mio::net::TcpStream;
use mio::{Registry, Token};

use crate::now::Now;
use crate::reactor::stream::ClientStream;
use crate::status::Client;

/// What is written to one client at a time at most, in bytes.
const WRITE_BYTES: usize = 64 * 1024;

/// A client that is connected.
#[derive(Debug)]
pub(super) struct Connection {
    stream: ClientStream<TcpStream>,
    pub(super) client: Client,
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
        let stream = ClientStream::new(TcpStream::from_std(stream), registry, token)?;
        Ok(Self { stream, client: Client::new(now), is_shut: false })
    }

    pub(super) fn on_event(&mut self, event: &PollEvent) {
        self.stream.on_event(event, self.is_shut);
    }

    /// Reads once, what there is room for.
    pub(super) fn read(&mut self, scratch: &mut [u8], now: Instant) {
        let room = self.client.room().min(scratch.len());
        match self.stream.read(&mut scratch[..room]) {
            Some(0) => self.client.handle_end(),
            Some(bytes) => self.client.handle_bytes(&scratch[..bytes], now),
            None => {}
        }
    }

    /// Writes once, a bounded part of what waits.
    pub(super) fn write(&mut self, now: Instant) {
        let waiting = self.client.waiting();
        if waiting.is_empty() || !self.stream.is_writable() {
            return;
        }
        if let Some(bytes) = self.stream.write(&waiting[..waiting.len().min(WRITE_BYTES)]) {
            self.client.written(bytes, now);
        }
        if self.client.has_all() && !self.is_shut {
            self.is_shut = true;
            // One that is gone by now is found out when it is read.
            let _ = self.stream.get().shutdown(Shutdown::Write);
        }
    }

    /// Whether something has come from it, or was left of what came before.
    pub(super) fn has_input(&self) -> bool {
        self.client.may_ask() || self.stream.is_readable() && self.client.room() > 0
    }

    /// Whether it can be told something.
    pub(super) fn has_output(&self, last_event: u64, now: Instant) -> bool {
        let can_write = self.stream.is_writable() && !self.client.waiting().is_empty();
        can_write || self.client.wants_feeding(last_event, now)
    }

    /// Whether something can be done for it at once.
    pub(super) fn has_more(&self, last_event: u64, now: Instant) -> bool {
        self.stream.is_gone() || self.has_input() || self.has_output(last_event, now)
    }

    /// It is to be closed.
    pub(super) fn give_up(&mut self) {
        self.stream.give_up();
    }

    /// Whether it is to be closed.
    pub(super) fn is_over(&mut self, now: Now) -> bool {
        if let Some(why) = self.client.overdue(now) {
            log::debug!("status page: a client is closed: {why}");
            return true;
        }
        self.stream.is_gone() || self.client.is_over(now.mono)
    }

    /// Has the poll forget it.
    pub(super) fn close(&mut self, registry: &Registry) {
        self.stream.close(registry);
    }
}

/// Tells one client too many so, as far as it takes that at once.
pub(super) fn turn_away(mut stream: &StdStream) {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 17\r\nContent-Type: text/plain\r\n\r\ntoo many clients\n";
    let _ = stream.write(answer.as_bytes());
}
