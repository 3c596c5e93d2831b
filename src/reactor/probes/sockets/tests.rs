//! Sockets between two connections, on loopback.

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::RawFd;
use std::time::Duration;

use mio::{Events, Poll};

use super::*;

/// Longer than anything here takes.
const AMPLE: Duration = Duration::from_secs(60);
const COMMON: Options<'_> = Options {
    source: None,
    interface: None,
    fib: None,
    mark: None,
    resets: true,
    withholds_ack: false,
    serves_again: true,
};

struct Bench {
    poll: Poll,
    sockets: Sockets,
}

impl Bench {
    fn new() -> Self {
        Self::of(usize::MAX)
    }

    /// With so many sockets at most.
    fn of(open_max: usize) -> Self {
        let poll = Poll::new().unwrap();
        let sockets = Sockets::new(poll.registry().try_clone().unwrap(), 32, open_max);
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

impl Sockets {
    /// Sockets that have a number, those that rest, and those that are open.
    fn counts(&self) -> (usize, usize, usize) {
        let resting = self.resting.iter().flatten().count();
        assert_eq!(self.at_rest, resting, "between two batches");
        (self.owners.len() - self.free.len(), resting, self.open)
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
fn a_connection_given_back_is_reset_and_its_socket_serves_the_rule_again() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let (listener, to) = listen(local);
        let mut bench = Bench::new();
        let connection = bench.connect(1, to, &COMMON);
        bench.wait_for(1, &connection);
        let (mut there, was) = (accept(&listener), fd(&connection));
        bench.sockets.give_back(connection);
        assert_eq!(there.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        bench.sockets.batch_is_over();
        let connection = bench.connect(1, to, &COMMON);
        assert_eq!(fd(&connection) == was, Idle::EXIST);
        bench.wait_for(1, &connection);
        let mut there = accept(&listener);
        assert_eq!(connection.stream.write(b"x"), Ok(Some(1)));
        assert_eq!(there.read(&mut [0; 2]).unwrap(), 1);
        assert_eq!(connection.to, Some(to));
    }
}

/// A target learns the sequence numbers that its own connection had, and Linux goes on with those of the socket; and a
/// socket that was connected to IPv4 by an IPv4-mapped address reaches nobody over IPv6 any more.
#[test]
fn a_socket_serves_no_other_rule() {
    let ((v4, to_v4), (v6, to_v6)) = (listen("127.0.0.1:0"), listen("[::1]:0"));
    let mapped = SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), to_v4.port()));
    let mut bench = Bench::new();
    for (first, to_first, rule) in [(&v4, mapped, 1), (&v6, to_v6, 1), (&v4, to_v4, 2)] {
        let connection = bench.connect(rule, to_first, &COMMON);
        bench.wait_for(rule, &connection);
        accept(first);
        let was = fd(&connection);
        bench.sockets.give_back(connection);
        bench.sockets.batch_is_over();
        let connection = bench.connect(3, to_v6, &COMMON);
        assert_ne!(fd(&connection), was);
        bench.wait_for(3, &connection);
        accept(&v6);
        bench.sockets.give_back(connection);
        // The slot of the first is another rule's from here on, and so is that of the last.
        for rule in [rule, 3] {
            bench.sockets.forget(RuleId(rule));
        }
        bench.sockets.close_returned();
        bench.sockets.batch_is_over();
        assert_eq!(bench.sockets.counts(), (0, 0, 0));
    }
}

#[test]
fn a_connection_that_fails_at_once_takes_its_socket_along() {
    let (_listener, to) = listen("127.0.0.1:0");
    // Linux and FreeBSD connect to no address of this block.
    let nowhere = SocketAddr::from(([255, 255, 255, 255], 9));
    let mut bench = Bench::new();
    let connection = bench.connect(1, to, &COMMON);
    bench.wait_for(1, &connection);
    bench.sockets.give_back(connection);
    bench.sockets.batch_is_over();
    assert!(bench.sockets.connect(RuleId(1), nowhere, &COMMON).is_err());
    bench.sockets.batch_is_over();
    assert_eq!(bench.sockets.counts(), (0, 0, 0));
}

#[test]
fn what_is_given_back_rests_until_the_batch_is_over() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::new();
    let connection = bench.connect(1, to, &COMMON);
    let token = Token(FIRST_TOKEN + connection.number as usize);
    assert_eq!(bench.sockets.owner(token), Some(RuleId(1)));
    bench.sockets.give_back(connection);
    // An event of the old connection that comes now means nobody, and not the one who connects meanwhile.
    assert_eq!(bench.sockets.owner(token), None);
    let other = bench.connect(2, to, &COMMON);
    assert_ne!(Token(FIRST_TOKEN + other.number as usize), token);
    assert_eq!(bench.sockets.owner(token), None);
}

