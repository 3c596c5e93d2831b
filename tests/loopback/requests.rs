//! Requests as they come over the wire.

use std::io::Read;
use std::net::TcpStream;
use std::sync::mpsc;

use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, ok, request, say};

/// The request that a probe with these properties makes, and what the path of its URL is.
fn asked(path: &str, properties: &[&str]) -> String {
    let (sender, told) = mpsc::channel();
    let server = Server::new(V4, move |stream: &mut TcpStream, _| {
        let mut text = request(stream);
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let begun = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
        let mut rest = vec![0; length - begun];
        stream.read_exact(&mut rest).unwrap();
        text += std::str::from_utf8(&rest).unwrap();
        let _ = sender.send(text);
        say(stream, ok("hello"));
    });
    let mut all = vec![AMPLE];
    all.extend(properties);
    let run = probe::expect(path, &server.url("http", path), &all, "ok");
    assert!(run.reached("connect_us") && run.reached("first_byte_us"));
    let text = told.recv().unwrap();
    text.replace(&server.address.to_string(), "HOST")
}

#[test]
fn a_request_asks_for_the_path_and_names_the_host() {
    let agent = concat!("hfm/", env!("CARGO_PKG_VERSION"));
    let head = format!(
        "GET /a/b?c=d HTTP/1.1\r\nHost: HOST\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(asked("/a/b?c=d", &[]), head);
    assert!(asked("", &[]).starts_with("GET / HTTP/1.1\r\n"));
    assert!(asked("?x", &[]).starts_with("GET /?x HTTP/1.1\r\n"));
}

#[test]
fn a_request_is_as_asked_for() {
    let head = asked(
        "/",
        &[
            "http_method=POST",
            "http_headers=[ 'Host: other.example', 'X-Empty:', 'User-Agent: me' ]",
            "http_body='{\"ping\": true}'",
        ],
    );
    let expected = "POST / HTTP/1.1\r\nHost: other.example\r\nAccept: */*\r\nX-Empty:\r\nUser-Agent: me\r\n\
                    Content-Length: 14\r\nConnection: close\r\n\r\n{\"ping\": true}";
    assert_eq!(head, expected);
}

#[test]
fn an_old_version_and_a_kept_connection_say_so() {
    assert!(asked("/", &["http_version=1.0"]).starts_with("GET / HTTP/1.0\r\nHost: HOST\r\n"));
    assert!(asked("/", &["http_version=1.0", "reuse=yes"]).contains("\r\nConnection: keep-alive\r\n"));
    assert!(!asked("/", &["reuse=yes"]).contains("\r\nConnection:"));
    assert!(asked("/", &["http_method=HEAD"]).starts_with("HEAD / "));
}

#[test]
fn a_large_body_arrives_whole_from_a_service_that_reads_slowly() {
    let body = "0123456789abcdef".repeat(4 * 1024);
    let property = format!("http_body='{body}'");
    let text = asked("/", &["http_method=PUT", &property]);
    assert_eq!(text.split_once("\r\n\r\n").unwrap().1, body);
}

#[test]
fn an_answer_before_the_whole_request_was_read_counts() {
    let server = Server::new(V4, |stream, _| {
        let mut first = [0; 16];
        let _ = stream.read_exact(&mut first);
        say(stream, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    let property = format!("http_body='{}'", "x".repeat(60_000));
    for _ in 0..5 {
        // Where the reset that follows overtakes the answer, that is what came.
        let told = probe::probe(&server.url("http", "/"), &[AMPLE, "http_method=POST", &property]);
        let reason = &*told.only().reason;
        assert!(["http-status", "reset"].contains(&reason), "{told:?}");
    }
}
