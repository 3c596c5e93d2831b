use super::*;
use crate::rule::HttpVersion;

fn get() -> rule::Http {
    rule::Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns: rule::Patterns::default(),
        reuse: false,
    }
}

fn expecting(text: &str) -> rule::Http {
    rule::Http { patterns: rule::Patterns { expect: vec![text.into()], ..Default::default() }, ..get() }
}

fn header(text: &str) -> Vec<HeaderPattern> {
    let (name, regex) = text.split_once(": ").expect("a header");
    vec![HeaderPattern { name: name.into(), regex: regex.into() }]
}

fn compiled(http: &rule::Http) -> Plan {
    Plan::compile(http, &mut Compiled::default()).expect("a good probe")
}

fn reason(step: Step) -> &'static str {
    match step {
        Step::Continue => "open",
        Step::Done(verdict) => verdict.reason(),
    }
}

/// Feeds an answer in pieces; how many bytes the verdict took, and its reason. `fin` closes at the end.
fn feed(plan: &Plan, answer: &[u8], piece: usize, fin: bool) -> (usize, &'static str) {
    let mut exchange = Exchange::default();
    assert_eq!(exchange.connected(plan, &Page::new("h", "/"), &mut Vec::new()), Step::Continue);
    let mut fed = 0;
    for piece in answer.chunks(piece) {
        fed += piece.len();
        let step = exchange.bytes(plan, piece);
        if step != Step::Continue {
            return (fed, reason(step));
        }
    }
    let step = if fin { exchange.eof(plan) } else { exchange.expired(plan) };
    (fed, reason(step))
}

