//! A position in a text: what byte comes next, and how blanks and comments are passed over.
//!
//! Owns the classes of bytes. The tables of the reference differ from what one expects: form feed
//! and vertical tab separate nothing, and a bare value does not end at a blank.

use super::error::{Parsed, UclError, fault};
use super::value::{SourceId, Span};

/// A space or a tab: what may stand inside a line.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Anything invisible between keys and values.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// What ends a bare value.
pub(super) fn is_value_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'#' | b',' | b';' | b']' | b'}')
}

/// What may begin a bare key.
pub(super) fn is_key_start(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_') || byte >= 0x80
}

/// What may stand inside a bare key.
pub(super) fn is_key(byte: u8) -> bool {
    is_key_start(byte) || matches!(byte, b'-' | b'.')
}

/// Whether a comment was passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// At least one.
    Some,
    /// None.
    None,
}

/// A text and how far it is read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) source: SourceId,
    pub(super) pos: usize,
    /// Where this text ends; before the end of the file for the arguments of a macro.
    pub(super) end: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, source: SourceId) -> Self {
        Self { text, source, pos: 0, end: text.len() }
    }

    /// Passes over spaces of every kind.
    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.pos += 1;
        }
    }

    /// Passes over spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.pos += 1;
        }
    }

    /// Passes over comments that follow each other without anything between.
    pub(super) fn skip_comments(&mut self) -> Parsed<Comments> {
        let start = self.pos;
        while self.starts_comment() {
            if self.peek() == Some(b'#') {
                let line = &self.bytes()[self.pos..self.end];
                self.pos += line.iter().position(|b| *b == b'\n').map_or(line.len(), |at| at + 1);
            } else {
                self.skip_block_comment()?;
            }
        }
        Ok(if self.pos == start { Comments::None } else { Comments::Some })
    }

    /// Passes over spaces and comments in any order.
    pub(super) fn skip_space_and_comments(&mut self) -> Parsed<()> {
        loop {
            self.skip_space();
            if self.skip_comments()? == Comments::None {
                return Ok(());
            }
        }
    }

    fn skip_block_comment(&mut self) -> Parsed<()> {
        let bytes = self.bytes();
        let (mut depth, mut quoted, mut at) = (1_usize, false, self.pos + 2);
        while at < self.end {
            if bytes[at] == b'"' && bytes[at - 1] != b'\\' {
                quoted = !quoted;
            }
            let pair = &bytes[at..self.end.min(at + 2)];
            if !quoted && pair == b"*/" {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    self.pos = at;
                    return Ok(());
                }
            } else if !quoted && pair == b"/*" {
                depth += 1;
                at += 2;
            } else {
                at += 1;
            }
        }
        fault(self.span(self.pos, self.pos + 2), UclError::UnfinishedComment)
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.pos)
    }

    /// The byte at a position before the end.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        if at < self.end { Some(self.bytes()[at]) } else { None }
    }

    pub(super) fn is_end(&self) -> bool {
        self.pos >= self.end
    }

    /// Whether a comment begins here.
    pub(super) fn starts_comment(&self) -> bool {
        match self.peek() {
            Some(b'#') => true,
            Some(b'/') => self.byte(self.pos + 1) == Some(b'*'),
            Some(_) | None => false,
        }
    }

    /// The character at the position, for messages.
    pub(super) fn char(&self) -> char {
        self.text[self.pos..].chars().next().unwrap_or(' ')
    }

    /// The span of the character at the position, empty at the end of the text.
    pub(super) fn here(&self) -> Span {
        let len = self.text[self.pos.min(self.text.len())..].chars().next().map_or(0, char::len_utf8);
        self.span(self.pos, self.pos + len)
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let bound =
            |at: usize| u32::try_from(at.min(self.text.len())).expect("files are bounded below 2^32 bytes");
        Span { source: self.source, start: bound(start), end: bound(end) }
    }
}
