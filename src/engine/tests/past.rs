//! What is remembered of runs beside their counts.

use super::native::native;
use super::*;
use crate::rule::Fate;
use crate::verdict::{Measured, Stage};

impl Bench {
    /// A probe begins in this second and takes so long.
    fn probe(&mut self, second: u32, took: Duration, verdict: Verdict, certificate_left: Option<i64>) {
        self.turn(S * second);
        self.started(0);
        self.at += took;
        let (run, at) = (self.run(0), self.now().mono);
        let measured = Measured { certificate_left, ..Measured::default() };
        self.event(Event::Concluded { run, at, verdict, measured });
        self.outputs();
    }

    fn succeeds(&mut self, second: u32) {
        self.probe(second, MS, Verdict::Success, None);
    }

    fn fails(&mut self, second: u32, cause: Cause) {
        self.probe(second, 3 * MS, Verdict::Failure(cause), None);
    }

    fn measured(&self) -> Measures<'_> {
        self.engine.measured(RuleId(0))
    }

    fn failures(&self) -> Vec<(&'static str, u64)> {
        self.measured().failures().collect()
    }

    fn last(&self, runs: usize) -> Vec<Option<Duration>> {
        self.measured().last(runs).collect()
    }

    fn percentages(&self) -> Vec<Option<u8>> {
        self.measured().availability(self.now().mono).unwrap().percentages().collect()
    }

    /// In seconds after 1970, at which the clock begins.
    fn certificate_expiry(&self) -> Option<u64> {
        let ends = self.engine.certificate_expiry(RuleId(0))?;
        Some(ends.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }
}

#[test]
fn before_the_first_run_there_is_nothing_to_tell() {
    let bench = Bench::new([native(S)]);
    assert_eq!(bench.measured().durations(), DurationCounts { counts: [0; 9], sum: Duration::ZERO });
    assert!(bench.measured().availability(bench.now().mono).is_none());
    assert_eq!((bench.failures(), bench.last(48)), (Vec::new(), Vec::new()));
    assert_eq!(bench.certificate_expiry(), None);
}

#[test]
fn conclusive_runs_count_by_how_long_they_took() {
    let mut bench = Bench::new([native(S)]);
    bench.succeeds(0);
    bench.fails(1, Cause::Refused(111));
    bench.probe(2, 7 * MS, Verdict::Inconclusive(LocalCause::Ports), None);
    let DurationCounts { counts, sum } = bench.measured().durations();
    assert_eq!((counts, sum), ([0, 1, 0, 1, 0, 0, 0, 0, 0], 4 * MS));
}

#[test]
fn failures_are_told_apart_by_their_reasons() {
    let mut bench = Bench::new([native(S)]);
    let causes =
        [Cause::Refused(111), Cause::Reset(Stage::Request), Cause::Refused(104), Cause::Unreachable(113)];
    for (second, cause) in (0..).zip(causes) {
        bench.fails(second, cause);
    }
    bench.succeeds(4);
    bench.fails(5, Cause::Reset(Stage::Connect));
    let mut failures = bench.failures();
    failures.sort_unstable();
    assert_eq!(failures, [("refused", 2), ("reset", 2), ("unreachable", 1)]);
    assert_eq!(failures.iter().map(|(_, count)| count).sum::<u64>(), bench.view(0).failures);
}

#[test]
fn the_last_runs_are_told_oldest_first_and_those_that_failed_without_a_duration() {
    const MICROSECOND: Duration = Duration::from_micros(1);
    let mut bench = Bench::new([native(S)]);
    bench.succeeds(0);
    bench.fails(1, Cause::Refused(111));
    bench.probe(2, 2 * MS, Verdict::Success, None);
    assert_eq!(bench.last(48), [Some(MS), None, Some(2 * MS)]);
    assert_eq!(bench.last(2), [None, Some(2 * MS)]);
    for second in 3..200 {
        match second % 5 {
            0 => bench.fails(second, Cause::Refused(111)),
            _ => bench.probe(second, MICROSECOND * second, Verdict::Success, None),
        }
    }
    let expected = (152..200).map(|second| (second % 5 != 0).then_some(MICROSECOND * second));
    assert_eq!(bench.last(48), expected.collect::<Vec<_>>());
    assert_eq!(bench.last(1_000).len(), 64);
}

