//! Events as they happen, over HTTP.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::browse::Site;
use crate::harness::patiently;

const RULES: &str =
    "dataplane = memory; interval = 1h\na { test = \"true\" }\nb { test = \"true\"; status = disabled }\n";

/// One who listens.
struct Listener(BufReader<TcpStream>);

/// What was told: the number, the kind, and the data.
#[derive(Debug)]
struct Told {
    id: Option<u64>,
    kind: String,
    data: Value,
}

impl Listener {
    fn new(site: &Site, target: &str, header: &str) -> Self {
        let mut stream = site.connect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: gw\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut from = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(from.read_line(&mut head).expect("a head") > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
        Self(from)
    }

    fn next(&mut self) -> Told {
        let mut told = Told { id: None, kind: "message".to_owned(), data: Value::Null };
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("an event") > 0, "it has ended");
            match line.trim_end_matches('\n').split_once(": ") {
                None if line == "\n" && !told.data.is_null() => return told,
                None => {}
                Some(("id", id)) => told.id = id.parse().ok(),
                Some(("event", kind)) => kind.clone_into(&mut told.kind),
                Some(("data", data)) => told.data = serde_json::from_str(data).expect("JSON"),
                Some(other) => panic!("{other:?}"),
            }
        }
    }

    fn until(&mut self, event: &str) -> Told {
        loop {
            let told = self.next();
            if told.data["event"] == event {
                return told;
            }
        }
    }
}

#[test]
fn who_listens_hears_what_happens_from_then_on_and_who_that_is() {
    let site = Site::new("listen", RULES);
    assert!(patiently(|| site.status()["counts"]["up"] == 1));
    let mut listener = Listener::new(&site, "/api/v1/events", "");
    let hello = listener.next();
    assert_eq!((hello.kind.as_str(), &hello.data["pid"]), ("hello", &site.daemon.pid().into()));
    assert_eq!(hello.data["started"], site.status()["hfm"]["started"]);
    assert_eq!(site.home.talk().ask("{\"command\":\"drain\",\"rules\":\"a\",\"reason\":\"<b>\"}").len(), 2);
    let set = listener.until("override-set");
    assert_eq!((&set.data["rule"], &set.data["reason"]), (&"a".into(), &"<b>".into()));
    let change = listener.until("change");
    assert_eq!((&change.data["rule"], &change.data["state"]), (&"a".into(), &"fail".into()));
    assert!(change.id > set.id);
}

#[test]
fn nothing_is_lost_between_the_status_and_the_events_behind_it() {
    let site = Site::new("after", RULES);
    assert!(patiently(|| site.status()["counts"]["up"] == 1));
    let seen = site.status()["event"].as_u64().expect("a number");
    let mut talk = site.home.talk();
    talk.ask("{\"command\":\"drain\",\"rules\":\"a\"}");
    talk.ask("{\"command\":\"enable\",\"rules\":\"a\"}");
    for (target, header) in [
        (format!("/api/v1/events?after={seen}"), String::new()),
        ("/api/v1/events?after=0".to_owned(), format!("Last-Event-ID: {seen}\r\n")),
    ] {
        let mut listener = Listener::new(&site, &target, &header);
        assert_eq!(listener.next().kind, "hello");
        let first = listener.next();
        assert_eq!((first.id, &first.data["event"]), (Some(seen + 1), &"override-set".into()));
        listener.until("override-cleared");
    }
}

#[test]
fn what_is_not_kept_any_more_is_counted() {
    let site = Site::new("missed", RULES);
    let mut talk = site.home.talk();
    for _ in 0..300 {
        talk.ask("{\"command\":\"disable\",\"rules\":\"b\"}");
        talk.ask("{\"command\":\"enable\",\"rules\":\"b\"}");
    }
    assert!(patiently(|| site.status()["event"].as_u64() >= Some(600)));
    let mut listener = Listener::new(&site, "/api/v1/events?after=1", "");
    assert_eq!(listener.next().kind, "hello");
    let missed = listener.next();
    let count = missed.data["count"].as_u64().expect("a number");
    assert_eq!((missed.kind.as_str(), missed.id), ("missed", Some(count + 1)));
    assert_eq!(listener.next().id, Some(count + 2));
}

#[test]
fn who_asks_for_what_happened_while_it_was_served_nowhere_is_told_so() {
    let mut site = Site::new("nowhere", RULES);
    assert!(patiently(|| site.status()["counts"]["up"] == 1));
    let seen = site.status()["event"].as_u64().expect("a number");
    let mut talk = site.home.talk();
    let listen = format!("listen = \"{}\"\n{RULES}", site.address);
    for (times, text) in [(1, RULES), (2, listen.as_str())] {
        site.home.0.write("hfm.conf", &site.home.configuration(text));
        site.daemon.signal(Signal::SIGHUP);
        site.daemon.wait_for("reloaded", times);
        talk.ask("{\"command\":\"drain\",\"rules\":\"a\"}");
        talk.ask("{\"command\":\"enable\",\"rules\":\"a\"}");
    }
    let mut listener = Listener::new(&site, &format!("/api/v1/events?after={seen}"), "");
    assert_eq!(listener.next().kind, "hello");
    let told: Vec<Told> = std::iter::repeat_with(|| listener.next())
        .take_while(|told| told.data["event"] != "override-cleared")
        .collect();
    let missed = told.iter().find(|told| told.kind == "missed").expect("it is told");
    assert!(missed.data["count"].as_u64() >= Some(1), "{missed:?}");
    let drains = told.iter().filter(|told| told.data["event"] == "override-set").count();
    assert_eq!(drains, 1, "that of before it was back was told nowhere: {told:?}");
    // Once is enough.
    let mut listener = Listener::new(&site, &format!("/api/v1/events?after={}", missed.id.unwrap_or(0)), "");
    assert_eq!(listener.next().kind, "hello");
    assert_eq!(listener.next().kind, "message");
}
