//! The command line of hfmctl: words in, a request and how to show its answer out. Nothing has been done then.

mod commands;
mod error;
mod span;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use commands::{COMMANDS, Command, Flag, SPELLINGS, Spelling, Verb, usage};
pub use error::UsageError;
pub use span::{SpanError, milliseconds};

use crate::control::protocol::{Fixed, LINE_BYTES_MAX, REASON_CHARACTERS_MAX, Request};
use words::Words;

/// Where hfm listens unless its file says otherwise.
pub const SOCKET: &str = crate::rule::CONTROL_DEFAULT;
/// How often `-w` asks when it does not say.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// The most that `-w` takes: a day.
const WATCH_SECONDS_MAX: u32 = 86_400;
/// The most that `--timeout` takes: a day.
const SILENCE_SECONDS_MAX: u32 = 86_400;
/// Levels of the log.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
/// What `set` takes.
const STATES: &[&str] = &["always-fail", "always-success"];
/// What `complete` takes.
const NAMES: &[&str] = &["rules", "tables"];

/// How long hfm may say nothing before it is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The same while it reads a configuration: certificates, names, a slow disk.
const RELOAD_SILENCE: Duration = Duration::from_secs(300);
/// The same while it runs a test, which may have no timeout at all.
const RUN_SILENCE: Duration = Duration::from_secs(3600);

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// `-h`: the help, of the program or of a command.
    Help(Option<Verb>),
    /// `-V`: the version.
    Version,
    /// To ask hfm.
    Ask(Task),
}

/// What to ask, of whom, and what to do with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Where hfm listens.
    pub socket: PathBuf,
    /// How long it may say nothing; `None` for ever.
    pub silence: Option<Duration>,
    /// What to ask.
    pub request: Request,
    /// How to print the answer.
    pub form: Form,
    /// How often to ask again; `None` for once.
    pub watch: Option<Duration>,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// The lines as they come.
    Json,
    /// The names of rules or tables alone, a line each.
    Names,
}

/// A command line that cannot be followed, and which help tells more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    /// What is wrong.
    pub error: UsageError,
    /// The command that was to be done, when that was clear.
    pub verb: Option<Verb>,
}

/// Reads the arguments, the program's own name left out. `by` is whom changes are made for.
///
/// # Errors
/// Whatever cannot be followed.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    by: Option<String>,
) -> Result<Invocation, Misuse> {
    let mut words = Words::default();
    let read = words.read(arguments);
    let verb = words.verb;
    read.and_then(|()| meaning(words, by)).map_err(|error| Misuse { error, verb })
}

/// What the words of a command line mean together.
fn meaning(words: Words, by: Option<String>) -> Result<Invocation, UsageError> {
    if words.is_given(Flag::Help) {
        return Ok(Invocation::Help(words.verb));
    }
    if words.is_given(Flag::Version) {
        return Ok(Invocation::Version);
    }
    let verb = words.verb.ok_or(UsageError::NoCommand)?;
    let command = verb.command();
    if let Some((flag, _)) = words.flags.iter().find(|(flag, _)| !command.takes(*flag)) {
        return Err(UsageError::Misplaced { flag: *flag, command: command.name });
    }
    let watch = match words.value(Flag::Watch) {
        Some("") => Some(WATCH_EVERY),
        Some(text) => Some(seconds(Flag::Watch, text, WATCH_SECONDS_MAX)?),
        None => None,
    };
    let silence = match words.value(Flag::Timeout) {
        Some(text) => Some(seconds(Flag::Timeout, text, SILENCE_SECONDS_MAX)?),
        None => silence(verb),
    };
    let socket = PathBuf::from(words.value(Flag::Socket).unwrap_or(SOCKET));
    let form = if verb == Verb::Complete {
        Form::Names
    } else if words.is_given(Flag::Json) {
        Form::Json
    } else {
        Form::Text
    };
    let request = request(verb, words, by)?;
    if line(&request).len() > LINE_BYTES_MAX {
        return Err(UsageError::LongRequest);
    }
    Ok(Invocation::Ask(Task { socket, silence, request, form, watch }))
}

