//! The control socket's side of the loop: who is connected, what each asked, and how much of it is done in a turn.
//!
//! What a client may send and how long it may take is decided by [`Client`](crate::control::Client); here its
//! bytes are moved, never waiting, a bounded number of them in a turn. Answers that have many lines are made as they
//! are taken, and all clients share what a turn may spend on that, one after the other; then they are
//! [left alone](super::manners) for a while. So 32 clients that ask for the
//! status of ten thousand rules, or take nothing of it, hold up no probe.

pub(super) mod answer;
mod ask;
mod connection;
mod pattern;
mod requests;
pub(super) mod rows;
mod runs;
pub(super) mod search;
mod set;
pub(super) mod tables;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use mio::event::Event as PollEvent;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::control::Next;
use crate::control::protocol::{Reply, Request};
use crate::now::Now;
use crate::sys::control_socket::{ControlSocket, Peer};
use answer::{Facts, Source, Work};
use ask::Questions;
use connection::Connection;
pub(super) use rows::seconds;
use runs::Runs;
use search::Search;

use super::happenings::Batch;
use super::manners::Manners;

/// Clients at a time.
const CLIENTS_MAX: usize = 32;
/// Of one user at a time, but for root and hfm's own: others are not shut out.
const CLIENTS_OF_USER_MAX: usize = 24;
/// The token of the listening socket; those of its clients follow. Probes have tokens from 16 on, one for each
/// socket, of which there are far fewer.
const LISTENER: usize = usize::MAX / 2;
/// Connections accepted in one turn.
const ACCEPTS_PER_TURN: usize = 8;
/// When there is no descriptor for a connection, it is tried again after this.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// What a turn spends on answers: about as many rules are looked at, or an eighth as many lines made, which takes
/// some 200 us.
const EFFORT_PER_TURN: usize = 1024;
/// What reading a request takes of that.
const EFFORT_OF_REQUEST: usize = 8;
/// What is read of one client in one turn: a line.
const SCRATCH_BYTES: usize = crate::control::protocol::LINE_BYTES_MAX;

/// What clients wait for that others are to do.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Rules by pattern.
    searches: VecDeque<Search>,
    /// Answers of the writer.
    pub(super) writer: Questions,
    /// Runs.
    runs: Vec<Runs>,
}

/// The socket and everybody who is connected to it.
#[derive(Debug)]
pub(super) struct Server {
    socket: ControlSocket,
    registry: Registry,
    connections: Vec<Option<Connection>>,
    /// Of the configuration file.
    config: String,
    started: SystemTime,
    /// There may be connections to accept.
    may_accept: bool,
    accept_at: Option<Instant>,
    manners: Manners,
    next_ticket: u64,
    /// Whose turn it is.
    first: usize,
    /// What is left of this turn's effort.
    effort: usize,
    scratch: Box<[u8]>,
}

/// A request, and who waits for its answer.
#[derive(Debug)]
struct Asked {
    /// Finds the client again, if it is still there.
    ticket: u64,
    peer: Peer,
    request: Request,
}

impl Server {
    /// Takes on a socket.
    ///
    /// # Errors
    /// When it cannot be registered.
    pub(super) fn new(
        socket: ControlSocket,
        config: String,
        registry: Registry,
        now: Now,
    ) -> io::Result<Self> {
        registry.register(&mut SourceFd(&socket.fd()), Token(LISTENER), Interest::READABLE)?;
        Ok(Self {
            socket,
            registry,
            connections: (0..CLIENTS_MAX).map(|_| None).collect(),
            config,
            started: now.wall,
            may_accept: true,
            accept_at: None,
            manners: Manners::new(now.mono),
            next_ticket: 1,
            first: 0,
            effort: 0,
            scratch: vec![0; SCRATCH_BYTES].into(),
        })
    }

    /// Whether a token is of this socket or of one of its clients.
    pub(super) fn has(token: Token) -> bool {
        (LISTENER..=LISTENER + CLIENTS_MAX).contains(&token.0)
    }

    /// The poll says something; what there is to do about it is done later in the turn.
    pub(super) fn on_event(&mut self, event: &PollEvent) {
        if event.token() == Token(LISTENER) {
            self.may_accept = true;
            return;
        }
        let slot = event.token().0.wrapping_sub(LISTENER + 1);
        if let Some(Some(connection)) = self.connections.get_mut(slot) {
            connection.on_event(event);
        }
    }

