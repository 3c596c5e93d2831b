//! Slots, dues and the spread of first starts.

use std::collections::BTreeMap;

use super::*;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

#[test]
fn run_belongs_to_the_last_slot_that_has_begun() {
    let due = base();
    // Start after due, interval; the slot after due, slots missed.
    let rows = [
        (Duration::ZERO, S, Duration::ZERO, 0),
        (S - Duration::from_nanos(1), S, Duration::ZERO, 0),
        (S, S, S, 1),
        (S + MS, S, S, 1),
        (2 * S - MS, S, S, 1),
        (5 * S, S, 5 * S, 5),
        (3600 * S, MS, 3600 * S, 3_600_000),
        // Not of whole milliseconds.
        (Duration::from_micros(3_700), Duration::from_micros(1_500), 3 * MS, 2),
        // No grid.
        (5 * S, Duration::ZERO, Duration::ZERO, 0),
    ];
    for (late, interval, slot, missed) in rows {
        let wanted = Slot { due: due + slot, missed };
        assert_eq!(slot_of(due, due + late, interval), wanted, "{late:?} late, every {interval:?}");
    }
}

#[test]
fn start_before_its_due_is_in_the_slot() {
    let due = base() + S;
    assert_eq!(slot_of(due, due - MS, S), Slot { due, missed: 0 });
}

#[test]
fn grid_keeps_its_phase_whatever_a_run_takes() {
    let base = base();
    assert_eq!(next_due(base, S, base + MS), Some(base + S));
    assert_eq!(next_due(base, S, base + 7 * S), Some(base + S), "overdue; the start finds its slot");
    assert_eq!(next_due(base, Duration::ZERO, base + 7 * S), Some(base + 7 * S));
    assert_eq!(next_due(base, Duration::MAX, base), None, "beyond the reach of the clock");
}

#[test]
fn new_interval_counts_from_the_last_start() {
    let epoch = base();
    let us = Duration::from_micros;
    // Slot, start, interval, decided; due. All after the epoch.
    let rows = [
        // The start is taken back to a whole millisecond,
        (10 * S, 10 * S + us(5_300), 2 * S, 11 * S, 12 * S + 5 * MS),
        (10 * S, 10 * S + us(300), 2 * S, 11 * S, 12 * S),
        // but not before its slot.
        (10 * S + us(500), 10 * S + us(700), 2 * S, 11 * S, 12 * S + us(500)),
        // Just now is not passed.
        (10 * S + us(500), 10 * S + us(500), 2 * S, 12 * S + us(500), 12 * S + us(500)),
        // Passed: at once, and the new grid lies on whole milliseconds.
        (10 * S, 10 * S, 2 * S, 12 * S + us(1), 12 * S),
        (10 * S, 10 * S, 2 * S, 19 * S + us(7_900), 19 * S + 7 * MS),
        // No grid: at once.
        (10 * S, 10 * S, Duration::ZERO, 13 * S, 13 * S),
    ];
    for (slot, start, interval, decided, due) in rows {
        let found = due_after_change(epoch + slot, epoch + start, interval, epoch + decided, epoch);
        let wanted = Some(epoch + due);
        assert_eq!(found, wanted, "slot {slot:?}, start {start:?}, every {interval:?}, at {decided:?}");
    }
}

#[test]
fn milliseconds_are_whole_after_the_epoch() {
    let epoch = base() + Duration::from_nanos(123_457);
    let at = |us: u64| epoch + Duration::from_micros(us);
    for (us, whole) in
        [(0, 0), (1, 0), (999, 0), (1000, 1000), (1001, 1000), (86_400_000_999, 86_400_000_000)]
    {
        assert_eq!(floor_to_millisecond(at(us), epoch), at(whole), "{us} us");
    }
    assert_eq!(floor_to_millisecond(epoch - S, epoch), epoch, "before the epoch");
}

