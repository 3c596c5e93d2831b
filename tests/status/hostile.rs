//! Clients that are stuck, slow, many or bad: runs go on, and whoever behaves is served.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::browse::{Site, connect};
use crate::harness::{patiently, pause};

/// Clients at a time.
const CLIENTS: usize = 256;

/// One rule that runs all the time, and thousands that only have to be told of.
fn many_rules() -> String {
    let idle: String = (0..5_000).map(|n| format!("idle{n} {{ test = x; status = disabled }}\n")).collect();
    format!("busy {{ test = \"tcp://127.0.0.1:1\"; interval = 10ms }}\n{idle}")
}

/// Runs of `busy` go on, none of them missed for this; and somebody who behaves is answered.
fn assert_all_is_well(site: &mut Site) {
    let mut talk = site.home.talk();
    let mut runs = || talk.stats()["runs"].as_u64().expect("a number");
    let before = runs();
    assert!(patiently(|| runs() >= before + 50), "no runs any more: {}", site.daemon.log());
    assert!(site.daemon.is_running());
    assert_eq!(site.get("/healthz").status, 200);
}

/// Writes what goes, of something that nobody may want to read.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

#[test]
fn clients_that_take_nothing_hold_up_nothing() {
    let mut site = Site::new("stuck", &many_rules());
    let mut stuck: Vec<TcpStream> = (0..100).map(|_| site.connect()).collect();
    for stream in &mut stuck {
        send(
            stream,
            b"GET /api/v1/status HTTP/1.1\r\nHost: gw\r\n\r\nGET /api/v1/events HTTP/1.1\r\nHost: gw\r\n\r\n",
        );
    }
    assert_all_is_well(&mut site);
    assert!(patiently(|| site.status()["stats"]["clients"].as_u64() < Some(5)), "{}", site.status()["stats"]);
}

#[test]
fn half_requests_give_way_to_whole_ones() {
    let mut site = Site::new("half", &many_rules());
    let mut half: Vec<TcpStream> = (0..CLIENTS).map(|_| site.connect()).collect();
    half.iter_mut().for_each(|stream| send(stream, b"GET / HTTP/1.1\r\nHost: g"));
    assert!(patiently(|| {
        let mut late = site.connect();
        send(&mut late, b"GET /healthz HTTP/1.0\r\n\r\n");
        let mut answer = String::new();
        late.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200 ")
    }));
    assert_all_is_well(&mut site);
}

#[test]
fn thousands_of_connections_are_bounded() {
    let mut site = Site::new("many-connections", &many_rules());
    for _ in 0..8 {
        let streams: Vec<TcpStream> =
            (0..400).filter_map(|_| TcpStream::connect(site.address).ok()).collect();
        assert!(patiently(|| site.daemon.descriptors() > CLIENTS), "they were let in");
        assert!(site.daemon.descriptors() < CLIENTS + 64, "{}", site.daemon.descriptors());
        drop(streams);
    }
    assert_all_is_well(&mut site);
}

#[test]
fn a_client_that_reads_a_byte_now_and_then_or_leaves_in_between_harms_nobody() {
    let mut site = Site::new("slow", &many_rules());
    for number in 0..60_u8 {
        let mut stream = connect(site.address);
        send(&mut stream, b"GET /api/v1/status HTTP/1.1\r\nHost: gw\r\n\r\n");
        match number % 3 {
            0 => drop(stream),
            1 => stream.shutdown(Shutdown::Both).expect("it was connected"),
            _ => {
                assert_eq!(stream.read(&mut [0]).expect("a byte"), 1);
            }
        }
    }
    assert_all_is_well(&mut site);
}

#[test]
fn garbage_ends_its_own_connection_alone() {
    let mut site = Site::new("garbage", &many_rules());
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..200 {
        let garbage: Vec<u8> = (0..300)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect();
        let mut stream = connect(site.address);
        send(&mut stream, &garbage);
        send(&mut stream, b"\r\n\r\n");
        let mut answer = Vec::new();
        // Reset, or told so: but over.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{garbage:?}");
    }
    assert_all_is_well(&mut site);
}

/// How often the process has gone to sleep (proc_pid_status(5)).
fn sleeps(site: &Site) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", site.daemon.pid())).expect("it runs");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("a number")
}

#[test]
fn clients_that_say_and_take_nothing_do_not_keep_it_awake() {
    let site = Site::new("asleep", "a { test = \"true\"; interval = 1h }\n");
    for (what, request, is_half_closed) in [
        ("nothing", "", false),
        ("half a head", "GET / HTTP/1.1\r\nHost: g", false),
        ("listeners", "GET /api/v1/events HTTP/1.1\r\nHost: gw\r\n\r\n", false),
        ("listeners that have said all", "GET /api/v1/events HTTP/1.1\r\nHost: gw\r\n\r\n", true),
    ] {
        let mut clients: Vec<TcpStream> = (0..50).map(|_| site.connect()).collect();
        for stream in &mut clients {
            send(stream, request.as_bytes());
            if is_half_closed {
                stream.shutdown(Shutdown::Write).expect("it is connected");
            }
        }
        assert!(patiently(|| site.status()["stats"]["clients"] == 51), "{what}");
        let before = sleeps(&site);
        // What is measured is how often, not how soon.
        pause(Duration::from_secs(2));
        let slept = sleeps(&site) - before;
        assert!(slept < 500, "{what}: it woke {slept} times for nothing");
    }
}

#[test]
fn those_who_listen_for_ever_do_not_keep_others_out() {
    let mut site = Site::new("listeners", &many_rules());
    let mut listeners: Vec<TcpStream> = (0..CLIENTS - 1).map(|_| site.connect()).collect();
    for stream in &mut listeners {
        send(stream, b"GET /api/v1/events HTTP/1.1\r\nHost: gw\r\n\r\n");
    }
    let answers: Vec<String> = listeners
        .iter_mut()
        .map(|stream| {
            let mut head = [0; 12];
            stream.read_exact(&mut head).expect("an answer");
            String::from_utf8_lossy(&head).into_owned()
        })
        .collect();
    assert_eq!(answers.iter().filter(|answer| *answer == "HTTP/1.1 200").count(), 192);
    assert_eq!(answers.iter().filter(|answer| *answer == "HTTP/1.1 503").count(), CLIENTS - 1 - 192);
    assert_all_is_well(&mut site);
}
