//! Over TLS a run allocates, and gives all of it back but the session that may be resumed; and a rule more
//! costs little more than one without TLS.
#![allow(clippy::unwrap_used, reason = "a server of a test fails with it")]

use std::sync::Arc;

use hfm::rule::{Tls, TlsVersion};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

/// A trust file that all rules name.
struct Root(String);

impl Files for Root {
    fn read(&mut self, _path: &str) -> std::io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none".to_owned())
    }
}

/// A server of this version, and whom it is trusted by.
fn server(version: &'static SupportedProtocolVersion) -> (Arc<ServerConfig>, Root) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["h".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &root).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (Arc::new(config), Root(root.pem()))
}

fn https(resume: bool) -> Probe {
    let tls = Tls {
        verify: true,
        name: "h".into(),
        ca: Some("root.pem".into()),
        alpn: vec!["http/1.1".into()],
        min: TlsVersion::V12,
        client: None,
        expiry: Duration::ZERO,
        resume,
        contents: 0,
    };
    Probe { tls: Some(tls.into()), ..probe(http(Patterns::default(), false)) }
}

/// A moment at which the certificates hold.
fn today() -> Now {
    Now { wall: SystemTime::UNIX_EPOCH + Duration::from_secs(20_600 * 86_400), ..now() }
}

fn live() -> isize {
    LIVE_BYTES.with(Cell::get)
}

/// One run, and the bytes that the probe has more after it than before.
fn run(plan: &Plan, conversation: &mut Conversation, config: &Arc<ServerConfig>) -> (isize, HandshakeKind) {
    use std::io::{Read, Write};
    let now = today();
    let mut server = ServerConnection::new(config.clone()).unwrap();
    // With room for all that is said, so that none of it counts.
    let (mut out, mut wire) = (Vec::with_capacity(64 * 1024), Vec::with_capacity(64 * 1024));
    let before = live();
    conversation.begin(true, now.mono);
    let mut step = conversation.connected(plan, None, &mut out, now);
    let mut more = live() - before;
    while step == Step::Continue {
        let mut rest = out.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        out.clear();
        if server.reader().read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0) {
            server.writer().write_all(ANSWER).unwrap();
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let before = live();
        step = conversation.bytes(plan, &wire, &mut out, now);
        more += live() - before;
    }
    assert_eq!(step, Step::Done(Verdict::Success));
    let before = live();
    conversation.release();
    more += live() - before;
    (more, server.handshake_kind().unwrap())
}

#[test]
fn a_run_over_tls_gives_back_all_that_it_took() {
    for version in [&TLS12, &TLS13] {
        for resume in [false, true] {
            let (config, mut root) = server(version);
            let mut compiler = Compiler::default();
            compiler.clock().set(today().wall);
            let plan = compiler.compile(&https(resume), &mut root).unwrap();
            let mut conversation = Conversation::new(&plan, now().mono);
            let (first, _) = run(&plan, &mut conversation, &config);
            assert!(first > 0, "the chain is remembered");
            run(&plan, &mut conversation, &config);
            for number in 0..50 {
                let (more, kind) = run(&plan, &mut conversation, &config);
                let usual = if resume { HandshakeKind::Resumed } else { HandshakeKind::Full };
                assert_eq!((more, kind), (0, usual), "{version:?}, run {number}");
            }
        }
    }
}

#[test]
fn a_rule_over_tls_is_not_much_more_than_one_without() {
    let (config, mut root) = server(&TLS13);
    let (resume, full) = (https(true), https(false));
    let mut compiler = Compiler::default();
    compiler.clock().set(today().wall);
    let mut measure = |probe: &Probe| {
        // What they share is there already.
        let one = compiler.compile(probe, &mut root).unwrap();
        run(&one, &mut Conversation::new(&one, now().mono), &config);
        let before = live();
        let plan = compiler.compile(probe, &mut root).unwrap();
        let mut conversation = Conversation::new(&plan, now().mono);
        let compiled = live() - before;
        let (kept, _) = run(&plan, &mut conversation, &config);
        (compiled, kept)
    };
    let (without, _) = {
        let before = live();
        let plan = plan(http(Patterns::default(), false));
        let _conversation = Conversation::new(&plan, now().mono);
        (live() - before, 0)
    };
    for (probe, compiled_max, kept_max) in [(&full, 64, 256), (&resume, 640, 1200)] {
        let (compiled, kept) = measure(probe);
        println!("{compiled} bytes, {without} without TLS; {kept} after a run");
        assert!(compiled - without <= compiled_max, "{compiled}, {without} without TLS");
        assert!(kept <= kept_max, "{kept} are kept from run to run");
    }
}
