//! The machine that speaks HTTP with one client: bytes to requests, answers to bytes, and how long it may take.
//!
//! Sans-I/O. One request is answered at a time; what comes after it waits here, as far as there is room for one head.
//!
//! ```text
//!         a whole head              an answer              all is written
//!   Head --------------> Answering -----------> Sending -------------------> Head, or Draining
//!     | what is none         | the stream of events                              ^
//!     +--------------------- | ------------------------------------------------- + (Sending)
//!                            v
//!                         Streaming
//! ```
//!
//! After what cannot be read on, the connection is drained for a moment before it is closed: closed at once with bytes
//! unread, it would be reset, and the answer with it (RFC 9112 section 9.6).

use std::time::{Duration, Instant};

use super::hosts::Hosts;
use super::recent::{News, Recent, missed};
use super::report::{Hello, Json};
use super::request::{Asked, HEAD_BYTES_MAX, Method, Read, Refusal, read};
use super::response::{Body, Response, write_stream_head};
use crate::now::Now;

/// A head that was begun must be whole within this,
const HEAD_TIME: Duration = Duration::from_secs(10);
/// a client without a request is closed after this,
const IDLE_TIME: Duration = Duration::from_secs(60);
/// one that takes nothing of what waits for it after this,
const STUCK_TIME: Duration = Duration::from_secs(10);
/// and one that has not taken a whole answer after this.
const SENDING_TIME: Duration = Duration::from_secs(30);
/// What still comes of a request that was refused is read and forgotten for this long,
const DRAINING_TIME: Duration = Duration::from_secs(1);
/// and no more of it than this, in bytes.
const DRAINING_BYTES_MAX: usize = 64 * 1024;
/// Whoever listens is sent something this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// More than this does not wait for whoever listens, in bytes; one event may go over it.
const STREAM_BYTES_MAX: usize = 64 * 1024;
/// An answer up to this is put behind its head, so that both go in one piece.
const SMALL_BYTES_MAX: usize = 16 * 1024;

/// One client.
#[derive(Debug)]
pub struct Client {
    input: Vec<u8>,
    /// There is more of it than was last looked at.
    is_new: bool,
    has_ended: bool,
    /// Heads, small answers, events.
    output: Vec<u8>,
    written: usize,
    /// What follows them.
    sending: Option<Sending>,
    state: State,
    /// When this state began; of a head: when its first byte came, or when there was none yet.
    since: Instant,
    /// Since when it takes nothing of what waits for it.
    stuck_since: Instant,
}

#[derive(Debug)]
struct Sending {
    body: Body,
    piece: usize,
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Answering(Asked),
    Sending {
        keeps: bool,
    },
    /// It is told of events, and was told of those up to a number.
    Streaming {
        seen: u64,
        told_at: Instant,
    },
    Draining {
        bytes: usize,
    },
    Over,
}

/// What a client wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This; answer it.
    Asked(Asked),
    /// Something that cannot be had, which has been answered.
    Refused,
    /// Nothing at present.
    Nothing,
}

impl Client {
    /// One that has just connected.
    pub fn new(now: Instant) -> Self {
        Self {
            input: Vec::new(),
            is_new: false,
            has_ended: false,
            output: Vec::new(),
            written: 0,
            sending: None,
            state: State::Head,
            since: now,
            stuck_since: now,
        }
    }

    /// How many bytes it takes now.
    pub fn room(&self) -> usize {
        match self.state {
            _ if self.has_ended => 0,
            State::Head | State::Answering(_) | State::Sending { .. } => HEAD_BYTES_MAX - self.input.len(),
            State::Streaming { .. } => HEAD_BYTES_MAX,
            State::Draining { bytes } => DRAINING_BYTES_MAX - bytes,
            State::Over => 0,
        }
    }

