//! Durations, and a line of what they come to.

use std::time::Duration;

use hdrhistogram::Histogram;

/// One that is empty, in nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits")
}

/// Counts a duration.
pub(crate) fn record(histogram: &mut Histogram<u64>, took: Duration) {
    let nanoseconds = u64::try_from(took.as_nanos()).expect("a short time");
    histogram.record(nanoseconds).expect("it grows by itself");
}

/// A line of quantiles.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn print(what: &str, histogram: &Histogram<u64>) {
    let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    println!(
        "{what:36} p50 {:8.3} ms  p99 {:8.3} ms  max {:8.3} ms  ({} values)",
        ms(histogram.value_at_quantile(0.5)),
        ms(histogram.value_at_quantile(0.99)),
        ms(histogram.max()),
        histogram.len()
    );
}
