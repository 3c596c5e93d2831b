//! What the whole demo came to.

use std::fmt;
use std::time::Duration;

use super::story::Story;
use super::times::{Times, Took};
use crate::demo::behaviour::Behaviour;

/// The closing words.
pub(super) struct Summary<'a> {
    pub(super) story: &'a Story,
    pub(super) at: Duration,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let story = self.story;
        let out: usize = story.out.values().filter_map(Times::figures).map(|figures| figures.count).sum();
        let held: usize = story.held.values().sum();
        let (seconds, breakages) = (self.at.as_secs_f64(), story.breakages);
        write!(f, "breakages in {seconds:.1} s: {breakages}; left table {}: {out}", story.cast.table)?;
        for (count, words) in [
            (held, format!("held in by min_up = {}", story.cast.min_up)),
            (story.missed, "not noticed".to_owned()),
            (breakages.saturating_sub(out + held + story.missed), "not over yet".to_owned()),
        ] {
            if count > 0 {
                write!(f, "; {words}: {count}")?;
            }
        }
        writeln!(f)?;
        if story.unasked > 0 {
            writeln!(f, "failures of backends that were not broken: {}", story.unasked)?;
        }
        if out == 0 && story.back.figures().is_none() {
            return Ok(());
        }
        writeln!(f, "from the breakage to the table without its address:")?;
        writeln!(f, "  {:<30}{:>6}{:>9}{:>9}{:>9}", "", "times", "min", "p50", "max")?;
        for behaviour in Behaviour::BREAKAGES {
            if let Some(times) = story.out.get(&behaviour) {
                row(f, behaviour.words(), times)?;
            }
        }
        row(f, "back again, from healing", &story.back)
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, times: &Times) -> fmt::Result {
    let Some(figures) = times.figures() else { return Ok(()) };
    let (min, median, max) = (Took(figures.min), Took(figures.median), Took(figures.max));
    writeln!(f, "  {what:<30}{:>6}{min:>9}{median:>9}{max:>9}", figures.count)
}
