//! A stranger's text, made fit for a terminal and a line of a log.

use std::char::{REPLACEMENT_CHARACTER, decode_utf16};

use super::NAME_BYTES_MAX;
use super::der::{BMP_STRING, Element, IA5_STRING, PRINTABLE_STRING, TELETEX_STRING, UTF8_STRING};

/// Stands at the end of a name that was longer.
const CUT: char = '…';

/// Whether elements with this tag are texts that can be decoded (`DirectoryString`, RFC 5280 section
/// 4.1.2.4, and `IA5String`).
pub(super) fn is_text(tag: u8) -> bool {
    matches!(tag, UTF8_STRING | PRINTABLE_STRING | TELETEX_STRING | IA5_STRING | BMP_STRING)
}

/// The text of an element; what is no character of its encoding is replaced.
pub(super) fn decode(element: Element<'_>) -> String {
    let bytes = element.content;
    match element.tag {
        BMP_STRING => {
            let (pairs, odd) = bytes.as_chunks::<2>();
            let units = decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)));
            let chars = units.map(|unit| unit.unwrap_or(REPLACEMENT_CHARACTER));
            clean(chars.chain(odd.iter().map(|_| REPLACEMENT_CHARACTER)), is_plain)
        }
        // Everybody who writes T.61 means Latin-1.
        TELETEX_STRING => clean(bytes.iter().copied().map(char::from), is_plain),
        UTF8_STRING => {
            let chars = bytes.utf8_chunks().flat_map(|chunk| {
                let broken = (!chunk.invalid().is_empty()).then_some(REPLACEMENT_CHARACTER);
                chunk.valid().chars().chain(broken)
            });
            clean(chars, is_plain)
        }
        _ => clean(bytes.iter().copied().map(char::from), |c| c.is_ascii() && is_plain(c)),
    }
}

/// A DNS name; only what host names, wild cards and `_services` are made of is kept, so that commas and
/// blanks between names are ours.
pub(super) fn host(bytes: &[u8]) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '*');
    clean(bytes.iter().copied().map(char::from), is_fit)
}

/// Takes no more of `chars` than fit, with what is not fit replaced.
fn clean(chars: impl Iterator<Item = char>, is_fit: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    for char in chars {
        let char = if is_fit(char) { char } else { REPLACEMENT_CHARACTER };
        if text.len() + char.len_utf8() > NAME_BYTES_MAX {
            while text.len() + CUT.len_utf8() > NAME_BYTES_MAX {
                text.pop();
            }
            text.push(CUT);
            break;
        }
        text.push(char);
    }
    text
}

/// Whether a character is seen for what it is: no control, no blank but the one, nothing that joins,
/// turns around or hides what is beside it (Unicode general category Cf, and the fillers).
fn is_plain(char: char) -> bool {
    let hides = matches!(
        u32::from(char),
        0xad | 0x34f
            | 0x600..=0x605
            | 0x61c
            | 0x6dd
            | 0x70f
            | 0x890..=0x891
            | 0x8e2
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x2800
            | 0x3164
            | 0xe000..=0xf8ff
            | 0xfdd0..=0xfdef
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfffb
            | 0xfffe..=0xffff
            | 0x110bd
            | 0x110cd
            | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a
            | 0xe0000..=0x10_ffff
    );
    !hides && !char.is_control() && (char == ' ' || !char.is_whitespace())
}
