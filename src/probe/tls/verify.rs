//! Judging a server's certificate: chain, name and dates, each with words that say what was presented.

use std::fmt;
use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::remembered::{Remembered, Shown};
use crate::verdict::{Cause, Days};
use crate::wire::certificate;

/// Verifies as `tls_verify = yes` asks.
#[derive(Debug)]
pub(super) struct Verifier {
    /// The chain up to a trusted root; `None` when no certificate of the trust file can be one.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that are trusted themselves, byte for byte.
    pinned: Arc<[CertificateDer<'static>]>,
    /// What was found good before.
    remembered: Arc<Remembered>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Takes any certificate, as `tls_verify = no` asks.
#[derive(Debug)]
pub(super) struct Anything(pub(super) WebPkiSupportedAlgorithms);

/// A certificate that was turned down: the cause travels through rustls as its error.
#[derive(Debug)]
pub(super) struct Rejection(pub(super) Cause);

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Rejection {}

impl Verifier {
    pub(super) fn new(
        chain: Option<Arc<WebPkiServerVerifier>>,
        pinned: Arc<[CertificateDer<'static>]>,
        remembered: Arc<Remembered>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { chain, pinned, remembered, algorithms }
    }

    /// Verifies what an earlier handshake found good, for a session that goes on without a new one.
    pub(super) fn verify_again(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let (leaf, intermediates) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_server_cert(leaf, intermediates, name, &[], now).map(|_| ())
    }

    /// Name and dates of a certificate that is trusted itself.
    fn verify_pinned(
        leaf: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, CertificateError> {
        let Some(validity) = certificate::validity(leaf) else {
            return Err(CertificateError::BadEncoding);
        };
        let at = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if at < validity.not_before {
            return Err(CertificateError::NotValidYet);
        }
        if at > validity.not_after {
            return Err(CertificateError::Expired);
        }
        let parsed = rustls::server::ParsedCertificate::try_from(leaf).map_err(certificate_error)?;
        rustls::client::verify_server_name(&parsed, name).map_err(certificate_error)?;
        Ok(ServerCertVerified::assertion())
    }
}

fn certificate_error(error: Error) -> CertificateError {
    if let Error::InvalidCertificate(error) = error {
        return error;
    }
    CertificateError::Other(OtherError(Arc::new(error)))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown { name, leaf, intermediates };
        if self.remembered.knows(shown, now) {
            return Ok(ServerCertVerified::assertion());
        }
        let outcome = match &self.chain {
            _ if self.pinned.iter().any(|pinned| pinned == leaf) => Self::verify_pinned(leaf, name, now),
            Some(chain) => {
                chain.verify_server_cert(leaf, intermediates, name, ocsp, now).map_err(certificate_error)
            }
            None => Err(CertificateError::UnknownIssuer),
        };
        if outcome.is_ok() {
            self.remembered.remember(shown, now);
        }
        outcome.map_err(|error| {
            let rejection = Rejection(cause(&error, leaf, name, now));
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(rejection))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// The cause of a certificate that was turned down, with what the certificate itself says.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is rustls' and not closed; all else is untrusted"
)]
fn cause(error: &CertificateError, leaf: &[u8], name: &ServerName<'_>, now: UnixTime) -> Cause {
    let names = certificate::names(leaf);
    let whose = names.as_ref().map(certificate::Names::describe).filter(|names| !names.is_empty());
    let whose = whose.map(|names| format!(" (of {names})")).unwrap_or_default();
    let validity = certificate::validity(leaf);
    let days = |from: i64, to: i64| {
        let seconds = u64::try_from(to.saturating_sub(from)).unwrap_or_default();
        Days(std::time::Duration::from_secs(seconds))
    };
    let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let at = seconds(now);
    match error {
        CertificateError::ExpiredContext { not_after, .. }
            if validity.is_some_and(|leaf| at <= leaf.not_after) =>
        {
            let ago = days(seconds(*not_after), at);
            let text =
                format!("an authority's certificate, behind the certificate{whose}, expired {ago} ago");
            Cause::TlsExpired(text.into())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let ago = validity.map(|validity| format!(" {} ago", days(validity.not_after, at)));
            let ago = ago.unwrap_or_default();
            Cause::TlsExpired(format!("the certificate{whose} expired{ago}").into())
        }
        CertificateError::NotValidYetContext { not_before, .. }
            if validity.is_some_and(|leaf| leaf.not_before <= at) =>
        {
            let left = days(at, seconds(*not_before));
            let text = format!(
                "an authority's certificate, behind the certificate{whose}, is not valid yet for another {left}"
            );
            Cause::TlsNotYet(text.into())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let left = validity.map(|validity| format!(" for another {}", days(at, validity.not_before)));
            let left = left.unwrap_or_default();
            Cause::TlsNotYet(format!("the certificate{whose} is not valid yet{left}").into())
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let wanted = name.to_str();
            let names = names.map(|names| names.describe()).unwrap_or_default();
            let names = if names.is_empty() { "no name".to_owned() } else { names };
            Cause::TlsName(format!("the certificate is for {names}, not for {wanted}").into())
        }
        CertificateError::UnknownIssuer => {
            let issuer = names.map(|names| names.issuer).filter(|issuer| !issuer.is_empty());
            let issuer = issuer.map(|issuer| format!(" '{issuer}'")).unwrap_or_default();
            Cause::TlsUntrusted(
                format!("the certificate{whose} was issued by{issuer}, which is not trusted").into(),
            )
        }
        CertificateError::Revoked => {
            Cause::TlsUntrusted(format!("the certificate{whose} has been revoked").into())
        }
        CertificateError::BadEncoding => Cause::TlsUntrusted("the certificate cannot be read".into()),
        CertificateError::BadSignature => {
            Cause::TlsUntrusted(format!("a signature of the certificate{whose} is wrong").into())
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Cause::TlsUntrusted(format!("the certificate{whose} is not one for servers").into())
        }
        // The reason stands in an error of a crate below rustls.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => Cause::TlsUntrusted(
            format!("the certificate{whose} is an authority's own; to trust it itself, name it in tls_ca")
                .into(),
        ),
        other => Cause::TlsUntrusted(format!("the certificate{whose} is not acceptable: {other}").into()),
    }
}

#[cfg(test)]
mod tests;