/// Rules of these intervals whose runs are of this weight.
fn of_weight(weight: Weight, intervals: &[Duration]) -> Vec<Start> {
    intervals.iter().map(|interval| Start { interval: *interval, weight }).collect()
}

fn light(intervals: &[Duration]) -> Vec<Start> {
    of_weight(Weight::Light, intervals)
}

fn heavy(intervals: &[Duration]) -> Vec<Start> {
    of_weight(Weight::Heavy, intervals)
}

/// The largest number of delays in any window of `window` milliseconds around the circle.
fn most_in_window(delays: &[Duration], interval: Duration, window: usize) -> usize {
    let len = usize::try_from(interval.as_millis()).unwrap();
    let mut per_ms = vec![0; len];
    for delay in delays {
        per_ms[usize::try_from(delay.as_millis()).unwrap()] += 1;
    }
    (0..len).map(|from| (from..from + window).map(|ms| per_ms[ms % len]).sum()).max().unwrap()
}

#[test]
fn rules_of_one_interval_come_evenly() {
    for count in [1, 2, 3, 7, 100, 999, 10_000] {
        let intervals = vec![S; count];
        let delays = spread(&light(&intervals));
        assert!(delays.iter().all(|delay| *delay < S && delay.subsec_nanos() % 1_000_000 == 0));
        for window in [1, 10, 100] {
            let fair = count * window / 1000 + 2;
            let most = most_in_window(&delays, S, window);
            assert!(most <= fair, "{count} rules: {most} within {window} ms, at most {fair} is even");
        }
    }
}

#[test]
fn rules_that_follow_each_other_come_evenly_too() {
    for count in [100, 610, 987, 1000, 1024, 4096, 10_000, 10_300] {
        let delays = spread(&light(&vec![S; count]));
        for length in [10, 30, 100, 300].map(|length: usize| length.min(count)) {
            for from in [0, (count - length) / 3, count - length] {
                let some = &delays[from..from + length];
                for window in [20, 100, 300] {
                    let most = most_in_window(some, S, window);
                    let fair = length * window / 1000 + 4;
                    assert!(most <= fair, "{length} of {count} from {from} on: {most} within {window} ms");
                }
            }
        }
    }
}

#[test]
fn each_place_is_taken_once() {
    for count in (1..200).chain([256, 1000, 4095, 10_000]) {
        let interval = MS * u32::try_from(count).unwrap();
        let mut delays = spread(&light(&vec![interval; count]));
        delays.sort_unstable();
        delays.dedup();
        assert_eq!(delays.len(), count);
    }
}

#[test]
fn one_group_is_spread_alike_whatever_others_there_are() {
    let alone = spread(&light(&[S, S, S]));
    let among = spread(&light(&[S, 5 * S, S, 7 * S, S, 5 * S]));
    assert_eq!(alone, [among[0], among[2], among[4]]);
}

#[test]
fn many_groups_do_not_begin_together() {
    // One rule each, all of about ten seconds.
    let intervals: Vec<Duration> = (0..1000).map(|group| 10 * S + group * MS).collect();
    let delays = spread(&light(&intervals));
    assert!(delays.iter().zip(&intervals).all(|(delay, interval)| delay < interval));
    let early = delays.iter().filter(|delay| **delay < S).count();
    assert!((90..=110).contains(&early), "{early} of 1000 rules start in the first tenth");
    let most = most_in_window(&delays, 12 * S, 10);
    assert!(most <= 10, "{most} of 1000 rules start within 10 ms of 10 s");
}

#[test]
fn delays_are_whole_milliseconds_within_the_interval() {
    let intervals: Vec<Duration> = (0..500).map(|n| Duration::from_micros(1 + n * 137)).collect();
    for (delay, interval) in spread(&light(&intervals)).iter().zip(&intervals) {
        assert!(delay < interval, "{delay:?} of {interval:?}");
        assert_eq!(delay.subsec_nanos() % 1_000_000, 0, "{delay:?} of {interval:?}");
    }
}

