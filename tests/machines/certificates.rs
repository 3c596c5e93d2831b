//! Certificates of a test's own, by a clock that stands still.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hfm::probe::Files;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const DAY: u64 = 86_400;
/// Today, in days since 1970.
const TODAY: u64 = 20_600;

/// The moment of all tests: noon of that day.
pub(crate) fn wall() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(TODAY * DAY + DAY / 2)
}

/// Has a certificate hold from one day to another, counted from today.
fn hold(params: &mut CertificateParams, from: i64, to: i64) {
    let day = |from_today: i64| {
        let day = TODAY.checked_add_signed(from_today).expect("after 1970");
        date_time_ymd(1970, 1, 1) + Duration::from_secs(day * DAY)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
}

/// Whom a certificate is for, and when it holds, in days from today.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) names: &'static [&'static str],
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { names: &["web.example.com", "192.0.2.7", "2001:db8::7"], from: -10, to: 90 }
    }
}

impl Wanted {
    fn params(self) -> CertificateParams {
        let names: Vec<String> = self.names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names of a certificate");
        params.distinguished_name.push(DnType::CommonName, "a test's own");
        hold(&mut params, self.from, self.to);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params
    }
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn self_signed(wanted: Wanted) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self { certificate: wanted.params().self_signed(&key).expect("a certificate"), key }
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

/// Somebody who issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(Self::params(name), key).expect("a certificate"))
    }

    /// Somebody whom this one lets issue certificates.
    pub(crate) fn deputy(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::signed_by(Self::params(name), key, &self.0).expect("a certificate"))
    }

    /// The same, from one day to another, counted from today.
    pub(crate) fn deputy_for(&self, name: &str, from: i64, to: i64) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = Self::params(name);
        hold(&mut params, from, to);
        Self(CertifiedIssuer::signed_by(params, key, &self.0).expect("a certificate"))
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params
    }

    pub(crate) fn issue(&self, wanted: Wanted) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity { certificate: wanted.params().signed_by(&key, &self.0).expect("a certificate"), key }
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }
}

/// Files that are nowhere but here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(pub(crate) BTreeMap<&'static str, String>);

impl Files for Shelf {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let found = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(found.clone().into_bytes())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none here".to_owned())
    }
}
