//! A reload in the middle of what goes on between a probe and its target.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::Signal;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConnection, SupportedProtocolVersion};

use crate::harness::{Daemon, Place, patiently};
use crate::server::{Server, V4};
use crate::tls_server::{Trust, serve_once, server};

/// Sends the first half of what ends the handshake, and the rest when `go_on` says so.
fn shake_hands_in_two_halves(stream: &TcpStream, connection: &mut ServerConnection, go_on: &AtomicBool) {
    let mut stream = stream;
    connection.read_tls(&mut stream).expect("the client's first words");
    connection.process_new_packets().expect("a client that speaks TLS");
    let mut words = Vec::new();
    connection.write_tls(&mut words).expect("an answer");
    let (first, rest) = words.split_at(words.len() / 2);
    stream.write_all(first).expect("the client is there");
    assert!(patiently(|| go_on.load(Ordering::SeqCst)), "the test says nothing");
    // Whether it is still there is for the test to see.
    if stream.write_all(rest).is_ok() && connection.complete_io(&mut stream).is_ok() {
        let _ = stream.read(&mut [0; 1]);
    }
}

/// An hfm whose only rule is in the middle of a handshake, before and after a reload; how many came to the server.
fn in_the_middle(
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
    after: &str,
    said: &str,
) -> (Daemon, Arc<AtomicUsize>) {
    let trust = Trust::new(name);
    let config = Arc::new(trust.config(versions));
    let (go_on, came) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (may_go_on, count) = (go_on.clone(), came.clone());
    let server = Server::new(V4, move |stream, _| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut connection = ServerConnection::new(config.clone()).expect("a session");
        shake_hands_in_two_halves(stream, &mut connection, &may_go_on);
    });
    let place = Place::new(&format!("loopback-{name}-daemon"));
    let ca = trust.place.path.join("ca.pem");
    let text = |more: &str| {
        format!(
            "t {{ test = \"{}\"; interval = 1h; timeout = 25s; tls_ca = \"{}\"; {more} }}\n",
            server.url("tls", ""),
            ca.display()
        )
    };
    let mut daemon = place.start(&text(""));
    assert!(patiently(|| came.load(Ordering::SeqCst) == 1), "{}", daemon.log());
    place.write("hfm.conf", &text(after));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for(said, 1);
    go_on.store(true, Ordering::SeqCst);
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
    (daemon, came)
}

#[test]
fn a_tls_handshake_of_a_rule_that_stays_goes_on() {
    for (versions, name) in [([&TLS12], "reload-tls12"), ([&TLS13], "reload-tls13")] {
        let (mut daemon, came) =
            in_the_middle(name, &versions, "change_fail_debounce = 4", "kept=0 adjusted=1 changed=0");
        assert_eq!(came.load(Ordering::SeqCst), 1, "it began anew: {}", daemon.log());
        assert!(daemon.log().contains(":t:1 changed state"), "{}", daemon.log());
        assert!(daemon.stop().success());
    }
}

#[test]
fn a_tls_handshake_of_a_rule_that_is_tested_otherwise_is_given_up_and_counts_for_nothing() {
    let (mut daemon, came) =
        in_the_middle("reload-tls-changed", &[&TLS13], "tls_min = \"1.3\"", "kept=0 adjusted=0 changed=1");
    assert_eq!(came.load(Ordering::SeqCst), 2, "the rule as it is now has to be tested: {}", daemon.log());
    assert!(daemon.log().contains(":t:2 changed state"), "{}", daemon.log());
    assert!(!daemon.log().contains("RuleStateFail"), "{}", daemon.log());
    assert!(daemon.stop().success());
}

/// Who replaces a file of trusted certificates and reloads means what is in it now.
#[test]
fn a_trust_file_that_has_changed_counts_from_the_reload_on() {
    let (old, new) = (Trust::new("reload-ca-old"), Trust::new("reload-ca-new"));
    let server = server(V4, new.config(&[&TLS13]), serve_once);
    let place = Place::new("loopback-reload-ca-daemon");
    let ca = place.write("ca.pem", &old.authority.pem());
    let text = format!(
        "t {{ test = \"{}\"; interval = 200ms; tls_ca = \"{}\" }}\n",
        server.url("tls", ""),
        ca.display()
    );
    let mut daemon = place.start(&text);
    daemon.wait_for("changed state to: RuleStateFail", 1);
    // The same file again: nothing is new.
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("reloaded rules=1 kept=1", 1);
    place.write("ca.pem", &new.authority.pem());
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("reloaded rules=1 kept=0 adjusted=0 changed=1", 1);
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
    assert!(daemon.stop().success());
}
