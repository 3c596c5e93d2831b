//! A client of the status page as anybody may write it, and what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Daemon, patiently};
use crate::talk::Home;

/// An hfm with a status page at an address of its own.
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) address: SocketAddr,
    pub(crate) daemon: Daemon,
}

/// An address on loopback that no other test has.
pub(crate) fn own_address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [low, high, ..] = std::process::id().to_le_bytes();
    (Ipv4Addr::new(127, 1 + high % 250, low, NEXT.fetch_add(1, Ordering::Relaxed)), 9090).into()
}

impl Site {
    pub(crate) fn new(test: &str, rules: &str) -> Self {
        Self::at(test, own_address(), rules)
    }

    pub(crate) fn at(test: &str, address: SocketAddr, rules: &str) -> Self {
        let home = Home::new(test);
        let daemon = home.start(&format!("listen = \"{address}\"\n{rules}"));
        Self { home, address, daemon }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// One request on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Answer {
        ask(self.connect(), &format!("GET {target} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n"))
    }

    pub(crate) fn status(&self) -> Value {
        self.get("/api/v1/status").json()
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = None;
    assert!(patiently(|| {
        stream = TcpStream::connect(address).ok();
        stream.is_some()
    }));
    let stream = stream.expect("just seen");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    stream
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Sends this, and reads one answer.
pub(crate) fn ask(mut stream: TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).expect("it reads");
    read_answer(&mut BufReader::new(stream)).expect("an answer")
}

/// Reads one answer with its body; `None` when the connection has ended before it.
pub(crate) fn read_answer(from: &mut impl BufRead) -> Option<Answer> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let head = head.to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|of| of.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).ok()?;
    Some(Answer { status, head, body })
}

const RULES: &str = "dataplane = memory; interval = 100ms; timeout = 90ms\n\
    up { test = \"unix:///nowhere\"; status = always-success; tables = web; addresses = \"192.0.2.1\" }\n";

#[test]
fn rules_and_tables_are_told_with_all_their_members() {
    let address = own_address();
    let rules = format!(
        "dataplane = memory; interval = 50ms; timeout = 40ms; tables = \"web\"; min_up = 1\n\
         lb {{ up {{ test = \"tcp://{address}\" }}; down {{ test = \"tcp://127.0.0.2:1\" }} }}\n"
    );
    let site = Site::at("browse", address, &rules);
    assert!(patiently(|| site.status()["counts"]["down"] == 1));
    let status = site.status();
    assert_eq!(status["counts"]["up"], 1, "{status}");
    assert_eq!(status["hfm"]["pid"], site.daemon.pid());
    assert_eq!(status["hfm"]["dataplane"], "memory");
    assert_eq!(status["health"], serde_json::json!([]));
    let rules = status["rules"].as_array().expect("a list");
    let down = rules.iter().find(|rule| rule["rule"] == "lb/down").expect("it is there");
    for (member, value) in
        [("state", "fail"), ("verdict", "failure"), ("reason", "refused"), ("test", "tcp://127.0.0.2:1")]
    {
        assert_eq!(down[member], value, "{down}");
    }
    for member in ["blame", "ended", "override", "certificate_days"] {
        assert!(down.get(member).is_some_and(Value::is_null), "{member}: {down}");
    }
    let table = &status["tables"][0];
    assert_eq!((&table["table"], &table["wanted"], &table["managed"]), (&"web".into(), &1.into(), &2.into()));
    assert_eq!(table["addresses"].as_array().map(Vec::len), Some(2), "{table}");
    assert!(status["stats"]["runs"].as_u64() > Some(0));
}

#[test]
fn a_test_that_cannot_be_started_is_told_with_what_the_system_says() {
    let site = Site::new("nosuch", "gone { test = \"/nonexistent/test\" }\nbusy { test = \"true\" }\n");
    assert!(patiently(|| site.status()["rules"][0]["ended"] == "cannot-start"));
    let status = site.status();
    assert_eq!(status["rules"][0]["detail"], "/nonexistent/test: No such file or directory", "{status}");
}

#[test]
fn a_dry_run_is_told_of_all_that_is_not_written() {
    let site = Site::new("dry", &format!("dry_run = yes; {RULES}"));
    assert!(patiently(|| site.status()["tables"][0]["actual"] == 1));
    let status = site.status();
    for of in [&status["hfm"], &status["stats"], &status["tables"][0]] {
        assert_eq!(of["dry_run"], true, "{of}");
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let site = Site::new("keep", RULES);
    let mut stream = site.connect();
    let several = "GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\nHEAD / HTTP/1.1\r\nHost: gw\r\n\r\nGET /nothing HTTP/1.1\r\nHost: gw\r\n\r\nGET /api/v1/status HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n";
    stream.write_all(several.as_bytes()).expect("it reads");
    let mut from = BufReader::new(stream);
    let first = read_answer(&mut from).expect("an answer");
    assert_eq!((first.status, first.text().as_str()), (200, "ok\n"));
    // The answer to HEAD has a length and nothing of it.
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        from.read_line(&mut head).expect("a head");
    }
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: "), "{head}");
    assert_eq!(read_answer(&mut from).expect("an answer").status, 404);
    let last = read_answer(&mut from).expect("an answer");
    assert_eq!(last.json()["rules"][0]["rule"], "up");
    assert_eq!(last.header("connection"), Some("close"));
    assert_eq!(from.read(&mut [0]).expect("an end"), 0);
}

#[test]
fn the_page_is_whole_in_itself_and_may_fetch_nothing_else() {
    let site = Site::new("page", RULES);
    let page = site.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let text = page.text();
    for outside in ["src=\"http", "href=\"http", "//cdn", "@import", "url(http"] {
        assert!(!text.contains(outside), "{outside}");
    }
}

#[test]
fn ten_thousand_rules_are_told_whole_to_many_at_once() {
    let rules: String = (0..10_000).map(|n| format!("idle{n} {{ test = x; status = disabled }}\n")).collect();
    let site = Site::new("many", &format!("busy {{ test = \"true\"; interval = 1h }}\n{rules}"));
    let ask = || {
        let mut stream = site.connect();
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: gw\r\n\r\n").expect("it reads");
        BufReader::new(stream)
    };
    let mut clients: Vec<_> = (0..20).map(|_| ask()).collect();
    for client in &mut clients {
        let status = read_answer(client).expect("an answer").json();
        let rules = status["rules"].as_array().expect("a list");
        assert_eq!((rules.len(), &rules[10_000]["rule"]), (10_001, &"idle9999".into()));
    }
}

#[test]
fn over_ipv6_too() {
    // No two tests have this one.
    let address = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 9391));
    let site = Site::at("v6", address, RULES);
    assert_eq!(site.get("/healthz").status, 200);
}
