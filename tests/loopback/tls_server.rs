//! Servers that speak TLS, by rustls.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use crate::certificates::{Authority, Identity, Wanted};
use crate::harness::Place;
use crate::server::{Server, ok, request, say};

/// A session of the server's side.
pub(crate) type Session = StreamOwned<ServerConnection, TcpStream>;

/// Authority, certificate and the files that a probe is given of them.
pub(crate) struct Trust {
    pub(crate) place: Place,
    pub(crate) authority: Authority,
    pub(crate) identity: Identity,
    /// `tls_ca=FILE`.
    pub(crate) ca: String,
}

impl Trust {
    pub(crate) fn new(test: &str) -> Self {
        Self::of(test, &Wanted::default())
    }

    pub(crate) fn of(test: &str, wanted: &Wanted) -> Self {
        let place = Place::new(&format!("loopback-{test}"));
        let authority = Authority::new();
        let identity = authority.issue(wanted);
        let file = place.write("ca.pem", &authority.pem());
        Self { place, authority, identity, ca: format!("tls_ca='{}'", file.display()) }
    }

    /// What a server is, that speaks these versions.
    pub(crate) fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        config(&self.identity, versions)
    }

    /// One that wants to see a certificate of the same authority.
    pub(crate) fn config_that_asks(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(self.identity.chain(), self.identity.key())
            .expect("a certificate and its key")
    }
}

/// What a server with this certificate is.
pub(crate) fn config(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain(), identity.key())
        .expect("a certificate and its key")
}

/// A server of sessions; `serve` is called once the handshake is done.
pub(crate) fn server(
    ip: IpAddr,
    config: ServerConfig,
    serve: impl Fn(&mut Session) + Send + Sync + 'static,
) -> Server {
    let config = Arc::new(config);
    Server::new(ip, move |stream, _| {
        if let Some(mut session) = accept(stream, &config) {
            serve(&mut session);
        }
    })
}

/// Goes through a handshake; where it fails, the other side has been told.
pub(crate) fn accept(stream: &TcpStream, config: &Arc<ServerConfig>) -> Option<Session> {
    let mut stream = stream.try_clone().expect("a second handle");
    let mut connection = ServerConnection::new(config.clone()).expect("a session");
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            // The alert has been written; what else came is read, so that no reset takes the alert away.
            if error.kind() == ErrorKind::InvalidData {
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            }
            return None;
        }
    }
    Some(StreamOwned::new(connection, stream))
}

/// Answers requests over HTTP as long as there are any.
pub(crate) fn serve_http(session: &mut Session) {
    while !request(session).is_empty() {
        say(session, ok("hello"));
    }
}

/// Answers one request and says goodbye.
pub(crate) fn serve_once(session: &mut Session) {
    request(session);
    say(session, ok("hello"));
    say_goodbye(session);
}

/// Ends a session in order.
pub(crate) fn say_goodbye(session: &mut Session) {
    session.conn.send_close_notify();
    let _ = session.flush();
}
