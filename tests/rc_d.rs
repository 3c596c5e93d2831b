//! rc.d/hfm, FreeBSD's script for the service, with the built hfm and hfmctl, beside stand-ins for what it uses of FreeBSD.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up; far more than it should.
const PATIENCE: Duration = Duration::from_secs(30);
/// The variable that keeps CARP from beginning.
const ALLOW: &str = "net.inet.carp.allow";

/// The script, changed to look for everything in a directory of the test.
struct Service {
    directory: PathBuf,
}

impl Service {
    /// `rc` are lines of rc.conf, `rules` of hfm's file.
    fn new(test: &str, rc: &str, rules: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("hfm-rc-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        for name in ["bin", "db", "dev", "etc", "rc.d", "run", "sbin"] {
            fs::create_dir_all(directory.join(name)).expect("a directory for the test");
        }
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rc_d");
        for name in ["daemon", "sysctl", "service", "logger", "su", "install"] {
            symlink(stand_ins.join(name), directory.join("bin").join(name)).expect("a link");
        }
        symlink(stand_ins.join("rc.subr"), directory.join("etc/rc.subr")).expect("a link");
        symlink(env!("CARGO_BIN_EXE_hfm"), directory.join("sbin/hfm")).expect("a link");
        symlink(env!("CARGO_BIN_EXE_hfmctl"), directory.join("sbin/hfmctl")).expect("a link");
        let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
        let mut script =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rc.d/hfm")).expect("the script");
        for (theirs, ours) in [
            ("/usr/local/sbin/", at("sbin/")),
            ("/usr/sbin/", at("bin/")),
            ("/sbin/sysctl", at("bin/sysctl")),
            ("/etc/rc.subr", at("etc/rc.subr")),
            ("/var/run/", at("run/")),
            ("/var/db/", at("db/")),
            ("/dev/pf", at("dev/pf")),
            ("/usr/bin/install", at("bin/install")),
        ] {
            assert!(script.contains(theirs), "rc.d/hfm does not name {theirs}");
            script = script.replace(theirs, &ours);
        }
        fs::write(directory.join("rc.d/hfm"), script).expect("the script of the test");
        fs::write(directory.join(ALLOW), "0\n").expect("a variable");
        let rc = format!("hfm_enable=YES\nhfm_config={}\nhfm_flags='-log stderr'\n{rc}", at("hfm.conf"));
        let service = Self { directory };
        service.write("rc.conf", &rc);
        service.configure(rules);
        service
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).expect("a file of the test");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap_or_default()
    }

    /// Writes hfm's file.
    fn configure(&self, rules: &str) {
        let here = self.directory.display();
        self.write(
            "hfm.conf",
            &format!(
                "dataplane = memory; log_format = json; interval = 50ms; state_dir = \"{here}/state\";\n\
                 control = \"{here}/run/hfm.sock\";\n{rules}\n"
            ),
        );
    }

    /// Runs the script; whether it went well, and what it said.
    fn run(&self, argument: &str) -> (bool, String) {
        let path =
            format!("{}:{}", self.directory.join("bin").display(), std::env::var("PATH").unwrap_or_default());
        let ran = Command::new("/bin/sh")
            .arg(self.directory.join("rc.d/hfm"))
            .arg(argument)
            .env("PATH", path)
            .env("TEST_DIRECTORY", &self.directory)
            .stdin(Stdio::null())
            .output()
            .expect("sh runs");
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The same where all has to be well.
    fn must(&self, argument: &str) -> String {
        let (is_well, said) = self.run(argument);
        assert!(is_well, "{argument}: {said}\n{}", self.read("log"));
        said
    }

    /// The process of hfm, once there is one.
    fn pid(&self) -> u32 {
        let mut found = None;
        self.until("hfm runs", || {
            found = self.read("run/hfm.pid").trim().parse().ok().filter(|pid| is_alive(*pid));
            found.is_some()
        });
        found.expect("it is there")
    }

    /// The supervisor's process.
    fn supervisor(&self) -> u32 {
        self.read("run/hfm-daemon.pid").trim().parse().expect("a process")
    }

    /// Waits until that is so.
    #[expect(clippy::disallowed_methods, reason = "a test waits for real processes")]
    fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < end, "never: {what}\n{}", self.read("log"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until hfm has made its control socket and answers.
    fn until_it_answers(&self) {
        self.until("hfm answers", || {
            let asked = Command::new(env!("CARGO_BIN_EXE_hfmctl"))
                .arg("-s")
                .arg(self.directory.join("run/hfm.sock"))
                .arg("stats")
                .output();
            asked.expect("hfmctl runs").status.success()
        });
    }

    /// How often hfm logged this event.
    fn events(&self, event: &str) -> usize {
        self.read("log").matches(&format!("\"event\":\"{event}\"")).count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for name in ["run/hfm-daemon.pid", "run/hfm.pid"] {
            if let Ok(pid) = self.read(name).trim().parse::<i32>() {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
            }
        }
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// Whether a process is there, and not merely waiting to be asked for.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A host that is there, and a rule for it.
fn host() -> (TcpListener, String) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("host {{ test = \"tcp://{address}\"; tables = \"web\" }}"))
}

#[test]
fn it_is_installed_as_it_is() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rc.d/hfm");
    let mode = fs::metadata(script).expect("the script").permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
}

