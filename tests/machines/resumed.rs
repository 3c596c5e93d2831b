//! Sessions that are resumed, and whose they are; the first message of those that are not.

use std::sync::Arc;
use std::time::Duration;

use hfm::probe::Compiler;
use hfm::rule::Tls;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, NamedGroup, ServerConfig};

use crate::asked::tls;
use crate::certificates::{Authority, Identity, Wanted, wall};
use crate::peer::config_of;
use crate::talk::{Talk, https, probe};
use crate::tls::{VERSIONS, in_order, shelf_of};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
const WRONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";

fn resuming() -> Tls {
    Tls { resume: true, ..tls() }
}

/// The next run, with this answer, and how its handshake went.
fn next(talk: &mut Talk, answer: &str) -> Option<HandshakeKind> {
    talk.connect();
    talk.settle().say(answer);
    talk.handshake()
}

/// A server that does so many runs' worth of tickets at a time.
fn with_tickets(identity: &Identity, tickets: usize) -> ServerConfig {
    let mut config = config_of(identity, &[&TLS13]);
    config.send_tls13_tickets = tickets;
    config
}

#[test]
fn every_run_resumes_the_last_however_few_tickets_there_are_and_however_it_ended() {
    let (identity, shelf) = in_order();
    for config in [with_tickets(&identity, 1), with_tickets(&identity, 7), config_of(&identity, &[&TLS12])] {
        let mut talk = Talk::new(&probe(resuming(), https(&["ready"], false)), &shelf, config, usize::MAX);
        talk.settle().say(ANSWER);
        for run in 0..20 {
            let (answer, reason) = if run % 3 == 0 { (WRONG, "pattern-missing") } else { (ANSWER, "ok") };
            assert_eq!(next(&mut talk, answer), Some(HandshakeKind::Resumed), "run {run}");
            assert_eq!(talk.reason(), reason, "run {run}: {}", talk.detail());
        }
    }
}

#[test]
fn a_server_that_offers_nothing_to_resume_is_as_good() {
    let (identity, shelf) = in_order();
    let mut forgetful = config_of(&identity, &[&TLS12]);
    forgetful.session_storage = Arc::new(NoServerSessionStorage {});
    for config in [with_tickets(&identity, 0), forgetful] {
        let mut talk = Talk::new(&probe(resuming(), https(&["ready"], false)), &shelf, config, usize::MAX);
        talk.settle().say(ANSWER);
        for run in 0..3 {
            assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Full), "run {run}");
            assert_eq!(talk.reason(), "ok", "run {run}: {}", talk.detail());
        }
    }
}

/// A server that has been started again knows nothing of its sessions.
#[test]
fn a_session_that_the_server_has_forgotten_is_begun_anew() {
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        let config = || config_of(&identity, versions);
        let mut talk = Talk::new(&probe(resuming(), https(&["ready"], false)), &shelf, config(), usize::MAX);
        talk.settle().say(ANSWER);
        for _ in 0..3 {
            assert_eq!(talk.meet(config()).say(ANSWER).reason(), "ok", "{}", talk.detail());
            assert_eq!(talk.handshake(), Some(HandshakeKind::Full));
            assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Resumed));
        }
    }
}

/// Two rules may ask one name of different servers.
#[test]
fn no_rule_resumes_the_session_of_another() {
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        let mut compiler = Compiler::default();
        let probe = probe(resuming(), https(&["ready"], false));
        for _ in 0..3 {
            let config = config_of(&identity, versions);
            let mut talk = Talk::with(&mut compiler, &probe, &shelf, config, usize::MAX);
            talk.settle().say(ANSWER);
            assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Resumed), "its own");
            let config = config_of(&identity, versions);
            let mut other = Talk::with(&mut compiler, &probe, &shelf, config, usize::MAX);
            other.settle().say(ANSWER);
            assert_eq!(other.handshake(), Some(HandshakeKind::Full), "it has none yet");
            assert_eq!(other.reason(), "ok");
        }
    }
}

/// A server of one group alone.
fn of_group(identity: &Identity, group: NamedGroup) -> ServerConfig {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.kx_groups.retain(|known| known.name() == group);
    let provider: Arc<CryptoProvider> = provider.into();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain(), identity.key())
        .expect("a certificate and its key")
}

