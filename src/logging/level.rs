//! Which lines are logged: what the environment says at the start, what an operator says from then on.

use std::sync::atomic::{AtomicU8, Ordering};

use log::{LevelFilter, Log, Metadata, Record};

/// The filter of the start, until a level is chosen.
#[derive(Debug)]
pub(super) struct Levels<'a> {
    start: env_logger::Logger,
    chosen: &'a Chosen,
}

/// A level that was chosen while running, if one was.
#[derive(Debug)]
pub(super) struct Chosen(AtomicU8);

/// No level was chosen.
const NONE: u8 = u8::MAX;

impl Chosen {
    pub(super) const fn none() -> Self {
        Self(AtomicU8::new(NONE))
    }

    pub(super) fn choose(&self, level: LevelFilter) {
        self.0.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn level(&self) -> Option<LevelFilter> {
        let chosen = self.0.load(Ordering::Relaxed);
        LevelFilter::iter().find(|level| *level as u8 == chosen)
    }
}

impl<'a> Levels<'a> {
    pub(super) fn new(start: env_logger::Logger, chosen: &'a Chosen) -> Self {
        Self { start, chosen }
    }

    /// Whether lines like this are logged.
    pub(super) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self.chosen.level() {
            Some(level) => metadata.level() <= of(metadata.target(), level),
            None => self.start.enabled(metadata),
        }
    }

    /// Whether this line is.
    pub(super) fn matches(&self, record: &Record<'_>) -> bool {
        match self.chosen.level() {
            Some(level) => record.level() <= of(record.target(), level),
            None => self.start.matches(record),
        }
    }
}

/// What a chosen level means for a part of the program.
fn of(target: &str, chosen: LevelFilter) -> LevelFilter {
    if is_ours(target) { chosen } else { chosen.min(LevelFilter::Warn) }
}

/// Whether lines of this target are this program's own, and not those of what it is built of.
pub(super) fn is_ours(target: &str) -> bool {
    target.strip_prefix("hfm").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn the_start_value_counts_until_a_level_is_chosen_which_then_counts_for_all_of_ours() {
        let chosen = Chosen::none();
        let start = env_logger::Builder::new().parse_filters("warn,hfm::writer=debug").build();
        let levels = Levels::new(start, &chosen);
        let is_on = |target: &str, level| {
            let metadata = Metadata::builder().target(target).level(level).build();
            let record = Record::builder().metadata(metadata.clone()).args(format_args!("x")).build();
            assert_eq!(levels.enabled(&metadata), levels.matches(&record));
            levels.enabled(&metadata)
        };
        assert!(is_on("hfm::reactor", Level::Warn) && !is_on("hfm::reactor", Level::Info));
        assert!(is_on("hfm::writer", Level::Debug) && !is_on("hfm::writer", Level::Trace));
        for level in LevelFilter::iter() {
            chosen.choose(level);
            assert_eq!(chosen.level(), Some(level));
            for of in Level::iter() {
                for target in ["hfm", "hfm::reactor", "hfm::writer"] {
                    assert_eq!(is_on(target, of), of <= level, "{target} {of} at {level}");
                }
                for target in ["rustls::client", "mio::poll", "hfmctl"] {
                    let wanted = of <= level && of <= Level::Warn;
                    assert_eq!(is_on(target, of), wanted, "{target} {of} at {level}");
                }
            }
        }
    }
}
