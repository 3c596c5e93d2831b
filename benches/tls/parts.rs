//! By part: handshakes of rustls alone, its cryptography wrapped in clocks.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, Error, NamedGroup, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
};

use crate::server::{House, NAME, Tickets, now, turn};
use crate::{WARM_UP, quantiles};

type Times = Mutex<Vec<Duration>>;

/// Making a key, agreeing on a secret with it, verifying the chain, and the handshake's signature.
static PARTS: [Times; 4] = [const { Mutex::new(Vec::new()) }; 4];
const KEY: usize = 0;
const SECRET: usize = 1;
const CHAIN: usize = 2;
const SIGNATURE: usize = 3;

fn timed<T>(part: usize, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = work();
    PARTS[part].lock().expect("one thread").push(begun.elapsed());
    made
}

#[derive(Debug)]
struct Group(&'static dyn SupportedKxGroup);

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Exchange(timed(KEY, || self.0.start())?)))
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }
}

struct Exchange(Box<dyn ActiveKeyExchange>);

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        timed(SECRET, || self.0.complete(peer))
    }

    fn pub_key(&self) -> &[u8] {
        self.0.pub_key()
    }

    fn group(&self) -> NamedGroup {
        self.0.group()
    }
}

#[derive(Debug)]
struct Verifier(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        timed(CHAIN, || self.0.verify_server_cert(leaf, intermediates, name, ocsp, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        timed(SIGNATURE, || self.0.verify_tls12_signature(message, leaf, signature))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        timed(SIGNATURE, || self.0.verify_tls13_signature(message, leaf, signature))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The table by part.
pub(crate) fn table(house: &House, runs: usize) {
    println!(
        "\n{:12} {:14} {:8} {:>7} {:>7} {:>7} {:>7} {:>9} {:>7}   a handshake of rustls alone, us, p10",
        "group", "suite", "kind", "key", "secret", "chain", "signed", "all else", "sum"
    );
    let suites = [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_AES_256_GCM_SHA384];
    for group in [NamedGroup::secp256r1, NamedGroup::X25519] {
        for suite in suites {
            for (kind, tickets) in [("full", Tickets::None), ("resumed", Tickets::Two)] {
                let server = house.config(&TLS13, tickets);
                let client = client(house, group, suite, tickets);
                let mut times = Vec::with_capacity(runs);
                for run in 0..WARM_UP + runs {
                    if run == WARM_UP {
                        PARTS.iter().for_each(|part| part.lock().expect("one thread").clear());
                    }
                    let took = handshake(&client, &server);
                    if run >= WARM_UP {
                        times.push(took);
                    }
                }
                let (sum, _) = quantiles(&mut times);
                let parts = [KEY, SECRET, CHAIN, SIGNATURE]
                    .map(|part| quantiles(&mut PARTS[part].lock().expect("one thread")).0);
                let rest = sum - parts.iter().sum::<f64>();
                let [key, secret, chain, signature] = parts;
                let suite = format!("{suite:?}");
                let suite = suite.trim_start_matches("TLS13_");
                println!(
                    "{:12} {suite:14.14} {kind:8} {key:7.1} {secret:7.1} {chain:7.1} {signature:7.1} {rest:9.1} {sum:7.1}",
                    format!("{group:?}")
                );
            }
        }
    }
}

fn client(house: &House, group: NamedGroup, suite: CipherSuite, tickets: Tickets) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(house.root()).expect("a root");
    let mut provider = ring::default_provider();
    provider.kx_groups.retain(|known| known.name() == group);
    provider.kx_groups.iter_mut().for_each(|known| {
        let wrapped: &'static dyn SupportedKxGroup = Box::leak(Box::new(Group(*known)));
        *known = wrapped;
    });
    provider.cipher_suites.retain(|known| known.suite() == suite);
    let provider = Arc::new(provider);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
    let clock = Arc::new(hfm::probe::WallClock::default());
    clock.set(now().wall);
    let mut config = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[&TLS13])
        .expect("a version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier(verifier.build().expect("a verifier"))))
        .with_no_client_auth();
    config.resumption = match tickets {
        Tickets::None => Resumption::disabled(),
        Tickets::Two => Resumption::in_memory_sessions(1),
    };
    Arc::new(config)
}

fn handshake(config: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Duration {
    let mut server = ServerConnection::new(server.clone()).expect("a good configuration");
    let (mut out, mut wire) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    let name = ServerName::try_from(NAME).expect("a name");
    let mut client = ClientConnection::new(config.clone(), name).expect("a good configuration");
    client_turn(&mut client, &mut wire, &mut out);
    let mut took = begun.elapsed();
    loop {
        turn(&mut server, &mut out, &mut wire);
        if wire.is_empty() {
            assert!(!client.is_handshaking(), "the server is in order");
            return took;
        }
        let begun = Instant::now();
        client_turn(&mut client, &mut wire, &mut out);
        took += begun.elapsed();
    }
}

fn client_turn(client: &mut ClientConnection, wire: &mut Vec<u8>, out: &mut Vec<u8>) {
    let mut rest = wire.as_slice();
    while !rest.is_empty() {
        client.read_tls(&mut rest).expect("it is memory");
        client.process_new_packets().expect("a server in order");
    }
    wire.clear();
    while client.wants_write() {
        client.write_tls(out).expect("it is memory");
    }
}
