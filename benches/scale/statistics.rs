//! From values to figures.

use std::fmt;
use std::time::Duration;

/// What windows come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Nothing of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[half - 1], values[half])
        } else {
            values[half]
        };
        Some(Self { median, least, most })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, least, most] = [self.median, self.least, self.most].map(short);
        if least == most { f.write_str(&median) } else { write!(f, "{median} ({least}-{most})") }
    }
}

/// Three digits that mean something.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    match () {
        () if size >= 99.95 => format!("{value:.0}"),
        () if size >= 9.995 => format!("{value:.1}"),
        () if size.fract() == 0.0 => format!("{value:.0}"),
        () if size >= 0.9995 => format!("{value:.2}"),
        () => format!("{value:.3}"),
    }
}

/// How punctual visits were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Punctuality {
    /// How far times between visits are from the interval, in milliseconds: p50, p99, p99.9, and the most.
    pub(crate) errors_ms: [f64; 4],
    /// How far the mean time is, in millionths.
    pub(crate) mean_ppm: f64,
}

/// Of the visits in a window, each the number of the target and nanoseconds on any clock; nothing if no target was
/// visited twice.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn punctuality(mut visits: Vec<(u32, u64)>, interval: Duration) -> Option<Punctuality> {
    let interval = u64::try_from(interval.as_nanos()).expect("a short interval");
    visits.sort_unstable();
    let times = visits.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1 - pair[0].1);
    let times: Vec<u64> = times.collect();
    if times.is_empty() {
        return None;
    }
    let mean = times.iter().sum::<u64>() as f64 / times.len() as f64;
    let mut errors: Vec<u64> = times.iter().map(|time| time.abs_diff(interval)).collect();
    errors.sort_unstable();
    let quantile =
        |per_mille: usize| errors[(errors.len() * per_mille / 1000).min(errors.len() - 1)] as f64 / 1e6;
    Some(Punctuality {
        errors_ms: [500, 990, 999, 1000].map(quantile),
        mean_ppm: (mean / interval as f64 - 1.0) * 1e6,
    })
}
