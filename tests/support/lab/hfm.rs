//! The hfm under test: the built one, and its hfmctl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use super::clock::patiently;
use super::host::Process;
use super::namespace::Namespace;

/// Who hfm becomes: somebody who is on every system.
const USER: &str = "nobody";

/// How soon a host has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As the file says: for figures, on a machine that has nothing else to do.
    AsConfigured,
    /// Later: what happens is the same, and hosts on a busy machine that stand still for a moment have not failed.
    Patient,
}

/// A running hfm.
#[derive(Debug)]
pub(crate) struct Hfm {
    process: Option<Process>,
    directory: PathBuf,
}

impl Hfm {
    /// Starts hfm on a gateway with this file and waits until it can be asked; `certificates` is where hosts' are.
    pub(crate) fn start(
        gateway: &Namespace,
        file: &str,
        pace: Pace,
        directory: &Path,
        certificates: &Path,
    ) -> Self {
        let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
        let time = match pace {
            Pace::AsConfigured => "40ms",
            Pace::Patient => "200ms",
        };
        let authority = certificates.join("ca.pem").to_string_lossy().into_owned();
        let text = file
            .replace("= 40ms;", &format!("= {time};"))
            .replace("user = hfm;", &format!("user = {USER};"))
            .replace("#tls_ca = \"/etc/hfm/ca.pem\"", &format!("tls_ca = \"{authority}\""))
            .replace("/var/lib/hfm", &at("state"))
            .replace("/run/hfm/", &at(""));
        fs::write(directory.join("hfm.conf"), text).expect("a file for hfm");
        let mut hfm = Self { process: None, directory: directory.to_owned() };
        hfm.start_again(gateway);
        hfm
    }

    /// Starts it once more, after it has ended.
    pub(crate) fn start_again(&mut self, gateway: &Namespace) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
        command.arg("-config").arg(self.directory.join("hfm.conf")).env_remove("RUST_LOG");
        self.process = Some(gateway.run(|| Process::start(&mut command, &self.directory.join("hfm.log"))));
        assert!(patiently(|| self.ctl(&["stats"]).is_ok()), "hfm does not answer; its log:\n{}", self.log());
    }

    /// Kills it, as no program can see coming.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Ends it as a service manager would.
    pub(crate) fn end(&mut self) {
        let process = self.process.take().expect("hfm runs");
        process.signal(Signal::SIGTERM);
        process.wait();
    }

    /// Ends it for good, if it runs, with its helper: nothing of it is left behind.
    pub(crate) fn dismiss(&mut self) {
        if self.process.is_some() && self.ctl(&["stop"]).is_ok() {
            self.process.take().expect("hfm runs").wait();
        }
    }

    /// Has hfmctl do something that has to succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        self.ctl(arguments).unwrap_or_else(|said| panic!("hfmctl {arguments:?}: {said}\n{}", self.log()))
    }

    fn ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
        let output = command.arg("-s").arg(self.directory.join("hfm.sock")).args(arguments).output();
        let output = output.expect("hfmctl runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("hfm.log")).unwrap_or_default()
    }
}
