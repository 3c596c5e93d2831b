//! Strings: where each of the four styles ends, and what its escapes mean.

use super::cursor::{Cursor, is_value_end};
use super::error::{Parsed, UclError, fault};
use super::limits::HEREDOC_WORD_MAX;

/// Where the content of a string stands, and what is to be done with it.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    pub(super) start: usize,
    pub(super) end: usize,
    /// There is a backslash.
    pub(super) escapes: bool,
    /// There is a dollar sign that may begin a variable.
    pub(super) dollar: bool,
}

/// Reads a string in double quotes; the cursor is on the first quote and ends behind the last.
pub(super) fn double_quoted(cursor: &mut Cursor<'_>) -> Parsed<Raw> {
    let quote = cursor.span(cursor.pos, cursor.pos + 1);
    cursor.pos += 1;
    let mut raw = Raw { start: cursor.pos, end: cursor.pos, escapes: false, dollar: false };
    while let Some(byte) = cursor.peek() {
        match byte {
            b'"' => {
                raw.end = cursor.pos;
                cursor.pos += 1;
                return Ok(raw);
            }
            b'\\' => {
                raw.escapes = true;
                // A byte that is no known escape is judged by itself: a line end stays an error.
                let known = matches!(
                    cursor.byte(cursor.pos + 1),
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u')
                );
                cursor.pos += if known { 2 } else { 1 };
            }
            b'\n' => return fault(quote, UclError::NewlineInString),
            0..0x1f => return fault(cursor.here(), UclError::ControlInString(cursor.char())),
            _ => {
                raw.dollar |= byte == b'$';
                cursor.pos += 1;
            }
        }
    }
    fault(quote, UclError::UnfinishedString('"'))
}

/// Reads a string in single quotes; the cursor is on the first quote and ends behind the last.
pub(super) fn single_quoted(cursor: &mut Cursor<'_>) -> Parsed<Raw> {
    let quote = cursor.span(cursor.pos, cursor.pos + 1);
    cursor.pos += 1;
    let mut raw = Raw { start: cursor.pos, end: cursor.pos, escapes: false, dollar: false };
    while let Some(byte) = cursor.peek() {
        match byte {
            b'\'' => {
                raw.end = cursor.pos;
                cursor.pos += 1;
                return Ok(raw);
            }
            b'\\' => {
                raw.escapes = true;
                cursor.pos += 2;
            }
            _ => cursor.pos += 1,
        }
    }
    fault(quote, UclError::UnfinishedString('\''))
}

/// Reads a bare string up to what ends it. Braces and brackets in pairs belong to it; blanks at
/// its end do not.
pub(super) fn bare(cursor: &mut Cursor<'_>) -> Parsed<Raw> {
    let start = cursor.pos;
    let mut raw = Raw { start, end: start, escapes: false, dollar: false };
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    while let Some(byte) = cursor.peek() {
        match byte {
            b'{' => braces += 1,
            b'[' => brackets += 1,
            b'}' if braces > 0 => braces -= 1,
            b']' if brackets > 0 => brackets -= 1,
            b'$' => raw.dollar = true,
            b'\\' => {
                raw.escapes = true;
                cursor.pos = cursor.end.min(cursor.pos + 2);
                continue;
            }
            _ if is_value_end(byte) || cursor.starts_comment() => break,
            _ => {}
        }
        cursor.pos += 1;
    }
    raw.end = start + cursor.text[start..cursor.pos].trim_end_matches([' ', '\t']).len();
    if raw.end == start {
        return fault(cursor.here(), UclError::EmptyValue);
    }
    Ok(raw)
}

/// Reads a heredoc when there is one: `<<`, a word of capitals, a line end.
pub(super) fn heredoc(cursor: &mut Cursor<'_>) -> Parsed<Option<Raw>> {
    let bytes = cursor.bytes();
    if cursor.end - cursor.pos <= 3 || !bytes[cursor.pos..].starts_with(b"<<") {
        return Ok(None);
    }
    let word_start = cursor.pos + 2;
    let word_len = bytes[word_start..cursor.end].iter().take_while(|b| b.is_ascii_uppercase()).count();
    let word = &bytes[word_start..word_start + word_len];
    let unfinished = || {
        let name = String::from_utf8_lossy(word).into_owned();
        fault(cursor.span(cursor.pos, word_start + word_len), UclError::UnfinishedHeredoc(name))
    };
    match cursor.byte(word_start + word_len) {
        None => return unfinished(),
        Some(b'\n') => {}
        Some(_) => return Ok(None),
    }
    if word_len > HEREDOC_WORD_MAX {
        return fault(cursor.span(cursor.pos, word_start + word_len), UclError::HeredocWord);
    }
    let start = word_start + word_len + 1;
    let mut raw = Raw { start, end: start, escapes: false, dollar: false };
    let (mut line_start, mut at) = (false, start);
    while at < cursor.end {
        if line_start && bytes[at..cursor.end].starts_with(word) {
            match cursor.byte(at + word_len) {
                Some(b'\n' | b';' | b',') => {
                    // The reference cuts the byte before the word, whatever it is.
                    if bytes[at - 1] != b'\n' {
                        return unfinished();
                    }
                    raw.end = at - 1;
                    cursor.pos = at + word_len;
                    return Ok(Some(raw));
                }
                Some(_) | None => {
                    raw.dollar |= bytes[at] == b'$';
                    at += 1;
                    continue;
                }
            }
        }
        line_start = bytes[at] == b'\n';
        raw.dollar |= bytes[at] == b'$';
        at += 1;
    }
    unfinished()
}

/// Undoes the escapes of JSON; any other escape loses its backslash.
pub(super) fn unescape_json(cursor: &Cursor<'_>, raw: Raw) -> Parsed<String> {
    let text = &cursor.text[raw.start..raw.end];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let place = raw.start + (text.len() - rest.len()) + at;
        let mut after = rest[at + 1..].chars();
        match after.next() {
            None => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('t') => out.push('\t'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (unicode, len) = unicode(&rest[at + 2..]).map_err(|kind| {
                    Box::new(super::error::Fault { span: Some(cursor.span(place, place + 2)), kind })
                })?;
                out.push(unicode);
                after = rest[at + 2 + len..].chars();
            }
            Some(other) => out.push(other),
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    Ok(out)
}

/// The character that `\u` stands for and how many bytes of its digits there are.
fn unicode(digits: &str) -> Result<(char, usize), UclError> {
    let half = |from: usize| {
        let four = digits.get(from..from + 4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(four, 16).ok()
    };
    let first = half(0).ok_or(UclError::UnicodeEscape)?;
    match first {
        0 => Err(UclError::NulEscape),
        0xd800..0xdc00 if digits[4..].starts_with("\\u") => {
            let second = half(6).filter(|second| (0xdc00..0xe000).contains(second));
            let second = second.ok_or(UclError::LoneSurrogate)?;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Ok((char::from_u32(code).ok_or(UclError::LoneSurrogate)?, 10))
        }
        _ => Ok((char::from_u32(first).ok_or(UclError::LoneSurrogate)?, 4)),
    }
}

/// Undoes the two escapes of single quotes: the quote itself and a line end, which vanishes.
pub(super) fn unescape_single(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('\n').or_else(|| after.strip_prefix("\r\n")) {
            rest = next;
        } else if let Some(next) = after.strip_prefix('\r') {
            rest = next;
        } else if let Some(next) = after.strip_prefix('\'') {
            out.push('\'');
            rest = next;
        } else {
            let len = after.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[at..at + 1 + len]);
            rest = &after[len..];
        }
    }
    out.push_str(rest);
    out
}
