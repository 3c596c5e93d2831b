//! The cryptography, and what we would rather have of it. The server chooses; nothing is taken away.

use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, NamedGroup};

/// The group whose key share is sent at once. Every server of TLS 1.3 has to know it (RFC 8446 section 9.1),
/// and with our cryptography it costs the client less than X25519 does.
pub(super) const FIRST_GROUP: NamedGroup = NamedGroup::secp256r1;

/// The suites that cost least for exchanges as short as a probe's, where the key schedule is most of it:
/// processors have instructions for SHA-256, and few for SHA-384.
const FIRST_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// ring. Microseconds that a client's side of TLS 1.3 takes in memory, each library with the group and the
/// suite that suit it best, a P-256 certificate whose chain is remembered (AMD EPYC, rustls 0.23):
///
/// | | full | resumed |
/// |---|---|---|
/// | ring 0.17, P-256 | 95 | 57 |
/// | ring 0.17, X25519 | 96 | 59 |
/// | aws-lc-rs 1, X25519 | 82 | 41 |
/// | graviola 0.4, X25519 | 86 | 39 |
///
/// The difference is X25519, which the others have twice as fast. It would save a tenth of what a probe costs
/// with its connection, for a far larger build in C (aws-lc-rs), or for a young library that runs on newer
/// processors only (graviola). ring needs a C compiler and nothing else, and runs where FreeBSD does. With it
/// SHA-384 in place of SHA-256 costs 12 to 14.
pub(super) fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.kx_groups.sort_by_key(|group| group.name() != FIRST_GROUP);
    provider.cipher_suites.sort_by_key(|suite| !FIRST_SUITES.contains(&suite.suite()));
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_changes_and_nothing_is_left_out() {
        let (ours, theirs) = (provider(), ring::default_provider());
        assert_eq!(ours.kx_groups[0].name(), FIRST_GROUP);
        assert_eq!(ours.cipher_suites[0].suite(), FIRST_SUITES[0]);
        for group in &theirs.kx_groups {
            assert!(ours.kx_groups.iter().any(|ours| ours.name() == group.name()), "{group:?}");
        }
        for suite in &theirs.cipher_suites {
            assert!(ours.cipher_suites.contains(suite), "{suite:?}");
        }
    }
}
