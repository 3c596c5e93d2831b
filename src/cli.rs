//! The command line: hfm's flags, in the form of Go's flag package, which hfm uses.
//!
//! `-name value`, `-name=value`, and both with two dashes; a flag that is a switch takes its value only
//! after `=`. The last of a repeated flag counts.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::demo;
use crate::logging::Destination;
use crate::probe_cli::{self, Arguments, UsageError};
use crate::sys::syslog::Facility;

/// Where hfm looks for its configuration when nothing else is said.
pub const CONFIG_PATH: &str =
    if cfg!(target_os = "linux") { "/etc/hfm.conf" } else { "/usr/local/etc/hfm.conf" };

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// `-h`: the usage.
    Help,
    /// `-v`: the version.
    Version,
    /// `-n`: read and judge the configuration only.
    Check {
        /// The file.
        config: PathBuf,
        /// `-dump`: print what was understood.
        dump: bool,
    },
    /// `hfm probe`: run one probe some times.
    Probe(Arguments),
    /// `hfm probe -h`: its usage.
    ProbeHelp,
    /// `hfm demo`: show what hfm does, on this machine alone.
    Demo(demo::Arguments),
    /// `hfm demo -h`: its usage.
    DemoHelp,
    /// Run.
    Run {
        /// The file.
        config: PathBuf,
        /// Where to log.
        log: Destination,
    },
}

/// A command line that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliError {
    /// A flag that does not exist.
    UnknownFlag(String),
    /// Something that looks like a flag and is none, such as `---` or `-=`.
    BadSyntax(String),
    /// A flag without its value.
    MissingValue(&'static str),
    /// A switch with a value that is neither true nor false.
    BadSwitch {
        /// The switch.
        flag: &'static str,
        /// What it was given.
        value: String,
    },
    /// An argument that is no flag.
    Unexpected(String),
    /// `hfm probe` with arguments that it does not take.
    Probe(UsageError),
    /// The same of `hfm demo`.
    Demo(demo::UsageError),
    /// `-log` with something else than `stderr` or `syslog`.
    LogDestination(String),
    /// `-facility` with a name that syslog does not know.
    LogFacility(String),
    /// `-dump` without `-n`.
    DumpAlone,
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlag(flag) => write!(f, "flag provided but not defined: -{flag}"),
            Self::BadSyntax(argument) => write!(f, "bad flag syntax: {argument}"),
            Self::MissingValue(flag) => write!(f, "flag needs an argument: -{flag}"),
            Self::BadSwitch { flag, value } => {
                write!(f, "invalid boolean value {value:?} for -{flag}: use true or false")
            }
            Self::Unexpected(argument) => write!(f, "unexpected argument {argument:?}: hfm takes flags only"),
            Self::Probe(error) => error.fmt(f),
            Self::Demo(error) => error.fmt(f),
            Self::LogDestination(value) => {
                write!(
                    f,
                    "could not configure logging: invalid log location {value:?}, must be one of {{stderr, syslog}}"
                )
            }
            Self::LogFacility(value) => {
                write!(
                    f,
                    "could not configure logging: invalid syslog facility {value:?}, must be one of {{"
                )?;
                for (index, name) in Facility::names().enumerate() {
                    write!(f, "{}{name}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
            Self::DumpAlone => f.write_str("-dump goes with -n"),
        }
    }
}

impl std::error::Error for CliError {}

/// The usage, as `-h` prints it.
pub fn usage() -> String {
    format!(
        "Usage: hfm [flags]\n       \
         hfm probe URL [property=value ...] [flags]    (hfm probe -h tells more)\n       \
         hfm demo [-t SECONDS]                         (hfm demo -h tells more)\n  \
         -config PATH        configuration file (default {CONFIG_PATH})\n  \
         -log WHERE          where to log, stderr or syslog (default stderr)\n  \
         -facility NAME      syslog facility when logging to syslog (default local0)\n  \
         -n                  load the configuration only: silent and exit 0 when it is good\n  \
         -dump               with -n: print what was understood\n  \
         -v                  print the version\n  \
         -h                  print this\n\
         Signals: TERM and INT end it, HUP reads the configuration again, USR1 logs a summary.\n\
         Exit status: 0 ended as asked or every rule is done; 1 with -n, the configuration is bad;\n\
         2 bad flag, bad -log or -facility, or a start with a bad configuration.\n"
    )
}

#[derive(Debug)]
struct Flags {
    config: OsString,
    log: String,
    facility: String,
    check: bool,
    dump: bool,
    version: bool,
    help: bool,
}

/// Reads the arguments, the program's own name left out.
///
/// # Errors
/// Whatever cannot be followed; nothing has been done then.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, CliError> {
    let mut flags = Flags {
        config: CONFIG_PATH.into(),
        log: "stderr".into(),
        facility: "local0".into(),
        check: false,
        dump: false,
        version: false,
        help: false,
    };
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == "probe").is_some() {
        return match probe_cli::parse(arguments) {
            Ok(arguments) => Ok(Invocation::Probe(arguments)),
            Err(UsageError::Help) => Ok(Invocation::ProbeHelp),
            Err(error) => Err(CliError::Probe(error)),
        };
    }
    if arguments.next_if(|first| first == "demo").is_some() {
        return match demo::parse(arguments) {
            Ok(arguments) => Ok(Invocation::Demo(arguments)),
            Err(demo::UsageError::Help) => Ok(Invocation::DemoHelp),
            Err(error) => Err(CliError::Demo(error)),
        };
    }
    while let Some(argument) = arguments.next() {
        if !read_flag(&mut flags, &argument, &mut arguments)? {
            break;
        }
        if flags.help {
            // As in Go: what follows is not looked at.
            return Ok(Invocation::Help);
        }
    }
    if let Some(rest) = arguments.next() {
        return Err(CliError::Unexpected(rest.to_string_lossy().into_owned()));
    }
    meaning(flags)
}

