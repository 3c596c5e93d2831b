//! Bodies of HTTP answers: where they end, what is searched in them, and lies about both.

use std::net::TcpStream;

use crate::probe::{self, AMPLE};
use crate::server::{Case, Server, V4, answer, answer_and_hold, check, http_url, ok, pour, request, say};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const SEARCH: &[&str] = &[AMPLE, "expect=whole"];
const PLAIN: &[&str] = &[AMPLE];

fn hello(stream: &mut TcpStream) {
    answer_and_hold(stream, ok("hello\r\nworld"));
}

#[test]
fn patterns_decide() {
    const fn case(name: &'static str, properties: &'static [&'static str], reason: &'static str) -> Case {
        Case { name, serve: hello, properties, reason }
    }
    check(
        http_url,
        &[
            case("there", &[AMPLE, "expect=world"], "ok"),
            case("all there", &[AMPLE, "expect=[hello, world]", "expect_regex='^w.r'"], "ok"),
            case("missing", &[AMPLE, "expect=World"], "pattern-missing"),
            case("one missing", &[AMPLE, "expect=[hello, moon]"], "pattern-missing"),
            case("regex missing", &[AMPLE, "expect_regex='^orld'"], "pattern-missing"),
            case("lines", &[AMPLE, "expect_regex='^hello$'"], "ok"),
            case("rejected", &[AMPLE, "reject=hell"], "pattern-rejected"),
            case("regex rejected", &[AMPLE, "reject_regex='o$'"], "pattern-rejected"),
            case("rejected beats missing", &[AMPLE, "expect=moon", "reject=hell"], "pattern-rejected"),
            case("not rejected", &[AMPLE, "reject=moon", "reject_regex='^world.'"], "ok"),
            case("cut", &[AMPLE, "expect=world", "max_body=5"], "pattern-missing"),
            case("rejected behind the cut", &[AMPLE, "reject=world", "max_body=5"], "ok"),
        ],
    );
}

#[test]
fn chunked_lies_are_told_when_the_body_counts() {
    fn no_size(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("{CHUNKED}zz\r\nwhole\r\n0\r\n\r\n"));
    }
    fn too_long(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("{CHUNKED}2\r\nlonger than two\r\n0\r\n\r\n"));
    }
    fn huge(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("{CHUNKED}fffffffffffffffff\r\nx"));
    }
    fn negative(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("{CHUNKED}-1\r\nwhole\r\n"));
    }
    fn unended(stream: &mut TcpStream) {
        answer(stream, format!("{CHUNKED}4\r\npart\r\n"));
    }
    fn too_short(stream: &mut TcpStream) {
        answer(stream, format!("{CHUNKED}ff\r\npart"));
    }
    fn both_framings(stream: &mut TcpStream) {
        answer_and_hold(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        );
    }
    fn spread(stream: &mut TcpStream) {
        answer_and_hold(stream, format!("{CHUNKED}2;a=b\r\nwh\r\n3 \r\nole\r\n0\r\nTrailer: x\r\n\r\n"));
    }
    let case = |name, serve, reason| Case { name, serve, properties: SEARCH, reason };
    check(
        http_url,
        &[
            case("no size", no_size, "http-protocol"),
            case("longer than its size", too_long, "http-protocol"),
            case("a huge size", huge, "http-protocol"),
            case("a negative size", negative, "http-protocol"),
            case("no last chunk", unended, "closed"),
            case("shorter than its size", too_short, "closed"),
            // RFC 9112 section 6.3: chunks count.
            case("both framings", both_framings, "ok"),
            case("extensions, trailers", spread, "ok"),
            // Where nobody asks for the body, the head is all.
            Case { name: "unasked", serve: no_size, properties: PLAIN, reason: "ok" },
        ],
    );
}

#[test]
fn a_body_that_is_cut_off_is_a_failure_unless_all_is_there() {
    fn short(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na part");
    }
    fn until_close(stream: &mut TcpStream) {
        answer(stream, "HTTP/1.1 200 OK\r\n\r\nthe whole");
    }
    let case = |name, serve, properties, reason| Case { name, serve, properties, reason };
    check(
        http_url,
        &[
            case("cut off", short, SEARCH, "closed"),
            case("found before", short, &[AMPLE, "expect=part"], "ok"),
            case("to be without", short, &[AMPLE, "reject=whole"], "closed"),
            case("unasked", short, PLAIN, "ok"),
            case("until the end", until_close, &[AMPLE, "expect_regex='whole$'"], "ok"),
            case("without, until the end", until_close, &[AMPLE, "reject=part"], "ok"),
            case("missing at the end", until_close, &[AMPLE, "expect=part"], "pattern-missing"),
        ],
    );
}

#[test]
fn answers_that_have_no_body_need_no_end() {
    fn to_head(stream: &mut TcpStream) {
        assert!(request(stream).starts_with("HEAD / HTTP/1.1\r\n"));
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        crate::server::hold(stream);
    }
    fn no_content(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 204 No Content\r\n\r\n");
    }
    fn not_modified(stream: &mut TcpStream) {
        answer_and_hold(stream, "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
    }
    let case = |name, serve, properties, reason| Case { name, serve, properties, reason };
    check(
        http_url,
        &[
            case("HEAD", to_head, &[AMPLE, "http_method=HEAD"], "ok"),
            case("204", no_content, &[AMPLE, "reject=x"], "ok"),
            case("204, wanting", no_content, &[AMPLE, "expect=x"], "pattern-missing"),
            case("304", not_modified, &[AMPLE, "reject=x"], "ok"),
        ],
    );
}

#[test]
fn answers_that_have_no_body_leave_a_connection_that_can_be_kept() {
    let heads = [
        ("http_method=HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("http_method=HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("http_method=GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("http_method=GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
    ];
    for (method, head) in heads {
        let server = Server::new(V4, move |stream, _| {
            while !request(stream).is_empty() {
                say(stream, head);
            }
        });
        let told = probe::probe(&http_url(server.address), &[AMPLE, method, "reuse=yes", "-c", "5"]);
        assert!(told.all_ok(), "{head}: {told:?}");
        assert_eq!(server.accepted(), 1, "{head}");
    }
}

#[test]
fn a_body_longer_than_it_says_costs_the_connection_only() {
    for reuse in ["reuse=yes", "reuse=no"] {
        let server = Server::new(V4, |stream, _| {
            answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole and HTTP/1.1 500 Oh\r\n\r\n");
            pour(stream, b"more");
        });
        let told = probe::probe(&http_url(server.address), &[AMPLE, "expect=whole", reuse, "-c", "4"]);
        assert!(told.all_ok(), "{told:?}");
        assert_eq!(server.accepted(), 4);
    }
}
