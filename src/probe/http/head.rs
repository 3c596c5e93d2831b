//! The head of a response (RFC 9112 sections 2 to 6): its bounds, its fields, and what they say of the body.

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response};

use super::Malformed;
use super::body::Framing;

/// Bytes of one head at most, and of all interim heads before it.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Fields of one head at most.
const FIELDS_MAX: usize = 128;
/// What every response begins with.
const BEGINNING: &[u8] = b"HTTP/1.";

/// What a head says, its fields aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// From 100 to 999.
    pub(super) status: u16,
    /// How the body is framed; `None` when there is none.
    pub(super) framing: Option<Framing>,
    /// Whether the server lets the connection stay.
    pub(super) keeps: bool,
    /// Bytes of it.
    pub(super) bytes: usize,
}

/// Finds the end of a head that comes in piece by piece, looking at each byte once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    /// Bytes looked at.
    scanned: usize,
    /// The end of the first line has been seen.
    has_line: bool,
}

/// What has come of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Not even its first line.
    Beginning,
    /// A status line of this many bytes, and perhaps more; told once, before anything else of the head.
    StatusLine(usize),
    /// Fields, not all of them.
    Fields,
    /// All of it: this many bytes.
    Whole(usize),
}

impl Bounds {
    /// Looks at all that has come of the head.
    pub(super) fn look(&mut self, head: &[u8]) -> Result<Extent, Malformed> {
        let known = head.len().min(BEGINNING.len());
        if head[..known] != BEGINNING[..known] {
            return Err(Malformed::NotHttp);
        }
        while let Some(at) = head[self.scanned..].iter().position(|byte| *byte == b'\n') {
            let line_end = self.scanned + at + 1;
            if line_end > HEAD_BYTES_MAX {
                return Err(Malformed::HeadTooLong);
            }
            self.scanned = line_end;
            if !self.has_line {
                self.has_line = true;
                return Ok(Extent::StatusLine(line_end));
            }
            let line = &head[..line_end - 1];
            if line.ends_with(b"\n\r") || line.ends_with(b"\n") {
                return Ok(Extent::Whole(line_end));
            }
        }
        self.scanned = head.len();
        if head.len() > HEAD_BYTES_MAX {
            return Err(Malformed::HeadTooLong);
        }
        Ok(if self.has_line { Extent::Fields } else { Extent::Beginning })
    }
}

/// What is sloppy and has only one meaning is taken (RFC 9112 sections 4, 5.1 and 5.2).
fn parser() -> ParserConfig {
    let mut parser = ParserConfig::default();
    parser.allow_obsolete_multiline_headers_in_responses(true);
    parser.allow_multiple_spaces_in_response_status_delimiters(true);
    parser.allow_spaces_after_header_name_in_responses(true);
    parser
}

/// The status that a status line says.
pub(super) fn status(line: &[u8]) -> Result<u16, Malformed> {
    let mut response = Response::new(&mut []);
    parser().parse_response(&mut response, line).map_err(Malformed::Head)?;
    response.code.ok_or(Malformed::Head(httparse::Error::Status))
}

/// Reads a whole head. `look` sees its fields; what it finds comes back beside the head.
pub(super) fn read<T>(
    head: &[u8],
    is_head_request: bool,
    look: impl FnOnce(u16, &[Header<'_>]) -> T,
) -> Result<(Head, T), Malformed> {
    let mut fields = [EMPTY_HEADER; FIELDS_MAX];
    let mut response = Response::new(&mut fields);
    let bytes = match parser().parse_response(&mut response, head).map_err(Malformed::Head)? {
        httparse::Status::Complete(bytes) => bytes,
        httparse::Status::Partial => return Err(Malformed::Head(httparse::Error::NewLine)),
    };
    let status = response.code.ok_or(Malformed::Head(httparse::Error::Status))?;
    let is_1_0 = response.version == Some(0);
    let found = look(status, response.headers);
    let has_no_body = is_head_request || matches!(status, 100..200 | 204 | 304);
    let framing = if has_no_body { None } else { framing(response.headers)? };
    let keeps = keeps(response.headers, is_1_0) && framing != Some(Framing::UntilClose);
    Ok((Head { status, framing, keeps, bytes }, found))
}

/// A field's value in one line: each fold is replaced by blanks (RFC 9112 section 5.2).
pub(super) fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\n') {
        return Cow::Borrowed(value);
    }
    value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

/// RFC 9112 section 6.3.
fn framing(fields: &[Header<'_>]) -> Result<Option<Framing>, Malformed> {
    // The last coding counts: chunked ends itself, any other ends with the connection.
    if let Some(last) = members(fields, "transfer-encoding").filter(|coding| !coding.is_empty()).last() {
        let is_chunked = last.eq_ignore_ascii_case(b"chunked");
        return Ok(Some(if is_chunked { Framing::chunked() } else { Framing::UntilClose }));
    }
    let mut length = None;
    for value in members(fields, "content-length") {
        let value = number(value).ok_or(Malformed::Length)?;
        if length.is_some_and(|length| length != value) {
            return Err(Malformed::Length);
        }
        length = Some(value);
    }
    Ok(match length {
        None => Some(Framing::UntilClose),
        Some(0) => None,
        Some(length) => Some(Framing::Length(length)),
    })
}

/// The members of a field that is a list (RFC 9110 section 5.6.1), over all lines of it.
fn members<'f>(fields: &'f [Header<'f>], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    let lines = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    lines.flat_map(|field| field.value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// RFC 9112 section 9.3.
fn keeps(fields: &[Header<'_>], is_1_0: bool) -> bool {
    // HTTP/1.0 knows no codings: its framing is not to be relied on (RFC 9112 section 6.1).
    if is_1_0 && members(fields, "transfer-encoding").next().is_some() {
        return false;
    }
    let mut keeps = !is_1_0;
    for option in members(fields, "connection") {
        if option.eq_ignore_ascii_case(b"close") {
            return false;
        }
        keeps |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    keeps
}

#[cfg(test)]
mod tests;
