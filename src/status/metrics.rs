//! The metrics of a moment in the text format of Prometheus (exposition format 0.0.4), written a slice at a time.
//!
//! All samples of a metric stand together, so the rules are gone through once for each metric of theirs: with ten
//! thousand rules that is over ten megabytes. [`Scrape`] remembers how far it is, and the loop goes on with it between
//! turns. What is in a text was therefore not all measured in the same moment; the lines of one histogram always were.
//!
//! It knows neither the engine nor the writer of tables: whoever serves hands in a [`View`] of them.

mod families;
mod lines;
mod samples;
mod text;

use std::time::Duration;

use families::Of;
pub use families::{FAMILIES, Family, Kind, RUN_BOUNDS};
pub use samples::{ProcessSample, RunDurations, TableSample};

/// What the answer calls itself.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What passing over a rule that has nothing to say costs of the effort, in bytes written in the same time.
const PASSED_OVER: usize = 16;

/// The rules, by their places. Every question is asked of each rule once, and should be cheap.
pub trait Rules {
    /// How many places there are.
    fn places(&self) -> usize;
    /// The full name of the rule in a place, `None` where there is none. Nothing else is asked of such a place.
    fn name(&self, place: usize) -> Option<&str>;
    /// Whether its effective state is up; `None` while that is unknown.
    fn up(&self, place: usize) -> Option<bool>;
    /// Runs started on its schedule.
    fn runs(&self, place: usize) -> u64;
    /// Runs that failed, by the name of the reason; each reason once.
    fn failures(&self, place: usize) -> impl Iterator<Item = (&'static str, u64)>;
    /// Runs that were inconclusive.
    fn inconclusive(&self, place: usize) -> u64;
    /// Slots missed.
    fn missed(&self, place: usize) -> u64;
    /// How long its conclusive runs took; `None`, or nothing but zeros, before the first.
    fn durations(&self, place: usize) -> Option<RunDurations>;
    /// For how long it has had no conclusive verdict; `None` unless it is stale.
    fn stale(&self, place: usize) -> Option<Duration>;
    /// When the certificate that was last seen expires, in seconds of Unix time; `None` if there was none.
    fn certificate_expiry(&self, place: usize) -> Option<i64>;
    /// What an operator has set, in a word.
    fn set(&self, place: usize) -> Option<&'static str>;
}

/// What a scrape looks at. The rules may have moved on from one slice to the next; the rest is best taken once.
#[derive(Debug)]
pub struct View<'a, R> {
    /// The process.
    pub process: &'a ProcessSample,
    /// The tables, in the order of the file.
    pub tables: &'a [TableSample],
    /// The rules.
    pub rules: &'a R,
}

/// Whether there is more to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is.
    More,
    /// That was all.
    Done,
}

/// How far a text has come. To be begun anew when the rules are others, for a rule that has moved could stand in it twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scrape {
    /// The place in [`FAMILIES`].
    family: usize,
    /// The next table or rule of it; 0 before its head is written.
    next: usize,
}

impl Scrape {
    /// Appends to `out` until `effort` is used up, in bytes or what takes as long, or all is written. Goes on by a step
    /// even when there is none, and may use more than there is by a step: the lines that one rule or table has of one
    /// metric, or one metric of the process.
    pub fn go_on<R: Rules>(&mut self, view: &View<'_, R>, out: &mut Vec<u8>, effort: &mut usize) -> Progress {
        while let Some(family) = FAMILIES.get(self.family) {
            let begin = out.len();
            if self.next == 0 {
                lines::head(out, family);
            }
            let count = match family.of {
                Of::Process(of) => {
                    lines::process(out, family.name, of, view.process);
                    1
                }
                Of::Tables(of) => {
                    if let Some(table) = view.tables.get(self.next) {
                        lines::table(out, family.name, of, table);
                    }
                    view.tables.len()
                }
                Of::Rules(of) => {
                    if self.next < view.rules.places() {
                        lines::rule(out, family.name, of, view.rules, self.next);
                    }
                    view.rules.places()
                }
            };
            self.next += 1;
            if self.next >= count {
                *self = Self { family: self.family + 1, next: 0 };
            }
            *effort = effort.saturating_sub(out.len() - begin + PASSED_OVER);
            if *effort == 0 && self.family < FAMILIES.len() {
                return Progress::More;
            }
        }
        Progress::Done
    }
}
