//! One connection of a backend: TLS by rustls, one request, one answer, each as the behaviour has it.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use rustls::ServerConnection;

use super::super::behaviour::Behaviour;
use super::super::certificates::Identity;

/// A connection is closed when it is this old, whatever it does.
pub(super) const LIFE_MAX: Duration = Duration::from_secs(2);
/// From one byte of a dripped answer to the next: two or three within a deadline of 80 ms.
const DRIP_EVERY: Duration = Duration::from_millis(30);
/// A request is this long at most.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

const GOOD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 2\r\nConnection: close\r\n\r\n";

/// Whether there is more to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Ends,
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// None where it never says a word.
    session: Option<ServerConnection>,
    request: Vec<u8>,
    answer: Answer,
    ends: Instant,
}

#[derive(Debug)]
enum Answer {
    /// Once there is a request, this at once.
    Whole(&'static [u8]),
    /// Once there is a request, this bit by bit.
    Slow(&'static [u8]),
    /// What is left of it, and when the next byte goes out.
    Dripping(&'static [u8], Instant),
    Given,
}

impl Connection {
    /// Takes a connection on; none when TLS cannot begin.
    pub(super) fn new(
        stream: TcpStream,
        behaviour: Behaviour,
        identity: &Identity,
        now: Instant,
    ) -> Option<Self> {
        // Every byte of a slow answer is to go out by itself.
        let _ = stream.set_nodelay(true);
        let (config, answer) = match behaviour {
            Behaviour::Hangs => (None, Answer::Given),
            // Whoever came before the port was closed is served.
            Behaviour::Well | Behaviour::Refuses => (Some(&identity.valid), Answer::Whole(GOOD)),
            Behaviour::Unavailable503 => (Some(&identity.valid), Answer::Whole(UNAVAILABLE)),
            Behaviour::Expired => (Some(&identity.expired), Answer::Whole(GOOD)),
            Behaviour::Drips => (Some(&identity.valid), Answer::Slow(GOOD)),
        };
        let session = match config {
            Some(config) => Some(ServerConnection::new(config.clone()).ok()?),
            None => None,
        };
        Some(Self { stream, session, request: Vec::new(), answer, ends: now + LIFE_MAX })
    }

    /// Does what can be done at present. Harmless when nothing can.
    pub(super) fn go_on(&mut self, now: Instant) -> Fate {
        if now >= self.ends {
            return Fate::Ends;
        }
        // Whatever breaks a connection ends it, and that is all.
        self.exchange(now).unwrap_or(Fate::Ends)
    }

    /// When it is to go on, at the latest.
    pub(super) fn deadline(&self) -> Instant {
        match self.answer {
            Answer::Dripping(_, next) => next.min(self.ends),
            Answer::Whole(_) | Answer::Slow(_) | Answer::Given => self.ends,
        }
    }

    fn exchange(&mut self, now: Instant) -> io::Result<Fate> {
        let Some(session) = &mut self.session else { return wait_for_end(&mut self.stream) };
        while let Some(bytes) = at_present(session.read_tls(&mut self.stream))? {
            if bytes == 0 {
                return Ok(Fate::Ends);
            }
            if let Err(error) = session.process_new_packets() {
                // The other side is told why.
                session.write_tls(&mut self.stream)?;
                return Err(io::Error::other(error));
            }
            take_request(session, &mut self.request)?;
        }
        if self.request.windows(4).any(|end| end == b"\r\n\r\n") {
            self.answer = give(session, &self.answer, now)?;
        }
        while session.wants_write() && at_present(session.write_tls(&mut self.stream))?.is_some() {}
        Ok(Fate::Stays)
    }
}

/// The part of an answer that is due; what is left of it afterwards.
fn give(session: &mut ServerConnection, answer: &Answer, now: Instant) -> io::Result<Answer> {
    let (part, left) = match *answer {
        Answer::Whole(whole) => (whole, &[][..]),
        Answer::Slow(left) => left.split_at(1),
        Answer::Dripping(left, next) if next <= now => left.split_at(1),
        Answer::Dripping(left, next) => return Ok(Answer::Dripping(left, next)),
        Answer::Given => return Ok(Answer::Given),
    };
    session.writer().write_all(part)?;
    if left.is_empty() {
        // The other side ends the connection: if we did, what it sends meanwhile would undo our answer.
        session.send_close_notify();
        return Ok(Answer::Given);
    }
    Ok(Answer::Dripping(left, now + DRIP_EVERY))
}

fn take_request(session: &mut ServerConnection, request: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while let Some(bytes) = at_present(session.reader().read(&mut buffer))? {
        if bytes == 0 {
            return Ok(());
        }
        if request.len() + bytes > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        request.extend_from_slice(&buffer[..bytes]);
    }
    Ok(())
}

/// Says nothing, and drops what comes.
fn wait_for_end(stream: &mut TcpStream) -> io::Result<Fate> {
    let mut buffer = [0; 1024];
    while let Some(bytes) = at_present(stream.read(&mut buffer))? {
        if bytes == 0 {
            return Ok(Fate::Ends);
        }
    }
    Ok(Fate::Stays)
}

/// `None` for what cannot be done at present.
fn at_present(outcome: io::Result<usize>) -> io::Result<Option<usize>> {
    match outcome {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        // As if nothing had been there: the poll says so again.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(1)),
        Err(error) => Err(error),
    }
}
