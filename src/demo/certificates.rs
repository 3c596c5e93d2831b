//! Certificates of the demo's own: an authority that nobody else knows, and what it issues. Made at the
//! start, kept in memory, gone at the end.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// How long a certificate that counts has counted already, and will.
const LIFE: Duration = Duration::from_secs(30 * 86_400);
/// How long ago the other one expired.
const EXPIRED_FOR: Duration = Duration::from_secs(3 * 86_400);

/// Issues the certificates of all backends; `tls_ca` names its own.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    wall: SystemTime,
}

/// What a backend needs to speak TLS.
#[derive(Debug)]
pub(super) struct Identity {
    /// With a certificate that counts.
    pub(super) valid: Arc<ServerConfig>,
    /// With one that has expired, by the same authority.
    pub(super) expired: Arc<ServerConfig>,
}

impl Authority {
    /// Makes one; `wall` is today.
    ///
    /// # Errors
    /// When there is no randomness to make a key of, or the clock stands before 1970.
    pub fn new(wall: SystemTime) -> io::Result<Self> {
        let mut params = params(Vec::new(), wall - LIFE, wall + LIFE, "hfm demo")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        Ok(Self { issuer, wall })
    }

    /// Its own certificate, as a trust file has it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Certificates for a server of this name.
    pub(super) fn issue(&self, name: &str) -> io::Result<Identity> {
        let valid = self.config(name, self.wall - LIFE, self.wall + LIFE)?;
        let expired = self.config(name, self.wall - EXPIRED_FOR - LIFE, self.wall - EXPIRED_FOR)?;
        Ok(Identity { valid: Arc::new(valid), expired: Arc::new(expired) })
    }

    fn config(&self, name: &str, from: SystemTime, until: SystemTime) -> io::Result<ServerConfig> {
        let mut params = params(vec![name.to_owned()], from, until, name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
        config.map_err(io::Error::other)
    }
}

fn params(
    names: Vec<String>,
    from: SystemTime,
    until: SystemTime,
    who: &str,
) -> io::Result<CertificateParams> {
    let since = |at: SystemTime| at.duration_since(UNIX_EPOCH).map_err(io::Error::other);
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, who);
    params.not_before = date_time_ymd(1970, 1, 1) + since(from)?;
    params.not_after = date_time_ymd(1970, 1, 1) + since(until)?;
    Ok(params)
}
