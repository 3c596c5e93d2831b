//! The queue against a list that is searched.

use super::*;
use std::time::Duration;

fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

/// xorshift64 (Marsaglia 2003).
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

/// The earliest entry of a plain list, the lower rule first.
fn earliest(list: &[Option<u64>]) -> Option<(u64, usize)> {
    list.iter().enumerate().filter_map(|(rule, at)| at.map(|at| (at, rule))).min()
}

fn rule(index: usize) -> RuleId {
    RuleId(u32::try_from(index).unwrap())
}

#[test]
fn queue_does_what_a_plain_list_does() {
    let base = base();
    let at = |ms: u64| base + Duration::from_millis(ms);
    for seed in 1..200 {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
        let rules = usize::try_from(1 + next(&mut random) % 40).unwrap();
        let mut queue = TimerQueue::new(rules);
        let mut list: Vec<Option<u64>> = vec![None; rules];
        let mut now = 0;
        for step in 0..600 {
            let one = usize::try_from(next(&mut random)).unwrap() % rules;
            match next(&mut random) % 5 {
                0..=2 => {
                    // Few instants, so that many fall together.
                    let then = now + next(&mut random) % 12;
                    list[one] = Some(then);
                    queue.set(rule(one), Some(at(then)));
                }
                3 => {
                    list[one] = None;
                    queue.set(rule(one), None);
                }
                _ => {
                    now += next(&mut random) % 4;
                    let wanted = earliest(&list).filter(|(then, _)| *then <= now).map(|(_, rule)| rule);
                    if let Some(rule) = wanted {
                        list[rule] = None;
                    }
                    assert_eq!(queue.pop_due(at(now)), wanted.map(rule), "seed {seed}, step {step}");
                }
            }
            let first = earliest(&list).map(|(then, _)| at(then));
            assert_eq!(queue.first(), first, "seed {seed}, step {step}");
            assert_eq!(queue.len(), list.iter().flatten().count(), "seed {seed}, step {step}");
            assert_eq!(queue.is_empty(), first.is_none(), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn entries_of_one_instant_come_in_the_order_of_rules() {
    let now = base();
    let mut queue = TimerQueue::new(100);
    for index in (0..100).rev() {
        queue.set(rule(index), Some(now));
    }
    let popped: Vec<RuleId> = std::iter::from_fn(|| queue.pop_due(now)).collect();
    assert_eq!(popped, (0..100).map(rule).collect::<Vec<_>>());
}

#[test]
fn entry_is_due_at_its_instant_and_not_before() {
    let now = base();
    let later = now + Duration::from_nanos(1);
    let mut queue = TimerQueue::new(1);
    queue.set(rule(0), Some(later));
    assert_eq!(queue.pop_due(now), None);
    assert_eq!(queue.pop_due(later), Some(rule(0)));
    assert_eq!(queue.pop_due(later), None, "it was taken out");
}

#[test]
fn rule_has_one_entry_however_often_it_is_set() {
    let now = base();
    let mut queue = TimerQueue::new(2);
    for ms in [5, 9, 1, 7] {
        queue.set(rule(1), Some(now + Duration::from_millis(ms)));
    }
    assert_eq!((queue.len(), queue.first()), (1, Some(now + Duration::from_millis(7))));
    queue.set(rule(0), None);
    assert_eq!(queue.len(), 1, "clearing what is not there is harmless");
}
