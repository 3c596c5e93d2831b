//! All targets: one thread that accepts at every address of 127.0.0.0/8, over HTTP and HTTPS, answers 200 with a
//! small body, and closes when it is asked to, as a plain server does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use slab::Slab;
use socket2::{Domain, SockFilter, Socket, Type};

use super::certificate;
use super::rows::{BLACKHOLES, BLACKHOLES_IN, FIRST, Kind};

/// Where it listens: plainly, in TLS, and where three in ten never hear anything.
const PORTS: [u16; 3] = [8080, 8443, 8081];

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";
const LAST_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// A head of a request that is longer is none of a checker's.
const HEAD_BYTES_MAX: usize = 4096;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 65_535;

/// What it counts.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Answers given.
    pub(crate) answers: AtomicU64,
    /// Those of them after a handshake that was resumed.
    pub(crate) resumed: AtomicU64,
}

/// The port of the targets of a kind.
pub(crate) fn port(kind: Kind) -> u16 {
    match kind {
        Kind::Tcp | Kind::Http => PORTS[0],
        Kind::HttpsFull | Kind::HttpsResumed => PORTS[1],
        Kind::Blackhole => PORTS[2],
    }
}

/// Starts it; whom to trust is told in this file.
///
/// # Errors
/// It cannot listen.
pub(crate) fn start(ca_file: &Path) -> Result<Arc<Counts>, String> {
    let tls = certificate::server(ca_file);
    let counts = Arc::new(Counts::default());
    let server = Server::new(tls, Arc::clone(&counts)).map_err(|error| format!("the targets: {error}"))?;
    thread::spawn(move || server.serve());
    Ok(counts)
}

/// A connection of a checker's.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    head: Vec<u8>,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Over,
}

#[derive(Debug)]
struct Server {
    poll: Poll,
    listeners: [TcpListener; 3],
    connections: Slab<Connection>,
    tls: Arc<ServerConfig>,
    counts: Arc<Counts>,
}

impl Server {
    fn new(tls: Arc<ServerConfig>, counts: Arc<Counts>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let [plain, secure, blackhole] = PORTS.map(listen);
        let mut listeners = [plain?, secure?, blackhole?];
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener, Token(index), Interest::READABLE)?;
        }
        Ok(Self { poll, listeners, connections: Slab::new(), tls, counts })
    }

    fn serve(mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => other.expect("events"),
            }
            for event in &events {
                match event.token().0.checked_sub(PORTS.len()) {
                    None => self.accept(event.token().0),
                    Some(key) => self.hear(key),
                }
            }
        }
    }

    /// Accepts all who wait. Who has gone meanwhile is none of ours.
    fn accept(&mut self, index: usize) {
        loop {
            let stream = match self.listeners[index].accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => panic!("the targets cannot accept: {error}"),
            };
            let tls = (PORTS[index] == port(Kind::HttpsFull))
                .then(|| ServerConnection::new(Arc::clone(&self.tls)).expect("a connection"))
                .map(Box::new);
            let entry = self.connections.vacant_entry();
            let token = Token(PORTS.len() + entry.key());
            let connection = entry.insert(Connection { stream, tls, head: Vec::new() });
            let interests = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut connection.stream, token, interests).expect("a registration");
        }
    }

    /// Goes on with a connection; nothing, if it is over already.
    fn hear(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.go_on(&self.counts).unwrap_or(Fate::Over) == Fate::Over {
            self.connections.remove(key);
        }
    }
}

impl Connection {
    fn go_on(&mut self, counts: &Counts) -> io::Result<Fate> {
        let mut bytes = [0; HEAD_BYTES_MAX];
        let Some(mut tls) = self.tls.take() else {
            loop {
                match self.stream.read(&mut bytes) {
                    Ok(0) => return Ok(Fate::Over),
                    Ok(length) => {
                        if let Some((answer, fate)) = answer(&mut self.head, &bytes[..length])? {
                            self.stream.write_all(answer)?;
                            counts.answers.fetch_add(1, Ordering::Relaxed);
                            if fate == Fate::Over {
                                return Ok(fate);
                            }
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Fate::Open),
                    Err(error) => return Err(error),
                }
            }
        };
        let fate = self.go_on_in_tls(&mut tls, &mut bytes, counts);
        self.tls = Some(tls);
        fate
    }

    fn go_on_in_tls(
        &mut self,
        tls: &mut ServerConnection,
        bytes: &mut [u8],
        counts: &Counts,
    ) -> io::Result<Fate> {
        let mut is_there_more = true;
        let mut fate = Fate::Open;
        while is_there_more && fate == Fate::Open {
            match tls.read_tls(&mut self.stream) {
                Ok(0) => fate = Fate::Over,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => is_there_more = false,
                Err(error) => return Err(error),
            }
            // An alert is still written, so that a checker's failure says what it was.
            let state = tls.process_new_packets();
            if let Ok(state) = &state
                && state.plaintext_bytes_to_read() > 0
            {
                let length = tls.reader().read(bytes)?;
                if let Some((answer, after)) = answer(&mut self.head, &bytes[..length])? {
                    tls.writer().write_all(answer)?;
                    counts.answers.fetch_add(1, Ordering::Relaxed);
                    if tls.handshake_kind() == Some(HandshakeKind::Resumed) {
                        counts.resumed.fetch_add(1, Ordering::Relaxed);
                    }
                    fate = after;
                    if fate == Fate::Over {
                        tls.send_close_notify();
                    }
                }
            }
            while tls.wants_write() {
                match tls.write_tls(&mut self.stream) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
            state.map_err(io::Error::other)?;
        }
        Ok(fate)
    }
}

/// What is answered to a request once its head is complete.
fn answer(head: &mut Vec<u8>, more: &[u8]) -> io::Result<Option<(&'static [u8], Fate)>> {
    head.extend_from_slice(more);
    if !head.ends_with(b"\r\n\r\n") {
        return if head.len() > HEAD_BYTES_MAX { Err(ErrorKind::InvalidData.into()) } else { Ok(None) };
    }
    head.make_ascii_lowercase();
    let says = |what: &[u8]| head.windows(what.len()).any(|part| part == what);
    let is_last = says(b"connection: close") || says(b" http/1.0\r\n") && !says(b"connection: keep-alive");
    head.clear();
    Ok(Some(if is_last { (LAST_ANSWER, Fate::Over) } else { (ANSWER, Fate::Open) }))
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if port == self::port(Kind::Blackhole) {
        socket.attach_filter(&no_blackholes())?;
    }
    socket.bind(&std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// For the kernel's packet filter: nothing towards the first targets of every ten.
fn no_blackholes() -> [SockFilter; 6] {
    let of = |parts: u32, no: u8, value: u32| {
        SockFilter::new(u16::try_from(parts).expect("two bytes"), 0, no, value)
    };
    // The packet begins with TCP's header for the filter of a TCP socket; this is IP's, and the address in it.
    let destination = libc::SKF_NET_OFF.cast_unsigned() + 16;
    [
        of(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, destination),
        of(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K, 0, FIRST.to_bits()),
        of(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, 0, BLACKHOLES_IN),
        of(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, BLACKHOLES),
        of(libc::BPF_RET | libc::BPF_K, 0, u32::MAX),
        of(libc::BPF_RET | libc::BPF_K, 0, 0),
    ]
}
