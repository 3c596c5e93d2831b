//! The status page while there is too much to do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::Place;
use crate::standing::control;
use crate::targets::Targets;

/// More than any processor does: a hundred times a second each.
const RULES: [usize; 3] = [2400, 300, 300];
/// How long an answer may take: it is slow, but it comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where turns take longer than clients are left alone after a turn that was theirs, the control socket could have its part
/// in each of them; the page, which got what that one left, was never looked at, and its connections not even accepted.
#[test]
fn the_page_is_served_while_there_is_too_much_to_do() {
    let place = Place::new("overload-page");
    let targets = Targets::new();
    let [low, high, ..] = std::process::id().to_le_bytes();
    let address = SocketAddr::from(([127, 1 + high % 250, low, 251], 9090));
    let settings = format!("listen = \"{address}\"\ninterval = 10ms\n{}", control(&place));
    let mut daemon = place.start(&(settings + &targets.rules(RULES)));
    daemon.wait_for("cannot keep up: ", 1);
    for path in ["/healthz", "/metrics", "/api/v1/status"] {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
    }
    assert!(!daemon.log().contains("keeps up again"), "{}", daemon.log());
}
