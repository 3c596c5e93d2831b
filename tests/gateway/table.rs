//! What came of everything, for people to read.

use std::fmt;

use super::judge::Course;
use super::lab::spread::{longest, spread};

/// A line for each scenario, as README has them.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<String>);

impl Table {
    /// Adds what came of a scenario, each time it was run.
    pub(crate) fn add(&mut self, courses: &[Course]) {
        let Some(first) = courses.first() else { return };
        let failed = spread(courses.iter().map(|course| course.away.failed().count()));
        let requests = spread(courses.iter().map(|course| course.away.requests.len()));
        let last = longest(courses.iter().map(|course| course.away.last_failed()));
        let over =
            longest(courses.iter().map(|course| course.away.over_after(|host| course.loses.has_lost(host))));
        let late = spread(courses.iter().map(|course| course.away.late()));
        let moved = spread(courses.iter().map(|course| course.moved.len()));
        let back = spread(courses.iter().map(|course| course.back.failed().count()));
        let [on, told, hang] = [0, 1, 2].map(|fate| spread(courses.iter().map(|course| course.fates[fate])));
        self.0.push(format!(
            "| {} | {failed} of {requests} | {last} | {late} | {over} | {moved} of {} | {back} | {on} / {told} / {hang} |",
            first.name, first.clients
        ));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "| what happens | failed requests | the last one began after | late answers | dealt with after | clients that \
             move | failed on the way back | open connections: go on / end / hang |\n\
             |---|---|---|---|---|---|---|---|\n",
        )?;
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