#[test]
fn what_rests_and_has_an_event_is_handed_out_after_it() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::new();
    let connection = bench.connect(1, to, &COMMON);
    bench.wait_for(1, &connection);
    let token = Token(FIRST_TOKEN + connection.number as usize);
    bench.sockets.give_back(connection);
    bench.sockets.batch_is_over();
    // Being disconnected is an event too, of a batch in which runs begin before it is looked at.
    bench.sockets.is_spoken_of(token);
    bench.sockets.is_spoken_of(token);
    let before_it = bench.connect(1, to, &COMMON);
    let taken = Token(FIRST_TOKEN + before_it.number as usize);
    assert_eq!(taken == token, !Idle::EXIST, "the event would be taken for the new connection's");
    assert_eq!(bench.sockets.owner(token).is_none(), Idle::EXIST);
    bench.sockets.batch_is_over();
    let after_it = bench.connect(1, to, &COMMON);
    assert_eq!(Token(FIRST_TOKEN + after_it.number as usize) == token, Idle::EXIST);
    // What a batch says of a connection that is there says nothing of those that follow.
    bench.sockets.is_spoken_of(Token(FIRST_TOKEN + after_it.number as usize));
    let was = fd(&after_it);
    bench.sockets.give_back(after_it);
    bench.sockets.batch_is_over();
    assert_eq!(fd(&bench.connect(1, to, &COMMON)) == was, Idle::EXIST);
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
        let connection = bench.connect(1, to, &COMMON);
        bench.wait_for(1, &connection);
        accept(&listener);
        bench.sockets.give_back(connection);
        bench.sockets.batch_is_over();
        assert!(bench.sockets.open <= 1, "round {round}");
    }
}

#[test]
fn sockets_that_are_not_to_serve_again_are_closed() {
    let (_listener, to) = listen("127.0.0.1:0");
    let with_source = Options { source: Some(to.ip()), ..COMMON };
    let with_fin = Options { resets: false, ..COMMON };
    let of_a_name = Options { serves_again: false, ..COMMON };
    let mut bench = Bench::new();
    for options in [with_source, with_fin, of_a_name] {
        let connection = bench.connect(1, to, &options);
        bench.sockets.give_back(connection);
        bench.sockets.batch_is_over();
        assert_eq!(bench.sockets.counts(), (0, 0, 0), "{options:?}");
    }
}

#[test]
fn a_rule_has_one_that_rests_also_when_it_had_two_in_a_batch() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::new();
    for _ in 0..3 {
        for _ in 0..2 {
            let connection = bench.connect(1, to, &COMMON);
            bench.sockets.give_back(connection);
        }
        bench.sockets.batch_is_over();
        let resting = usize::from(Idle::EXIST);
        assert_eq!(bench.sockets.counts(), (resting, resting, resting));
    }
}

#[test]
fn there_are_no_more_than_may_be_and_those_that_rest_make_room() {
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::of(4);
    let connections: Vec<_> = (0..4).map(|rule| bench.connect(rule, to, &COMMON)).collect();
    let full = bench.sockets.connect(RuleId(4), to, &COMMON);
    assert!(matches!(full, Err(SocketError::Descriptors)), "{full:?}");
    let full = bench.sockets.connect_local(RuleId(4), "/nowhere");
    assert!(matches!(full, Err(SocketError::Descriptors)), "{full:?}");
    connections.into_iter().for_each(|connection| bench.sockets.give_back(connection));
    // Two of those that rest only from the next batch on, and two that do.
    let early: Vec<_> = (10..12).map(|rule| bench.connect(rule, to, &COMMON)).collect();
    bench.sockets.batch_is_over();
    let late: Vec<_> = (12..14).map(|rule| bench.connect(rule, to, &COMMON)).collect();
    assert_eq!(bench.sockets.open, 4);
    assert!(bench.sockets.connect(RuleId(14), to, &COMMON).is_err());
    early.into_iter().chain(late).for_each(|connection| bench.sockets.give_back(connection));
    bench.sockets.batch_is_over();
    let resting = if Idle::EXIST { 4 } else { 0 };
    assert_eq!(bench.sockets.counts(), (resting, resting, resting));
    // Fewer from now on: they go as they end.
    bench.sockets.allow(32, 2);
    for rule in 10..14 {
        let connection = bench.sockets.connect(RuleId(rule), to, &COMMON);
        connection.into_iter().for_each(|connection| bench.sockets.give_back(connection));
        bench.sockets.batch_is_over();
    }
    assert!(bench.sockets.open <= 2, "{}", bench.sockets.open);
}

#[test]
fn what_makes_room_is_another_rules_each_time() {
    if !Idle::EXIST {
        return;
    }
    let (_listener, to) = listen("127.0.0.1:0");
    let mut bench = Bench::of(3);
    let connections: Vec<_> = (0..3).map(|rule| bench.connect(rule, to, &COMMON)).collect();
    connections.into_iter().for_each(|connection| bench.sockets.give_back(connection));
    bench.sockets.batch_is_over();
    let resting = |bench: &Bench| {
        let rests = |rule: &usize| bench.sockets.resting[*rule].is_some();
        (0..3).filter(rests).collect::<Vec<_>>()
    };
    let first = bench.connect(7, to, &COMMON);
    assert_eq!(resting(&bench), [1, 2]);
    let second = bench.connect(8, to, &COMMON);
    assert_eq!(resting(&bench), [2]);
    bench.sockets.give_back(first);
    bench.sockets.give_back(second);
}