    /// Bytes have come, no more than it has room for.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Instant) {
        debug_assert!(bytes.len() <= self.room());
        match &mut self.state {
            State::Draining { bytes: drained } => *drained += bytes.len(),
            // It has nothing to ask any more.
            State::Streaming { .. } | State::Over => self.state = State::Over,
            State::Head | State::Answering(_) | State::Sending { .. } => {
                if self.input.is_empty() && self.state == State::Head {
                    self.since = now;
                }
                self.input.extend_from_slice(bytes);
                self.is_new = true;
            }
        }
    }

    /// Nothing more will come.
    pub fn handle_end(&mut self) {
        self.has_ended = true;
    }

    /// Whether [`next`](Self::next) may find something: half a head is looked at again when there is more of it.
    pub fn may_ask(&self) -> bool {
        self.state == State::Head && self.is_new
    }

    /// Whether it waits for an answer.
    pub fn is_answered(&self) -> bool {
        matches!(self.state, State::Answering(_))
    }

    /// Whether it is told of events.
    pub fn is_streaming(&self) -> bool {
        matches!(self.state, State::Streaming { .. })
    }

    /// Whether nothing would be lost with it: it asks nothing at present.
    pub fn is_idle(&self) -> bool {
        self.state == State::Head
    }

    /// Since when it has been as it is.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The body that is being sent to it, if one is.
    pub fn body(&self) -> Option<&Body> {
        self.sending.as_ref().map(|sending| &sending.body)
    }

    /// Looks at what has come; `hosts` says whom a request may name.
    pub fn next(&mut self, hosts: Hosts<'_>, now: Now) -> Next {
        if !self.may_ask() {
            return Next::Nothing;
        }
        match read(&self.input, hosts) {
            Read::Partial => {
                self.is_new = false;
                Next::Nothing
            }
            Read::Whole(length, Ok(asked)) => {
                self.forget(length);
                (self.state, self.since) = (State::Answering(asked), now.mono);
                Next::Asked(asked)
            }
            Read::Whole(length, Err(refusal)) => {
                self.forget(length);
                self.refuse(refusal, now);
                Next::Refused
            }
        }
    }

    /// So much of what has come was a request.
    fn forget(&mut self, length: usize) {
        self.input.drain(..length);
        self.is_new = !self.input.is_empty();
    }

    fn refuse(&mut self, refusal: Refusal, now: Now) {
        let method = if refusal.is_head { Method::Head } else { Method::Get };
        self.send(&Response::refusal(refusal), method, refusal.keeps, now);
    }

    /// Answers what it asked last.
    pub fn respond(&mut self, response: &Response, now: Now) {
        if let State::Answering(asked) = self.state {
            self.send(response, asked.method, asked.keeps, now);
        }
    }

    fn send(&mut self, response: &Response, method: Method, keeps: bool, now: Now) {
        // One that has said all it wants is answered all of it (RFC 9112 section 9.6).
        let keeps = keeps && !(self.has_ended && self.input.is_empty());
        response.write_head(keeps, now.wall, &mut self.output);
        let length: usize = response.body.iter().map(|piece| piece.len()).sum();
        if method == Method::Get && length <= SMALL_BYTES_MAX {
            response.body.iter().for_each(|piece| self.output.extend_from_slice(piece));
        } else if method == Method::Get {
            self.sending = Some(Sending { body: response.body.clone(), piece: 0, at: 0 });
        }
        (self.state, self.since, self.stuck_since) = (State::Sending { keeps }, now.mono, now.mono);
    }

    /// Tells it of events behind `seen` from now on; `hello` is the first thing it hears.
    pub fn stream(&mut self, seen: u64, hello: &Hello, now: Now) {
        let State::Answering(asked) = self.state else { return };
        write_stream_head(now.wall, &mut self.output);
        (self.since, self.stuck_since) = (now.mono, now.mono);
        if asked.method == Method::Head {
            self.state = State::Sending { keeps: false };
            return;
        }
        self.output.extend_from_slice(b"event: hello\ndata: ");
        hello.write_json(&mut self.output);
        self.output.extend_from_slice(b"\n\n");
        self.state = State::Streaming { seen, told_at: now.mono };
    }

    /// Tells it what is new, as far as there is room.
    pub fn feed(&mut self, recent: &Recent, now: Instant) {
        let State::Streaming { seen, told_at } = &mut self.state else { return };
        if self.written >= SMALL_BYTES_MAX {
            // Of one that is always a little behind it would grow for ever.
            self.output.drain(..self.written);
            self.written = 0;
        }
        while self.output.len() - self.written < STREAM_BYTES_MAX {
            let (news, up_to) = recent.after(*seen);
            *seen = up_to;
            match news {
                News::Event(event) => self.output.extend_from_slice(&event),
                News::Missed(count) => {
                    self.output.extend_from_slice(missed(up_to, count).as_bytes());
                }
                News::None if now.saturating_duration_since(*told_at) >= SIGN_OF_LIFE => {
                    self.output.extend_from_slice(b":\n\n");
                }
                News::None => break,
            }
            *told_at = now;
        }
    }

    /// Whether it is told of events and has not been told of this one, or of nothing for long.
    pub fn wants_feeding(&self, last: u64, now: Instant) -> bool {
        matches!(self.state, State::Streaming { seen, told_at } if self.has_room()
            && (seen != last || now.saturating_duration_since(told_at) >= SIGN_OF_LIFE))
    }

    /// Whether it may be told more.
    fn has_room(&self) -> bool {
        self.output.len() - self.written < STREAM_BYTES_MAX
    }

    /// What waits to be written, or a first part of it.
    pub fn waiting(&self) -> &[u8] {
        let own = &self.output[self.written..];
        match &self.sending {
            Some(Sending { body, piece, at }) if own.is_empty() => {
                body.get(*piece).map_or(&[], |piece| &piece[*at..])
            }
            Some(_) | None => own,
        }
    }

    /// So many bytes of what waits are gone.
    pub fn written(&mut self, bytes: usize, now: Instant) {
        self.stuck_since = now;
        if self.written < self.output.len() {
            self.written += bytes;
            if self.written == self.output.len() {
                self.output.clear();
                self.output.shrink_to(SMALL_BYTES_MAX);
                self.written = 0;
            }
        } else if let Some(Sending { body, piece, at }) = &mut self.sending {
            *at += bytes;
            while body.get(*piece).is_some_and(|piece| *at >= piece.len()) {
                (*piece, *at) = (*piece + 1, 0);
            }
            if *piece == body.len() {
                self.sending = None;
            }
        }
        if self.output.is_empty() && self.sending.is_none() {
            self.all_is_written(now);
        }
    }

    fn all_is_written(&mut self, now: Instant) {
        match self.state {
            State::Sending { keeps: true } => self.state = State::Head,
            State::Sending { keeps: false } => self.state = State::Draining { bytes: 0 },
            State::Head
            | State::Answering(_)
            | State::Streaming { .. }
            | State::Draining { .. }
            | State::Over => {
                return;
            }
        }
        self.since = now;
    }

    /// Whether everything that it was to be told is written, and the sending side is to be closed.
    pub fn has_all(&self) -> bool {
        matches!(self.state, State::Draining { .. })
    }

    /// When [`overdue`](Self::overdue) may say something, or it wants [feeding](Self::feed).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stuck = (!self.waiting().is_empty()).then(|| self.stuck_since.checked_add(STUCK_TIME)).flatten();
        let own = match self.state {
            State::Head if self.input.is_empty() => self.since.checked_add(IDLE_TIME),
            State::Head => self.since.checked_add(HEAD_TIME),
            State::Answering(_) | State::Over => None,
            State::Sending { .. } => self.since.checked_add(SENDING_TIME),
            State::Streaming { told_at, .. } if self.has_room() => told_at.checked_add(SIGN_OF_LIFE),
            State::Streaming { .. } => None,
            State::Draining { .. } => self.since.checked_add(DRAINING_TIME),
        };
        [stuck, own].into_iter().flatten().min()
    }

    /// Why it is to be closed: it takes too long. Half a head is answered first.
    pub fn overdue(&mut self, now: Now) -> Option<&'static str> {
        let is_over = |since: Instant, time| now.mono.saturating_duration_since(since) >= time;
        if !self.waiting().is_empty() && is_over(self.stuck_since, STUCK_TIME) {
            return Some("it takes nothing of its answer");
        }
        match self.state {
            State::Head if self.input.is_empty() => {
                is_over(self.since, IDLE_TIME).then_some("it asks nothing")
            }
            State::Head if is_over(self.since, HEAD_TIME) => {
                let why = "the head of the request took too long";
                self.refuse(Refusal { status: 408, why, keeps: false, is_head: false }, now);
                None
            }
            State::Sending { .. } => {
                is_over(self.since, SENDING_TIME).then_some("it takes its answer too slowly")
            }
            State::Head
            | State::Answering(_)
            | State::Streaming { .. }
            | State::Draining { .. }
            | State::Over => None,
        }
    }

    /// Whether it is to be closed.
    pub fn is_over(&self, now: Instant) -> bool {
        match self.state {
            State::Head => self.has_ended && read(&self.input, Hosts::Any) == Read::Partial,
            State::Draining { bytes } => {
                let is_late = now.saturating_duration_since(self.since) >= DRAINING_TIME;
                self.has_ended || is_late || bytes >= DRAINING_BYTES_MAX
            }
            State::Over => true,
            State::Answering(_) | State::Sending { .. } | State::Streaming { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
