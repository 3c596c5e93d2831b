//! One TLS session: bytes from the wire in, bytes for the wire out, plain text in between.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, ProtocolVersion};

use super::client::ClientCertificate;
use super::verify::{Rejection, Verifier};
use crate::now::Now;
use crate::probe::Output;
use crate::verdict::{Cause, Verdict};
use crate::wire::certificate;

/// Plain text read out of a session at a time: most answers whole, and little to clear where none has come.
const PLAIN_BYTES: usize = 4 * 1024;

/// TLS as a rule asks for it, ready for any number of sessions.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
    pub(super) client: Arc<ClientCertificate>,
    /// By whom certificates are verified, if they are.
    pub(super) verifier: Option<Arc<Verifier>>,
    /// The certificate has to last this long.
    pub(super) expiry: Duration,
    /// A digest of the files that it was made from.
    pub(in crate::probe) contents: u64,
}

/// A session under way.
#[derive(Debug)]
pub(crate) struct Session {
    connection: ClientConnection,
    is_open: bool,
    /// The handshake that has just ended has verified the certificate.
    is_just_verified: bool,
    /// The server asked for a client certificate, so it may turn ours down after the handshake.
    was_asked: bool,
    /// The server has said that it sends nothing more.
    is_over: bool,
    /// Why it cannot go on.
    failure: Option<Cause>,
    /// What is left of the server's certificate, in seconds.
    certificate_left: Option<i64>,
}

/// What a session has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The handshake goes on, or the session does.
    Going,
    /// The handshake has just ended.
    Opened,
}

impl Session {
    /// Begins a session: the first message goes to `out`.
    ///
    /// # Errors
    /// A failure of our own configuration, which `compile` has ruled out.
    pub(crate) fn begin(plan: &Plan, out: &mut Output) -> Result<Self, Verdict> {
        let connection = ClientConnection::new(plan.config.clone(), plan.name.clone());
        let mut connection = connection.map_err(|error| Verdict::Failure(cause(&error)))?;
        connection.set_buffer_limit(None);
        let mut session = Self {
            connection,
            is_open: false,
            is_just_verified: false,
            was_asked: false,
            is_over: false,
            failure: None,
            certificate_left: None,
        };
        session.flush(out);
        Ok(session)
    }

    /// Takes in a part of what came over the wire, as far as the session goes on: then see
    /// [`failure`](Self::failure), after whatever came before it.
    pub(crate) fn take(&mut self, plan: &Plan, input: &mut &[u8], out: &mut Output) -> Progress {
        // Reading from a slice fails only when the session's own buffers are full: then what is in them
        // comes first.
        let _ = self.connection.read_tls(input);
        let processed = self.connection.process_new_packets();
        self.was_asked |= plan.client.was_asked();
        self.flush(out);
        match processed {
            Ok(state) => self.is_over = state.peer_has_closed(),
            Err(error) => self.failure = Some(self.words(&error)),
        }
        if self.is_open || self.connection.is_handshaking() {
            return Progress::Going;
        }
        self.is_open = true;
        self.is_just_verified = self.connection.handshake_kind() != Some(HandshakeKind::Resumed);
        Progress::Opened
    }

    /// Judges the certificate of a session that is open: whether it is good, where no handshake has just said so, and how
    /// long it still lasts.
    ///
    /// # Errors
    /// It is not good any more, or does not last long enough.
    pub(crate) fn check_certificate(&mut self, plan: &Plan, now: Now) -> Result<(), Cause> {
        let leaf = self.connection.peer_certificates().and_then(<[_]>::first);
        let validity = leaf.and_then(|leaf| certificate::validity(leaf));
        let wall = now.wall.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.certificate_left = validity.map(|validity| {
            validity.not_after.saturating_sub(i64::try_from(wall.as_secs()).unwrap_or(i64::MAX))
        });
        // A handshake that resumes goes without the verification (RFC 8446 section 2.2), over and over, and a session that is kept
        // has none at all; but what was good when it was verified need not be by now.
        if !std::mem::take(&mut self.is_just_verified)
            && let Some(verifier) = &plan.verifier
        {
            let chain = self.connection.peer_certificates().unwrap_or_default();
            let verified = verifier.verify_again(chain, &plan.name, UnixTime::since_unix_epoch(wall));
            verified.map_err(|error| cause(&error))?;
        }
        if plan.expiry.is_zero() {
            return Ok(());
        }
        let Some(left) = self.certificate_left else {
            return Err(Cause::TlsUntrusted("the certificate's dates cannot be read".into()));
        };
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        if left < plan.expiry {
            return Err(Cause::TlsExpiry { left, wanted: plan.expiry });
        }
        Ok(())
    }

    /// Reads plain text that has come; 0 when there is none at present.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        self.connection.reader().read(into).unwrap_or(0)
    }

    /// Puts plain text into the session.
    pub(crate) fn write(&mut self, plain: &[u8], out: &mut Output) {
        // Writes to memory; rustls takes all, its buffer being without limit.
        let _ = self.connection.writer().write_all(plain);
        self.flush(out);
    }

    /// Says that we are done, and asks the server to say the same.
    pub(crate) fn close(&mut self, out: &mut Output) {
        self.connection.send_close_notify();
        self.flush(out);
    }

    /// Whether the server may still turn down what we showed it, after a handshake that is done for us:
    /// in TLS 1.3 a client certificate is judged last (RFC 8446 section 4.4.2.4).
    pub(crate) fn may_yet_be_turned_down(&self) -> bool {
        self.was_asked && self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Whether anything has come that a server sends only after it took the handshake for good.
    pub(crate) fn was_taken(&self) -> bool {
        self.connection.tls13_tickets_received() > 0
    }

    /// Whether nothing more comes of it: the server has said so, or it has failed.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over || self.failure.is_some()
    }

    /// Why it cannot go on.
    pub(crate) fn failure(&self) -> Option<&Cause> {
        self.failure.as_ref()
    }

    pub(crate) fn certificate_left(&self) -> Option<i64> {
        self.certificate_left
    }

    fn flush(&mut self, out: &mut Output) {
        while self.connection.wants_write() {
            // Writing to a Vec does not fail.
            if self.connection.write_tls(out).is_err() {
                return;
            }
        }
    }

    fn words(&self, error: &Error) -> Cause {
        match (error, self.is_open) {
            (Error::InvalidMessage(_), false) if self.connection.protocol_version().is_none() => {
                Cause::TlsProtocol(format!("the answer is not TLS: {error}").into())
            }
            (_, _) => cause(error),
        }
    }
}

/// The cause behind an error of rustls.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is rustls' and not closed; all else is protocol"
)]
fn cause(error: &Error) -> Cause {
    match error {
        Error::AlertReceived(alert) => Cause::TlsAlert(alert_name(*alert).into()),
        Error::InvalidCertificate(rustls::CertificateError::Other(rustls::OtherError(other))) => {
            match other.downcast_ref::<Rejection>() {
                Some(Rejection(cause)) => cause.clone(),
                None => Cause::TlsUntrusted(error.to_string().into()),
            }
        }
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => {
            Cause::TlsUntrusted(error.to_string().into())
        }
        other => Cause::TlsProtocol(other.to_string().into()),
    }
}

/// The alert's name as RFC 8446 section 6 writes it.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    match name.as_str() {
        "unknown_c_a" => "unknown_ca".to_owned(),
        "unknown_p_s_k_identity" => "unknown_psk_identity".to_owned(),
        _ => name,
    }
}

/// Scratch for plain text.
pub(crate) fn scratch() -> [u8; PLAIN_BYTES] {
    [0; PLAIN_BYTES]
}
