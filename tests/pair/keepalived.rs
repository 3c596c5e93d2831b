//! keepalived on a gateway: Debian's, with the files of config/pair-linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::lab::clock::patiently;
use super::lab::host::Process;
use super::lab::namespace::Namespace;

/// The files that are tried out here.
const FILES: [&str; 2] = [
    include_str!("../../config/pair-linux/keepalived-gw1.conf"),
    include_str!("../../config/pair-linux/keepalived-gw2.conf"),
];

/// What is added to its unit: what it waits for before it is started.
const UNIT: &str = include_str!("../../config/pair-linux/keepalived-hfm.conf");

/// A keepalived: it runs, or has ended.
#[derive(Debug)]
pub(crate) struct Keepalived {
    process: Option<Process>,
    directory: PathBuf,
}

impl Keepalived {
    /// Starts it on a gateway, with its files in a directory.
    pub(crate) fn start(gateway: usize, namespace: &Namespace, directory: &Path) -> Self {
        let run = format!("{}/", directory.to_string_lossy());
        let text = FILES[gateway].replace("/run/hfm/", &run);
        fs::write(directory.join("keepalived.conf"), text).expect("a file for keepalived");
        let mut check = Command::new("keepalived");
        namespace.feed(check.arg("-t").arg("-f").arg(directory.join("keepalived.conf")), "");
        let mut keepalived = Self { process: None, directory: directory.to_owned() };
        keepalived.start_again(namespace);
        keepalived
    }

    /// Starts it once more, after it has ended, once hfm is as far as the unit wants it.
    pub(crate) fn start_again(&mut self, namespace: &Namespace) {
        let at = |name: &str| self.directory.join(name);
        let before =
            UNIT.lines().find_map(|line| line.strip_prefix("ExecStartPre=-")).expect("what comes before");
        let hfmctl = format!("{} -s {}", env!("CARGO_BIN_EXE_hfmctl"), at("hfm.sock").to_string_lossy());
        let before = before.replace("hfmctl", &hfmctl).replace("/run/hfm", &self.directory.to_string_lossy());
        // What does not come is not waited for: the line begins with '-'.
        namespace.feed(Command::new("sh").args(["-c", &format!("{before} || true")]), "");
        let mut command = Command::new("keepalived");
        // VRRP alone, in the foreground, with nothing outside of the directory.
        command.args(["-n", "-l", "-P", "-D", "-f"]).arg(at("keepalived.conf"));
        command.arg("-p").arg(at("keepalived.pid")).arg("-r").arg(at("vrrp.pid"));
        self.process = Some(namespace.run(|| Process::start(&mut command, &at("keepalived.log"))));
    }

    /// Ends it as a service manager would: it gives its addresses away.
    pub(crate) fn end(&mut self) {
        let process = self.process.take().expect("keepalived runs");
        process.signal(Signal::SIGTERM);
        process.wait();
    }

    /// Kills it, and the child that has the addresses, before either can say a word.
    pub(crate) fn kill(&mut self) {
        let child = || fs::read_to_string(self.directory.join("vrrp.pid")).ok()?.trim().parse().ok();
        let mut pid = None;
        assert!(
            patiently(|| {
                pid = child();
                pid.is_some()
            }),
            "keepalived has no child"
        );
        let child = Pid::from_raw(pid.expect("a child"));
        // A child is told when its parent ends; one that is stopped hears nothing.
        kill(child, Signal::SIGSTOP).expect("it runs");
        self.process = None;
        kill(child, Signal::SIGKILL).expect("it was stopped");
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("keepalived.log")).unwrap_or_default()
    }
}
