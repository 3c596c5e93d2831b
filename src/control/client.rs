//! The machine that speaks with one client: bytes to requests, replies to bytes, and how long it may take.
//!
//! Sans-I/O. One request is answered at a time. What comes after it waits here, as far as there is room for one
//! line, and then in the system's buffers.
//!
//! ```text
//!          a line            the last reply
//!   Idle ----------> Answering ----------> Idle
//!                        | events            | what cannot be trusted, its end
//!                        v                   v
//!                     Events              Closing -- all is written --> over
//! ```
//!
//! The owner's loop: [`handle_bytes`](Client::handle_bytes) of no more than [`room`](Client::room),
//! [`next`](Client::next), [`reply`](Client::reply) while it [has room](Client::has_room), then what is
//! [waiting](Client::waiting) to be written. After each of them [`poll_timeout`](Client::poll_timeout) may be
//! another. When it [is over](Client::is_over), or [`overdue`](Client::overdue) says why it is to
//! be, close.

use std::time::{Duration, Instant};

use super::output::Output;
use super::protocol::{LINE_BYTES_MAX, Reply, Request};
use super::texts::{self, Shown};

/// A line that was begun must be ended within this,
const LINE_TIME: Duration = Duration::from_secs(10);
/// a client without a request is closed after this,
const IDLE_TIME: Duration = Duration::from_secs(600);
/// and one that takes nothing of what waits for it after this,
const READ_TIME: Duration = Duration::from_secs(10);
/// or this, when it listens to events, which may come in bursts.
const READ_TIME_EVENTS: Duration = Duration::from_secs(60);

/// One client.
#[derive(Debug)]
pub struct Client {
    /// Bytes of lines that have not been looked at.
    input: Vec<u8>,
    /// So many of them have no end of a line.
    searched: usize,
    has_ended: bool,
    output: Output,
    state: State,
    /// When it became idle, or began the line that has no end yet.
    waits_since: Instant,
    /// Since when it takes nothing of what waits for it.
    stuck_since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It may ask.
    Idle,
    /// What it asked is being answered.
    Answering,
    /// It is told of events; of so many it was not.
    Events { missed: u64 },
    /// It is told why, and then closed.
    Closing,
}

