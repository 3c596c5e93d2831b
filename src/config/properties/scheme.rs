//! The schemes of native probes that are built, and what tells them apart.

/// A scheme of a `test` that is a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `tcp://host:port`
    Tcp,
    /// `tls://host:port`
    Tls,
    /// `http://host[:port]/path?query`
    Http,
    /// `https://host[:port]/path?query`
    Https,
    /// `unix:///path`
    Unix,
    /// `http+unix:///path:/uri`
    HttpUnix,
}

impl Scheme {
    /// Every scheme that is built.
    pub const ALL: &[Self] = &[Self::Tcp, Self::Tls, Self::Http, Self::Https, Self::Unix, Self::HttpUnix];
    /// Those that connect over a network.
    pub const NETWORK: &[Self] = &[Self::Tcp, Self::Tls, Self::Http, Self::Https];
    /// Those that speak HTTP.
    pub const HTTP: &[Self] = &[Self::Http, Self::Https, Self::HttpUnix];
    /// Those that speak what the file says.
    pub const DIALOGUE: &[Self] = &[Self::Tcp, Self::Tls, Self::Unix];
    /// Those that speak TLS.
    pub const TLS: &[Self] = &[Self::Tls, Self::Https];

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Https => "https",
            Self::Unix => "unix",
            Self::HttpUnix => "http+unix",
        }
    }

    /// The port of a URL that names none.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Tcp | Self::Tls | Self::Unix | Self::HttpUnix => None,
        }
    }
}
