//! `/metrics`: what the text is made of, taken together once, and the rules as they stand when their turn comes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::work::{Pieces, Steps, World};
use crate::control::protocol::StatsRow;
use crate::engine::{DurationCounts, Engine};
use crate::health::State;
use crate::now::Now;
use crate::overrides::Book;
use crate::reactor::control::answer::Source;
use crate::reactor::control::rows;
use crate::reactor::demotion::Demoter;
use crate::rule::RuleId;
use crate::status::metrics::{
    CONTENT_TYPE, ProcessSample, Progress, Rules, RunDurations, Scrape, TableSample, View,
};
use crate::sys::{limits, usage};
use crate::writer::{TableStatus, Writes};

/// What is written at a time, in bytes: about two microseconds.
const STEP_BYTES: usize = 2 * 1024;

/// The text, as far as it is made.
#[derive(Debug)]
pub(super) struct MetricsText {
    scrape: Scrape,
    process: ProcessSample,
    tables: Vec<TableSample>,
    /// As many as there were when it was begun.
    reloads: u64,
}

impl MetricsText {
    pub(super) fn new(
        source: &Source<'_>,
        stats: &StatsRow,
        is_healthy: bool,
        tables: &Arc<[TableStatus]>,
        writes: Option<&Writes>,
        now: Now,
    ) -> Self {
        let process = process(source, stats, is_healthy, writes);
        let tables = tables.iter().map(|of| table(of, now)).collect();
        Self { scrape: Scrape::default(), process, tables, reloads: source.reloads }
    }
}

impl Steps for MetricsText {
    const CONTENT_TYPE: &str = CONTENT_TYPE;

    fn step(&mut self, pieces: &mut Pieces, world: &World<'_>) -> bool {
        if self.reloads != world.source.reloads {
            // A rule that has moved could stand in it twice.
            pieces.forget();
            (self.scrape, self.reloads) = (Scrape::default(), world.source.reloads);
        }
        let Source { engine, overrides, .. } = *world.source;
        let rules = Standing { engine, overrides, now: world.now.mono };
        let view = View { process: &self.process, tables: &self.tables, rules: &rules };
        let mut effort = STEP_BYTES;
        self.scrape.go_on(&view, &mut pieces.last, &mut effort) == Progress::Done
    }
}

fn process(
    source: &Source<'_>,
    stats: &StatsRow,
    is_healthy: bool,
    writes: Option<&Writes>,
) -> ProcessSample {
    ProcessSample {
        version: env!("CARGO_PKG_VERSION"),
        started: Duration::try_from_secs_f64(stats.started).unwrap_or_default(),
        healthy: is_healthy,
        up: stats.up as u64,
        down: stats.down as u64,
        unknown: stats.unknown as u64,
        stale: stats.stale as u64,
        overrides: stats.overrides as u64,
        reloads: stats.reloads,
        runs: stats.runs,
        failures: stats.failures,
        inconclusive: stats.inconclusive,
        missed: stats.missed,
        in_flight: stats.in_flight as u64,
        lateness: source.engine.lateness().ladder(),
        turns: source.turns.ladder(),
        writes: writes.map(Writes::durations).unwrap_or_default(),
        write_failures: writes.map(Writes::failures).unwrap_or_default(),
        demotion: source.demotion.map(Demoter::row).map(|row| row.total.into()),
        dropped_lines: stats.dropped_lines,
        clients: stats.clients as u64,
        open_descriptors: usage::open_descriptors(),
        max_descriptors: limits::open_files().ok(),
        cpu: usage::cpu(),
        resident_bytes: usage::resident_bytes(),
    }
}

fn table(of: &TableStatus, now: Now) -> TableSample {
    let since_1970 = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
    TableSample {
        name: of.name.to_string(),
        managed: of.managed as u64,
        wanted: of.wanted as u64,
        actual: of.actual.map(|actual| actual as u64),
        held: of.held as u64,
        others: of.others.map(|others| others as u64),
        repairs: of.repairs,
        failing: of.error.is_some(),
        written: of.written_at.map(|at| since_1970(rows::wall(at, now))),
    }
}

/// The rules as they stand now.
#[derive(Clone, Copy, Debug)]
struct Standing<'a> {
    engine: &'a Engine,
    overrides: Option<&'a Book>,
    now: Instant,
}

fn id(place: usize) -> RuleId {
    RuleId(u32::try_from(place).expect("the configuration bounds the number of rules far below 2^32"))
}

impl Rules for Standing<'_> {
    fn places(&self) -> usize {
        self.engine.rules().len()
    }

    fn name(&self, place: usize) -> Option<&str> {
        self.engine.rules().get(place).filter(|rule| !rule.is_vacant()).map(|rule| &*rule.name)
    }

    fn up(&self, place: usize) -> Option<bool> {
        match self.engine.state_of(id(place)) {
            State::Success => Some(true),
            State::Fail => Some(false),
            State::Unknown => None,
        }
    }

    fn runs(&self, place: usize) -> u64 {
        self.engine.tally_of(id(place)).runs
    }

    fn failures(&self, place: usize) -> impl Iterator<Item = (&'static str, u64)> {
        self.engine.measured(id(place)).failures()
    }

    fn inconclusive(&self, place: usize) -> u64 {
        self.engine.tally_of(id(place)).inconclusive
    }

    fn missed(&self, place: usize) -> u64 {
        self.engine.tally_of(id(place)).missed
    }

    fn durations(&self, place: usize) -> Option<RunDurations> {
        let DurationCounts { counts, sum } = self.engine.measured(id(place)).durations();
        Some(RunDurations {
            counts: counts.map(u64::from),
            sum_us: u64::try_from(sum.as_micros()).unwrap_or(u64::MAX),
        })
    }

    fn stale(&self, place: usize) -> Option<Duration> {
        self.engine.stale_for(id(place), self.now)
    }

    fn certificate_expiry(&self, place: usize) -> Option<i64> {
        let ends = self.engine.certificate_expiry(id(place))?;
        i64::try_from(ends.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).ok()
    }

    fn set(&self, place: usize) -> Option<&'static str> {
        let entry = self.overrides?.get(self.name(place)?)?;
        Some(entry.kind.word())
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::DURATION_BOUNDS;
    use crate::status::metrics::RUN_BOUNDS;

    #[test]
    fn durations_are_counted_by_the_bounds_that_are_told() {
        assert_eq!(
            RUN_BOUNDS.map(|(micros, _)| u128::from(micros)),
            DURATION_BOUNDS.map(|bound| bound.as_micros())
        );
    }
}
