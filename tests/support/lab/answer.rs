//! What clients ask, and who has answered.

use super::places::{HOSTS, name};

/// What is asked for; the connection stays open.
pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

/// The same, of what is answered late (app.cfg says when).
pub(crate) const LATE_REQUEST: &[u8] = b"GET /late HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

/// The same, of what is answered at length.
pub(crate) const LARGE_REQUEST: &[u8] = b"GET /large HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

/// Which host a complete answer came from, by the header that config/gateway-linux/haproxy.cfg adds; what is wrong
/// with an answer that is no good. Nothing while more of it is to come.
pub(crate) fn served_by(reply: &[u8]) -> Option<Result<usize, String>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(reply) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return None,
        Err(error) => return Some(Err(format!("no HTTP: {error}"))),
    };
    if head.code != Some(200) {
        return Some(Err(format!("status {}", head.code.unwrap_or_default())));
    }
    let value = |wanted: &str| {
        let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(wanted));
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let Some(body) = value("content-length").and_then(|length| length.parse::<usize>().ok()) else {
        return Some(Err("no content-length".to_owned()));
    };
    if reply.len() < length + body {
        return None;
    }
    let who = value("x-served-by").unwrap_or_default();
    let host = (0..HOSTS).find(|host| name(*host) == who);
    Some(host.ok_or_else(|| format!("served by {who:?}, who is no host")))
}
