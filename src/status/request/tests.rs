use super::*;

fn ask(head: &str) -> Result<Asked, u16> {
    match read(head.as_bytes(), Hosts::Own("gw1.example.net")) {
        Read::Whole(_, Ok(asked)) => Ok(asked),
        Read::Whole(_, Err(refusal)) => Err(refusal.status),
        Read::Partial => panic!("{head:?} is whole"),
    }
}

fn got(line: &str, headers: &str) -> Result<Asked, u16> {
    ask(&format!("{line} HTTP/1.1\r\nHost: gw\r\n{headers}\r\n"))
}

fn resource(target: &str) -> Result<Resource, u16> {
    got(&format!("GET {target}"), "").map(|asked| asked.resource)
}

#[test]
fn what_there_is_can_be_had() {
    for (target, there) in [
        ("/", Resource::Page),
        ("/?theme=dark", Resource::Page),
        ("/healthz", Resource::Health),
        ("/metrics", Resource::Metrics),
        ("/api/v1/status", Resource::Status),
        ("/api/v1/events", Resource::Events { after: None }),
        ("/api/v1/events?", Resource::Events { after: None }),
        ("/api/v1/events?after=17", Resource::Events { after: Some(17) }),
        ("http://gw:9090/healthz", Resource::Health),
        ("HTTP://gw", Resource::Page),
        ("http://gw?theme=dark", Resource::Page),
        ("http://gw:9090/api/v1/events?after=17", Resource::Events { after: Some(17) }),
    ] {
        assert_eq!(resource(target), Ok(there), "{target}");
    }
}

#[test]
fn paths_are_compared_and_never_walked() {
    for target in [
        "/index.html",
        "//",
        "/../etc/passwd",
        "/./",
        "/%2e%2e/etc/passwd",
        "/api/v1/status/",
        "/API/v1/status",
        "/api/v1/../v1/status",
        "/healthz%00",
        "/metrics;x",
        "/favicon.ico",
    ] {
        assert_eq!(resource(target), Err(404), "{target}");
    }
    assert_eq!(resource("metrics"), Err(400));
    assert_eq!(resource("*"), Err(400));
    for target in
        ["https://gw/", "http:///healthz", "http://:9090/", "http://gw@127.0.0.1/", "http://", "?", ""]
    {
        assert_eq!(resource(target), Err(400), "{target:?}");
    }
    for query in
        ["after=", "after=-1", "after=+1", "after=1x", "before=1", "after=99999999999999999999", "after=1&x"]
    {
        assert_eq!(resource(&format!("/api/v1/events?{query}")), Err(400), "{query}");
    }
}

#[test]
fn what_a_client_has_seen_counts_before_where_it_began() {
    let head = got("GET /api/v1/events?after=3", "Last-Event-ID: 99\r\n");
    assert_eq!(head.map(|asked| asked.resource), Ok(Resource::Events { after: Some(99) }));
    let odd = got("GET /api/v1/events?after=3", "Last-Event-ID: ninety\r\n");
    assert_eq!(odd.map(|asked| asked.resource), Ok(Resource::Events { after: Some(3) }));
}

#[test]
fn the_host_of_a_target_counts_instead_of_the_one_beside_it() {
    let status = |target: &str, host: &str| {
        ask(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).map(|asked| asked.resource)
    };
    for target in [
        "http://evil.example/",
        "HTTP://evil.example:9090/healthz",
        "http://evil.example",
        "http://evil.example?",
    ] {
        assert_eq!(status(target, "gw"), Err(421), "{target}");
        assert_eq!(ask(&format!("GET {target} HTTP/1.0\r\n\r\n")), Err(421), "{target}");
    }
    for target in ["http://gw/", "http://127.0.0.1:9090/", "http://[::1]:9090/", "http://gw1.example.net/"] {
        assert_eq!(status(target, "evil.example"), Ok(Resource::Page), "{target}");
    }
    assert_eq!(status("/", "evil.example"), Err(421));
    assert_eq!(ask("GET http://gw/ HTTP/1.1\r\n\r\n"), Err(400), "no host beside it");
}

#[test]
fn nothing_but_get_and_head_is_served() {
    assert_eq!(got("HEAD /", "").map(|asked| asked.method), Ok(Method::Head));
    for method in OTHER_METHODS {
        assert_eq!(got(&format!("{method} /"), ""), Err(405), "{method}");
    }
    for method in ["get", "BREW", "GETS"] {
        assert_eq!(got(&format!("{method} /"), ""), Err(501), "{method}");
    }
}

#[test]
fn bodies_are_refused_however_they_are_announced() {
    for (headers, status) in [
        ("Content-Length: 5\r\n", 413),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", 400),
        ("Content-Length: 0, 5\r\n", 400),
        ("Content-Length: +0\r\n", 400),
        ("Content-Length: 0x0\r\n", 400),
        ("Content-Length: -1\r\n", 400),
        ("Transfer-Encoding: chunked\r\n", 501),
        ("transfer-encoding: identity\r\nContent-Length: 0\r\n", 501),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Transfer-Encoding\r\n", 400),
        ("Host: other\r\n", 400),
        (" folded: header\r\n", 400),
        ("X: a\0b\r\n", 400),
    ] {
        assert_eq!(got("GET /", headers), Err(status), "{headers:?}");
    }
    assert!(got("GET /", "Content-Length: 0\r\n").is_ok());
    assert_eq!(ask("GET / HTTP/1.1\r\n\r\n"), Err(400), "no host");
    assert!(ask("GET / HTTP/1.0\r\n\r\n").is_ok());
}

#[test]
fn a_connection_stays_as_the_version_says() {
    let keeps = |version: &str, headers: &str| {
        ask(&format!("GET / HTTP/{version}\r\nHost: gw\r\n{headers}\r\n")).map(|asked| asked.keeps)
    };
    assert_eq!(keeps("1.1", ""), Ok(true));
    assert_eq!(keeps("1.1", "Connection: close\r\n"), Ok(false));
    assert_eq!(keeps("1.1", "Connection: x , CLOSE\r\n"), Ok(false));
    assert_eq!(keeps("1.0", ""), Ok(false));
    assert_eq!(keeps("1.0", "Connection: Keep-Alive\r\n"), Ok(true));
    for head in
        ["GET / HTTP/2.0\r\nHost: gw\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"]
    {
        assert_eq!(ask(head), Err(505), "{head:?}");
    }
    assert_eq!(ask("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n"), Err(400), "TLS");
}

#[test]
fn heads_have_an_end() {
    let endless = format!("GET /{}", "a".repeat(HEAD_BYTES_MAX));
    assert_eq!(ask(&endless), Err(414));
    assert_eq!(ask(&format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(HEAD_BYTES_MAX))), Err(431));
    assert_eq!(got(&format!("GET /{}", "a".repeat(TARGET_BYTES_MAX)), ""), Err(414));
    assert_eq!(got("GET /", &"X: y\r\n".repeat(HEADERS_MAX + 1)), Err(431));
    let whole = b"GET / HTTP/1.1\r\nHost: gw\r\n\r\nGET /metrics";
    assert!(matches!(read(whole, Hosts::Any), Read::Whole(28, Ok(_))));
    for length in 0..28 {
        assert_eq!(read(&whole[..length], Hosts::Any), Read::Partial, "{length}");
    }
}
