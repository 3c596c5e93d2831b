//! The probe as rules have it: https, from the first byte that it says to its verdict.

use std::time::{Duration, Instant};

use hfm::probe::{Compiler, Conversation, Plan, Step};
use hfm::rule::{Http, HttpVersion, Network, Page, Patterns, Peer, Probe, Service, Tls, TlsVersion};
use hfm::verdict::Verdict;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConnection, SupportedProtocolVersion};

use crate::server::{House, NAME, Tickets, now, turn};
use crate::{WARM_UP, quantiles};

/// A rule that asks for a page over TLS.
pub(crate) fn https(tls: Tls) -> Probe {
    let http = Http {
        method: "GET".into(),
        version: HttpVersion::V11,
        headers: Vec::new(),
        body: None,
        status: vec![200..=399],
        expect_header: Vec::new(),
        reject_header: Vec::new(),
        patterns: Patterns::default(),
        reuse: false,
    };
    Probe {
        url: "bench".into(),
        peer: Peer::Name(NAME.into(), 443),
        network: Network::default().into(),
        timeout: Duration::from_secs(1),
        service: Service::Http(Page::new(NAME, "/"), http.into()),
        tls: Some(tls.into()),
    }
}

/// What it asks of TLS.
pub(crate) fn tls() -> Tls {
    Tls {
        verify: true,
        name: NAME.into(),
        ca: Some("root.pem".into()),
        alpn: vec!["http/1.1".into()],
        min: TlsVersion::V12,
        client: None,
        expiry: Duration::ZERO,
        resume: false,
        contents: 0,
    }
}

/// Whether the chain was met before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    New,
    Known,
}

/// The table of kinds of runs, or one of them.
pub(crate) fn kinds(house: &House, runs: usize, only: Option<&str>) {
    let kinds: [(&str, &'static SupportedProtocolVersion, Tls, Chain, Tickets); 8] = [
        ("new-chain", &TLS13, tls(), Chain::New, Tickets::None),
        ("full", &TLS13, tls(), Chain::Known, Tickets::None),
        ("full-with-tickets", &TLS13, tls(), Chain::Known, Tickets::Two),
        ("unverified", &TLS13, Tls { verify: false, ..tls() }, Chain::Known, Tickets::None),
        ("resumed", &TLS13, Tls { resume: true, ..tls() }, Chain::Known, Tickets::Two),
        ("new-chain-1.2", &TLS12, tls(), Chain::New, Tickets::None),
        ("full-1.2", &TLS12, tls(), Chain::Known, Tickets::None),
        ("resumed-1.2", &TLS12, Tls { resume: true, ..tls() }, Chain::Known, Tickets::Two),
    ];
    assert!(
        only.is_none_or(|only| kinds.iter().any(|kind| kind.0 == only)),
        "there are {}",
        kinds.map(|kind| kind.0).join(", ")
    );
    println!("{:20} {:>9} {:>9}   an https run of hfm, us of the probe's own", "run", "p10", "median");
    for (name, version, tls, chain, tickets) in kinds {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let config = house.config(version, tickets);
        let probe = https(tls);
        let compile = || {
            let mut compiler = Compiler::default();
            compiler.clock().set(now().wall);
            compiler.compile(&probe, &mut &*house).expect("a good probe")
        };
        let mut plan = compile();
        let mut conversation = Conversation::new(&plan, now().mono);
        let mut times = Vec::with_capacity(runs);
        for run in 0..WARM_UP + runs {
            if chain == Chain::New {
                // One that has met nobody.
                plan = compile();
            }
            let server = ServerConnection::new(config.clone()).expect("a good configuration");
            let took = one(&plan, &mut conversation, server);
            if run >= WARM_UP {
                times.push(took);
            }
        }
        let (low, median) = quantiles(&mut times);
        println!("{name:20} {low:9.1} {median:9.1}");
    }
}

/// One run against this server: how long the probe itself took.
pub(crate) fn one(plan: &Plan, conversation: &mut Conversation, mut server: ServerConnection) -> Duration {
    let (mut out, mut wire, mut took) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut verdict = None;
    let now = now();
    loop {
        let begun = Instant::now();
        let step = if wire.is_empty() {
            bench_begin_turn(plan, conversation, &mut out, now)
        } else {
            bench_turn(plan, conversation, &wire, &mut out, now)
        };
        took += begun.elapsed();
        wire.clear();
        if let Step::Done(done) = step {
            verdict = Some(done);
        } else {
            turn(&mut server, &mut out, &mut wire);
        }
        if verdict.is_some() || wire.is_empty() {
            break;
        }
    }
    assert_eq!(verdict, Some(Verdict::Success), "the server is in order");
    let begun = Instant::now();
    conversation.release();
    took + begun.elapsed()
}

#[inline(never)]
fn bench_begin_turn(
    plan: &Plan,
    conversation: &mut Conversation,
    out: &mut Vec<u8>,
    now: hfm::now::Now,
) -> Step {
    conversation.begin(true, now.mono);
    conversation.connected(plan, None, out, now)
}

#[inline(never)]
fn bench_turn(
    plan: &Plan,
    conversation: &mut Conversation,
    wire: &[u8],
    out: &mut Vec<u8>,
    now: hfm::now::Now,
) -> Step {
    conversation.bytes(plan, wire, out, now)
}