/// It would cost a round trip in every run.
#[test]
fn the_wrong_group_is_tried_once_only() {
    let (identity, shelf) = in_order();
    for resume in [false, true] {
        let mut compiler = Compiler::default();
        let probe = probe(Tls { resume, ..tls() }, https(&["ready"], false));
        let config = of_group(&identity, NamedGroup::secp256r1);
        let mut talk = Talk::with(&mut compiler, &probe, &shelf, config, usize::MAX);
        talk.settle().say(ANSWER);
        assert_eq!(talk.handshake(), Some(HandshakeKind::Full), "it is the one tried first");
        let usual = if resume { HandshakeKind::Resumed } else { HandshakeKind::Full };
        // From one kind of server to another, and back.
        for group in [NamedGroup::X25519, NamedGroup::secp384r1, NamedGroup::secp256r1, NamedGroup::X25519] {
            talk.meet(of_group(&identity, group)).say(ANSWER);
            assert_eq!(talk.handshake(), Some(HandshakeKind::FullWithHelloRetryRequest), "{group:?}");
            assert_eq!(talk.reason(), "ok", "{}", talk.detail());
            for _ in 0..3 {
                assert_eq!(next(&mut talk, ANSWER), Some(usual), "{group:?}");
                assert_eq!(talk.reason(), "ok", "{}", talk.detail());
            }
        }
    }
}

/// A certificate above the server's own may run out first, and a handshake that resumes shows neither: a rule that
/// resumed in every run went on for ever.
#[test]
fn a_session_does_not_outlive_the_authorities_that_it_was_verified_by() {
    let root = Authority::new("root");
    let (shelf, hour) = (shelf_of(root.pem()), Duration::from_secs(3_600));
    let deputy = root.deputy_for("deputy", -1, 1);
    let server = deputy.issue(Wanted::default());
    let config = |versions| {
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert([server.chain(), vec![deputy.der()]].concat(), server.key())
            .expect("a certificate and its key")
    };
    for versions in VERSIONS {
        for (verify, wall, reason, words) in [
            (true, wall() + 11 * hour, "ok", ""),
            (true, wall() + 13 * hour, "tls-expired", "authority's certificate, behind"),
            (true, wall() + 13 * hour, "tls-expired", "expired 60 min ago"),
            (true, wall() - 37 * hour, "tls-not-yet", "authority's certificate, behind"),
            (true, wall() - 37 * hour, "tls-not-yet", "for another 60 min"),
            (false, wall() + 13 * hour, "ok", ""),
        ] {
            let probe = probe(Tls { verify, ..resuming() }, https(&["ready"], true));
            let mut talk = Talk::new(&probe, &shelf, config(versions), usize::MAX);
            assert_eq!(talk.settle().say(ANSWER).reason(), "ok", "{}", talk.detail());
            talk.clock_is_set(wall);
            assert_eq!(talk.certificate_lasts(), reason == "ok", "a connection that is kept");
            assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Resumed), "else this shows nothing");
            assert_eq!(talk.reason(), reason, "{}", talk.detail());
            assert!(talk.detail().contains(words), "{}", talk.detail());
            // A handshake in full says the same.
            let mut fresh = Talk::new(&probe, &shelf, config(versions), usize::MAX);
            fresh.clock_is_set(wall);
            if fresh.settle().reason() == "open" {
                fresh.say(ANSWER);
            }
            assert_eq!(fresh.reason(), reason, "{}", fresh.detail());
            assert!(fresh.detail().contains(words), "{}", fresh.detail());
        }
    }
}

/// Who connects for the first time finds it in order, and so must a rule: in TLS 1.2 the session was offered again and
/// again.
#[test]
fn a_server_that_stumbles_over_a_session_does_so_once() {
    /// handshake_failure.
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        let config = config_of(&identity, versions);
        let mut talk = Talk::new(&probe(resuming(), https(&["ready"], false)), &shelf, config, usize::MAX);
        talk.settle().say(ANSWER);
        assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Resumed));
        talk.connect();
        talk.feed(&ALERT);
        assert_eq!(talk.reason(), "tls-alert", "{}", talk.detail());
        assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Full));
        assert_eq!(talk.reason(), "ok", "{}", talk.detail());
        assert_eq!(next(&mut talk, ANSWER), Some(HandshakeKind::Resumed));
    }
}
