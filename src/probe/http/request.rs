//! The request as it goes over the wire: made once for each rule.

use std::fmt::Write;

use crate::rule::{Http, HttpVersion};

/// Methods that give a body a meaning (RFC 9110 sections 9.3.3 and 9.3.4, RFC 5789 section 2).
const BODY_METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];

/// The whole request, head and body.
pub(super) fn encode(http: &Http) -> Box<[u8]> {
    let mut head = String::new();
    let has = |name: &str| http.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut field = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ =
            if value.is_empty() { write!(head, "{name}:\r\n") } else { write!(head, "{name}: {value}\r\n") };
    };
    // RFC 9110 section 7.2: Host comes first, and is there with an empty value where there is no authority.
    if !has("host") {
        field("Host", &http.host);
    }
    for (name, value) in http.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")) {
        field(name, value);
    }
    if !has("user-agent") {
        field("User-Agent", concat!("hfm/", env!("CARGO_PKG_VERSION")));
    }
    if !has("accept") {
        field("Accept", "*/*");
    }
    for (name, value) in http.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        field(name, value);
    }
    // RFC 9110 section 8.6: a method that goes with a body has a length even without one.
    if http.body.is_some() || BODY_METHODS.contains(&&*http.method) {
        let body_bytes = http.body.as_ref().map_or(0, |body| body.len());
        field("Content-Length", &body_bytes.to_string());
    }
    match (http.reuse, http.version) {
        (true, HttpVersion::V11) => {}
        (true, HttpVersion::V10) => field("Connection", "keep-alive"),
        (false, _) => field("Connection", "close"),
    }
    let version = match http.version {
        HttpVersion::V10 => "HTTP/1.0",
        HttpVersion::V11 => "HTTP/1.1",
    };
    let body = http.body.as_deref().unwrap_or_default();
    format!("{} {} {version}\r\n{head}\r\n{body}", http.method, http.target).into_bytes().into()
}

#[cfg(test)]
mod tests;
