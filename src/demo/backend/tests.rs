use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::{Backend, CONNECTIONS_MAX};
use crate::demo::{Authority, Behaviour};
use crate::probe::Files;
use crate::{probe_cli, reactor};

/// The authority's certificate, as `demo.pem`.
struct Trust(String);

impl Files for Trust {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        assert_eq!(path, "demo.pem");
        Ok(self.0.clone().into_bytes())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        panic!("only demo.pem is trusted")
    }
}

fn backend() -> (Authority, Backend) {
    let authority = Authority::new(reactor::now().wall).unwrap();
    let backend = Backend::start("web1.example", &authority).unwrap();
    (authority, backend)
}

/// What a run of hfm's own probe finds out that is not about this machine.
fn probed(authority: &Authority, backend: &Backend, timeout: &str) -> String {
    let mut runs = (0..20).filter_map(|_| probe(authority, backend, timeout, "1").pop_first());
    runs.find(|run| !run.starts_with("late: ")).expect("a run in time")
}

/// What runs of hfm's own probe find out.
fn probe(authority: &Authority, backend: &Backend, timeout: &str, count: &str) -> BTreeSet<String> {
    let connect = format!("connect='{}'", backend.address());
    let timeout = format!("timeout={timeout}");
    let words = ["https://web1.example/", &connect, "tls_ca='demo.pem'", &timeout, "-c", count, "-json"];
    let arguments = probe_cli::parse(words.map(OsString::from)).unwrap();
    let prepared = probe_cli::prepare(&arguments, &mut Trust(authority.pem()))
        .unwrap_or_else(|error| panic!("cannot prepare: {error}"));
    let mut out = Vec::new();
    probe_cli::run(prepared, &arguments, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let field = |line: &str, name: &str| {
        let rest = line.split_once(&format!("\"{name}\":\""))?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let runs = out.lines().filter_map(|line| {
        Some(format!("{}: {}", field(line, "reason")?, field(line, "detail").unwrap_or_default()))
    });
    runs.collect()
}

#[test]
fn every_behaviour_is_seen_by_the_next_connection() {
    let (authority, backend) = backend();
    let breakages = [
        (Behaviour::Refuses, "refused: Connection refused"),
        (Behaviour::Hangs, "timeout-tls: no TLS session within 500ms"),
        (Behaviour::Unavailable503, "http-status: status 503, wanted 200-399"),
        (Behaviour::Expired, "tls-expired: the certificate (of web1.example) expired 3 days ago"),
        (Behaviour::Drips, "timeout-response: no complete answer within 500ms, only "),
    ];
    assert_eq!(breakages.map(|(behaviour, _)| behaviour), Behaviour::BREAKAGES);
    for round in 0..2 {
        for (behaviour, wanted) in breakages {
            for (behaviour, wanted) in [(behaviour, wanted), (Behaviour::Well, "ok: certificate expires in ")]
            {
                let before = reactor::now().mono;
                let at = backend.set(behaviour).unwrap();
                assert!(before <= at && at <= reactor::now().mono);
                let timeout = if wanted.starts_with("timeout-") { "500ms" } else { "30s" };
                let found = probed(&authority, &backend, timeout);
                assert!(found.starts_with(wanted), "round {round}, {behaviour:?}: {found}, not {wanted}");
            }
        }
    }
}

#[test]
fn a_dripped_answer_is_cut_off_in_the_middle() {
    let (authority, backend) = backend();
    backend.set(Behaviour::Drips).unwrap();
    let found = probe(&authority, &backend, "200ms", "10");
    let starts = "timeout-response: no complete answer within 200ms, only ";
    assert!(found.iter().any(|run| run.starts_with(starts)), "{found:?}");
}

#[test]
fn a_port_that_refuses_is_still_its_own() {
    let (authority, backend) = backend();
    let address = backend.address();
    for _ in 0..100 {
        backend.set(Behaviour::Refuses).unwrap();
        let error = TcpStream::connect(address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert!(other.bind(&address.into()).is_err(), "the port is taken");
        backend.set(Behaviour::Refuses).unwrap();
        backend.set(Behaviour::Well).unwrap();
        TcpStream::connect(address).unwrap();
        assert_eq!(backend.address(), address);
    }
    assert!(probed(&authority, &backend, "30s").starts_with("ok"));
}

#[test]
fn more_connections_than_it_takes_end_nothing() {
    let (authority, backend) = backend();
    backend.set(Behaviour::Hangs).unwrap();
    let open: Vec<_> =
        (0..CONNECTIONS_MAX + 20).map(|_| TcpStream::connect(backend.address()).unwrap()).collect();
    backend.set(Behaviour::Well).unwrap();
    drop(open);
    // The thread has to see that they are gone.
    backend.set(Behaviour::Well).unwrap();
    let found = probe(&authority, &backend, "5s", "20");
    assert!(found.iter().any(|run| run.starts_with("ok")), "{found:?}");
}

#[test]
fn a_dropped_backend_leaves_nothing_behind() {
    let is_open = |address: SocketAddr| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
    for behaviour in [Behaviour::Well, Behaviour::Refuses, Behaviour::Hangs] {
        let (_, backend) = backend();
        backend.set(behaviour).unwrap();
        let address = backend.address();
        assert_eq!(is_open(address), behaviour != Behaviour::Refuses);
        drop(backend);
        assert!(!is_open(address), "{behaviour:?}");
    }
}
