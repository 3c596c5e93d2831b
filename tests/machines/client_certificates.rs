//! Servers that ask for the client's certificate. In TLS 1.3 they judge it when the handshake is over for
//! the client, and what a run without an answer waits for is shown here.

use std::sync::Arc;

use hfm::probe::{Compiler, WallClock};
use hfm::rule::{Service, Tls};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};

use crate::asked::tls;
use crate::certificates::{Authority, Identity, Shelf, Wanted, wall};
use crate::talk::{Talk, bare, https, probe, send_only};
use crate::tls::{PIECES, VERSIONS};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A server, and clients of which it may know the authority.
struct Cast {
    authority: Authority,
    identity: Identity,
    shelf: Shelf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Nothing,
    Known,
    Unknown,
}

impl Cast {
    fn new() -> Self {
        let authority = Authority::new("authority");
        let identity = authority.issue(Wanted::default());
        let known = authority.issue(Wanted::default());
        let unknown = Authority::new("unknown").issue(Wanted::default());
        let files = [
            ("ca.pem", authority.pem()),
            ("known.pem", known.pem()),
            ("known.key", known.key_pem()),
            ("unknown.pem", unknown.pem()),
            ("unknown.key", unknown.key_pem()),
        ];
        Self { authority, identity, shelf: Shelf(files.into()) }
    }

    fn config(&self, asks: Asks, versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        if asks == Asks::Optional {
            verifier = verifier.allow_unauthenticated();
        }
        let clock = WallClock::default();
        clock.set(wall());
        ServerConfig::builder_with_details(provider, Arc::new(clock))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(self.identity.chain(), self.identity.key())
            .expect("a certificate and its key")
    }

    fn talk(&self, shows: Shows, service: Service, config: ServerConfig, piece: usize) -> Talk {
        let client = match shows {
            Shows::Nothing => None,
            Shows::Known => Some(("known.pem".into(), "known.key".into())),
            Shows::Unknown => Some(("unknown.pem".into(), "unknown.key".into())),
        };
        Talk::new(&probe(Tls { client, ..tls() }, service), &self.shelf, config, piece)
    }
}

#[test]
fn a_server_turns_down_a_client_with_an_alert_in_either_version() {
    let cast = Cast::new();
    for versions in VERSIONS {
        for piece in PIECES {
            for (asks, shows, reason) in [
                (Asks::Required, Shows::Nothing, "tls-alert"),
                (Asks::Required, Shows::Unknown, "tls-alert"),
                (Asks::Required, Shows::Known, "ok"),
                (Asks::Optional, Shows::Nothing, "ok"),
                (Asks::Optional, Shows::Unknown, "tls-alert"),
                (Asks::Optional, Shows::Known, "ok"),
            ] {
                let mut talk = cast.talk(shows, bare(), cast.config(asks, versions), piece);
                talk.settle();
                assert_eq!(talk.reason(), reason, "{asks:?} {shows:?} bare: {}", talk.detail());
                // One that merely sends was a success before the server had seen the certificate.
                let mut talk = cast.talk(shows, send_only(), cast.config(asks, versions), piece);
                talk.settle();
                assert_eq!(talk.reason(), reason, "{asks:?} {shows:?} send: {}", talk.detail());
                let heard = if reason == "ok" { &b"hello"[..] } else { b"" };
                assert_eq!(talk.peer.heard(), heard, "{asks:?} {shows:?}");
                let mut talk = cast.talk(shows, https(&[], false), cast.config(asks, versions), piece);
                talk.settle();
                if reason == "ok" {
                    talk.say(ANSWER);
                }
                assert_eq!(talk.reason(), reason, "{asks:?} {shows:?} https: {}", talk.detail());
            }
        }
    }
}

#[test]
fn a_server_that_issues_no_tickets_shows_its_consent_by_its_end() {
    let cast = Cast::new();
    for service in [bare(), send_only()] {
        for piece in PIECES {
            let new = || {
                let mut config = cast.config(Asks::Required, &[&TLS13]);
                config.send_tls13_tickets = 0;
                let mut talk = cast.talk(Shows::Known, service.clone(), config, piece);
                assert_eq!(talk.settle().reason(), "open", "it waits: {}", talk.detail());
                talk
            };
            assert_eq!(new().fin().reason(), "ok");
            assert_eq!(new().say_goodbye().reason(), "ok");
            assert_eq!(new().deadline().reason(), "ok");
            // Plain text is in the way of what follows, and must not stop it.
            let text = "x".repeat(100_000);
            assert_eq!(new().say(&text).say_goodbye().reason(), "ok");
        }
    }
}

#[test]
fn one_servers_question_is_not_anothers() {
    // Two rules share a configuration, and only the server of the first asks.
    let cast = Cast::new();
    let mut compiler = Compiler::default();
    let mut talk = |mut config: ServerConfig| {
        config.send_tls13_tickets = 0;
        Talk::with(&mut compiler, &probe(tls(), bare()), &cast.shelf, config, 61)
    };
    let mut asked = talk(cast.config(Asks::Optional, &[&TLS13]));
    let mut not_asked = talk(crate::peer::config_of(&cast.identity, &[&TLS13]));
    asked.settle();
    not_asked.settle();
    assert_eq!((asked.reason(), not_asked.reason()), ("open", "ok"));
    assert_eq!(asked.fin().reason(), "ok");
}
