//! In steady state a run over TCP, and one over HTTP, allocates nothing: the machines keep what they need
//! from run to run. And whatever comes, a machine holds no more memory than its bounds say.
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant, SystemTime};

use hfm::engine::{Engine, Event, Output};
use hfm::now::Now;
use hfm::probe::{Compiler, Conversation, Files, Plan, Step};
use hfm::rule::{
    Dialogue, HealthSettings, Http, HttpVersion, Network, Page, Patterns, Peer, Probe, Rule, Service, Shared,
    Status, Terms, Test,
};
use hfm::verdict::{Measured, Verdict};

#[path = "support/counting.rs"]
mod counting;
#[path = "allocations/tls.rs"]
mod tls;
use counting::{COUNT, LIVE_BYTES};

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _path: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none".to_owned())
    }
}

fn probe(service: Service) -> Probe {
    Probe {
        url: "under test".into(),
        peer: Peer::Address(IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
        network: Network::default().into(),
        timeout: Duration::from_secs(1),
        service,
        tls: None,
    }
}

fn plan(service: Service) -> Plan {
    Compiler::default().compile(&probe(service), &mut NoFiles).expect("it compiles")
}

fn rule() -> Rule {
    Rule {
        name: "rule".into(),
        test: Test::Probe(probe(Service::Dialogue(Dialogue::default().into())).into()),
        placement: Shared::default(),
        terms: Terms {
            status: Status::Enabled,
            start_delay: None,
            runs: None,
            interval: Duration::from_secs(1),
            interval_fail: Duration::from_secs(1),
            interval_debounce: None,
            spread: true,
            health: HealthSettings::default(),
            requires: Vec::new(),
            guard: Vec::new(),
            change_success: None,
            change_fail: None,
            change_timeout: None,
            demote: None,
        }
        .into(),
    }
}

fn http(patterns: Patterns, reuse: bool) -> Service {
    let http = Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns,
        reuse,
    };
    Service::Http(Page::new("h", "/"), http.into())
}

#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing")]
fn now() -> Now {
    Now { mono: Instant::now(), wall: SystemTime::UNIX_EPOCH }
}

