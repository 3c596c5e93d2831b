//! Debian's package and the unit for systemd: built from the hfm of these tests, and installed, started, upgraded, removed
//! and purged on a machine of the test's own (tests/packages/machine), with the real systemd.
#![cfg(target_os = "linux")]

#[path = "support/skip.rs"]
mod skip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up; far more than it should.
const PATIENCE: Duration = Duration::from_secs(90);
/// Who builds packages in tests.
const MAKER: (&str, &str) = ("DEBEMAIL", "hfm@example.org");
const UNIT: &str = "contrib/systemd/hfm.service";

/// What hfm is to do on the machine: everything that it needs a right for.
const CONFIGURATION: &str = r#"
user = hfm; interval = 100ms; dataplane = nftables; tables = "inet/hfm/web"; demotion = "file:/run/hfm/demotion"
up { test = "true"; addresses = "10.0.0.1" }
down { test = "false"; addresses = "10.0.0.2"; demote = 20 }
marked { test = "tcp://127.0.0.1:9"; mark = 7; interface = lo; tables = [] }
who { test = sh; test_arguments = [-c, "grep -E '^(Uid|CapPrm|CapAmb):' /proc/self/status; env"]; tables = []; interval = 1h }
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_there(program: &str) -> bool {
    let said = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().expect("sh runs");
    if !said.status.success() {
        skip::skip(&format!("packages: there is no {program}"));
    }
    said.status.success()
}

/// Both outputs.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// The directory with two packages that differ in their revision alone.
fn packages() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory for the packages");
        for revision in ["1", "2"] {
            let built = Command::new(root().join("contrib/debian/build"))
                .arg("-b")
                .arg(Path::new(env!("CARGO_BIN_EXE_hfm")).parent().expect("it has one"))
                .arg("-o")
                .arg(&directory)
                .args(["-r", revision])
                .env(MAKER.0, MAKER.1)
                .output()
                .expect("the script runs");
            assert!(built.status.success(), "{}", said(&built));
        }
        directory
    })
}

/// The file of one of them.
fn package(revision: &str) -> PathBuf {
    let ending = format!("-{revision}_");
    let files = fs::read_dir(packages()).expect("it is there").map(|file| file.expect("a file").path());
    let mut found = files.filter(|file| file.to_string_lossy().contains(&ending));
    found.next().expect("it was built")
}

/// A machine that runs; it is gone when the test is over.
struct Machine {
    directory: PathBuf,
    child: Child,
}

