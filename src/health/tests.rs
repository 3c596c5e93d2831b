//! The transition table row by row, and the edges of hold-down.

use super::*;
use std::num::NonZeroU16;
use std::time::SystemTime;

const S: Duration = Duration::from_secs(1);

/// One rule's health under a clock that starts at 0.
struct Bench {
    base: Instant,
    settings: HealthSettings,
    health: Health,
}

impl Bench {
    fn new(fail_debounce: u16, success_debounce: u16, fail_reset: u16) -> Self {
        let of = |n| NonZeroU16::new(n).unwrap();
        let settings = HealthSettings {
            fail_debounce: of(fail_debounce),
            success_debounce: of(success_debounce),
            fail_reset: of(fail_reset),
            ..HealthSettings::default()
        };
        Self { base: base(), settings, health: Health::default() }
    }

    fn holding(hold_down: Duration, hold_down_max: Duration) -> Self {
        let mut bench = Self::new(1, 1, 1);
        bench.settings.hold_down = hold_down;
        bench.settings.hold_down_max = hold_down_max;
        bench
    }

    fn now(&self, at: Duration) -> Now {
        Now { mono: self.base + at, wall: SystemTime::UNIX_EPOCH + at }
    }

    fn verdict(&mut self, success: bool, at: Duration) -> Step {
        let now = self.now(at);
        match success {
            true => self.health.on_success(&self.settings, now),
            false => self.health.on_failure(&self.settings, now),
        }
    }

    fn timeout(&mut self, at: Duration) -> Step {
        self.health.handle_timeout(&self.settings, self.now(at))
    }

    /// The verdicts of `word`, `+` and `-`, all at 0; what the last one did.
    fn play(&mut self, word: &str) -> Step {
        word.chars().map(|c| self.verdict(c == '+', Duration::ZERO)).last().expect("a word is not empty")
    }

    fn held_for(&self, since: Duration) -> Duration {
        self.health.held_until().expect("it is held") - (self.base + since)
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.health.wakes_at(&self.settings).map(|at| at - self.base)
    }
}

fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

fn changed(from: State, to: State) -> Step {
    Step::Changed { from, to }
}

fn debounced(toward: State, remaining: u16) -> Step {
    Step::Debounced { toward, remaining }
}