/// Allocations of many runs, each with an answer in these pieces, after some that warm up.
fn allocations(plan: &Plan, pieces: &[&[u8]], again: bool) -> u64 {
    let now = now();
    let mut conversation = Conversation::new(plan, now.mono);
    let mut out = Vec::new();
    let mut run = |is_first: bool| {
        out.clear();
        let mut step = if again && !is_first {
            assert!(conversation.can_serve_again());
            conversation.begin_again(plan, &mut out, now.mono)
        } else {
            conversation.begin(true, now.mono);
            conversation.connected(plan, None, &mut out, now)
        };
        for piece in pieces {
            let next = conversation.bytes(plan, piece, &mut out, now);
            step = if step == Step::Continue { next } else { step };
        }
        assert_eq!(step, Step::Done(Verdict::Success));
    };
    for number in 0..10 {
        run(number == 0);
    }
    let before = COUNT.with(Cell::get);
    for _ in 0..1000 {
        run(false);
    }
    COUNT.with(Cell::get) - before
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nready";
const CHUNKS: &[&[u8]] =
    &[b"HTTP/1.1 200 OK\r\nTransfer-Enc", b"oding: chunked\r\n\r\n5\r\nre", b"ady\r\n0\r\n\r\n"];

#[test]
fn the_allocator_counts() {
    let (before, live) = (COUNT.with(Cell::get), LIVE_BYTES.with(Cell::get));
    let some = std::hint::black_box(vec![0_u8; 100]);
    assert_eq!((COUNT.with(Cell::get) - before, LIVE_BYTES.with(Cell::get) - live), (1, 100));
    drop(some);
    assert_eq!((COUNT.with(Cell::get) - before, LIVE_BYTES.with(Cell::get) - live), (1, 0));
}

#[test]
fn a_bare_connection_allocates_nothing() {
    assert_eq!(allocations(&plan(Service::Dialogue(Dialogue::default().into())), &[], false), 0);
}

#[test]
fn an_exchange_of_http_allocates_nothing() {
    let expects = || Patterns { expect: vec!["ready".into()], ..Patterns::default() };
    for patterns in [Patterns::default, expects] {
        for pieces in [&[ANSWER][..], CHUNKS] {
            assert_eq!(allocations(&plan(http(patterns(), false)), pieces, false), 0);
            assert_eq!(allocations(&plan(http(patterns(), true)), pieces, true), 0);
        }
    }
}

#[test]
fn a_dialogue_allocates_nothing() {
    let patterns = Patterns { expect: vec!["PONG".into()], ..Patterns::default() };
    let dialogue = Dialogue { send: b"PING\r\n".as_slice().into(), steps: Vec::new(), patterns };
    assert_eq!(allocations(&plan(Service::Dialogue(dialogue.into())), &[b"+PO", b"NG\r\n"], false), 0);
}

#[test]
fn the_engine_allocates_nothing_for_a_run_that_changes_nothing() {
    let Now { mono, wall } = now();
    let mut engine = Engine::new((0..100).map(|_| rule()).collect(), Now { mono, wall });
    let mut second = |number: u64| {
        for millisecond in 0..1000 {
            let mono = mono + Duration::from_secs(number) + Duration::from_millis(millisecond);
            let at = Now { mono, wall };
            engine.turn_begins(mono);
            engine.handle_timeout(at);
            while let Some(output) = engine.poll_output() {
                if let Output::StartTest { run } = output {
                    engine.handle_event(Event::Started { run, at: mono }, at);
                    let (verdict, measured) = (Verdict::Success, Measured::default());
                    engine.handle_event(Event::Concluded { run, at: mono, verdict, measured }, at);
                }
            }
            engine.turn_ends(mono);
        }
    };
    (0..5).for_each(&mut second);
    let before = COUNT.with(Cell::get);
    (5..20).for_each(&mut second);
    assert_eq!(COUNT.with(Cell::get) - before, 0);
    assert_eq!(engine.counters().runs, 2000);
}

/// A piece as large as the loop ever reads one.
const PIECE_BYTES: usize = 64 * 1024;
/// What a machine may hold beside the reply: its heads, and the piece that an end of a head came in.
const BESIDE: usize = 4 * PIECE_BYTES;

/// Pours until the verdict or 8 MiB, and says how much memory the machine held at most behind a piece.
fn pour(service: Service, head: &[u8], piece: &[u8]) -> usize {
    let (plan, now) = (plan(service), now());
    let mut out = Vec::with_capacity(1024);
    let mut machine = Conversation::new(&plan, now.mono);
    let units = PIECE_BYTES / piece.len();
    let first = [head, &piece.repeat(units / 2)].concat();
    let piece = piece.repeat(units);
    let before = LIVE_BYTES.with(Cell::get);
    let held = || usize::try_from(LIVE_BYTES.with(Cell::get) - before).unwrap_or_default();
    let mut most = 0;
    machine.begin(true, now.mono);
    let mut step = machine.connected(&plan, None, &mut out, now);
    for number in 0..8 * 1024 * 1024 / PIECE_BYTES {
        if step != Step::Continue && !plan.reuses() {
            break;
        }
        step = machine.bytes(&plan, if number == 0 { &first } else { &piece }, &mut out, now);
        most = most.max(held());
    }
    drop(step);
    machine.begin(true, now.mono);
    assert!(held() <= 4 * 8 * 1024, "{} bytes are kept for the next run", held());
    most
}

#[test]
fn a_machine_holds_no_more_than_max_body_and_a_constant() {
    for bytes_max in [16, 5_000, 65_536, 1_000_000] {
        let patterns = || Patterns { expect: vec!["not there".into()], bytes_max, ..Patterns::default() };
        let http = |reuse| http(patterns(), reuse);
        let dialogue = Service::Dialogue(Dialogue { patterns: patterns(), ..Dialogue::default() }.into());
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (what, service, head, piece) in [
            ("dialogue", dialogue, &b""[..], &b"x"[..]),
            ("until close", http(false), b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
            ("length", http(true), b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b"x"),
            ("chunks", http(true), chunked, b"6;ext\r\nabcdef\r\n"),
            ("chunks of one", http(true), chunked, b"0001\r\nx\r\n"),
            ("head", http(false), b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
            ("a line", http(false), b"HTTP/1.1 200 ", b"x"),
            ("interim", http(false), b"", b"HTTP/1.1 103 ?\r\n\r\n"),
        ] {
            let held = pour(service, head, piece);
            println!("{what:14} with max_body {bytes_max:8} held {held:8}");
            assert!(held <= bytes_max + BESIDE, "{what} with max_body {bytes_max} held {held}");
        }
    }
}
