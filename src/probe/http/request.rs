//! The request as it goes over the wire: all but its page is made once for all rules that ask alike.

use std::fmt::Write;

use crate::rule::{Http, HttpVersion, Page};

/// Methods that give a body a meaning (RFC 9110 sections 9.3.3 and 9.3.4, RFC 5789 section 2).
const BODY_METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];

/// A request for any page.
#[derive(Debug)]
pub(super) struct Request {
    /// The method, and the blank before the target.
    method: Box<str>,
    /// The rest of the first line.
    version: &'static str,
    /// `Host` is the page's: no field of the rule's takes its place.
    names_host: bool,
    /// The other fields, and the body.
    rest: Box<str>,
}

impl Request {
    pub(super) fn new(http: &Http) -> Self {
        let mut rest = String::new();
        let has = |name: &str| http.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        for (name, value) in http.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")) {
            field(&mut rest, name, value);
        }
        if !has("user-agent") {
            field(&mut rest, "User-Agent", concat!("hfm/", env!("CARGO_PKG_VERSION")));
        }
        if !has("accept") {
            field(&mut rest, "Accept", "*/*");
        }
        for (name, value) in http.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            field(&mut rest, name, value);
        }
        // RFC 9110 section 8.6: a method that goes with a body has a length even without one.
        if http.body.is_some() || BODY_METHODS.contains(&&*http.method) {
            let body_bytes = http.body.as_ref().map_or(0, |body| body.len());
            field(&mut rest, "Content-Length", &body_bytes.to_string());
        }
        match (http.reuse, http.version) {
            (true, HttpVersion::V11) => {}
            (true, HttpVersion::V10) => field(&mut rest, "Connection", "keep-alive"),
            (false, _) => field(&mut rest, "Connection", "close"),
        }
        rest.push_str("\r\n");
        rest.push_str(http.body.as_deref().unwrap_or_default());
        Self {
            method: format!("{} ", http.method).into(),
            version: match http.version {
                HttpVersion::V10 => " HTTP/1.0\r\n",
                HttpVersion::V11 => " HTTP/1.1\r\n",
            },
            names_host: !has("host"),
            rest: rest.into(),
        }
    }

    /// Appends the whole request, head and body.
    pub(super) fn write(&self, page: &Page, out: &mut Vec<u8>) {
        let host = page.host();
        // RFC 9110 section 7.2: Host comes first, and is there with an empty value where there is no authority.
        let (before, after) = match (self.names_host, host.is_empty()) {
            (true, false) => ("Host: ", "\r\n"),
            (true, true) => ("Host:", "\r\n"),
            (false, _) => ("", ""),
        };
        let host = if self.names_host { host } else { "" };
        let parts = [&self.method, page.target(), self.version, before, host, after, &self.rest];
        out.reserve(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    }
}

fn field(head: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = if value.is_empty() { write!(head, "{name}:\r\n") } else { write!(head, "{name}: {value}\r\n") };
}

#[cfg(test)]
mod tests;
