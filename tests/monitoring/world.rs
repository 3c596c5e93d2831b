//! A small world with something of everything that metrics are of.

use std::time::Duration;

use hfm::histogram::{Histogram, Ladder};
use hfm::status::metrics::{ProcessSample, Progress, Rules, RunDurations, Scrape, TableSample, View};

/// A rule of a small world.
#[derive(Clone, Default)]
pub(crate) struct Rule {
    name: &'static str,
    up: Option<bool>,
    runs: u64,
    failures: Vec<(&'static str, u64)>,
    inconclusive: u64,
    missed: u64,
    durations: Option<RunDurations>,
    stale: Option<Duration>,
    certificate_expiry: Option<i64>,
    set: Option<&'static str>,
}

pub(crate) struct World {
    pub(crate) process: ProcessSample,
    pub(crate) tables: Vec<TableSample>,
    pub(crate) rules: Vec<Option<Rule>>,
}

impl World {
    fn rule(&self, place: usize) -> &Rule {
        self.rules[place].as_ref().unwrap()
    }

    /// The text, made in slices of this effort; and how many slices there were.
    pub(crate) fn text_in_slices(&self, effort: usize) -> (String, usize) {
        let view = View { process: &self.process, tables: &self.tables, rules: self };
        let (mut scrape, mut out, mut slices) = (Scrape::default(), Vec::new(), 1);
        while scrape.go_on(&view, &mut out, &mut { effort }) == Progress::More {
            slices += 1;
        }
        (String::from_utf8(out).unwrap(), slices)
    }

    pub(crate) fn text(&self) -> String {
        self.text_in_slices(usize::MAX).0
    }
}

impl Rules for World {
    fn places(&self) -> usize {
        self.rules.len()
    }
    fn name(&self, place: usize) -> Option<&str> {
        self.rules[place].as_ref().map(|rule| rule.name)
    }
    fn up(&self, place: usize) -> Option<bool> {
        self.rule(place).up
    }
    fn runs(&self, place: usize) -> u64 {
        self.rule(place).runs
    }
    fn failures(&self, place: usize) -> impl Iterator<Item = (&'static str, u64)> {
        self.rule(place).failures.iter().copied()
    }
    fn inconclusive(&self, place: usize) -> u64 {
        self.rule(place).inconclusive
    }
    fn missed(&self, place: usize) -> u64 {
        self.rule(place).missed
    }
    fn durations(&self, place: usize) -> Option<RunDurations> {
        self.rule(place).durations
    }
    fn stale(&self, place: usize) -> Option<Duration> {
        self.rule(place).stale
    }
    fn certificate_expiry(&self, place: usize) -> Option<i64> {
        self.rule(place).certificate_expiry
    }
    fn set(&self, place: usize) -> Option<&'static str> {
        self.rule(place).set
    }
}

fn ladder(micros: &[u64]) -> Ladder {
    let mut histogram = Histogram::default();
    micros.iter().for_each(|micros| histogram.record(Duration::from_micros(*micros)));
    histogram.ladder()
}

/// A world with something of everything.
pub(crate) fn world() -> World {
    let process = ProcessSample {
        version: "0.1.0",
        started: Duration::from_millis(1_763_791_200_500),
        healthy: true,
        up: 1,
        down: 1,
        unknown: 1,
        stale: 1,
        overrides: 1,
        reloads: 2,
        runs: 4_000,
        failures: 7,
        inconclusive: 3,
        missed: 4,
        in_flight: 5,
        lateness: ladder(&[60, 150, 2_000_000]),
        turns: ladder(&[10]),
        writes: ladder(&[]),
        write_failures: 6,
        demotion: Some(240),
        dropped_lines: 8,
        clients: 9,
        open_descriptors: Some(33),
        max_descriptors: Some(1_024),
        cpu: Some(Duration::from_millis(1_250)),
        resident_bytes: Some(7_340_032),
    };
    let web = TableSample {
        name: "web".to_owned(),
        managed: 2,
        wanted: 1,
        actual: Some(1),
        held: 0,
        others: Some(3),
        repairs: 4,
        failing: false,
        written: Some(Duration::from_secs(1_763_794_000)),
    };
    let mail = TableSample { name: "mail".to_owned(), managed: 1, failing: true, ..TableSample::default() };
    let up = Rule {
        name: "lb1/haproxy",
        up: Some(true),
        runs: 3_600,
        failures: vec![("refused", 2), ("timeout-connect", 0), ("http-status", 5)],
        inconclusive: 3,
        missed: 4,
        durations: Some(RunDurations { counts: [10, 0, 5, 0, 0, 0, 0, 0, 1], sum_us: 3_000_310 }),
        certificate_expiry: Some(1_763_999_999),
        ..Rule::default()
    };
    let down = Rule { name: "lb2", up: Some(false), runs: 400, set: Some("drained"), ..Rule::default() };
    let unknown = Rule {
        name: "odd \"one\"\\\n\u{2028}",
        stale: Some(Duration::from_millis(31_500)),
        certificate_expiry: Some(-1),
        durations: Some(RunDurations::default()),
        ..Rule::default()
    };
    World { process, tables: vec![web, mail], rules: vec![Some(up), None, Some(down), Some(unknown)] }
}
