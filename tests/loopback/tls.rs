//! TLS: certificates, versions, alerts, and what is no TLS at all.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use crate::certificates::{Authority, Identity, Wanted};
use crate::harness::{Place, patiently};
use crate::probe::{self, AMPLE, Run};
use crate::program::Program;
use crate::server::{Case, Server, V4, abort, both, check, drip, hold, say, tls_url};
use crate::skip::skip;
use crate::tls_server::{self, Session, Trust, config, serve_http, serve_once, server};

const ALL: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const EACH: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

/// Probes a server with this certificate by tls and by https: the same has to come of both.
fn expect_both(config: &dyn Fn() -> ServerConfig, properties: &[&str], reason: &str) -> Run {
    let mut all = vec![AMPLE];
    all.extend(properties);
    let mut run = None;
    for ip in both() {
        let server = server(ip, config(), serve_http);
        run = Some(probe::expect("https", &server.url("https", "/"), &all, reason));
        let plain = probe::expect("tls", &server.url("tls", ""), &all, reason);
        // But for the time that passes between them.
        let words = |run: &Run| run.detail.replace(|letter: char| letter.is_ascii_digit(), "");
        assert_eq!(run.as_ref().map(words), Some(words(&plain)));
    }
    run.expect("at least one address")
}

#[test]
fn a_good_certificate_is_good() {
    let trust = Trust::new("tls-good");
    for versions in EACH {
        let run = expect_both(&|| trust.config(versions), &[&trust.ca], "ok");
        assert_eq!(run.detail, "certificate expires in 90 days");
        assert!(run.reached("connect_us") && run.reached("tls_us"));
    }
}

#[test]
fn certificates_are_judged_by_their_dates() {
    let days = |from_days, to_days| Wanted { from_days, to_days, ..Wanted::default() };
    let trust = Trust::of("tls-expired", &days(-20, -4));
    let run = expect_both(&|| trust.config(ALL), &[&trust.ca], "tls-expired");
    assert!(run.detail.contains("localhost") && run.detail.contains("3 days ago"), "{run:?}");
    let run = expect_both(&|| trust.config(ALL), &["tls_verify=no"], "ok");
    assert_eq!(run.detail, "certificate expired 3 days ago");

    let trust = Trust::of("tls-not-yet", &days(5, 20));
    let run = expect_both(&|| trust.config(ALL), &[&trust.ca], "tls-not-yet");
    assert!(run.detail.contains("not valid yet"), "{run:?}");
    expect_both(&|| trust.config(ALL), &["tls_verify=no"], "ok");

    let trust = Trust::of("tls-expiry", &days(-20, 10));
    let run = expect_both(&|| trust.config(ALL), &[&trust.ca, "tls_expiry=30d"], "tls-expiry");
    assert_eq!(run.detail, "the certificate expires in 10 days, and tls_expiry asks for 30 days");
    let run = expect_both(&|| trust.config(ALL), &[&trust.ca, "tls_expiry=5d"], "ok");
    assert_eq!(run.detail, "certificate expires in 10 days");
}

#[test]
fn certificates_are_judged_by_their_names() {
    let other = Wanted { names: vec!["www.example".into(), "*.api.example".into()], ..Wanted::default() };
    let trust = Trust::of("tls-name", &other);
    let run = expect_both(&|| trust.config(ALL), &[&trust.ca], "tls-name");
    assert!(run.detail.contains("www.example"), "{run:?}");
    expect_both(&|| trust.config(ALL), &[&trust.ca, "tls_name=www.example"], "ok");
    expect_both(&|| trust.config(ALL), &[&trust.ca, "tls_name=v1.api.example"], "ok");
    expect_both(&|| trust.config(ALL), &[&trust.ca, "tls_name=a.v1.api.example"], "tls-name");
    expect_both(&|| trust.config(ALL), &["tls_verify=no"], "ok");
}

