//! What is this machine's own trouble says nothing of a target; and what cannot be reached does.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use crate::harness::{Place, patiently, pause};
#[cfg(target_os = "linux")]
use crate::network::{in_own_network, in_own_network_and_mounts, set_up};
use crate::probe::{self, AMPLE};
use crate::server::{Server, V4, answer, both, hold, http_url, ok};
use crate::skip::skip;

/// Somebody who is not root and may do nothing, by number.
const NOBODY: [&str; 4] = ["--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all"];

/// hfm as somebody without any right.
pub(crate) struct Unprivileged {
    /// A copy where the way to the built program may be closed to others; `None` when nobody special runs us.
    copy: Option<PathBuf>,
}

impl Unprivileged {
    pub(crate) fn new(test: &str) -> Option<Self> {
        if !nix::unistd::getuid().is_root() {
            return Some(Self { copy: None });
        }
        if !Command::new("setpriv").args(NOBODY).arg("true").status().is_ok_and(|status| status.success()) {
            skip(&format!("{test}: setpriv(1) does not work here"));
            return None;
        }
        let copy = std::env::temp_dir().join(format!("hfm-{test}-{}", std::process::id()));
        std::fs::copy(env!("CARGO_BIN_EXE_hfm"), &copy).expect("a copy of hfm");
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        Some(Self { copy: Some(copy) })
    }

    pub(crate) fn probe(&self, arguments: &[&str]) -> Command {
        let Some(copy) = &self.copy else { return probe::command(arguments) };
        let mut command = Command::new("setpriv");
        command.args(NOBODY).arg(copy).arg("probe").args(arguments);
        command
    }
}

impl Drop for Unprivileged {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            let _ = std::fs::remove_file(copy);
        }
    }
}

#[test]
fn a_name_that_does_not_exist_is_unresolved() {
    // Where no resolver answers at all the deadline ends it.
    for url in ["tcp://nothing.invalid:80", "http://nothing.invalid/", "https://nothing.invalid/"] {
        let run = probe::expect("unresolved", url, &["timeout=3s"], "unresolved");
        assert!(run.detail.contains("nothing.invalid"), "{run:?}");
    }
}

