//! What a reply is searched for: texts and patterns that have to be in it, and that must not be.
//!
//! Searching goes on while the reply comes in and says as soon as the outcome is certain. Patterns are
//! those of the regex crate (linear time), with `^` and `$` at the ends of lines, LF or CRLF.

use std::collections::HashMap;

use regex::bytes::{Regex, RegexBuilder};

use crate::rule;
use crate::verdict::{Cause, Text};

/// Bytes that may be searched while a reply comes in as if that cost nothing; after these, one that trickles
/// in is searched again only once it has doubled, or is at its end. The same byte counts each time.
const FREE_BYTES: usize = 256 * 1024;
/// Characters of a pattern that a detail shows.
const SHOWN_CHARS_MAX: usize = 60;

/// All patterns of one reply.
#[derive(Debug)]
pub(super) struct Patterns {
    all: Vec<Pattern>,
    /// Bytes of the reply that are looked at.
    pub(super) bytes_max: usize,
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    wanted: Wanted,
    reach: Reach,
    /// What is wrong when it does not hold.
    detail: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Expect,
    Reject,
}

/// What of a reply that still grows a pattern can be certain of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// A text of this many bytes: where it was not found before, it never will be.
    Text(usize),
    /// A match stays one.
    Monotone,
    /// It speaks of what comes after (`$`, `\b`): only the end of the reply decides.
    End,
}

/// Patterns that have been compiled, shared by all that are alike.
#[derive(Debug, Default)]
pub(super) struct Compiled(HashMap<String, Regex>);

impl Compiled {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn regex(&mut self, pattern: &str) -> Result<Regex, String> {
        if let Some(known) = self.0.get(pattern) {
            return Ok(known.clone());
        }
        let built = RegexBuilder::new(pattern).multi_line(true).crlf(true).build();
        let regex = built.map_err(|error| in_one_line(&error.to_string()))?;
        self.0.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    /// A text as a pattern.
    pub(super) fn text(&mut self, text: &str) -> Result<Regex, String> {
        self.regex(&regex::escape(text))
    }

    /// Bytes as a pattern.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<Regex, String> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.text(text);
        }
        let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        self.regex(&format!("(?-u:{escaped})"))
    }
}

/// The crate draws the pattern with a mark below; the last line says what is wrong.
fn in_one_line(error: &str) -> String {
    let last = error.lines().last().unwrap_or(error);
    last.trim().trim_start_matches("error: ").to_owned()
}

/// A pattern as a detail shows it: in quotes, cut, harmless in a log.
pub(super) fn shown(pattern: &str) -> String {
    let mut text: String = pattern.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if pattern.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push_str("...");
    }
    format!("'{text}'")
}

impl Patterns {
    /// Compiles what a rule says.
    ///
    /// # Errors
    /// The property that is wrong and why.
    pub(super) fn compile(
        patterns: &rule::Patterns,
        compiled: &mut Compiled,
    ) -> Result<Self, (&'static str, String)> {
        let mut all = Vec::new();
        let lists = [
            ("expect", &patterns.expect, Wanted::Expect, false),
            ("expect_regex", &patterns.expect_regex, Wanted::Expect, true),
            ("reject", &patterns.reject, Wanted::Reject, false),
            ("reject_regex", &patterns.reject_regex, Wanted::Reject, true),
        ];
        for (property, list, wanted, is_regex) in lists {
            for pattern in list {
                let regex = if is_regex { compiled.regex(pattern) } else { compiled.text(pattern) };
                let regex = regex.map_err(|why| (property, format!("{}: {why}", shown(pattern))))?;
                let reach = if is_regex { reach_of(pattern) } else { Reach::Text(pattern.len()) };
                let what = if is_regex { "the pattern " } else { "" };
                let detail = match wanted {
                    Wanted::Expect => format!("{what}{} is not in the answer", shown(pattern)),
                    Wanted::Reject => format!("{what}{} is in the answer", shown(pattern)),
                };
                all.push(Pattern { regex, wanted, reach, detail: detail.into() });
            }
        }
        Ok(Self { all, bytes_max: patterns.bytes_max })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Adds to a reply what there is room for under its bound. Grows it as a Vec does, but never beyond that.
pub(super) fn keep(reply: &mut Vec<u8>, content: &[u8], bytes_max: usize) {
    let room = bytes_max.saturating_sub(reply.len());
    let content = &content[..content.len().min(room)];
    let wanted = reply.len() + content.len();
    if wanted > reply.capacity() {
        let capacity = wanted.max(2 * reply.capacity()).min(bytes_max);
        reply.reserve_exact(capacity - reply.len());
    }
    reply.extend_from_slice(content);
}

/// Without reading the pattern as the crate does: where a letter only looks like an assertion about what
/// comes after, the outcome comes at the end of the reply instead of earlier, and is the same.
fn reach_of(pattern: &str) -> Reach {
    let looks_ahead = ["$", "\\z", "\\b", "\\B", "\\>"].iter().any(|mark| pattern.contains(mark));
    if looks_ahead { Reach::End } else { Reach::Monotone }
}

/// How a reply may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// More may come, and what comes counts.
    Growing,
    /// More may come; once all that is expected is there, what is there counts.
    Stream,
    /// This is all.
    Whole,
}

/// What a search found so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing certain.
    Open,
    /// All that is expected, and nothing that is rejected.
    Holds,
    /// The reply is not as it should be.
    Fails(Cause),
}