/// fail_debounce, success_debounce, fail_reset; verdicts; what the last one does; the state then.
type Row = ((u16, u16, u16), &'static str, Step, State);

#[test]
fn transition_table() {
    use State::{Fail, Success, Unknown};
    let rows: &[Row] = &[
        // Unknown: the first verdict is the state, whatever the debounce.
        ((1, 1, 1), "+", changed(Unknown, Success), Success),
        ((1, 1, 1), "-", changed(Unknown, Fail), Fail),
        ((9, 9, 9), "+", changed(Unknown, Success), Success),
        ((9, 9, 9), "-", changed(Unknown, Fail), Fail),
        // Success, success: nothing.
        ((1, 1, 1), "++", Step::Same, Success),
        ((3, 1, 1), "+-+", Step::Same, Success),
        // Success, failure: counts, and at the debounce changes.
        ((1, 1, 1), "+-", changed(Success, Fail), Fail),
        ((2, 1, 1), "+-", debounced(Fail, 1), Success),
        ((2, 1, 1), "+--", changed(Success, Fail), Fail),
        ((3, 1, 1), "+-", debounced(Fail, 2), Success),
        ((3, 1, 1), "+--", debounced(Fail, 1), Success),
        ((3, 1, 1), "+---", changed(Success, Fail), Fail),
        ((u16::MAX, 1, 1), "+-", debounced(Fail, u16::MAX - 1), Success),
        // fail_reset 1: any success clears the count.
        ((2, 1, 1), "+-+-", debounced(Fail, 1), Success),
        ((3, 1, 1), "+--+--", debounced(Fail, 1), Success),
        // fail_reset 2: one success does not, two in a row do, two apart do not.
        ((2, 1, 2), "+-+-", changed(Success, Fail), Fail),
        ((2, 1, 2), "+-++-", debounced(Fail, 1), Success),
        ((3, 1, 2), "+-+-+-", changed(Success, Fail), Fail),
        ((3, 1, 2), "+--++--", debounced(Fail, 1), Success),
        // Successes before the first failure clear nothing later.
        ((2, 1, 2), "+++-+-", changed(Success, Fail), Fail),
        // The server that fails one time in five.
        ((3, 1, 10), "+-++++-++++-", changed(Success, Fail), Fail),
        ((3, 1, 4), "+-++++-++++-", debounced(Fail, 2), Success),
        // Fail, failure: nothing, and the successes so far are forgotten.
        ((1, 1, 1), "--", Step::Same, Fail),
        ((1, 3, 1), "-++-", Step::Same, Fail),
        ((1, 3, 1), "-++-+", debounced(Success, 2), Fail),
        // fail_reset has no say while failed.
        ((1, 3, 5), "-++-+", debounced(Success, 2), Fail),
        // Fail, success: counts, and at the debounce changes.
        ((1, 1, 1), "-+", changed(Fail, Success), Success),
        ((1, 2, 1), "-+", debounced(Success, 1), Fail),
        ((1, 2, 1), "-++", changed(Fail, Success), Success),
        ((1, u16::MAX, 1), "-+", debounced(Success, u16::MAX - 1), Fail),
        // After a change the count begins anew.
        ((2, 2, 1), "+---++-", debounced(Fail, 1), Success),
        ((2, 2, 1), "-++--+", debounced(Success, 1), Fail),
        ((2, 1, 2), "+--+-", debounced(Fail, 1), Success),
    ];
    for ((fail, success, reset), verdicts, step, state) in rows {
        let mut bench = Bench::new(*fail, *success, *reset);
        let settings = format!("debounce {fail} and {success}, reset {reset}: {verdicts}");
        assert_eq!(bench.play(verdicts), *step, "{settings}");
        assert_eq!(bench.health.state(), *state, "{settings}");
    }
}

#[test]
fn state_is_since_its_change() {
    let mut bench = Bench::new(2, 1, 1);
    assert_eq!(bench.health.since(), None);
    bench.verdict(true, S);
    bench.verdict(false, 2 * S);
    assert_eq!(bench.health.since(), Some(bench.base + S));
    bench.verdict(false, 3 * S);
    assert_eq!(bench.health.since(), Some(bench.base + 3 * S));
    bench.verdict(false, 4 * S);
    assert_eq!(bench.health.since(), Some(bench.base + 3 * S));
}

#[test]
fn hold_down_keeps_failed_and_later_failures_do_not_extend_it() {
    let mut bench = Bench::holding(10 * S, 10 * S);
    bench.verdict(false, Duration::ZERO);
    bench.verdict(false, 5 * S);
    let until = bench.base + 10 * S;
    assert_eq!(bench.health.held_until(), Some(until));
    assert_eq!(bench.wakes_at(), None, "nothing would change at the end");
    assert_eq!(bench.verdict(true, 6 * S), Step::Held { until });
    assert_eq!(bench.wakes_at(), Some(10 * S));
    bench.verdict(false, 7 * S);
    assert_eq!(bench.wakes_at(), None, "the failure took the successes back");
}

#[test]
fn hold_down_ends_by_itself_when_the_debounce_is_met() {
    let mut bench = Bench::holding(10 * S, 10 * S);
    bench.verdict(false, Duration::ZERO);
    bench.verdict(true, S);
    let moment = Duration::from_nanos(1);
    assert_eq!(bench.timeout(10 * S - moment), Step::Same);
    assert_eq!(bench.timeout(10 * S), changed(State::Fail, State::Success));
    assert_eq!(bench.health.since(), Some(bench.base + 10 * S));
    assert_eq!(bench.timeout(11 * S), Step::Same, "a second call is harmless");
}

#[test]
fn hold_down_ends_on_a_success_that_comes_at_its_end_or_later() {
    for (at, step) in
        [(10 * S, changed(State::Fail, State::Success)), (25 * S, changed(State::Fail, State::Success))]
    {
        let mut bench = Bench::holding(10 * S, 10 * S);
        bench.verdict(false, Duration::ZERO);
        assert_eq!(bench.timeout(10 * S), Step::Same, "no success yet");
        assert_eq!(bench.verdict(true, at), step);
    }
}

#[test]
fn successes_count_during_hold_down() {
    let mut bench = Bench::holding(10 * S, 10 * S);
    bench.settings.success_debounce = NonZeroU16::new(3).unwrap();
    bench.verdict(false, Duration::ZERO);
    assert_eq!(bench.verdict(true, S), debounced(State::Success, 2));
    assert_eq!(bench.verdict(true, 2 * S), debounced(State::Success, 1));
    assert_eq!(bench.timeout(10 * S), Step::Same, "the debounce is not met at the end");
    assert_eq!(bench.verdict(true, 11 * S), changed(State::Fail, State::Success));
}

#[test]
fn hold_down_doubles_up_to_its_maximum() {
    let mut bench = Bench::holding(10 * S, 70 * S);
    let mut at = Duration::ZERO;
    for held in [10, 20, 40, 70, 70] {
        bench.verdict(false, at);
        assert_eq!(bench.held_for(at), held * S);
        at += held * S;
        bench.verdict(true, at);
        at += S;
    }
}

#[test]
fn hold_down_halves_for_each_such_time_spent_up() {
    // The time spent up, the next hold; base 10 s, at most 80 s.
    let rows = [
        (79, 80),      // 80 stands; doubled it would be 160
        (80, 80),      // halved to 40
        (80 + 39, 80), // and not yet to 20
        (80 + 40, 40), // halved twice, to 20
        (80 + 40 + 20, 20),
        (80 + 40 + 20 + 10 - 1, 20),
        (80 + 40 + 20 + 10, 10), // below the base: none stands
        (100_000, 10),
    ];
    for (up, next) in rows {
        let mut bench = Bench::holding(10 * S, 80 * S);
        let mut at = Duration::ZERO;
        for held in [10, 20, 40, 80] {
            bench.verdict(false, at);
            at += held * S;
            bench.verdict(true, at);
        }
        at += up * S;
        bench.verdict(false, at);
        assert_eq!(bench.held_for(at), next * S, "after {up} s up");
    }
}

/// The maximum need not be a power of two of the base: 15 s stand, half of it is below 10 s, so none
/// stands and the next hold is 10 s again, not 15 s.
#[test]
fn hold_down_that_halves_below_its_base_is_none() {
    let mut bench = Bench::holding(10 * S, 15 * S);
    bench.verdict(false, Duration::ZERO);
    bench.verdict(true, 10 * S);
    bench.verdict(false, 11 * S);
    assert_eq!(bench.held_for(11 * S), 15 * S);
    bench.verdict(true, 26 * S);
    bench.verdict(false, 41 * S);
    assert_eq!(bench.held_for(41 * S), 10 * S);
}

#[test]
fn hold_down_of_zero_holds_nothing() {
    let mut bench = Bench::holding(Duration::ZERO, 10 * S);
    bench.verdict(false, Duration::ZERO);
    assert_eq!(bench.health.held_until(), None);
    assert_eq!(bench.verdict(true, Duration::ZERO), changed(State::Fail, State::Success));
}

#[test]
fn counts_do_not_overflow() {
    let mut bench = Bench::holding(10 * S, 10 * S);
    bench.settings.success_debounce = NonZeroU16::MAX;
    bench.verdict(false, Duration::ZERO);
    for _ in 0..70_000 {
        bench.verdict(true, S);
    }
    assert_eq!(bench.timeout(10 * S), changed(State::Fail, State::Success));
    // While up, successes after a failure with the longest reset.
    bench.settings.fail_debounce = NonZeroU16::MAX;
    bench.settings.fail_reset = NonZeroU16::MAX;
    bench.verdict(false, 11 * S);
    for _ in 0..70_000 {
        assert_eq!(bench.verdict(true, 12 * S), Step::Same);
    }
    assert_eq!(bench.verdict(false, 13 * S), debounced(State::Fail, u16::MAX - 1));
}
