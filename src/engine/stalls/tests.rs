use super::*;

const MS: Duration = Duration::from_millis(1);

fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

/// A wake-up was 2 ms late and its turn took 100 ms; a deadline had passed within those 2 ms, so that the
/// next wake-up was late from there on. The late one was forgotten as too short once the turn had ended.
#[test]
fn short_stall_is_part_of_a_later_one_that_overlaps_it() {
    let base = base();
    let mut stalls = Stalls::new(Some(Duration::from_secs(1)));
    stalls.note(base + 10 * MS, 2 * MS);
    stalls.turn_begins(base + 12 * MS);
    stalls.turn_ends(base + 112 * MS);
    stalls.note(base + 11 * MS, 101 * MS);
    assert_eq!(stalls.between(base, base + 500 * MS, Duration::from_secs(1)), 97 * MS);
}

#[test]
fn short_stalls_that_nothing_can_overlap_any_more_are_forgotten() {
    let base = base();
    let mut stalls = Stalls::new(Some(Duration::from_secs(1)));
    for n in 0..100 {
        stalls.note(base + n * 10 * MS, MS);
        stalls.note(base + n * 10 * MS + MS, 2 * MS);
    }
    assert_eq!(stalls.kept.len(), 2, "those of the last turn");
}