    /// When it wants to be looked after at the latest.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let rests_until = self.manners.rests_until();
        if self.may_accept || self.connections().any(Connection::has_more) {
            return Some(rests_until);
        }
        let clients = self.connections().filter_map(|connection| connection.client.poll_timeout());
        clients.chain(self.accept_at).min().map(|at| at.max(rests_until))
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    fn connections_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.connections.iter_mut().flatten()
    }

    /// Begins its part of a turn: reads. Says no while it is at rest, and makes room for a run that is due at `due`.
    fn begin(&mut self, due: Option<Instant>, now: Instant) -> bool {
        if !self.manners.may_begin(due, now) {
            return false;
        }
        self.effort = EFFORT_PER_TURN;
        for connection in self.connections.iter_mut().flatten() {
            connection.read(&mut self.scratch, now);
        }
        true
    }

    fn accept(&mut self, now: Instant) {
        match self.socket.accept() {
            Ok(None) => (self.may_accept, self.accept_at) = (false, None),
            Ok(Some((stream, peer))) => {
                self.accept_at = None;
                let of_user = self.connections().filter(|of| of.peer.uid == peer.uid).count();
                if !peer.is_root_or_us() && of_user >= CLIENTS_OF_USER_MAX {
                    return connection::turn_away(&stream, of_user);
                }
                let Some(slot) = self.connections.iter().position(Option::is_none) else {
                    return connection::turn_away(&stream, CLIENTS_MAX);
                };
                match Connection::new(stream, peer, &self.registry, Token(LISTENER + 1 + slot), now) {
                    Ok(connection) => self.connections[slot] = Some(connection),
                    Err(error) => log::debug!("control: a client cannot be watched: {error}"),
                }
            }
            Err(error) => {
                // Told once: until it has worked again.
                if self.accept_at.is_none() {
                    log::warn!(
                        "control: a client cannot be accepted: {error}; trying again every {ACCEPT_PAUSE:?}"
                    );
                }
                self.may_accept = false;
                self.accept_at = now.checked_add(ACCEPT_PAUSE);
            }
        }
    }

    /// The next request, of whoever's turn it is, while this turn's effort lasts.
    fn poll_request(&mut self, now: Instant) -> Option<Asked> {
        while self.effort > 0 {
            let slot = self.next_slot(|connection| connection.client.may_ask())?;
            self.effort = self.effort.saturating_sub(EFFORT_OF_REQUEST);
            let Some(connection) = &mut self.connections[slot] else { return None };
            match connection.client.next(now) {
                Next::Request(request) => {
                    connection.ticket = self.next_ticket;
                    self.next_ticket += 1;
                    return Some(Asked { ticket: connection.ticket, peer: connection.peer, request });
                }
                Next::Refused | Next::Nothing => {}
            }
        }
        None
    }

    /// Goes on with answers that are made as they are taken, while this turn's effort lasts.
    fn go_on(&mut self, source: &Source<'_>, now: Now) {
        while self.effort > 0 {
            let Some(slot) = self.next_slot(Connection::has_work) else { return };
            let clients = self.connections().count();
            let facts = Facts { config: &self.config, started: self.started, clients };
            if let Some(connection) = &mut self.connections[slot] {
                connection.go_on(source, facts, &mut self.effort, now);
            }
        }
    }

    /// The next after the one that was served last, around the circle.
    fn next_slot(&mut self, wants: impl Fn(&Connection) -> bool) -> Option<usize> {
        let slots = (self.first..CLIENTS_MAX).chain(0..self.first);
        let slot = slots.into_iter().find(|slot| self.connections[*slot].as_ref().is_some_and(&wants))?;
        self.first = (slot + 1) % CLIENTS_MAX;
        Some(slot)
    }

    /// A line of an answer, if who waits for it is still there.
    fn answer(&mut self, ticket: u64, reply: &Reply, now: Instant) {
        let waits = |of: &&mut Connection| of.ticket == ticket && of.client.is_answered();
        if let Some(connection) = self.connections_mut().find(waits) {
            connection.client.reply(reply, now);
        }
    }

    /// Whether somebody still waits for this answer.
    fn waits(&self, ticket: u64) -> bool {
        self.connections().any(|of| of.ticket == ticket && of.client.is_answered())
    }

    /// Whether a line of this answer has room, or need not have any because nobody waits for it.
    fn has_room_for(&self, ticket: u64) -> bool {
        let mut waiting = self.connections().filter(|of| of.ticket == ticket && of.client.is_answered());
        waiting.all(|connection| connection.client.has_room())
    }

    /// An answer that is made as it is taken.
    fn answer_by(&mut self, ticket: u64, work: Work) {
        let waits = |of: &&mut Connection| of.ticket == ticket && of.client.is_answered();
        if let Some(connection) = self.connections_mut().find(waits) {
            connection.work = Some(work);
        }
    }

    /// Hands events on to those who listen.
    pub(super) fn tell_events(&mut self, batch: &Batch, now: Instant) {
        let listening = self.connections_mut().filter(|connection| connection.client.wants_events());
        let lines: Vec<String> = batch.events.iter().map(|rest| event_line(rest)).collect();
        for connection in listening {
            lines.iter().for_each(|line| connection.client.event(line, now));
            if batch.lost > 0 {
                connection.client.missed(batch.lost, now);
            }
        }
    }

    /// Whether somebody listens to events.
    fn is_listened_to(&self) -> bool {
        self.connections().any(|connection| connection.client.wants_events())
    }

    /// Ends its part of a turn: writes what can be written, closes whoever is done or has been too slow, and only
    /// then lets others in.
    fn end(&mut self, now: Instant) {
        for place in &mut self.connections {
            let Some(connection) = place else { continue };
            connection.write(now);
            if connection.is_over(now) {
                connection.close(&self.registry);
                *place = None;
            }
        }
        if self.accept_at.is_some_and(|at| at <= now) {
            self.may_accept = true;
        }
        for _ in 0..ACCEPTS_PER_TURN {
            if !self.may_accept {
                break;
            }
            self.accept(now);
        }
        self.manners.ended(now);
    }

    /// Writes what can be written.
    fn write(&mut self, now: Instant) {
        self.connections_mut().for_each(|connection| connection.write(now));
    }
}

/// An event as a line of the protocol.
fn event_line(rest: &str) -> String {
    format!("{{\"type\":\"event\",{rest}")
}
