use super::*;
use crate::rule::Patterns;

fn get() -> Http {
    Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns: Patterns::default(),
        reuse: false,
    }
}

fn text_to(host: &str, http: &Http) -> String {
    let mut request = b"before".to_vec();
    Request::new(http).write(&Page::new(host, "/health?a=b"), &mut request);
    let request = request.strip_prefix(b"before").expect("it is appended");
    str::from_utf8(request).expect("text").replace(env!("CARGO_PKG_VERSION"), "V")
}

fn text(http: &Http) -> String {
    text_to("web.example.com:8080", http)
}

fn headers(list: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
    list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

#[test]
fn a_plain_request_says_what_it_must() {
    assert_eq!(
        text(&get()),
        "GET /health?a=b HTTP/1.1\r\nHost: web.example.com:8080\r\nUser-Agent: hfm/V\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
}

#[test]
fn host_is_there_even_where_it_is_empty() {
    let request = text_to("", &get());
    assert!(request.starts_with("GET /health?a=b HTTP/1.1\r\nHost:\r\nUser-Agent"), "{request}");
}

#[test]
fn given_fields_replace_ours_and_host_comes_first() {
    let given = headers(&[("X-A", "b"), ("user-agent", "me"), ("HOST", "other"), ("accept", "")]);
    assert_eq!(
        text(&Http { headers: given, ..get() }),
        "GET /health?a=b HTTP/1.1\r\nHOST: other\r\nX-A: b\r\nuser-agent: me\r\naccept:\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn a_body_has_its_length_in_bytes() {
    for (method, body, length) in [
        ("GET", None, None),
        ("HEAD", None, None),
        ("DELETE", None, None),
        ("GET", Some("caf\u{e9}"), Some("5")),
        ("POST", Some(""), Some("0")),
        // RFC 9110 section 8.6.
        ("POST", None, Some("0")),
        ("PUT", None, Some("0")),
        ("PATCH", None, Some("0")),
    ] {
        let request = text(&Http { method: method.into(), body: body.map(Box::from), ..get() });
        let line = request.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(line, length, "{request}");
        let (head, after) = request.split_once("\r\n\r\n").expect("an empty line");
        assert_eq!(after, body.unwrap_or_default(), "{head}");
    }
}

#[test]
fn the_connection_is_asked_for_as_the_version_needs_it() {
    for (version, reuse, first, connection) in [
        (HttpVersion::V11, false, "HTTP/1.1", Some("close")),
        (HttpVersion::V11, true, "HTTP/1.1", None),
        (HttpVersion::V10, false, "HTTP/1.0", Some("close")),
        (HttpVersion::V10, true, "HTTP/1.0", Some("keep-alive")),
    ] {
        let request = text(&Http { version, reuse, ..get() });
        assert!(request.lines().next().expect("a line").ends_with(first), "{request}");
        let line = request.lines().find_map(|line| line.strip_prefix("Connection: "));
        assert_eq!(line, connection, "{request}");
    }
}
