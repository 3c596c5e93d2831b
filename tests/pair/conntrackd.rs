//! conntrackd on a gateway: Debian's, with the file of config/pair-linux.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::lab::clock::patiently;
use super::lab::host::Process;
use super::lab::namespace::Namespace;

/// The file that is tried out here, as it is on the first gateway.
const FILE: &str = include_str!("../../config/pair-linux/conntrackd.conf");

/// Its own address and that of the other one, on the first gateway.
const OURS: &str = "\t\tIPv4_address 192.0.2.2\n";
const THEIRS: &str = "IPv4_Destination_Address 192.0.2.3";

/// A running conntrackd.
#[derive(Debug)]
pub(crate) struct Conntrackd {
    _process: Process,
}

impl Conntrackd {
    /// Starts it on a gateway, with its files in a directory, and waits until it can be asked.
    pub(crate) fn start(gateway: usize, namespace: &Namespace, directory: &Path) -> Self {
        let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
        let mut text = FILE
            .replace("/run/", &at(""))
            .replace("Syslog yes", &format!("LogFile {}", at("conntrackd.log")));
        if gateway == 1 {
            let (ours, theirs) = (OURS.replace(".2\n", ".3\n"), THEIRS.replace("192.0.2.3", "192.0.2.2"));
            text = text.replacen(OURS, &ours, 1).replace(THEIRS, &theirs);
        }
        fs::write(directory.join("conntrackd.conf"), text).expect("a file for conntrackd");
        let command = || {
            let mut command = Command::new("conntrackd");
            command.arg("-C").arg(directory.join("conntrackd.conf"));
            command
        };
        let log = directory.join("conntrackd.out");
        let process = namespace.run(|| Process::start(&mut command(), &log));
        let asks = || command().arg("-s").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let answers = patiently(|| asks().is_ok_and(|status| status.success()));
        assert!(
            answers,
            "conntrackd: {:?} {:?}",
            fs::read_to_string(log),
            fs::read_to_string(at("conntrackd.log"))
        );
        Self { _process: process }
    }
}
