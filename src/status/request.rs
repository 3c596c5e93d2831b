//! What a client asks: the head of a request, judged strictly.
//!
//! Nothing that this program serves takes a body, so a request that has one is refused and its connection ended: there is
//! no second way to read where the next request begins (RFC 9112 section 11.2).

use httparse::{EMPTY_HEADER, Header, Status};

use super::hosts::Hosts;

/// Longest head of a request, in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Longest target, in bytes.
const TARGET_BYTES_MAX: usize = 1024;
/// Headers at most.
const HEADERS_MAX: usize = 64;

/// What is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/`
    Page,
    /// `/healthz`
    Health,
    /// `/metrics`
    Metrics,
    /// `/api/v1/status`
    Status,
    /// `/api/v1/events`
    Events {
        /// Those behind this one; only new ones without it.
        after: Option<u64>,
    },
}

/// How it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: the same without a body.
    Head,
}

/// A request that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What.
    pub resource: Resource,
    /// How.
    pub method: Method,
    /// Whether the connection may serve another request after this one.
    pub keeps: bool,
}

/// Why a request is not answered; RFC 9110 section 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// In words, one line.
    pub why: &'static str,
    /// Whether where the next request begins is known all the same.
    pub keeps: bool,
    /// Whether the answer is to have no body, for it was asked for by HEAD.
    pub is_head: bool,
}

/// What came of looking at the bytes that are there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// The head is not whole yet.
    Partial,
    /// A head of this many bytes.
    Whole(usize, Result<Asked, Refusal>),
}

/// The connection is to be ended after it.
const fn refusal(status: u16, why: &'static str) -> Refusal {
    Refusal { status, why, keeps: false, is_head: false }
}

/// Methods that are known and not served (RFC 9110 section 9, RFC 5789).
const OTHER_METHODS: &[&str] = &["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Looks at the bytes that have come of a request; `hosts` says whom it may name.
pub(super) fn read(bytes: &[u8], hosts: Hosts<'_>) -> Read {
    if bytes.starts_with(b"PRI * HTTP/2.0\r\n") {
        return Read::Whole(bytes.len(), Err(refusal(505, "HTTP/1.1 and HTTP/1.0 are spoken here")));
    }
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let whole = |refusal| Read::Whole(bytes.len(), Err(refusal));
    match request.parse(bytes) {
        Ok(Status::Complete(length)) => Read::Whole(length, judge(&request, hosts)),
        Ok(Status::Partial) if bytes.len() >= HEAD_BYTES_MAX => whole(refusal_of_length(bytes)),
        Ok(Status::Partial) => Read::Partial,
        Err(httparse::Error::TooManyHeaders) => whole(refusal(431, "too many headers")),
        Err(httparse::Error::Version) => whole(refusal(505, "HTTP/1.1 and HTTP/1.0 are spoken here")),
        Err(
            httparse::Error::HeaderName
            | httparse::Error::HeaderValue
            | httparse::Error::NewLine
            | httparse::Error::Status
            | httparse::Error::Token,
        ) => whole(refusal(400, "this is no request of HTTP/1.1")),
    }
}

/// A head without an end: its first line, or its headers.
fn refusal_of_length(bytes: &[u8]) -> Refusal {
    if bytes.contains(&b'\n') {
        refusal(431, "the head of the request is too long")
    } else {
        refusal(414, "the target of the request is too long")
    }
}

fn judge(request: &httparse::Request<'_, '_>, admitted: Hosts<'_>) -> Result<Asked, Refusal> {
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(refusal(400, "this is no request of HTTP/1.1"));
    };
    let headers = &*request.headers;
    if target.len() > TARGET_BYTES_MAX {
        return Err(refusal(414, "the target of the request is too long"));
    }
    let hosts = named(headers, "host").count();
    if hosts > 1 || version == 1 && hosts == 0 {
        return Err(refusal(400, "a request names its host once"));
    }
    has_no_body(headers)?;
    let keeps = keeps(headers, version);
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        other if OTHER_METHODS.contains(&other) => {
            let why = "GET and HEAD are served here: nothing can be changed by this address";
            return Err(Refusal { keeps, ..refusal(405, why) });
        }
        _ => return Err(Refusal { keeps, ..refusal(501, "this method is not known here") }),
    };
    let refused = |status, why| Refusal { status, why, keeps, is_head: method == Method::Head };
    let Some(Target { authority, path, query }) = target_of(target) else {
        return Err(refused(400, "the target of the request is no path"));
    };
    let admits = |host: Option<&[u8]>| host.is_none_or(|host| admitted.admits(host));
    // That of the target counts instead of the header's (RFC 9112 section 3.2.2).
    if !admits(authority.map(str::as_bytes).or_else(|| named(headers, "host").next())) {
        let why = "only this machine is served here, by an address, as localhost or by its own name: \
                   a proxy has to send one of these as Host";
        return Err(refused(421, why));
    }
    let resource = match path {
        "/" => Resource::Page,
        "/healthz" => Resource::Health,
        "/metrics" => Resource::Metrics,
        "/api/v1/status" => Resource::Status,
        "/api/v1/events" => {
            let given = query.map(after).transpose();
            let last = named(headers, "last-event-id").next().and_then(number);
            match given {
                // What has been seen counts, not where it began.
                Ok(given) => Resource::Events { after: last.or(given.flatten()) },
                Err(()) => return Err(refused(400, "the one parameter of events is after=NUMBER")),
            }
        }
        _ => {
            let why = "there is /, /healthz, /metrics, /api/v1/status and /api/v1/events";
            return Err(refused(404, why));
        }
    };
    Ok(Asked { resource, method, keeps })
}

