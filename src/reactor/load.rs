//! Whether this process keeps up with its rules: said once when it does not, and once when it does again.
//!
//! What counts are slots of the grid that were missed though their rule was ready. One pause of the machine makes
//! such slots too; so it takes several seconds in a row that have them.

use std::time::{Duration, Instant};

use crate::engine::Counters;

/// What is looked at together.
const WINDOW: Duration = Duration::from_secs(1);
/// So many windows in a row with missed slots are too much,
const BAD_WINDOWS: u32 = 3;
/// and so many without are the end of it.
const GOOD_WINDOWS: u32 = 10;
/// From here on what is missing is a faster processor, and not more of this one's time, in percent.
pub(super) const CPU_FULL_PERCENT: u64 = 80;

/// Counts what was missed, second by second.
#[derive(Debug)]
pub(super) struct Load {
    window: Mark,
    /// Before the first of the bad windows.
    good: Mark,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// It keeps up; so many windows in a row were bad.
    KeepsUp(u32),
    /// It was said that it does not; so many windows in a row were good.
    Behind(u32),
}

/// How far things were at a moment.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    behind: u64,
    runs: u64,
    cpu: Duration,
}

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    TooMuch(Figures),
    /// So many slots were missed in all.
    KeepsUp {
        missed: u64,
    },
}

/// How it went lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    /// Slots missed by this process.
    pub(super) missed: u64,
    /// Runs that ended.
    pub(super) runs: u64,
    /// In so much time, to the second.
    pub(super) over: Duration,
    /// For so much of it the loop had a processor, in percent.
    pub(super) had_cpu: u64,
}

impl Load {
    /// Begins now, when the loop has had a processor for `cpu`.
    pub(super) fn new(now: Instant, cpu: Duration) -> Self {
        let mark = Mark { at: now, behind: 0, runs: 0, cpu };
        Self { window: mark, good: mark, state: State::KeepsUp(0) }
    }

    /// A turn has ended. `cpu` tells how long the loop has had a processor, and is asked once a window.
    pub(super) fn turn_ends(
        &mut self,
        now: Instant,
        counters: Counters,
        cpu: impl FnOnce() -> Duration,
    ) -> Option<Said> {
        if now.saturating_duration_since(self.window.at) < WINDOW {
            return None;
        }
        let mark = Mark { at: now, behind: counters.behind, runs: counters.runs, cpu: cpu() };
        let before = std::mem::replace(&mut self.window, mark);
        let is_bad = mark.behind > before.behind;
        match (self.state, is_bad) {
            (State::KeepsUp(_), false) => {
                self.state = State::KeepsUp(0);
                self.good = mark;
                None
            }
            (State::KeepsUp(bad), true) if bad + 1 < BAD_WINDOWS => {
                self.state = State::KeepsUp(bad + 1);
                None
            }
            (State::KeepsUp(_), true) => {
                self.state = State::Behind(0);
                Some(Said::TooMuch(self.good.until(&mark)))
            }
            (State::Behind(_), true) => {
                self.state = State::Behind(0);
                None
            }
            (State::Behind(good), false) if good + 1 < GOOD_WINDOWS => {
                self.state = State::Behind(good + 1);
                None
            }
            (State::Behind(_), false) => {
                let missed = mark.behind - self.good.behind;
                self.state = State::KeepsUp(0);
                self.good = mark;
                Some(Said::KeepsUp { missed })
            }
        }
    }
}

impl Mark {
    /// How it went from here to there.
    fn until(&self, end: &Self) -> Figures {
        let over = end.at.saturating_duration_since(self.at);
        let cpu = end.cpu.saturating_sub(self.cpu);
        let percent = cpu.as_nanos() * 100 / over.as_nanos().max(1);
        Figures {
            missed: end.behind - self.behind,
            runs: end.runs.saturating_sub(self.runs),
            over: Duration::from_secs(over.as_secs()),
            had_cpu: u64::try_from(percent).unwrap_or(u64::MAX).min(100),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What is said after seconds in which so many slots were missed, and in which second.
    fn said(missed: &[u64]) -> Vec<(usize, Said)> {
        let mut now = Instant::now();
        let mut load = Load::new(now, Duration::ZERO);
        let mut counters = Counters::default();
        let mut cpu = Duration::ZERO;
        let mut said = Vec::new();
        for (second, missed) in missed.iter().enumerate() {
            // Many turns, of which none but the last ends the window.
            for _ in 0..9 {
                now += SECOND / 10;
                assert_eq!(load.turn_ends(now, counters, || panic!("asked within a window")), None);
            }
            now += SECOND / 10;
            cpu += SECOND * 9 / 10;
            counters.behind += missed;
            counters.runs += 100;
            said.extend(load.turn_ends(now, counters, || cpu).map(|said| (second, said)));
        }
        said
    }

    #[test]
    fn what_passes_is_not_spoken_of() {
        assert_eq!(said(&[0; 30]), []);
        assert_eq!(said(&[0, 5000, 0, 0, 700, 700, 0, 1, 1, 0]), []);
    }

    #[test]
    fn too_much_is_said_once_with_its_figures_and_so_is_the_end() {
        let mut missed = vec![0, 0, 10, 20, 30, 40, 40, 0, 0, 5];
        missed.extend([0; 40]);
        let figures = Figures { missed: 60, runs: 300, over: 3 * SECOND, had_cpu: 90 };
        let end = Said::KeepsUp { missed: 10 + 20 + 30 + 40 + 40 + 5 };
        assert_eq!(said(&missed), [(4, Said::TooMuch(figures)), (19, end)]);
    }

    #[test]
    fn a_second_time_is_said_again() {
        let once = [[1; 3].as_slice(), &[0; 10]].concat();
        assert_eq!(said(&[once.clone(), once].concat()).len(), 4);
    }
}
