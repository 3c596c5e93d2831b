//! What a probe leaves behind: connections that a service never sees, no TIME_WAIT, ends in order.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, answer, both, http_url, ok, request, say, tcp_url};

/// States of TCP in /proc/net/tcp (include/net/tcp_states.h).
const TIME_WAIT: &str = "06";

/// Connections of this machine in this state that have this port at either end.
#[cfg(target_os = "linux")]
fn in_state(state: &str, port: u16) -> usize {
    let port = format!(":{port:04X}");
    let count = |table: &str| {
        let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
        let is_it = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.len() > 3
                && fields[3] == state
                && (fields[1].ends_with(&port) || fields[2].ends_with(&port))
        };
        table.lines().filter(is_it).count()
    };
    count("tcp") + count("tcp6")
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
    for ip in both() {
        let listener = TcpListener::bind((ip, 0)).expect("a listener");
        let address = listener.local_addr().unwrap();
        let told = probe::probe(&tcp_url(address), &[AMPLE, "-c", "100"]);
        assert!(told.all_ok(), "{told:?}");
        assert!(told.only_connects());
        assert_eq!(in_state(TIME_WAIT, address.port()), 0);
        assert_eq!(completed(&listener), 0);
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
            for reuse in ["reuse=no", "reuse=yes"] {
                let told = probe::probe(&http_url(server.address), &[AMPLE, reuse, "-c", "20"]);
                assert!(told.all_ok(), "{told:?}");
            }
        }
        let left = in_state(TIME_WAIT, keeping.address.port());
        assert_eq!(left, 0, "the server keeps its side open, so what is left is ours");
        // One that closes first may have its end acknowledged before our reset comes; that is its side.
        assert!(time_wait_of_clients(closing.address) == 0);
    }
}

/// TIME_WAIT at the side that connected to this address.
#[cfg(target_os = "linux")]
fn time_wait_of_clients(server: SocketAddr) -> usize {
    let port = format!(":{:04X}", server.port());
    let table = if server.is_ipv4() { "tcp" } else { "tcp6" };
    let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
    let is_it = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.len() > 3 && fields[3] == TIME_WAIT && fields[2].ends_with(&port)
    };
    table.lines().filter(is_it).count()
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
    let told = probe::probe(&http_url(server.address), &[AMPLE, "close=fin", "-c", "5"]);
    assert!(told.all_ok(), "{told:?}");
    let mut left = 0;
    let all = crate::harness::patiently(|| {
        left = time_wait_of_clients(server.address);
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
