//! Clients that make requests all the time: each address a new connection every few milliseconds, whether those
//! before have been answered or not, so that no trouble hides the requests that would have met it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::{Domain, Socket, Type};

use super::answer::{REQUEST, served_by};
use super::clock::{now, patiently};
use super::namespace::Namespace;
use super::places::{VIP4, VIP6};

/// How often each client begins a request.
const INTERVAL: Duration = Duration::from_millis(25);

/// How long a client waits for an answer: long enough for a connection to be tried a second time, after a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// All is well when it was so for this long,
const WELL: Duration = Duration::from_millis(400);
/// in which every client was answered so often at least,
const ANSWERS: usize = 5;
/// and no request was left without an answer for longer than this.
const HELD_UP: Duration = Duration::from_millis(200);

/// The ports that connections come from, one after the other, below those that the system gives out: a gateway that
/// still remembers an earlier connection of the same port would send a new one the same way.
const PORTS: RangeInclusive<u16> = 1024..=32_767;

/// A request, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Whose it was: an index into the addresses.
    pub(crate) client: usize,
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// Which host has answered.
    pub(crate) outcome: Result<usize, Failure>,
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// Nothing came in time.
    TimedOut,
    /// The connection was refused, reset, closed, or not possible.
    Error(ErrorKind),
    /// There was an answer, but not a good one.
    Answer(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer"),
            Self::Error(kind) => write!(f, "{kind}"),
            Self::Answer(what) => f.write_str(what),
        }
    }
}

/// What is known of all requests.
#[derive(Debug, Default)]
struct Book {
    done: Vec<Request>,
    /// When the oldest one began that is not done.
    oldest: Option<Instant>,
}

/// Clients at work; they stop when this goes.
#[derive(Debug)]
pub(crate) struct Clients {
    /// How many there are.
    count: usize,
    book: Arc<Mutex<Book>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Clients {
    /// Starts requests from these addresses.
    pub(crate) fn start(namespace: &Namespace, addresses: &[IpAddr]) -> Self {
        let (book, is_over) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicBool>::default());
        let count = addresses.len();
        let (its_book, its_over, addresses) = (Arc::clone(&book), Arc::clone(&is_over), addresses.to_vec());
        // Threads are where the one is that started them.
        let thread = namespace.run(|| {
            thread::spawn(move || {
                let mut crowd = Crowd::new(addresses);
                while !its_over.load(Ordering::Relaxed) {
                    crowd.turn(&its_book).expect("the clients' poll works");
                }
            })
        });
        Self { count, book, is_over, thread: Some(thread) }
    }

    /// The requests that began since then and are done.
    pub(crate) fn since(&self, then: Instant) -> Vec<Request> {
        self.book().done.iter().filter(|request| request.began >= then).cloned().collect()
    }

    /// All requests that began in this time, once all of them are done.
    pub(crate) fn between(&self, from: Instant, until: Instant) -> Vec<Request> {
        assert!(patiently(|| self.are_done_before(until)), "clients have come to a stop");
        self.since(from).into_iter().filter(|request| request.began < until).collect()
    }

    /// Whether every client has been served for a while without trouble, by a host that it may be served by.
    pub(crate) fn are_well(&self, may_serve: impl Fn(usize, usize) -> bool) -> bool {
        let until = now();
        let requests = self.since(until - WELL);
        let mut answers = vec![0; self.count];
        for request in &requests {
            match request.outcome {
                Ok(host) if may_serve(request.client, host) => answers[request.client] += 1,
                Ok(_) | Err(_) => return false,
            }
        }
        answers.iter().all(|count| *count >= ANSWERS) && self.are_done_before(until - HELD_UP)
    }

    /// Waits until each is served by one host all the time; by whom.
    ///
    /// # Errors
    /// Who was found, when that does not come.
    pub(crate) fn homes(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut homes = Vec::new();
        let served = patiently(|| {
            let requests = self.since(now() - WELL);
            let home = |client| {
                let mut answers = requests.iter().filter(|request| request.client == client);
                answers.next_back().and_then(|request| request.outcome.clone().ok())
            };
            let found: Option<Vec<usize>> = (0..self.count).map(home).collect();
            homes = found.unwrap_or_default();
            !homes.is_empty() && self.are_well(|client, host| homes[client] == host)
        });
        if served { Ok(homes) } else { Err(homes) }
    }