#[test]
fn availability_goes_on_while_no_run_does() {
    let mut bench = Bench::new([native(S)]);
    bench.succeeds(0);
    bench.fails(1, Cause::Refused(111));
    bench.succeeds(12);
    assert_eq!(bench.percentages(), [Some(50), Some(100)]);
    bench.at = 45 * S;
    assert_eq!(bench.percentages(), [Some(50), Some(100), None, None, None]);
    bench.at = 480 * S;
    let availability = bench.measured().availability(bench.now().mono).unwrap();
    assert_eq!((availability.width(), availability.since()), (20 * S, bench.base));
    assert_eq!(bench.percentages()[..2], [Some(75), None]);
}

#[test]
fn an_inconclusive_run_is_no_part_of_availability() {
    let mut bench = Bench::new([native(S)]);
    bench.succeeds(0);
    bench.probe(1, MS, Verdict::Inconclusive(LocalCause::Ports), None);
    bench.probe(11, MS, Verdict::Inconclusive(LocalCause::Ports), None);
    assert_eq!(bench.percentages(), [Some(100), None]);
}

#[test]
fn a_certificate_ends_when_the_last_run_that_saw_one_says() {
    let mut bench = Bench::new([native(10 * S)]);
    // It ends at second 1,000 after 1970, at which the clock began.
    bench.probe(0, 5 * MS, Verdict::Success, Some(1_000));
    assert_eq!(bench.certificate_expiry(), Some(1_000));
    // A second began between the handshake and the end of the run.
    bench.probe(1, 999 * MS + MS, Verdict::Success, Some(999));
    assert_eq!(bench.certificate_expiry(), Some(1_000), "the same certificate");
    bench.fails(3, Cause::Refused(111));
    assert_eq!(bench.certificate_expiry(), Some(1_000), "what is known stays");
    bench.probe(4, MS, Verdict::Success, Some(9_000));
    assert_eq!(bench.certificate_expiry(), Some(9_004), "another");
    let expired = Verdict::Failure(Cause::TlsExpired("it has".into()));
    bench.probe(5, MS, expired, Some(-3));
    assert_eq!(bench.certificate_expiry(), Some(2));
}

#[test]
fn a_rule_is_stale_since_its_last_conclusive_run() {
    let mut bench = Bench::new([native(S)]);
    bench.succeeds(0);
    let stale_for = |bench: &Bench| bench.engine.stale_for(RuleId(0), bench.now().mono);
    bench.turn(S);
    bench.turn(30 * S);
    assert_eq!(stale_for(&bench), None);
    bench.turn(30 * S + MS);
    assert_eq!(stale_for(&bench), Some(30 * S));
    bench.at = 45 * S + MS;
    assert_eq!(stale_for(&bench), Some(45 * S));
}

#[test]
fn a_reload_keeps_what_is_remembered_of_rules_that_stay_and_drops_it_of_those_that_change() {
    for (fate, stays) in [(Fate::Kept, true), (Fate::Adjusted, true), (Fate::Changed, false)] {
        let mut bench = Bench::new([native(S)]);
        bench.fails(0, Cause::Refused(111));
        bench.fails(1, Cause::Unreachable(113));
        bench.probe(2, MS, Verdict::Success, Some(500));
        let now = bench.now();
        bench.engine.reload([native(S)].into(), &[fate], now);
        bench.outputs();
        let failures = [("refused", 1), ("unreachable", 1)];
        assert_eq!(bench.failures(), if stays { &failures[..] } else { &[] }, "{fate:?}");
        assert_eq!(bench.last(48).len(), if stays { 3 } else { 0 }, "{fate:?}");
        assert_eq!(bench.certificate_expiry().is_some(), stays, "{fate:?}");
        assert_eq!(bench.measured().availability(now.mono).is_some(), stays, "{fate:?}");
        assert_eq!(bench.measured().durations().sum, if stays { 7 * MS } else { Duration::ZERO }, "{fate:?}");
    }
}
