//! Patterns of which the meaning is written out here, without a regex crate.

use crate::random::Rng;

/// A pattern, as the machine is given it and as the model understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// This text.
    Text(&'static str),
    /// `up?` with a class: `[rb]ead`.
    Class,
    /// `^up`: at the start of a line.
    LineStart,
    /// `ok$`: at the end of a line.
    LineEnd,
    /// `\bgo\b`: a word, in ASCII.
    Word,
    /// `ok\>`: the end of a word.
    WordEnd,
}

impl Pattern {
    pub(crate) fn text(random: &mut Rng) -> Self {
        Self::Text(random.pick(&["ready", "error", "ok", "aab", "\r\n", "café"]))
    }

    pub(crate) fn regex(random: &mut Rng) -> Self {
        [Self::Class, Self::LineStart, Self::LineEnd, Self::Word, Self::WordEnd][random.below(5)]
    }

    /// As a rule has it.
    pub(crate) fn written(self) -> &'static str {
        match self {
            Self::Text(text) => text,
            Self::Class => "[rb]ead",
            Self::LineStart => "^up",
            Self::LineEnd => "ok$",
            Self::Word => r"(?-u:\bgo\b)",
            Self::WordEnd => r"(?-u)ok\>",
        }
    }

    /// Whether a match may be none any more once more has come.
    pub(crate) fn speaks_of_the_end(self) -> bool {
        matches!(self, Self::LineEnd | Self::Word | Self::WordEnd)
    }

    /// The end of the first match at or after `from`.
    pub(crate) fn find(self, reply: &[u8], from: usize) -> Option<usize> {
        (from..=reply.len()).find_map(|at| Some(at + self.len_at(reply, at)?))
    }

    pub(crate) fn is_in(self, reply: &[u8]) -> bool {
        self.find(reply, 0).is_some()
    }

    /// The length of a match that begins here.
    fn len_at(self, reply: &[u8], at: usize) -> Option<usize> {
        let rest = &reply[at..];
        let before = at.checked_sub(1).map(|at| reply[at]);
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let (len, holds) = match self {
            Self::Text(text) => (text.len(), rest.starts_with(text.as_bytes())),
            Self::Class => (4, rest.starts_with(b"read") || rest.starts_with(b"bead")),
            Self::LineStart => (2, rest.starts_with(b"up") && matches!(before, None | Some(b'\n' | b'\r'))),
            Self::LineEnd => {
                (2, rest.starts_with(b"ok") && matches!(rest.get(2), None | Some(b'\n' | b'\r')))
            }
            Self::Word => (2, rest.starts_with(b"go") && !is_word(before.as_ref()) && !is_word(rest.get(2))),
            Self::WordEnd => (2, rest.starts_with(b"ok") && !is_word(rest.get(2))),
        };
        holds.then_some(len)
    }
}

/// Patterns on a reply.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    pub(crate) expect: Vec<Pattern>,
    pub(crate) reject: Vec<Pattern>,
    pub(crate) bytes_max: usize,
}

impl Patterns {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let list = |random: &mut Rng| -> Vec<Pattern> {
            let draw = |random: &mut Rng| {
                if random.percent(60) { Pattern::text(random) } else { Pattern::regex(random) }
            };
            (0..random.below(3)).map(|_| draw(random)).collect()
        };
        let bytes_max = [16, 64, 200, 65_536][random.below(4)];
        match random.below(10) {
            0..4 => Self { expect: Vec::new(), reject: Vec::new(), bytes_max },
            4..7 => Self { expect: list(random), reject: Vec::new(), bytes_max },
            _ => Self { expect: list(random), reject: list(random), bytes_max },
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.expect.is_empty() && self.reject.is_empty()
    }

    /// Whether the same reply gives the same outcome on a stream, however it comes.
    pub(crate) fn are_monotone(&self) -> bool {
        self.reject.is_empty() && !self.expect.iter().any(|pattern| pattern.speaks_of_the_end())
    }

    /// What all of a reply comes to.
    pub(crate) fn judge_whole(&self, reply: &[u8]) -> &'static str {
        if self.reject.iter().any(|pattern| pattern.is_in(reply)) {
            "pattern-rejected"
        } else if self.expect.iter().all(|pattern| pattern.is_in(reply)) {
            "ok"
        } else {
            "pattern-missing"
        }
    }

    pub(crate) fn is_certainly_rejected(&self, reply: &[u8]) -> bool {
        self.reject.iter().any(|pattern| !pattern.speaks_of_the_end() && pattern.is_in(reply))
    }

    pub(crate) fn rule(&self) -> hfm::rule::Patterns {
        let of = |list: &[Pattern], is_text: bool| -> Vec<Box<str>> {
            let wanted = list.iter().filter(|pattern| matches!(pattern, Pattern::Text(_)) == is_text);
            wanted.map(|pattern| pattern.written().into()).collect()
        };
        hfm::rule::Patterns {
            expect: of(&self.expect, true),
            expect_regex: of(&self.expect, false),
            reject: of(&self.reject, true),
            reject_regex: of(&self.reject, false),
            bytes_max: self.bytes_max,
        }
    }
}
