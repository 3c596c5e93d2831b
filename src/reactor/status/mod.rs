//! The status page's side of the loop: who is connected, what each asked, and how much of it is done in a turn.
//!
//! What a client may send and how long it may take is decided by [`Client`](crate::status::Client); here its bytes are
//! moved, never waiting. All that is done for clients in one turn, the making of answers included, is bounded by the
//! clock ([`SLICE`]), and then they are [left alone](super::manners) for a while. An answer about all rules is made once
//! for all who ask within half a second, in as many slices as it takes; so 50 browsers that look at ten thousand rules
//! hold up no probe.

mod connection;
mod health;
mod metrics;
mod place;
mod requests;
mod rows;
mod spent;
mod survey;
mod work;

use std::cmp::Reverse;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mio::event::Event as PollEvent;
use mio::{Registry, Token};

use crate::now::Now;
use crate::status::report::Hello;
use crate::status::{Asked, Body, Hosts, Next, Page, Recent, Resource, Response, page};
use crate::sys::identity;
use connection::Connection;
pub use place::Opened;
use place::Place;
pub(super) use requests::{Serves, TABLES};
use work::Works;

use super::control::seconds;
use super::happenings::Batch;
use super::manners::Manners;
use super::now;

/// Clients at a time.
pub(super) const CLIENTS_MAX: usize = 256;
/// Of them, those who are told of events: they stay for as long as they like, and are not to keep all others out.
const LISTENERS_MAX: usize = 192;
/// The token of the listening socket; those of its clients follow, behind those of the control socket.
const LISTENER: usize = usize::MAX / 4 * 3;
/// Connections accepted in one turn.
const ACCEPTS_PER_TURN: usize = 16;
/// What a turn spends on clients: a quarter on what they ask, half on the making of answers, the rest on sending them.
/// Each part gets on by a step even when those before it took longer.
const SLICE: Duration = Duration::from_micros(200);
/// Who has been without a whole request for this long makes room for others when there is none.
const GIVES_WAY_AFTER: Duration = Duration::from_secs(1);
/// Bodies in the making or on their way at most, that of the page aside: a client that takes its own slowly does not
/// keep many others in memory.
const BODIES_MAX: usize = 6;
/// And of so many bytes together, the newest one aside.
const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What is read of one client at a time.
const SCRATCH_BYTES: usize = 8 * 1024;

/// The slots of clients, this one first.
fn from(first: usize) -> impl Iterator<Item = usize> {
    (first..CLIENTS_MAX).chain(0..first)
}

fn clock() -> Instant {
    now().mono
}

/// The listening socket, and everybody who is connected to it.
#[derive(Debug)]
pub(super) struct Server {
    place: Place,
    registry: Registry,
    connections: Vec<Option<Box<Connection>>>,
    recent: Recent,
    works: Works,
    manners: Manners,
    page: Response,
    /// Of the configuration file.
    config: String,
    host: String,
    started: SystemTime,
    /// Whose turn it is to be read, to be written to, and to be closed.
    first_read: usize,
    first_written: usize,
    first_closed: usize,
    /// Of the two long answers that one gets on first in this turn.
    is_turn_of_metrics: bool,
    /// Somebody was left who is to be closed.
    has_to_close: bool,
    scratch: Box<[u8]>,
}

impl Server {
    /// Serves at this address. `recent` is what was told at the one before, `config` the name of the configuration file.
    pub(super) fn new(
        opened: Opened,
        recent: Recent,
        config: String,
        began: Now,
        registry: Registry,
        has_writer: bool,
        now: Now,
    ) -> Self {
        let Page { body, policy } = page();
        let body: Body = Arc::from([body]);
        let page = Response {
            status: 200,
            content_type: "text/html; charset=utf-8",
            policy: Some(policy.into()),
            body,
        };
        Self {
            place: Place::new(opened, &registry, now.mono),
            registry,
            connections: (0..CLIENTS_MAX).map(|_| None).collect(),
            recent,
            works: Works::new(has_writer),
            manners: Manners::new(now.mono),
            page,
            config,
            host: identity::host_name(),
            started: began.wall,
            first_read: 0,
            first_written: 0,
            first_closed: 0,
            is_turn_of_metrics: false,
            has_to_close: false,
            scratch: vec![0; SCRATCH_BYTES].into(),
        }
    }

