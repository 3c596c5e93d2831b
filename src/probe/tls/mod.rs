//! TLS around a probe: what is agreed on, whom we trust, and what a certificate must be.
//!
//! The one place that knows rustls. Trust files are parsed once for all rules that name them, and rules
//! that ask for the same share one configuration; those that may resume have each their own sessions beside
//! it. A chain that was found good is not verified again while it holds (`remembered`).

mod client;
mod kept;
mod provider;
mod remembered;
mod session;
mod verify;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, Tls12Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use super::compile::{CompileError, Files};
use crate::rule::{self, TlsVersion};
use client::ClientCertificate;
use kept::{Groups, Kept};
use remembered::Remembered;
pub(super) use session::{Plan, Progress, Session, scratch};
use verify::{Anything, Verifier};

/// The wall clock by which certificates are judged: set by whoever owns the clock, before each use.
#[derive(Debug, Default)]
pub struct WallClock(AtomicU64);

impl WallClock {
    /// Sets it; seconds are enough for certificates.
    pub fn set(&self, wall: SystemTime) {
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.store(since.as_secs(), Ordering::Relaxed);
    }
}

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}

/// Makes plans, and keeps what many of them share.
#[derive(Debug)]
pub(super) struct Compiler {
    provider: Arc<CryptoProvider>,
    clock: Arc<WallClock>,
    /// By file; `None` is the system's.
    trust: HashMap<Option<Box<str>>, Trust>,
    shared: HashMap<rule::Tls, Configured>,
}

/// What rules may share.
#[derive(Clone, Debug)]
struct Configured {
    config: Arc<ClientConfig>,
    client: Arc<ClientCertificate>,
    verifier: Option<Arc<Verifier>>,
    /// A digest of the files that it was made from.
    contents: u64,
}

/// What a trust file holds.
#[derive(Clone, Debug)]
struct Trust {
    chain: Option<Arc<WebPkiServerVerifier>>,
    pinned: Arc<[CertificateDer<'static>]>,
    /// What it was found to lead to.
    remembered: Arc<Remembered>,
    /// A digest of all of them.
    certificates: u64,
}

impl Compiler {
    pub(super) fn new(clock: Arc<WallClock>) -> Self {
        let provider = Arc::new(provider::provider());
        Self { provider, clock, trust: HashMap::new(), shared: HashMap::new() }
    }

    pub(super) fn compile(&mut self, tls: &rule::Tls, files: &mut dyn Files) -> Result<Plan, CompileError> {
        let name = ServerName::try_from(&*tls.name).map(|name| name.to_owned());
        let name = name.map_err(|_| {
            CompileError::new("tls_name", format!("'{}' is no name that TLS can carry", tls.name))
        })?;
        // What differs between rules that may share a configuration, and what must not be shared.
        let key = rule::Tls { name: "".into(), expiry: Duration::ZERO, ..tls.clone() };
        let known = self.shared.get(&key).cloned();
        let Configured { mut config, client, verifier, contents } = match known {
            Some(known) => known,
            None => {
                let made = self.configure(tls, files)?;
                self.shared.insert(key, made.clone());
                made
            }
        };
        if tls.verify {
            self.trust(tls.ca.as_deref(), files)?.remembered.make_room();
        }
        if tls.resume {
            // A copy is small: all that is large in it is shared.
            let mut own = ClientConfig::clone(&config);
            own.resumption = Resumption::store(Arc::new(Kept::default()));
            config = Arc::new(own);
        }
        Ok(Plan { config, name, client, verifier, expiry: tls.expiry, contents })
    }

