//! A native probe as meant: plain values, validated, nothing compiled.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Passage, Shared};

/// What a native probe tests and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// The `test` as written.
    pub url: Passage,
    /// Where to connect to: the URL's own place, or `connect`.
    pub peer: Peer,
    /// How connections are made and ended.
    pub network: Shared<Network>,
    /// The deadline of a whole run, from its start; above 0 and not above any of the intervals. `timeout`.
    pub timeout: Duration,
    /// What is spoken on the connection.
    pub service: Service,
    /// TLS around it; `None` for plain text.
    pub tls: Option<Box<Tls>>,
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An address known beforehand.
    Address(IpAddr, u16),
    /// A name that is looked up, and a port.
    Name(Box<str>, u16),
    /// A local socket; an absolute path.
    Local(Box<str>),
}

/// How connections are made and ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Which addresses of a name may be used. `family`.
    pub family: Family,
    /// How often a name is looked up again; above 0. `resolve`.
    pub resolve: Duration,
    /// The local address. `source`.
    pub source: Option<IpAddr>,
    /// The network device (Linux, SO_BINDTODEVICE); at most 15 bytes. `interface`.
    pub interface: Option<Box<str>>,
    /// The routing table (FreeBSD, SO_SETFIB). `fib`.
    pub fib: Option<u32>,
    /// The packet mark (Linux, SO_MARK). `mark`.
    pub mark: Option<u32>,
    /// The PROXY header sent first. `proxy_protocol`.
    pub proxy_protocol: Option<ProxyVersion>,
    /// How connections end. `close`.
    pub close: Close,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            family: Family::Any,
            resolve: Duration::from_secs(30),
            source: None,
            interface: None,
            fib: None,
            mark: None,
            proxy_protocol: None,
            close: Close::Reset,
        }
    }
}

/// Which addresses of a name may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Both.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Family {
    /// Whether an address is of this family.
    pub fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// The version of a PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyVersion {
    /// One line of text, with the connection's addresses.
    V1,
    /// Binary, with the command LOCAL.
    V2,
}

/// How a connection is ended on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// RST: leaves nothing behind.
    Reset,
    /// FIN.
    Fin,
}

/// What is spoken on the connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// `tcp`, `tls`, `unix`: bytes sent and awaited; nothing of either for a mere connection.
    Dialogue(Shared<Dialogue>),
    /// `http`, `https`, `http+unix`.
    Http(Page, Shared<Http>),
}

/// A conversation: first `send`, then the steps, then the patterns on all that was received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dialogue {
    /// Sent first. `send`, `send_hex`.
    pub send: Box<[u8]>,
    /// `dialogue`.
    pub steps: Vec<DialogueStep>,
    /// `expect`, `expect_regex`, `reject`, `reject_regex`, `max_body`.
    pub patterns: Patterns,
}

/// One step of `dialogue`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DialogueStep {
    /// `send TEXT`.
    Send(Box<[u8]>),
    /// `expect TEXT`: in what was received since the last step that expected something.
    Expect(Box<[u8]>),
    /// `expect_regex RE`: the same.
    ExpectRegex(Box<str>),
}

/// What a reply is searched for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Patterns {
    /// Texts that must all be in it. `expect`.
    pub expect: Vec<Box<str>>,
    /// Patterns that must all match it. `expect_regex`.
    pub expect_regex: Vec<Box<str>>,
    /// Texts that must not be in it. `reject`.
    pub reject: Vec<Box<str>>,
    /// Patterns that must not match it. `reject_regex`.
    pub reject_regex: Vec<Box<str>>,
    /// Bytes looked at, at most. `max_body`.
    pub bytes_max: usize,
}

impl Patterns {
    /// `max_body` when the file does not say.
    pub const BYTES_MAX_DEFAULT: usize = 64 * 1024;

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.expect.is_empty()
            && self.expect_regex.is_empty()
            && self.reject.is_empty()
            && self.reject_regex.is_empty()
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self {
            expect: Vec::new(),
            expect_regex: Vec::new(),
            reject: Vec::new(),
            reject_regex: Vec::new(),
            bytes_max: Self::BYTES_MAX_DEFAULT,
        }
    }
}

