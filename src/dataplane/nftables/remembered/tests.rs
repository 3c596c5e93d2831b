use super::*;

fn known(at: &mut Remembered, table: &str) -> bool {
    at.take(table).map(|found| at.keep(found)).is_some()
}

fn found(table: &str, is_steady: bool) -> Found {
    Found { table: table.into(), known: Known::Slots(Version::V4, Vec::new()), is_steady }
}

/// At generation 7, with a set.
fn remembered() -> Remembered {
    let mut remembered = Remembered::default();
    remembered.is_at(7);
    remembered.keep(found("a", true));
    remembered
}

#[test]
fn what_is_known_is_of_one_generation() {
    let mut remembered = remembered();
    remembered.is_at(7);
    assert!(known(&mut remembered, "a") && !known(&mut remembered, "b"));
    remembered.is_at(8);
    assert!(!known(&mut remembered, "a"));
    remembered.is_at(7);
    assert!(!known(&mut remembered, "a"), "what is forgotten does not come back with a number");
}

#[test]
fn what_may_change_by_itself_is_not_kept() {
    let mut remembered = remembered();
    remembered.keep(found("b", false));
    remembered.keep_as_written(found("c", false));
    assert!(!known(&mut remembered, "b") && !known(&mut remembered, "c"));
}

/// The kernel has no generation 0, and counts on from the last to 1: it says itself which one it has made.
#[test]
fn what_was_written_is_known_of_the_generation_that_it_made() {
    for (before, made) in [(7, 8), (u32::MAX, 1)] {
        let mut remembered = Remembered::default();
        remembered.is_at(before);
        remembered.keep(found("a", true));
        remembered.keep_as_written(found("b", true));
        remembered.is_written(Some(made));
        remembered.is_at(made);
        assert!(known(&mut remembered, "a") && known(&mut remembered, "b"));
        remembered.is_at(before);
        assert!(!known(&mut remembered, "a") && !known(&mut remembered, "b"));
    }
}

#[test]
fn what_may_have_been_written_or_not_is_not_known() {
    let mut remembered = remembered();
    remembered.is_written(None);
    assert!(!known(&mut remembered, "a"), "nobody said which generation it made");
    remembered.keep_as_written(found("b", true));
    remembered.is_at(7);
    assert!(!known(&mut remembered, "b"), "nobody said whether it was written");
}
