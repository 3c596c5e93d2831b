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
mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mio::event::Event as PollEvent;
use mio::{Registry, Token};

use crate::now::Now;
use crate::status::report::Hello;
use crate::status::{Asked, Body, Next, Page, Recent, Resource, Response, page};
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
/// The token of the listening socket; those of its clients follow, behind those of the control socket.
const LISTENER: usize = usize::MAX / 4 * 3;
/// Connections accepted in one turn.
const ACCEPTS_PER_TURN: usize = 16;
/// What a turn spends on clients.
const SLICE: Duration = Duration::from_micros(200);
/// Who has been without a whole request for this long makes room for others when there is none.
const GIVES_WAY_AFTER: Duration = Duration::from_secs(1);
/// Bodies in the making or on their way at most, that of the page aside: a client that takes its own slowly does not
/// keep many others in memory.
const BODIES_MAX: usize = 6;
/// What is read of one client at a time.
const SCRATCH_BYTES: usize = 8 * 1024;

/// The listening socket, and everybody who is connected to it.
#[derive(Debug)]
pub(super) struct Server {
    place: Place,
    registry: Registry,
    connections: Vec<Option<Connection>>,
    recent: Recent,
    works: Works,
    manners: Manners,
    page: Response,
    /// Of the configuration file.
    config: String,
    host: String,
    started: SystemTime,
    /// Whose turn it is.
    first: usize,
    scratch: Box<[u8]>,
}

impl Server {
    /// Serves at this address. `config` is the name of the configuration file.
    pub(super) fn new(
        opened: Opened,
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
            recent: Recent::default(),
            works: Works::new(has_writer),
            manners: Manners::new(now.mono),
            page,
            config,
            host: identity::host_name(),
            started: began.wall,
            first: 0,
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
        let has_more = |of: &Connection| of.client.may_ask() || of.has_more(last, now);
        if self.place.has_more() || self.works.has_more(now) || self.connections().any(has_more) {
            return Some(rests_until);
        }
        let clients = self.connections().filter_map(|connection| connection.client.poll_timeout());
        let others = [self.place.poll_timeout(), self.works.poll_timeout()];
        clients.chain(others.into_iter().flatten()).min().map(|at| at.max(rests_until))
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    /// Events happened.
    pub(super) fn tell_events(&mut self, batch: &Batch) {
        batch.events.iter().for_each(|event| self.recent.push(event));
        self.recent.lose(batch.lost);
    }

    /// Reads what has come, and answers what can be answered at once.
    fn read(&mut self, now: Now) {
        for slot in 0..CLIENTS_MAX {
            let Some(connection) = &mut self.connections[slot] else { continue };
            connection.read(&mut self.scratch, now.mono);
            if let Next::Asked(asked) = connection.client.next(now.mono) {
                self.asked(slot, asked, now);
            }
        }
    }

    fn asked(&mut self, slot: usize, asked: Asked, now: Now) {
        let last = self.recent.last();
        let hello = Hello { pid: std::process::id(), started: seconds(self.started) };
        let Some(Some(Connection { client, .. })) = self.connections.get_mut(slot) else { return };
        match asked.resource {
            Resource::Page => client.respond(&self.page, now.mono),
            Resource::Events { after } => client.stream(after.unwrap_or(last), &hello, now.mono),
            Resource::Health => self.works.health.wait(slot),
            Resource::Status => self.works.status.wait(slot),
            Resource::Metrics => self.works.metrics.wait(slot),
        }
    }

    /// Answers all who wait for this.
    fn respond(&mut self, slots: &[usize], response: &Response, now: Instant) {
        for slot in slots {
            if let Some(Some(connection)) = self.connections.get_mut(*slot) {
                connection.client.respond(response, now);
            }
        }
    }

    /// Writes what can be written until the time is over, one client after the other; closes whoever is done or has been
    /// too slow, and only then lets others in.
    fn end(&mut self, until: Instant) {
        let clock = || now().mono;
        let slots = (self.first..CLIENTS_MAX).chain(0..self.first);
        for slot in slots {
            let Some(connection) = &mut self.connections[slot] else { continue };
            let now = clock();
            if now >= until {
                break;
            }
            self.first = (slot + 1) % CLIENTS_MAX;
            connection.client.feed(&self.recent, now);
            connection.write(now);
        }
        let now = clock();
        for slot in 0..CLIENTS_MAX {
            if self.connections[slot].as_mut().is_some_and(|connection| connection.is_over(now)) {
                self.close(slot);
            }
        }
        self.close_those_with_old_bodies();
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(stream) = self.place.accept(&self.registry, now) else { break };
            let Some(slot) = self.free_slot(now) else {
                connection::turn_away(&stream);
                continue;
            };
            match Connection::new(stream, &self.registry, Token(LISTENER + 1 + slot), now) {
                Ok(connection) => self.connections[slot] = Some(connection),
                Err(error) => log::debug!("status page: a client cannot be watched: {error}"),
            }
        }
        self.manners.ended(now);
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

    fn close_those_with_old_bodies(&mut self) {
        let page = self.page.body.as_ptr();
        let mut bodies: Vec<(Instant, *const Box<[u8]>)> = Vec::new();
        for client in self.connections().map(|connection| &connection.client) {
            let Some(body) = client.body().map(|body| body.as_ptr()).filter(|body| *body != page) else {
                continue;
            };
            match bodies.iter_mut().find(|(_, of)| *of == body) {
                Some((since, _)) => *since = (*since).min(client.since()),
                None => bodies.push((client.since(), body)),
            }
        }
        bodies.sort_unstable_by_key(|(since, _)| *since);
        let too_many = bodies.len().saturating_sub(BODIES_MAX);
        for (_, body) in bodies.into_iter().take(too_many) {
            for slot in 0..CLIENTS_MAX {
                let has_it = |of: &Connection| of.client.body().is_some_and(|of| of.as_ptr() == body);
                if self.connections[slot].as_ref().is_some_and(has_it) {
                    log::debug!("status page: a client is closed: it takes an old answer too slowly");
                    self.close(slot);
                }
            }
        }
    }

    /// Ends all connections, and listens no more.
    pub(super) fn shut(mut self) {
        (0..CLIENTS_MAX).for_each(|slot| self.close(slot));
        self.place.shut(&self.registry);
    }
}
