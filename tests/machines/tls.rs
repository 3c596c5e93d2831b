//! TLS: whom the machine trusts, and what both sides have to agree on.

use std::time::Duration;

use hfm::rule::{Tls, TlsVersion};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::asked::tls;
use crate::certificates::{Authority, Identity, Shelf, Wanted};
use crate::peer::{config, config_of};
use crate::talk::{Talk, bare, probe};

pub(crate) const PIECES: [usize; 3] = [1, 61, usize::MAX];
pub(crate) const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];
const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn shelf_of(pem: String) -> Shelf {
    Shelf([("ca.pem", pem)].into())
}

/// A server that is in order, and the files that trust it.
pub(crate) fn in_order() -> (Identity, Shelf) {
    let authority = Authority::new("authority");
    (authority.issue(Wanted::default()), shelf_of(authority.pem()))
}

/// What a handshake with this certificate comes to, in every version and in pieces of every size.
fn check(identity: &Identity, shelf: &Shelf, tls: &Tls, reason: &str, detail: &str) {
    for versions in VERSIONS {
        for piece in PIECES {
            let mut talk =
                Talk::new(&probe(tls.clone(), bare()), shelf, config_of(identity, versions), piece);
            talk.settle().fin();
            assert_eq!(talk.reason(), reason, "{}, pieces of {piece}", talk.detail());
            assert!(talk.detail().contains(detail), "{}", talk.detail());
        }
    }
}

fn names(names: &'static [&'static str]) -> Wanted {
    Wanted { names, ..Wanted::default() }
}

const EXPIRED: Wanted = Wanted { names: &["web.example.com"], from: -10, to: -1 };
const NOT_YET: Wanted = Wanted { names: &["web.example.com"], from: 2, to: 9 };

#[test]
fn a_chain_is_judged_by_issuer_name_and_dates() {
    let authority = Authority::new("authority");
    let trusting = shelf_of(authority.pem());
    let other = shelf_of(Authority::new("other").pem());
    for (wanted, shelf, reason, detail) in [
        (Wanted::default(), &trusting, "ok", "ok"),
        (names(&["*.example.com"]), &trusting, "ok", "ok"),
        (
            names(&["other.example.com"]),
            &trusting,
            "tls-name",
            "is for other.example.com, not for web.example.com",
        ),
        (names(&["*.com"]), &trusting, "tls-name", "*.com"),
        (EXPIRED, &trusting, "tls-expired", "expired 36 h ago"),
        (NOT_YET, &trusting, "tls-not-yet", "for another 36 h"),
        (Wanted::default(), &other, "tls-untrusted", "issued by 'authority'"),
    ] {
        let identity = authority.issue(wanted);
        check(&identity, shelf, &tls(), reason, detail);
        check(&identity, shelf, &Tls { verify: false, ..tls() }, "ok", "ok");
    }
}

#[test]
fn a_certificate_in_the_trust_file_is_trusted_itself() {
    for (wanted, reason) in [
        (Wanted::default(), "ok"),
        (names(&["other.example.com"]), "tls-name"),
        (EXPIRED, "tls-expired"),
        (NOT_YET, "tls-not-yet"),
    ] {
        let self_signed = Identity::self_signed(wanted);
        check(&self_signed, &shelf_of(self_signed.pem()), &tls(), reason, "");
        // So is one whose issuer nobody trusts.
        let issued = Authority::new("unknown").issue(wanted);
        check(&issued, &shelf_of(issued.pem()), &tls(), reason, "");
    }
    let (one, another) = (Identity::self_signed(Wanted::default()), Identity::self_signed(Wanted::default()));
    check(&one, &shelf_of(another.pem()), &tls(), "tls-untrusted", "");
    check(&one, &shelf_of(another.pem() + &one.pem()), &tls(), "ok", "");
}

