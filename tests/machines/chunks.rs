//! Chunks (RFC 9112 section 7.1), with a bare LF for a line's end, and blanks behind a size.

use crate::oracle::{Body, Ended};

/// Decodes as far as it goes; the first byte that no chunk can have ends it.
pub(crate) fn decode(mut rest: &[u8]) -> Body {
    let mut content = Vec::new();
    let ended = loop {
        let size = match size_line(rest) {
            Line::Is(size, bytes) => {
                rest = &rest[bytes..];
                size
            }
            Line::Open => break Ended::Open,
            Line::Bad => break Ended::Malformed,
        };
        if size == 0 {
            break trailers(&mut rest);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let data = &rest[..rest.len().min(size)];
        content.extend_from_slice(data);
        if data.len() < size {
            break Ended::Open;
        }
        rest = &rest[size..];
        rest = match rest {
            [] | [b'\r'] => break Ended::Open,
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
            _ => break Ended::Malformed,
        };
    };
    Body { content, ended, left: if ended == Ended::Complete { rest.len() } else { 0 } }
}

enum Line {
    Is(u64, usize),
    Open,
    Bad,
}

fn size_line(text: &[u8]) -> Line {
    let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let mut size: u64 = 0;
    for digit in &text[..digits] {
        let digit = u64::from(char::from(*digit).to_digit(16).expect("it is one"));
        let Some(grown) = size.checked_mul(16) else { return Line::Bad };
        size = grown + digit;
    }
    let after = &text[digits..];
    match (digits, after.first()) {
        (_, None) => return Line::Open,
        (0, Some(_)) => return Line::Bad,
        (_, Some(b'\r' | b'\n' | b';' | b' ' | b'\t')) => {}
        (_, Some(_)) => return Line::Bad,
    }
    // Up to the first CR or LF all is extension; a CR has an LF behind it.
    let Some(end) = after.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else { return Line::Open };
    match (after[end], after.get(end + 1)) {
        (b'\n', _) => Line::Is(size, digits + end + 1),
        (_, Some(b'\n')) => Line::Is(size, digits + end + 2),
        (_, None) => Line::Open,
        (_, Some(_)) => Line::Bad,
    }
}

/// Lines up to an empty one.
fn trailers(rest: &mut &[u8]) -> Ended {
    loop {
        let after = match *rest {
            [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => {
                *rest = after;
                return Ended::Complete;
            }
            [] | [b'\r'] => return Ended::Open,
            [b'\r', ..] => return Ended::Malformed,
            line => line.iter().position(|byte| *byte == b'\n').map(|at| &line[at + 1..]),
        };
        let Some(after) = after else { return Ended::Open };
        *rest = after;
    }
}
