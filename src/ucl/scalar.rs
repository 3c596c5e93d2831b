//! Values that hold no others: strings, numbers and words with a meaning.
//!
//! Owns which of them a text is; where each ends is decided in `string` and `number`.

use super::cursor::{Comments, is_blank, is_space, is_value_end};
use super::error::{Parsed, UclError, fault};
use super::number::{self, Front};
use super::parser::{Opening, Parser, State};
use super::string::{self, Raw};
use super::value::{Kind, Span, Style};

impl Parser<'_, '_, '_> {
    /// Reads what stands where a value is due.
    pub(super) fn value(&mut self) -> Parsed<State> {
        self.cursor.skip_space();
        let comment = self.cursor.here();
        if self.cursor.skip_comments()? == Comments::Some && self.cursor.peek().is_some_and(is_space) {
            return fault(comment, UclError::BlankAfterComment);
        }
        let at = self.cursor.here();
        let Some(byte) = self.cursor.peek() else {
            return match self.top_is_array() {
                true => Ok(State::End),
                false => fault(at, UclError::MissingValue),
            };
        };
        if self.top_is_array() {
            if byte == b']' {
                return Ok(State::AfterValue);
            }
            let array = self.reader.stack[self.reader.stack.len() - 1].node;
            self.target = self.reader.tree.push(array, at)?;
        }
        match byte {
            b'{' => {
                self.open(Opening::Brace, at)?;
                self.cursor.pos += 1;
                return Ok(State::Key);
            }
            b'[' => {
                self.open(Opening::Brace, at)?;
                self.cursor.pos += 1;
                return Ok(State::Value);
            }
            _ => {}
        }
        let start = self.cursor.pos;
        let (kind, end) = self.scalar(byte)?;
        let span = self.cursor.span(start, end);
        self.reader.tree.set(self.target, kind, span);
        Ok(State::AfterValue)
    }

    /// Reads a value that is no section and no array; says where it ends as written.
    fn scalar(&mut self, first: u8) -> Parsed<(Kind, usize)> {
        let start = self.cursor.pos;
        match first {
            b'"' => {
                let raw = string::double_quoted(&mut self.cursor)?;
                return Ok((self.text(raw, Style::DoubleQuoted)?, self.cursor.pos));
            }
            b'\'' => {
                let raw = string::single_quoted(&mut self.cursor)?;
                return Ok((self.text(raw, Style::SingleQuoted)?, self.cursor.pos));
            }
            b'<' => {
                if let Some(raw) = string::heredoc(&mut self.cursor)? {
                    return Ok((self.text(raw, Style::Heredoc)?, self.cursor.pos));
                }
            }
            b'-' | b'0'..=b'9' => match number::front(&self.cursor.text[start..self.cursor.end]) {
                Front::Text => {}
                Front::Number { kind, written, taken } => {
                    self.cursor.pos = start + taken;
                    return Ok((kind, start + written));
                }
                Front::OutOfRange => return fault(self.word(), UclError::NumberRange),
                Front::Dropped => return fault(self.word(), UclError::HexNumber),
            },
            _ => {}
        }
        let raw = string::bare(&mut self.cursor)?;
        let kind = match word(&self.cursor.text[raw.start..raw.end]) {
            Some(kind) => kind,
            None => self.text(raw, Style::Bare)?,
        };
        Ok((kind, raw.end))
    }

    fn text(&mut self, raw: Raw, style: Style) -> Parsed<Kind> {
        let mut text = match style {
            Style::SingleQuoted if raw.escapes && raw.end - raw.start > 1 => {
                string::unescape_single(&self.cursor.text[raw.start..raw.end])
            }
            Style::Bare | Style::DoubleQuoted => self.unescaped(raw)?,
            Style::SingleQuoted | Style::Heredoc => self.cursor.text[raw.start..raw.end].to_owned(),
        };
        if raw.dollar {
            text = self.expand(text, self.cursor.span(raw.start, raw.end))?;
        }
        Ok(Kind::String { text, style })
    }

    pub(super) fn unescaped(&self, raw: Raw) -> Parsed<String> {
        match raw.escapes {
            true => string::unescape_json(&self.cursor, raw),
            false => Ok(self.cursor.text[raw.start..raw.end].to_owned()),
        }
    }

    /// The bare word at the position, for messages.
    fn word(&self) -> Span {
        let rest = &self.cursor.bytes()[self.cursor.pos..self.cursor.end];
        let len = rest.iter().take_while(|b| !is_value_end(**b) && !is_blank(**b)).count();
        self.cursor.span(self.cursor.pos, self.cursor.pos + len)
    }
}

/// What a bare word means beyond its letters.
fn word(text: &str) -> Option<Kind> {
    match text {
        "null" => return Some(Kind::Null),
        "nan" => return Some(Kind::Float(f64::NAN)),
        "inf" => return Some(Kind::Float(f64::INFINITY)),
        _ => {}
    }
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("yes") || is("on") {
        Some(Kind::Boolean(true))
    } else if is("false") || is("no") || is("off") {
        Some(Kind::Boolean(false))
    } else {
        None
    }
}
