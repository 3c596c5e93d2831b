//! Certificates of a test's own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const DAY_SECONDS: i64 = 86_400;

/// Whom a certificate is for, and when it holds.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) names: Vec<String>,
    /// In days from now.
    pub(crate) from_days: i64,
    pub(crate) to_days: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        Self { names, from_days: -10, to_days: 90 }
    }
}

impl Wanted {
    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.names.clone()).expect("names of a certificate");
        params.distinguished_name.push(DnType::CommonName, "a test's own");
        params.not_before = date_time_ymd(1970, 1, 1) + day(self.from_days);
        params.not_after = date_time_ymd(1970, 1, 1) + day(self.to_days);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params
    }
}

/// So many days from now, in time since 1970.
#[expect(clippy::disallowed_methods, reason = "a certificate is judged by the real date")]
fn day(days: i64) -> Duration {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    // Half a day more, so that the number of days stays the same while a test runs.
    let seconds = i64::try_from(now.as_secs()).unwrap() + days * DAY_SECONDS + DAY_SECONDS / 2;
    Duration::from_secs(seconds.try_into().expect("after 1970"))
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn self_signed(wanted: &Wanted) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = wanted.params().self_signed(&key).expect("a certificate");
        Self { certificate, key }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// So that no two have one name.
static AUTHORITIES: AtomicUsize = AtomicUsize::new(0);

/// Somebody who issues certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    pub(crate) fn issue(&self, wanted: &Wanted) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = wanted.params().signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate, key }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }
}
