//! Real haproxy behind a native https probe: drained by its administration, and reloaded.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::certificates::{Authority, Wanted};
use crate::firewall::{Firewall, Target};
use crate::harness::{Place, patiently};
use crate::program::{Program, is_installed, start};
use crate::skip::skip;

/// A haproxy of a gateway: its monitor says whether it has a server that takes connections.
struct Haproxy {
    program: Program,
    port: u16,
    socket: String,
}

impl Haproxy {
    fn start(place: &Place, name: &str, backend: &Target) -> Self {
        let socket = std::env::temp_dir().join(format!("hfm-{name}-{}.sock", std::process::id()));
        let socket = socket.display().to_string();
        let (program, [port]) = start(&place.path.join(format!("{name}.log")), |[port]: [u16; 1]| {
            let text = format!(
                "global\n  maxconn 100\n  nbthread 1\n  stats socket {socket} level admin expose-fd listeners\n\
                 defaults\n  mode http\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n\
                 frontend secure\n  bind 127.0.0.1:{port} ssl crt {}/both.pem\n  monitor-uri /up\n  \
                 monitor fail if {{ nbsrv(service) lt 1 }}\n  default_backend service\n\
                 backend service\n  server signal-down 127.0.0.1:{}\n",
                place.path.display(),
                backend.port
            );
            let mut command = Command::new("haproxy");
            command.args(["-W", "-db", "-f"]).arg(place.write(&format!("{name}.cfg"), &text));
            command
        });
        Self { program, port, socket }
    }

    fn tell(&self, command: &str) {
        // While it reloads nobody may listen for a moment.
        let mut told = None;
        let is_told = patiently(|| {
            told = UnixStream::connect(Path::new(&self.socket)).ok();
            told.is_some()
        });
        assert!(is_told, "haproxy's administration is not there");
        let mut stream = told.expect("it is connected");
        writeln!(stream, "{command}").expect("a command");
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        assert_eq!(reply.trim(), "", "{command}");
    }

    /// Has it read its configuration again: new workers take over from the old ones.
    fn reload(&self) {
        kill(Pid::from_raw(self.program.0.id() as i32), Signal::SIGUSR2).expect("it runs");
    }

    fn rule(&self, name: &str, address: &str) -> String {
        format!("{name} {{ test = \"https://127.0.0.1:{}/up\"; addresses = \"{address}\" }}\n", self.port)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.program.0.id() as i32), Signal::SIGTERM);
        let _ = self.program.0.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

#[test]
fn a_drained_haproxy_leaves_and_comes_back_and_no_other_address_moves_when_it_is_reloaded() {
    if !is_installed("haproxy") {
        return skip("a_drained_haproxy_leaves_and_comes_back: haproxy is not installed");
    }
    let place = Place::new("tables-haproxy");
    let authority = Authority::new();
    let identity = authority.issue(&Wanted::default());
    place.write("ca.pem", &authority.pem());
    place.write("both.pem", &(identity.pem() + &identity.key_pem()));
    let backend = Target::open();
    let (first, second) =
        (Haproxy::start(&place, "first", &backend), Haproxy::start(&place, "second", &backend));
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let rules = [first.rule("lb1", "10.0.0.1"), second.rule("lb2", "10.0.0.2")].concat();
    let head = "interval = 100ms\ntables = web\ntls_ca = \"@DIR@/ca.pem\"\nhttp_status = 200\n";
    let daemon = firewall.start(&place, &format!("{head}{rules}"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);

    first.tell("set server service/signal-down state drain");
    firewall.wait_for(&daemon, "web", &["10.0.0.2"]);
    first.tell("set server service/signal-down state ready");
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);

    // As operators do it: out of the table by its own monitor, then reloaded, which makes it well again.
    first.tell("disable server service/signal-down");
    firewall.wait_for(&daemon, "web", &["10.0.0.2"]);
    first.reload();
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);

    let log = daemon.log();
    let of_first = |line: &&str| line.contains("table 'web' written");
    let moves: Vec<&str> = log.lines().filter(of_first).collect();
    let of_second =
        moves.iter().filter(|line| line.contains("removed=[") && line.contains("10.0.0.2")).count();
    assert_eq!(of_second, 1, "it came in once, and never moved again: {moves:?}");
    assert!(!firewall.calls().lines().any(|line| line.contains("delete") && line.contains("10.0.0.2")));
    let failed = log.lines().filter(|line| line.contains("'lb2'") && line.contains("RuleStateFail")).count();
    assert_eq!(failed, 0, "{log}");
}
