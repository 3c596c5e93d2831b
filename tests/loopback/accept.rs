//! What a probe leaves behind: connections that a service never sees, no TIME_WAIT, ends in order.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, answer, both, http_url, ok, request, say, tcp_url};

/// States of TCP in /proc/net/tcp (include/net/tcp_states.h).
const TIME_WAIT: &str = "06";

/// Connections towards this port, or from it, that wait in TIME_WAIT, as the pairs of their ends. What was
/// there before is left over from others that had this port.
#[cfg(target_os = "linux")]
fn time_waits(port: u16) -> BTreeSet<String> {
    let port = format!(":{port:04X}");
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
        for line in table.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, remote, TIME_WAIT, ..] = fields[..]
                && (local.ends_with(&port) || remote.ends_with(&port))
            {
                found.insert(format!("{local} {remote}"));
            }
        }
    }
    found
}

/// Those of them at the side that connected.
#[cfg(target_os = "linux")]
fn of_clients(server: SocketAddr, before: &BTreeSet<String>) -> usize {
    let port = format!(":{:04X}", server.port());
    time_waits(server.port()).difference(before).filter(|ends| ends.ends_with(&port)).count()
}

/// Connections that were completed towards a listener which nobody accepts from: all that come out of it
/// before one of ours.
fn completed(listener: &TcpListener) -> usize {
    let ours = TcpStream::connect(listener.local_addr().unwrap()).expect("a connection of our own");
    let ours = ours.local_addr().unwrap();
    let mut others = 0;
    loop {
        let (_, from) = listener.accept().expect("at least our own");
        if from == ours {
            return others;
        }
        others += 1;
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_dialogue_no_connection_reaches_accept() {
    /// The system completes a handshake by itself when a process is held up for some 40 ms in between
    /// (tcp(7), TCP_QUICKACK): then it is tried again.
    const TRIES_MAX: usize = 10;
    for ip in both() {
        let listener = TcpListener::bind((ip, 0)).expect("a listener");
        let address = listener.local_addr().unwrap();
        let try_it = |_| {
            let before = time_waits(address.port());
            let told = probe::probe(&tcp_url(address), &[AMPLE, "-c", "50"]);
            assert!(told.all_ok() && told.only_connects(), "{told:?}");
            assert_eq!(of_clients(address, &before), 0);
            completed(&listener)
        };
        let tries: Vec<usize> = (0..TRIES_MAX).map(try_it).take_while(|completed| *completed > 0).collect();
        assert!(tries.len() < TRIES_MAX, "{tries:?} of 50 came through");
    }
}

impl probe::Told {
    fn only_connects(&self) -> bool {
        self.runs.iter().all(|run| run.reached("connect_us") && !run.reached("first_byte_us"))
    }
}

#[test]
fn with_a_dialogue_it_does() {
    let server = Server::new(V4, |stream, _| say(stream, "hello"));
    let told = probe::probe(&tcp_url(server.address), &[AMPLE, "expect=hello", "-c", "10"]);
    assert!(told.all_ok(), "{told:?}");
    assert_eq!(server.accepted(), 10);
}

#[test]
#[cfg(target_os = "linux")]
fn closing_by_reset_leaves_no_time_wait() {
    for ip in both() {
        // Servers that close first, last, and that keep the connection.
        let closing = Server::new(ip, |stream, _| answer(stream, ok("hello")));
        let keeping = Server::new(ip, |stream, _| {
            answer(stream, ok("hello"));
            request(stream);
        });
        for server in [&closing, &keeping] {
            let before = time_waits(server.address.port());
            for reuse in ["reuse=no", "reuse=yes"] {
                let told = probe::probe(&http_url(server.address), &[AMPLE, reuse, "-c", "20"]);
                assert!(told.all_ok(), "{told:?}");
            }
            assert_eq!(of_clients(server.address, &before), 0);
            if std::ptr::eq(server, &keeping) {
                let after = time_waits(server.address.port());
                assert_eq!(after.difference(&before).count(), 0, "neither side closed in order");
            }
        }
    }
}

/// How a probe's side of a connection ended, as its server saw it.
fn ending(ip: IpAddr, close: &str) -> Vec<Result<usize, ErrorKind>> {
    let (sender, endings) = mpsc::channel();
    let server = Server::new(ip, move |stream, _| {
        request(stream);
        say(stream, ok("hello"));
        let _ = sender.send(stream.read(&mut [0; 16]).map_err(|error| error.kind()));
    });
    let told = probe::probe(&http_url(server.address), &[AMPLE, close, "-c", "5"]);
    assert!(told.all_ok(), "{told:?}");
    (0..5).map(|_| endings.recv().expect("an ending")).collect()
}

#[test]
fn closing_by_fin_is_an_orderly_end_and_by_reset_is_none() {
    for ip in both() {
        assert_eq!(ending(ip, "close=fin"), [Ok(0); 5]);
        assert_eq!(ending(ip, "close=reset"), [Err(ErrorKind::ConnectionReset); 5]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn closing_by_fin_takes_the_time_wait_upon_itself() {
    let server = Server::new(V4, |stream, _| {
        request(stream);
        say(stream, ok("hello"));
        assert_eq!(stream.read(&mut [0; 16]).ok(), Some(0));
    });
    let before = time_waits(server.address.port());
    let told = probe::probe(&http_url(server.address), &[AMPLE, "close=fin", "-c", "5"]);
    assert!(told.all_ok(), "{told:?}");
    let mut left = 0;
    let all = crate::harness::patiently(|| {
        left = of_clients(server.address, &before);
        left == 5
    });
    assert!(all, "{left}");
}

#[test]
fn closing_by_fin_of_a_plain_connection_is_complete() {
    let (sender, endings) = mpsc::channel();
    let server = Server::new(V4, move |stream, _| {
        let _ = sender.send(stream.read(&mut [0; 16]).map_err(|error| error.kind()));
    });
    let told = probe::probe(&tcp_url(server.address), &[AMPLE, "close=fin", "-c", "5"]);
    assert!(told.all_ok(), "{told:?}");
    // Each is either complete and ended in order, or was never seen.
    drop(server);
    assert!(endings.try_iter().all(|ending| ending == Ok(0)));
}
