//! The daemon held up in the middle of its work: nobody is blamed for it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use rustls::version::TLS12;
use rustls::{ServerConfig, ServerConnection};

use crate::harness::{Daemon, Place, patiently, pause};
use crate::server::{Server, V4, answer, http_url, ok, say};
use crate::tls_server::{self, Session, Trust};

/// How long a server waits for a request once it is ready for one.
const REQUEST_WITHIN: Duration = Duration::from_millis(300);
/// How long it takes to become ready: that is where the daemon is to be held up.
const READY_AFTER: Duration = Duration::from_millis(250);
/// How long the daemon is held up.
const STALL: Duration = Duration::from_millis(700);
/// How often at most.
const STALLS_MAX: usize = 12;

/// What the summary of now says, line by line; the earlier ones aside.
fn summary(daemon: &mut Daemon) -> String {
    let before = daemon.log().matches("summary: runs=").count();
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: runs=", before + 1);
    let log = daemon.log();
    log[log.rfind("summary: rules=").expect("a summary")..].to_owned()
}

#[test]
fn a_thousand_healthy_targets_do_not_fail_when_the_daemon_was_stopped() {
    let server = Server::new(V4, |stream, _| answer(stream, ok("hello")));
    let url = http_url(server.address);
    let rule = |number| format!("rule{number} {{ test = '{url}'; expect = hello }}\n");
    let rules = format!("interval = 1s\n{}", (0..1000).map(rule).collect::<String>());
    let mut daemon = Place::new("loopback-thousand").start(&rules);
    daemon.wait_for("changed state to: RuleStateSuccess", 1000);
    daemon.signal(Signal::SIGSTOP);
    pause(Duration::from_secs(5));
    daemon.signal(Signal::SIGCONT);
    let before = server.accepted();
    assert!(patiently(|| server.accepted() > before + 2000), "{}", summary(&mut daemon));
    let summary = summary(&mut daemon);
    assert!(summary.starts_with("summary: rules=1000 success=1000 fail=0 unknown=0 "), "{summary}");
    assert!(summary.contains(" failures=0 "), "{summary}");
    assert!(!daemon.log().contains("RuleStateFail"));
    assert!(daemon.stop().success());
}

/// Whether a run over each server has turned out late.
fn both_were_late(log: &str) -> bool {
    let mut late = log.lines().filter(|line| line.contains("inconclusive reason=late"));
    late.clone().any(|line| line.contains("'smtp")) && late.any(|line| line.contains("'https"))
}

/// Stops and continues the daemon until runs have turned out late.
fn hold_up(daemon: &mut Daemon) {
    for number in 0..STALLS_MAX {
        daemon.signal(Signal::SIGSTOP);
        pause(STALL);
        daemon.signal(Signal::SIGCONT);
        // Not always at the same place of a run.
        pause(Duration::from_millis(600 + 130 * number as u64));
        if both_were_late(&daemon.log()) {
            break;
        }
    }
    let summary = summary(daemon);
    assert!(both_were_late(&daemon.log()), "{}", daemon.log());
    assert!(summary.contains(" fail=0 ") && summary.contains(" failures=0 "), "{summary}{}", daemon.log());
    assert!(!daemon.log().contains("RuleStateFail"), "{}", daemon.log());
}

/// Goes through a handshake of TLS 1.2, in which the server's word is the last, with a pause before each
/// of its words.
fn accept_slowly(stream: &TcpStream, config: &Arc<ServerConfig>) -> Option<Session> {
    let mut stream = stream.try_clone().expect("a second handle");
    let mut connection = ServerConnection::new(config.clone()).expect("a session");
    while connection.is_handshaking() || connection.wants_write() {
        if connection.wants_write() {
            pause(READY_AFTER);
            while connection.wants_write() {
                connection.write_tls(&mut stream).ok()?;
            }
        } else {
            connection.read_tls(&mut stream).ok().filter(|count| *count > 0)?;
            connection.process_new_packets().ok()?;
        }
    }
    Some(Session::new(connection, stream))
}

#[test]
fn a_server_that_tires_of_waiting_for_us_is_not_blamed() {
    // Greets after a while, and closes if it does not hear from us soon.
    let closing = Server::new(V4, |stream, _| {
        pause(READY_AFTER);
        say(stream, "220 ready\r\n");
        let _ = stream.set_read_timeout(Some(REQUEST_WITHIN));
        if stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {
            say(stream, "250 OK\r\n");
        }
    });
    // The same over TLS, with HTTP's own words for it.
    let trust = Trust::new("stalls");
    let config = Arc::new(trust.config(&[&TLS12]));
    let answering = Server::new(V4, move |stream, _| {
        let Some(mut session) = accept_slowly(stream, &config) else { return };
        let _ = stream.set_read_timeout(Some(REQUEST_WITHIN));
        let answer = if session.read(&mut [0]).is_ok_and(|count| count == 1) {
            crate::server::request(&mut session);
            ok("hello")
        } else {
            "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        let _ = session.write_all(answer.as_bytes());
        tls_server::say_goodbye(&mut session);
    });
    let rules = |address: SocketAddr| {
        let ca = trust.place.path.join("ca.pem").display().to_string();
        let dialogue = r"[ 'expect 220 ', 'send NOOP\r\n', 'expect 250 ' ]";
        (0..4)
            .map(|number| {
                format!(
                    "smtp{number} {{ test = 'tcp://{address}'; dialogue = {dialogue} }}\n\
                     https{number} {{ test = 'https://{}/'; tls_ca = '{ca}' }}\n",
                    answering.address
                )
            })
            .collect::<String>()
    };
    let mut daemon = Place::new("loopback-late").start(&format!("interval = 2s\n{}", rules(closing.address)));
    daemon.wait_for("changed state to: RuleStateSuccess", 8);
    hold_up(&mut daemon);
    assert!(daemon.stop().success());
}
