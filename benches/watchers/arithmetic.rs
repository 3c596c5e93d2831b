//! From visits and buckets to figures.

use std::time::Duration;

/// By how much visits in a window were late, in milliseconds: p50, p99, p99.9, and the most. Each is measured by the
/// earliest one of its target on the grid of the interval, so at least one of each target is late by nothing. Visits are
/// the number of the target and nanoseconds on any clock; nothing comes of nothing.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn lateness_ms(mut visits: Vec<(u32, u64)>, interval: Duration) -> Option<[f64; 4]> {
    let interval = i64::try_from(interval.as_nanos()).expect("a short interval");
    visits.sort_unstable();
    let mut late: Vec<i64> = Vec::with_capacity(visits.len());
    for of_one in visits.chunk_by(|one, next| one.0 == next.0) {
        let first = of_one[0].1;
        // How far each is from its place on the grid of the first, in either direction.
        let offsets = of_one.iter().map(|(_, at)| {
            let since = i64::try_from(at - first).expect("a short window");
            (since + interval / 2).rem_euclid(interval) - interval / 2
        });
        let earliest = offsets.clone().min().expect("a visit");
        late.extend(offsets.map(|offset| offset - earliest));
    }
    late.sort_unstable();
    let quantile = |per_mille: usize| {
        let index = (late.len() * per_mille / 1000).min(late.len().checked_sub(1)?);
        Some(late[index] as f64 / 1e6)
    };
    Some([quantile(500)?, quantile(990)?, quantile(999)?, quantile(1000)?])
}

/// A histogram of /metrics: upper bounds in seconds, and how many values are at most that; the last bound is infinite.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buckets(pub(crate) Vec<(f64, u64)>);

impl Buckets {
    /// Of this name in a text of metrics; a histogram without labels of its own.
    pub(crate) fn of(text: &str, name: &str) -> Self {
        let front = format!("{name}_bucket{{le=\"");
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix(&front)?.split_once("\"} ")?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            Some((bound, count.parse().ok()?))
        };
        Self(text.lines().filter_map(bucket).collect())
    }

    /// What has been added since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let less = |(now, then): (&(f64, u64), &(f64, u64))| (now.0, now.1 - then.1);
        Self(self.0.iter().zip(&before.0).map(less).collect())
    }

    fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// The share of the values that are more than this bound, one of its own.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn share_over(&self, bound: f64) -> f64 {
        let at_most = self.0.iter().find(|(of, _)| (of - bound).abs() < 1e-9).expect("a bound of its own").1;
        (self.count() - at_most) as f64 / self.count().max(1) as f64
    }

    /// A quantile in seconds, as if the values were spread evenly in their bucket; beyond the last finite bound, that one.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let wanted = quantile * self.count() as f64;
        let (mut lower, mut below) = (0.0, 0);
        for (bound, count) in &self.0 {
            if *count as f64 >= wanted && *count > below {
                let part = (wanted - below as f64) / (count - below) as f64;
                return if bound.is_finite() { lower + (bound - lower) * part } else { lower };
            }
            (lower, below) = (*bound, *count);
        }
        lower
    }
}