    fn configure(&mut self, tls: &rule::Tls, files: &mut dyn Files) -> Result<Configured, CompileError> {
        // Its keys are fixed: the same files have the same digest whenever they are read.
        let mut contents = DefaultHasher::new();
        let algorithms = self.provider.signature_verification_algorithms;
        let verifier = if tls.verify {
            let Trust { chain, pinned, remembered, certificates } = self.trust(tls.ca.as_deref(), files)?;
            certificates.hash(&mut contents);
            Some(Arc::new(Verifier::new(chain, pinned, remembered, algorithms)))
        } else {
            None
        };
        let judge: Arc<dyn ServerCertVerifier> = match &verifier {
            Some(verifier) => verifier.clone(),
            None => Arc::new(Anything(algorithms)),
        };
        let key = match &tls.client {
            Some((certificate, key)) => Some(self.client_key(certificate, key, files, &mut contents)?),
            None => None,
        };
        let client = Arc::new(ClientCertificate::new(key.map(Arc::new)));
        let versions: &[_] = match tls.min {
            TlsVersion::V12 => &[&TLS13, &TLS12],
            TlsVersion::V13 => &[&TLS13],
        };
        let builder = ClientConfig::builder_with_details(self.provider.clone(), self.clock.clone());
        let mut config = builder
            .with_protocol_versions(versions)
            .map_err(|error| CompileError::new("tls_min", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(judge)
            .with_client_cert_resolver(client.clone());
        config.alpn_protocols = tls.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let groups = Resumption::store(Arc::new(Groups::new(provider::FIRST_GROUP)));
        config.resumption = groups.tls12_resumption(Tls12Resumption::Disabled);
        Ok(Configured { config: Arc::new(config), client, verifier, contents: contents.finish() })
    }

    fn trust(&mut self, file: Option<&str>, files: &mut dyn Files) -> Result<Trust, CompileError> {
        if let Some(known) = self.trust.get(&file.map(Box::from)) {
            return Ok(known.clone());
        }
        let certificates = match file {
            Some(path) => certificates("tls_ca", path, files)?,
            None => {
                let roots = files.system_roots().map_err(|why| {
                    let why = format!("the system's trusted certificates cannot be read: {why}");
                    CompileError::new("tls_ca", why)
                })?;
                roots.into_iter().map(CertificateDer::from).collect()
            }
        };
        let digest = digest(&certificates);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        if file.is_none() && roots.is_empty() {
            let why = "this system has no trusted certificates; name a file of them, or install them \
                       (package ca-certificates, on FreeBSD ca_root_nss)";
            return Err(CompileError::new("tls_ca", why.to_owned()));
        }
        let chain = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), self.provider.clone());
            Some(builder.build().map_err(|error| CompileError::new("tls_ca", error.to_string()))?)
        };
        let pinned = if file.is_some() { certificates } else { Vec::new() };
        let remembered = Arc::default();
        let trust = Trust { chain, pinned: pinned.into(), remembered, certificates: digest };
        self.trust.insert(file.map(Box::from), trust.clone());
        Ok(trust)
    }

    fn client_key(
        &self,
        certificate: &str,
        key: &str,
        files: &mut dyn Files,
        contents: &mut DefaultHasher,
    ) -> Result<CertifiedKey, CompileError> {
        let chain = certificates("tls_cert", certificate, files)?;
        chain.iter().for_each(|certificate| certificate.as_ref().hash(contents));
        let pem = read("tls_key", key, files)?;
        pem.hash(contents);
        let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
            CompileError::new("tls_key", format!("{key} has no usable private key: {error}"))
        })?;
        CertifiedKey::from_der(chain, der, &self.provider).map_err(|error| {
            CompileError::new("tls_key", format!("{key} cannot be used with {certificate}: {error}"))
        })
    }
}

/// The same for the same certificates in any order, for the system's come in whatever order they are found.
fn digest(certificates: &[CertificateDer<'_>]) -> u64 {
    let one = |certificate: &CertificateDer<'_>| {
        let mut hasher = DefaultHasher::new();
        certificate.as_ref().hash(&mut hasher);
        hasher.finish()
    };
    let mut all: Vec<u64> = certificates.iter().map(one).collect();
    all.sort_unstable();
    all.dedup();
    let mut hasher = DefaultHasher::new();
    all.hash(&mut hasher);
    hasher.finish()
}

fn read(property: &'static str, path: &str, files: &mut dyn Files) -> Result<Vec<u8>, CompileError> {
    files.read(path).map_err(|error| CompileError::new(property, format!("cannot read {path}: {error}")))
}

/// The certificates of a PEM file, at least one.
fn certificates(
    property: &'static str,
    path: &str,
    files: &mut dyn Files,
) -> Result<Vec<CertificateDer<'static>>, CompileError> {
    let pem = read(property, path, files)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(CompileError::new(property, format!("{path} has no certificate in PEM form"))),
        Err(error) => Err(CompileError::new(property, format!("{path} is not good PEM: {error}"))),
    }
}
