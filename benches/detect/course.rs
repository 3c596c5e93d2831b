//! What happened to the targets, and how long it took.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;

use crate::figures::{self, histogram, record};
use crate::monitor::{INTERVAL, TIMEOUT};

/// How a target is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Its process is killed: connections are refused.
    Killed,
    /// Nothing gets there any more.
    CutOff,
}

/// One loss of a target.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) loss: Loss,
    /// Until then nothing was done to it,
    pub(crate) before: SystemTime,
    /// and from then on it was lost.
    pub(crate) after: SystemTime,
}

/// Everything that was seen of one target, in the order of time.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Its runs, by their SYNs.
    pub(crate) runs: Vec<SystemTime>,
    /// When it was told that its rule changed to failed, and how long the run had taken that brought it.
    pub(crate) verdicts: Vec<(SystemTime, Duration)>,
    /// When its address left the table.
    pub(crate) left: Vec<SystemTime>,
    pub(crate) trials: Vec<Trial>,
}

/// Of the trials of one kind.
struct Figures {
    verdict_after_earliest: Histogram<u64>,
    table_after_verdict: Histogram<u64>,
    table_after_earliest: Histogram<u64>,
    table_after_loss: Histogram<u64>,
    /// Runs that began after the loss and before the one that found it out.
    overlooked: u64,
}

impl Figures {
    fn new() -> Self {
        let [a, b, c, d] = [(); 4].map(|()| histogram());
        Self {
            verdict_after_earliest: a,
            table_after_verdict: b,
            table_after_earliest: c,
            table_after_loss: d,
            overlooked: 0,
        }
    }

    fn print(&self, what: &str) {
        println!("{what}: {} times, {} runs found nothing", self.table_after_loss.len(), self.overlooked);
        figures::print("  earliest moment to verdict", &self.verdict_after_earliest);
        figures::print("  verdict to table", &self.table_after_verdict);
        figures::print("  earliest moment to table", &self.table_after_earliest);
        figures::print("  loss to table", &self.table_after_loss);
    }
}

/// Prints what they come to.
pub(crate) fn print(courses: &[Course]) {
    let [mut killed, mut cut_off, mut lateness] = [Figures::new(), Figures::new(), Figures::new()];
    for course in courses {
        let grid = Grid::of(&course.runs);
        for run in &course.runs {
            record(&mut lateness.verdict_after_earliest, after(*run, grid.due_of(*run)));
        }
        assert_eq!(
            course.trials.len(),
            course.verdicts.len(),
            "each loss is found out once: {:?}",
            course.trials
        );
        assert_eq!(
            course.trials.len(),
            course.left.len(),
            "each loss changes the table once: {:?}",
            course.trials
        );
        for (number, trial) in course.trials.iter().enumerate() {
            let figures = match trial.loss {
                Loss::Killed => &mut killed,
                Loss::CutOff => &mut cut_off,
            };
            course.measure(number, trial, grid, figures);
        }
    }
    killed.print("killed, connections are refused");
    cut_off.print("cut off, nothing is answered");
    figures::print("starts of runs after their due", &lateness.verdict_after_earliest);
}

impl Course {
    fn measure(&self, number: usize, trial: &Trial, grid: Grid, figures: &mut Figures) {
        let ((told, elapsed), left) = (self.verdicts[number], self.left[number]);
        let started = told - elapsed;
        let brought = self.runs.iter().min_by_key(|run| apart(**run, started)).expect("it was probed");
        let verdict = *brought + elapsed;
        // One that began while it was being lost may have found it out, or not.
        let first = self.runs.iter().find(|run| **run >= trial.after).expect("it was probed").min(brought);
        let between = self.runs.iter().filter(|run| (*first..*brought).contains(*run)).count();
        figures.overlooked += u64::try_from(between).expect("few");
        let earliest = match trial.loss {
            Loss::Killed => grid.due_of(*first).max(trial.before),
            Loss::CutOff => grid.due_of(*first) + TIMEOUT,
        };
        record(&mut figures.verdict_after_earliest, after(verdict, earliest));
        record(&mut figures.table_after_verdict, after(left, verdict));
        record(&mut figures.table_after_earliest, after(left, earliest));
        record(&mut figures.table_after_loss, after(left, trial.before));
    }
}

/// Where the runs of a rule lie: every interval from this moment on.
#[derive(Clone, Copy)]
struct Grid(SystemTime);

impl Grid {
    /// The grid that none of these runs was early on, and one was on time: none is half an interval late.
    fn of(runs: &[SystemTime]) -> Self {
        let first = runs[0];
        let beyond = |run: &SystemTime| {
            let into = nanos(after(*run, first) + INTERVAL / 2) % nanos(INTERVAL);
            i128::from(into) - i128::from(nanos(INTERVAL / 2))
        };
        let least = runs.iter().map(beyond).min().unwrap_or(0);
        let back =
            Duration::from_nanos(u64::try_from(-least).expect("the first is beyond itself by nothing"));
        Self(first - back)
    }

    /// When a run was due.
    fn due_of(self, run: SystemTime) -> SystemTime {
        run - Duration::from_nanos(nanos(after(run, self.0)) % nanos(INTERVAL))
    }
}

fn nanos(of: Duration) -> u64 {
    u64::try_from(of.as_nanos()).expect("a short time")
}

/// How long after another one a moment is; nothing when it is before that.
fn after(at: SystemTime, other: SystemTime) -> Duration {
    at.duration_since(other).unwrap_or_default()
}

fn apart(a: SystemTime, b: SystemTime) -> Duration {
    after(a, b).max(after(b, a))
}
