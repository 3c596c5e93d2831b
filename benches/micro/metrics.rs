//! The text of metrics, of as many rules as there may be.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use hfm::status::metrics::{ProcessSample, Progress, Rules, RunDurations, Scrape, View};

const RULES: u64 = 10_000;
/// What is written between two turns of the loop.
const SLICE: usize = 100_000;

/// Rules, of which a tenth has failed before; a quarter shows a certificate.
struct Many(Vec<String>);

impl Rules for Many {
    fn places(&self) -> usize {
        self.0.len()
    }
    fn name(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(String::as_str)
    }
    fn up(&self, place: usize) -> Option<bool> {
        Some(!place.is_multiple_of(7))
    }
    fn runs(&self, place: usize) -> u64 {
        123_456 + place as u64
    }
    fn failures(&self, place: usize) -> impl Iterator<Item = (&'static str, u64)> {
        place.is_multiple_of(10).then_some(("timeout-connect", 17)).into_iter()
    }
    fn inconclusive(&self, _: usize) -> u64 {
        0
    }
    fn missed(&self, _: usize) -> u64 {
        0
    }
    fn durations(&self, place: usize) -> Option<RunDurations> {
        let few = place as u64;
        Some(RunDurations { counts: [few, 1_000, 2_000, 3_000, 50, 60, 7, 0, 0], sum_us: 123_456_789 + few })
    }
    fn stale(&self, _: usize) -> Option<Duration> {
        None
    }
    fn certificate_expiry(&self, place: usize) -> Option<i64> {
        place.is_multiple_of(4).then_some(1_763_791_200)
    }
    fn set(&self, _: usize) -> Option<&'static str> {
        None
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let rules = Many((0..RULES).map(|rule| format!("frontend-{}/web-{rule}", rule / 100)).collect());
    let process = ProcessSample::default();
    let view = View { process: &process, tables: &[], rules: &rules };
    let mut out = Vec::new();
    let mut group = criterion.benchmark_group("metrics");
    group.throughput(Throughput::Elements(RULES));
    group.bench_function("all of 10,000 rules, in slices", |bencher| {
        bencher.iter(|| {
            out.clear();
            let mut scrape = Scrape::default();
            while scrape.go_on(&view, &mut out, &mut { SLICE }) == Progress::More {}
            out.len()
        });
    });
    group.finish();
}