/// What a rule's own request is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// The host, and behind it the target.
    pub(super) text: Passage,
    host_bytes: u32,
}

impl Page {
    /// `host` is the value of `Host`: the URL's authority, `localhost` for `http+unix`. `target` is the request target: path
    /// and query of the URL, `/` when it has none.
    pub fn new(host: &str, target: &str) -> Self {
        let host_bytes = u32::try_from(host.len()).expect("texts of files have 256 MiB at most");
        Self { text: [host, target].concat().into(), host_bytes }
    }

    /// The value of `Host`.
    pub fn host(&self) -> &str {
        &self.text[..self.host_bytes as usize]
    }

    /// The request target.
    pub fn target(&self) -> &str {
        &self.text[self.host_bytes as usize..]
    }

    /// The same, in the memory of the URL where that ends just so: where it says its port if it has to, and a path.
    pub fn within(url: &Passage, host: &str, target: &str) -> Self {
        let rest = url.strip_suffix(target).and_then(|rest| rest.strip_suffix(host));
        let text = rest.and_then(|rest| url.part(rest.len()..url.len()));
        match (text, u32::try_from(host.len())) {
            (Some(text), Ok(host_bytes)) => Self { text, host_bytes },
            (None, _) | (_, Err(_)) => Self::new(host, target),
        }
    }

    /// Whether the URL ends just so.
    pub(super) fn is_in(&self, url: &Passage) -> bool {
        url.ends_with(&*self.text)
    }

    /// Takes no memory beside the URL's where it [is in](Self::is_in) that.
    pub(super) fn find_in(&mut self, url: &Passage) {
        let from = url.len().checked_sub(self.text.len()).filter(|_| self.is_in(url));
        if let Some(part) = from.and_then(|from| url.part(from..url.len())) {
            self.text = part;
        }
    }
}

/// An HTTP/1.x request and what its response has to be, whatever the [`Page`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Http {
    /// A token (RFC 9110 section 9.1). `http_method`.
    pub method: Box<str>,
    /// `http_version`.
    pub version: HttpVersion,
    /// Further fields, name and value; one named Host replaces ours. `http_headers`.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// `http_body`.
    pub body: Option<Box<str>>,
    /// Codes that count as success. `http_status`.
    pub status: Vec<RangeInclusive<u16>>,
    /// Each must match a field of the response head. `expect_header`.
    pub expect_header: Vec<HeaderPattern>,
    /// None may match a field of the response head. `reject_header`.
    pub reject_header: Vec<HeaderPattern>,
    /// Patterns on the body.
    pub patterns: Patterns,
    /// Keep one connection open from run to run. `reuse`.
    pub reuse: bool,
}

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.0
    V10,
    /// HTTP/1.1
    V11,
}

/// `Name: REGEX`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderPattern {
    /// The field's name; any letter case matches.
    pub name: Box<str>,
    /// What its value has to match.
    pub regex: Box<str>,
}

/// How TLS is spoken and what is asked of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tls {
    /// Chain, name and dates are verified. `tls_verify`.
    pub verify: bool,
    /// Name to send and to verify: a host name or an address. `tls_name`, else the URL's host.
    pub name: Box<str>,
    /// File of trusted certificates; `None` for the system's. `tls_ca`.
    pub ca: Option<Box<str>>,
    /// Protocols to offer, in order. `tls_alpn`.
    pub alpn: Vec<Box<str>>,
    /// The lowest version. `tls_min`.
    pub min: TlsVersion,
    /// Files of the client's certificate and key. `tls_cert`, `tls_key`.
    pub client: Option<(Box<str>, Box<str>)>,
    /// The certificate must last at least this long. `tls_expiry`.
    pub expiry: Duration,
    /// Allow session resumption. `tls_resume`.
    pub resume: bool,
    /// What those files held when they were read, the system's trusted certificates among them: a digest, by which a
    /// rule whose files have changed is another one. 0 before that.
    pub contents: u64,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsVersion {
    /// TLS 1.2
    V12,
    /// TLS 1.3
    V13,
}