/// Refuses what has a body, or might have one.
fn has_no_body(headers: &[Header<'_>]) -> Result<(), Refusal> {
    if named(headers, "transfer-encoding").next().is_some() {
        return Err(refusal(501, "a request has no body here, and so no Transfer-Encoding"));
    }
    let mut lengths = named(headers, "content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) | (Some(b"0"), None) => Ok(()),
        (Some(length), None) if number(length).is_some() => Err(refusal(413, "a request has no body here")),
        (Some(_), _) => Err(refusal(400, "the length of the request's body cannot be known")),
    }
}

/// Whether the connection stays (RFC 9112 section 9.3).
fn keeps(headers: &[Header<'_>], version: u8) -> bool {
    let says = |word: &str| {
        let of_value = |value: &[u8]| {
            let mut words = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            words.any(|of| of.eq_ignore_ascii_case(word.as_bytes()))
        };
        named(headers, "connection").any(of_value)
    };
    !says("close") && (version == 1 || says("keep-alive"))
}

fn named<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |of| of.name.eq_ignore_ascii_case(name)).map(|of| of.value)
}

/// What a target names.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The parts of a target: a path as it is, or one behind a scheme and a host (RFC 9112 section 3.2). A host that is
/// empty, or behind somebody's name, is none (RFC 9110 section 4.2).
fn target_of(target: &str) -> Option<Target<'_>> {
    let scheme = "http://";
    let (authority, rest) = match target.get(..scheme.len()) {
        Some(front) if front.eq_ignore_ascii_case(scheme) => {
            let rest = &target[scheme.len()..];
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(authority), rest)
        }
        Some(_) | None => (None, target),
    };
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    match authority {
        Some(name) if name.is_empty() || name.starts_with(':') || name.contains('@') => None,
        Some(_) => Some(Target { authority, path: if path.is_empty() { "/" } else { path }, query }),
        None => path.starts_with('/').then_some(Target { authority, path, query }),
    }
}

/// `after=NUMBER`, or nothing.
fn after(query: &str) -> Result<Option<u64>, ()> {
    match query.strip_prefix("after=") {
        Some(value) => number(value.as_bytes()).map(Some).ok_or(()),
        None if query.is_empty() => Ok(None),
        None => Err(()),
    }
}

/// Digits alone; a sign is none.
fn number(text: &[u8]) -> Option<u64> {
    let text =
        std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok()
}

#[cfg(test)]
mod tests;