/// The state of one search through one reply.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// By pattern: found.
    found: Vec<bool>,
    /// Bytes that have been searched.
    searched: usize,
    /// Bytes that all searches together have looked at.
    spent: usize,
    /// Not before the reply is this long.
    next_at: usize,
}

impl Search {
    /// Begins anew.
    pub(super) fn restart(&mut self) {
        self.found.clear();
        self.searched = 0;
        self.spent = 0;
        self.next_at = 0;
    }

    /// Looks at all of the reply that has come so far.
    pub(super) fn look(&mut self, patterns: &Patterns, reply: &[u8], sight: Sight) -> Found {
        self.found.resize(patterns.all.len(), false);
        if sight != Sight::Whole && reply.len() < self.next_at {
            return Found::Open;
        }
        self.spent = self.spent.saturating_add(reply.len());
        if self.spent > FREE_BYTES {
            self.next_at = 2 * reply.len() + 1;
        }
        let searched = std::mem::replace(&mut self.searched, reply.len());
        for (pattern, found) in patterns.all.iter().zip(&mut self.found) {
            let skips = pattern.reach == Reach::End && sight == Sight::Growing;
            let stays = *found && pattern.wanted == Wanted::Expect && pattern.reach != Reach::End;
            if stays || skips {
                continue;
            }
            let from = match pattern.reach {
                Reach::Text(length) => (searched + 1).saturating_sub(length),
                Reach::Monotone | Reach::End => 0,
            };
            *found = pattern.regex.is_match_at(reply, from.min(reply.len()));
        }
        self.judge(patterns, sight)
    }

    /// The same, and never waits for more: for a reply of which nothing more comes.
    pub(super) fn look_now(&mut self, patterns: &Patterns, reply: &[u8], sight: Sight) -> Found {
        self.next_at = 0;
        self.look(patterns, reply, sight)
    }

    fn judge(&self, patterns: &Patterns, sight: Sight) -> Found {
        let with = |wanted| {
            let of = move |(pattern, _): &(&Pattern, &bool)| pattern.wanted == wanted;
            patterns.all.iter().zip(&self.found).filter(of)
        };
        let missing = with(Wanted::Expect).find(|(_, found)| !**found).map(|(pattern, _)| pattern);
        let mut rejected = with(Wanted::Reject).filter(|(_, found)| **found).map(|(pattern, _)| pattern);
        // One that is certain says more than one that may yet be no match.
        let certain = rejected.clone().find(|pattern| pattern.reach != Reach::End);
        let rejected = certain.or_else(|| rejected.next());
        match (rejected, missing, sight) {
            // On a stream a rejected pattern with `$` may be no match any more once more has come.
            (Some(pattern), None, Sight::Stream) => {
                Found::Fails(Cause::PatternRejected(pattern.detail.clone()))
            }
            (Some(pattern), Some(_), Sight::Stream) if pattern.reach == Reach::End => Found::Open,
            (Some(pattern), ..) => Found::Fails(Cause::PatternRejected(pattern.detail.clone())),
            (None, Some(pattern), Sight::Whole) => {
                Found::Fails(Cause::PatternMissing(pattern.detail.clone()))
            }
            (None, Some(_), Sight::Growing | Sight::Stream) => Found::Open,
            (None, None, Sight::Stream | Sight::Whole) => Found::Holds,
            (None, None, Sight::Growing) => {
                if with(Wanted::Reject).next().is_some() {
                    Found::Open
                } else {
                    Found::Holds
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
