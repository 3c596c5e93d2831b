//! Servers that stop speaking, at each phase.

use std::io::Read;
use std::net::TcpStream;

use socket2::{Domain, Protocol, Socket, Type};

use crate::probe;
use crate::server::{
    Case, answer_and_hold, both, check_together, drip, hold, http_url, request, say, tcp_url, tls_url,
};

/// Long enough that this machine is not to blame as a rule; where it is, the run is made again.
const SHORT: &[&str] = &["timeout=700ms"];
const SEARCH: &[&str] = &["timeout=700ms", "expect=whole"];

/// As much of a server's first flight as does not tell anything: the beginning of a ServerHello.
const HALF_HELLO: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";

fn half_hello(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer);
    say(stream, HALF_HELLO);
    hold(stream);
}

#[test]
fn silence_is_told_by_its_phase() {
    fn in_the_head(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\r\nX-Na");
    }
    fn after_interim(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    fn in_the_body(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhol");
    }
    fn in_the_chunks(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhol");
    }
    fn drips_for_ever(stream: &mut TcpStream) {
        request(stream);
        drip(stream, b"HTTP/1.1 200 OK\r\n");
        drip(stream, &b"X: ".repeat(20_000));
    }
    let case = |name, serve, properties| Case { name, serve, properties, reason: "timeout-response" };
    check_together(
        http_url,
        &[
            case("after accept", hold as fn(&mut TcpStream), SHORT),
            case("in the head", in_the_head, SHORT),
            case("after 1xx", after_interim, SHORT),
            case("in the body", in_the_body, SEARCH),
            case("in the chunks", in_the_chunks, SEARCH),
            case("a drip", drips_for_ever, SHORT),
        ],
    );
}

#[test]
fn silence_in_tls_is_told_by_its_phase() {
    let case = |name, serve| Case { name, serve, properties: SHORT, reason: "timeout-tls" };
    let cases = [case("after accept", hold as fn(&mut TcpStream)), case("in the handshake", half_hello)];
    check_together(tls_url, &cases);
    check_together(|address| format!("https://{address}/"), &cases);
}

#[test]
fn silence_in_a_dialogue() {
    fn greets(stream: &mut TcpStream) {
        say(stream, "220 hello\r\n");
        hold(stream);
    }
    const DIALOGUE: &[&str] =
        &["timeout=700ms", "dialogue=[ 'expect 220 ', 'send NOOP\\r\\n', 'expect 250 ' ]"];
    let case = |name, serve| Case { name, serve, properties: DIALOGUE, reason: "timeout-response" };
    let cases = [case("no greeting", hold as fn(&mut TcpStream)), case("no answer", greets)];
    check_together(tcp_url, &cases);
}

#[test]
fn a_full_backlog_is_no_connection() {
    for ip in both() {
        let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let listener = Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
        listener.bind(&std::net::SocketAddr::new(ip, 0).into()).expect("a port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        // Whatever does not fit into its queue gets no answer.
        let fill = |_| {
            let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP)).unwrap();
            let _ = socket.connect(&address.into());
            socket
        };
        let _fillers: Vec<Socket> = (0..4).map(fill).collect();
        for url in [tcp_url(address), http_url(address), tls_url(address)] {
            let run = probe::expect("full", &url, SHORT, "timeout-connect");
            assert!(!run.reached("connect_us"));
            assert_eq!(run.detail, "no connection within 700ms");
        }
    }
}
