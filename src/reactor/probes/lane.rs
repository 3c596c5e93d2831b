//! One rule's connection and the machine that speaks on it.
//!
//! Knows how bytes get in and out and when a connection is made, kept and ended; what they mean is the
//! machine's affair.

use std::net::SocketAddr;
use std::time::Instant;

use super::sockets::{Connection, Sockets};
use super::trouble;
use crate::now::Now;
use crate::probe::{Conversation, Ends, Plan, Step};
use crate::rule::{Close, Peer, RuleId};
use crate::sys::socket::{Options, SocketError};
use crate::verdict::{Cause, Verdict};

/// Reads of one connection in one turn at most, so that one that pours cannot starve the others.
const READS_PER_TURN: u32 = 4;

/// Bytes of an answer that are read at most for the sake of its connection: beyond that a new one costs
/// less than the rest.
const KEPT_ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Where a lane connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination<'a> {
    Inet(SocketAddr),
    Local(&'a str),
}

/// What the poll says of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Readiness {
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// There is an end to what can be read.
    pub(super) read_closed: bool,
    /// It can be written to, and nothing else is to be said of it: a connection that was being made is there.
    pub(super) is_open: bool,
}

impl Readiness {
    /// Anything may be; trying tells.
    pub(super) const UNKNOWN: Self =
        Self { readable: true, writable: true, read_closed: true, is_open: false };
}

/// What came of driving a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It waits for the poll.
    Waits,
    /// There is more to read than one turn takes.
    HasMore,
    /// The queue of the local socket is full: connect again in a moment.
    Full,
    /// The run is over.
    Done(Verdict),
}

/// What a run needs of its surroundings.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) sockets: &'a mut Sockets,
    pub(super) rule: RuleId,
    pub(super) scratch: &'a mut [u8],
}

/// A rule's connection and machine, for as long as it has any use for them.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) conversation: Conversation,
    connection: Option<Connection>,
    is_connected: bool,
    /// The run under way; `None` between runs.
    pub(super) run: Option<u64>,
    /// The run goes over a connection that an earlier one made.
    is_reused: bool,
    /// The other side has reset the connection; what it said before may still be there to be read.
    is_reset: bool,
    /// It waits in the line of connections with more to read.
    pub(super) is_queued: bool,
    /// All that had come was read: the poll tells of whatever comes next.
    is_drained: bool,
    out: Vec<u8>,
    written: usize,
}

