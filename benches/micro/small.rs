//! Health and the histogram.

use std::hint::black_box;
use std::num::NonZeroU16;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use hfm::health::Health;
use hfm::histogram::Histogram;
use hfm::rule::HealthSettings;

use crate::sample;

pub(crate) fn bench(criterion: &mut Criterion) {
    let now = sample::now();
    let twice = NonZeroU16::new(2).expect("two");
    let settings =
        HealthSettings { fail_debounce: twice, success_debounce: twice, ..HealthSettings::default() };
    let mut group = criterion.benchmark_group("health");
    group.throughput(Throughput::Elements(1));
    group.bench_function("a success like the last", |bencher| {
        let mut health = Health::default();
        bencher.iter(|| black_box(health.on_success(black_box(&settings), now)));
    });
    group.throughput(Throughput::Elements(4));
    group.bench_function("four verdicts, two changes", |bencher| {
        let mut health = Health::default();
        bencher.iter(|| {
            for _ in 0..2 {
                black_box(health.on_failure(black_box(&settings), now));
            }
            for _ in 0..2 {
                black_box(health.on_success(black_box(&settings), now));
            }
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("histogram");
    group.throughput(Throughput::Elements(1));
    // Values all over it: what is measured is not one line of the cache.
    let values: Vec<Duration> = (0..1024_u32).map(|of| Duration::from_nanos(900) * (of * of)).collect();
    group.bench_function("record", |bencher| {
        let mut histogram = Histogram::default();
        let mut next = values.iter().cycle();
        bencher.iter(|| histogram.record(*next.next().expect("they come round")));
    });
    group.bench_function("p99", |bencher| {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        bencher.iter(|| black_box(histogram.quantile(black_box(0.99))));
    });
    group.finish();
}
