//! Forgetting connections, with the kernel itself and in network namespaces that the tests make: it takes root.
#![cfg(target_os = "linux")]

#[path = "conntrack/forgotten.rs"]
mod forgotten;
#[allow(dead_code, reason = "shared by several tests")]
#[path = "loopback/network.rs"]
mod network;
#[path = "conntrack/sent.rs"]
mod sent;
#[path = "support/skip.rs"]
mod skip;

use std::io::Write;
use std::process::{Command, Stdio};

use hfm::dataplane::{DataPlane, Kill, Killed, Nftables, TableError};
use hfm::rule::Prefix;
use network::in_own_network;
use skip::skip;

/// Forgets the connections towards these addresses, and says how many those were.
fn forget(addresses: &[Prefix]) -> Result<u64, TableError> {
    let mut plane = Nftables::new(256);
    assert_eq!(plane.kill(addresses, Kill::SourceNodes), Ok(Killed::default()), "there are none on Linux");
    let killed = plane.kill(addresses, Kill::States)?;
    assert_eq!(killed.source_nodes, 0);
    Ok(killed.states)
}

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))).collect()
}

/// Runs a test in a network of its own if the programs that it needs are there; says by name that it cannot otherwise.
fn with_conntrack(test: &str, body: impl FnOnce() + Send + 'static) {
    if Command::new("conntrack").arg("--version").output().is_err() {
        return skip(&format!("{test}: conntrack(8) is not installed"));
    }
    in_own_network(test, body);
}

/// Has the kernel follow these connections, as conntrack(8) saves them.
fn follow(connections: &[String]) {
    let mut child = Command::new("conntrack")
        .args(["-R", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("conntrack runs");
    let mut input = child.stdin.take().expect("it is piped");
    for connection in connections {
        writeln!(input, "-A -t 1000 {connection}").expect("conntrack reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// All connections that the kernel follows, without what changes by itself; sorted.
fn followed() -> Vec<String> {
    let mut all = Vec::new();
    for family in ["ipv4", "ipv6"] {
        let output = Command::new("conntrack")
            .args(["-L", "-f", family, "-o", "id"])
            .output()
            .expect("conntrack runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().map(|line| line[line.find("src=").expect("a connection")..].split(' '));
        all.extend(
            lines.map(|words| words.filter(|word| !word.starts_with("use=")).collect::<Vec<_>>().join(" ")),
        );
    }
    all.sort();
    all
}
