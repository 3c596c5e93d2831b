//! Connections that a rule really sends to backends: what forgetting them does to those who have them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

use crate::network::{do_it, set_up};
use crate::skip::skip;
use crate::{forget, prefixes, with_conntrack};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Addresses of one family.
struct Addresses {
    family: &'static str,
    client: &'static str,
    gateway: [&'static str; 2],
    service: &'static str,
    backends: [&'static str; 2],
    length: u8,
}

const V4: Addresses = Addresses {
    family: "ip",
    client: "192.0.2.2",
    gateway: ["192.0.2.1", "10.0.0.1"],
    service: "198.51.100.1",
    backends: ["10.0.0.2", "10.0.0.3"],
    length: 24,
};

const V6: Addresses = Addresses {
    family: "ip6",
    client: "2001:db8::2",
    gateway: ["2001:db8::1", "2001:db8:2::1"],
    service: "2001:db8:1::1",
    backends: ["2001:db8:2::2", "2001:db8:2::3"],
    length: 64,
};

/// A network namespace, as long as this is there: a thread in it that does what it is given.
struct Namespace {
    thread: nix::unistd::Pid,
    work: Sender<Box<dyn FnOnce() + Send>>,
}

impl Namespace {
    fn new() -> Self {
        let (work, todo) = channel::<Box<dyn FnOnce() + Send>>();
        let (ready, is_ready) = channel();
        thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("there is one already");
            set_up(&["ip link set lo up"]);
            ready.send(nix::unistd::gettid()).expect("the test waits");
            todo.into_iter().for_each(|work| work());
        });
        Self { thread: is_ready.recv().expect("it starts"), work }
    }

    /// Does this there.
    fn run<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> T {
        let (result, done) = channel();
        let work = move || result.send(what()).expect("the test waits");
        self.work.send(Box::new(work)).expect("it runs");
        done.recv().expect("it did not panic")
    }

    /// A link from here to there, with an address at each end.
    fn link(&self, name: &str, here: &str, there: Vec<String>) {
        set_up(&[&format!("ip link add {name} type veth peer name eth netns {}", self.thread)]);
        do_without_detection(name);
        set_up(&[&format!("ip address add {here} dev {name}"), &format!("ip link set {name} up")]);
        self.run(move || {
            do_without_detection("eth");
            for address in there {
                set_up(&[&format!("ip address add {address} dev eth")]);
            }
            set_up(&["ip link set eth up"]);
        });
    }
}

/// Addresses of this link need not be told from those of others: there is nobody else.
fn do_without_detection(link: &str) {
    let path = format!("/proc/sys/net/ipv6/conf/{link}/accept_dad");
    std::fs::write(path, "0").expect("the link has IPv6");
}

/// Answers each byte with one that tells who it is, on every connection.
fn serve(address: &'static str, name: u8) {
    let listener = TcpListener::bind((address, 8080)).expect("a free port");
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            thread::spawn(move || {
                let mut byte = [0];
                while connection.read_exact(&mut byte).is_ok() && connection.write_all(&[name]).is_ok() {}
            });
        }
    });
}

/// Who answers on this connection.
fn ask(connection: &mut TcpStream) -> Result<u8, ErrorKind> {
    let mut answer = [0];
    connection.write_all(&[1]).map_err(|error| error.kind())?;
    connection.read_exact(&mut answer).map_err(|error| error.kind())?;
    Ok(answer[0])
}

/// Sends what is for the service to this backend from now on.
fn send_to(addresses: &Addresses, backend: &str) {
    let Addresses { family, service, .. } = addresses;
    let backend = if *family == "ip6" { format!("[{backend}]") } else { backend.to_owned() };
    let ruleset = format!(
        "table {family} t {{ chain c {{ type nat hook prerouting priority dstnat; }}; }}\nflush chain {family} t c\n\
         add rule {family} t c {family} daddr {service} tcp dport 80 dnat to {backend}:8080\n"
    );
    let mut child = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft runs");
    child.stdin.take().expect("it is piped").write_all(ruleset.as_bytes()).expect("nft reads");
    assert!(child.wait().expect("it ends").success(), "{ruleset}");
}

fn connections_to_a_lost_backend_are_reset(test: &'static str, addresses: &'static Addresses) {
    with_conntrack(test, move || {
        if !do_it("nft --version") {
            return skip(&format!("{test}: nft(8) is not installed"));
        }
        let Addresses { client, gateway, service, backends, length, .. } = addresses;
        let at = |address: &str| format!("{address}/{length}{}", if *length == 64 { " nodad" } else { "" });
        let (clients, servers) = (Namespace::new(), Namespace::new());
        clients.link("clients", &at(gateway[0]), vec![at(client)]);
        servers.link("servers", &at(gateway[1]), vec![at(backends[0]), at(backends[1])]);
        clients.run(|| set_up(&[&format!("ip route add default via {}", addresses.gateway[0])]));
        servers.run(|| {
            set_up(&[&format!("ip route add default via {}", addresses.gateway[1])]);
            serve(addresses.backends[0], b'a');
            serve(addresses.backends[1], b'b');
        });
        set_up(&["sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.all.forwarding=1"]);
        let connect = || {
            clients.run(|| {
                let service = SocketAddr::new(addresses.service.parse().expect("an address"), 80);
                let connection = TcpStream::connect_timeout(&service, PATIENCE).expect("the service answers");
                connection.set_read_timeout(Some(PATIENCE)).expect("an option");
                connection
            })
        };

        send_to(addresses, backends[0]);
        let mut lost = [connect(), connect()];
        for connection in &mut lost {
            assert_eq!(ask(connection), Ok(b'a'));
        }
        send_to(addresses, backends[1]);
        let mut other = connect();
        assert_eq!(ask(&mut other), Ok(b'b'));
        assert_eq!(ask(&mut lost[0]), Ok(b'a'), "a connection stays where it is, whatever the rule says now");

        let killed = forget(&prefixes(&backends[..1])).expect("the kernel forgets");
        assert_eq!(killed, 2, "towards {} for {service}", backends[0]);
        assert_eq!(ask(&mut other), Ok(b'b'), "the others are not concerned");
        for connection in &mut lost {
            assert_eq!(
                ask(connection),
                Err(ErrorKind::ConnectionReset),
                "whoever has one learns of it at once"
            );
        }
        assert_eq!(ask(&mut connect()), Ok(b'b'), "and is served when he comes back");
    });
}

#[test]
fn connections_to_a_lost_backend_are_reset_over_ipv4() {
    connections_to_a_lost_backend_are_reset("connections_to_a_lost_backend_are_reset_over_ipv4", &V4);
}

#[test]
fn connections_to_a_lost_backend_are_reset_over_ipv6() {
    connections_to_a_lost_backend_are_reset("connections_to_a_lost_backend_are_reset_over_ipv6", &V6);
}
