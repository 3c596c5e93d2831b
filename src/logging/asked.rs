//! What the environment asks to be logged: the value of RUST_LOG, which is used as a whole or not at all.

use std::collections::BTreeMap;
use std::fmt;

use log::LevelFilter;

use super::level::is_ours;

/// What is logged where nothing else is asked for.
const DEFAULT: LevelFilter = LevelFilter::Info;

/// The filter of the start.
#[derive(Debug)]
pub(super) struct Asked {
    /// Lets through what is asked for.
    pub(super) filter: env_logger::Logger,
    /// The most that it lets through of this program's own lines.
    pub(super) level: LevelFilter,
    /// Why the value is ignored, if it is.
    pub(super) misread: Option<Misread>,
}

/// Why a value is not understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misread {
    /// A word that stands for itself and is no level.
    NoLevel(String),
    /// A level is for a part without a name.
    NoPart(String),
    /// Anything else, in the filter's own words.
    Other(String),
}

impl Asked {
    /// By this value; an empty one asks for nothing.
    pub(super) fn of(value: &str) -> Self {
        let mut builder = env_logger::Builder::new();
        builder.filter_level(DEFAULT);
        match levels(value) {
            Ok(levels) => {
                if !levels.is_empty() {
                    // It would print what it does not understand to stderr by itself.
                    builder.parse_filters(value);
                }
                Self { filter: builder.build(), level: most_of_ours(&levels), misread: None }
            }
            Err(misread) => Self { filter: builder.build(), level: DEFAULT, misread: Some(misread) },
        }
    }
}

/// The level of each part, and under no name that of everything else.
fn levels(value: &str) -> Result<BTreeMap<&str, LevelFilter>, Misread> {
    env_filter::Builder::new().try_parse(value).map_err(|error| Misread::Other(error.to_string()))?;
    let (parts, _) = value.split_once('/').unwrap_or((value, ""));
    let mut levels = BTreeMap::new();
    for part in parts.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, level) = match part.split_once('=') {
            // The filter takes a word that is no level for a part, of which it logs everything.
            None if is_ours(part) => (part, LevelFilter::Trace),
            None => ("", part.parse().map_err(|_| Misread::NoLevel(part.to_owned()))?),
            Some((name, _)) if name.trim().is_empty() => return Err(Misread::NoPart(part.to_owned())),
            Some((name, level)) => (name, level.trim().parse().unwrap_or(LevelFilter::Trace)),
        };
        levels.insert(name, level);
    }
    Ok(levels)
}

fn most_of_ours(levels: &BTreeMap<&str, LevelFilter>) -> LevelFilter {
    // A name stands for all that begin with it.
    let has_ours = |name: &str| is_ours(name) || "hfm::".starts_with(name);
    let of_parts = levels.iter().filter(|(name, _)| has_ours(name)).map(|(_, level)| *level);
    let of_the_rest = levels.get("").copied().unwrap_or(DEFAULT);
    of_parts.fold(of_the_rest, Ord::max)
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLevel(word) => {
                write!(f, "'{word}' is no level: write error, warn, info, debug, trace or off")
            }
            Self::NoPart(part) => write!(f, "'{part}' does not say what it is for"),
            Self::Other(error) => f.write_str(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use log::{Level, Log, Metadata};

    use super::*;

    fn lets_through(asked: &Asked, target: &str, level: Level) -> bool {
        asked.filter.enabled(&Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn the_level_is_the_most_that_is_logged_of_our_own() {
        for (value, level) in [
            ("", LevelFilter::Info),
            (" , ", LevelFilter::Info),
            ("debug", LevelFilter::Debug),
            ("Off", LevelFilter::Off),
            ("trace,warn", LevelFilter::Warn),
            ("warn,hfm::writer=debug", LevelFilter::Debug),
            ("warn,hfm=", LevelFilter::Trace),
            ("warn,hfm", LevelFilter::Trace),
            ("hfm::writer=warn", LevelFilter::Info),
            ("hf=trace", LevelFilter::Trace),
            ("debug/lb1", LevelFilter::Debug),
            ("mio=trace", LevelFilter::Info),
            ("warn,mio=trace,hfmctl=debug", LevelFilter::Warn),
        ] {
            let asked = Asked::of(value);
            assert_eq!((asked.level, &asked.misread), (level, &None), "{value}");
        }
        let asked = Asked::of("warn,mio=trace");
        assert!(lets_through(&asked, "mio::poll", Level::Trace));
        assert!(!lets_through(&asked, "hfm::writer", Level::Info));
        assert_eq!(asked.filter.filter(), LevelFilter::Trace);
    }

    #[test]
    fn what_is_not_understood_changes_nothing_and_says_what_it_is() {
        for (value, why) in [
            ("debugg", "'debugg' is no level: write error, warn, info, debug, trace or off"),
            ("loud", "'loud' is no level: write error, warn, info, debug, trace or off"),
            ("3", "'3' is no level: write error, warn, info, debug, trace or off"),
            ("debug, hf", "'hf' is no level: write error, warn, info, debug, trace or off"),
            ("debug,=trace", "'=trace' does not say what it is for"),
            ("=", "'=' does not say what it is for"),
            ("hfm=loud", "error parsing logger filter: invalid logging spec 'loud'"),
        ] {
            let asked = Asked::of(value);
            assert_eq!(asked.misread.as_ref().map(Misread::to_string).as_deref(), Some(why), "{value}");
            assert_eq!((asked.level, asked.filter.filter()), (DEFAULT, DEFAULT), "{value}");
            assert!(lets_through(&asked, "hfm::writer", Level::Info));
        }
    }
}