#[test]
fn the_name_of_the_url_goes_into_the_handshake() {
    let trust = Trust::of("tls-sni", &Wanted { names: vec!["www.example".into()], ..Wanted::default() });
    let names = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = names.clone();
    let server = server(V4, trust.config(ALL), move |session| {
        seen.lock().unwrap().push(session.conn.server_name().map(str::to_owned));
        serve_http(session);
    });
    let connect = format!("connect={}", server.address);
    let url = format!("https://www.example:{}/", server.address.port());
    probe::expect("name", &url, &[AMPLE, &connect, &trust.ca], "ok");
    let name = "tls_name=www.example";
    probe::expect("given", &server.url("https", "/"), &[AMPLE, name, &trust.ca], "ok");
    let told = probe::probe(&server.url("https", "/"), &[AMPLE, "tls_verify=no"]);
    assert!(told.all_ok(), "{told:?}");
    let expected = [Some("www.example".to_owned()), Some("www.example".to_owned()), None];
    assert_eq!(*names.lock().unwrap(), expected, "an address is no name (RFC 6066 section 3)");
}

#[test]
fn certificates_are_judged_by_their_issuers() {
    let trust = Trust::new("tls-issuer");
    let other = Authority::new().issue(&Wanted::default());
    let run = expect_both(&|| config(&other, ALL), &[&trust.ca], "tls-untrusted");
    assert!(run.detail.contains("which is not trusted"), "{run:?}");
    expect_both(&|| config(&other, ALL), &["tls_verify=no"], "ok");

    let own = Identity::self_signed(&Wanted::default());
    expect_both(&|| config(&own, ALL), &[&trust.ca], "tls-untrusted");
    let file = trust.place.write("own.pem", &own.pem());
    let pinned = format!("tls_ca='{}'", file.display());
    expect_both(&|| config(&own, ALL), &[&pinned], "ok");
    // Another of the same names is another.
    let copy = Identity::self_signed(&Wanted::default());
    expect_both(&|| config(&copy, ALL), &[&pinned], "tls-untrusted");
}

#[test]
fn a_pinned_certificate_is_judged_by_name_and_dates_all_the_same() {
    let place = Place::new("loopback-tls-pinned");
    let other_name = Wanted { names: vec!["other.example".into()], ..Wanted::default() };
    let old = Wanted { from_days: -20, to_days: -2, ..Wanted::default() };
    let early = Wanted { from_days: 1, to_days: 20, ..Wanted::default() };
    for (wanted, reason) in [(other_name, "tls-name"), (old, "tls-expired"), (early, "tls-not-yet")] {
        let own = Identity::self_signed(&wanted);
        let pinned = format!("tls_ca='{}'", place.write("own.pem", &own.pem()).display());
        expect_both(&|| config(&own, ALL), &[&pinned], reason);
    }
}

#[test]
fn without_a_trust_file_the_systems_counts() {
    let trust = Trust::new("tls-system");
    let server = server(V4, trust.config(ALL), serve_http);
    let mut command = probe::command(&[&server.url("https", "/"), "-json", AMPLE]);
    command.env("SSL_CERT_FILE", trust.place.path.join("ca.pem")).env_remove("SSL_CERT_DIR");
    assert!(probe::tell(command).all_ok());
    let mut command = probe::command(&[&server.url("https", "/"), "-json", AMPLE]);
    let other = trust.place.write("other.pem", &Authority::new().pem());
    command.env("SSL_CERT_FILE", other).env_remove("SSL_CERT_DIR");
    assert_eq!(probe::tell(command).reasons(), ["tls-untrusted"]);
}

#[test]
fn what_two_sides_cannot_agree_on_ends_with_an_alert() {
    let trust = Trust::new("tls-alert");
    let only_12 = [&trust.ca[..], "tls_min=1.3"];
    let run = expect_both(&|| trust.config(EACH[0]), &only_12, "tls-alert");
    assert!(run.detail.contains("protocol_version"), "{run:?}");
    expect_both(&|| trust.config(EACH[1]), &only_12, "ok");

    let speaks = |protocol: &'static str| {
        let mut config = trust.config(ALL);
        config.alpn_protocols = vec![protocol.into()];
        config
    };
    let alpn = [&trust.ca[..], "tls_alpn=[ 'http/1.1' ]"];
    let run = expect_both(&|| speaks("h2"), &alpn, "tls-alert");
    assert!(run.detail.contains("no_application_protocol"), "{run:?}");
    expect_both(&|| speaks("http/1.1"), &alpn, "ok");
}