#[test]
fn a_restart_is_a_signal_and_stop_is_asked_for() {
    let (_listener, rule) = host();
    let service = Service::new("restart", "", &rule);
    assert!(!service.run("status").0);
    service.must("start");
    service.until_it_answers();
    let (first, supervisor) = (service.pid(), service.supervisor());
    assert!(service.must("status").contains(&first.to_string()));
    assert!(!service.run("start").0, "two of them");

    service.must("restart");
    service.until_it_answers();
    let second = service.pid();
    assert!(second != first && !is_alive(first) && !is_alive(supervisor));
    // What asks for an end gives up the share of the demotion; a signal leaves it to the next hfm.
    assert_eq!((service.events("stopping"), service.events("control-stop")), (1, 0));

    let supervisor = service.supervisor();
    service.must("stop");
    assert!(!is_alive(second) && !is_alive(supervisor));
    assert_eq!(service.events("control-stop"), 1);
    // Nobody started it anew in between: one line for each of the two.
    assert_eq!(service.events("loaded"), 2);
    assert!(!service.run("status").0 && !service.run("stop").0);
}

#[test]
fn a_restart_keeps_what_is_demoted_and_stop_gives_it_back() {
    let (listener, _) = host();
    let closed = listener.local_addr().expect("an address");
    drop(listener);
    let service = Service::new("demoted", "", "");
    let tracked = service.directory.join("run/demotion");
    service.configure(&format!(
        "demotion = \"file:{}\"; uplink {{ test = \"tcp://{closed}\"; demote = 25 }}",
        tracked.display()
    ));
    service.must("start");
    service.until("it is demoted", || service.read("run/demotion") == "25\n");

    service.must("restart");
    service.until_it_answers();
    assert_eq!(service.read("run/demotion"), "25\n");
    assert_eq!(service.events("demotion-adopted"), 1, "{}", service.read("log"));

    service.must("stop");
    assert!(service.read("log").contains("all is taken back"), "{}", service.read("log"));
    assert_eq!(service.read("run/demotion"), "0\n");
}

#[test]
fn what_ended_by_itself_is_started_anew() {
    let (_listener, rule) = host();
    let service = Service::new("anew", "", &rule);
    service.must("start");
    service.until_it_answers();
    let first = service.pid();
    let victim = nix::unistd::Pid::from_raw(i32::try_from(first).expect("a process"));
    nix::sys::signal::kill(victim, nix::sys::signal::SIGKILL).expect("it runs");
    service.until("another process", || service.pid() != first);
    service.until_it_answers();
    service.must("stop");
}

#[test]
fn a_bad_file_leaves_what_runs_alone() {
    let (_listener, rule) = host();
    let service = Service::new("bad", "", &rule);
    service.configure("host { test = \"tcp://\" }");
    for argument in ["configtest", "start"] {
        let (is_well, said) = service.run(argument);
        assert!(!is_well && said.contains("could not load"), "{argument}: {said}");
    }
    assert!(service.read("run/hfm.pid").is_empty());

    service.configure(&rule);
    service.must("configtest");
    service.must("start");
    service.until_it_answers();
    let pid = service.pid();
    service.configure("host { test = \"tcp://\" }");
    for argument in ["reload", "restart"] {
        let (is_well, said) = service.run(argument);
        assert!(!is_well && said.contains("could not load"), "{argument}: {said}");
    }
    assert!(is_alive(pid) && service.pid() == pid);
    assert_eq!((service.events("reloading"), service.events("stopping")), (0, 0));

    service.configure(&rule.replace("tables", "change_fail_debounce = 2; tables"));
    service.must("reload");
    service.until("it has reloaded", || service.events("reloaded") == 1);
    assert!(service.pid() == pid);
    service.must("stop");
}

#[test]
fn one_that_cannot_be_asked_is_ended_by_a_signal() {
    let (_listener, rule) = host();
    let service = Service::new("deaf", "hfm_control=/nonexistent/hfm.sock\n", &rule);
    service.must("start");
    service.until_it_answers();
    let pid = service.pid();
    assert!(service.must("stop").contains("taken back after 10 seconds"));
    assert!(!is_alive(pid));
    assert_eq!((service.events("stopping"), service.events("control-stop")), (1, 0));
}

