//! What is written in a file: its language, and the rules in it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use hfm::ucl;

use crate::sample;
use crate::text::{self, Text};

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("file");
    group.sample_size(10);
    for (name, sample) in
        [("rules", (|count| sample::rules(count, "10s")) as fn(u32) -> String), ("groups", sample::groups)]
    {
        // Ten times the rules are to cost ten times as much.
        for count in [10_000, 100_000] {
            let written = sample(count);
            group.throughput(Throughput::Elements(count.into()));
            group.bench_function(BenchmarkId::new(format!("{name}: UCL alone"), count), |bencher| {
                bencher.iter(|| {
                    black_box(ucl::parse("bench", &written, &mut Text(&written)).expect("it is UCL"))
                });
            });
            group.bench_function(BenchmarkId::new(format!("{name}: loaded and judged"), count), |bencher| {
                bencher.iter(|| black_box(text::load(&written)));
            });
        }
    }
    group.finish();
}