#[test]
fn handshakes_that_go_wrong_are_told_by_how() {
    fn read_hello(stream: &mut TcpStream) {
        let _ = stream.read(&mut [0; 4096]);
    }
    fn alerts(stream: &mut TcpStream) {
        read_hello(stream);
        say(stream, b"\x15\x03\x03\x00\x02\x02\x28");
        hold(stream);
    }
    fn plain_text(stream: &mut TcpStream) {
        read_hello(stream);
        say(stream, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        hold(stream);
    }
    fn garbage(stream: &mut TcpStream) {
        read_hello(stream);
        crate::server::pour(stream, b"\xa5\x5a\x00garbage");
    }
    fn garbage_in_drips(stream: &mut TcpStream) {
        read_hello(stream);
        drip(stream, &[0xa5; 100]);
        hold(stream);
    }
    fn out_of_order(stream: &mut TcpStream) {
        read_hello(stream);
        // A Finished, first of all.
        say(stream, b"\x16\x03\x03\x00\x10\x14\x00\x00\x0c0123456789ab");
        hold(stream);
    }
    fn a_record_too_long(stream: &mut TcpStream) {
        read_hello(stream);
        say(stream, b"\x16\x03\x03\xff\xff");
        crate::server::pour(stream, b"x");
    }
    fn endless_handshake(stream: &mut TcpStream) {
        read_hello(stream);
        // The beginning of a message of 16 MiB, then record after record of it.
        say(stream, b"\x16\x03\x03\x00\x04\x02\xff\xff\xff");
        let mut record = b"\x16\x03\x03\x10\x00".to_vec();
        record.extend([b'x'; 4096]);
        crate::server::pour(stream, &record);
    }
    fn resets(stream: &mut TcpStream) {
        read_hello(stream);
        abort(stream);
    }
    fn resets_in_the_middle(stream: &mut TcpStream) {
        read_hello(stream);
        say(stream, b"\x16\x03\x03\x00\x7a\x02\x00\x00");
        abort(stream);
    }
    fn closes(stream: &mut TcpStream) {
        read_hello(stream);
        let _ = stream.shutdown(Shutdown::Write);
        hold(stream);
    }
    let case = |name, serve, reason| Case { name, serve, properties: &[AMPLE], reason };
    let cases = [
        case("alert", alerts as fn(&mut TcpStream), "tls-alert"),
        case("plain text", plain_text, "tls-protocol"),
        case("garbage", garbage, "tls-protocol"),
        case("garbage in drips", garbage_in_drips, "tls-protocol"),
        case("out of order", out_of_order, "tls-protocol"),
        case("a record too long", a_record_too_long, "tls-protocol"),
        case("an endless handshake", endless_handshake, "tls-protocol"),
        case("reset at once", |stream| abort(stream), "reset"),
        case("reset", resets, "reset"),
        case("reset in the middle", resets_in_the_middle, "reset"),
        case("closed", closes, "closed"),
    ];
    check(tls_url, &cases);
    check(|address| format!("https://{address}/"), &cases);
}

#[test]
fn an_old_version_is_not_spoken() {
    const TEST: &str = "an_old_version_is_not_spoken";
    let trust = Trust::new("tls-old");
    let file = |name, text: &str| trust.place.write(name, text).display().to_string();
    let (certificate, key) =
        (file("cert.pem", &trust.identity.pem()), file("key.pem", &trust.identity.key_pem()));
    let log = std::fs::File::create(trust.place.path.join("s_server")).expect("a file");
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", "127.0.0.1:0", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-www"]);
    command.args(["-cert", &certificate, "-key", &key]);
    command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
    let Ok(child) = command.spawn() else { return skip(&format!("{TEST}: openssl(1) is not installed")) };
    let mut child = Program(child);
    let mut port = None;
    patiently(|| {
        let text = trust.place.read("s_server");
        port = text.lines().find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse::<u16>().ok());
        port.is_some() || child.0.try_wait().is_ok_and(|status| status.is_some())
    });
    let Some(port) = port else { return skip(&format!("{TEST}: this openssl speaks no TLS 1.1")) };
    let run = probe::expect("1.1", &format!("https://127.0.0.1:{port}/"), &[AMPLE, &trust.ca], "tls-alert");
    assert!(run.detail.contains("protocol_version"), "{run:?}");
}

