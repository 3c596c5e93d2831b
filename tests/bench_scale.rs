//! The arithmetic of benches/scale: a figure that is wrong would be believed.

use std::time::Duration;

#[path = "../benches/scale/statistics.rs"]
mod statistics;
use statistics::{Spread, punctuality, short};

const INTERVAL: Duration = Duration::from_millis(100);

fn ms(times: &[f64]) -> Vec<u64> {
    let nanos = |time: &f64| Duration::from_secs_f64(time / 1e3).as_nanos();
    times.iter().map(|time| u64::try_from(nanos(time)).expect("a short time")).collect()
}

/// Visits of targets, by their times in milliseconds; in the order in which they came.
fn visits(targets: &[&[f64]]) -> Vec<(u32, u64)> {
    let of = |(target, times): (u32, &&[f64])| ms(times).into_iter().map(move |at| (target, at));
    let mut visits: Vec<_> = (0..).zip(targets).flat_map(of).collect();
    visits.sort_by_key(|(_, at)| *at);
    visits
}

fn assert_near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-6, "{found}, not {wanted}");
}

#[test]
fn time_between_visits_is_that_of_one_target() {
    let strict = visits(&[&[0.0, 100.0, 200.0], &[33.0, 133.0, 233.0], &[99.0, 199.0]]);
    let found = punctuality(strict, INTERVAL).expect("visits");
    found.errors_ms.iter().for_each(|error| assert_near(*error, 0.0));
    assert_near(found.mean_ppm, 0.0);
}

#[test]
fn early_is_as_wrong_as_late_and_cancels_in_the_mean() {
    let found = punctuality(visits(&[&[0.0, 102.0, 200.0]]), INTERVAL).expect("visits");
    found.errors_ms.iter().for_each(|error| assert_near(*error, 2.0));
    assert_near(found.mean_ppm, 0.0);
}

#[test]
fn a_drift_and_a_visit_left_out_are_in_the_mean() {
    let drifting = punctuality(visits(&[&[0.0, 100.1, 200.2]]), INTERVAL).expect("visits");
    assert_near(drifting.mean_ppm, 1000.0);
    let left_out = punctuality(visits(&[&[0.0, 100.0, 300.0, 400.0]]), INTERVAL).expect("visits");
    assert_near(left_out.errors_ms[3], 100.0);
    assert!(left_out.mean_ppm > 300_000.0, "{left_out:?}");
}

#[test]
fn quantiles_are_of_all_targets_together() {
    // 999 visits on time and one that is 7 ms late, for which the target's next one is early by as much.
    let mut times: Vec<f64> = (0..1000).map(|visit| f64::from(visit) * 100.0).collect();
    times[500] += 7.0;
    let [half, p99, p999, most] = punctuality(visits(&[&times]), INTERVAL).expect("visits").errors_ms;
    assert_near(half, 0.0);
    assert_near(p99, 0.0);
    assert_near(p999, 7.0);
    assert_near(most, 7.0);
}

#[test]
fn nobody_who_came_once_is_punctual() {
    assert!(punctuality(visits(&[&[1.0], &[2.0]]), INTERVAL).is_none());
    assert!(punctuality(Vec::new(), INTERVAL).is_none());
}

#[test]
fn a_spread_has_the_middle_of_its_values() {
    let spread = |values: &[f64]| Spread::of(values.iter().copied());
    assert_eq!(spread(&[]), None);
    assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
    assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
    assert_eq!(spread(&[0.5]).expect("one").to_string(), "0.500");
    assert_eq!(spread(&[12.34, 9.0, 101.0]).expect("three").to_string(), "12.3 (9-101)");
}

#[test]
fn figures_have_three_digits() {
    let shown = [0.0, 0.0123, 1.0, 1.234, 9.999, 12.345, 123.45, 98_765.4, -3.6].map(short);
    assert_eq!(shown, ["0", "0.012", "1", "1.23", "10.0", "12.3", "123", "98765", "-3.60"]);
}
