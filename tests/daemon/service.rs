//! What a service manager hears (sd_notify(3)), by a socket that stands in for its own.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Place, patiently, pause};

const RULES: &str = "interval = 50ms\nup { test = \"true\" }\ndown { test = \"false\" }\n";

/// The manager's socket, and all that came in.
struct Manager {
    socket: UnixDatagram,
    said: Vec<String>,
}

impl Manager {
    /// For a test; the second is what NOTIFY_SOCKET says.
    fn new(test: &str) -> (Self, String) {
        // Names of sockets are short, and the directories of tests can be deep.
        let path = std::env::temp_dir().join(format!("hfm-notify-{}-{test}", std::process::id()));
        let _ = fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a socket");
        (Self::of(socket), path.to_string_lossy().into_owned())
    }

    fn of(socket: UnixDatagram) -> Self {
        socket.set_nonblocking(true).expect("it can");
        Self { socket, said: Vec::new() }
    }

    /// Takes in what is there.
    fn hear(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.said.push(String::from_utf8(buffer[..length].to_vec()).expect("UTF-8"));
        }
    }

    /// Waits until this was said so often.
    fn wait_for(&mut self, what: &str, times: usize) {
        let found = patiently(|| {
            self.hear();
            self.times(what) >= times
        });
        assert!(found, "no {times} times {what:?}: {:?}", self.said);
    }

    fn times(&self, what: &str) -> usize {
        self.said.iter().filter(|said| said.starts_with(what)).count()
    }

    /// All that is about the course of the service, without its times.
    fn course(&self) -> Vec<&str> {
        let is_other = |said: &&str| said.starts_with("STATUS=") || said.starts_with("WATCHDOG=");
        self.said.iter().filter_map(|said| said.lines().next()).filter(|said| !is_other(said)).collect()
    }
}

fn notified(place: &Place, name: &str, rules: &str) -> Command {
    let mut command = place.hfm(rules);
    command.env("NOTIFY_SOCKET", name).env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
    command
}

#[test]
fn it_is_told_of_the_start_the_rules_and_the_end() {
    let place = Place::new("service-course");
    let (mut manager, name) = Manager::new("course");
    let mut daemon = place.start_command(notified(&place, &name, RULES));
    manager.wait_for("READY=1", 1);
    manager.wait_for("STATUS=2 rules: 1 up, 1 down", 1);
    assert!(daemon.stop().success());
    manager.hear();
    assert_eq!(manager.course(), ["READY=1", "STOPPING=1"]);
    assert_eq!(manager.times("WATCHDOG"), 0, "nobody asked for it: {:?}", manager.said);
    fs::remove_file(name).expect("it is there");
}

#[test]
fn what_cannot_start_is_never_ready() {
    let place = Place::new("service-never");
    let (mut manager, name) = Manager::new("never");
    let user = if nix::unistd::getuid().is_root() { "nobody-of-this-name" } else { "root" };
    let mut daemon = place.start_command(notified(&place, &name, &format!("{RULES}user = {user}\n")));
    assert_eq!(daemon.wait().code(), Some(2), "{}", daemon.log());
    manager.hear();
    assert_eq!(manager.said, [""; 0]);
    fs::remove_file(name).expect("it is there");
}

#[test]
fn it_is_told_when_a_reload_begins_and_when_it_is_over_refused_or_not() {
    let place = Place::new("service-reload");
    let (mut manager, name) = Manager::new("reload");
    let mut daemon = place.start_command(notified(&place, &name, RULES));
    manager.wait_for("STATUS=2 rules: 1 up, 1 down", 1);
    place.write("hfm.conf", "up { test = \"true\"; interval = 50ms }");
    daemon.signal(Signal::SIGHUP);
    manager.wait_for("READY=1", 2);
    manager.wait_for("STATUS=1 rule: 1 up", 1);
    place.write("hfm.conf", "up { test = }");
    daemon.signal(Signal::SIGHUP);
    manager.wait_for("READY=1", 3);
    assert!(daemon.stop().success());
    manager.hear();
    assert_eq!(
        manager.course(),
        ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    );
    let began = manager.said.iter().filter_map(|said| said.strip_prefix("RELOADING=1\nMONOTONIC_USEC="));
    let began: Vec<u64> = began.map(|micros| micros.parse().expect("a number")).collect();
    assert!(began.len() == 2 && began[0] < began[1], "{began:?}");
    fs::remove_file(name).expect("it is there");
}