impl Lane {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            conversation: Conversation::new(plan, now),
            connection: None,
            is_connected: false,
            run: None,
            is_reused: false,
            is_reset: false,
            is_queued: false,
            is_drained: true,
            out: Vec::new(),
            written: 0,
        }
    }

    /// A run begins whose address is known: over the kept connection if there is one that will do.
    pub(super) fn begin(
        &mut self,
        plan: &Plan,
        to: &Destination<'_>,
        around: &mut Surroundings<'_>,
        now: Now,
    ) -> Outcome {
        let is_same = match (to, &self.connection) {
            (Destination::Inet(to), Some(connection)) => connection.to == Some(*to),
            (Destination::Local(_), Some(_)) => true,
            (Destination::Inet(_) | Destination::Local(_), None) => false,
        };
        if is_same {
            self.look_at_kept(plan, around, now);
        }
        // A certificate that has run out since is judged by a fresh handshake.
        let can_serve = self.conversation.can_serve_again() && self.conversation.certificate_lasts(plan, now);
        if self.connection.is_some() && is_same && can_serve {
            self.clear_output();
            self.is_reused = true;
            let step = self.conversation.begin_again(plan, &mut self.out, now.mono);
            return match self.after(plan, step) {
                Outcome::Done(verdict) => self.done_or_again(plan, to, verdict, around, now),
                going @ (Outcome::Waits | Outcome::HasMore | Outcome::Full) => going,
            };
        }
        self.conversation.begin(true, now.mono);
        self.connect(plan, to, around, now)
    }

    /// Makes a fresh connection for the run under way.
    pub(super) fn connect(
        &mut self,
        plan: &Plan,
        to: &Destination<'_>,
        around: &mut Surroundings<'_>,
        now: Now,
    ) -> Outcome {
        self.end_connection(around.sockets);
        self.clear_output();
        self.is_reused = false;
        let connection = match to {
            Destination::Inet(address) => around.sockets.connect(around.rule, *address, &options(plan)),
            Destination::Local(path) => around.sockets.connect_local(around.rule, path),
        };
        match connection {
            Ok(connection) => self.connection = Some(connection),
            Err(SocketError::Full(_)) => return Outcome::Full,
            Err(error) => return Outcome::Done(self.verdict_of(plan, error)),
        }
        match to {
            Destination::Inet(_) => Outcome::Waits,
            // A local socket is connected at once.
            Destination::Local(_) => self.drive(plan, Readiness::UNKNOWN, to, around, now),
        }
    }

    /// Does what the poll says can be done. Between runs it only watches over a kept connection.
    pub(super) fn drive(
        &mut self,
        plan: &Plan,
        ready: Readiness,
        to: &Destination<'_>,
        around: &mut Surroundings<'_>,
        now: Now,
    ) -> Outcome {
        let outcome = self.drive_stream(plan, ready, around.scratch, now);
        match (outcome, self.run) {
            (Outcome::Done(_), None) => {
                self.end_connection(around.sockets);
                self.conversation.release();
                Outcome::Waits
            }
            (Outcome::Done(verdict), Some(_)) => self.done_or_again(plan, to, verdict, around, now),
            (outcome @ (Outcome::Waits | Outcome::HasMore | Outcome::Full), _) => outcome,
        }
    }

    /// The run is over: keeps the connection where it can serve again, ends it otherwise.
    pub(super) fn end(&mut self, plan: &Plan, verdict: &Verdict, sockets: &mut Sockets) {
        self.run = None;
        self.clear_output();
        let was_good = *verdict == Verdict::Success;
        if !was_good || !plan.reuses() || !self.is_connected || !self.conversation.may_serve_again() {
            self.end_connection(sockets);
            self.conversation.release();
        }
    }

    /// Whether there is something on a connection that the poll will not tell of again.
    pub(super) fn has_unread(&self) -> bool {
        self.connection.is_some() && !self.is_drained
    }

    /// Whether there is neither a run nor a connection.
    pub(super) fn is_idle(&self) -> bool {
        self.run.is_none() && self.connection.is_none()
    }

    /// Whether there is a connection.
    pub(super) fn has_connection(&self) -> bool {
        self.connection.is_some()
    }

    /// Ends the connection, if there is one. To be called before the lane is dropped.
    pub(super) fn end_connection(&mut self, sockets: &mut Sockets) {
        if let Some(connection) = self.connection.take() {
            sockets.give_back(connection);
        }
        self.is_connected = false;
        self.is_reset = false;
        self.is_drained = true;
    }

    /// What has come on a kept connection since the last verdict: the rest of an answer, its end, or
    /// something that nobody asked for and that must not be taken for the next answer.
    fn look_at_kept(&mut self, plan: &Plan, around: &mut Surroundings<'_>, now: Now) {
        let run = self.run.take();
        if let Outcome::Done(_) = self.drive_stream(plan, Readiness::UNKNOWN, around.scratch, now) {
            self.end_connection(around.sockets);
        }
        self.run = run;
    }

    /// A connection that an earlier run made and that turns out to be of no use is replaced, once: the
    /// server may have closed it just before we spoke.
    fn done_or_again(
        &mut self,
        plan: &Plan,
        to: &Destination<'_>,
        verdict: Verdict,
        around: &mut Surroundings<'_>,
        now: Now,
    ) -> Outcome {
        let was_closed = matches!(verdict, Verdict::Failure(Cause::Closed(_) | Cause::Reset(_)));
        if !self.is_reused || !was_closed || self.conversation.has_answer() {
            return Outcome::Done(verdict);
        }
        self.conversation.connect_again();
        self.connect(plan, to, around, now)
    }

    fn drive_stream(&mut self, plan: &Plan, ready: Readiness, scratch: &mut [u8], now: Now) -> Outcome {
        let Some(connection) = &self.connection else { return Outcome::Waits };
        let stream = &connection.stream;
        if !self.is_connected {
            match if ready.is_open { Ok(true) } else { stream.is_connected() } {
                Ok(true) => {}
                Ok(false) => return Outcome::Waits,
                Err(error) => return Outcome::Done(self.verdict_of(plan, error)),
            }
            if connection.meets_itself() {
                return Outcome::Done(self.verdict_of(plan, SocketError::NOBODY_LISTENS));
            }
            self.is_connected = true;
            let wants_ends = plan.network.proxy_protocol.is_some();
            let ends = if wants_ends { stream.ends() } else { None };
            let ends = ends.map(|(local, peer)| Ends { local, peer });
            let step = self.conversation.connected(plan, ends, &mut self.out, now);
            match self.after(plan, step) {
                Outcome::Waits => {}
                done @ (Outcome::Done(_) | Outcome::HasMore | Outcome::Full) => return done,
            }
        } else if ready.writable {
            match self.after(plan, Step::Continue) {
                Outcome::Waits | Outcome::HasMore => {}
                done @ (Outcome::Done(_) | Outcome::Full) => return done,
            }
        }
        if ready.readable || ready.read_closed {
            self.read(plan, ready, scratch, now)
        } else {
            Outcome::Waits
        }
    }

    fn read(&mut self, plan: &Plan, ready: Readiness, scratch: &mut [u8], now: Now) -> Outcome {
        self.is_drained = false;
        for _ in 0..READS_PER_TURN {
            let Some(Connection { stream, .. }) = &self.connection else { return Outcome::Waits };
            let bytes = match stream.read(scratch) {
                Ok(Some(0) | None) if self.is_reset => {
                    return Outcome::Done(self.verdict_of(plan, SocketError::Reset));
                }
                Ok(None) => {
                    self.is_drained = true;
                    return Outcome::Waits;
                }
                Ok(Some(bytes)) => bytes,
                Err(error) => return Outcome::Done(self.verdict_of(plan, error)),
            };
            let step = if bytes == 0 {
                self.conversation.eof(plan, &mut self.out)
            } else {
                self.conversation.bytes(plan, &scratch[..bytes], &mut self.out, now)
            };
            let ended = bytes == 0 && step == Step::Continue;
            // A short read has taken all there was (epoll(7), question 9); an end yet to be read is told.
            self.is_drained = bytes < scratch.len() && !ready.read_closed;
            match self.after(plan, step) {
                Outcome::Waits if ended => {
                    return Outcome::Done(Verdict::Failure(Cause::Closed(self.conversation.stage())));
                }
                Outcome::Waits => {}
                // Between runs the verdict has been given; what comes is the rest of an answer.
                Outcome::Done(_) if self.run.is_none() && bytes > 0 => {
                    if !self.conversation.may_serve_again() {
                        return Outcome::Done(Verdict::Success);
                    }
                }
                done @ (Outcome::Done(_) | Outcome::HasMore | Outcome::Full) => return done,
            }
            if self.run.is_none() && self.conversation.received() > KEPT_ANSWER_BYTES_MAX {
                return Outcome::Done(Verdict::Success);
            }
            if self.is_drained {
                return Outcome::Waits;
            }
        }
        Outcome::HasMore
    }

    /// Writes what the machine has to say.
    fn after(&mut self, plan: &Plan, step: Step) -> Outcome {
        let flushed = self.flush();
        match (step, flushed) {
            (Step::Done(verdict), _) => Outcome::Done(verdict),
            (Step::Continue, Ok(())) => Outcome::Waits,
            // What the other side said before it went may still be there to be read, and says more.
            (Step::Continue, Err(SocketError::Reset)) => {
                self.is_reset = true;
                Outcome::HasMore
            }
            (Step::Continue, Err(error)) => Outcome::Done(self.verdict_of(plan, error)),
        }
    }

    fn flush(&mut self) -> Result<(), SocketError> {
        let open = self.connection.as_ref().filter(|_| !self.is_reset);
        let Some(Connection { stream, .. }) = open else { return Ok(()) };
        while self.written < self.out.len() {
            match stream.write(&self.out[self.written..])? {
                Some(bytes) => self.written += bytes,
                None => return Ok(()),
            }
        }
        self.clear_output();
        Ok(())
    }

    fn clear_output(&mut self) {
        /// Memory that a lane keeps for its next run.
        const KEPT_BYTES_MAX: usize = 8 * 1024;
        self.out.clear();
        self.out.shrink_to(KEPT_BYTES_MAX);
        self.written = 0;
    }

    fn verdict_of(&mut self, plan: &Plan, error: SocketError) -> Verdict {
        if error == SocketError::TimedOut
            && let Some(verdict) = self.conversation.expired(plan)
        {
            return verdict;
        }
        trouble::verdict(error, self.conversation.stage(), plan)
    }
}

fn options(plan: &Plan) -> Options<'_> {
    let network = &plan.network;
    Options {
        source: network.source,
        interface: network.interface.as_deref(),
        fib: network.fib,
        mark: network.mark,
        resets: network.close == Close::Reset,
        withholds_ack: plan.speaks_first() || plan.is_connection_only(),
        serves_again: matches!(plan.peer, Peer::Address(..)),
    }
}