#[test]
fn a_source_that_is_not_ours_is_our_trouble() {
    let server = Server::new(V4, |stream, _| answer(stream, ok("")));
    // TEST-NET-1 (RFC 5737), documentation (RFC 3849).
    let run = probe::expect("source", &http_url(server.address), &["source=192.0.2.1"], "address");
    assert!(run.detail.contains("192.0.2.1"), "{run:?}");
    if let [_, v6] = both()[..] {
        let server = Server::new(v6, |stream, _| answer(stream, ok("")));
        probe::expect("source", &http_url(server.address), &["source='2001:db8::1'"], "address");
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_that_does_not_exist_is_our_trouble() {
    if !nix::unistd::getuid().is_root() {
        return skip("an_interface_that_does_not_exist_is_our_trouble: takes root");
    }
    let server = Server::new(V4, |stream, _| answer(stream, ok("")));
    let run = probe::expect("interface", &http_url(server.address), &["interface=nosuch0"], "interface");
    assert!(run.detail.contains("nosuch0"), "{run:?}");
    probe::expect("interface", &http_url(server.address), &["interface=lo"], "ok");
}

#[test]
#[cfg(target_os = "linux")]
fn a_mark_that_we_may_not_set_is_our_trouble() {
    let Some(somebody) = Unprivileged::new("mark") else { return };
    let server = Server::new(V4, |stream, _| answer(stream, ok("")));
    let told = probe::tell(somebody.probe(&[&http_url(server.address), "-json", "mark=1"]));
    assert_eq!((&*told.only().verdict, &*told.only().reason), ("inconclusive", "permission"));
    assert!(told.only().detail.contains("CAP_NET_ADMIN"), "{told:?}");
    assert_eq!(server.accepted(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_reached_is_a_failure() {
    in_own_network("what_cannot_be_reached_is_a_failure", || {
        set_up(&["ip route add unreachable 198.51.100.0/24", "ip route add blackhole 203.0.113.0/24"]);
        for (address, words) in [
            ("192.0.2.1", "Network is unreachable"),
            ("198.51.100.1", "No route to host"),
            ("203.0.113.1", "Invalid argument"),
            ("[2001:db8::1]", "Network is unreachable"),
        ] {
            for url in [format!("tcp://{address}:80"), format!("https://{address}/")] {
                let run = probe::expect("unreachable", &url, &[AMPLE], "unreachable");
                assert!(run.detail.contains(words), "{run:?}");
            }
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_neighbour_that_is_not_there_is_unreachable_once_the_system_says_so() {
    const TEST: &str = "a_neighbour_that_is_not_there_is_unreachable_once_the_system_says_so";
    in_own_network(TEST, || {
        if !crate::network::do_it("ip link add v0 type veth peer name v1") {
            return skip(&format!("{TEST}: no veth devices here"));
        }
        set_up(&["ip addr add 192.0.2.1/24 dev v0", "ip link set v0 up", "ip link set v1 up"]);
        std::fs::write("/proc/sys/net/ipv4/neigh/v0/mcast_solicit", "1").expect("a setting");
        let run = probe::expect("no neighbour", "tcp://192.0.2.9:80", &[AMPLE], "unreachable");
        assert!(run.detail.contains("No route to host"), "{run:?}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_firewall_of_ours_that_forbids_it_is_our_trouble() {
    in_own_network("a_firewall_of_ours_that_forbids_it_is_our_trouble", || {
        set_up(&["ip route add prohibit 198.51.100.0/24"]);
        probe::expect("prohibited", "tcp://198.51.100.1:80", &[AMPLE], "permission");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn without_ports_runs_say_nothing() {
    in_own_network("without_ports_runs_say_nothing", || {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").expect("a setting");
        let server = Server::at("127.0.0.1:80".parse().unwrap(), |stream, _| hold(stream)).unwrap();
        let told = probe::tell(probe::command(&[
            &http_url(server.address),
            "-json",
            "-c",
            "12",
            "-j",
            "12",
            "timeout=1s",
        ]));
        let ports = told.runs.iter().filter(|run| run.reason == "ports").count();
        assert_eq!(ports, 8, "{told:?}");
        assert!(told.runs.iter().all(|run| run.reason != "ports" || run.verdict == "inconclusive"));
    });
}

/// TCP connects a socket to itself where the one port that it is given is the one that it asks for.
#[test]
#[cfg(target_os = "linux")]
fn nobody_is_there_where_a_connection_meets_itself() {
    in_own_network("nobody_is_there_where_a_connection_meets_itself", || {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000").expect("a setting");
        for url in ["tcp://127.0.0.1:40000", "tcp://[::1]:40000", "http://127.0.0.1:40000/"] {
            let told = probe::probe(url, &[AMPLE, "-c", "3"]);
            assert_eq!(told.reasons(), ["refused"; 3], "{url}: {told:?}");
        }
        // Somebody who does listen there is found all the same.
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40010").expect("a setting");
        let server =
            Server::at("127.0.0.1:40010".parse().unwrap(), |stream, _| answer(stream, ok(""))).unwrap();
        let told = probe::probe(&http_url(server.address), &[AMPLE, "-c", "3"]);
        assert!(told.all_ok(), "{told:?}");
    });
}

/// What a shell does to run a program that has so many descriptors and can have no more: only root can raise a hard limit.
fn limited_to(descriptors: u32) -> String {
    let without_rights = if nix::unistd::getuid().is_root() { "setpriv --bounding-set=-all" } else { "" };
    format!("ulimit -n {descriptors} && exec {without_rights} \"$@\"")
}

#[test]
fn a_start_with_too_few_descriptors_tells_how_many_it_takes_and_fails_nobody_for_them() {
    let server = Server::new(V4, |stream, _| hold(stream));
    let rule = |number| format!("rule{number} {{ test = '{}' }}\n", http_url(server.address));
    let rules = format!("interval = 400ms\ntimeout = 300ms\n{}", (0..200).map(rule).collect::<String>());
    let place = Place::new("loopback-few-descriptors");
    let hfm = place.hfm(&rules);
    let mut command = Command::new("sh");
    command
        .args(["-c", &limited_to(120), "sh"])
        .arg(hfm.get_program())
        .args(hfm.get_args())
        .env_remove("RUST_LOG");
    let mut daemon = place.start_command(command);
    daemon.wait_for("raise the limit on open files reason=descriptors rules=", 1);
    daemon.wait_for("changed state to: RuleStateFail", 5);
    // What runs leave is there for clients, tables and children.
    #[cfg(target_os = "linux")]
    assert!(daemon.descriptors() <= 60, "{}", daemon.descriptors());
    let told = "open files are limited to 120: 24 are left for runs, which need 150 while no target answers and 200 at \
                worst; runs without one are inconclusive (descriptors); for all of them raise the limit to 296: ";
    assert_eq!(daemon.log().matches(told).count(), 1, "{}", daemon.log());
    daemon.stop();
    let log = daemon.log();
    let failed = log.matches("changed state to: RuleStateFail").count();
    assert_eq!(
        failed,
        log.matches("changed state to: RuleStateFail previous=RuleStateUnknown reason=timeout-").count(),
        "{log}"
    );
}

#[test]
fn without_descriptors_runs_say_nothing() {
    let server = Server::new(V4, |stream, _| hold(stream));
    let mut command = Command::new("sh");
    command.args(["-c", &limited_to(20), "sh"]).arg(env!("CARGO_BIN_EXE_hfm")).arg("probe");
    command.args([&*http_url(server.address), "-json", "-c", "30", "-j", "30", "timeout=1s"]);
    let told = probe::tell(command);
    let without: Vec<_> = told.runs.iter().filter(|run| run.reason == "descriptors").collect();
    assert!((10..30).contains(&without.len()), "{told:?}");
    assert!(without.iter().all(|run| run.verdict == "inconclusive"));
}

/// socket(2) fails for want of memory: a library laid over the system's says so.
#[test]
#[cfg(target_os = "linux")]
fn without_memory_for_sockets_runs_say_nothing() {
    let place = Place::new("loopback-buffers");
    let source = place.write(
        "full.c",
        "#include <errno.h>\nint socket(int domain, int type, int protocol)\n\
         { (void)domain; (void)type; (void)protocol; errno = ENOBUFS; return -1; }\n",
    );
    let library = place.path.join("full.so");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        return skip("without_memory_for_sockets_runs_say_nothing: no C compiler works here");
    }
    let server = Server::new(V4, |stream, _| answer(stream, ok("")));
    let mut command = probe::command(&[&http_url(server.address), "-json", AMPLE]);
    command.env("LD_PRELOAD", &library);
    let told = probe::tell(command);
    assert_eq!((told.status, told.reasons()), (1, vec!["buffers"]));
    assert_eq!(server.accepted(), 0);
}

/// So many rules against one healthy server.
fn healthy(server: &Server, rules: usize) -> String {
    let url = http_url(server.address);
    let rule = |number| format!("rule{number} {{ test = '{url}' }}\n");
    format!("interval = 200ms\n{}", (0..rules).map(rule).collect::<String>())
}

#[test]
#[cfg(target_os = "linux")]
fn a_daemon_without_descriptors_fails_nobody_and_recovers() {
    // No socket serves twice (`close = fin`), and later the answers keep connections open for a while, so that there
    // are more of them than descriptors.
    let is_slow = Arc::new(AtomicBool::new(false));
    let slow = is_slow.clone();
    let server = Server::new(V4, move |stream, _| {
        pause(Duration::from_millis(if slow.load(Ordering::Relaxed) { 100 } else { 0 }));
        answer(stream, ok(""));
    });
    let mut daemon =
        Place::new("loopback-descriptors").start(&format!("close = fin\n{}", healthy(&server, 60)));
    daemon.wait_for("changed state to: RuleStateSuccess", 60);
    let limit = |limit: &str| {
        let pid = daemon.pid().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, limit]).status();
        assert!(status.expect("prlimit of util-linux").success());
    };
    limit(&format!("--nofile={}:", daemon.descriptors().min(16)));
    is_slow.store(true, Ordering::Relaxed);
    daemon.wait_for("raise the limit on open files reason=descriptors rules=", 1);
    pause(Duration::from_millis(500));
    let pid = daemon.pid().to_string();
    let _ = Command::new("prlimit").args(["--pid", &pid, "--nofile=1024:"]).status();
    let before = server.accepted();
    assert!(patiently(|| server.accepted() > before + 120), "{}", daemon.log());
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: runs=", 1);
    let log = daemon.log();
    assert!(log.contains("success=60 fail=0 "), "{log}");
    assert!(log.contains(" failures=0 "), "{log}");
    daemon.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn a_resolver_that_hangs_delays_no_probe_of_an_address() {
    const TEST: &str = "a_resolver_that_hangs_delays_no_probe_of_an_address";
    in_own_network_and_mounts(TEST, || {
        if !crate::network::do_it("ip link add v0 type veth peer name v1") {
            return skip(&format!("{TEST}: no veth devices here"));
        }
        let place = Place::new("loopback-resolver");
        // Whatever goes to its neighbour is lost without a word.
        let resolv = place.write("resolv.conf", "nameserver 192.0.2.53\noptions timeout:20 attempts:3\n");
        set_up(&[
            "ip addr add 192.0.2.1/24 dev v0",
            "ip link set v0 up",
            "ip link set v1 up",
            "ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:53 dev v0",
            &format!("mount --bind {} /etc/resolv.conf", resolv.display()),
        ]);
        let server = Server::new(V4, |stream, _| answer(stream, ok("")));
        let mut rules = format!("interval = 100ms\nliteral {{ test = '{}' }}\n", http_url(server.address));
        for number in 0..20 {
            rules += &format!("name{number} {{ test = 'http://name{number}.example/' }}\n");
        }
        let mut daemon = place.start(&rules);
        daemon.wait_for("inconclusive reason=unresolved", 20);
        assert!(daemon.log().contains("is still being looked up"), "{}", daemon.log());
        let before = server.accepted();
        assert!(patiently(|| server.accepted() >= before + 20), "{}", daemon.log());
        daemon.signal(Signal::SIGUSR1);
        daemon.wait_for("summary: runs=", 1);
        let log = daemon.log();
        assert!(log.contains("summary: rules=21 success=1 fail=0 unknown=20"), "{log}");
        // Names that hang do not keep it from ending either.
        assert!(daemon.stop().success());
    });
}

#[test]
fn a_port_that_nobody_listens_on_refuses() {
    for ip in both() {
        // Bound, so that it is nobody else's meanwhile, and not listening.
        let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(ip, 0).into()).expect("a port");
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        for scheme in ["tcp", "tls", "http", "https"] {
            let run = probe::expect("refused", &format!("{scheme}://{address}"), &[AMPLE], "refused");
            assert_eq!(run.detail, "Connection refused");
            assert!(!run.reached("connect_us"));
        }
    }
}
