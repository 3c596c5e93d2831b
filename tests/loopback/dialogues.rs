//! Dialogues over plain connections.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use crate::probe::{self, AMPLE};
use crate::server::{Case, Server, V4, abort, check, drip, hold, pour, request, say, tcp_url};

/// Speaks as much of SMTP (RFC 5321) as a check asks for.
fn smtp(stream: &mut TcpStream) {
    say(stream, "220-mail.example ESMTP\r\n220 ready\r\n");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end().split(' ').next() {
            Some("EHLO") => drip(stream, b"250-mail.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"),
            Some("QUIT") => {
                say(stream, "221 bye\r\n");
                return;
            }
            Some(_) | None => say(stream, "502 what\r\n"),
        }
    }
}

const SMTP: &str = "dialogue=[ 'expect_regex ^220 ', 'send EHLO hfm\\r\\n', 'expect_regex ^250 ', \
                    'send QUIT\\r\\n', 'expect_regex ^221 ' ]";

#[test]
fn a_dialogue_goes_step_by_step() {
    fn resets(stream: &mut TcpStream) {
        say(stream, "220 ready\r\n");
        let mut line = [0; 10];
        let _ = stream.read_exact(&mut line);
        abort(stream);
    }
    fn closes(stream: &mut TcpStream) {
        say(stream, "220 ready\r\n");
        let mut line = [0; 10];
        let _ = stream.read_exact(&mut line);
    }
    fn resets_at_once(stream: &mut TcpStream) {
        abort(stream);
    }
    fn closes_at_once(_: &mut TcpStream) {}
    fn busy(stream: &mut TcpStream) {
        say(stream, "421 busy\r\n");
        hold(stream);
    }
    fn busy_and_closes(stream: &mut TcpStream) {
        say(stream, "421 busy\r\n");
    }
    const QUICK: &[&str] = &["timeout=500ms", SMTP];
    const PLAIN: &[&str] = &[AMPLE, SMTP];
    let case = |name, serve, properties, reason| Case { name, serve, properties, reason };
    check(
        tcp_url,
        &[
            case("smtp", smtp as fn(&mut TcpStream), PLAIN, "ok"),
            case("resets at once", resets_at_once, PLAIN, "reset"),
            case("closes at once", closes_at_once, PLAIN, "closed"),
            case("resets", resets, PLAIN, "reset"),
            case("closes", closes, PLAIN, "closed"),
            case("busy", busy, QUICK, "timeout-response"),
            case("busy and closes", busy_and_closes, PLAIN, "closed"),
            case("says all and not that", busy_and_closes, &[AMPLE, "expect=ready"], "pattern-missing"),
            case("rejected", busy, &[AMPLE, "reject_regex='^4'"], "pattern-rejected"),
        ],
    );
}

#[test]
fn replies_without_end_are_bounded() {
    fn endless(stream: &mut TcpStream) {
        pour(stream, b"blah ");
    }
    fn endless_in_drips(stream: &mut TcpStream) {
        drip(stream, &b"blah ".repeat(20_000));
    }
    const DIALOGUE: &[&str] = &[AMPLE, "dialogue='expect joy'"];
    const MEGABYTE: &[&str] = &[AMPLE, "dialogue='expect joy'", "max_body=1mb"];
    const DRIPS: &[&str] = &[AMPLE, "expect=joy", "max_body=1kb"];
    let case = |name, serve, properties| Case { name, serve, properties, reason: "pattern-missing" };
    check(
        tcp_url,
        &[
            case("a step", endless as fn(&mut TcpStream), DIALOGUE),
            case("a step, more", endless, MEGABYTE),
            case("patterns", endless, &[AMPLE, "expect_regex='joy$'"]),
            case("drips", endless_in_drips, DRIPS),
            case("drips of garbage", |stream| drip(stream, &[0xff; 4000]), DRIPS),
        ],
    );
}

#[test]
fn bytes_are_sent_as_written() {
    let server = Server::new(V4, |stream, _| {
        let mut bytes = [0; 6];
        let _ = stream.read_exact(&mut bytes);
        say(stream, if bytes == *b"\x00\xffAB\r\n" { "right" } else { "wrong" });
    });
    let url = tcp_url(server.address);
    for send in ["send_hex='00ff 41 420d0a'", "send='\\0\\xffAB\\r\\n'"] {
        probe::expect(send, &url, &[AMPLE, send, "expect=right"], "ok");
    }
    probe::expect("sent alone", &url, &[AMPLE, "send=hello"], "ok");
}

#[test]
fn a_reply_of_bytes_can_be_expected() {
    let server = Server::new(V4, |stream, _| {
        say(stream, b"\x05\x00\xfe\xff");
        hold(stream);
    });
    let url = tcp_url(server.address);
    probe::expect("there", &url, &[AMPLE, "dialogue='expect \\x05\\0\\xfe'"], "ok");
    probe::expect("regex", &url, &[AMPLE, "expect_regex='(?-u:\\x00\\xfe)'"], "ok");
    let quick = ["timeout=500ms", "dialogue='expect \\x05\\0\\xff'"];
    probe::expect("not there", &url, &quick, "timeout-response");
}

#[test]
fn the_answer_to_one_question_is_not_that_to_another() {
    // What was said before a question does not answer it.
    let server = Server::new(V4, |stream, _| {
        say(stream, "+OK\r\n");
        request(stream);
    });
    let dialogue = "dialogue=[ 'expect +OK', 'send STAT\\r\\n', 'expect +OK' ]";
    let run =
        probe::expect("stat", &tcp_url(server.address), &["timeout=500ms", dialogue], "timeout-response");
    assert!(run.detail.contains("only 5 bytes"), "{run:?}");
}
