//! The sockets of probes: the numbers by which the poll names them, those that rest between two connections, and how
//! many there may be.
//!
//! A number belongs to a socket as long as that is registered, whoever has it: a rule for one connection, or nobody
//! while it rests. What was given back during a batch of events is handed out after it, and so is what rests and has
//! an event in a batch that has yet to be gone through, so that nothing which the batch still says of the old
//! connection is taken for the new one's.
//!
//! A socket rests for the rule that had it, and for no other: Linux numbers what the next connection sends from where
//! the last one ended (net/ipv4/tcp.c, tcp_disconnect), so that whoever had that one could tell the numbers of the
//! next, and answer in the name of a target that is dead (RFC 6528). A rule has one target, which learns of nobody
//! but itself.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::rule::RuleId;
use crate::sys::ports;
use crate::sys::socket::{Idle, Options, SocketError, Stream};

/// The token of the first socket.
const FIRST_TOKEN: usize = 16;
/// Sockets that rest at a time: one that is not connected takes 4 to 5 KiB of the kernel's memory.
const RESTING_MAX: usize = 16 * 1024;

/// Numbers of sockets are made so many at a time, as a list that doubles wastes half of itself.
const NUMBERS_AT_ONCE: usize = 64;
/// No rule.
const NOBODY: RuleId = RuleId(u32::MAX);
/// None either: the batch has an event of a socket that rests.
const SPOKEN_OF: RuleId = RuleId(u32::MAX - 1);

/// All sockets of probes.
#[derive(Debug)]
pub(super) struct Sockets {
    registry: Registry,
    /// By number: whose connection it is, or nobody's at present.
    owners: Vec<RuleId>,
    /// Numbers that no socket has.
    free: Vec<u32>,
    /// Those that are open, whether they rest or not,
    open: usize,
    /// and so many may be.
    open_max: usize,
    /// By rule: ready for its next connection.
    resting: Vec<Option<Resting>>,
    /// How many of them there are, with those that were given back in this batch.
    at_rest: usize,
    /// The rule from which on one is looked for that can be closed for the sake of others.
    hand: usize,
    /// Numbers of those that rest of which there is an event in this batch.
    spoken_of: Vec<u32>,
    /// Given back in this batch of events: those to be used again, and the numbers of those that were closed.
    returned: Vec<Returned>,
    /// What local ends are given, where the system tells.
    local_ports: Option<RangeInclusive<u16>>,
}

#[derive(Debug)]
struct Resting {
    number: u32,
    socket: Idle,
}

#[derive(Debug)]
enum Returned {
    Idle(RuleId, Resting),
    Closed(u32),
}

/// A connection of a rule. To be given back to its [`Sockets`] at its end.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Where it goes, if that is an address.
    pub(super) to: Option<SocketAddr>,
    /// Its port may be given to a local end too, and so to this one.
    may_meet_itself: bool,
    owner: RuleId,
    number: u32,
}

impl Connection {
    /// Whether the one end is the other: on a port that this machine gives to local ends, where nobody listens, TCP
    /// may connect a socket to itself (RFC 9293, 3.5, simultaneous open).
    pub(super) fn meets_itself(&self) -> bool {
        self.may_meet_itself && self.stream.ends().is_some_and(|(local, peer)| local == peer)
    }
}

impl Sockets {
    /// None yet, for so many rules, and so many at most.
    pub(super) fn new(registry: Registry, rules: usize, open_max: usize) -> Self {
        let mut sockets = Self {
            registry,
            owners: Vec::new(),
            free: Vec::new(),
            open: 0,
            open_max,
            resting: Vec::new(),
            at_rest: 0,
            hand: 0,
            spoken_of: Vec::new(),
            returned: Vec::new(),
            local_ports: None,
        };
        sockets.allow(rules, open_max);
        sockets
    }

