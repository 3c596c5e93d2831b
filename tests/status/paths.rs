//! What is not there, and what is no request.

use std::io::{Read, Write};

use crate::browse::{Site, ask};

const RULES: &str = "a { test = \"true\"; interval = 1h }\n";

#[test]
fn what_cannot_be_had_is_refused_by_its_number_and_in_words() {
    let site = Site::new("paths", RULES);
    for (request, status) in [
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: gw\r\n\r\n", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: gw\r\n\r\n", 404),
        ("GET //etc/passwd HTTP/1.1\r\nHost: gw\r\n\r\n", 404),
        ("GET /api/v1/status/../../../etc/passwd HTTP/1.1\r\nHost: gw\r\n\r\n", 404),
        ("GET /api/v1/events?after=x HTTP/1.1\r\nHost: gw\r\n\r\n", 400),
        ("DELETE /api/v1/status HTTP/1.1\r\nHost: gw\r\n\r\n", 405),
        ("BREW / HTTP/1.1\r\nHost: gw\r\n\r\n", 501),
        ("CONNECT gw:443 HTTP/1.1\r\nHost: gw\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: evil.example:9090\r\n\r\n", 421),
        ("GET / HTTP/3.0\r\nHost: gw\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 3\r\n\r\nabc", 413),
        ("POST / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    ] {
        let answer = ask(site.connect(), request);
        assert_eq!(answer.status, status, "{request:?}");
        assert!(answer.text().ends_with('\n') && answer.body.len() > 10, "{request:?}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let long = ask(site.connect(), &format!("GET /{} HTTP/1.1\r\nHost: gw\r\n\r\n", "a".repeat(2_000)));
    assert_eq!(long.status, 414);
    let giant = ask(site.connect(), &format!("GET / HTTP/1.1\r\nHost: gw\r\nX: {}", "a".repeat(20_000)));
    assert_eq!(giant.status, 431);
}

#[test]
fn what_is_hidden_behind_a_body_is_never_a_request() {
    let site = Site::new("smuggle", RULES);
    for front in [
        "POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\nContent-Length: 40\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\nContent-Length: 0, 40\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\nContent-Length:\x0b40\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\nTransfer-Encoding : chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: gw\r\n Transfer-Encoding: chunked\r\n\r\n",
    ] {
        let mut stream = site.connect();
        let hidden = "GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n";
        stream.write_all(format!("{front}{hidden}").as_bytes()).expect("it reads");
        let mut all = String::new();
        stream.read_to_string(&mut all).expect("an end");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{front:?}: {all}");
        assert!(!all.contains("200 OK"), "{front:?}: {all}");
    }
}
