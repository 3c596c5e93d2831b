//! A history against all runs that it ever heard of.

use super::*;

/// xorshift64*, so that a seed keeps its meaning.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % bound
    }

    fn pick<const N: usize>(&mut self, choices: [u64; N]) -> u64 {
        choices[usize::try_from(self.below(N as u64)).unwrap()]
    }
}

/// Every run of a rule, and what a history is to say of them.
struct Model {
    runs: Vec<(u64, bool)>,
    began_s: u64,
}

impl Model {
    /// The width in seconds, and the number of the oldest bucket.
    fn shape(&self, now_s: u64) -> (u64, u64) {
        let numbers = |width: u64| (self.began_s / width, now_s / width);
        let widest = 10 << DOUBLINGS_MAX;
        let fits = |width: &u64| numbers(*width).1 - numbers(*width).0 < 48;
        let width = (0..DOUBLINGS_MAX).map(|doublings| 10 << doublings).find(fits).unwrap_or(widest);
        let (first, last) = numbers(width);
        (width, first.max(last.saturating_sub(47)))
    }

    fn check(&self, history: &History, now_s: u64, story: &str) {
        let (width, first) = self.shape(now_s);
        assert_eq!(history.width(), Duration::from_secs(width), "{story}");
        assert_eq!(history.since_s(), first * width, "{story}");
        let found: Vec<Option<u8>> = history.percentages().collect();
        let buckets = first..=now_s / width;
        assert_eq!(found.len() as u64, buckets.clone().count() as u64, "{story}");
        for (number, found) in buckets.zip(found) {
            let here = || self.runs.iter().filter(|(at_s, _)| at_s / width == number);
            let (all, good) = (here().count(), here().filter(|(_, succeeded)| *succeeded).count());
            let story = format!("{story}: bucket {number} of {width} s with {good} of {all}: {found:?}");
            match (all, good) {
                (0, _) => assert_eq!(found, None, "{story}"),
                (all, good) if all == good => assert_eq!(found, Some(100), "{story}"),
                (_, 0) => assert_eq!(found, Some(0), "{story}"),
                (all, good) => {
                    assert!(found.is_some_and(|found| (1..=99).contains(&found)), "{story}");
                    if number == now_s / width || width == 10 {
                        let exact = 100.0 * good as f64 / all as f64;
                        assert!((f64::from(found.unwrap()) - exact).abs() < 1.0, "{story}");
                    }
                }
            }
        }
    }
}

/// One history from `began_s` on, looked at after each run and sometimes between.
fn story(seed: u64, began_s: u64, gap_s_max: u64, percent: u64, runs: u32) {
    let mut random = Random(seed);
    let mut history = History::new(began_s);
    let mut model = Model { runs: Vec::new(), began_s };
    let mut at_s = began_s;
    for number in 0..runs {
        let succeeded = random.below(100) < percent;
        history.record(succeeded, at_s);
        model.runs.push((at_s, succeeded));
        let story = format!("seed {seed}, run {number} at {at_s} s");
        model.check(&history, at_s, &story);
        // Whoever looks sees what has passed since, and changes nothing.
        let later_s = at_s + random.below(3 * gap_s_max);
        let mut looked_at = history;
        looked_at.advance(later_s);
        model.check(&looked_at, later_s, &story);
        at_s += random.below(gap_s_max);
    }
}

#[test]
fn whatever_happens_a_bucket_tells_of_the_runs_in_it() {
    for seed in 1..=60 {
        let mut random = Random(seed);
        let began_s = random.below(5_000);
        let gap_s_max = random.pick([2, 15, 40, 300, 3_000, 40_000]);
        let percent = random.pick([0, 3, 50, 97, 100]);
        story(seed, began_s, gap_s_max, percent, 400);
    }
}

#[test]
fn one_that_has_begun_has_nothing_in_it() {
    let history = History::new(25);
    assert_eq!(history.percentages().collect::<Vec<_>>(), [None]);
    assert_eq!((history.since_s(), history.width()), (20, Duration::from_secs(10)));
}

#[test]
fn percentages_are_rounded_toward_the_middle() {
    for (successes, failures, percent) in
        [(0, 0, NONE), (1, 0, 100), (0, 1, 0), (999, 1, 99), (1, 999, 1), (1, 1, 50), (2, 1, 66), (1, 2, 34)]
    {
        assert_eq!(percentage(successes, failures), percent, "{successes} and {failures}");
    }
    assert_eq!(percentage(u32::MAX, 1), 99);
    for (a, b, both) in
        [(100, 100, 100), (100, 99, 99), (0, 1, 1), (0, 0, 0), (0, 100, 50), (40, 61, 50), (NONE, 7, 7)]
    {
        assert_eq!((mean(a, b), mean(b, a)), (both, both), "{a} and {b}");
    }
    assert_eq!(mean(NONE, NONE), NONE);
}

#[test]
fn the_width_doubles_when_the_buckets_are_used_up() {
    let mut history = History::new(0);
    history.record(true, 0);
    for (at_s, width_s, buckets) in
        [(479, 10, 48), (480, 20, 25), (959, 20, 48), (960, 40, 25), (61_439, 1_280, 48), (61_440, 1_280, 48)]
    {
        history.advance(at_s);
        assert_eq!((history.width().as_secs(), history.percentages().len()), (width_s, buckets), "{at_s} s");
    }
    assert_eq!(history.percentages().next(), Some(None), "the only run is gone with the oldest bucket");
    assert_eq!(history.since_s(), 1_280);
}

#[test]
fn what_is_told_of_regular_runs_is_near_the_truth_however_often_the_width_doubled() {
    for failing_every in [2, 3, 7, 50] {
        let mut history = History::new(0);
        for at_s in 0..50_000 {
            history.record(at_s % failing_every != 0, at_s);
        }
        let share = 100.0 - 100.0 / failing_every as f64;
        for found in history.percentages().map(|found| f64::from(found.unwrap())) {
            assert!((found - share).abs() <= 5.0, "{found} where {share} succeeded");
        }
    }
}

#[test]
fn a_moment_before_the_present_bucket_counts_in_it() {
    let mut history = History::new(100);
    history.record(true, 95);
    assert_eq!(history.percentages().collect::<Vec<_>>(), [Some(100)]);
    history.advance(40);
    assert_eq!(history.since_s(), 100);
}

#[test]
fn years_without_a_run_leave_empty_buckets() {
    let mut history = History::new(0);
    history.record(true, 5);
    history.advance(3_000_000_000);
    assert_eq!(history.percentages().collect::<Vec<_>>(), [None; 48]);
    history.record(false, u64::MAX);
    history.record(true, u64::MAX);
    assert_eq!(history.percentages().last(), Some(Some(50)));
}