#[test]
fn carp_begins_when_hfm_is_ready() {
    let (_listener, rule) = host();
    // Not at once: whoever does not wait for it says so.
    let rule = rule.replace("tables", "start_delay = 500ms; tables");
    let service = Service::new("carp", "hfm_carp=YES\n", &rule);
    service.must("start");
    service.until("CARP begins", || service.read(ALLOW).trim() == "1");
    assert!(service.read("log").contains("\"event\":\"table-written\""), "{}", service.read("log"));
    assert!(!service.read("log").contains("logger "), "{}", service.read("log"));
    service.must("stop");
}

#[test]
fn without_being_told_carp_is_left_alone() {
    let (_listener, rule) = host();
    let service = Service::new("alone", "", &rule);
    service.must("start");
    assert!(!service.read("log").contains("onecarp"), "{}", service.read("log"));
    assert_eq!(service.read(ALLOW), "0\n");
    service.until("hfm has written", || service.events("table-written") > 0);
    service.must("carp");
    assert_eq!(service.read(ALLOW), "1\n");
    service.must("stop");
}

#[test]
fn carp_begins_late_with_rules_that_know_nothing_and_not_at_all_without_hfm() {
    let (listener, _) = host();
    let closed = listener.local_addr().expect("an address");
    drop(listener);
    // Neither answers, and while the first does not, nothing is known of the second.
    let rules = format!(
        "lan {{ test = \"tcp://{closed}\" }} host {{ test = \"tcp://{closed}\"; guard = [ \"lan\" ]; tables = \"web\" }}"
    );
    let service = Service::new("late", "hfm_carp_wait=1\n", &rules);
    let (is_well, _) = service.run("carp");
    assert!(
        !is_well && service.read("log").contains("CARP is kept from beginning"),
        "{}",
        service.read("log")
    );
    assert_eq!(service.read(ALLOW), "0\n");

    service.must("start");
    service.until_it_answers();
    service.must("carp");
    assert!(service.read("log").contains("CARP begins although"), "{}", service.read("log"));
    assert_eq!(service.read(ALLOW), "1\n");
    service.must("stop");
}

/// An existing user that is not root.
const SOMEBODY: &str = "nobody";

#[test]
fn hfm_alone_is_somebody_else_and_has_a_place_for_what_it_writes() {
    let (_listener, rule) = host();
    let rc = format!("hfm_user={SOMEBODY}\nhfm_control=$TEST_DIRECTORY/run/hfm/hfm.sock\n");
    let service = Service::new("user", &rc, &rule);
    let here = service.directory.display().to_string();
    let file = service.read("hfm.conf").replace("run/hfm.sock", "run/hfm/hfm.sock");
    // CARP's it may not change, a file it may.
    service.write("hfm.conf", &format!("demotion = \"file:{here}/run/demotion\"; demote = 5\n{file}"));
    service.must("start");
    service.until("hfm answers", || service.directory.join("run/hfm/hfm.sock").exists());
    let log = service.read("log");
    let started = log.lines().find(|line| line.starts_with("daemon ")).expect("it was started");
    assert!(
        started.starts_with(&format!("daemon -f -S -T hfm -R 3 -u {SOMEBODY} -P {here}/run/")),
        "{started}"
    );
    assert!(log.contains(&format!("su {SOMEBODY}\n")), "the file was not read by that user: {log}");
    for directory in ["db/hfm", "run/hfm"] {
        assert!(log.contains(&format!("install -d -m 750 -o {SOMEBODY} {here}/{directory}\n")), "{log}");
    }
    service.must("stop");
    assert_eq!(service.events("control-stop"), 1);
}

#[test]
fn a_user_that_could_not_do_what_the_file_asks_for_is_refused() {
    let (_listener, rule) = host();
    let service = Service::new("user-pf", &format!("hfm_user={SOMEBODY}\n"), "");
    let configure = |dataplane: &str, rules: &str| {
        let name = service.directory.join("hfm.conf").display().to_string();
        service
            .write("hfm.conf", &format!("dataplane = {dataplane}; control = \"\"; interval = 1s; {rules}\n"));
        name
    };
    let name = configure("pfctl", &rule);
    let (is_well, said) = service.run("start");
    assert!(!is_well && said.contains(&format!("hfm_user: {SOMEBODY} may not write ")), "{said}");
    assert!(said.contains(&format!("'user = {SOMEBODY};' in {name}")), "{said}");
    assert!(!service.read("log").contains("daemon "), "{}", service.read("log"));
}

#[test]
fn sh_reads_it_and_all_that_stands_in_for_freebsd() {
    let stand_ins = ["daemon", "sysctl", "service", "logger", "su", "install", "rc.subr"];
    let scripts = stand_ins.iter().map(|name| format!("tests/rc_d/{name}"));
    for script in scripts.chain(["rc.d/hfm".to_owned()]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&script);
        let read = Command::new("/bin/sh").arg("-n").arg(path).output().expect("sh runs");
        assert!(read.status.success(), "{script}: {}", String::from_utf8_lossy(&read.stderr));
    }
}
