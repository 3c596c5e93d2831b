//! One of the two gateways, with what runs on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::conntrackd::Conntrackd;
use super::keepalived::Keepalived;
use super::lab::firewall;
use super::lab::hfm::{Hfm, Pace};
use super::lab::namespace::Namespace;
use super::network::Network;

/// The files that are tried out here, as they are.
pub(crate) const RULESET: &str = include_str!("../../config/pair-linux/nftables.conf");
const HFM: &str = include_str!("../../config/pair-linux/hfm.conf");

/// The services of a gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) hfm: Hfm,
    pub(crate) keepalived: Keepalived,
    conntrackd: Option<Conntrackd>,
    number: usize,
    directory: PathBuf,
}

impl Gateway {
    /// Starts everything on a gateway, in the order of hfm.service.
    pub(crate) fn start(
        gateway: usize,
        network: &Network,
        pace: Pace,
        directory: PathBuf,
        certificates: &Path,
    ) -> Self {
        let namespace = &network.gateways[gateway];
        firewall::nft(namespace, RULESET);
        network.set_kernel(gateway);
        let hfm = Hfm::start(namespace, HFM, pace, &directory, certificates);
        let keepalived = Keepalived::start(gateway, namespace, &directory);
        Self { hfm, keepalived, conntrackd: None, number: gateway, directory }
    }

    /// Starts everything again after everything has ended, with empty maps and no memory of connections: as after a reboot.
    pub(crate) fn boot(&mut self, namespace: &Namespace) {
        namespace.feed(Command::new("conntrack").arg("-F"), "");
        firewall::nft(namespace, &format!("flush ruleset\n{RULESET}"));
        self.hfm.start_again(namespace);
        self.keepalived.start_again(namespace);
    }

    /// Has it tell the other one of its connections from now on.
    pub(crate) fn start_conntrackd(&mut self, namespace: &Namespace) {
        self.conntrackd = Some(Conntrackd::start(self.number, namespace, &self.directory));
    }

    /// What its programs have to say.
    pub(crate) fn log(&self) -> String {
        format!("{}\n{}", self.hfm.log(), self.keepalived.log())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.hfm.dismiss();
    }
}
