//! The words of a command line, told apart: command, operands, options with their values.
//!
//! Options stand before or after the command: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`. `--` ends
//! them. Of a repeated option the last counts.

use std::ffi::OsString;

use super::commands::{COMMANDS, Flag, SPELLINGS, Verb};
use super::error::UsageError;

/// The words so far.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// The command.
    pub(super) verb: Option<Verb>,
    /// What follows it.
    pub(super) operands: Vec<String>,
    /// Options, each with its value; empty for none.
    pub(super) flags: Vec<(Flag, String)>,
}

impl Words {
    /// Reads arguments to their end, or to what cannot be followed; what was read by then is there.
    pub(super) fn read(&mut self, arguments: impl IntoIterator<Item = OsString>) -> Result<(), UsageError> {
        let arguments = arguments.into_iter().map(|argument| argument.into_string());
        let arguments = arguments.collect::<Result<Vec<_>, _>>().map_err(|_| UsageError::NotUtf8)?;
        let mut rest = &*arguments;
        let mut may_be_option = true;
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            if may_be_option && word == "--" {
                may_be_option = false;
            } else if may_be_option && word.len() > 1 && word.starts_with('-') {
                rest = self.option(word, after)?;
            } else if self.verb.is_none() {
                let known = COMMANDS.iter().find(|command| command.name == word);
                self.verb = Some(known.ok_or_else(|| UsageError::UnknownCommand(word.clone()))?.verb);
            } else {
                self.operands.push(word.clone());
            }
        }
        Ok(())
    }

    /// One option; what is left after it and its value.
    fn option<'a>(&mut self, word: &str, after: &'a [String]) -> Result<&'a [String], UsageError> {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            None if word.starts_with("--") => (word, None),
            // Where the first two bytes are no whole character it is no option of ours.
            Some(_) | None if word.len() == 2 || !word.is_char_boundary(2) => (word, None),
            Some(_) | None => (&word[..2], Some(word[2..].strip_prefix('=').unwrap_or(&word[2..]))),
        };
        let known = SPELLINGS.iter().find(|spelling| spelling.long == name || spelling.short == Some(name));
        let spelling = known.ok_or_else(|| UsageError::UnknownOption(word.to_owned()))?;
        let flag = spelling.flag;
        let (value, after) = match (spelling.value, inline, after) {
            (None, None, _) => ("", after),
            (None, Some(_), _) => return Err(UsageError::SurplusValue(flag)),
            (Some(_), Some(value), _) => (value, after),
            // Its value may be left out, and then a rule may follow.
            (Some(_), None, _) if flag == Flag::Watch => match after {
                [value, rest @ ..] if number(value).is_some() => (&**value, rest),
                _ => ("", after),
            },
            (Some(_), None, [value, rest @ ..]) => (&**value, rest),
            (Some(_), None, []) => return Err(UsageError::MissingValue(flag)),
        };
        self.flags.push((flag, value.to_owned()));
        Ok(after)
    }

    /// Whether an option was given.
    pub(super) fn is_given(&self, flag: Flag) -> bool {
        self.value(flag).is_some()
    }

    /// The value of an option, if it was given.
    pub(super) fn value(&self, flag: Flag) -> Option<&str> {
        self.flags.iter().rev().find(|(of, _)| *of == flag).map(|(_, value)| &**value)
    }
}

/// A number in digits, with a fraction or none.
pub(super) fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_number)
}
