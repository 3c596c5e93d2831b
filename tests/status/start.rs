//! Where the page is served: what cannot be had, and what a reload changes.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use nix::sys::signal::Signal;

use crate::browse::{Site, ask, connect, own_address};
use crate::harness::{exists, patiently};
use crate::talk::Home;

const RULES: &str = "a { test = \"true\"; interval = 1h }\n";

#[test]
fn an_address_in_use_is_told_and_had_as_soon_as_it_is_free() {
    let address = own_address();
    let held = TcpListener::bind(address).expect("nobody has it");
    let mut site = Site::at("held", address, RULES);
    site.daemon.wait_for("the status page cannot listen at", 1);
    for words in ["another program has it", "; trying again every 5s"] {
        assert!(site.daemon.tells(words), "{words}: {}", site.daemon.log());
    }
    drop(held);
    site.daemon.wait_for(&format!("status page at http://{address}/"), 1);
    assert_eq!(site.get("/healthz").status, 200);
}

#[test]
fn an_address_that_is_not_ours_keeps_nothing_from_running() {
    let home = Home::new("foreign");
    let mut daemon = home.start(&format!("listen = \"192.0.2.1:9090\"\n{RULES}"));
    daemon.wait_for("the status page cannot listen at 192.0.2.1:9090", 1);
    assert!(daemon.tells("this machine does not have that address"), "{}", daemon.log());
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
}

/// The event that was told first of all, as it is told there.
fn first_event(at: SocketAddr) -> String {
    let mut stream = connect(at);
    stream.write_all(b"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: gw\r\n\r\n").expect("it reads");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line == "id: 1"), "the first one is not there");
    lines.next().expect("its data")
}

#[test]
fn a_reload_moves_it_and_takes_it_away() {
    let (here, there) = (own_address(), own_address());
    let mut site = Site::at("moved", here, RULES);
    let reload = |site: &mut Site, listen: &str, times| {
        site.home.0.write("hfm.conf", &site.home.configuration(&format!("{listen}\n{RULES}")));
        site.daemon.signal(Signal::SIGHUP);
        site.daemon.wait_for("reloaded", times);
    };
    let idle = site.connect();
    let first = first_event(here);
    reload(&mut site, &format!("listen = \"{there}\""), 1);
    assert_eq!(ask(connect(there), "GET /healthz HTTP/1.0\r\n\r\n").status, 200);
    assert!(TcpStream::connect(here).is_err(), "nobody listens there any more");
    drop(idle);
    assert_eq!(first_event(there), first, "numbers and events go along");
    // One that stays where it is keeps its clients.
    let kept = connect(there);
    reload(&mut site, &format!("listen = \"{there}\""), 2);
    assert_eq!(ask(kept, "GET /healthz HTTP/1.0\r\n\r\n").status, 200);
    reload(&mut site, "", 3);
    assert!(TcpStream::connect(there).is_err(), "it is served nowhere");
    reload(&mut site, &format!("listen = \"{here}\""), 4);
    assert_eq!(site.get("/healthz").status, 200);
    assert_eq!(first_event(here), first);
}

#[test]
fn children_have_nothing_of_it() {
    let site = Site::new("child", "a { test = sleep; test_arguments = [\"60\"]; interval = 1h }\n");
    let _client = site.connect();
    let mut children = Vec::new();
    assert!(patiently(|| {
        children = site.daemon.children();
        !children.is_empty()
    }));
    let (child, _) = children[0];
    assert!(exists(child));
    let sockets = Command::new("ls").args(["-l", &format!("/proc/{child}/fd")]).output().expect("ls");
    assert!(!String::from_utf8_lossy(&sockets.stdout).contains("socket:"), "{sockets:?}");
}