impl Machine {
    /// Starts one, where that can be.
    fn start(test: &str) -> Option<Self> {
        if !["dpkg-deb", "dpkg-shlibdeps", "strip", "nsenter", "nft", "adduser"].into_iter().all(is_there) {
            return None;
        }
        let machine = root().join("tests/packages/machine");
        let able = Command::new(&machine).arg("able").output().expect("the script runs");
        if !able.status.success() {
            skip::skip(&format!("packages: {}", said(&able).trim()));
            return None;
        }
        let directory = std::env::temp_dir().join(format!("hfm-machine-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("shared")).expect("a directory for the test");
        let log = fs::File::create(directory.join("log")).expect("a file for what it says");
        // It ends with this thread, whatever happens.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(machine)
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the file again"))
            .stderr(log)
            .spawn()
            .expect("it starts");
        let machine = Self { directory, child };
        machine.until("its first process", || machine.directory.join("pid").exists());
        machine.until("it is up", || {
            let state = machine.run("systemctl is-system-running");
            ["running\n", "degraded\n"].contains(&String::from_utf8_lossy(&state.stdout).as_ref())
        });
        Some(machine)
    }

    /// Runs a line of shell on it.
    fn run(&self, line: &str) -> Output {
        let pid = fs::read_to_string(self.directory.join("pid")).expect("it has started");
        Command::new("nsenter")
            .args(["--target", pid.trim(), "--all", "--root", "--wd", "sh", "-c", line])
            .stdin(Stdio::null())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .expect("nsenter runs")
    }

    /// The same where all has to be well; what it printed.
    fn must(&self, line: &str) -> String {
        let ran = self.run(line);
        assert!(ran.status.success(), "{line}: {}\n{}", said(&ran), self.journal());
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    fn is(&self, line: &str) -> bool {
        self.run(line).status.success()
    }

    fn journal(&self) -> String {
        said(&self.run("journalctl --no-pager -o cat -n 200"))
    }

    fn install(&self, revision: &str) -> String {
        let package = package(revision);
        fs::copy(&package, self.directory.join("shared/hfm.deb")).expect("a copy");
        let ran = self.run("dpkg -i /mnt/hfm.deb");
        assert!(ran.status.success(), "{}", said(&ran));
        said(&ran)
    }

    /// Writes hfm's file.
    fn configure(&self, text: &str) {
        fs::write(self.directory.join("shared/hfm.conf"), text).expect("a file");
        self.must("cp /mnt/hfm.conf /etc/hfm.conf");
    }

    /// Makes the table that hfm keeps, with one host in it that is not there.
    fn make_table(&self) {
        self.must("nft 'add table inet hfm; add set inet hfm web { type ipv4_addr; }'");
        self.must("nft 'add element inet hfm web { 10.0.0.2 }'");
    }

    /// hfm runs, its table is true, and its failed rule is demoted.
    fn until_it_works(&self) {
        self.until("hfm is ready", || self.is("systemctl --quiet is-active hfm"));
        self.until("the table is true", || {
            let table = self.must("nft list set inet hfm web");
            table.contains("10.0.0.1") && !table.contains("10.0.0.2")
        });
        self.until("it is demoted", || self.must("cat /run/hfm/demotion") == "20");
    }

    fn pid(&self) -> String {
        self.must("systemctl show -P MainPID hfm")
    }

    #[expect(clippy::disallowed_methods, reason = "a test waits for a real machine")]
    fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so() {
            if Instant::now() >= end {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                let journal =
                    if self.directory.join("pid").exists() { self.journal() } else { String::new() };
                panic!("never: {what}\n{log}\n{journal}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

#[test]
fn the_unit_is_as_confined_as_its_readers_are_told() {
    if !is_there("systemd-analyze") {
        return;
    }
    let analyzed = Command::new("systemd-analyze")
        .args(["security", "--no-pager", "--offline=yes", "--threshold=30"])
        .arg(root().join(UNIT))
        .output()
        .expect("it runs");
    assert!(analyzed.status.success(), "{}", said(&analyzed));
}

#[test]
fn no_unit_hands_what_is_remembered_back_to_root() {
    for unit in [UNIT, "config/pair-linux/hfm.service"] {
        let text = fs::read_to_string(root().join(unit)).expect("the unit");
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(!lines.clone().any(|line| line.starts_with("StateDirectory")), "{unit}");
        assert!(
            lines.any(|line| line == "KillMode=process"),
            "{unit}: the demotion's helper is ended with hfm"
        );
    }
}

#[test]
fn lintian_has_nothing_to_say_of_the_package() {
    if !["lintian", "dpkg-deb", "dpkg-shlibdeps", "strip"].into_iter().all(is_there) {
        return;
    }
    let checked = Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error,warning"])
        .args((!root().join("man/hfm.8").exists()).then_some("--suppress-tags=no-manual-page"))
        .arg(package("1"))
        .output()
        .expect("it runs");
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn it_is_installed_waits_for_its_file_runs_confined_and_leaves_nothing_when_purged() {
    let Some(machine) = Machine::start("life") else { return };
    let told = machine.install("1");
    assert!(told.contains("it starts once there is /etc/hfm.conf"), "{told}");
    assert_eq!(machine.must("systemctl is-enabled hfm"), "enabled");
    assert!(!machine.is("systemctl --quiet is-active hfm") && !machine.is("systemctl --quiet is-failed hfm"));
    assert_eq!(machine.must("stat -c '%U %G %a' /var/lib/hfm"), "hfm hfm 750");

    machine.make_table();
    machine.configure(CONFIGURATION);
    machine.must("hfm -n && systemctl start hfm");
    machine.until_it_works();
    let uid = machine.must("id -u hfm");
    assert_eq!(machine.must(&format!("ps -o uid= -p {}", machine.pid())), uid);
    machine.until("a test that tells who it is", || {
        let journal = machine.journal();
        [
            format!("Uid:\\t{uid}\\t{uid}\\t{uid}\\t{uid}"),
            format!("CapPrm:\\t{:016}", 0),
            format!("CapAmb:\\t{:016}", 0),
        ]
        .iter()
        .all(|part| journal.contains(part))
    });
    let journal = machine.journal();
    assert!(!journal.contains("NOTIFY_SOCKET") && !journal.contains("reason=permission"), "{journal}");
    let runs = "hfmctl --json status marked";
    machine.until("probes with a mark and an interface", || {
        machine.must(runs).contains("\"reason\":\"refused\"")
    });
    machine.until("the manager hears of the rules", || {
        machine.must("systemctl show -P StatusText hfm") == "4 rules: 2 up, 2 down"
    });

    // Once more: what is remembered is still the user's, and the demotion goes over.
    for _ in 0..2 {
        let before = machine.pid();
        machine.must("systemctl restart hfm");
        machine.until_it_works();
        assert_ne!(machine.pid(), before);
    }
    assert_eq!(machine.must("stat -c '%U %G %a' /var/lib/hfm"), "hfm hfm 750");
    assert_eq!(machine.must("systemctl show -P NRestarts hfm"), "0", "{}", machine.journal());

    let pid = machine.pid();
    machine.must("dpkg -r hfm");
    assert!(!machine.is(&format!("kill -0 {pid}")) && !machine.is("systemctl --quiet is-active hfm"));
    assert!(machine.must("nft list set inet hfm web").contains("10.0.0.1"), "tables stay as they are");
    assert!(machine.is("test -e /var/lib/hfm/managed") && !machine.is("test -e /run/hfm"));
    machine.must("dpkg -P hfm");
    let left = machine.must("find /etc /lib/systemd /usr/lib /var/lib -path '*systemd*hfm*'");
    assert_eq!(left, "");
    assert!(!machine.is("test -e /var/lib/hfm") && machine.is("test -e /etc/hfm.conf"));
}

#[test]
fn it_is_watched_reloads_and_is_upgraded_without_losing_anything() {
    let Some(machine) = Machine::start("course") else { return };
    machine.must("mkdir -p /etc/systemd/system/hfm.service.d");
    machine.must("printf '[Service]\\nWatchdogSec=2\\n' >/etc/systemd/system/hfm.service.d/sooner.conf");
    machine.make_table();
    machine.configure(CONFIGURATION);
    machine.install("1");
    machine.until_it_works();

    // A loop that stands still.
    let first = machine.pid();
    machine.must(&format!("kill -STOP {first}"));
    machine.until("another hfm", || !["0", &first].contains(&machine.pid().as_str()));
    machine.until_it_works();
    assert_eq!(machine.must("systemctl show -P NRestarts hfm"), "1");
    let journal = machine.journal();
    assert!(journal.contains("Watchdog timeout"), "{journal}");
    assert!(journal.contains("demotion") && machine.must("hfmctl status").contains("4 rules"), "{journal}");

    // A file that is wrong, then one that is not.
    let pid = machine.pid();
    machine.configure("up { test = }");
    assert!(!machine.is("systemctl reload hfm"), "it was said to be well");
    machine.until("it runs on", || machine.must("systemctl show -P ActiveState hfm") == "active");
    machine.configure(&CONFIGURATION.replace("who {", "more { test = \"true\"; tables = [] } who {"));
    machine.must("systemctl reload hfm");
    machine.until("it runs on", || machine.must("systemctl show -P ActiveState hfm") == "active");
    assert!(machine.must("hfmctl status").contains("5 rules"));
    assert_eq!(machine.pid(), pid);

    // A newer package. What an operator has set is still so, and nobody takes over meanwhile.
    machine.must("hfmctl set up always-success --reason kept");
    machine.install("2");
    machine.until_it_works();
    let upgraded = machine.pid();
    assert_ne!(upgraded, pid);
    machine.until("what was set", || machine.must("hfmctl --json status up").contains("\"kept\""));
    assert!(machine.is("dpkg -s hfm | grep -q '^Version: .*-2$'"));

    // One that does not take the file leaves hfm alone.
    machine.configure("up { test = }");
    let told = machine.install("1");
    assert!(told.contains("the old one runs on"), "{told}");
    assert_eq!(machine.pid(), upgraded);
    machine.must("hfmctl status >/dev/null");

    // After an end that was asked for it stays ended.
    machine.must("hfmctl stop");
    machine.until("it has ended", || machine.must("systemctl show -P ActiveState hfm") == "inactive");
    assert_eq!(machine.must("cat /run/hfm/demotion"), "0");
}
