//! HAProxy as people run it in front of a service: what it is asked for its health, over TLS and behind
//! another proxy.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use crate::harness::Place;
use crate::probe::{self, AMPLE};
use crate::program::{Program, is_installed, start};
use crate::server::{Server, V4, answer, ok};
use crate::skip::skip;
use crate::tls_server::Trust;

/// HAProxy with a frontend over TLS, one that wants a PROXY header, and one over TLS that wants both.
fn haproxy(place: &Place, backend: &Server) -> (Program, [u16; 3]) {
    start(&place.path.join("haproxy.log"), |[tls, proxied, both]: [u16; 3]| {
        let directory = place.path.display();
        let backend = backend.address;
        let config = place.write(
            "haproxy.cfg",
            &format!(
                "global\n  maxconn 100\n  nbthread 1\n  stats socket {} level admin\n\
                 defaults\n  mode http\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n\
                 frontend secure\n  bind 127.0.0.1:{tls} ssl crt {directory}/both.pem\n  monitor-uri /alive\n  \
                 acl dead nbsrv(service) lt 1\n  monitor fail if dead\n  default_backend service\n\
                 frontend proxied\n  bind 127.0.0.1:{proxied} accept-proxy\n  monitor-uri /alive\n  \
                 http-response set-header X-From %[src]\n  default_backend service\n\
                 frontend both\n  bind 127.0.0.1:{both} accept-proxy ssl crt {directory}/both.pem\n  \
                 monitor-uri /alive\n  default_backend service\n\
                 backend service\n  server one {backend}\n",
                socket(place)
            ),
        );
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(config);
        command
    })
}

/// Where its administration is; short, as paths of local sockets have to be.
fn socket(place: &Place) -> String {
    let name = place.path.file_name().and_then(|name| name.to_str()).expect("a name");
    std::env::temp_dir().join(format!("{name}-{}.sock", std::process::id())).display().to_string()
}

fn tell(socket: &str, command: &str) {
    let mut stream = UnixStream::connect(Path::new(socket)).expect("haproxy's administration");
    writeln!(stream, "{command}").expect("a command");
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    assert_eq!(reply.trim(), "", "{command}");
}

#[test]
fn haproxy_says_whether_its_service_is_alive() {
    if !is_installed("haproxy") {
        return skip("haproxy_says_whether_its_service_is_alive: haproxy is not installed");
    }
    let Trust { place, ca, identity, .. } = &Trust::new("haproxy");
    place.write("both.pem", &(identity.pem() + &identity.key_pem()));
    let backend = Server::new(V4, |stream, _| answer(stream, ok("hello")));
    let (_haproxy, [tls, proxied, both]) = haproxy(place, &backend);

    let alive = format!("https://127.0.0.1:{tls}/alive");
    let properties = [AMPLE, ca, "http_status=200"];
    for _ in 0..2 {
        let run = probe::expect("alive", &alive, &properties, "ok");
        assert!(run.detail.starts_with("certificate expires in "), "{run:?}");
        tell(&socket(place), "disable server service/one");
        let run = probe::expect("dead", &alive, &properties, "http-status");
        assert_eq!(run.detail, "status 503, wanted 200");
        tell(&socket(place), "enable server service/one");
    }
    let told = probe::probe(&alive, &[AMPLE, ca, "reuse=yes", "-c", "20"]);
    assert!(told.all_ok(), "{told:?}");
    let through = format!("https://127.0.0.1:{tls}/");
    probe::expect("through it", &through, &[AMPLE, ca, "expect=hello"], "ok");
    let connects = format!("tls://127.0.0.1:{tls}");
    probe::expect("TLS alone", &connects, &[AMPLE, ca, "tls_min=1.3"], "ok");
    probe::expect("untrusted", &connects, &[AMPLE], "tls-untrusted");
    probe::expect("plain", &format!("http://127.0.0.1:{tls}/alive"), &[AMPLE], "closed");

    let alive = format!("http://127.0.0.1:{proxied}/alive");
    let through = format!("http://127.0.0.1:{proxied}/");
    for version in ["proxy_protocol=v1", "proxy_protocol=v2"] {
        probe::expect("proxied", &alive, &[AMPLE, version], "ok");
        let properties = [AMPLE, version, "expect=hello", "expect_header='X-From: ^127.0.0.1$'"];
        probe::expect("through it", &through, &properties, "ok");
        let url = format!("https://127.0.0.1:{both}/alive");
        probe::expect("both", &url, &[AMPLE, version, ca], "ok");
    }
    // Without the header that it waits for it says nothing of HTTP.
    let told = probe::probe(&alive, &[AMPLE]);
    assert!(["closed", "reset"].contains(&&*told.only().reason), "{told:?}");
    let _ = std::fs::remove_file(socket(place));
}

/// HAProxy that answers with its own word on whether the session was resumed, in TLS 1.3 and in TLS 1.2.
fn telling(place: &Place) -> (Program, [u16; 2]) {
    start(&place.path.join("haproxy.log"), |[newer, older]: [u16; 2]| {
        let certificate = place.path.join("both.pem");
        let certificate = certificate.display();
        let answer = "http-request return status 200 hdr X-Resumed %[ssl_fc_is_resumed]";
        let config = place.write(
            "haproxy.cfg",
            &format!(
                "global\n  maxconn 100\n  nbthread 1\n\
                 defaults\n  mode http\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n\
                 frontend newer\n  bind 127.0.0.1:{newer} ssl crt {certificate} ssl-min-ver TLSv1.3\n  {answer}\n\
                 frontend older\n  bind 127.0.0.1:{older} ssl crt {certificate} ssl-max-ver TLSv1.2\n  {answer}\n"
            ),
        );
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(config);
        command
    })
}

#[test]
fn haproxy_sees_every_session_but_the_first_resumed_where_that_is_allowed() {
    if !is_installed("haproxy") {
        return skip(
            "haproxy_sees_every_session_but_the_first_resumed_where_that_is_allowed: haproxy is not installed",
        );
    }
    let Trust { place, ca, identity, .. } = &Trust::new("haproxy-resumed");
    place.write("both.pem", &(identity.pem() + &identity.key_pem()));
    let (_haproxy, ports) = telling(place);
    for port in ports {
        let url = format!("https://127.0.0.1:{port}/");
        let runs = ["-c", "30"];
        let not_resumed = "expect_header='X-Resumed: ^0$'";
        let told = probe::probe(&url, &[&[AMPLE, ca, not_resumed], &runs[..]].concat());
        assert_eq!(told.reasons(), ["ok"; 30], "{told:?}");
        let resumed = "expect_header='X-Resumed: ^1$'";
        let told = probe::probe(&url, &[&[AMPLE, ca, "tls_resume=yes", resumed], &runs[..]].concat());
        let reasons = told.reasons();
        assert_eq!(reasons[0], "header", "the first has nothing to resume");
        assert_eq!(reasons[1..], ["ok"; 29], "{told:?}");
    }
}
