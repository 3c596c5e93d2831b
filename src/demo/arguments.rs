//! The arguments of `hfm demo`.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// A command line of `hfm demo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `-t`: when it ends by itself; above 0. `None` for never.
    pub duration: Option<Duration>,
    /// `-listen`: where the status page is served; `None` for some port of this machine's own.
    pub listen: Option<SocketAddr>,
}

/// A command line that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// `-h`.
    Help,
    /// An argument that is no flag.
    Unexpected(String),
    /// A flag that does not exist.
    UnknownFlag(String),
    /// A flag without its value.
    MissingValue(&'static str),
    /// A value of `-listen` that is no address with a port.
    BadAddress(String),
    /// A value of `-t` that is no number of seconds.
    BadSeconds(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help => f.write_str("help was asked for"),
            Self::Unexpected(argument) => {
                write!(f, "unexpected argument {argument:?}: hfm demo takes flags only")
            }
            Self::UnknownFlag(flag) => write!(f, "flag provided but not defined: -{flag}"),
            Self::MissingValue(flag) => write!(f, "flag needs an argument: -{flag}"),
            Self::BadAddress(value) => {
                write!(
                    f,
                    "-listen takes an address and a port, such as 127.0.0.1:9090 or [::1]:9090, not {value:?}"
                )
            }
            Self::BadSeconds(value) => {
                write!(f, "-t takes a number of seconds above 0, such as 20 or 2.5, not {value:?}")
            }
        }
    }
}

impl std::error::Error for UsageError {}

/// The usage, as `-h` prints it.
pub fn usage() -> &'static str {
    "Usage: hfm demo [flags]\n  \
     -t SECONDS          end by itself after so long, such as 20 or 2.5 (default: at Ctrl-C)\n  \
     -listen ADDR:PORT   serve the status page there (default: 127.0.0.1:9090, or another port if that is taken)\n\
     Three small HTTPS backends in this process are tested ten times a second. Every few seconds one of\n\
     them breaks in another way and heals: see how long it stays in the table. No rights are needed,\n\
     nothing outside this process changes.\n\
     Exit status: 0 ended as asked; 2 bad arguments, or it could not start.\n"
}

/// Reads the arguments after `demo`.
///
/// # Errors
/// Whatever cannot be followed; nothing has been done then.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, UsageError> {
    let mut parsed = Arguments::default();
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            return Err(UsageError::Unexpected(argument));
        };
        let (name, inline) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        match name {
            "t" => {
                let value = inline.or_else(|| arguments.next()).ok_or(UsageError::MissingValue("t"))?;
                parsed.duration = Some(seconds(&value).ok_or(UsageError::BadSeconds(value))?);
            }
            "listen" => {
                let value = inline.or_else(|| arguments.next()).ok_or(UsageError::MissingValue("listen"))?;
                parsed.listen = Some(value.parse().map_err(|_| UsageError::BadAddress(value))?);
            }
            "h" | "help" => return Err(UsageError::Help),
            unknown => return Err(UsageError::UnknownFlag(unknown.to_owned())),
        }
    }
    Ok(parsed)
}

/// Digits and a point, as people write seconds.
fn seconds(value: &str) -> Option<Duration> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = value.parse().ok().filter(|_| is_plain)?;
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn seconds_are_read_as_people_write_them() {
        assert_eq!(parsed(""), Ok(Arguments::default()));
        for (line, ms) in
            [("-t 20", 20_000), ("--t=2.5", 2_500), ("-t .25", 250), ("-t 1 -t 3", 3_000), ("-t 001", 1_000)]
        {
            assert_eq!(
                parsed(line),
                Ok(Arguments { duration: Some(Duration::from_millis(ms)), listen: None }),
                "{line}"
            );
        }
    }

    #[test]
    fn the_status_page_may_have_its_place() {
        let listen = parsed("-listen [::1]:80").map(|arguments| arguments.listen);
        assert_eq!(listen, Ok("[::1]:80".parse().ok()));
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let huge = "9".repeat(400);
        for value in
            ["0", "0.0", "-1", "+1", "1e3", "inf", "nan", "5s", "1.2.3", ".", "", "0.0000000001", &huge]
        {
            let error = UsageError::BadSeconds(value.to_owned());
            assert_eq!(parse([OsString::from(format!("-t={value}"))]), Err(error), "{value}");
        }
        for (line, error) in [
            ("-h", UsageError::Help),
            ("--help", UsageError::Help),
            ("-t", UsageError::MissingValue("t")),
            ("-t 1 -listen", UsageError::MissingValue("listen")),
            ("-listen 9090", UsageError::BadAddress("9090".into())),
            ("-listen=localhost:9090", UsageError::BadAddress("localhost:9090".into())),
            ("-x", UsageError::UnknownFlag("x".into())),
            ("20", UsageError::Unexpected("20".into())),
        ] {
            assert_eq!(parsed(line), Err(error), "{line}");
        }
    }
}
