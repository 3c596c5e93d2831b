//! Command lines that cannot be followed, in words for whoever wrote them.

use std::fmt;

use super::commands::{COMMANDS, Command, Flag, SPELLINGS};
use super::span::SpanError;
use super::{SILENCE_SECONDS_MAX, WATCH_SECONDS_MAX};
use crate::control::protocol::{LINE_BYTES_MAX, REASON_CHARACTERS_MAX};
use crate::nearest::nearest;

/// A command line that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// Nothing to do.
    NoCommand,
    /// A command that does not exist.
    UnknownCommand(String),
    /// An option that does not exist.
    UnknownOption(String),
    /// An option that the command does not take.
    Misplaced {
        /// The option.
        flag: Flag,
        /// The command.
        command: &'static str,
    },
    /// An option without its value.
    MissingValue(Flag),
    /// A value for an option that takes none.
    SurplusValue(Flag),
    /// A command without what it needs.
    MissingOperand {
        /// The command.
        command: &'static str,
        /// What it needs, as its usage says.
        operand: &'static str,
    },
    /// More than the command takes.
    SurplusOperand {
        /// The command.
        command: &'static str,
        /// The first that is too much.
        operand: String,
    },
    /// An operand that is none of the words that it may be.
    UnknownWord {
        /// What is one of them.
        what: &'static str,
        /// It.
        word: String,
        /// The words.
        words: &'static [&'static str],
    },
    /// `--for` with something that is no time.
    Span(SpanError),
    /// A number of seconds that is none, or out of bounds.
    BadSeconds {
        /// The option.
        flag: Flag,
        /// What it was given.
        value: String,
    },
    /// A reason that is too long; its length in characters.
    LongReason(usize),
    /// All of it is more than a request may have.
    LongRequest,
    /// An argument that is not UTF-8.
    NotUtf8,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("no command: say what to do, such as 'hfmctl status'"),
            Self::UnknownCommand(word) => {
                write!(f, "no such command: {word:?}")?;
                meant(f, word, &mut COMMANDS.iter().map(|command| command.name))
            }
            Self::UnknownOption(word) => {
                write!(f, "no such option: {word:?}")?;
                meant(f, word, &mut SPELLINGS.iter().map(|spelling| spelling.long))
            }
            Self::Misplaced { flag, command } => {
                write!(f, "{} does not go with {command}: it is for ", flag.spelling().long)?;
                let takers = COMMANDS.iter().filter(|command: &&Command| command.takes(*flag));
                list(f, &takers.map(|command| command.name).collect::<Vec<_>>())
            }
            Self::MissingValue(flag) => {
                let spelling = flag.spelling();
                write!(f, "{} needs a {}", spelling.long, spelling.value.unwrap_or("value"))
            }
            Self::SurplusValue(flag) => write!(f, "{} takes no value", flag.spelling().long),
            Self::MissingOperand { command, operand } => {
                write!(f, "{command} needs a {operand}")?;
                if *operand == "RULE" {
                    f.write_str(", a name or a pattern such as 'web/*'")?;
                }
                Ok(())
            }
            Self::SurplusOperand { command, operand } => {
                write!(f, "{command} does not take {operand:?}")?;
                let known = COMMANDS.iter().find(|known| known.name == *command);
                if known.is_some_and(Command::takes_pattern) {
                    f.write_str(" too: a pattern has to be quoted, as in 'web/*'")?;
                }
                Ok(())
            }
            Self::UnknownWord { what, word, words } => {
                write!(f, "{word:?} is no {what}: say ")?;
                list(f, words)?;
                meant(f, word, &mut words.iter().copied())
            }
            Self::Span(error) => error.fmt(f),
            Self::BadSeconds { flag, value } => {
                let max = if *flag == Flag::Watch { WATCH_SECONDS_MAX } else { SILENCE_SECONDS_MAX };
                let name = flag.spelling().long;
                write!(f, "{name} takes seconds from 0.1 to {max}, such as 5 or 0.5, not {value:?}")
            }
            Self::LongReason(length) => {
                write!(
                    f,
                    "--reason takes {REASON_CHARACTERS_MAX} characters at most, and this one has {length}"
                )
            }
            Self::LongRequest => write!(f, "this is too long: hfm takes {LINE_BYTES_MAX} bytes at most"),
            Self::NotUtf8 => f.write_str("an argument is not UTF-8"),
        }
    }
}

impl std::error::Error for UsageError {}

impl From<SpanError> for UsageError {
    fn from(error: SpanError) -> Self {
        Self::Span(error)
    }
}

fn meant(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    words: &mut dyn Iterator<Item = &'static str>,
) -> fmt::Result {
    match nearest(word, words) {
        Some(meant) => write!(f, "; did you mean {meant}?"),
        None => Ok(()),
    }
}

fn list(f: &mut fmt::Formatter<'_>, words: &[&str]) -> fmt::Result {
    for (index, word) in words.iter().enumerate() {
        let before = match index {
            0 => "",
            _ if index + 1 == words.len() => " or ",
            _ => ", ",
        };
        write!(f, "{before}{word}")?;
    }
    Ok(())
}
