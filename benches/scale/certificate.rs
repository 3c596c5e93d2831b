//! The target's certificate: P-256, by an authority of the bench's own, which is all that a checker is told to trust.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name that it is for, at every address.
pub(crate) const NAME: &str = "scale.test";

/// Makes it; the authority's goes into this file. The server gives tickets and lets them be used.
pub(crate) fn server(ca_file: &Path) -> Arc<ServerConfig> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(rcgen::DnType::CommonName, "the authority of a benchmark");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"));
    let authority = authority.expect("a certificate");
    fs::write(ca_file, authority.pem()).expect("a file for the authority's certificate");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new([NAME.to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("its own key");
    config.ticketer = ring::Ticketer::new().expect("a key for tickets");
    Arc::new(config)
}
