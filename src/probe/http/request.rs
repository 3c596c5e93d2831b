//! The request as it goes over the wire: made once for each rule.

use std::fmt::Write;

use crate::rule::{Http, HttpVersion};

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
    if !has("user-agent") {
        field("User-Agent", concat!("hfm/", env!("CARGO_PKG_VERSION")));
    }
    if !has("accept") {
        field("Accept", "*/*");
    }
    for (name, value) in &http.headers {
        field(name, value);
    }
    if let Some(body) = &http.body {
        field("Content-Length", &body.len().to_string());
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
