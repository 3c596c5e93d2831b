//! Sessions: how they break off and end, what came before that, and whether they are resumed.

use std::time::Duration;

use hfm::rule::{ProxyVersion, Tls};
use rustls::HandshakeKind;
use rustls::version::TLS13;

use crate::asked::tls;
use crate::certificates::{Authority, Wanted};
use crate::peer::{config, config_of};
use crate::talk::{Talk, bare, https, probe};
use crate::tls::{PIECES, VERSIONS, in_order, shelf_of};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";

/// The flight of a server, up to where the client is done, and what the client then has to say.
fn flight(talk: &mut Talk) -> Vec<u8> {
    talk.peer.hear(&mut talk.out).expect("a good hello");
    talk.peer.wire()
}

#[test]
fn a_handshake_that_breaks_off_anywhere_is_a_failure_of_tls() {
    let (identity, shelf) = in_order();
    let new = || Talk::new(&probe(tls(), bare()), &shelf, config_of(&identity, &[&TLS13]), usize::MAX);
    let whole = flight(&mut new()).len();
    for cut in (0..whole).step_by(7).chain([whole - 1]) {
        for (ends, reason) in
            [(Talk::fin as fn(&mut Talk) -> &mut Talk, "closed"), (Talk::deadline, "timeout-tls")]
        {
            let mut talk = new();
            let flight = flight(&mut talk);
            // Signatures differ in length by a few bytes.
            let cut = cut.min(flight.len() - 1);
            talk.feed(&flight[..cut]);
            ends(&mut talk);
            assert_eq!(talk.reason(), reason, "behind {cut} of {whole} bytes");
        }
    }
}

#[test]
fn records_may_be_split_at_any_byte() {
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        for at in (0_usize..2_000).step_by(13) {
            let probe = probe(tls(), https(&["ready"], false));
            let mut talk = Talk::new(&probe, &shelf, config_of(&identity, versions), usize::MAX);
            let mut fed = 0;
            for _ in 0..3 {
                let wire = flight(&mut talk);
                let (one, other) = wire.split_at(at.saturating_sub(fed).min(wire.len()));
                talk.feed(one);
                talk.feed(other);
                fed += wire.len();
                if !talk.peer.heard().is_empty() {
                    talk.peer.say(&[ANSWER.as_bytes()]);
                }
            }
            talk.settle();
            assert_eq!(talk.reason(), "ok", "split at {at}: {}", talk.detail());
        }
    }
}

#[test]
fn an_answer_may_end_with_or_without_a_goodbye() {
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        for piece in PIECES {
            for (expect, answer, reason) in [
                ("ready", "", "closed"),
                ("ready", "HTTP/1.1 2", "closed"),
                ("ready", "HTTP/1.1 200 OK\r\n\r\nnot read", "pattern-missing"),
                ("y$", "HTTP/1.1 200 OK\r\n\r\nready", "ok"),
                ("y$", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nready", "closed"),
                ("ready", ANSWER, "ok"),
            ] {
                let mut service = https(&[], false);
                if let hfm::rule::Service::Http(_, http) = &mut service {
                    http.patterns.expect_regex = vec![expect.into()];
                }
                let new = || {
                    let mut talk = Talk::new(
                        &probe(tls(), service.clone()),
                        &shelf,
                        config_of(&identity, versions),
                        piece,
                    );
                    talk.settle().say(answer);
                    talk
                };
                // FIN alone, a goodbye alone, both.
                assert_eq!(new().fin().reason(), reason, "{answer:?}, FIN");
                assert_eq!(new().say_goodbye().reason(), reason, "{answer:?}, close_notify");
                assert_eq!(new().say_goodbye().fin().reason(), reason, "{answer:?}, both");
            }
        }
    }
}

#[test]
fn a_session_that_has_failed_or_ended_serves_no_second_run() {
    let (identity, shelf) = in_order();
    for ending in ["none", "goodbye", "garbage"] {
        for piece in PIECES {
            let mut talk =
                Talk::new(&probe(tls(), https(&["ready"], true)), &shelf, config(&identity), piece);
            talk.settle();
            talk.peer.say(&[ANSWER.as_bytes()]);
            let mut wire = talk.peer.wire();
            match ending {
                "goodbye" => {
                    talk.peer.connection.send_close_notify();
                    wire.extend_from_slice(&talk.peer.wire());
                }
                "garbage" => wire.extend_from_slice(b"\x17\x03\x03\x00\x20this is no record of that session"),
                _ => {}
            }
            talk.feed(&wire);
            // What came before the end counts, be it in one piece with it.
            assert_eq!(talk.reason(), "ok", "{ending} in pieces of {piece}: {}", talk.detail());
            assert_eq!(
                talk.conversation.can_serve_again(),
                ending == "none",
                "{ending} in pieces of {piece}"
            );
        }
    }
}

#[test]
fn what_came_before_a_session_failed_counts() {
    let (identity, shelf) = in_order();
    for piece in PIECES {
        // The handshake is over for the client with the server's flight.
        let mut talk = Talk::new(&probe(tls(), bare()), &shelf, config_of(&identity, &[&TLS13]), piece);
        let mut wire = flight(&mut talk);
        wire.extend_from_slice(b"\x15\x03\x03\x00\x02\x02\x28");
        talk.feed(&wire);
        assert_eq!(talk.reason(), "ok", "pieces of {piece}: {}", talk.detail());
        // An answer is an answer.
        let mut talk = Talk::new(&probe(tls(), https(&["ready"], false)), &shelf, config(&identity), piece);
        talk.settle();
        talk.peer.say(&[ANSWER.as_bytes()]);
        let mut wire = talk.peer.wire();
        wire.extend_from_slice(b"no record at all");
        talk.feed(&wire);
        assert_eq!(talk.reason(), "ok", "pieces of {piece}: {}", talk.detail());
        // Half of one is not.
        let mut talk = Talk::new(&probe(tls(), https(&["ready"], false)), &shelf, config(&identity), piece);
        talk.settle();
        talk.peer.say(&[&ANSWER.as_bytes()[..20]]);
        let mut wire = talk.peer.wire();
        wire.extend_from_slice(b"no record at all");
        talk.feed(&wire);
        assert_eq!(talk.reason(), "tls-protocol", "pieces of {piece}: {}", talk.detail());
    }
}

