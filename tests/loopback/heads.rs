//! Statuses and heads of HTTP answers: what is taken, what is not, and that none takes memory.

use std::net::TcpStream;

use crate::harness::Place;
use crate::probe::{self, AMPLE};
use crate::server::{
    Case, Server, V4, abort, answer, answer_and_hold, check, drip, hold, http_url, ok, pour, request, say,
};

type Misbehave = fn(&mut TcpStream);

fn endless_head(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\n");
    pour(stream, b"X-More: and more and more and more and more and more\r\n");
}

fn endless_line(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\nX-More: ");
    pour(stream, b"more");
}

fn endless_status_line(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 ");
    pour(stream, b"O");
}

fn endless_interim(stream: &mut TcpStream) {
    request(stream);
    pour(stream, b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
}

fn endless_body(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\n\r\n");
    pour(stream, b"all work and no play ");
}

fn endless_chunk(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n");
    pour(stream, b"all work and no play ");
}

fn endless_extension(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    pour(stream, b"extension");
}

fn endless_chunks(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    pour(stream, b"1\r\nx\r\n");
}

fn endless_trailers(stream: &mut TcpStream) {
    answer(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    pour(stream, b"X-More: and more\r\n");
}

fn endless_garbage(stream: &mut TcpStream) {
    pour(stream, b"\x00\xff\x01garbage");
}

#[test]
fn heads_that_never_end_are_failures() {
    check(
        http_url,
        &[
            Case { name: "fields", serve: endless_head, properties: &[AMPLE], reason: "http-protocol" },
            Case { name: "a line", serve: endless_line, properties: &[AMPLE], reason: "http-protocol" },
            Case {
                name: "the first line",
                serve: endless_status_line,
                properties: &[AMPLE],
                reason: "http-protocol",
            },
            Case { name: "1xx", serve: endless_interim, properties: &[AMPLE], reason: "http-protocol" },
            Case { name: "garbage", serve: endless_garbage, properties: &[AMPLE], reason: "http-protocol" },
        ],
    );
}

#[test]
fn bodies_that_never_end_are_read_up_to_max_body() {
    const MISSING: &[&str] = &[AMPLE, "expect=joy"];
    const LARGE: &[&str] = &[AMPLE, "expect=joy", "max_body=1mb"];
    check(
        http_url,
        &[
            Case { name: "unasked", serve: endless_body, properties: &[AMPLE], reason: "ok" },
            Case { name: "missing", serve: endless_body, properties: MISSING, reason: "pattern-missing" },
            Case { name: "large", serve: endless_body, properties: LARGE, reason: "pattern-missing" },
            Case { name: "there", serve: endless_body, properties: &[AMPLE, "expect=play"], reason: "ok" },
            Case { name: "not there", serve: endless_body, properties: &[AMPLE, "reject=joy"], reason: "ok" },
            Case {
                name: "rejected",
                serve: endless_body,
                properties: &[AMPLE, "reject=work"],
                reason: "pattern-rejected",
            },
            Case { name: "a chunk", serve: endless_chunk, properties: MISSING, reason: "pattern-missing" },
            Case { name: "chunks", serve: endless_chunks, properties: MISSING, reason: "pattern-missing" },
            Case { name: "a size", serve: endless_extension, properties: MISSING, reason: "http-protocol" },
            Case { name: "trailers", serve: endless_trailers, properties: MISSING, reason: "http-protocol" },
        ],
    );
}

#[test]
#[cfg(target_os = "linux")]
fn no_endless_answer_takes_memory() {
    let pourers: [Misbehave; 10] = [
        endless_head,
        endless_line,
        endless_status_line,
        endless_interim,
        endless_garbage,
        endless_body,
        endless_chunk,
        endless_extension,
        endless_chunks,
        endless_trailers,
    ];
    let servers: Vec<_> =
        pourers.into_iter().map(|serve| Server::new(V4, move |stream, _| serve(stream))).collect();
    let mut rules = "interval = 50ms\n".to_owned();
    for (server, number) in servers.iter().zip(0..) {
        let url = http_url(server.address);
        // Endless bodies too when nothing is looked for in them, and connections that are to be kept.
        rules += &format!("a{number} {{ test = '{url}'; expect = joy }}\nb{number} {{ test = '{url}' }}\n");
        rules += &format!("c{number} {{ test = '{url}'; reuse = yes }}\n");
    }
    let mut daemon = Place::new("loopback-memory").start(&rules);
    let served = |times| servers.iter().all(|server| server.accepted() >= times);
    assert!(crate::harness::patiently(|| served(15)), "{}", daemon.log());
    let peak = probe::peak_kib(daemon.pid()).expect("/proc tells of memory");
    assert!(peak < 40 * 1024, "{peak} KiB\n{}", daemon.log());
    assert!(daemon.is_running());
    daemon.stop();
}

#[test]
fn statuses_count_as_asked() {
    fn not_found(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    fn unavailable_without_end(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 503 Service Unavailable\r\nX-Not");
    }
    fn found(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n");
    }
    fn switching(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    }
    fn without_a_phrase(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n");
    }
    fn bare_lines(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    }
    fn http_1_0(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.0 200 OK\r\n\r\nok");
    }
    fn continues(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("HTTP/1.1 100 Continue\r\n\r\n{}", ok("ok")));
    }
    fn continues_then_fails(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n");
    }
    check(
        http_url,
        &[
            Case { name: "404", serve: not_found, properties: &[AMPLE], reason: "http-status" },
            Case {
                name: "404, wanted",
                serve: not_found,
                properties: &[AMPLE, "http_status=\"200 404\""],
                reason: "ok",
            },
            // The first line is enough.
            Case { name: "503", serve: unavailable_without_end, properties: &[AMPLE], reason: "http-status" },
            Case { name: "302", serve: found, properties: &[AMPLE], reason: "ok" },
            Case {
                name: "302, not wanted",
                serve: found,
                properties: &[AMPLE, "http_status=200"],
                reason: "http-status",
            },
            Case { name: "101", serve: switching, properties: &[AMPLE], reason: "http-status" },
            Case { name: "no phrase", serve: without_a_phrase, properties: &[AMPLE], reason: "ok" },
            Case { name: "LF", serve: bare_lines, properties: &[AMPLE, "expect=ok"], reason: "ok" },
            Case { name: "1.0", serve: http_1_0, properties: &[AMPLE, "expect_regex=^ok$"], reason: "ok" },
            Case { name: "100", serve: continues, properties: &[AMPLE, "expect=ok"], reason: "ok" },
            Case {
                name: "100 then 500",
                serve: continues_then_fails,
                properties: &[AMPLE],
                reason: "http-status",
            },
        ],
    );
}

#[test]
fn a_detail_tells_the_wanted_and_the_seen_status() {
    let server = Server::new(V4, |stream, _| answer(stream, "HTTP/1.1 503 No\r\n\r\n"));
    let run = probe::expect("503", &server.url("http", "/"), &[AMPLE, "http_status=200-204"], "http-status");
    assert_eq!(run.detail, "status 503, wanted 200-204");
    assert!(run.reached("connect_us") && run.reached("first_byte_us") && !run.reached("tls_us"));
}

#[test]
fn header_patterns_count() {
    fn headers(stream: &mut TcpStream) {
        answer_and_hold(
            stream,
            "HTTP/1.1 200 OK\r\nServer: Apache/2\r\nX-Ready: yes\r\nx-ready: also\r\nContent-Length: 0\r\n\r\n",
        );
    }
    check(
        http_url,
        &[
            Case {
                name: "there",
                serve: headers,
                properties: &[AMPLE, "expect_header=[ 'X-READY: ^yes$', 'X-Ready: ^also$' ]"],
                reason: "ok",
            },
            Case {
                name: "other value",
                serve: headers,
                properties: &[AMPLE, "expect_header='X-Ready: ^no$'"],
                reason: "header",
            },
            Case {
                name: "not there",
                serve: headers,
                properties: &[AMPLE, "expect_header='X-Alive: .'"],
                reason: "header",
            },
            Case {
                name: "rejected",
                serve: headers,
                properties: &[AMPLE, "reject_header='Server: (?i)apache'"],
                reason: "header",
            },
            Case {
                name: "not rejected",
                serve: headers,
                properties: &[AMPLE, "reject_header='Server: nginx'"],
                reason: "ok",
            },
        ],
    );
}

#[test]
fn what_is_no_http_is_a_failure() {
    fn garbage(stream: &mut TcpStream) {
        answer_and_hold(stream, b"\x15\x03\x01\x00\x02\x02\x46");
    }
    fn garbage_in_drips(stream: &mut TcpStream) {
        request(stream);
        drip(stream, &[0xa5; 300]);
        hold(stream);
    }
    fn http_2(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/2 200\r\n\r\n");
    }
    fn shoutcast(stream: &mut TcpStream) {
        answer_and_hold(stream, "ICY 200 OK\r\n\r\n");
    }
    fn ssh(stream: &mut TcpStream) {
        say(stream, "SSH-2.0-OpenSSH_9.2\r\n");
        hold(stream);
    }
    fn no_status(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 OK 200\r\n\r\n");
    }
    fn two_lengths(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    }
    fn many_fields(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200)));
    }
    fn no_field(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 200 OK\r\n: b\r\n\r\n");
    }
    let cases: [(&'static str, Misbehave); 9] = [
        ("garbage", garbage),
        ("garbage in drips", garbage_in_drips),
        ("HTTP/2", http_2),
        ("ICY", shoutcast),
        ("SSH", ssh),
        ("no status", no_status),
        ("two lengths", two_lengths),
        ("many fields", many_fields),
        ("no field", no_field),
    ];
    let case = |(name, serve)| Case { name, serve, properties: &[AMPLE], reason: "http-protocol" };
    check(http_url, &cases.map(case));
}

