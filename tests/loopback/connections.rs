//! Where a probe connects to and from, and the PROXY header that it sends first.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use crate::harness::Place;
#[cfg(target_os = "linux")]
use crate::network::{in_own_network_and_mounts, set_up};
use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, V6, both, http_url, ok, request, say, tcp_url};

/// A server that tells what it was asked and by whom.
fn telling(ip: std::net::IpAddr) -> (Server, Receiver<(SocketAddr, String)>) {
    let (sender, told) = mpsc::channel();
    let server = Server::new(ip, move |stream, _| {
        let peer = stream.peer_addr().expect("a peer");
        let _ = sender.send((peer, request(stream)));
        say(stream, ok("hello"));
    });
    (server, told)
}

#[test]
fn connect_goes_elsewhere_and_the_url_goes_on_to_name_the_service() {
    for ip in both() {
        let (server, asked) = telling(ip);
        let connect = format!("connect='{}'", server.address);
        probe::expect("connect", "http://service.example:8080/a?b", &[AMPLE, &connect], "ok");
        let (_, head) = asked.recv().unwrap();
        assert!(head.starts_with("GET /a?b HTTP/1.1\r\nHost: service.example:8080\r\n"), "{head}");

        let connect = match server.address {
            SocketAddr::V4(address) => format!("connect={}", address.ip()),
            SocketAddr::V6(address) => format!("connect='{}'", address.ip()),
        };
        if ip.is_ipv4() {
            let url = format!("http://service.example:{}/", server.address.port());
            probe::expect("connect without a port", &url, &[AMPLE, &connect], "ok");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn source_is_the_address_that_the_service_sees() {
    let (server, asked) = telling(V4);
    probe::expect("source", &http_url(server.address), &[AMPLE, "source=127.0.0.2"], "ok");
    assert_eq!(asked.recv().unwrap().0.ip().to_string(), "127.0.0.2");
    if let [_, v6] = both()[..] {
        let (server, asked) = telling(v6);
        probe::expect("source", &http_url(server.address), &[AMPLE, "source='::1'"], "ok");
        assert_eq!(asked.recv().unwrap().0.ip(), V6);
    }
}

/// The bytes of a PROXY header and of the request behind it.
fn proxied(ip: std::net::IpAddr, version: &str) -> (SocketAddr, SocketAddr, Vec<u8>) {
    let (sender, told) = mpsc::channel();
    let server = Server::new(ip, move |stream, _| {
        let ends = (stream.peer_addr().unwrap(), stream.local_addr().unwrap());
        let mut bytes = Vec::new();
        let mut buffer = [0; 1024];
        while !bytes.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..count]);
        }
        say(stream, ok("hello"));
        let _ = sender.send((ends.0, ends.1, bytes));
    });
    let property = format!("proxy_protocol={version}");
    probe::expect(version, &http_url(server.address), &[AMPLE, &property], "ok");
    told.recv().unwrap()
}

#[test]
fn a_proxy_header_of_version_1_names_both_ends() {
    for ip in both() {
        let (from, to, bytes) = proxied(ip, "v1");
        let family = if ip.is_ipv4() { "TCP4" } else { "TCP6" };
        let header = format!("PROXY {family} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.strip_prefix(&header).map(|rest| &rest[..6]), Some("GET / "), "{text}");
    }
}

#[test]
fn a_proxy_header_of_version_2_says_local() {
    for ip in both() {
        let (_, _, bytes) = proxied(ip, "v2");
        // The signature, version 2 and LOCAL, no family, no addresses (PROXY protocol, section 2.2).
        let header = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
        assert_eq!(&bytes[..16], header);
        assert!(bytes[16..].starts_with(b"GET / "));
    }
}

#[test]
fn a_proxy_header_alone_completes_a_plain_connection() {
    let (sender, told) = mpsc::channel();
    let server = Server::new(V4, move |stream: &mut TcpStream, _| {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let properties = [AMPLE, "proxy_protocol=v1", "close=fin"];
    probe::expect("header", &tcp_url(server.address), &properties, "ok");
    let text = told.recv().unwrap();
    assert!(text.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ") && text.ends_with("\r\n"), "{text}");
}

/// Servers on one port of both addresses.
fn on_both() -> (Server, Server) {
    for _ in 0..50 {
        let v4 = Server::new(V4, |stream, _| {
            request(stream);
            say(stream, ok("four"));
        });
        let v6 = Server::at(SocketAddr::new(V6, v4.address.port()), |stream, _| {
            request(stream);
            say(stream, ok("six"));
        });
        if let Ok(v6) = v6 {
            return (v4, v6);
        }
    }
    panic!("no port is free on both addresses");
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_with_two_addresses_goes_by_family() {
    const TEST: &str = "a_name_with_two_addresses_goes_by_family";
    in_own_network_and_mounts(TEST, || {
        if TcpListener::bind((V6, 0)).is_err() {
            return crate::skip::skip(&format!("{TEST}: this machine has no ::1"));
        }
        let place = Place::new("loopback-names");
        let hosts = "127.0.0.1 both.example four.example\n::1 both.example six.example\n";
        let hosts = place.write("hosts", hosts);
        set_up(&[&format!("mount --bind {} /etc/hosts", hosts.display())]);
        let (v4, _v6) = on_both();
        let port = v4.address.port();
        let url = |name: &str| format!("http://{name}.example:{port}/");
        // The answer may be there before the run begins: then it has no phase of that name.
        probe::expect("4", &url("both"), &[AMPLE, "family=4", "expect=four"], "ok");
        probe::expect("6", &url("both"), &[AMPLE, "family=6", "expect=six"], "ok");
        probe::expect("any", &url("both"), &[AMPLE, "expect_regex='four|six'"], "ok");
        probe::expect("any, one", &url("six"), &[AMPLE, "expect=six"], "ok");
        let run = probe::expect("none of 6", &url("four"), &[AMPLE, "family=6"], "unresolved");
        assert!(run.detail.contains("no IPv6 address"), "{run:?}");
        let run = probe::expect("none of 4", &url("six"), &[AMPLE, "family=4"], "unresolved");
        assert!(run.detail.contains("no IPv4 address"), "{run:?}");
    });
}

#[test]
fn localhost_is_found() {
    let (server, asked) = telling(V4);
    let url = format!("http://localhost:{}/", server.address.port());
    probe::expect("localhost", &url, &[AMPLE, "family=4"], "ok");
    let (_, head) = asked.recv().unwrap();
    let host = format!("Host: localhost:{}\r\n", server.address.port());
    assert!(head.contains(&host), "{head}");
}
