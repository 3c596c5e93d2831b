use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::RootCertStore;

use super::*;
use crate::probe::tls::provider::provider;

const NAME: &str = "web.example.com";
const NOON: Duration = Duration::from_secs(15 * 86_400);

/// A root, and a certificate of its own making that holds for some days around noon.
fn issued() -> (CertificateDer<'static>, CertificateDer<'static>) {
    let day = |day: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(day * 86_400);
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (day(10), day(20));
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
    (root.der().clone(), leaf.der().clone())
}

/// One that trusts this root, or nobody.
fn verifier(root: Option<&CertificateDer<'static>>, remembered: &Arc<Remembered>) -> Verifier {
    let provider = Arc::new(provider());
    let algorithms = provider.signature_verification_algorithms;
    let chain = root.map(|root| {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap()
    });
    Verifier::new(chain, Arc::new([]), remembered.clone(), algorithms)
}

fn is_good(verifier: &Verifier, leaf: &CertificateDer<'_>, name: &str, at: Duration) -> bool {
    let (name, at) = (ServerName::try_from(name).unwrap(), UnixTime::since_unix_epoch(at));
    verifier.verify_server_cert(leaf, &[], &name, &[], at).is_ok()
}

/// Seen by a verifier that trusts nobody, and knows only what another has remembered.
#[test]
fn what_was_found_good_is_not_verified_again() {
    let (root, leaf) = issued();
    let remembered = Arc::new(Remembered::default());
    let (trusting, knowing) = (verifier(Some(&root), &remembered), verifier(None, &remembered));
    assert!(!is_good(&knowing, &leaf, NAME, NOON), "nothing is remembered yet");
    assert!(is_good(&trusting, &leaf, NAME, NOON));
    assert!(is_good(&knowing, &leaf, NAME, NOON));
    assert!(!is_good(&knowing, &leaf, "www.example.com", NOON));
    assert!(!is_good(&knowing, &leaf, NAME, 2 * NOON));
}

#[test]
fn what_was_turned_down_is_not_remembered_in_any_way() {
    let ((root, leaf), (other, _)) = (issued(), issued());
    let remembered = Arc::new(Remembered::default());
    let (trusting, knowing) = (verifier(Some(&root), &remembered), verifier(None, &remembered));
    let distrusting = verifier(Some(&other), &remembered);
    assert!(!is_good(&distrusting, &leaf, NAME, NOON));
    assert!(!is_good(&trusting, &leaf, "www.example.com", NOON));
    assert!(!is_good(&trusting, &leaf, NAME, 2 * NOON));
    assert!(!is_good(&knowing, &leaf, NAME, NOON), "not as good");
    assert!(is_good(&trusting, &leaf, NAME, NOON), "nor as bad");
}