/// A request as it is sent, its end included.
pub(super) fn line(request: &Request) -> String {
    let mut line = serde_json::to_string(request).expect("texts, numbers and truths are JSON");
    line.push('\n');
    line
}

/// How long hfm may say nothing when `--timeout` does not say.
fn silence(verb: Verb) -> Option<Duration> {
    match verb {
        Verb::Events => None,
        Verb::Run => Some(RUN_SILENCE),
        Verb::Reload => Some(RELOAD_SILENCE),
        Verb::Status
        | Verb::Tables
        | Verb::Drain
        | Verb::Disable
        | Verb::Enable
        | Verb::Set
        | Verb::Reconcile
        | Verb::Stats
        | Verb::Log
        | Verb::Stop
        | Verb::Complete => Some(SILENCE),
    }
}

/// The request of a command, all of whose operands are used up.
fn request(verb: Verb, words: Words, by: Option<String>) -> Result<Request, UsageError> {
    let for_ms = words.value(Flag::For).map(milliseconds).transpose()?;
    let reason = words.value(Flag::Reason).map(reason).transpose()?;
    let force = words.is_given(Flag::Force);
    let mut operands = words.operands.into_iter();
    let mut needed =
        |operand| operands.next().ok_or(UsageError::MissingOperand { command: verb.command().name, operand });
    let request = match verb {
        Verb::Status => Request::Status { rules: needed("").ok() },
        Verb::Tables => Request::Tables { tables: needed("").ok() },
        Verb::Drain => Request::Drain { rules: needed("RULE")?, for_ms, reason, by, force },
        Verb::Disable => Request::Disable { rules: needed("RULE")?, for_ms, reason, by },
        Verb::Enable => Request::Enable { rules: needed("RULE")?, by },
        Verb::Set => {
            let rules = needed("RULE")?;
            let to = one_of("state", needed("STATE: always-fail or always-success")?, STATES)?;
            let to = if to == STATES[0] { Fixed::AlwaysFail } else { Fixed::AlwaysSuccess };
            Request::Set { rules, to, for_ms, reason, by }
        }
        Verb::Run => Request::Run { rules: needed("RULE")? },
        Verb::Reload => Request::Reload {},
        Verb::Reconcile => Request::Reconcile {},
        Verb::Events => Request::Events {},
        Verb::Stats => Request::Stats {},
        Verb::Log => Request::Log { level: one_of("level", needed("LEVEL")?, LEVELS)?.to_owned() },
        Verb::Stop => Request::Stop {},
        Verb::Complete => match one_of("kind of name", needed("kind of name: rules or tables")?, NAMES)? {
            "rules" => Request::Status { rules: None },
            _ => Request::Tables { tables: None },
        },
    };
    match operands.next() {
        Some(operand) => Err(UsageError::SurplusOperand { command: verb.command().name, operand }),
        None => Ok(request),
    }
}

fn reason(text: &str) -> Result<String, UsageError> {
    let length = text.chars().count();
    if length > REASON_CHARACTERS_MAX {
        return Err(UsageError::LongReason(length));
    }
    Ok(text.to_owned())
}

fn one_of(
    what: &'static str,
    word: String,
    words: &'static [&'static str],
) -> Result<&'static str, UsageError> {
    let known = words.iter().find(|known| **known == word).copied();
    known.ok_or(UsageError::UnknownWord { what, word, words })
}

/// A number of seconds, a tenth at least.
fn seconds(flag: Flag, text: &str, max: u32) -> Result<Duration, UsageError> {
    let wrong = || UsageError::BadSeconds { flag, value: text.to_owned() };
    let number = words::number(text).ok_or_else(wrong)?;
    if !(0.1..=f64::from(max)).contains(&number) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(number).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
