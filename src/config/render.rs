//! How a diagnostic looks: its place, its words, the source line with a caret, and what to do.
//!
//! Everything that comes from a file is made harmless for a terminal first.

use std::fmt;

use super::diagnose::{Diagnostic, Severity};
use crate::ucl::{Sources, Span};

/// Characters shown of a source line before the place.
const BEFORE_MAX: usize = 60;

/// Characters shown of a source line from the place on.
const AFTER_MAX: usize = 60;

/// Characters shown of a name or a value within a message.
const QUOTED_MAX: usize = 60;

/// Columns that a tab is shown as.
const TAB: &str = "    ";

/// Writes one diagnostic as whole lines.
pub(super) fn diagnostic(f: &mut dyn fmt::Write, sources: &Sources, diagnostic: &Diagnostic) -> fmt::Result {
    headline(f, sources, diagnostic)?;
    writeln!(f)?;
    excerpt(f, sources, diagnostic.span)?;
    for note in &diagnostic.notes {
        writeln!(f, "{}: note: {}", place(sources, note.span), note.message)?;
        excerpt(f, sources, note.span)?;
    }
    for line in &diagnostic.help {
        writeln!(f, "help: {line}")?;
    }
    Ok(())
}

/// Writes its first line, without the line end.
pub(super) fn headline(f: &mut dyn fmt::Write, sources: &Sources, diagnostic: &Diagnostic) -> fmt::Result {
    write!(f, "{}: ", place(sources, diagnostic.span))?;
    if let Some(rule) = &diagnostic.rule {
        write!(f, "{}: ", clipped(rule))?;
    }
    match diagnostic.severity {
        Severity::Error => {}
        Severity::Warning => f.write_str("warning: ")?,
    }
    f.write_str(&diagnostic.message)
}

/// `FILE:LINE:COLUMN`; the name alone for a file that has no text, because it could not be read.
pub(super) fn place(sources: &Sources, span: Span) -> String {
    let source = sources.source(span.source);
    if source.text.is_empty() {
        return visible(&source.name);
    }
    let place = sources.place(span);
    format!("{}:{}:{}", visible(&place.name), place.line, place.column)
}

/// The source line and the caret line below it; nothing for an empty line.
fn excerpt(f: &mut dyn fmt::Write, sources: &Sources, span: Span) -> fmt::Result {
    let text = &*sources.source(span.source).text;
    let at = span.start as usize;
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let (before, clipped_before) = last_chars(&text[line_start..at], BEFORE_MAX);
    let rest = &text[at..];
    let rest = rest.split(['\n', '\r']).next().unwrap_or(rest);
    let (after, clipped_after) = first_chars(rest, AFTER_MAX);
    if before.is_empty() && after.is_empty() {
        return Ok(());
    }
    let mut line = String::from(if clipped_before { "    ..." } else { "    " });
    line.push_str(&visible(before));
    let indent = columns(&line);
    let marked_end = (span.end as usize).saturating_sub(at).min(after.len());
    let marked = after.get(..marked_end).unwrap_or(after);
    line.push_str(&visible(after));
    if clipped_after {
        line.push_str("...");
    }
    writeln!(f, "{}", line.trim_end())?;
    let tail = "~".repeat(columns(&visible(marked)).saturating_sub(1));
    writeln!(f, "{}^{tail}", " ".repeat(indent))
}

/// At most the last `max` characters, and whether there were more.
fn last_chars(text: &str, max: usize) -> (&str, bool) {
    match text.char_indices().rev().nth(max) {
        Some((at, c)) => (&text[at + c.len_utf8()..], true),
        None => (text, false),
    }
}

/// At most the first `max` characters, and whether there were more.
fn first_chars(text: &str, max: usize) -> (&str, bool) {
    match text.char_indices().nth(max) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

/// The text with tabs as spaces and everything that a terminal would obey written as an escape.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str(TAB),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // The marks that reorder or hide text (Unicode TR 9) are controls in all but name.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                out.extend(c.escape_unicode());
            }
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A name or value from the file, harmless and cut to a length that fits a message.
pub(super) fn clipped(text: &str) -> String {
    let (text, more) = first_chars(text, QUOTED_MAX);
    let mut out = visible(text);
    if more {
        out.push_str("...");
    }
    out
}

/// The same in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", clipped(text))
}

/// Columns that a terminal takes for the text.
fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Columns of one character: 2 for the blocks of wide letters (Unicode TR 11), 0 for accents that combine.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
