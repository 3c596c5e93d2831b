use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use super::screen::Form;
use super::{Arguments, Demo, Memory, NAME};
use crate::config;
use crate::engine::Change;
use crate::health::State;
use crate::reactor::{self, Seen};
use crate::rule::{Peer, Prefix, Rule, RuleId, RunId, Test};
use crate::verdict::{Cause, Verdict};
use crate::writer::Written;

/// What the demo's configuration means.
fn rules(files: &Memory) -> Vec<Rule> {
    let loaded = config::load(NAME, &mut files.clone(), &mut files.clone())
        .unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(loaded.warnings.to_string(), "");
    assert_eq!(loaded.configuration.tables.len(), 1);
    loaded.configuration.rules
}

/// Where the page would be served.
const LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9090));

#[test]
fn the_configuration_is_what_it_says() {
    let now = reactor::now();
    let demo = Demo::new(&Arguments::default(), LISTEN, Form::Plain, Vec::new(), now).unwrap();
    let rules = rules(&demo.files());
    assert_eq!(rules.len(), demo.backends.len());
    for (number, (rule, backend)) in rules.iter().zip(&demo.backends).enumerate() {
        assert_eq!(*rule.name, *format!("web{}", number + 1));
        assert_eq!(rule.interval, Duration::from_millis(100));
        let Test::Probe(probe) = &rule.test else { panic!("{rule:?}") };
        assert_eq!(probe.timeout, Duration::from_millis(80));
        assert_eq!(probe.peer, Peer::Address(backend.address().ip(), backend.address().port()));
        let tls = probe.tls.as_ref().unwrap();
        assert_eq!(*tls.name, *backend.name());
    }
    let text = demo.configuration();
    assert!(text.lines().all(|line| line.chars().count() <= 76), "{text}");
    assert!(text.contains("addresses = \"192.0.2.3\""), "{text}");
}

#[test]
fn the_script_is_played_and_told() {
    let now = reactor::now();
    let arguments = Arguments { duration: Some(Duration::from_secs(4)), listen: None };
    let mut demo = Demo::new(&arguments, LISTEN, Form::Plain, Vec::new(), now).unwrap();
    let start = now.mono;
    let ms = Duration::from_millis;
    demo.begin(start);
    let addresses: Vec<_> = (0..3).map(super::configuration::address).collect();
    let written = |added: &[Prefix], removed: &[Prefix], at| {
        let (added, removed) = (added.to_vec(), removed.to_vec());
        Seen::Written(Written { table: 0, added, removed, at: start + ms(at) })
    };
    demo.seen(&written(&addresses, &[], 90));
    let mut at = start;
    let mut turns = 0;
    while !demo.is_over(at) {
        demo.handle_timeout(at).unwrap();
        let next = demo.deadline();
        assert!(next > at, "it waits");
        if at < start + ms(1_600) && next >= start + ms(1_600) {
            // The first one refuses; real backends break by the real clock, so that this comes at once.
            let change = Change {
                run: RunId { rule: RuleId(0), run: 7 },
                from: State::Success,
                to: State::Fail,
                verdict: Verdict::Failure(Cause::HttpStatus { seen: 500, wanted: Arc::from("200") }),
                blame: None,
                streak: 1,
                elapsed: None,
            };
            demo.seen(&Seen::Changed(change, start + ms(1_599)));
            demo.seen(&written(&[], &addresses[..1], 1_600));
        }
        at = next;
        turns += 1;
    }
    assert!((40..=60).contains(&turns), "drawn ten times a second: {turns}");
    demo.end(at);
    let text = String::from_utf8(std::mem::take(&mut demo.out)).unwrap();
    assert!(text.starts_with("hfm demo: three backends"), "{text}");
    assert!(text.contains("    web1 {\n        test = \"https://web1.example/\"\n"), "{text}");
    assert!(text.contains("\nThe status page: http://127.0.0.1:9090/\n\n"), "{text}");
    let lines =
        ["web3 joined the table; table web: 192.0.2.1 192.0.2.2 192.0.2.3", "web1 refuses connections"];
    for line in
        lines.iter().chain(&["status 500, wanted 200; table web: 192.0.2.2 192.0.2.3", "web1 is healed"])
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("breakages in 4.0 s: 1; left table web: 1\n"), "{text}");
}

/// Somebody who closes the pipe.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_is_over_when_nobody_reads_any_more() {
    let now = reactor::now();
    let mut demo = Demo::new(&Arguments::default(), LISTEN, Form::Plain, Closed, now).unwrap();
    assert!(!demo.is_over(now.mono + Duration::from_secs(86_400)));
    demo.begin(now.mono);
    assert!(demo.is_over(now.mono));
}