#[test]
fn an_answer_may_come_one_byte_at_a_time() {
    fn drips(stream: &mut TcpStream) {
        request(stream);
        drip(stream, b"HTTP/1.1 100 Continue\r\n\r\n");
        drip(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n2\r\nhe\r\n4;x\r\nllo!\r\n0\r\n\r\n");
        hold(stream);
    }
    const PATTERNS: &[&str] = &[AMPLE, "expect='hello!'", "expect_header='X-A: b'", "reject=bye"];
    check(http_url, &[Case { name: "drips", serve: drips, properties: PATTERNS, reason: "ok" }]);
}

#[test]
fn a_connection_that_is_reset_or_closed_is_told_apart_and_where() {
    fn at_once(stream: &mut TcpStream) {
        abort(stream);
    }
    fn after_the_request(stream: &mut TcpStream) {
        request(stream);
        abort(stream);
    }
    fn in_the_head(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.1 200 OK\r\nX-Na");
        abort(stream);
    }
    fn in_the_body(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal");
        abort(stream);
    }
    fn closes_at_once(stream: &mut TcpStream) {
        let _ = stream.shutdown(std::net::Shutdown::Write);
        hold(stream);
    }
    fn closes_after_the_request(stream: &mut TcpStream) {
        request(stream);
    }
    fn closes_in_the_head(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.1 200 OK\r\nX-Na");
    }
    const SEARCH: &[&str] = &[AMPLE, "expect=whole"];
    let case = |name, serve, reason| Case { name, serve, properties: SEARCH, reason };
    check(
        http_url,
        &[
            case("reset at once", at_once, "reset"),
            case("reset after the request", after_the_request, "reset"),
            case("reset in the head", in_the_head, "reset"),
            case("reset in the body", in_the_body, "reset"),
            case("closed at once", closes_at_once, "closed"),
            case("closed after the request", closes_after_the_request, "closed"),
            case("closed in the head", closes_in_the_head, "closed"),
        ],
    );
    let server = Server::new(V4, |stream, _| after_the_request(stream));
    let run = probe::expect("stage", &http_url(server.address), SEARCH, "reset");
    assert_eq!(run.detail, "connection reset before any answer");
    let server = Server::new(V4, |stream, _| closes_in_the_head(stream));
    let run = probe::expect("stage", &http_url(server.address), SEARCH, "closed");
    assert_eq!(run.detail, "connection closed in the middle of the answer");
}
