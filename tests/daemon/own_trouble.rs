//! This machine's own trouble: no descriptors, no processes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Place, pause};

const RULES: &str = "interval = 100ms\n\
                     a { test = sleep; test_arguments = \"0.05\"; change_fail = touch; change_fail_arguments = \"@DIR@/failed\" }\n\
                     b { test = \"true\"; change_fail = touch; change_fail_arguments = \"@DIR@/failed\" }\n";

/// Somebody who is not root, by number.
const NOBODY: [&str; 3] = ["--reuid=54321", "--regid=54321", "--clear-groups"];

/// Sets a limit of a running process (prlimit(1)), as its owner.
fn limit(pid: u32, limit: &str, owner: &[&str]) {
    let mut command = Command::new(if owner.is_empty() { "prlimit" } else { "setpriv" });
    if !owner.is_empty() {
        command.args(owner).arg("prlimit");
    }
    let status = command.arg("--pid").arg(pid.to_string()).arg(limit).status();
    assert!(status.expect("prlimit of util-linux").success());
}

#[test]
fn without_descriptors_runs_are_inconclusive_and_it_recovers_by_itself() {
    let place = Place::new("descriptors");
    let mut daemon = place.start(RULES);
    daemon.wait_for("RuleStateSuccess", 2);
    limit(daemon.pid(), "--nofile=8:", &[]);
    daemon.wait_for("runs are inconclusive: no file descriptors left; raise the limit on open files reason=descriptors rules=", 1);
    pause(Duration::from_millis(500));
    assert!(!place.path.join("failed").exists(), "{}", daemon.log());
    limit(daemon.pid(), "--nofile=1024:", &[]);
    pause(Duration::from_millis(500));
    daemon.signal(nix::sys::signal::Signal::SIGUSR1);
    daemon.wait_for("summary: rules=2 success=2 fail=0", 1);
    let log = daemon.log();
    assert_eq!(log.matches("runs are inconclusive").count(), 1, "told once: {log}");
    assert!(!log.contains("inconclusive reason="), "and not for each rule: {log}");
    assert!(!log.contains("RuleStateFail"), "{log}");
    daemon.stop();
}

#[test]
fn without_processes_runs_are_inconclusive_and_it_recovers_by_itself() {
    // Root is not bound by the limit on processes: run as somebody else, if we are root.
    let place = Place::new("processes");
    let mut command = place.hfm(RULES);
    let owner: &[&str] = if nix::unistd::getuid().is_root() { &NOBODY } else { &[] };
    if nix::unistd::getuid().is_root() {
        let directory = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&place.path, directory).expect("a mode");
        let config = place.path.join("hfm.conf");
        // A copy, because the way to the built program may be closed to others.
        let program = Path::new("/tmp").join(format!("hfm-test-{}", std::process::id()));
        std::fs::copy(env!("CARGO_BIN_EXE_hfm"), &program).expect("a copy of hfm");
        let readable = Path::new("/tmp").join(format!("hfm-test-{}.conf", std::process::id()));
        std::fs::copy(config, &readable).expect("a copy of the configuration");
        command = Command::new("setpriv");
        command.args(owner).arg(&program);
        command.arg("-config").arg(&readable).stdin(Stdio::null());
    }
    let mut daemon = place.start_command(command);
    daemon.wait_for("RuleStateSuccess", 2);
    limit(daemon.pid(), "--nproc=1:", owner);
    daemon.wait_for("inconclusive reason=spawn", 2);
    pause(Duration::from_millis(500));
    limit(daemon.pid(), "--nproc=1000:", owner);
    pause(Duration::from_millis(500));
    daemon.signal(nix::sys::signal::Signal::SIGUSR1);
    daemon.wait_for("summary: rules=2 success=2 fail=0", 1);
    assert!(!daemon.log().contains("RuleStateFail"), "{}", daemon.log());
    daemon.stop();
    for name in ["", ".conf"] {
        let _ = std::fs::remove_file(format!("/tmp/hfm-test-{}{name}", std::process::id()));
    }
}
