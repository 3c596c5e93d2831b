//! Sockets between two connections, on loopback.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::RawFd;
use std::time::Duration;

use mio::{Events, Poll};

use super::*;

/// Longer than anything here takes.
const AMPLE: Duration = Duration::from_secs(60);
const COMMON: Options<'_> =
    Options { source: None, interface: None, fib: None, mark: None, resets: true, withholds_ack: false };

struct Bench {
    poll: Poll,
    sockets: Sockets,
}

impl Bench {
    fn new() -> Self {
        let poll = Poll::new().unwrap();
        let sockets = Sockets::new(poll.registry().try_clone().unwrap());
        Self { poll, sockets }
    }

    fn connect(&mut self, rule: u32, to: SocketAddr, options: &Options<'_>) -> Connection {
        self.sockets.connect(RuleId(rule), to, options).unwrap()
    }

    /// Until the poll says that a connection of this rule is there.
    fn wait_for(&mut self, rule: u32, connection: &Connection) {
        let mut events = Events::with_capacity(16);
        loop {
            self.poll.poll(&mut events, Some(AMPLE)).unwrap();
            let tells = |token| self.sockets.owner(token) == Some(RuleId(rule));
            if events.iter().any(|event| event.is_writable() && tells(event.token())) {
                assert_eq!(connection.stream.is_connected(), Ok(true));
                return;
            }
        }
    }
}

fn listen(address: &str) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(AMPLE)).unwrap();
    stream
}

fn fd(connection: &Connection) -> RawFd {
    connection.stream.fd()
}

#[test]
fn a_connection_given_back_is_reset_and_its_socket_serves_the_next_rule() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let ((first, to_first), (second, to_second)) = (listen(local), listen(local));
        let mut bench = Bench::new();
        let connection = bench.connect(1, to_first, &COMMON);
        bench.wait_for(1, &connection);
        let (mut there, was) = (accept(&first), fd(&connection));
        bench.sockets.give_back(connection);
        assert_eq!(there.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        bench.sockets.batch_is_over();
        let connection = bench.connect(2, to_second, &COMMON);
        assert_eq!(fd(&connection) == was, Idle::EXIST);
        bench.wait_for(2, &connection);
        let mut there = accept(&second);
        assert_eq!(connection.stream.write(b"x"), Ok(Some(1)));
        assert_eq!(there.read(&mut [0; 2]).unwrap(), 1);
        assert_eq!(connection.to, Some(to_second));
    }
}

#[test]
fn what_is_given_back_rests_until_the_batch_is_over() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::new();
    let connection = bench.connect(1, to, &COMMON);
    let token = Token(FIRST_TOKEN + connection.number);
    assert_eq!(bench.sockets.owner(token), Some(RuleId(1)));
    bench.sockets.give_back(connection);
    // An event of the old connection that comes now means nobody, and not the one who connects meanwhile.
    assert_eq!(bench.sockets.owner(token), None);
    let other = bench.connect(2, to, &COMMON);
    assert_ne!(Token(FIRST_TOKEN + other.number), token);
    assert_eq!(bench.sockets.owner(token), None);
}

#[test]
fn tokens_of_nobody_mean_nobody() {
    let bench = Bench::new();
    for token in [0, FIRST_TOKEN - 1, FIRST_TOKEN, usize::MAX] {
        assert_eq!(bench.sockets.owner(Token(token)), None, "{token}");
    }
}

#[test]
fn a_socket_that_was_refused_serves_again() {
    let (listener, to) = listen("127.0.0.1:0");
    let (closed, to_closed) = listen("127.0.0.1:0");
    drop(closed);
    let mut bench = Bench::new();
    for round in 0..50 {
        // Refused at once or a moment later; either way it leaves nothing that the next connection would see.
        if let Ok(connection) = bench.sockets.connect(RuleId(1), to_closed, &COMMON) {
            let mut events = Events::with_capacity(16);
            bench.poll.poll(&mut events, Some(AMPLE)).unwrap();
            bench.sockets.give_back(connection);
        }
        bench.sockets.batch_is_over();
        let connection = bench.connect(2, to, &COMMON);
        bench.wait_for(2, &connection);
        accept(&listener);
        bench.sockets.give_back(connection);
        bench.sockets.batch_is_over();
        assert!(bench.sockets.owners.len() <= 1, "round {round}");
    }
}

#[test]
fn sockets_made_for_somebody_in_particular_are_closed() {
    let (_listener, to) = listen("127.0.0.1:0");
    let with_source = Options { source: Some(to.ip()), ..COMMON };
    let with_fin = Options { resets: false, ..COMMON };
    let mut bench = Bench::new();
    for options in [with_source, with_fin] {
        let common = bench.connect(1, to, &COMMON);
        let connection = bench.connect(2, to, &options);
        bench.sockets.give_back(connection);
        bench.sockets.give_back(common);
        bench.sockets.batch_is_over();
        let resting = usize::from(Idle::EXIST);
        assert_eq!((bench.sockets.owners.len(), bench.sockets.idle[0].len()), (resting, resting));
        // And whoever asks for something in particular gets none that rests.
        let connection = bench.connect(3, to, &options);
        assert_eq!(bench.sockets.idle[0].len(), resting);
        bench.sockets.give_back(connection);
        bench.sockets.batch_is_over();
        bench.sockets.close_idle();
        assert!(bench.sockets.owners.is_empty());
    }
}

#[test]
fn no_more_rest_than_are_of_use() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::new();
    let connections: Vec<_> = (0..300).map(|rule| bench.connect(rule, to, &COMMON)).collect();
    connections.into_iter().for_each(|connection| bench.sockets.give_back(connection));
    bench.sockets.batch_is_over();
    let resting = if Idle::EXIST { IDLE_MAX } else { 0 };
    assert_eq!((bench.sockets.owners.len(), bench.sockets.idle[0].len()), (resting, resting));
}
