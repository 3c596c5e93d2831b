//! What came of everything, for people to read.

use std::fmt;

use super::judge::Course;
use super::lab::spread::{longest, spread};

/// A line for each scenario, as docs/gateway-pair-linux.md has them.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<String>);

impl Table {
    /// Adds what came of a scenario, each time it was run.
    pub(crate) fn add(&mut self, courses: &[Course]) {
        let Some(first) = courses.first() else { return };
        let of = |value: fn(&Course) -> usize| spread(courses.iter().map(value));
        let after = |way: usize| longest(courses.iter().map(|course| course.moved[way]));
        let fates = |whose: fn(&Course) -> [usize; 3]| {
            [0, 1, 2].map(|fate| spread(courses.iter().map(|course| whose(course)[fate]))).join(" / ")
        };
        self.0.push(format!(
            "| {} | {} | {} of {} | {} | {} | {} | {} | {} | {} | {} |",
            first.name,
            after(0),
            of(|course| course.away.failed().count()),
            of(|course| course.away.requests.len()),
            longest(courses.iter().map(|course| course.away.last_failed())),
            of(|course| course.away.late()),
            after(1),
            of(|course| course.back.failed().count() + course.back.late()),
            fates(|course| course.idle),
            fates(|course| course.waiting),
            fates(|course| course.travellers),
        ));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "| what happens | the addresses have moved after | failed requests | the last one began after | late answers \
             | addresses back after | failed or late on the way back | idle connections: go on / end / hang | waiting ones | there and back |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        )?;
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
