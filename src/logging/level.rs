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

    fn level(&self) -> Option<LevelFilter> {
        let chosen = self.0.load(Ordering::Relaxed);
        LevelFilter::iter().find(|level| *level as u8 == chosen)
    }
}

impl<'a> Levels<'a> {
    pub(super) fn new(start: env_logger::Logger, chosen: &'a Chosen) -> Self {
        Self { start, chosen }
    }

    /// The most that may be logged.
    pub(super) fn max(&self) -> LevelFilter {
        self.chosen.level().unwrap_or_else(|| self.start.filter())
    }

    /// Whether lines like this are logged.
    pub(super) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self.chosen.level() {
            Some(level) => metadata.level() <= level,
            None => self.start.enabled(metadata),
        }
    }

    /// Whether this line is.
    pub(super) fn matches(&self, record: &Record<'_>) -> bool {
        match self.chosen.level() {
            Some(level) => record.level() <= level,
            None => self.start.matches(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn the_start_value_counts_until_a_level_is_chosen_which_then_counts_for_all() {
        let chosen = Chosen::none();
        let start = env_logger::Builder::new().parse_filters("warn,hfm::writer=debug").build();
        let levels = Levels::new(start, &chosen);
        let is_on = |target: &str, level| {
            let metadata = Metadata::builder().target(target).level(level).build();
            let record = Record::builder().metadata(metadata.clone()).args(format_args!("x")).build();
            assert_eq!(levels.enabled(&metadata), levels.matches(&record));
            levels.enabled(&metadata)
        };
        assert_eq!(levels.max(), LevelFilter::Debug);
        assert!(is_on("hfm::reactor", Level::Warn) && !is_on("hfm::reactor", Level::Info));
        assert!(is_on("hfm::writer", Level::Debug) && !is_on("hfm::writer", Level::Trace));
        for level in LevelFilter::iter() {
            chosen.choose(level);
            assert_eq!(levels.max(), level);
            for target in ["hfm::reactor", "hfm::writer"] {
                for of in Level::iter() {
                    assert_eq!(is_on(target, of), of <= level, "{target} {of} at {level}");
                }
            }
        }
    }
}