#[test]
fn nothing_to_spread_and_intervals_of_zero() {
    assert!(spread(&[]).is_empty());
    assert_eq!(spread(&light(&[Duration::ZERO; 3])), [Duration::ZERO; 3]);
    let delays = spread(&light(&[Duration::ZERO, S]));
    assert_eq!(delays[0], Duration::ZERO);
    assert!(delays[1] < S);
}

/// Every moment at which rules begin, in milliseconds, and how many begin at it.
fn moments(delays: &[Duration]) -> BTreeMap<u128, usize> {
    let mut moments = BTreeMap::new();
    delays.iter().for_each(|delay| *moments.entry(delay.as_millis()).or_default() += 1);
    moments
}

#[test]
fn heavy_rules_begin_a_few_at_once_and_those_evenly() {
    let few = usize::try_from(TOGETHER_MAX).unwrap();
    for count in [400, 401, 999, 1000, 1001, 2500, 3999] {
        let delays = spread(&heavy(&vec![S; count]));
        let moments = moments(&delays);
        assert_eq!(moments.len(), count.div_ceil(few), "{count} rules");
        assert!(moments.values().all(|together| *together <= few), "{count} rules: {moments:?}");
        let apart = 1000.0 * f64::from(TOGETHER_MAX) / f64::from(u32::try_from(count).unwrap());
        for (index, moment) in moments.keys().enumerate() {
            let even = apart * f64::from(u32::try_from(index).unwrap());
            let found = f64::from(u32::try_from(*moment).unwrap());
            assert!((found - even).abs() <= 1.0, "{count} rules: {found} ms, even is {even}");
        }
    }
}

#[test]
fn heavy_rules_that_follow_each_other_do_not_begin_at_once() {
    for count in [400, 1000, 2500] {
        let delays = spread(&heavy(&vec![S; count]));
        assert!(delays.windows(2).all(|pair| pair[0] != pair[1]), "{count} rules");
    }
}

#[test]
fn heavy_rules_that_are_far_apart_stay_where_they_are() {
    for count in [1, 2, 7, 50, 199] {
        let intervals = vec![S; count];
        assert_eq!(spread(&heavy(&intervals)), spread(&light(&intervals)), "{count} rules");
    }
    let intervals = vec![60 * S; 10_000];
    assert_eq!(spread(&heavy(&intervals)), spread(&light(&intervals)));
}

#[test]
fn heavy_rules_are_moved_by_less_than_would_be_noticed() {
    for (count, interval) in [(250, S), (1000, S), (1000, 100 * MS), (10_000, S), (7, 20 * MS)] {
        let intervals = vec![interval; count];
        for (at_once, apart) in spread(&heavy(&intervals)).iter().zip(spread(&light(&intervals))) {
            assert!(*at_once <= apart && apart - *at_once < TOGETHER_WITHIN, "{at_once:?}, {apart:?}");
        }
    }
}

#[test]
fn heavy_and_light_rules_of_one_interval_are_spread_each_for_themselves() {
    let starts = |index: usize| Start {
        interval: S,
        weight: if index.is_multiple_of(3) { Weight::Heavy } else { Weight::Light },
    };
    let starts: Vec<Start> = (0..3000).map(starts).collect();
    let delays = spread(&starts);
    for (weight, fair) in [(Weight::Light, 2), (Weight::Heavy, 4)] {
        let own = starts.iter().zip(&delays).filter(|(start, _)| start.weight == weight);
        let own: Vec<Duration> = own.map(|(_, delay)| *delay).collect();
        assert!(own.iter().all(|delay| *delay < S));
        assert_eq!(moments(&own).into_values().max(), Some(fair), "{weight:?}");
    }
}

#[test]
fn heavy_rules_without_a_pause_begin_at_once() {
    assert_eq!(spread(&heavy(&[Duration::ZERO; 9])), [Duration::ZERO; 9]);
}
