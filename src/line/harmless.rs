//! What text of others may not do to a log: begin a line, move the cursor, turn the reading direction round.

use std::fmt::{self, Write};

/// Whether a character may do more to a log than be read: control characters (DEL and U+0085 are some),
/// separators of lines and paragraphs, and what overrides or isolates the direction of text.
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text with every harmful character escaped so that people see it: `\n`, `\t`, `\u{1b}`.
#[derive(Clone, Copy, Debug)]
pub struct Harmless<T>(pub T);

impl<T: fmt::Display> fmt::Display for Harmless<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { out: f, is_special: is_harmful, escape: as_text }, "{}", self.0)
    }
}

/// A string of JSON (RFC 8259 section 7), quotes and all, in which harmful characters are escaped too.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<T>(pub T);

impl<T: fmt::Display> fmt::Display for Quoted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_special = |character| matches!(character, '"' | '\\') || is_harmful(character);
        f.write_char('"')?;
        write!(Escaping { out: f, is_special, escape: as_json }, "{}", self.0)?;
        f.write_char('"')
    }
}

/// Puts escapes in the place of special characters, and lets all else through.
struct Escaping<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    is_special: fn(char) -> bool,
    escape: fn(&mut fmt::Formatter<'_>, char) -> fmt::Result,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, special)) = rest.char_indices().find(|(_, c)| (self.is_special)(*c)) {
            self.out.write_str(&rest[..at])?;
            (self.escape)(self.out, special)?;
            rest = &rest[at + special.len_utf8()..];
        }
        self.out.write_str(rest)
    }
}

fn as_text(out: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    write!(out, "{}", character.escape_default())
}

fn as_json(out: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' | '\\' => write!(out, "\\{character}"),
        // All that are harmful are of the basic plane: one unit.
        _ => write!(out, "\\u{:04x}", u32::from(character)),
    }
}
