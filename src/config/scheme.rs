//! What tells the schemes of native probes apart. Nothing in the program knows one by its name.

/// A scheme of a `test` that is a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its name in a URL, in lower case.
    pub name: &'static str,
    /// The port of a URL that names none; `None` where there is none, or every URL has to.
    pub default_port: Option<u16>,
    /// What its probes have. This decides how a URL of it is read, and which properties mean anything for it.
    pub features: &'static [Feature],
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
