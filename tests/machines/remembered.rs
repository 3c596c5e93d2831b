//! A chain that was found good is not verified again, and nothing else is taken on trust for it: each test
//! meets a server that is in order first, twice, and then one that differs from it in one thing.

use std::sync::Arc;
use std::time::Duration;

use hfm::probe::Compiler;
use hfm::rule::Tls;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};

use crate::asked::tls;
use crate::certificates::{Authority, Identity, Shelf, Wanted, wall};
use crate::peer::config_of;
use crate::talk::{Talk, bare, probe};
use crate::tls::{VERSIONS, shelf_of};

type Versions<'a> = &'a [&'static SupportedProtocolVersion];

/// Shows a chain, and signs with a key that may be another's.
#[derive(Debug)]
struct Showing(Arc<CertifiedKey>);

impl ResolvesServerCert for Showing {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn showing(chain: Vec<CertificateDer<'static>>, key: &Identity, versions: Versions<'_>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = provider.key_provider.load_private_key(key.key()).expect("a key");
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Showing(Arc::new(CertifiedKey::new(chain, key)))))
}

/// A root, one that issues for it, and a server of the latter.
struct House {
    root: Authority,
    deputy: Authority,
    server: Identity,
}

impl House {
    fn new() -> Self {
        let root = Authority::new("root");
        let deputy = root.deputy("deputy");
        let server = deputy.issue(Wanted::default());
        Self { root, deputy, server }
    }

    fn shelf(&self) -> Shelf {
        shelf_of(self.root.pem())
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.server.chain().remove(0), self.deputy.der()]
    }

    fn config(&self, versions: Versions<'_>) -> ServerConfig {
        showing(self.chain(), &self.server, versions)
    }

    /// A rule that has met its server twice and found it good.
    fn met(&self, compiler: &mut Compiler, versions: Versions<'_>) -> Talk {
        let probe = probe(tls(), bare());
        let mut talk = Talk::with(compiler, &probe, &self.shelf(), self.config(versions), usize::MAX);
        assert_eq!(talk.settle().reason(), "ok", "{}", talk.detail());
        assert_eq!(talk.meet(self.config(versions)).reason(), "ok", "{}", talk.detail());
        talk
    }
}

/// What a rule finds of the next server, and that it takes the good one for good afterwards.
fn expect(house: &House, met: &mut Talk, config: &ServerConfig, versions: Versions<'_>, reason: &str) {
    for _ in 0..2 {
        assert_eq!(met.meet(config.clone()).reason(), reason, "{}", met.detail());
    }
    assert_eq!(met.meet(house.config(versions)).reason(), "ok", "{}", met.detail());
}

#[test]
fn another_certificate_is_verified() {
    let house = House::new();
    let stranger = Authority::new("root");
    for versions in VERSIONS {
        let mut met = house.met(&mut Compiler::default(), versions);
        let also_good = house.deputy.issue(Wanted::default());
        let config = showing(vec![also_good.chain().remove(0), house.deputy.der()], &also_good, versions);
        expect(&house, &mut met, &config, versions, "ok");
        for (identity, reason) in [
            (stranger.issue(Wanted::default()), "tls-untrusted"),
            (Identity::self_signed(Wanted::default()), "tls-untrusted"),
            (house.deputy.issue(Wanted { names: &["other.example.com"], ..Wanted::default() }), "tls-name"),
            (house.deputy.issue(Wanted { from: -9, to: -2, ..Wanted::default() }), "tls-expired"),
        ] {
            let config = showing(vec![identity.chain().remove(0), house.deputy.der()], &identity, versions);
            expect(&house, &mut met, &config, versions, reason);
        }
    }
}

#[test]
fn the_same_certificate_with_other_intermediates_is_verified() {
    let house = House::new();
    let leaf = house.server.chain().remove(0);
    // Of the same name, with another key.
    let double = house.root.deputy("deputy");
    let stranger = Authority::new("root").deputy("deputy");
    for versions in VERSIONS {
        for (chain, reason) in [
            (vec![leaf.clone()], "tls-untrusted"),
            (vec![leaf.clone(), double.der()], "tls-untrusted"),
            (vec![leaf.clone(), stranger.der()], "tls-untrusted"),
            (vec![leaf.clone(), double.der(), house.deputy.der()], "ok"),
        ] {
            let mut met = house.met(&mut Compiler::default(), versions);
            let config = showing(chain, &house.server, versions);
            expect(&house, &mut met, &config, versions, reason);
        }
    }
}

/// The chain proves whose key it is; that the server holds the key, only the handshake's signature does.
#[test]
fn a_server_that_shows_a_good_chain_and_signs_with_another_key_fails() {
    let house = House::new();
    let thief = house.deputy.issue(Wanted::default());
    for versions in VERSIONS {
        let mut met = house.met(&mut Compiler::default(), versions);
        expect(&house, &mut met, &showing(house.chain(), &thief, versions), versions, "tls-untrusted");
        assert_eq!(met.meet(showing(house.chain(), &thief, versions)).reason(), "tls-untrusted");
        assert!(met.detail().contains("BadSignature"), "{}", met.detail());
    }
}

