//! The server of the benchmark, in memory, and whom it is trusted by.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use hfm::now::Now;
use hfm::probe::Files;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

/// Its name.
pub(crate) const NAME: &str = "web.example.com";

/// A root and the server's certificate.
pub(crate) struct House {
    root: CertifiedIssuer<'static, KeyPair>,
    certificate: Certificate,
    key: KeyPair,
}

/// Whether the server lets sessions be resumed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tickets {
    None,
    /// Two, as most servers do.
    Two,
}

impl House {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let root = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &root).expect("a certificate");
        Self { root, certificate, key }
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    pub(crate) fn config(
        &self,
        version: &'static SupportedProtocolVersion,
        tickets: Tickets,
    ) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .expect("a certificate and its key");
        if tickets == Tickets::None {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Arc::new(config)
    }
}

/// Its trust file is the root.
impl Files for &House {
    fn read(&mut self, _path: &str) -> io::Result<Vec<u8>> {
        Ok(self.root.pem().into_bytes())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("the benchmark has none".to_owned())
    }
}

/// A moment at which the certificates hold.
pub(crate) fn now() -> Now {
    Now { mono: std::time::Instant::now(), wall: UNIX_EPOCH + Duration::from_secs(20_600 * 86_400) }
}

/// The server's turn: takes all that the client has said, answers each request, and says what it has to say.
pub(crate) fn turn(server: &mut ServerConnection, heard: &mut Vec<u8>, said: &mut Vec<u8>) {
    use std::io::{Read, Write};
    let mut rest = heard.as_slice();
    while !rest.is_empty() {
        server.read_tls(&mut rest).expect("it is memory");
        server.process_new_packets().expect("a client in order");
    }
    heard.clear();
    let mut request = [0; 4096];
    if server.reader().read(&mut request).is_ok_and(|bytes| bytes > 0) {
        server.writer().write_all(ANSWER).expect("it is memory");
    }
    while server.wants_write() {
        server.write_tls(said).expect("it is memory");
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
