//! What is given up, on real connections.

use std::io::Read;
use std::net::TcpListener;

use mio::{Poll, Token};

use super::*;
use crate::engine::Set;
use crate::probe::{Compiler, Files};
use crate::rule::{Dialogue, Network, Patterns, Peer, Placement, Probe, RuleId, Service};
use crate::rule::{Status, Terms, Test};
use crate::standing::Override;

/// Longer than anything here takes.
const AMPLE: Duration = Duration::from_secs(60);

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _path: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none".to_owned())
    }
}

/// A rule that waits for what this server never says.
fn waiting_for(server: &TcpListener) -> (Rule, Plans) {
    let address = server.local_addr().unwrap();
    let patterns = Patterns { expect: vec!["anything".into()], ..Patterns::default() };
    let probe = Probe {
        url: "under test".into(),
        peer: Peer::Address(address.ip(), address.port()),
        network: Network::default().into(),
        timeout: AMPLE,
        service: Service::Dialogue(Dialogue { patterns, ..Dialogue::default() }.into()),
        tls: None,
    };
    let mut compiler = Compiler::default();
    let plan = compiler.compile(&probe, &mut NoFiles).unwrap();
    let rule = Rule {
        name: "rule".into(),
        test: Test::Probe(probe.into()),
        placement: Placement::default().into(),
        terms: Terms { status: Status::Enabled, interval: AMPLE, interval_fail: AMPLE, ..Terms::default() }
            .into(),
    };
    (rule, Plans { plans: vec![Some(plan)], clock: compiler.clock() })
}

/// Does what is due, and gives what there is to do beyond starting runs.
fn turn(prober: &mut Prober) -> Vec<Output> {
    let mut others = Vec::new();
    prober.handle_timeout();
    while let Some(output) = prober.poll_output() {
        if let Output::StartTest { run } = output {
            prober.start(run);
        } else {
            others.push(output);
        }
    }
    others
}

#[test]
fn a_run_that_is_given_up_loses_its_connection_and_the_next_gets_its_own() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let poll = Poll::new().unwrap();
    let wake = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let (rule, plans) = waiting_for(&server);
    let mut prober =
        Prober::new([rule].into(), plans, 100, poll.registry().try_clone().unwrap(), &wake, now()).unwrap();
    let disabled = Some(Set { kind: Override::Disabled, until: None });
    for run in 1..=3 {
        assert_eq!(turn(&mut prober), [], "run {run}");
        assert!(prober.probes.any_under_way(), "run {run}");
        let (mut connection, _) = server.accept().unwrap();
        prober.engine.set_override(RuleId(0), disabled, now());
        let abandoned = RunId { rule: RuleId(0), run };
        assert_eq!(turn(&mut prober), [Output::Abandon { run: abandoned }]);
        assert!(!prober.probes.any_under_way(), "run {run}");
        connection.set_read_timeout(Some(AMPLE)).unwrap();
        let end = connection.read(&mut [0; 16]);
        let is_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
        assert!(matches!(end, Ok(0)) || end.as_ref().is_err_and(is_reset), "run {run}: {end:?}");
        prober.probes.abandon(abandoned);
        assert!(!prober.probes.any_under_way(), "what is given up twice is counted once");
        prober.engine.set_override(RuleId(0), None, now());
    }
    assert_eq!(prober.engine.counters().runs, 0, "none of them ended with a verdict");
}