#[test]
fn sessions_are_resumed_only_where_that_is_allowed() {
    let (identity, shelf) = in_order();
    for versions in VERSIONS {
        for resume in [false, true] {
            let probe = probe(Tls { resume, ..tls() }, https(&["ready"], false));
            let mut talk = Talk::new(&probe, &shelf, config_of(&identity, versions), 61);
            for run in 0..4 {
                if run > 0 {
                    talk.connect();
                }
                talk.settle().say(ANSWER);
                assert_eq!(talk.reason(), "ok");
                let resumed = talk.handshake() == Some(HandshakeKind::Resumed);
                assert_eq!(resumed, resume && run > 0, "run {run}: {:?}", talk.handshake());
                assert!(talk.conversation.measured().certificate_left.is_some(), "it is told of any session");
            }
        }
    }
}

/// A resumed handshake carries no certificate, and nothing looked at the dates of the first one's.
#[test]
fn a_resumed_session_does_not_outlive_its_certificate() {
    let authority = Authority::new("authority");
    let shelf = shelf_of(authority.pem());
    let identity = authority.issue(Wanted { to: 1, ..Wanted::default() });
    for versions in VERSIONS {
        for (verify, reason) in [(true, "tls-expired"), (false, "ok")] {
            let probe = probe(Tls { resume: true, verify, ..tls() }, https(&["ready"], false));
            let mut talk = Talk::new(&probe, &shelf, config_of(&identity, versions), usize::MAX);
            talk.settle().say(ANSWER);
            assert_eq!(talk.reason(), "ok");
            talk.time_passes(Duration::from_secs(13 * 3_600));
            talk.connect();
            talk.settle().say(ANSWER);
            assert_eq!(talk.handshake(), Some(HandshakeKind::Resumed), "else this shows nothing");
            assert_eq!(talk.reason(), reason, "{}", talk.detail());
        }
    }
}

/// A connection that was kept went on being used however long ago its certificate had run out.
#[test]
fn a_kept_session_does_not_outlive_its_certificate() {
    let authority = Authority::new("authority");
    let shelf = shelf_of(authority.pem());
    let identity = authority.issue(Wanted { to: 1, ..Wanted::default() });
    for (expiry, verify, hours, lasts) in [
        (0, true, 11, true),
        (0, true, 13, false),
        (0, false, 13, true),
        (6, true, 5, true),
        (6, true, 7, false),
        (6, false, 7, false),
    ] {
        let hour = Duration::from_secs(3_600);
        let probe = probe(Tls { verify, expiry: expiry * hour, ..tls() }, https(&["ready"], true));
        let mut talk = Talk::new(&probe, &shelf, config_of(&identity, VERSIONS[0]), usize::MAX);
        talk.settle().say(ANSWER);
        assert_eq!(talk.reason(), "ok");
        let before = talk.conversation.measured().certificate_left.expect("it was measured");
        talk.time_passes(hours * hour);
        assert_eq!(talk.certificate_lasts(), lasts, "{expiry} {verify} {hours}");
        let left = talk.conversation.measured().certificate_left.expect("it was measured");
        assert_eq!(before - left, i64::from(hours) * 3_600);
    }
}

#[test]
fn a_proxy_header_goes_before_the_session_in_the_clear() {
    let (identity, shelf) = in_order();
    let mut probe = probe(tls(), bare());
    probe.network.proxy_protocol = Some(ProxyVersion::V1);
    let mut talk = Talk::new(&probe, &shelf, config(&identity), 61);
    assert!(talk.out.starts_with(b"PROXY UNKNOWN\r\n\x16\x03\x01"), "{:?}", talk.out);
    talk.out.drain(..15);
    assert_eq!(talk.settle().reason(), "ok");
}

#[test]
fn a_damaged_wire_never_makes_more_than_a_failure() {
    let (identity, shelf) = in_order();
    let mut random = crate::random::Rng::new(7);
    for run in 0..300 {
        let versions = VERSIONS[run % 2];
        let probe = probe(tls(), https(&["ready"], run % 3 == 0));
        let mut talk = Talk::new(&probe, &shelf, config_of(&identity, versions), 1 + random.below(500));
        for _ in 0..4 {
            let mut wire = flight_or_nothing(&mut talk);
            if !wire.is_empty() && random.percent(60) {
                let at = random.below(wire.len());
                wire[at] ^= 1 << random.below(8);
            }
            talk.feed(&wire);
            if !talk.peer.heard().is_empty() {
                talk.peer.say(&[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"]);
            }
        }
        talk.fin();
        assert_ne!(talk.reason(), "ok", "run {run}");
        assert_ne!(talk.reason(), "open", "run {run}");
    }
}

fn flight_or_nothing(talk: &mut Talk) -> Vec<u8> {
    let _ = talk.peer.hear(&mut talk.out);
    talk.peer.wire()
}