#[test]
fn an_address_is_a_name_like_any_other() {
    let (identity, shelf) = in_order();
    for (name, reason) in [
        ("192.0.2.7", "ok"),
        ("2001:db8::7", "ok"),
        ("2001:DB8:0::7", "ok"),
        ("192.0.2.8", "tls-name"),
        ("2001:db8::8", "tls-name"),
    ] {
        check(&identity, &shelf, &Tls { name: name.into(), ..tls() }, reason, "");
        check(
            &Identity::self_signed(Wanted::default()),
            &shelf,
            &Tls { name: name.into(), ..tls() },
            "tls-untrusted",
            "",
        );
    }
    for (name, sent) in [("192.0.2.7", None), ("web.example.com", Some("web.example.com"))] {
        let probe = probe(Tls { name: name.into(), ..tls() }, bare());
        let mut talk = Talk::new(&probe, &shelf, config(&identity), usize::MAX);
        talk.settle();
        assert_eq!(talk.peer.connection.server_name(), sent);
    }
}

#[test]
fn a_certificate_that_lasts_too_short_fails_and_is_measured() {
    let (identity, shelf) = in_order();
    for verify in [true, false] {
        for (expiry, reason) in [(0, "ok"), (89, "ok"), (90, "tls-expiry"), (1000, "tls-expiry")] {
            let tls = Tls { verify, expiry: expiry * DAY, ..tls() };
            check(&identity, &shelf, &tls, reason, "");
            for piece in PIECES {
                let mut talk = Talk::new(&probe(tls.clone(), bare()), &shelf, config(&identity), piece);
                let left = talk.settle().conversation.measured().certificate_left;
                assert_eq!(left, Some(90 * 86_400 - 43_200), "{reason}");
            }
        }
    }
}

#[test]
fn versions_and_protocols_that_do_not_meet_are_told_by_the_servers_alert() {
    let (identity, shelf) = in_order();
    let only_13 = Tls { min: TlsVersion::V13, ..tls() };
    let http = Tls { alpn: vec!["h2".into(), "http/1.1".into()], ..tls() };
    let mut speaks_other = config(&identity);
    speaks_other.alpn_protocols = vec![b"spdy".to_vec()];
    let mut speaks_http = config(&identity);
    speaks_http.alpn_protocols = vec![b"http/1.1".to_vec()];
    for (tls, config, reason, detail) in [
        (&only_13, config_of(&identity, &[&TLS12]), "tls-alert", "protocol_version"),
        (&only_13, config_of(&identity, &[&TLS13]), "ok", ""),
        (&http, speaks_other, "tls-alert", "no_application_protocol"),
        (&http, speaks_http, "ok", ""),
        (&http, config_of(&identity, &[&TLS12]), "ok", ""),
    ] {
        for piece in PIECES {
            let mut talk = Talk::new(&probe(tls.clone(), bare()), &shelf, config.clone(), piece);
            talk.settle();
            assert_eq!(talk.reason(), reason, "{}", talk.detail());
            assert!(talk.detail().contains(detail), "{}", talk.detail());
        }
    }
}

#[test]
fn what_is_not_tls_is_told() {
    let (identity, shelf) = in_order();
    for (answer, reason, detail) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "tls-protocol", "not TLS"),
        (b"220 mail.example.com ESMTP\r\n", "tls-protocol", "not TLS"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "tls-protocol", "not TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls-alert", "handshake_failure"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "tls-alert", "protocol_version"),
        (b"\x15\x03\x03\x00\x02\x02\x30", "tls-alert", "unknown_ca"),
        // An alert that the RFC does not know.
        (b"\x15\x03\x03\x00\x02\x02\xee", "tls-alert", ""),
        (b"\x15\x03\x03\x00\x02\x01\x00", "closed", "during the TLS handshake"),
        (b"\x17\x03\x03\x00\x05hello", "tls-protocol", ""),
        (b"\x16\x03\x03\xff\xff", "tls-protocol", ""),
        (b"", "closed", "during the TLS handshake"),
        (b"\x16\x03", "closed", "during the TLS handshake"),
    ] {
        for piece in PIECES {
            let mut talk = Talk::new(&probe(tls(), bare()), &shelf, config(&identity), piece);
            talk.feed(answer);
            talk.fin();
            assert_eq!(talk.reason(), reason, "{answer:?} in pieces of {piece}: {}", talk.detail());
            assert!(talk.detail().contains(detail), "{}", talk.detail());
        }
    }
}
