//! One client's connection: its stream, what the poll said of it, and what is being answered.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as StdStream;
use std::time::Instant;

use mio::event::Event as PollEvent;
use mio::net::UnixStream;
use mio::{Registry, Token};

use super::answer::{Facts, Source, Work};
use crate::control::Client;
use crate::now::Now;
use crate::reactor::stream::ClientStream;
use crate::sys::control_socket::Peer;

/// What is written to one client in one turn at most, in bytes.
const WRITE_BYTES: usize = 32 * 1024;

/// A client that is connected.
#[derive(Debug)]
pub(super) struct Connection {
    stream: ClientStream<UnixStream>,
    pub(super) client: Client,
    pub(super) peer: Peer,
    /// Of what it asked last.
    pub(super) ticket: u64,
    /// What makes the answer, when that has many lines.
    pub(super) work: Option<Work>,
}

impl Connection {
    pub(super) fn new(
        stream: StdStream,
        peer: Peer,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<Self> {
        let stream = ClientStream::new(UnixStream::from_std(stream), registry, token)?;
        Ok(Self { stream, client: Client::new(now), peer, ticket: 0, work: None })
    }

    pub(super) fn on_event(&mut self, event: &PollEvent) {
        self.stream.on_event(event, false);
    }

    /// Reads what there is room for.
    pub(super) fn read(&mut self, scratch: &mut [u8], now: Instant) {
        while self.has_input() {
            let room = self.client.room().min(scratch.len());
            match self.stream.read(&mut scratch[..room]) {
                Some(0) => self.client.handle_end(),
                Some(bytes) => self.client.handle_bytes(&scratch[..bytes], now),
                None => {}
            }
        }
    }

    /// Writes what it takes, a bounded part of it.
    pub(super) fn write(&mut self, now: Instant) {
        let waiting = self.client.waiting();
        if let Some(bytes) = self.stream.write(&waiting[..waiting.len().min(WRITE_BYTES)]) {
            self.client.written(bytes, now);
        }
    }

    /// Whether there are lines to make, and room for one.
    pub(super) fn has_work(&self) -> bool {
        self.work.is_some() && self.client.has_room() && !self.stream.is_gone()
    }

    /// Makes a line of the answer, or a step towards it.
    pub(super) fn go_on(&mut self, source: &Source<'_>, facts: Facts<'_>, effort: &mut usize, now: Now) {
        let Some(mut work) = self.work.take() else { return };
        let Some(reply) = work.go_on(source, facts, effort, now) else {
            self.work = Some(work);
            return;
        };
        self.client.reply(&reply, now.mono);
        self.work = self.client.is_answered().then_some(work);
    }

    /// Whether something can be done for it at once.
    pub(super) fn has_more(&self) -> bool {
        let has_output = self.stream.is_writable() && !self.client.waiting().is_empty();
        // One that has gone is still to be closed.
        self.stream.is_gone() || self.client.may_ask() || self.has_input() || has_output || self.has_work()
    }

    fn has_input(&self) -> bool {
        self.stream.is_readable() && self.client.room() > 0
    }

    /// Whether it is to be closed.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        if let Some(why) = self.client.overdue(now) {
            log::debug!("control: a client of uid {} is closed: {why}", self.peer.uid);
            return true;
        }
        // What it had asked before it left is heard.
        self.stream.is_gone() && !self.client.may_ask() || self.client.is_over()
    }

    /// Has the poll forget it.
    pub(super) fn close(&mut self, registry: &Registry) {
        self.stream.close(registry);
    }
}

/// Tells one client too many so, as far as it takes that at once.
pub(super) fn turn_away(mut stream: &StdStream, clients_max: usize) {
    let text =
        format!("{{\"type\":\"refused\",\"text\":\"too many clients: there are {clients_max} already\"}}\n");
    let _ = stream.write(text.as_bytes());
}
