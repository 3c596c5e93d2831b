//! What a client is answered: a head, and a body that many may share.

use std::io::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use super::date::HttpDate;
use super::request::Refusal;

/// A body, in pieces; made once, and sent to all who asked for it.
pub type Body = Arc<[Box<[u8]>]>;

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Of the body.
    pub content_type: &'static str,
    /// `Content-Security-Policy`, where it is to have one.
    pub policy: Option<Arc<str>>,
    /// The whole of it.
    pub body: Body,
}

const TEXT: &str = "text/plain; charset=utf-8";

impl Response {
    /// A line or a few of text.
    pub fn text(status: u16, text: &str) -> Self {
        Self { status, content_type: TEXT, policy: None, body: Arc::from([Box::from(text.as_bytes())]) }
    }

    /// What is not answered, in words.
    pub fn refusal(refusal: Refusal) -> Self {
        Self::text(refusal.status, &format!("{}\n", refusal.why))
    }

    /// Writes the head; `keeps` says whether the connection stays.
    pub(super) fn write_head(&self, keeps: bool, at: SystemTime, out: &mut Vec<u8>) {
        let Self { status, content_type, policy, body } = self;
        let length: usize = body.iter().map(|piece| piece.len()).sum();
        write_common(*status, content_type, keeps, at, out);
        // A Vec takes everything.
        let _ = write!(out, "Content-Length: {length}\r\n");
        if let Some(policy) = policy {
            let _ = write!(out, "Content-Security-Policy: {policy}\r\nReferrer-Policy: no-referrer\r\n");
        }
        if *status == 405 {
            out.extend_from_slice(b"Allow: GET, HEAD\r\n");
        }
        if *status == 503 {
            out.extend_from_slice(b"Retry-After: 1\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The head of a stream of events, which ends with its connection.
pub(super) fn write_stream_head(at: SystemTime, out: &mut Vec<u8>) {
    write_common(200, "text/event-stream", false, at, out);
    // Whatever a proxy on the way thinks of collecting first.
    out.extend_from_slice(b"X-Accel-Buffering: no\r\n\r\n");
}

fn write_common(status: u16, content_type: &str, keeps: bool, at: SystemTime, out: &mut Vec<u8>) {
    let connection = if keeps { "" } else { "Connection: close\r\n" };
    let _ = write!(
        out,
        "HTTP/1.1 {status} {}\r\nDate: {}\r\nContent-Type: {content_type}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{connection}",
        phrase(status),
        HttpDate(at)
    );
}

/// RFC 9110 section 15, RFC 6585 section 5.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