#[test]
fn records_may_be_small_and_come_in_drips() {
    for versions in EACH {
        let trust = Trust::new("tls-split");
        let small = || {
            let mut config = trust.config(versions);
            config.max_fragment_size = Some(64);
            config
        };
        expect_both(&small, &[&trust.ca], "ok");

        // In front of it one that hands on every byte by itself.
        let behind = server(V4, small(), serve_once);
        let address = behind.address;
        let front = Server::new(V4, move |stream, _| {
            let mut server = TcpStream::connect(address).expect("the server behind");
            let (mut there, mut back) = (server.try_clone().unwrap(), stream.try_clone().unwrap());
            let up = std::thread::spawn(move || std::io::copy(&mut back, &mut there));
            let mut byte = [0; 1];
            while server.read(&mut byte).is_ok_and(|count| count == 1) && stream.write_all(&byte).is_ok() {}
            let _ = stream.shutdown(Shutdown::Both);
            let _ = up.join();
        });
        let properties = [AMPLE, &trust.ca, "expect=hello"];
        probe::expect("drips", &front.url("https", "/"), &properties, "ok");
    }
}

/// What a server does with a session.
type Ending = fn(&mut Session);

#[test]
fn an_end_without_goodbye_is_judged_by_what_came() {
    fn whole(session: &mut Session) {
        crate::server::request(session);
        say(session, crate::server::ok("hello"));
        let _ = session.sock.shutdown(Shutdown::Write);
    }
    fn half(session: &mut Session) {
        crate::server::request(session);
        say(session, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell");
        let _ = session.sock.shutdown(Shutdown::Write);
    }
    fn nothing(session: &mut Session) {
        crate::server::request(session);
        let _ = session.sock.shutdown(Shutdown::Write);
    }
    fn goodbye(session: &mut Session) {
        crate::server::request(session);
        tls_server::say_goodbye(session);
    }
    for versions in EACH {
        let trust = Trust::new("tls-end");
        let cases: [(Ending, &str); 4] =
            [(whole, "ok"), (half, "closed"), (nothing, "closed"), (goodbye, "closed")];
        for (serve, reason) in cases {
            let server = server(V4, trust.config(versions), serve);
            let properties = [AMPLE, &trust.ca, "expect=hello"];
            probe::expect("an end", &server.url("https", "/"), &properties, reason);
        }
    }
}

#[test]
fn a_session_is_kept_for_all_runs_and_dialogues_go_on_inside() {
    for versions in EACH {
        let trust = Trust::new("tls-reuse");
        let kept = server(V4, trust.config(versions), serve_http);
        let told = probe::probe(
            &kept.url("https", "/"),
            &[AMPLE, &trust.ca, "reuse=yes", "expect=hello", "-c", "9"],
        );
        assert!(told.all_ok(), "{told:?}");
        assert_eq!(kept.accepted(), 1);
        assert!(told.runs[1..].iter().all(|run| !run.reached("tls_us")));

        let speaks = server(V4, trust.config(versions), |session| {
            say(session, "220 ready\r\n");
            let mut line = [0; 6];
            let _ = session.read(&mut line);
            say(session, if line == *b"NOOP\r\n" { "250 OK\r\n" } else { "500 what\r\n" });
            let _ = session.read(&mut line);
        });
        let dialogue = "dialogue=[ 'expect 220 ', 'send NOOP\\r\\n', 'expect 250 ' ]";
        probe::expect("dialogue", &speaks.url("tls", ""), &[AMPLE, &trust.ca, dialogue], "ok");
    }
}

#[test]
fn sessions_are_resumed_only_where_asked_for() {
    for versions in EACH {
        let trust = Trust::new("tls-resume");
        for (resume, count) in [("tls_resume=yes", 4), ("tls_resume=no", 0)] {
            let resumed = Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let seen = resumed.clone();
            let server = server(V4, trust.config(versions), move |session| {
                if session.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
                    seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
                serve_http(session);
            });
            let properties = [AMPLE, &trust.ca, resume, "-c", "5", "expect=hello"];
            let told = probe::probe(&server.url("https", "/"), &properties);
            assert!(told.all_ok(), "{told:?}");
            assert_eq!(resumed.load(std::sync::atomic::Ordering::SeqCst), count, "{resume} {versions:?}");
        }
    }
}
