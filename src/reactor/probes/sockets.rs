//! The sockets of probes: the numbers by which the poll names them, and those that wait between two connections.
//!
//! A number belongs to a socket as long as that is registered, whoever has it: a rule for one connection, or nobody
//! while it rests. What was given back during a batch of events is handed out after it, so that nothing which the
//! batch still says of the old connection is taken for the new one's.

use std::io;
use std::net::SocketAddr;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::rule::RuleId;
use crate::sys::socket::{Idle, Options, SocketError, Stream};

/// The token of the first socket.
const FIRST_TOKEN: usize = 16;
/// Sockets that rest at a time, of each family: as many as rules commonly end in one turn.
const IDLE_MAX: usize = 256;

/// All sockets of probes.
#[derive(Debug)]
pub(super) struct Sockets {
    registry: Registry,
    /// By number: whose it is, or nobody's at present.
    owners: Slab<Option<RuleId>>,
    /// Of each family, ready for another connection.
    idle: [Vec<Resting>; 2],
    /// Given back in this batch of events: those to be used again, and the numbers of those that were closed.
    returned: Vec<Returned>,
}

#[derive(Debug)]
struct Resting {
    number: usize,
    socket: Idle,
}

#[derive(Debug)]
enum Returned {
    Idle(Family, Resting),
    Closed(usize),
}

#[derive(Clone, Copy, Debug)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// A connection of a rule. To be given back to its [`Sockets`] at its end.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Where it goes, if that is an address.
    pub(super) to: Option<SocketAddr>,
    number: usize,
}

impl Sockets {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, owners: Slab::new(), idle: [Vec::new(), Vec::new()], returned: Vec::new() }
    }

    /// Whose connection a token of the poll means; `None` for one that rests.
    pub(super) fn owner(&self, token: Token) -> Option<RuleId> {
        self.owners.get(token.0.checked_sub(FIRST_TOKEN)?).copied().flatten()
    }

    /// The batch of events has been gone through: what was given back may be used.
    pub(super) fn batch_is_over(&mut self) {
        for returned in self.returned.drain(..) {
            match returned {
                Returned::Idle(family, resting) if self.idle[family as usize].len() < IDLE_MAX => {
                    self.idle[family as usize].push(resting);
                }
                Returned::Idle(_, Resting { number, .. }) | Returned::Closed(number) => {
                    self.owners.remove(number);
                }
            }
        }
    }

    /// Begins to connect over TCP.
    ///
    /// # Errors
    /// What the system says at once.
    pub(super) fn connect(
        &mut self,
        owner: RuleId,
        to: SocketAddr,
        options: &Options<'_>,
    ) -> Result<Connection, SocketError> {
        let family = Family::of(to);
        if Idle::serves(options)
            && let Some(Resting { number, socket }) = self.idle[family as usize].pop()
        {
            return match socket.connect(to, options) {
                Ok(stream) => {
                    self.owners[number] = Some(owner);
                    Ok(Connection { stream, to: Some(to), number })
                }
                Err((socket, error)) => {
                    self.idle[family as usize].push(Resting { number, socket });
                    Err(error)
                }
            };
        }
        let stream = match Stream::connect(to, options) {
            // Those that rest have some.
            Err(SocketError::Descriptors) if self.close_idle() => Stream::connect(to, options)?,
            stream => stream?,
        };
        self.take_in(owner, stream, Some(to))
    }

    /// Connects to a local socket.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn connect_local(&mut self, owner: RuleId, path: &str) -> Result<Connection, SocketError> {
        let stream = match Stream::connect_local(path) {
            Err(SocketError::Descriptors) if self.close_idle() => Stream::connect_local(path)?,
            stream => stream?,
        };
        self.take_in(owner, stream, None)
    }

    /// The end of a connection.
    pub(super) fn give_back(&mut self, connection: Connection) {
        let Connection { stream, to, number } = connection;
        self.owners[number] = None;
        self.returned.push(match (to.map(Family::of), stream.disconnect()) {
            (Some(family), Some(socket)) => Returned::Idle(family, Resting { number, socket }),
            (Some(_) | None, _) => Returned::Closed(number),
        });
    }

    fn take_in(
        &mut self,
        owner: RuleId,
        stream: Stream,
        to: Option<SocketAddr>,
    ) -> Result<Connection, SocketError> {
        let entry = self.owners.vacant_entry();
        let number = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(FIRST_TOKEN + number);
        // epoll_ctl(2) and kevent(2) fail for want of memory.
        let of_registering =
            |error: io::Error| SocketError::Buffers(error.raw_os_error().unwrap_or_default());
        self.registry.register(&mut SourceFd(&stream.fd()), token, interest).map_err(of_registering)?;
        entry.insert(Some(owner));
        Ok(Connection { stream, to, number })
    }

    /// Closes all that rest; whether there were any.
    fn close_idle(&mut self) -> bool {
        let mut any = false;
        for Resting { number, socket } in self.idle.iter_mut().flat_map(|idle| idle.drain(..)) {
            any = true;
            drop(socket);
            self.owners.remove(number);
        }
        any
    }
}

#[cfg(test)]
mod tests;