    /// There are so many rules from now on, no fewer than before, and may be so many sockets; those beyond it go as
    /// their connections end. What else an operator may have set is looked at again.
    pub(super) fn allow(&mut self, rules: usize, open_max: usize) {
        self.open_max = open_max;
        self.resting.reserve_exact(rules - self.resting.len());
        self.resting.resize_with(rules, || None);
        self.local_ports = ports::range();
    }

    /// Whose connection a token of the poll means; `None` for one that rests.
    pub(super) fn owner(&self, token: Token) -> Option<RuleId> {
        let is_rule = |owner: &RuleId| *owner != NOBODY && *owner != SPOKEN_OF;
        self.owners.get(token.0.checked_sub(FIRST_TOKEN)?).copied().filter(is_rule)
    }

    /// There is an event of this token in a batch that has yet to be gone through: if its socket rests, that is of its
    /// last connection, and the next one has to wait until the batch is over.
    pub(super) fn is_spoken_of(&mut self, token: Token) {
        let number = token.0.checked_sub(FIRST_TOKEN).and_then(|number| u32::try_from(number).ok());
        let Some(number) = number else { return };
        if let Some(owner @ &mut NOBODY) = self.owners.get_mut(number as usize) {
            *owner = SPOKEN_OF;
            self.spoken_of.push(number);
        }
    }

    /// The batch of events has been gone through: what was given back may be used.
    pub(super) fn batch_is_over(&mut self) {
        for number in self.spoken_of.drain(..) {
            let owner = &mut self.owners[number as usize];
            if *owner == SPOKEN_OF {
                *owner = NOBODY;
            }
        }
        while let Some(returned) = self.returned.pop() {
            match returned {
                Returned::Idle(owner, resting) => {
                    // It may have had two in this batch, one after the other.
                    if let Some(Resting { number, .. }) = self.resting[owner.index()].replace(resting) {
                        self.at_rest -= 1;
                        self.open -= 1;
                        self.free.push(number);
                    }
                }
                Returned::Closed(number) => self.free.push(number),
            }
        }
    }

    /// Begins to connect over TCP.
    ///
    /// # Errors
    /// What the system says at once; [`SocketError::Descriptors`] also when there are as many as there may be.
    pub(super) fn connect(
        &mut self,
        owner: RuleId,
        to: SocketAddr,
        options: &Options<'_>,
    ) -> Result<Connection, SocketError> {
        if Idle::serves(options)
            && !self.waits_for_batch(owner)
            && let Some(Resting { number, socket }) = self.take_resting(owner)
        {
            return match socket.connect(to, options) {
                Ok(stream) => {
                    self.owners[number as usize] = owner;
                    let may_meet_itself = self.may_meet_itself(to);
                    Ok(Connection { stream, to: Some(to), may_meet_itself, owner, number })
                }
                Err(error) => {
                    self.open -= 1;
                    self.returned.push(Returned::Closed(number));
                    Err(error)
                }
            };
        }
        self.open(owner, Some(to), || Stream::connect(to, options))
    }

