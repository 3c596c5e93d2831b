use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use crate::status::Resource;

#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
fn start() -> Instant {
    Instant::now()
}

fn at(mono: Instant) -> Now {
    Now { mono, wall: SystemTime::UNIX_EPOCH }
}

const SECOND: Duration = Duration::from_secs(1);

fn client(now: Instant, bytes: &str) -> Client {
    let mut client = Client::new(now);
    client.handle_bytes(bytes.as_bytes(), now);
    client
}

/// Everything that waits, written in pieces of this many bytes.
fn taken(client: &mut Client, at_a_time: usize, now: Instant) -> String {
    let mut all = Vec::new();
    while !client.waiting().is_empty() {
        let piece = client.waiting();
        let bytes = piece.len().min(at_a_time);
        all.extend_from_slice(&piece[..bytes]);
        client.written(bytes, now);
    }
    String::from_utf8(all).expect("text")
}

fn large() -> Response {
    let pieces: Vec<Box<[u8]>> = (0..5).map(|n| vec![b'a' + n; 5_000].into()).collect();
    Response { status: 200, content_type: "text/plain", policy: None, body: pieces.into() }
}

#[test]
fn requests_that_come_at_once_are_answered_one_after_the_other() {
    let now = start();
    let mut client =
        client(now, "GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\nHEAD /metrics HTTP/1.1\r\nHost: gw\r\n\r\n");
    let Next::Asked(first) = client.next(Hosts::Any, at(now)) else { panic!("a request") };
    assert_eq!(first.resource, Resource::Health);
    assert_eq!(client.next(Hosts::Any, at(now)), Next::Nothing, "one at a time");
    client.respond(&Response::text(200, "ok\n"), at(now));
    let answer = taken(&mut client, 7, now);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
            && answer.ends_with("\r\n\r\nok\n"),
        "{answer}"
    );
    let Next::Asked(second) = client.next(Hosts::Any, at(now)) else { panic!("a request") };
    assert_eq!((second.resource, second.method), (Resource::Metrics, Method::Head));
    client.respond(&large(), at(now));
    let answer = taken(&mut client, 1_000, now);
    assert!(answer.contains("Content-Length: 25000\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(client.is_idle() && !client.is_over(now));
}

#[test]
fn a_large_answer_is_whole_however_it_is_taken() {
    let now = start();
    for at_a_time in [1, 4_999, 5_000, 5_001, 100_000] {
        let mut client = client(now, "GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n");
        assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
        client.respond(&large(), at(now));
        let answer = taken(&mut client, at_a_time, now);
        let body = answer.split_once("\r\n\r\n").expect("a head").1;
        assert_eq!(body.len(), 25_000);
        assert!(body.starts_with("aaa") && body.ends_with("eee"));
    }
}

#[test]
fn what_cannot_be_read_on_is_answered_and_drained_and_then_over() {
    let now = start();
    let mut client =
        client(now, "POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 40\r\n\r\nGET /metrics HTTP/1.1\r\n");
    assert_eq!(client.next(Hosts::Any, at(now)), Next::Refused);
    let answer = taken(&mut client, 1_000, now);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("Connection: close\r\n"), "{answer}");
    assert!(client.has_all() && !client.is_over(now));
    assert_eq!(client.next(Hosts::Any, at(now)), Next::Nothing, "a body is no request");
    client.handle_bytes(&[0; 1_000], now);
    assert!(!client.is_over(now));
    assert!(client.is_over(now + SECOND));
    while client.room() > 0 {
        client.handle_bytes(&vec![0; client.room().min(8_192)], now);
    }
    assert!(client.is_over(now), "it has sent too much");
}

#[test]
fn half_a_head_is_told_so_and_one_without_any_is_closed() {
    let now = start();
    let mut half = client(now, "GET / HT");
    assert_eq!(
        (half.next(Hosts::Any, at(now)), half.poll_timeout()),
        (Next::Nothing, Some(now + 10 * SECOND))
    );
    // A byte now and then does not help.
    half.handle_bytes(b"T", now + 9 * SECOND);
    assert_eq!(half.overdue(at(now + 9 * SECOND)), None);
    assert!(half.waiting().is_empty());
    assert_eq!(half.overdue(at(now + 10 * SECOND)), None);
    assert!(taken(&mut half, 100, now).starts_with("HTTP/1.1 408 "));
    let mut idle = Client::new(now);
    assert_eq!(idle.overdue(at(now + 59 * SECOND)), None);
    assert!(idle.overdue(at(now + 60 * SECOND)).is_some());
    idle.handle_end();
    assert!(idle.is_over(now));
}

#[test]
fn an_answer_is_not_kept_for_who_does_not_take_it() {
    let now = start();
    let asked = || {
        let mut client = client(now, "GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n");
        assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
        client.respond(&large(), at(now));
        client
    };
    let mut stuck = asked();
    assert_eq!(stuck.overdue(at(now + 9 * SECOND)), None);
    assert!(stuck.overdue(at(now + 10 * SECOND)).is_some());
    let mut slow = asked();
    for second in 0..30 {
        assert_eq!(slow.overdue(at(now + SECOND * second)), None, "{second}");
        slow.written(1, now + SECOND * second);
    }
    assert!(slow.overdue(at(now + 30 * SECOND)).is_some());
}

