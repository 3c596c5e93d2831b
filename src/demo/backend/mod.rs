//! A backend of the demo: a small HTTPS server on a loopback port, in a thread of its own, that breaks and
//! heals when it is told to.
//!
//! Its thread blocks nowhere but in its poll, so that what it is told takes effect at once. A connection is
//! served as the backend behaved when it was accepted, and all of them are bounded in number and in time.

mod connection;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use socket2::{Domain, Protocol, Socket, Type};

use super::behaviour::Behaviour;
use super::certificates::{Authority, Identity};
use crate::reactor;
use connection::{Connection, Fate};

const WAKE: Token = Token(0);
const LISTENER: Token = Token(1);
/// Tokens from here on are connections.
const CONNECTIONS: usize = 2;

/// Connections at a time at most, each past it is closed: ten times what a probe with an interval of 100 ms
/// can leave behind before [`connection::LIFE_MAX`].
const CONNECTIONS_MAX: usize = 256;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// Events taken in one turn.
const EVENTS_PER_TURN: usize = 64;

/// A running backend; its thread and its port are gone when it is dropped.
pub struct Backend {
    name: Box<str>,
    address: SocketAddr,
    orders: Sender<Order>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    /// Behave like this from now on, and answer with when that began.
    Behave(Behaviour, SyncSender<io::Result<Instant>>),
    End,
}

/// What the backend's thread owns.
struct Server {
    poll: Poll,
    orders: Receiver<Order>,
    address: SocketAddr,
    port: Port,
    identity: Identity,
    behaviour: Behaviour,
    connections: Slab<Connection>,
}

/// The port of a backend.
enum Port {
    Open(TcpListener),
    /// Bound, so that the system gives it to nobody else; whoever connects is refused.
    Reserved(Socket),
    /// It could not even be reserved.
    Lost,
}

impl Backend {
    /// Starts a backend that behaves well: on 127.0.0.1, on a port of the system's choice, with
    /// certificates for `name`.
    ///
    /// # Errors
    /// When no descriptors, threads or ports can be had.
    pub fn start(name: &str, authority: &Authority) -> io::Result<Self> {
        let identity = authority.issue(name)?;
        let socket = reserve((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let address = address.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let port = Port::Open(listen(socket, &poll)?);
        let (sender, orders) = channel();
        let connections = Slab::new();
        let server =
            Server { poll, orders, address, port, identity, behaviour: Behaviour::Well, connections };
        let thread = thread::Builder::new().name("backend".to_owned()).spawn(move || server.run())?;
        Ok(Self { name: name.into(), address, orders: sender, waker, thread: Some(thread) })
    }

    /// Makes it behave like this towards every connection that is begun once this returns, and waits for
    /// that: well below a millisecond. Gives the moment just before it took effect.
    ///
    /// # Errors
    /// When the port cannot be closed or opened, or the backend is gone.
    pub fn set(&self, behaviour: Behaviour) -> io::Result<Instant> {
        let (done, answer) = sync_channel(1);
        let is_sent = self.orders.send(Order::Behave(behaviour, done)).is_ok();
        self.waker.wake()?;
        match answer.recv() {
            Ok(outcome) if is_sent => outcome,
            Ok(_) | Err(_) => Err(io::Error::other("a backend of the demo is gone")),
        }
    }

    /// The name that its certificates are for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens; the port is its own for as long as it lives.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let is_told = self.orders.send(Order::End).is_ok() && self.waker.wake().is_ok();
        if let Some(thread) = self.thread.take().filter(|thread| is_told || thread.is_finished()) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("name", &self.name).field("address", &self.address).finish()
    }
}

impl Server {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        loop {
            let now = reactor::now().mono;
            let deadline = self.connections.iter().map(|(_, connection)| connection.deadline()).min();
            let timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
                Ok(()) | Err(_) => {}
            }
            while let Ok(order) = self.orders.try_recv() {
                match order {
                    Order::Behave(behaviour, done) => {
                        let _ = done.send(self.behave(behaviour));
                    }
                    Order::End => return,
                }
            }
            if events.iter().any(|event| event.token() == LISTENER) {
                self.accept();
            }
            // There are so few that each is looked at.
            let now = reactor::now().mono;
            self.connections.retain(|_, connection| connection.go_on(now) == Fate::Stays);
        }
    }

    fn behave(&mut self, behaviour: Behaviour) -> io::Result<Instant> {
        // Whoever has come by now is served as before: closing the port would reset them.
        self.accept();
        let at = reactor::now().mono;
        self.behaviour = behaviour;
        let port = std::mem::replace(&mut self.port, Port::Lost);
        self.port = match (behaviour, port) {
            (Behaviour::Refuses, Port::Reserved(socket)) => Port::Reserved(socket),
            (Behaviour::Refuses, port @ (Port::Open(_) | Port::Lost)) => {
                // Only a port on which nobody listens can be bound once more (SO_REUSEADDR, socket(7)).
                drop(port);
                Port::Reserved(reserve(self.address)?)
            }
            (_, Port::Open(listener)) => Port::Open(listener),
            (_, Port::Reserved(socket)) => Port::Open(listen(socket, &self.poll)?),
            (_, Port::Lost) => Port::Open(listen(reserve(self.address)?, &self.poll)?),
        };
        Ok(at)
    }

    fn accept(&mut self) {
        let Port::Open(listener) = &self.port else { return };
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(_) => return,
            };
            if self.connections.len() >= CONNECTIONS_MAX {
                continue;
            }
            let entry = self.connections.vacant_entry();
            let token = Token(CONNECTIONS + entry.key());
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, token, interest).is_ok()
                && let Some(connection) =
                    Connection::new(stream, self.behaviour, &self.identity, reactor::now().mono)
            {
                entry.insert(connection);
            }
        }
    }
}

/// Takes a port without listening on it; port 0 is one of the system's choice.
fn reserve(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // Connections of the port may still be open, or in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listen(socket: Socket, poll: &Poll) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    let mut listener = TcpListener::from_std(socket.into());
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    Ok(listener)
}

#[cfg(test)]
mod tests;