#[test]
fn signs_of_life_come_from_the_loop_and_only_where_they_are_waited_for() {
    let place = Place::new("service-alive");
    let (mut manager, name) = Manager::new("alive");
    let mut command = notified(&place, &name, "a { test = \"true\"; interval = 1h }");
    command.env("WATCHDOG_USEC", "100000");
    let mut daemon = place.start_command(command);
    manager.wait_for("WATCHDOG=1", 20);
    assert!(daemon.stop().success());

    // To somebody else: what it is to tell takes as long as a few signs of life would.
    let mut command = notified(&place, &name, RULES);
    command.env("WATCHDOG_USEC", "100000").env("WATCHDOG_PID", "1");
    let mut daemon = place.start_command(command);
    manager.hear();
    let before = manager.times("WATCHDOG=1");
    manager.wait_for("STATUS=2 rules: 1 up, 1 down", 1);
    pause(Duration::from_millis(300));
    assert!(daemon.stop().success());
    manager.hear();
    assert_eq!(manager.times("WATCHDOG=1"), before, "{:?}", manager.said);
    fs::remove_file(name).expect("it is there");
}

#[test]
fn neither_tests_nor_change_commands_can_speak_for_it() {
    let place = Place::new("service-children");
    let (mut manager, name) = Manager::new("children");
    let env = "env > @DIR@/";
    let mut command = notified(
        &place,
        &name,
        &format!(
            "a {{ test = sh; test_arguments = [-c, '{env}test']; interval = 1h; change_success = sh; \
             change_success_arguments = [-c, '{env}change; echo done > @DIR@/done'] }}"
        ),
    );
    command.env("WATCHDOG_USEC", "60000000").env("HFM_IS_KEPT", "yes");
    let mut daemon = place.start_command(command);
    assert!(patiently(|| place.read("done") == "done\n"), "{}", daemon.log());
    for child in ["test", "change"] {
        let environment = place.read(child);
        assert!(environment.contains("HFM_IS_KEPT=yes\n"), "{environment}");
        assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"), "{environment}");
    }
    manager.wait_for("WATCHDOG=1", 1);
    assert!(daemon.stop().success());
    fs::remove_file(name).expect("it is there");
}

#[test]
fn a_manager_that_does_not_listen_holds_nothing_up_and_hears_how_things_stand_once_it_does() {
    let place = Place::new("service-deaf");
    let (mut manager, name) = Manager::new("deaf");
    let mut command = notified(&place, &name, RULES);
    command.env("WATCHDOG_USEC", "2000");
    let mut daemon = place.start_command(command);
    daemon.wait_for("changed state to", 2);
    // By now what is not read is full: a sign of life goes out each millisecond, and no system keeps that many.
    pause(Duration::from_secs(1));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for("reloaded rules=2", 1);
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("summary: runs=", 1);
    manager.wait_for("READY=1", 2);
    assert_eq!(manager.course(), ["READY=1", "READY=1"], "the beginning of the reload did not go out");
    manager.wait_for("STATUS=2 rules: 1 up, 1 down", 1);
    assert!(daemon.stop().success());
    fs::remove_file(name).expect("it is there");
}

#[test]
fn a_manager_that_is_not_there_is_no_trouble_and_one_without_an_address_is_told() {
    let place = Place::new("service-nobody");
    for (name, is_told) in [("/nonexistent/notify", false), ("", false), ("notify", true)] {
        let mut daemon = place.start_command(notified(&place, name, RULES));
        daemon.wait_for("changed state to", 2);
        assert!(daemon.stop().success());
        let told =
            "NOTIFY_SOCKET: neither a path nor a name with '@': notify; the service manager hears nothing";
        assert_eq!(daemon.log().contains(told), is_told, "{}", daemon.log());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_in_no_directory_will_do() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let place = Place::new("service-abstract");
    let name = format!("hfm-notify-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let mut manager = Manager::of(UnixDatagram::bind_addr(&address).expect("a socket"));
    let mut daemon = place.start_command(notified(&place, &format!("@{name}"), RULES));
    manager.wait_for("READY=1", 1);
    assert!(daemon.stop().success());
    manager.wait_for("STOPPING=1", 1);
}