/// One flag; `false` at `--`, which ends them.
fn read_flag(
    flags: &mut Flags,
    argument: &OsString,
    rest: &mut dyn Iterator<Item = OsString>,
) -> Result<bool, CliError> {
    let text = argument.to_string_lossy();
    let Some(flag) = text.strip_prefix("--").or_else(|| text.strip_prefix('-')) else {
        return Err(CliError::Unexpected(text.into_owned()));
    };
    if text == "--" {
        return Ok(false);
    }
    if flag.is_empty() || flag.starts_with(['-', '=']) {
        return Err(CliError::BadSyntax(text.into_owned()));
    }
    let (name, inline) = match flag.split_once('=') {
        Some((name, _)) => (name, Some(value_after_equals(argument))),
        None => (flag, None),
    };
    let mut value = |flag| inline.clone().or_else(|| rest.next()).ok_or(CliError::MissingValue(flag));
    match name {
        "config" => flags.config = value("config")?,
        "log" => flags.log = value("log")?.to_string_lossy().into_owned(),
        "facility" => flags.facility = value("facility")?.to_string_lossy().into_owned(),
        "n" => flags.check = switch("n", inline.as_ref())?,
        "dump" => flags.dump = switch("dump", inline.as_ref())?,
        "v" => flags.version = switch("v", inline.as_ref())?,
        "h" | "help" => flags.help = true,
        unknown => return Err(CliError::UnknownFlag(unknown.to_owned())),
    }
    Ok(true)
}

/// What follows the first `=`, byte for byte: a path need not be UTF-8.
fn value_after_equals(argument: &OsString) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = argument.as_bytes();
    let start = bytes.iter().position(|byte| *byte == b'=').map_or(bytes.len(), |at| at + 1);
    OsString::from_vec(bytes[start..].to_vec())
}

/// The words that Go's strconv.ParseBool takes.
fn switch(flag: &'static str, value: Option<&OsString>) -> Result<bool, CliError> {
    let Some(value) = value else { return Ok(true) };
    match &*value.to_string_lossy() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(CliError::BadSwitch { flag, value: other.to_owned() }),
    }
}

fn meaning(flags: Flags) -> Result<Invocation, CliError> {
    let config = PathBuf::from(flags.config);
    if flags.version {
        return Ok(Invocation::Version);
    }
    if flags.check {
        return Ok(Invocation::Check { config, dump: flags.dump });
    }
    if flags.dump {
        return Err(CliError::DumpAlone);
    }
    let log = match flags.log.to_ascii_lowercase().as_str() {
        "stderr" => Destination::Stderr,
        "syslog" => match Facility::by_name(&flags.facility) {
            Some(facility) => Destination::Syslog(facility),
            None => return Err(CliError::LogFacility(flags.facility)),
        },
        _ => return Err(CliError::LogDestination(flags.log)),
    };
    Ok(Invocation::Run { config, log })
}

#[cfg(test)]
mod tests;