/// Each answer has this reason in one piece and byte by byte, when the server closes after it.
fn check(http: &rule::Http, rows: &[(&str, &str)]) {
    let plan = compiled(http);
    for (answer, expected) in rows {
        for piece in [answer.len().max(1), 1, 7] {
            let (_, seen) = feed(&plan, answer.as_bytes(), piece, true);
            assert_eq!(seen, *expected, "{answer:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_good_head_is_enough_without_patterns() {
    check(
        &get(),
        &[
            ("HTTP/1.1 200 OK\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk", "ok"),
            ("HTTP/1.1 302 Found\n\n", "ok"),
            ("HTTP/1.0 204\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", "http-protocol"),
            ("HTTP/1.1 200 OK\r\n", "closed"),
            ("", "closed"),
        ],
    );
}

#[test]
fn a_status_that_is_not_wanted_is_known_from_its_line_on() {
    let line = "HTTP/1.1 503 Service Unavailable\r\n";
    let plan = compiled(&get());
    assert_eq!(feed(&plan, format!("{line}Retry-Aft").as_bytes(), 1, false), (line.len(), "http-status"));
    check(&get(), &[("HTTP/1.1 404 ?\r\n\r\n", "http-status"), ("HTTP/1.1 600 ?\r\n\r\n", "http-status")]);
    check(
        &rule::Http { status: vec![200..=200, 404..=404], ..get() },
        &[("HTTP/1.1 404 ?\r\n\r\n", "ok"), ("HTTP/1.1 201 ?\r\n\r\n", "http-status")],
    );
}

/// In one piece with its status line, a head that is malformed hid the status.
#[test]
fn a_bad_status_counts_before_a_bad_head() {
    let long = format!("HTTP/1.1 503 ?\r\nA: {}\r\n\r\n", "x".repeat(70_000));
    check(&get(), &[("HTTP/1.1 503 ?\r\nno colon\r\n\r\n", "http-status"), (&long, "http-status")]);
}

#[test]
fn interim_responses_are_skipped() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    check(
        &get(),
        &[
            (&format!("HTTP/1.1 100 Continue\r\n\r\n{hints}{hints}HTTP/1.1 200 OK\r\n\r\n"), "ok"),
            (&format!("{hints}HTTP/1.1 500 ?\r\n\r\n"), "http-status"),
            (&format!("{hints}garbage"), "http-protocol"),
            (hints, "closed"),
            // After this one no other comes.
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "http-status"),
        ],
    );
    let wanted = rule::Http { expect_header: header("X: y"), ..get() };
    let of_the_last = format!("{hints}HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
    check(
        &wanted,
        &[(&of_the_last, "ok"), ("HTTP/1.1 103 ?\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "header")],
    );
}

/// What came behind interim heads counted as one of them.
#[test]
fn interim_heads_have_64_kib_among_them() {
    let interim = format!("HTTP/1.1 103 ?\r\nA: {}\r\n\r\n", "x".repeat(1000));
    let last = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(70_000));
    let most = HEAD_BYTES_MAX / interim.len();
    check(&get(), &[(&format!("{}{last}", interim.repeat(most)), "ok")]);
    check(&get(), &[(&format!("{}{last}", interim.repeat(most + 1)), "http-protocol")]);
}

#[test]
fn header_patterns_look_at_every_field_of_their_name() {
    let http = rule::Http {
        expect_header: header("x-state: ^(up|ready)$"),
        reject_header: header("Warning: ."),
        ..get()
    };
    check(
        &http,
        &[
            ("HTTP/1.1 200 OK\r\nX-State: up\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nX-State: down\r\nX-STATE: ready\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nX-State:\r\n ready\r\n\r\n", "ok"),
            ("HTTP/1.1 200 OK\r\nX-State: up\r\n no\r\n\r\n", "header"),
            ("HTTP/1.1 200 OK\r\nX-State: up and down\r\n\r\n", "header"),
            ("HTTP/1.1 200 OK\r\n\r\nX-State: up\r\n", "header"),
            ("HTTP/1.1 200 OK\r\nX-State: up\r\nwarning: 110\r\n\r\n", "header"),
            ("HTTP/1.1 200 OK\r\nX-State: up\r\nwarning:\r\n\r\n", "ok"),
        ],
    );
}

#[test]
fn bodies_are_searched_in_every_framing() {
    check(
        &expecting("ready"),
        &[
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "ok"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nready", "pattern-missing"),
            ("HTTP/1.1 200 OK\r\n\r\nready", "ok"),
            ("HTTP/1.1 200 OK\r\n\r\nread", "pattern-missing"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2;x\r\ndy\r\n0\r\n\r\n", "ok"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nread\r\n0\r\n\r\n",
                "pattern-missing",
            ),
            // A trailer is no content, nor is an extension.
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;ready\r\nx\r\n0\r\nready: x\r\n\r\n",
                "pattern-missing",
            ),
            ("HTTP/1.1 204 OK\r\n\r\nready", "pattern-missing"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "pattern-missing"),
            // Incomplete, which is not the same as without.
            ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nread", "closed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nread", "closed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nread\r\n0\r\n", "closed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nreadyx", "http-protocol"),
            // Certain before the rest breaks.
            ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nready", "ok"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nready!!", "ok"),
        ],
    );
}

#[test]
fn no_more_than_max_body_is_searched() {
    let mut http = expecting("ready");
    http.patterns.bytes_max = 8;
    check(
        &http,
        &[
            ("HTTP/1.1 200 OK\r\n\r\n123ready", "ok"),
            ("HTTP/1.1 200 OK\r\n\r\n1234ready", "pattern-missing"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789zzz", "pattern-missing"),
        ],
    );
    let plan = compiled(&http);
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let answer = format!("{head}{}", "x".repeat(100));
    assert_eq!(feed(&plan, answer.as_bytes(), 1, false), (head.len() + 8, "pattern-missing"));
}

/// A body that trickles is searched less often, and what was unsearched when it ended did not count.
#[test]
fn a_body_that_ends_early_is_searched_to_its_last_byte() {
    let plan = compiled(&expecting("ready"));
    for framing in ["Content-Length: 5000\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let body = format!("{}ready", "x".repeat(500));
        let chunk = if framing.starts_with('T') { "fff\r\n" } else { "" };
        let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n{chunk}{body}");
        assert_eq!(feed(&plan, answer.as_bytes(), 1, true).1, "ok", "closed: {framing:?}");
        assert_eq!(feed(&plan, answer.as_bytes(), 1, false).1, "ok", "deadline: {framing:?}");
    }
    // Where the end has to be seen, the deadline is a timeout.
    let mut http = get();
    http.patterns.reject = vec!["bad".into()];
    let answer = b"HTTP/1.1 200 OK\r\n\r\nfine";
    assert_eq!(feed(&compiled(&http), answer, 1, false).1, "open");
    assert_eq!(feed(&compiled(&http), answer, 1, true).1, "ok");
}

#[test]
fn a_connection_serves_again_only_after_a_complete_answer() {
    let plan = compiled(&rule::Http { reuse: true, ..get() });
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    for (answer, can, may) in [
        (head("Content-Length: 0\r\n"), true, true),
        (head("Content-Length: 2\r\n") + "hi", true, true),
        (head("Content-Length: 2\r\n") + "h", false, true),
        (head("Content-Length: 2\r\n") + "hi!", false, false),
        (head("Content-Length: 0\r\n") + "!", false, false),
        (head("Content-Length: 2\r\nConnection: close\r\n") + "hi", false, false),
        (head("Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n\r\n", true, true),
        (head("Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n", false, true),
        (head("Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n\r\n!", false, false),
        (head("Transfer-Encoding: chunked\r\n") + "x", false, false),
        (head(""), false, false),
    ] {
        for piece in [answer.len(), 1] {
            let mut exchange = Exchange::default();
            let steps = answer.as_bytes().chunks(piece).map(|piece| exchange.bytes(&plan, piece));
            let first =
                steps.fold(Step::Continue, |first, step| if first == Step::Continue { step } else { first });
            assert_eq!(first, Step::Done(Verdict::Success), "{answer:?}");
            assert_eq!((exchange.can_serve_again(), exchange.may_serve_again()), (can, may), "{answer:?}");
            exchange.eof(&plan);
            assert!(!exchange.can_serve_again() && !exchange.may_serve_again());
        }
    }
}

#[test]
fn a_connection_whose_answer_failed_does_not_serve_again() {
    let plan = compiled(&rule::Http { reuse: true, ..expecting("ready") });
    for answer in
        ["HTTP/1.1 500 ?\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"]
    {
        let mut exchange = Exchange::default();
        assert!(matches!(exchange.bytes(&plan, answer.as_bytes()), Step::Done(Verdict::Failure(_))));
        assert!(!exchange.can_serve_again() && !exchange.may_serve_again(), "{answer:?}");
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let plan = compiled(&rule::Http { method: "HEAD".into(), reuse: true, ..get() });
    let mut exchange = Exchange::default();
    let step = exchange.bytes(&plan, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    assert_eq!((step, exchange.can_serve_again()), (Step::Done(Verdict::Success), true));
}

#[test]
fn a_restarted_exchange_has_forgotten_all() {
    let plan = compiled(&rule::Http { reuse: true, ..expecting("ready") });
    let mut exchange = Exchange::default();
    for answer in ["HTTP/1.1 103 ?\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n\r\nread"] {
        assert_eq!(exchange.bytes(&plan, answer.as_bytes()), Step::Continue);
        exchange.restart();
        assert_eq!((exchange.received(), exchange.can_serve_again()), (0, false));
        let good = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
        assert_eq!(exchange.bytes(&plan, good), Step::Done(Verdict::Success));
        assert_eq!((exchange.received(), exchange.can_serve_again()), (good.len() as u64, true));
        exchange.restart();
    }
    exchange.bytes(&plan, &[&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 50_000]].concat());
    exchange.restart();
    assert!(exchange.head.capacity() + exchange.body.capacity() <= 2 * KEPT_BYTES_MAX);
}