    /// Whether a token is of this socket or of one of its clients.
    pub(super) fn has(token: Token) -> bool {
        (LISTENER..=LISTENER + CLIENTS_MAX).contains(&token.0)
    }

    /// Where it is to be.
    pub(super) fn address(&self) -> SocketAddr {
        self.place.address()
    }

    /// The poll says something; what there is to do about it is done later in the turn.
    pub(super) fn on_event(&mut self, event: &PollEvent) {
        if event.token() == Token(LISTENER) {
            return self.place.may_accept();
        }
        let slot = event.token().0.wrapping_sub(LISTENER + 1);
        if let Some(Some(connection)) = self.connections.get_mut(slot) {
            connection.on_event(event);
        }
    }

    /// When it wants to be looked after at the latest.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let (rests_until, last) = (self.manners.rests_until(), self.recent.last());
        let has_more = self.has_to_close || self.place.has_more() || self.works.has_more(now);
        if has_more || self.connections().any(|connection| connection.has_more(last, now)) {
            return Some(rests_until);
        }
        let clients = self.connections().filter_map(|connection| connection.client.poll_timeout());
        let others = [self.place.poll_timeout(), self.works.poll_timeout(now)];
        clients.chain(others.into_iter().flatten()).min().map(|at| at.max(rests_until))
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten().map(|connection| &**connection)
    }

    /// Events happened.
    pub(super) fn tell_events(&mut self, batch: &Batch) {
        batch.events.iter().for_each(|event| self.recent.push(event));
        self.recent.lose(batch.lost);
    }

    /// Reads what has come until the time is over, and answers what can be answered at once.
    fn read(&mut self, until: Instant, now: Now) {
        for slot in from(self.first_read) {
            let Some(connection) = self.connections[slot].as_mut().filter(|of| of.has_input()) else {
                continue;
            };
            self.first_read = (slot + 1) % CLIENTS_MAX;
            connection.read(&mut self.scratch, now.mono);
            let hosts = Hosts::of(self.place.address(), &self.host);
            if let Next::Asked(asked) = connection.client.next(hosts, now) {
                self.asked(slot, asked, now);
            }
            if clock() >= until {
                return;
            }
        }
    }

    fn asked(&mut self, slot: usize, asked: Asked, now: Now) {
        let last = self.recent.last();
        let hello = Hello { pid: std::process::id(), started: seconds(self.started) };
        let listeners = self.connections().filter(|of| of.client.is_streaming()).count();
        let Some(client) = self.connections[slot].as_mut().map(|of| &mut of.client) else { return };
        match asked.resource {
            Resource::Page => client.respond(&self.page, now),
            Resource::Events { .. } if listeners >= LISTENERS_MAX => {
                client.respond(&Response::text(503, "too many listen to events already\n"), now);
            }
            Resource::Events { after } => client.stream(after.unwrap_or(last), &hello, now),
            Resource::Health => self.works.health.wait(slot),
            Resource::Status => self.works.status.wait(slot),
            Resource::Metrics => self.works.metrics.wait(slot),
        }
    }

    /// Answers all who wait for this.
    fn respond(&mut self, slots: &[usize], response: &Response, now: Now) {
        for slot in slots {
            if let Some(Some(connection)) = self.connections.get_mut(*slot) {
                connection.client.respond(response, now);
            }
        }
    }

    /// Writes what can be written until the time is over, one client after the other; closes whoever is done or has been
    /// too slow, and only then lets others in.
    fn end(&mut self, until: Instant) {
        let last = self.recent.last();
        let mut now = clock();
        for slot in from(self.first_written) {
            let has_output = |of: &&mut Box<Connection>| of.has_output(last, now);
            let Some(connection) = self.connections[slot].as_mut().filter(has_output) else { continue };
            self.first_written = (slot + 1) % CLIENTS_MAX;
            connection.client.feed(&self.recent, now);
            connection.write(now);
            now = clock();
            if now >= until {
                break;
            }
        }
        self.give_up_those_with_old_bodies();
        self.close_those_who_are_over(until, super::now());
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(stream) = self.place.accept(&self.registry, now) else { break };
            if let Some(stream) = stream {
                self.let_in(stream, now);
            }
            now = clock();
            if now >= until {
                break;
            }
        }
        self.manners.ended(now);
    }

    /// Closes whoever is done or has been too slow, until the time is over.
    fn close_those_who_are_over(&mut self, until: Instant, now: Now) {
        self.has_to_close = false;
        for slot in from(self.first_closed) {
            if !self.connections[slot].as_mut().is_some_and(|connection| connection.is_over(now)) {
                continue;
            }
            self.first_closed = (slot + 1) % CLIENTS_MAX;
            self.close(slot);
            if clock() >= until {
                self.has_to_close = true;
                return;
            }
        }
    }

    fn let_in(&mut self, stream: TcpStream, now: Instant) {
        let Some(slot) = self.free_slot(now) else { return connection::turn_away(&stream) };
        match Connection::new(stream, &self.registry, Token(LISTENER + 1 + slot), now) {
            Ok(connection) => self.connections[slot] = Some(Box::new(connection)),
            Err(error) => log::debug!("status page: a client cannot be watched: {error}"),
        }
    }

    fn close(&mut self, slot: usize) {
        if let Some(mut connection) = self.connections[slot].take() {
            connection.close(&self.registry);
            self.works.forget(slot);
        }
    }

    /// A slot for a client: a free one, or that of the one that has asked nothing for the longest time.
    fn free_slot(&mut self, now: Instant) -> Option<usize> {
        if let Some(slot) = self.connections.iter().position(Option::is_none) {
            return Some(slot);
        }
        let idle = self.connections.iter().enumerate().filter_map(|(slot, connection)| {
            let client = &connection.as_ref()?.client;
            client.is_idle().then_some((client.since(), slot))
        });
        let (since, slot) = idle.min()?;
        if now.saturating_duration_since(since) < GIVES_WAY_AFTER {
            return None;
        }
        self.close(slot);
        Some(slot)
    }

    fn give_up_those_with_old_bodies(&mut self) {
        let page = self.page.body.as_ptr();
        // The newest first: each with its bytes.
        let mut bodies: Vec<(Instant, *const Box<[u8]>, usize)> = Vec::new();
        for client in self.connections().map(|connection| &connection.client) {
            let Some(body) = client.body().filter(|body| body.as_ptr() != page) else { continue };
            match bodies.iter_mut().find(|(_, of, _)| *of == body.as_ptr()) {
                Some((since, ..)) => *since = (*since).min(client.since()),
                None => bodies.push((client.since(), body.as_ptr(), body.iter().map(|of| of.len()).sum())),
            }
        }
        bodies.sort_unstable_by_key(|(since, ..)| Reverse(*since));
        let mut bytes_of_all = 0;
        for (number, (_, body, bytes)) in bodies.into_iter().enumerate() {
            bytes_of_all += bytes;
            if number == 0 || number < BODIES_MAX && bytes_of_all <= BODIES_BYTES_MAX {
                continue;
            }
            let has_it = |of: &&mut Box<Connection>| of.client.body().is_some_and(|of| of.as_ptr() == body);
            for connection in self.connections.iter_mut().flatten().filter(has_it) {
                log::debug!("status page: a client is closed: it takes an old answer too slowly");
                connection.give_up();
            }
        }
    }

    /// Ends all connections, and listens no more; what was told goes on with its numbers elsewhere.
    pub(super) fn shut(mut self) -> Recent {
        (0..CLIENTS_MAX).for_each(|slot| self.close(slot));
        self.place.shut(&self.registry);
        self.recent
    }
}
