//! Local ports: what runs leave behind of them, and what happens when there are none.

use std::fs;

use crate::harness::patiently;
use crate::network::in_own_network;
use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, answer, hold, http_url, ok, tcp_url};
use crate::tls_server::{Trust, serve_http, server};

/// Connections of this thread's network that are over and keep their ports: TIME_WAIT, as /proc/net/sockstat counts them.
fn waiting() -> usize {
    let text = fs::read_to_string("/proc/thread-self/net/sockstat").expect("the kernel's counts");
    let tcp = text.lines().find(|line| line.starts_with("TCP:")).expect("a line about TCP");
    let mut words = tcp.split(' ').skip_while(|word| *word != "tw");
    words.nth(1).and_then(|count| count.parse().ok()).expect("a count of those that wait")
}

/// So many runs, all of which succeed.
fn succeeds(url: &str, runs: usize, properties: &[&str]) {
    let runs = runs.to_string();
    let mut arguments = vec![url, "-json", "-c", &runs, "-j", "5", AMPLE];
    arguments.extend(properties);
    let told = probe::tell(probe::command(&arguments));
    assert!(told.all_ok(), "{url}: {:?}", told.reasons());
}

#[test]
fn thousands_of_runs_leave_no_connection_behind() {
    in_own_network("thousands_of_runs_leave_no_connection_behind", || {
        let plain = Server::new(V4, |stream, _| answer(stream, ok("")));
        succeeds(&tcp_url(plain.address), 3000, &[]);
        assert_eq!(waiting(), 0, "after tcp");
        succeeds(&http_url(plain.address), 3000, &[]);
        assert_eq!(waiting(), 0, "after http");
        let trust = Trust::new("ports-https");
        let secure = server(V4, trust.config(rustls::ALL_VERSIONS), serve_http);
        succeeds(&secure.url("https", "/"), 1000, &[&trust.ca]);
        assert_eq!(waiting(), 0, "after https");
        // It would have been seen: this is what the other way to close leaves where the service closes behind us.
        let patient = Server::new(V4, |stream, _| hold(stream));
        succeeds(&tcp_url(patient.address), 100, &["close=fin"]);
        assert!(patiently(|| waiting() > 50), "after tcp with close = fin: {}", waiting());
    });
}

#[test]
fn ports_that_are_used_up_are_our_trouble_and_the_way_out_is_told() {
    in_own_network("ports_that_are_used_up_are_our_trouble_and_the_way_out_is_told", || {
        fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40009").expect("a setting");
        // The system's own way out, which it has on loopback alone.
        fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0").expect("a setting");
        let server = Server::at("127.0.0.1:80".parse().expect("an address"), |stream, _| hold(stream))
            .expect("nobody else is in this network");
        let url = tcp_url(server.address);
        succeeds(&url, 1000, &[]);
        let told = probe::tell(probe::command(&[&url, "-json", "-c", "15", AMPLE, "close=fin"]));
        assert_eq!(told.reasons(), [["ok"; 10].as_slice(), ["ports"; 5].as_slice()].concat());
        let without = &told.runs[10];
        assert_eq!(without.verdict, "inconclusive");
        assert!(without.detail.contains("'close = fin' keeps one for a minute"), "{without:?}");
        // Ports are of a pair of addresses: another source has its own.
        succeeds(&url, 10, &["close=fin", "source=127.0.0.2"]);
    });
}
