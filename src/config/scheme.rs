//! What tells the schemes of native probes apart: a row for each, and nothing else in the program knows them by name.

use super::native::Make;

/// A scheme of a `test` that is a URL. Every one that is built is in [`SCHEMES`](super::SCHEMES).
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// Its name in a URL, in lower case.
    pub name: &'static str,
    /// The port of a URL that names none; `None` where there is none, or every URL has to.
    pub default_port: Option<u16>,
    /// What its probes have. This decides how a URL of it is read, and which properties mean anything for it.
    pub features: &'static [Feature],
    /// Makes what is said, of what the file says.
    pub(in crate::config) service: Make,
}

/// What probes of some schemes have, and others not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// They connect over a network: `host:port` in the URL, where others have the path of a local socket.
    Network,
    /// They speak TLS.
    Tls,
    /// They make a request of HTTP: the URL has a path.
    Http,
    /// What is said is what the file says.
    Dialogue,
}

impl Scheme {
    /// Whether its probes have this.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

impl PartialEq for Scheme {
    /// Schemes are told apart by their names.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scheme {}