/// What a client wants next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// This; answer it.
    Request(Request),
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
            searched: 0,
            has_ended: false,
            output: Output::default(),
            state: State::Idle,
            waits_since: now,
            stuck_since: now,
        }
    }

    /// How many bytes it takes now.
    pub fn room(&self) -> usize {
        match self.state {
            State::Idle | State::Answering if !self.has_ended => LINE_BYTES_MAX - self.input.len(),
            State::Idle | State::Answering | State::Events { .. } | State::Closing => 0,
        }
    }

    /// Bytes have come, no more than it has room for.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Instant) {
        debug_assert!(bytes.len() <= self.room());
        if self.input.is_empty() {
            self.waits_since = now;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Nothing more will come.
    pub fn handle_end(&mut self) {
        self.has_ended = true;
    }

    /// Looks at no more than one line. Ask again for what comes after it.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.state != State::Idle || !self.has_room() {
            return Next::Nothing;
        }
        let Some(end) = self.input[self.searched..].iter().position(|byte| *byte == b'\n') else {
            return self.without_line(now);
        };
        let line: Vec<u8> = self.input.drain(..=self.searched + end).collect();
        self.searched = 0;
        self.waits_since = now;
        match read(&line[..line.len() - 1]) {
            Ok(request) => {
                self.state = if request == (Request::Events {}) {
                    State::Events { missed: 0 }
                } else {
                    State::Answering
                };
                Next::Request(request)
            }
            Err(text) => self.refuse(text, now),
        }
    }

    /// There is no whole line.
    fn without_line(&mut self, now: Instant) -> Next {
        self.searched = self.input.len();
        let why = if self.input.len() >= LINE_BYTES_MAX {
            format!("a line is longer than {LINE_BYTES_MAX} bytes; nothing after its beginning is read")
        } else if self.has_ended && !self.input.is_empty() {
            "the last line has no end".to_owned()
        } else {
            return Next::Nothing;
        };
        let refused = self.refuse(why, now);
        self.input = Vec::new();
        self.searched = 0;
        self.state = State::Closing;
        refused
    }

    fn refuse(&mut self, text: String, now: Instant) -> Next {
        self.add(now, |output| output.reply(&Reply::Refused { text, details: Vec::new() }));
        Next::Refused
    }

    /// A line of the answer; the last one lets the client ask again. Ask for [room](Self::has_room) first when
    /// there may be many.
    pub fn reply(&mut self, reply: &Reply, now: Instant) {
        debug_assert!(matches!(self.state, State::Answering | State::Events { .. }), "nothing was asked");
        self.add(now, |output| output.reply(reply));
        if reply.is_last() {
            self.state = State::Idle;
            self.waits_since = now;
        }
    }

    /// An event, as a line of JSON; counted where there is no room for it.
    pub fn event(&mut self, line: &str, now: Instant) {
        self.tell_missed(now);
        let State::Events { missed } = &mut self.state else { return };
        if !self.output.has_room() {
            *missed += 1;
            return;
        }
        self.add(now, |output| output.line(line));
    }

    /// So many events were lost on their way here.
    pub fn missed(&mut self, count: u64, now: Instant) {
        if let State::Events { missed } = &mut self.state {
            *missed += count;
        }
        self.tell_missed(now);
    }

    fn tell_missed(&mut self, now: Instant) {
        match self.state {
            State::Events { missed: count @ 1.. } if self.output.has_room() => {
                self.add(now, |output| output.reply(&Reply::Missed { count }));
                self.state = State::Events { missed: 0 };
            }
            State::Events { .. } | State::Idle | State::Answering | State::Closing => {}
        }
    }

    fn add(&mut self, now: Instant, add: impl FnOnce(&mut Output)) {
        if self.output.waiting().is_empty() {
            self.stuck_since = now;
        }
        add(&mut self.output);
    }

    /// The client took so many bytes.
    pub fn written(&mut self, bytes: usize, now: Instant) {
        self.output.written(bytes);
        if bytes > 0 {
            self.stuck_since = now;
            self.waits_since = self.waits_since.max(now);
        }
        self.tell_missed(now);
    }

    /// Why it is to be closed now, if it is.
    pub fn overdue(&self, now: Instant) -> Option<&'static str> {
        let (at, why) = self.deadline()?;
        (at <= now).then_some(why)
    }

    /// When [`overdue`](Self::overdue) may say why, at the earliest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline().map(|(at, _)| at)
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        let (since, time, why) = match self.state {
            State::Events { .. } if self.is_waiting() => {
                (self.stuck_since, READ_TIME_EVENTS, "it takes none of the events that wait for it")
            }
            State::Idle | State::Answering | State::Closing if self.is_waiting() => {
                (self.stuck_since, READ_TIME, "it takes nothing of what waits for it")
            }
            State::Idle if self.input.is_empty() => (self.waits_since, IDLE_TIME, "it asks nothing"),
            State::Idle => (self.waits_since, LINE_TIME, "it does not end the line that it began"),
            State::Events { .. } | State::Answering | State::Closing => return None,
        };
        Some((since.checked_add(time)?, why))
    }

    fn is_waiting(&self) -> bool {
        !self.output.waiting().is_empty()
    }

    /// What waits to be written.
    pub fn waiting(&self) -> &[u8] {
        self.output.waiting()
    }

    /// Whether it takes one more line of an answer.
    pub fn has_room(&self) -> bool {
        self.output.has_room()
    }

    /// Whether something that it asked is being answered.
    pub fn is_answered(&self) -> bool {
        self.state == State::Answering
    }

    /// Whether it is told of events.
    pub fn wants_events(&self) -> bool {
        matches!(self.state, State::Events { .. })
    }

    /// Whether [`next`](Self::next) may have something.
    pub fn may_ask(&self) -> bool {
        let has_news = self.searched < self.input.len() || self.has_ended && !self.input.is_empty();
        self.state == State::Idle && has_news && self.has_room()
    }

    /// Whether nothing will come of it any more.
    pub fn is_over(&self) -> bool {
        let is_silent = match self.state {
            State::Closing => true,
            State::Idle => self.has_ended && self.input.is_empty(),
            State::Answering | State::Events { .. } => false,
        };
        is_silent && !self.is_waiting()
    }
}

/// A line as a request.
fn read(line: &[u8]) -> Result<Request, String> {
    let line = std::str::from_utf8(line).map_err(|error| {
        format!("a line is not UTF-8: the first wrong byte is number {}", error.valid_up_to() + 1)
    })?;
    if line.trim().is_empty() {
        return Err("an empty line is no request".to_owned());
    }
    if line.contains('\0') {
        return Err("a line has a NUL byte in it".to_owned());
    }
    let request = Request::parse(line).map_err(|why| Shown(&why).to_string())?;
    texts::judge(&request)?;
    Ok(request)
}

#[cfg(test)]
mod tests;
