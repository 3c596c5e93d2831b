//! The arithmetic of benches/watchers: a figure that is wrong would be believed.

use std::time::Duration;

#[path = "../benches/watchers/arithmetic.rs"]
mod arithmetic;
use arithmetic::{Buckets, lateness_ms};

const INTERVAL: Duration = Duration::from_millis(100);

/// Visits of targets, by their times in milliseconds.
fn visits(targets: &[&[f64]]) -> Vec<(u32, u64)> {
    let nanos = |ms: &f64| u64::try_from(Duration::from_secs_f64(ms / 1e3).as_nanos()).expect("a short time");
    (0..).zip(targets).flat_map(|(target, times)| times.iter().map(move |at| (target, nanos(at)))).collect()
}

fn assert_near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-6, "{found}, not {wanted}");
}

#[test]
fn visits_on_their_grid_are_late_by_nothing_wherever_that_lies() {
    let strict = visits(&[&[0.0, 100.0, 300.0], &[33.0, 133.0, 233.0], &[99.9]]);
    lateness_ms(strict, INTERVAL).expect("visits").iter().for_each(|late| assert_near(*late, 0.0));
    assert_eq!(lateness_ms(Vec::new(), INTERVAL), None);
}

#[test]
fn lateness_is_against_the_earliest_visit_of_the_same_target() {
    // The first is late itself: that does not make the others early. The last one of the other is late alone.
    let found = lateness_ms(visits(&[&[3.0, 100.0, 200.0], &[50.0, 150.0, 257.0]]), INTERVAL);
    let [p50, p99, p999, most] = found.expect("visits");
    assert_near(p50, 0.0);
    assert_near(p99, 7.0);
    assert_near(p999, 7.0);
    assert_near(most, 7.0);
}

#[test]
fn one_late_visit_counts_once() {
    let times: Vec<f64> =
        (0..100).map(|slot| if slot == 50 { 5004.0 } else { f64::from(slot) * 100.0 }).collect();
    let [_, p99, ..] = lateness_ms(visits(&[&times, &times]), INTERVAL).expect("visits");
    assert_near(p99, 4.0);
    let [_, p99, ..] = lateness_ms(visits(&[&times, &times[..50], &times[51..]]), INTERVAL).expect("visits");
    assert_near(p99, 0.0);
}

const TEXT: &str = "# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.001\"} 10\nx_seconds_bucket{le=\"0.002\"} 30\n\
    x_seconds_bucket{le=\"+Inf\"} 40\nx_seconds_sum 1.5\nx_seconds_count 40\nother_x_seconds_bucket{le=\"0.001\"} 7\n";

#[test]
fn buckets_are_read_from_a_text_of_metrics_and_taken_from_each_other() {
    let buckets = Buckets::of(TEXT, "x_seconds");
    assert_eq!(buckets, Buckets(vec![(0.001, 10), (0.002, 30), (f64::INFINITY, 40)]));
    let before = Buckets(vec![(0.001, 9), (0.002, 9), (f64::INFINITY, 9)]);
    assert_eq!(buckets.since(&before), Buckets(vec![(0.001, 1), (0.002, 21), (f64::INFINITY, 31)]));
}

#[test]
fn quantiles_lie_inside_their_bucket_and_shares_are_exact() {
    let buckets = Buckets::of(TEXT, "x_seconds");
    assert_near(buckets.quantile(0.125), 0.0005);
    assert_near(buckets.quantile(0.5), 0.0015);
    assert_near(buckets.quantile(0.99), 0.002);
    assert_near(buckets.share_over(0.001), 0.75);
    assert_near(buckets.share_over(0.002), 0.25);
}
