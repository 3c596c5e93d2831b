//! The arguments of `hfm probe`, and the configuration that they stand for.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroU32;

use crate::config::PROTOCOLS;
use crate::config::properties::{Takes, find};

/// A command line of `hfm probe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The `test`.
    pub url: String,
    /// Properties with their values as a file would have them.
    pub properties: Vec<(String, String)>,
    /// `-c`: runs.
    pub count: NonZeroU32,
    /// `-i`: from start to start, as a file would have it; `None` for the next at once.
    pub interval: Option<String>,
    /// `-j`: runs at a time.
    pub concurrency: NonZeroU32,
    /// `-json`.
    pub json: bool,
}

/// A command line that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// `-h`.
    Help,
    /// No URL.
    MissingUrl,
    /// A second argument that is neither a flag nor `property=value`.
    Unexpected(String),
    /// A flag that does not exist.
    UnknownFlag(String),
    /// A flag without its value.
    MissingValue(&'static str),
    /// A number out of its bounds.
    BadNumber {
        /// The flag.
        flag: &'static str,
        /// What it was given.
        value: String,
        /// The largest it takes; the smallest is 1.
        max: u32,
    },
    /// An argument that is not UTF-8.
    NotUtf8,
}

/// Runs at most.
const COUNT_MAX: u32 = 1_000_000_000;
/// Runs at a time at most.
const CONCURRENCY_MAX: u32 = 10_000;

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help => f.write_str("help was asked for"),
            Self::MissingUrl => f.write_str("hfm probe needs a URL, such as tcp://10.0.0.1:80"),
            Self::Unexpected(argument) => {
                write!(f, "unexpected argument {argument:?}: properties are written property=value")
            }
            Self::UnknownFlag(flag) => write!(f, "flag provided but not defined: -{flag}"),
            Self::MissingValue(flag) => write!(f, "flag needs an argument: -{flag}"),
            Self::BadNumber { flag, value, max } => {
                write!(f, "-{flag} takes a whole number from 1 to {max}, not {value:?}")
            }
            Self::NotUtf8 => f.write_str("an argument is not UTF-8"),
        }
    }
}

impl std::error::Error for UsageError {}

/// The usage, as `-h` prints it.
pub fn usage() -> String {
    let schemes: Vec<String> = PROTOCOLS.iter().map(|of| format!("{}://", of.scheme.name)).collect();
    format!(
        "Usage: hfm probe URL [property=value ...] [flags]\n  \
     URL                 {}, as for 'test' in a file\n  \
     property=value      any property of a probe, as in a file; a text may go without quotes\n  \
     -c COUNT            runs (default 1)\n  \
     -i INTERVAL         from start to start, such as 500ms (default: the next run at once)\n  \
     -j CONCURRENCY      runs at a time (default 1)\n  \
     -json               an object a line\n\
     Each run prints its verdict, its reason and how long each phase took; at the end the distribution of\n\
     the runs' times. 'timeout' is 1s where it is not given, or the interval where that is less.\n\
     Exit status: 0 every run succeeded; 1 one did not; 2 bad arguments.\n",
        schemes.join(" ")
    )
}

/// Reads the arguments after `probe`.
///
/// # Errors
/// Whatever cannot be followed; nothing has been done then.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut url = None;
    let mut properties = Vec::new();
    let (mut count, mut concurrency) = (NonZeroU32::MIN, NonZeroU32::MIN);
    let mut interval = None;
    let mut json = false;
    let mut arguments =
        arguments.into_iter().map(|argument| argument.into_string().map_err(|_| UsageError::NotUtf8));
    while let Some(argument) = arguments.next() {
        let argument = argument?;
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            match argument.split_once('=').filter(|(name, _)| is_name(name)) {
                Some((name, value)) => properties.push((name.to_owned(), value.to_owned())),
                None if url.is_none() => url = Some(argument),
                None => return Err(UsageError::Unexpected(argument)),
            }
            continue;
        };
        let (name, inline) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let mut value = |flag| match inline.clone() {
            Some(value) => Ok(value),
            None => arguments.next().ok_or(UsageError::MissingValue(flag))?,
        };
        match name {
            "c" => count = number("c", value("c")?, COUNT_MAX)?,
            "j" => concurrency = number("j", value("j")?, CONCURRENCY_MAX)?,
            "i" => interval = Some(value("i")?),
            "json" => json = true,
            "h" | "help" => return Err(UsageError::Help),
            unknown => return Err(UsageError::UnknownFlag(unknown.to_owned())),
        }
    }
    let url = url.ok_or(UsageError::MissingUrl)?;
    // More at a time than there are runs would only wait.
    Ok(Arguments { url, properties, count, interval, concurrency: concurrency.min(count), json })
}

/// A URL has characters before its first `=` that no property has.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn number(flag: &'static str, value: String, max: u32) -> Result<NonZeroU32, UsageError> {
    match value.parse::<NonZeroU32>() {
        Ok(number) if number.get() <= max => Ok(number),
        Ok(_) | Err(_) => Err(UsageError::BadNumber { flag, value, max }),
    }
}

impl Arguments {
    /// The same as the text of a configuration file.
    pub fn as_configuration(&self) -> String {
        let mut text = format!("test = {}\n", quoted(&self.url));
        if let Some(interval) = &self.interval {
            text.push_str(&format!("interval = {interval}\n"));
        } else {
            // Nothing is to be cut short by a next run that is due: replaced once the text has been read.
            text.push_str("interval = 1y\n");
        }
        for (name, value) in &self.properties {
            let value = if is_bare_text(name, value) { &quoted(value) } else { value };
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }
}

/// Whether the property takes a text and this is one without quotes. The shell has taken them away, or asked for none:
/// what is left is meant as it stands.
fn is_bare_text(name: &str, value: &str) -> bool {
    let is_quoted = value.starts_with(['"', '\'']);
    match find(name).map(|property| property.takes) {
        Some(Takes::Text | Takes::Written) => !is_quoted,
        Some(Takes::Texts) => !is_quoted && !value.starts_with('['),
        Some(
            Takes::Words(_)
            | Takes::RuleNames
            | Takes::Interval
            | Takes::Integer { .. }
            | Takes::Bytes { .. }
            | Takes::Boolean,
        )
        | None => false,
    }
}

/// A text as a UCL string in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
