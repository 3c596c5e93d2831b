//! Those who mean no good.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::crew::{Crew, Deeds, Stop};
use super::http::PAGE;

/// Clients that have asked for half of something.
const HALVES: usize = 60;
/// How often those of them are looked for that were closed.
const HALVES_EVERY: Duration = Duration::from_millis(100);
/// Clients that ask for the status and read nothing,
const DEAF: usize = 20;
/// of which a new one comes this often, and the oldest one goes: longer than an answer is given to others too.
const DEAF_EVERY: Duration = Duration::from_millis(600);
/// What such a client's kernel takes all the same, in bytes.
const DEAF_BYTES: usize = 4096;
/// Between two connections: 500 a second.
const CONNECT_EVERY: Duration = Duration::from_millis(2);
/// So many of them are held.
const HELD: usize = 200;
/// Between two odd requests.
const ODD_EVERY: Duration = Duration::from_millis(2);
/// How long an answer to one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What all of it is called in what was done.
pub(crate) const CONNECTIONS: &str = "connections";
pub(crate) const HALF_REQUESTS: &str = "half requests";
pub(crate) const NOT_READ: &str = "answers not read";
pub(crate) const REFUSED: &str = "odd requests refused";
const CUT_OFF: &str = "odd requests without an answer";

/// Has them all come.
pub(crate) fn attack(crew: &mut Crew) {
    crew.spawn(halves);
    crew.spawn(deaf);
    crew.spawn(connections);
    crew.spawn(odd);
}

/// A connection. That none can be had is no more than one that is not served.
fn connect() -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&PAGE, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    Some(stream)
}

fn halves(stop: &Stop) -> Deeds {
    let mut deeds = Deeds::default();
    let mut held: Vec<TcpStream> = Vec::new();
    while !stop.comes_before(Instant::now() + HALVES_EVERY) {
        held.retain_mut(|stream| {
            let read = stream.read(&mut [0; 1024]);
            matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
        while held.len() < HALVES {
            let Some(mut stream) = connect() else { break };
            let is_sent = stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: ben").is_ok();
            if !is_sent || stream.set_nonblocking(true).is_err() {
                break;
            }
            held.push(stream);
            deeds.count(HALF_REQUESTS);
        }
    }
    deeds
}

fn deaf(stop: &Stop) -> Deeds {
    let mut deeds = Deeds::default();
    let mut held = VecDeque::new();
    while !stop.comes_before(Instant::now() + DEAF_EVERY) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(DEAF_BYTES).expect("a small buffer");
        if socket.connect_timeout(&PAGE.into(), PATIENCE).is_err() {
            continue;
        }
        let mut stream = TcpStream::from(socket);
        if stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: bench\r\n\r\n").is_ok() {
            deeds.count(NOT_READ);
        }
        held.push_back(stream);
        if held.len() > DEAF {
            held.pop_front();
        }
    }
    deeds
}

fn connections(stop: &Stop) -> Deeds {
    let mut deeds = Deeds::default();
    let mut held = VecDeque::new();
    let mut next = Instant::now();
    while !stop.comes_before(next) {
        if let Some(stream) = connect() {
            held.push_back(stream);
            deeds.count(CONNECTIONS);
        }
        if held.len() > HELD {
            held.pop_front();
        }
        // What this thread has been kept from is not made up for by a burst.
        next = (next + CONNECT_EVERY).max(Instant::now());
    }
    deeds
}

/// Sends what is no proper request, and sees to it that none is served.
fn odd(stop: &Stop) -> Deeds {
    let mut deeds = Deeds::default();
    let texts = odd_texts();
    for text in texts.iter().cycle() {
        if stop.comes_before(Instant::now() + ODD_EVERY) {
            break;
        }
        let Some(mut stream) = connect() else { continue };
        // Where it is refused before all is there the rest may find the connection closed.
        let _ = stream.write_all(text);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        match answer.get(..9).map(|_| &answer[9..answer.len().min(12)]) {
            Some([b'4' | b'5', _, _]) => deeds.count(REFUSED),
            None => deeds.count(CUT_OFF),
            Some(_) => {
                let (text, answer) = (shown(text), shown(&answer));
                deeds.wrong.push(format!("{text:?} is answered {answer:?}"));
            }
        }
    }
    deeds
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned()
}

/// Heads that two servers could read differently, that are too long, and what is none at all.
fn odd_texts() -> Vec<Vec<u8>> {
    let second = "GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n";
    let smuggling = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 40",
        "Content-Length: +4",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Host: other",
        "X: y\r\n folded: z",
    ];
    let mut texts: Vec<Vec<u8>> = smuggling
        .iter()
        .map(|lines| {
            format!("GET /metrics HTTP/1.1\r\nHost: bench\r\n{lines}\r\n\r\n0\r\n\r\n{second}").into_bytes()
        })
        .collect();
    let long = "x".repeat(64 * 1024);
    texts.push(format!("GET / HTTP/1.1\r\nHost: bench\r\nX: {long}\r\n\r\n").into_bytes());
    texts.push(format!("GET /{long} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes());
    texts.push(format!("GET / HTTP/1.1\r\nHost: bench\r\n{}\r\n", "a: b\r\n".repeat(1000)).into_bytes());
    texts.push(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec());
    // The beginning of a handshake of TLS, and bytes without any meaning.
    texts.push([&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0xa5; 501]].concat());
    let mut state = 0x9e37_79b9_u32;
    texts.push(
        (0..4096)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                // Never a letter, so that nothing of it can be the beginning of a request.
                state.to_le_bytes()[0] | 0x80
            })
            .collect(),
    );
    texts
}
