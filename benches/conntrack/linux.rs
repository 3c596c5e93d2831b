//! The measuring.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hfm::dataplane::{DataPlane, Kill, Nftables};
use hfm::rule::Prefix;
use nix::sched::{CloneFlags, unshare};

const BACKENDS: u32 = 50;
/// Addresses that are forgotten at once.
const FORGOTTEN: [u32; 8] = [1, 2, 4, 6, 8, 9, 16, 50];
const TIMES: u32 = 5;

pub(super) fn main() {
    let connections = connections();
    unshare(CloneFlags::CLONE_NEWNET).expect("root");
    let mut plane = Nftables::new(256);
    plane.open().expect("netlink");
    println!("{connections} connections, {BACKENDS} backends:");
    follow(0..connections);
    // Nothing is towards these: what is left is looking for them.
    let nobody: Vec<Prefix> = (1000..1050).map(backend).collect();
    for addresses in FORGOTTEN {
        let (least, _) = least(|| forget(&mut plane, &nobody[..addresses as usize]));
        println!("  {addresses:2} addresses, no connection towards them: {:8.2} ms", ms(least));
    }
    for addresses in FORGOTTEN {
        let backends: Vec<Prefix> = (0..addresses).map(backend).collect();
        let (least, forgotten) = least(|| {
            follow((0..connections).filter(|connection| connection % BACKENDS < addresses));
            forget(&mut plane, &backends)
        });
        let each_us = ms(least) * 1e3 / f64::from(u32::try_from(forgotten).expect("few"));
        println!(
            "  {addresses:2} addresses, {forgotten:6} connections towards them: {:8.2} ms, {each_us:.2} us each",
            ms(least)
        );
    }
}

fn connections() -> u32 {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => 100_000,
        (Some("--connections"), Some(value)) => value.parse().expect("a number of connections"),
        (Some(argument), _) => panic!("unknown option {argument}, or one without its value"),
    }
}

fn backend(number: u32) -> Prefix {
    Prefix::host(Ipv4Addr::from_bits(0x0a02_0001 + number).into())
}

/// Has the kernel follow connections with these numbers, beside those that it follows already.
fn follow(connections: impl Iterator<Item = u32>) {
    let mut child = Command::new("conntrack")
        .args(["-R", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("conntrack");
    let mut text = Vec::new();
    for connection in connections {
        let (client, port) =
            (Ipv4Addr::from_bits(0xc633_6401 + connection / 50_000), 10_000 + connection % 50_000);
        writeln!(
            text,
            "-A -t 1000 -u ASSURED -s {client} -d 203.0.113.1 -r {} -q {client} -p tcp --sport {port} --dport 80 \
             --reply-port-src 8080 --reply-port-dst {port} --state ESTABLISHED",
            backend(connection % BACKENDS)
        )
        .expect("memory");
    }
    child.stdin.take().expect("it is piped").write_all(&text).expect("conntrack reads");
    assert!(
        child.wait().expect("it ends").success(),
        "the kernel follows them; see net.netfilter.nf_conntrack_max"
    );
}

/// How long it took, and how many were forgotten.
fn forget(plane: &mut Nftables, addresses: &[Prefix]) -> (Duration, u64) {
    let start = Instant::now();
    let killed = plane.kill(addresses, Kill::States).expect("they are forgotten");
    (start.elapsed(), killed.states)
}

fn least(what: impl FnMut() -> (Duration, u64)) -> (Duration, u64) {
    std::iter::repeat_with(what).take(TIMES as usize).min().expect("it was done")
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
