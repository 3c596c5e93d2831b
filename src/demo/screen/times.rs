//! How long things took: kept, ordered, and told.

use std::fmt;
use std::time::Duration;

/// Times kept for the median; past that the oldest make room. A breakage comes every few seconds.
const KEPT_MAX: usize = 10_000;

/// Times of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    kept: Vec<Duration>,
    count: usize,
    min: Option<Duration>,
    max: Option<Duration>,
}

/// The figures of some times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) count: usize,
    pub(super) min: Duration,
    /// Of an even number, the lower one of the two in the middle.
    pub(super) median: Duration,
    pub(super) max: Duration,
}

impl Times {
    pub(super) fn add(&mut self, took: Duration) {
        match self.kept.get_mut(self.count % KEPT_MAX) {
            Some(oldest) => *oldest = took,
            None => self.kept.push(took),
        }
        self.count += 1;
        self.min = Some(self.min.map_or(took, |min| min.min(took)));
        self.max = Some(self.max.map_or(took, |max| max.max(took)));
    }

    /// None when there are no times.
    pub(super) fn figures(&self) -> Option<Figures> {
        let mut ordered = self.kept.clone();
        ordered.sort_unstable();
        let median = *ordered.get(ordered.len().checked_sub(1)? / 2)?;
        Some(Figures { count: self.count, min: self.min?, median, max: self.max? })
    }
}

/// A time as people say it.
pub(super) struct Took(pub(super) Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let text = match micros {
            0..9_950 => format!("{:.1} ms", self.0.as_secs_f64() * 1_000.0),
            9_950..999_500 => format!("{:.0} ms", self.0.as_secs_f64() * 1_000.0),
            _ => format!("{:.1} s", self.0.as_secs_f64()),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_times() {
        let mut times = Times::default();
        assert_eq!(times.figures(), None);
        let ms = Duration::from_millis;
        for (took, (min, median, max)) in
            [(30, (30, 30, 30)), (10, (10, 10, 30)), (20, (10, 20, 30)), (90, (10, 20, 90))]
        {
            times.add(ms(took));
            let figures = times.figures().unwrap();
            assert_eq!((figures.min, figures.median, figures.max), (ms(min), ms(median), ms(max)));
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_extremes_stay() {
        let mut times = Times::default();
        times.add(Duration::from_secs(9));
        for _ in 0..3 * KEPT_MAX {
            times.add(Duration::from_secs(5));
        }
        assert_eq!(times.kept.len(), KEPT_MAX);
        let figures = times.figures().unwrap();
        assert_eq!(figures.count, 3 * KEPT_MAX + 1);
        assert_eq!(
            (figures.median, figures.max),
            (Duration::from_secs(5), Duration::from_secs(9)),
            "{figures:?}"
        );
    }

    #[test]
    fn times_are_told_in_three_digits_at_most() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (840, "0.8 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (83_400, "83 ms"),
            (999_499, "999 ms"),
            (999_500, "1.0 s"),
            (2_345_678, "2.3 s"),
        ] {
            assert_eq!(Took(Duration::from_micros(micros)).to_string(), text);
        }
        assert_eq!(format!("{:>8}", Took(Duration::from_millis(83))), "   83 ms");
    }
}
