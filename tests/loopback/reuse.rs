//! Connections that are kept from run to run, and servers that do not keep theirs.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;

use crate::harness::Place;
use crate::probe::{self, AMPLE, Told};
use crate::server::{Server, V4, abort, both, hold, http_url, ok, request, say};

/// Far more than is read of any answer, and than the buffers of both sides hold.
const ENDLESS_BYTES_MAX: usize = 256 * 1024 * 1024;

fn ten_runs(server: &Server, more: &[&str]) -> Told {
    let mut arguments = vec!["-c", "10"];
    let given = |name: &str| more.iter().any(|property| property.starts_with(name));
    arguments.extend([AMPLE].into_iter().filter(|_| !given("timeout=")));
    arguments.extend(["reuse=yes"].into_iter().filter(|_| !given("reuse=")));
    arguments.extend(more);
    probe::probe(&http_url(server.address), &arguments)
}

/// Answers as often as it is asked.
fn keep(stream: &mut TcpStream, answer: &str) {
    while !request(stream).is_empty() {
        say(stream, answer);
    }
}

#[test]
fn one_connection_serves_all_runs() {
    let answers = [
        ok("hello"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
    ];
    for ip in both() {
        for answer in &answers {
            for pattern in ["expect=hello", "expect=hell", "http_status=200"] {
                let answer = answer.clone();
                let server = Server::new(ip, move |stream, _| keep(stream, &answer));
                let told = ten_runs(&server, &[pattern]);
                assert!(told.all_ok(), "{told:?}");
                assert_eq!(server.accepted(), 1, "{pattern}");
                assert!(told.runs[0].reached("connect_us"));
                assert!(told.runs[1..].iter().all(|run| !run.reached("connect_us")), "{told:?}");
            }
        }
    }
}

#[test]
fn without_reuse_each_run_has_a_connection_of_its_own() {
    let server = Server::new(V4, |stream, _| keep(stream, &ok("hello")));
    assert!(ten_runs(&server, &["reuse=no"]).all_ok());
    assert_eq!(server.accepted(), 10);
}

#[test]
fn a_server_that_says_so_or_leaves_the_end_open_is_connected_to_anew() {
    let answers = [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ];
    for answer in answers {
        let server = Server::new(V4, move |stream, _| {
            request(stream);
            say(stream, answer);
        });
        assert!(ten_runs(&server, &["expect=hello"]).all_ok());
        assert_eq!(server.accepted(), 10, "{answer}");
    }
}

#[test]
fn a_server_that_closes_after_each_answer_without_saying_so_is_no_failure() {
    for close in [false, true] {
        let server = Server::new(V4, move |stream, _| {
            request(stream);
            say(stream, ok("hello"));
            if close {
                abort(stream);
            }
        });
        // So much time between two runs that the end has come long before the next, on a busy machine too.
        let told = ten_runs(&server, &["-c", "4", "-i", "1s", "timeout=1s"]);
        assert!(told.all_ok(), "{told:?}");
        assert!((4..=8).contains(&server.accepted()), "{}", server.accepted());
    }
}

#[test]
fn a_connection_that_is_closed_just_as_it_is_used_again_is_replaced_once() {
    for by_reset in [false, true] {
        for ip in both() {
            let server = Server::new(ip, move |stream, _| {
                request(stream);
                say(stream, ok("hello"));
                // The next request has come before this connection goes.
                request(stream);
                if by_reset {
                    abort(stream);
                }
            });
            let told = ten_runs(&server, &["expect=hello"]);
            assert!(told.all_ok(), "{told:?}");
            assert_eq!(server.accepted(), 10);
        }
    }
}

#[test]
fn a_fresh_connection_that_is_closed_too_is_a_failure() {
    // A first connection that serves one run, then none that serves any.
    let server = Server::new(V4, |stream, number| {
        if number == 0 {
            request(stream);
            say(stream, ok("hello"));
        }
        request(stream);
    });
    let told = ten_runs(&server, &["-c", "2"]);
    assert_eq!(told.reasons(), ["ok", "closed"]);
    assert_eq!(server.accepted(), 2, "it is tried again once");
}

#[test]
fn a_kept_connection_that_breaks_in_an_answer_is_a_failure() {
    let server = Server::new(V4, |stream, _| {
        request(stream);
        say(stream, ok("hello"));
        request(stream);
        say(stream, "HTTP/1.1 200 OK\r\nContent-");
    });
    let told = ten_runs(&server, &["-c", "2"]);
    assert_eq!(told.reasons(), ["ok", "closed"]);
    assert_eq!(server.accepted(), 1, "an answer that has begun is not asked for again");
}

#[test]
fn what_comes_unasked_between_runs_is_not_taken_for_an_answer() {
    let server = Server::new(V4, |stream, number| {
        request(stream);
        say(stream, ok("hello"));
        if number == 0 {
            say(stream, "HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n");
        }
        keep(stream, &ok("hello"));
    });
    // What comes after the next request has gone out cannot be told from its answer.
    let told = ten_runs(&server, &["expect=hello", "-c", "3", "-i", "1s", "timeout=1s"]);
    assert!(told.all_ok(), "{told:?}");
    assert_eq!(server.accepted(), 2);
}

#[test]
fn the_rest_of_an_answer_may_come_after_the_verdict() {
    // The pattern is found long before the body ends; the body ends only after the verdict is known here.
    let (answered, told_of) = mpsc::channel::<()>();
    let server = Server::new(V4, move |stream, _| {
        while !request(stream).is_empty() {
            say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello");
            let _ = stream.write_all(&[b'x'; 99_995]);
            let _ = answered.send(());
        }
    });
    let told = ten_runs(&server, &["expect=hello", "-i", "50ms", "timeout=50ms"]);
    assert!(told.all_ok(), "{told:?}");
    assert_eq!(server.accepted(), 1);
    assert!(told_of.try_iter().count() >= 9);
}

#[test]
fn an_answer_of_which_the_head_is_enough_is_read_to_its_end_all_the_same() {
    let body = "x".repeat(1_000_000);
    let server = Server::new(V4, move |stream, _| keep(stream, &ok(&body)));
    let told = ten_runs(&server, &["-i", "100ms", "timeout=100ms"]);
    assert!(told.all_ok(), "{told:?}");
    assert_eq!(server.accepted(), 1);
}

#[test]
fn an_answer_without_end_is_not_read_for_ever_between_runs() {
    let (sender, sent) = mpsc::channel();
    let server = Server::new(V4, move |stream, _| {
        request(stream);
        say(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n");
        let mut bytes = 0;
        while bytes < ENDLESS_BYTES_MAX && stream.write_all(&[b'x'; 64 * 1024]).is_ok() {
            bytes += 64 * 1024;
        }
        let _ = sender.send(bytes);
    });
    let rules = format!("interval = 60s\na {{ test = '{}'; reuse = yes }}\n", http_url(server.address));
    let mut daemon = Place::new("loopback-rest").start(&rules);
    let bytes = sent.recv().expect("how much was sent");
    assert!(bytes < ENDLESS_BYTES_MAX, "{bytes} bytes were taken");
    daemon.wait_for("RuleStateSuccess", 1);
    daemon.stop();
}

#[test]
fn a_failure_ends_the_connection() {
    let server = Server::new(V4, |stream, _| keep(stream, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
    let told = ten_runs(&server, &[]);
    assert!(told.reasons().iter().all(|reason| *reason == "http-status"), "{told:?}");
    assert_eq!(server.accepted(), 10);
}

#[test]
fn half_a_close_between_runs_is_seen() {
    let server = Server::new(V4, |stream, _| {
        request(stream);
        say(stream, ok("hello"));
        let _ = stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        hold(stream);
    });
    let told = ten_runs(&server, &["-c", "5", "-i", "50ms", "timeout=50ms"]);
    assert!(told.all_ok(), "{told:?}");
    assert!(server.accepted() >= 5);
}