#[test]
fn another_name_is_verified() {
    let house = House::new();
    for versions in VERSIONS {
        let mut compiler = Compiler::default();
        let _met = house.met(&mut compiler, versions);
        for (name, reason) in [("192.0.2.7", "ok"), ("other.example.com", "tls-name")] {
            let probe = probe(Tls { name: name.into(), ..tls() }, bare());
            let config = house.config(versions);
            let mut talk = Talk::with(&mut compiler, &probe, &house.shelf(), config, usize::MAX);
            assert_eq!(talk.settle().reason(), reason, "{}", talk.detail());
        }
    }
}

#[test]
fn another_trust_file_remembers_nothing_of_the_first() {
    let house = House::new();
    let mut shelf = house.shelf();
    shelf.0.insert("other.pem", Authority::new("root").pem());
    for versions in VERSIONS {
        let mut compiler = Compiler::default();
        let _met = house.met(&mut compiler, versions);
        let probe = probe(Tls { ca: Some("other.pem".into()), ..tls() }, bare());
        let mut talk = Talk::with(&mut compiler, &probe, &shelf, house.config(versions), usize::MAX);
        assert_eq!(talk.settle().reason(), "tls-untrusted", "{}", talk.detail());
    }
}

#[test]
fn a_configuration_that_is_read_again_with_another_trust_file_remembers_nothing() {
    let house = House::new();
    for versions in VERSIONS {
        let _met = house.met(&mut Compiler::default(), versions);
        let (probe, changed) = (probe(tls(), bare()), shelf_of(Authority::new("root").pem()));
        let mut talk =
            Talk::with(&mut Compiler::default(), &probe, &changed, house.config(versions), usize::MAX);
        assert_eq!(talk.settle().reason(), "tls-untrusted", "{}", talk.detail());
    }
}

#[test]
fn the_clock_counts_for_a_chain_that_was_good_before() {
    let root = Authority::new("root");
    let deputy = root.deputy("deputy");
    let server = deputy.issue(Wanted { from: -1, to: 1, ..Wanted::default() });
    let house = House { root, deputy, server };
    let day = Duration::from_secs(86_400);
    for versions in VERSIONS {
        let mut met = house.met(&mut Compiler::default(), versions);
        // The certificate holds from midnight to midnight, and it is noon.
        for (wall, reason) in [
            (wall() + day / 2, "ok"),
            (wall() + day / 2 + Duration::from_secs(1), "tls-expired"),
            (wall() + 400 * day, "tls-expired"),
            (wall() - 2 * day, "tls-not-yet"),
            (wall() - day - day / 2 - Duration::from_secs(1), "tls-not-yet"),
            (wall() - day - day / 2, "ok"),
            (wall(), "ok"),
        ] {
            met.clock_is_set(wall);
            assert_eq!(met.meet(house.config(versions)).reason(), reason, "{}", met.detail());
        }
    }
}

#[test]
fn what_was_turned_down_is_verified_again() {
    let root = Authority::new("root");
    let deputy = root.deputy("deputy");
    let server = deputy.issue(Wanted { from: 2, to: 9, ..Wanted::default() });
    let house = House { root, deputy, server };
    for versions in VERSIONS {
        let (probe, config) = (probe(tls(), bare()), house.config(versions));
        let mut talk = Talk::new(&probe, &house.shelf(), config.clone(), usize::MAX);
        assert_eq!(talk.settle().reason(), "tls-not-yet", "{}", talk.detail());
        talk.clock_is_set(wall() + Duration::from_secs(5 * 86_400));
        assert_eq!(talk.meet(config.clone()).reason(), "ok", "{}", talk.detail());
        talk.clock_is_set(wall());
        assert_eq!(talk.meet(config).reason(), "tls-not-yet", "{}", talk.detail());
    }
}

#[test]
fn a_rule_that_verifies_nothing_has_nothing_to_tell_one_that_does() {
    let (house, stranger) = (House::new(), Authority::new("root").issue(Wanted::default()));
    for versions in VERSIONS {
        let mut compiler = Compiler::default();
        let careless = probe(Tls { verify: false, ..tls() }, bare());
        for _ in 0..2 {
            let config = config_of(&stranger, versions);
            let mut talk = Talk::with(&mut compiler, &careless, &house.shelf(), config, usize::MAX);
            assert_eq!(talk.settle().reason(), "ok");
        }
        let mut met = house.met(&mut compiler, versions);
        expect(&house, &mut met, &config_of(&stranger, versions), versions, "tls-untrusted");
    }
}

/// Named in the trust file itself, and another beside it that is not.
#[test]
fn a_pinned_certificate_is_no_better_remembered_than_another() {
    let own = Identity::self_signed(Wanted { from: -1, to: 1, ..Wanted::default() });
    let copy = Identity::self_signed(Wanted { from: -1, to: 1, ..Wanted::default() });
    for versions in VERSIONS {
        let probe = probe(tls(), bare());
        let mut talk = Talk::new(&probe, &shelf_of(own.pem()), config_of(&own, versions), usize::MAX);
        assert_eq!(talk.settle().reason(), "ok", "{}", talk.detail());
        assert_eq!(talk.meet(config_of(&own, versions)).reason(), "ok");
        assert_eq!(talk.meet(config_of(&copy, versions)).reason(), "tls-untrusted");
        assert_eq!(talk.meet(showing(own.chain(), &copy, versions)).reason(), "tls-untrusted");
        talk.time_passes(Duration::from_secs(86_400));
        assert_eq!(talk.meet(config_of(&own, versions)).reason(), "tls-expired");
    }
}