    /// Whether all requests that began before then are done.
    fn are_done_before(&self, then: Instant) -> bool {
        self.book().oldest.is_none_or(|oldest| oldest >= then)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("the clients have not panicked")
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let (Some(Err(panic)), false) = (ended, thread::panicking()) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// All clients, on one thread.
struct Crowd {
    addresses: Vec<IpAddr>,
    poll: Poll,
    events: Events,
    /// The next client to begin, and when.
    next: (usize, Instant),
    /// Where it begins from.
    port: u16,
    connections: Slab<Connection>,
    /// In the order of their beginning: where they are and when they began.
    order: VecDeque<(usize, Instant)>,
}

/// One request under way.
struct Connection {
    client: usize,
    began: Instant,
    stream: TcpStream,
    has_asked: bool,
    reply: Vec<u8>,
}

impl Crowd {
    fn new(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            poll: Poll::new().expect("a poll"),
            events: Events::with_capacity(256),
            next: (0, now()),
            port: *PORTS.start(),
            connections: Slab::new(),
            order: VecDeque::new(),
        }
    }

    /// Waits, and does what there is to be done.
    fn turn(&mut self, book: &Mutex<Book>) -> io::Result<()> {
        let until_next = self.next.1.saturating_duration_since(now());
        match self.poll.poll(&mut self.events, Some(until_next)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut done = Vec::new();
        for event in &self.events {
            let key = event.token().0;
            // One connection may have ended by an earlier event of the same turn.
            let Some(outcome) = self.connections.get_mut(key).and_then(Connection::go_on) else { continue };
            let connection = self.connections.remove(key);
            done.push(request(connection.client, connection.began, outcome));
        }
        self.give_up(&mut done);
        while self.next.1 <= now() {
            self.begin_next(&mut done);
        }
        self.forget_ended();
        let mut book = book.lock().expect("whoever reads it has not panicked");
        book.done.append(&mut done);
        book.oldest = self.order.front().map(|(_, began)| *began);
        Ok(())
    }

    /// Ends what has taken too long.
    fn give_up(&mut self, done: &mut Vec<Request>) {
        self.forget_ended();
        while let Some((key, began)) = self.order.front().copied() {
            if now().saturating_duration_since(began) < PATIENCE {
                break;
            }
            let connection = self.connections.remove(key);
            done.push(request(connection.client, began, Err(Failure::TimedOut)));
            self.forget_ended();
        }
    }

    /// Takes from the front of the order what is not under way any more.
    fn forget_ended(&mut self) {
        let is_under_way = |(key, began): &(usize, Instant)| {
            self.connections.get(*key).is_some_and(|connection| connection.began == *began)
        };
        let ended = self.order.iter().take_while(|entry| !is_under_way(entry)).count();
        self.order.drain(..ended);
    }

    fn begin_next(&mut self, done: &mut Vec<Request>) {
        let (client, due) = self.next;
        let gap = INTERVAL / u32::try_from(self.addresses.len()).expect("few clients");
        self.next = ((client + 1) % self.addresses.len(), due + gap);
        if self.next.0 == 0 {
            self.port = if self.port == *PORTS.end() { *PORTS.start() } else { self.port + 1 };
        }
        let began = now();
        match self.begin(client, began) {
            Ok(key) => self.order.push_back((key, began)),
            Err(error) => done.push(request(client, began, Err(Failure::Error(error.kind())))),
        }
    }

    fn begin(&mut self, client: usize, began: Instant) -> io::Result<usize> {
        let mut stream = connect(SocketAddr::new(self.addresses[client], self.port))?;
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        self.poll.registry().register(&mut stream, Token(key), Interest::READABLE | Interest::WRITABLE)?;
        entry.insert(Connection { client, began, stream, has_asked: false, reply: Vec::new() });
        Ok(key)
    }
}

impl Connection {
    /// Goes as far as it gets; what became of the request once that is known.
    fn go_on(&mut self) -> Option<Result<usize, Failure>> {
        self.step().unwrap_or_else(|error| Some(Err(Failure::Error(error.kind()))))
    }

    fn step(&mut self) -> io::Result<Option<Result<usize, Failure>>> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        if !self.has_asked {
            match self.stream.write(REQUEST) {
                // A request is short, and the connection new: it takes all or nothing.
                Ok(_) => self.has_asked = true,
                Err(error) if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::WouldBlock) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.reply.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
            if let Some(answer) = served_by(&self.reply) {
                return Ok(Some(answer.map_err(Failure::Answer)));
            }
        }
    }
}

/// What becomes of a request now.
fn request(client: usize, began: Instant, outcome: Result<usize, Failure>) -> Request {
    Request { client, began, took: now().saturating_duration_since(began), outcome }
}

/// Begins a connection from this address to the service of its family; closing it leaves nothing behind.
fn connect(from: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(from), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket.bind(&from.into())?;
    match socket.connect(&service(from.ip()).into()) {
        // EINPROGRESS has no kind of its own.
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    Ok(TcpStream::from_std(OwnedFd::from(socket).into()))
}

/// What a client of this address connects to.
pub(crate) fn service(from: IpAddr) -> SocketAddr {
    let address = if from.is_ipv4() { IpAddr::from(VIP4) } else { IpAddr::from(VIP6) };
    SocketAddr::new(address, 80)
}
