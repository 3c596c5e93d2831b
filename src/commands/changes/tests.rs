use super::*;

/// A queue and a clock that starts anywhere.
fn queue(limit: usize) -> (ChangeQueue<u32, &'static str>, Instant) {
    #[expect(clippy::disallowed_methods, reason = "only a base to count from")]
    let base = Instant::now();
    (ChangeQueue::new(limit), base)
}

fn start(queue: &mut ChangeQueue<u32, &'static str>, now: Instant) -> Option<(u32, &'static str, bool)> {
    queue.next_startable(now).map(|startable| (startable.key, startable.job, startable.beside))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn jobs_of_different_keys_start_in_the_order_of_coming() {
    let (mut queue, now) = queue(8);
    for (key, job) in [(3, "c"), (1, "a"), (2, "b")] {
        assert_eq!(queue.submit(key, job), None);
    }
    assert!(queue.is_startable());
    assert_eq!(start(&mut queue, now), Some((3, "c", false)));
    assert_eq!(start(&mut queue, now), Some((1, "a", false)));
    assert_eq!(start(&mut queue, now), Some((2, "b", false)));
    assert_eq!(start(&mut queue, now), None);
    assert!(queue.is_drained());
}

#[test]
fn of_one_key_one_runs_and_one_waits_and_the_newest_waits() {
    let (mut queue, now) = queue(8);
    queue.submit(1, "first");
    assert_eq!(start(&mut queue, now), Some((1, "first", false)));
    assert_eq!(queue.submit(1, "second"), None);
    assert_eq!(queue.submit(1, "third"), Some("second"));
    assert_eq!(start(&mut queue, now + SECOND), None);
    assert!(!queue.is_drained());
    queue.ended(1, now);
    assert_eq!(start(&mut queue, now + SECOND), Some((1, "third", false)));
}

#[test]
fn one_that_has_not_started_is_replaced_in_its_place() {
    let (mut queue, now) = queue(1);
    queue.submit(1, "old");
    queue.submit(2, "other");
    assert_eq!(queue.submit(1, "new"), Some("old"));
    assert_eq!(start(&mut queue, now), Some((1, "new", false)));
    queue.ended(1, now);
    assert_eq!(start(&mut queue, now), Some((2, "other", false)));
    assert_eq!(start(&mut queue, now), None, "it was queued once");
}

#[test]
fn after_ten_seconds_the_waiting_one_starts_beside_its_predecessor() {
    let (mut queue, now) = queue(8);
    queue.submit(1, "stuck");
    assert!(start(&mut queue, now).is_some());
    assert_eq!(queue.wakes_at(), None, "nobody waits");
    queue.submit(1, "next");
    assert_eq!(queue.wakes_at(), Some(now + OVERSTAY));
    assert_eq!(start(&mut queue, now + OVERSTAY - Duration::from_nanos(1)), None);
    assert_eq!(start(&mut queue, now + OVERSTAY), Some((1, "next", true)));
    // The predecessor's end sets nothing free that was not.
    queue.submit(1, "third");
    queue.ended(1, now);
    assert_eq!(start(&mut queue, now + OVERSTAY), None);
    queue.ended(1, now + OVERSTAY);
    assert_eq!(start(&mut queue, now + OVERSTAY), Some((1, "third", false)));
}

#[test]
fn the_limit_counts_all_but_those_that_overstay() {
    let (mut queue, now) = queue(2);
    for key in 0..5 {
        queue.submit(key, "job");
    }
    assert!(start(&mut queue, now).is_some());
    assert!(start(&mut queue, now + SECOND).is_some());
    assert_eq!(start(&mut queue, now + SECOND), None);
    assert!(!queue.is_startable());
    assert_eq!(queue.wakes_at(), Some(now + OVERSTAY));
    assert_eq!(start(&mut queue, now + OVERSTAY), Some((2, "job", false)));
    assert_eq!(start(&mut queue, now + OVERSTAY), None);
    queue.ended(1, now + SECOND);
    assert_eq!(start(&mut queue, now + OVERSTAY), Some((3, "job", false)));
    // One that overstays frees no place when it ends.
    queue.ended(0, now);
    assert_eq!(start(&mut queue, now + OVERSTAY), None);
}

#[test]
fn when_time_is_up_everything_starts() {
    let (mut queue, now) = queue(1);
    queue.submit(1, "running");
    assert!(start(&mut queue, now).is_some());
    queue.submit(1, "behind it");
    queue.submit(2, "behind the limit");
    let mut started = Vec::new();
    while let Some(startable) = queue.next_at_once(now + SECOND) {
        started.push((startable.job, startable.beside));
    }
    started.sort_unstable();
    assert_eq!(started, [("behind it", true), ("behind the limit", false)]);
    assert!(queue.is_drained());
}

#[test]
fn keys_that_are_done_leave_nothing_behind() {
    let (mut queue, mut now) = queue(4);
    for round in 0..1000u32 {
        queue.submit(round % 7, "job");
        while let Some(startable) = queue.next_startable(now) {
            queue.ended(startable.key, now);
        }
        now += SECOND;
    }
    assert!(queue.keys.is_empty() && queue.young.is_empty() && queue.ready.is_empty());
}