    /// Connects to a local socket.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(super) fn connect_local(&mut self, owner: RuleId, path: &str) -> Result<Connection, SocketError> {
        self.open(owner, None, || Stream::connect_local(path))
    }

    /// The end of a connection.
    pub(super) fn give_back(&mut self, connection: Connection) {
        let Connection { stream, to: _, may_meet_itself: _, owner, number } = connection;
        self.owners[number as usize] = NOBODY;
        let may_rest = self.at_rest < RESTING_MAX && self.open <= self.open_max;
        let idle = if may_rest { stream.disconnect() } else { None };
        self.returned.push(match idle {
            Some(socket) => {
                self.at_rest += 1;
                Returned::Idle(owner, Resting { number, socket })
            }
            None => {
                self.open -= 1;
                Returned::Closed(number)
            }
        });
    }

    /// A rule is another one from now on, or none: the socket that rests for it serves nobody again. What it gave back
    /// in this batch is [closed](Self::close_returned) apart from that.
    pub(super) fn forget(&mut self, rule: RuleId) {
        if let Some(resting) = self.take_resting(rule) {
            self.close(resting);
        }
    }

    /// Closes what was given back in this batch.
    pub(super) fn close_returned(&mut self) {
        for returned in std::mem::take(&mut self.returned) {
            match returned {
                Returned::Idle(_, resting) => {
                    self.at_rest -= 1;
                    self.close(resting);
                }
                closed @ Returned::Closed(_) => self.returned.push(closed),
            }
        }
    }

    /// A new socket, made by `connect`.
    fn open(
        &mut self,
        owner: RuleId,
        to: Option<SocketAddr>,
        connect: impl Fn() -> Result<Stream, SocketError>,
    ) -> Result<Connection, SocketError> {
        if self.open >= self.open_max && !self.close_one() {
            return Err(SocketError::Descriptors);
        }
        let stream = match connect() {
            // Those that rest have some.
            Err(SocketError::Descriptors) if self.close_one() => connect()?,
            stream => stream?,
        };
        let number = self.free.last().map_or(self.owners.len(), |number| *number as usize);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(FIRST_TOKEN + number);
        // epoll_ctl(2) and kevent(2) fail for want of memory.
        let of_registering =
            |error: io::Error| SocketError::Buffers(error.raw_os_error().unwrap_or_default());
        self.registry.register(&mut SourceFd(&stream.fd()), token, interest).map_err(of_registering)?;
        if self.free.pop().is_none() {
            if self.owners.len() == self.owners.capacity() {
                self.owners.reserve_exact(NUMBERS_AT_ONCE);
            }
            self.owners.push(NOBODY);
        }
        self.owners[number] = owner;
        self.open += 1;
        let number = u32::try_from(number).expect("there are no more descriptors than that");
        let may_meet_itself = to.is_some_and(|to| self.may_meet_itself(to));
        Ok(Connection { stream, to, may_meet_itself, owner, number })
    }

    fn may_meet_itself(&self, to: SocketAddr) -> bool {
        self.local_ports.as_ref().is_none_or(|ports| ports.contains(&to.port()))
    }

    /// Whether the socket that rests for a rule has an event in this batch.
    fn waits_for_batch(&self, rule: RuleId) -> bool {
        let resting = self.resting.get(rule.index()).and_then(Option::as_ref);
        resting.is_some_and(|resting| self.owners[resting.number as usize] == SPOKEN_OF)
    }

    fn take_resting(&mut self, rule: RuleId) -> Option<Resting> {
        let resting = self.resting.get_mut(rule.index())?.take()?;
        self.at_rest -= 1;
        Some(resting)
    }

    /// Closes one of those that rest, of another rule each time; whether there was any.
    fn close_one(&mut self) -> bool {
        if self.at_rest == 0 {
            return false;
        }
        let rules = self.resting.len();
        let next =
            (self.hand..rules).chain(0..self.hand.min(rules)).find(|rule| self.resting[*rule].is_some());
        if let Some(resting) = next.and_then(|rule| self.resting[rule].take()) {
            self.hand = next.map_or(0, |rule| rule + 1);
            self.at_rest -= 1;
            self.close(resting);
            return true;
        }
        // Then it was given back in this batch.
        let idle = self.returned.iter().rposition(|returned| matches!(returned, Returned::Idle(..)));
        if let Some(Returned::Idle(_, resting)) = idle.map(|at| self.returned.swap_remove(at)) {
            self.at_rest -= 1;
            self.close(resting);
        }
        idle.is_some()
    }

    /// Its number is not used again within the batch.
    fn close(&mut self, Resting { number, socket }: Resting) {
        drop(socket);
        self.open -= 1;
        self.returned.push(Returned::Closed(number));
    }
}

#[cfg(test)]
mod tests;
