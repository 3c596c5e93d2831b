//! What a rule asks of its probe, compiled once: the machines go by it, run after run.

use std::ops::Deref;
use std::sync::Arc;

use super::{dialogue, http, tls};
use crate::rule::{Page, Probe, Service, Together};

/// What a rule asks for, compiled: it reads as the [`Probe`] that it was made of. What others ask for too is shared.
#[derive(Debug)]
pub struct Plan {
    probe: Together<Probe>,
    pub(super) tls: Option<Box<tls::Plan>>,
    pub(super) service: ServicePlan,
}

/// The kind of machine that a plan takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes sent and awaited.
    Dialogue,
    /// An exchange of HTTP.
    Http,
}

#[derive(Clone, Debug)]
pub(super) enum ServicePlan {
    Dialogue(Arc<dialogue::Plan>),
    Http(Arc<http::Plan>),
}

impl Deref for Plan {
    type Target = Probe;

    fn deref(&self) -> &Probe {
        &self.probe
    }
}

impl Plan {
    pub(super) fn new(probe: Together<Probe>, tls: Option<Box<tls::Plan>>, service: ServicePlan) -> Self {
        Self { probe, tls, service }
    }

    /// Goes by this probe from now on, which says the same.
    pub fn go_by(&mut self, probe: &Together<Probe>) {
        self.probe = probe.clone();
    }

    /// Goes by the probe of another plan from now on, and has that go by its own; they differ in their timeouts at most.
    pub fn change_probe_with(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.probe, &mut other.probe);
    }

    /// What it was made of, with the [contents](Self::contents) of its files.
    pub fn probe(&self) -> &Together<Probe> {
        &self.probe
    }

    /// What its request is for.
    pub(super) fn page(&self) -> &Page {
        match &self.probe.service {
            Service::Http(page, _) => page,
            Service::Dialogue(_) => unreachable!("only exchanges ask for a page"),
        }
    }

    /// Which machines can go by it.
    pub fn kind(&self) -> Kind {
        match self.service {
            ServicePlan::Dialogue(_) => Kind::Dialogue,
            ServicePlan::Http(_) => Kind::Http,
        }
    }

    /// Whether the outcome is certain as soon as there is a connection, so that not even the handshake of
    /// TCP has to be completed.
    pub fn is_connection_only(&self) -> bool {
        let nothing_said = match &self.service {
            ServicePlan::Dialogue(dialogue) => dialogue.is_empty(),
            ServicePlan::Http(_) => false,
        };
        nothing_said && self.tls.is_none() && self.network.proxy_protocol.is_none()
    }

    /// Whether we are to say something as soon as there is a connection.
    pub fn speaks_first(&self) -> bool {
        let has_request = match &self.service {
            ServicePlan::Dialogue(dialogue) => dialogue.speaks_first(),
            ServicePlan::Http(_) => true,
        };
        has_request || self.tls.is_some() || self.network.proxy_protocol.is_some()
    }

    /// A digest of the files by which TLS trusts and shows itself, as they were read.
    pub fn contents(&self) -> u64 {
        self.tls.as_ref().map_or(0, |tls| tls.contents)
    }

    /// Whether a connection is kept from run to run.
    pub fn reuses(&self) -> bool {
        match &self.service {
            ServicePlan::Dialogue(_) => false,
            ServicePlan::Http(http) => http.reuse,
        }
    }
}