#[test]
fn whoever_listens_is_told_what_is_new_and_what_was_missed() {
    let now = start();
    let mut recent = Recent::default();
    recent.push("\"n\":1}");
    recent.push("\"n\":2}");
    let mut client = client(now, "GET /api/v1/events?after=1 HTTP/1.1\r\nHost: gw\r\n\r\n");
    assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
    client.stream(1, &Hello { pid: 7, started: 0.5 }, at(now));
    client.feed(&recent, now);
    let told = taken(&mut client, 50, now);
    let body = told.split_once("\r\n\r\n").expect("a head").1;
    assert_eq!(body, "event: hello\ndata: {\"pid\":7,\"started\":0.5}\n\nid: 2\ndata: {\"n\":2}\n\n");
    assert!(!client.wants_feeding(recent.last(), now));
    assert!(client.wants_feeding(recent.last(), now + 15 * SECOND));
    client.feed(&recent, now + 15 * SECOND);
    assert_eq!(taken(&mut client, 50, now), ":\n\n");
    // More than is kept for it, or at all.
    let event = format!("\"x\":\"{}\"}}", "x".repeat(3_000));
    (0..100).for_each(|_| recent.push(&event));
    client.feed(&recent, now);
    assert!(client.output.len() < STREAM_BYTES_MAX + 4_000, "{}", client.output.len());
    (0..600).for_each(|_| recent.push("\"y\":1}"));
    let _ = taken(&mut client, 8_192, now);
    client.feed(&recent, now);
    let told = taken(&mut client, 8_192, now);
    assert!(told.starts_with("id: 190\nevent: missed\ndata: {\"count\":"), "{}", &told[..80]);
    assert!(told.ends_with("id: 702\ndata: {\"y\":1}\n\n"));
    // It has nothing to say.
    client.handle_bytes(b"GET", now);
    assert!(client.is_over(now));
}

#[test]
fn a_body_is_shared_and_not_copied() {
    let now = start();
    let response = large();
    let clients: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = client(now, "GET /metrics HTTP/1.1\r\nHost: gw\r\n\r\n");
            assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
            client.respond(&response, at(now));
            client
        })
        .collect();
    assert_eq!(Arc::strong_count(&response.body), 11);
    drop(clients);
    assert_eq!(Arc::strong_count(&response.body), 1);
}

#[test]
fn half_a_head_is_looked_at_again_when_there_is_more_of_it() {
    let now = start();
    let mut client = client(now, "GET /healthz HTTP/1.1\r\nHo");
    assert!(client.may_ask());
    assert_eq!((client.next(Hosts::Any, at(now)), client.may_ask()), (Next::Nothing, false));
    client.handle_bytes(b"st: gw\r\n\r\nGET /he", now);
    assert!(client.may_ask());
    assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
    client.respond(&Response::text(200, "ok\n"), at(now));
    let _ = taken(&mut client, 1_000, now);
    assert!(client.may_ask(), "what came behind it was not looked at");
    assert_eq!((client.next(Hosts::Any, at(now)), client.may_ask()), (Next::Nothing, false));
}

#[test]
fn one_that_has_sent_all_it_will_is_answered_all_of_it() {
    let now = start();
    let one = "GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n";
    let mut client = client(now, &one.repeat(2));
    client.handle_end();
    for connection in [false, true] {
        assert!(!client.is_over(now) && matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
        client.respond(&Response::text(200, "ok\n"), at(now));
        assert_eq!(taken(&mut client, 1_000, now).contains("Connection: close\r\n"), connection);
    }
    assert!(client.is_over(now));
}

#[test]
fn what_waits_for_one_that_is_always_a_little_behind_is_bounded() {
    let now = start();
    let mut recent = Recent::default();
    let mut client = client(now, "GET /api/v1/events HTTP/1.1\r\nHost: gw\r\n\r\n");
    assert!(matches!(client.next(Hosts::Any, at(now)), Next::Asked(_)));
    client.stream(0, &Hello { pid: 7, started: 0.5 }, at(now));
    let event = format!("\"x\":\"{}\"}}", "x".repeat(3_000));
    for _ in 0..1_000 {
        (0..3).for_each(|_| recent.push(&event));
        client.feed(&recent, now);
        let bytes = client.waiting().len().saturating_sub(100).min(9_000);
        client.written(bytes, now);
        assert!(client.output.len() < STREAM_BYTES_MAX * 2, "{}", client.output.len());
    }
    // One for whom there is no room is not looked after because it has not been told anything for long.
    while client.wants_feeding(recent.last(), now) {
        client.feed(&recent, now);
        recent.push(&event);
    }
    client.written(1, now + 14 * SECOND);
    client.feed(&recent, now);
    assert_eq!(client.poll_timeout(), Some(now + 24 * SECOND), "when it will have been stuck for too long");
}
