//! The server's side of a TLS session, in memory.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::{ServerConfig, ServerConnection};

use crate::certificates::{Authority, Identity, Shelf, Wanted};

/// One session.
pub(crate) struct Peer {
    pub(crate) connection: ServerConnection,
}

impl Peer {
    pub(crate) fn new(config: &Arc<ServerConfig>) -> Self {
        let mut connection = ServerConnection::new(config.clone()).expect("a good configuration");
        connection.set_buffer_limit(None);
        Self { connection }
    }

    /// Takes in what the client has written; `Err` when the session failed.
    pub(crate) fn hear(&mut self, wire: &mut Vec<u8>) -> Result<(), rustls::Error> {
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            if self.connection.read_tls(&mut rest).unwrap_or(0) == 0 {
                break;
            }
            self.connection.process_new_packets()?;
        }
        wire.clear();
        Ok(())
    }

    /// The plain text that has come.
    pub(crate) fn heard(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        // Reads to the end of what is there, and says that there would be more.
        let _ = self.connection.reader().read_to_end(&mut text);
        text
    }

    /// Puts plain text on the wire, a record for each piece.
    pub(crate) fn say(&mut self, pieces: &[&[u8]]) {
        for piece in pieces {
            self.connection.writer().write_all(piece).expect("it is memory");
        }
    }

    /// What there is for the wire.
    pub(crate) fn wire(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut wire).expect("it is memory");
        }
        wire
    }
}

/// A server with this certificate.
pub(crate) fn config(identity: &Identity) -> ServerConfig {
    config_of(identity, rustls::ALL_VERSIONS)
}

/// A server with this certificate that speaks these versions.
pub(crate) fn config_of(
    identity: &Identity,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain(), identity.key())
        .expect("a certificate and its key")
}

/// The server that is in order, and the files that trust it.
pub(crate) fn in_order() -> &'static (Arc<ServerConfig>, Shelf) {
    static IN_ORDER: OnceLock<(Arc<ServerConfig>, Shelf)> = OnceLock::new();
    IN_ORDER.get_or_init(|| {
        let authority = Authority::new("authority");
        let identity = authority.issue(Wanted::default());
        let shelf = Shelf([("ca.pem", authority.pem())].into());
        (Arc::new(config(&identity)), shelf)
    })
}
