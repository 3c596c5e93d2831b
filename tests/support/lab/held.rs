//! Connections that stay open while something happens, and what has become of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::answer::{LARGE_REQUEST, LATE_REQUEST, REQUEST, served_by};
use super::clients::service;
use super::clock::{now, pause};
use super::namespace::Namespace;

/// How long a client that holds a connection waits for an answer on it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same for an answer that is late in coming.
const LATE_PATIENCE: Duration = Duration::from_secs(6);

/// How many long answers are more than a window holds.
const LARGE_ANSWERS: usize = 16;

/// An open connection of a client, and who answers on it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) client: usize,
    pub(crate) host: usize,
    stream: TcpStream,
}

/// What has become of a connection when its client asks again on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It goes on.
    GoesOn,
    /// The client has been told that it is over.
    Told,
    /// The client waits, and hears nothing.
    Hangs,
}

/// Opens a connection from each address and has it answered once. On a busy machine the hosts may be late for a moment, and
/// hfm have them out: it is tried again until all is well.
pub(crate) fn open(namespace: &Namespace, addresses: &[IpAddr]) -> Vec<Held> {
    namespace.run(|| {
        let open = |(client, address): (usize, &IpAddr)| {
            let until = now() + LATE_PATIENCE;
            loop {
                match connect(*address).and_then(|mut stream| Ok((ask(&mut stream)?, stream))) {
                    Ok((host, stream)) => return Held { client, host, stream },
                    Err(error) => assert!(now() < until, "a connection while all is well: {error}"),
                }
                pause(Duration::from_millis(50));
            }
        };
        addresses.iter().enumerate().map(open).collect()
    })
}

/// Asks on all of them for what is answered late.
pub(crate) fn ask_late(all: &mut [Held]) {
    for held in all {
        held.stream.write_all(LATE_REQUEST).expect("a connection while all is well");
    }
}

/// Has more come over each of them than a window holds; on one that does not go on that ends at once.
pub(crate) fn use_much(all: &mut [Held]) {
    for held in all {
        let ask = |stream: &mut TcpStream| stream.write_all(LARGE_REQUEST).and_then(|()| answer(stream));
        (0..LARGE_ANSWERS).try_for_each(|_| ask(&mut held.stream).map(|_| ())).unwrap_or_default();
    }
}

/// Asks on all of them once more.
pub(crate) fn fates(mut all: Vec<Held>) -> Vec<(usize, Fate)> {
    let asked = all.iter_mut().map(|held| held.stream.write_all(REQUEST)).collect();
    await_answers(all, asked, PATIENCE)
}

/// Waits for what was asked for by [`ask_late`].
pub(crate) fn fates_of_asked(all: Vec<Held>) -> Vec<(usize, Fate)> {
    let asked = all.iter().map(|_| Ok(())).collect();
    await_answers(all, asked, LATE_PATIENCE)
}

/// Hears on all what was asked on them; they share their patience.
fn await_answers(mut all: Vec<Held>, asked: Vec<io::Result<()>>, patience: Duration) -> Vec<(usize, Fate)> {
    let until = now() + patience;
    let answered = asked.into_iter().zip(&mut all).map(|(asked, held)| {
        let left = until.saturating_duration_since(now()).max(Duration::from_millis(1));
        held.stream.set_read_timeout(Some(left)).expect("a timeout");
        let fate = match asked.and_then(|()| answer(&mut held.stream)) {
            Ok(host) => {
                assert_eq!(host, held.host, "one connection is one host's");
                Fate::GoesOn
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Fate::Hangs,
            Err(_) => Fate::Told,
        };
        (held.client, fate)
    });
    answered.collect()
}

fn connect(from: IpAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(SocketAddr::new(from, 0)), Type::STREAM, None)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&service(from).into(), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

fn ask(stream: &mut TcpStream) -> io::Result<usize> {
    stream.write_all(REQUEST)?;
    answer(stream)
}

fn answer(stream: &mut TcpStream) -> io::Result<usize> {
    let (mut reply, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        reply.extend_from_slice(&piece[..length]);
        if let Some(answer) = served_by(&reply) {
            return answer.map_err(io::Error::other);
        }
    }
}
