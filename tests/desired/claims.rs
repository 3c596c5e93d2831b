//! *Who is in a table*, a sentence a test.

use std::num::NonZeroU32;

use hfm::rule::{Combine, Share, Table};

use crate::machine::{Machine, backup, decided, named, plain, table};

/// Address 0, named by the first rules.
fn one(combine: Combine, rules: u32) -> Table {
    let mut member = named(0, &(0..rules).collect::<Vec<_>>());
    member.combine = combine;
    table("t", vec![member])
}

fn least(count: u32) -> Combine {
    Combine::AtLeast(NonZeroU32::new(count).expect("not 0"))
}

fn at_least(count: u32, table: Table) -> Table {
    Table { min_up: Some(Share::Count(count)), ..table }
}

fn panics(percent: u8, table: Table) -> Table {
    Table { panic: Some(percent), ..table }
}

#[test]
fn an_override_takes_the_place_of_what_a_rule_says_until_it_ends() {
    for (by, wanted) in [("D", "0"), ("d", "0"), ("u", "1")] {
        for (word, after) in [("u", "1"), ("d", "0")] {
            let mut machine = Machine::start(vec![plain(1)]);
            machine.found(&[0]).says(word).says(by);
            assert_eq!(machine.wants(), wanted, "{by} {word}");
            assert_eq!(machine.says(word).wants(), after, "{by} {word}");
        }
        let mut unknown = Machine::start(vec![plain(1)]);
        assert_eq!(unknown.found(&[0]).says(by).wants(), wanted);
    }
}

#[test]
fn with_all_one_down_is_out_all_up_is_in_and_else_it_stays() {
    for (words, wanted) in [("u u u", "1"), ("u d ?", "0"), ("d d d", "0"), ("u u ?", "."), ("? ? ?", ".")] {
        assert_eq!(decided(one(Combine::All, 3), &[0], words), wanted, "{words}");
    }
}

#[test]
fn with_any_one_up_is_in_all_down_is_out_and_else_it_stays() {
    for (words, wanted) in [("u d ?", "1"), ("d d d", "0"), ("d d ?", "."), ("? u d", "1"), ("? ? ?", ".")] {
        assert_eq!(decided(one(Combine::Any, 3), &[], words), wanted, "{words}");
    }
}

#[test]
fn with_a_number_so_many_ups_are_in_and_fewer_still_possible_is_out() {
    for (words, wanted) in [("u u d", "1"), ("u d d", "0"), ("u d ?", "."), ("? d d", "0"), ("u u ?", "1")] {
        assert_eq!(decided(one(least(2), 3), &[], words), wanted, "{words}");
    }
}

#[test]
fn a_number_is_capped_at_the_number_of_rules_that_contribute() {
    assert_eq!(decided(one(least(3), 3), &[], "u u -"), "1");
    assert_eq!(decided(one(least(3), 3), &[0], "u d -"), "0");
}

#[test]
fn with_none_contributing_the_address_stays_as_it_is() {
    for held in [&[][..], &[0]] {
        assert_eq!(decided(one(Combine::All, 2), held, "- -"), ".");
    }
    let mut machine = Machine::start(vec![plain(1)]);
    assert_eq!(machine.found(&[0]).says("u").wants(), "1");
    assert_eq!(machine.says("-").wants(), ".");
}

#[test]
fn unknown_means_that_it_stays_as_last_wanted() {
    let mut machine = Machine::start(vec![plain(2)]);
    assert_eq!(machine.found(&[0, 1]).says("u d").wants(), "10");
    assert_eq!(machine.says("? ?").wants(), "10");
}

#[test]
fn a_backup_is_in_only_while_no_other_address_is_up() {
    let of = || table("t", vec![named(0, &[0]), named(1, &[1]), backup(2, &[2])]);
    assert_eq!(decided(of(), &[], "u d u"), "100");
    assert_eq!(decided(of(), &[], "d d u"), "001");
    assert_eq!(decided(of(), &[], "d d d"), "000");
}

#[test]
fn two_backups_may_serve_together() {
    assert_eq!(
        decided(table("t", vec![named(0, &[0]), backup(1, &[1]), backup(2, &[2])]), &[], "d u u"),
        "011"
    );
}

#[test]
fn for_backups_an_unknown_address_counts_as_up_while_it_is_in_and_not_stale() {
    let of = || table("t", vec![named(0, &[0]), backup(1, &[1])]);
    assert_eq!(decided(of(), &[0], "? u"), ".0");
    assert_eq!(decided(of(), &[], "? u"), ".1");
    assert_eq!(decided(of(), &[0], "s u"), ".1");
}

#[test]
fn an_unknown_backup_makes_room_for_one_that_is_up_and_else_stays() {
    let of = || table("t", vec![named(0, &[0]), backup(1, &[1])]);
    assert_eq!(decided(of(), &[1], "u ?"), "10");
    assert_eq!(decided(of(), &[1], "d ?"), "0.");
}

#[test]
fn at_the_start_a_backup_of_which_nothing_is_known_is_left_until_another_is_up_for_sure() {
    let of = || table("t", vec![named(0, &[0]), backup(1, &[1])]);
    assert_eq!(decided(of(), &[0, 1], "? ?"), "..");
    assert_eq!(decided(of(), &[0, 1], "u ?"), "10");
    assert_eq!(decided(of(), &[0, 1], "? u"), ".0");
}

#[test]
fn when_strictly_fewer_are_up_than_panic_says_all_go_in_until_it_no_longer_is_so() {
    let mut machine = Machine::start(vec![panics(50, plain(4))]);
    assert_eq!(machine.found(&[]).says("u d u d").wants(), "1010");
    assert_eq!(machine.says("u d d d").wants(), "1111");
    assert_eq!(machine.says("u d d u").wants(), "1001");
}

#[test]
fn an_unknown_address_counts_as_up_for_panic_while_it_is_not_stale() {
    assert_eq!(decided(panics(50, plain(2)), &[], "? d"), ".0");
    assert_eq!(decided(panics(50, plain(2)), &[], "s d"), "11");
}

#[test]
fn panic_and_min_up_count_neither_drained_nor_backup_nor_those_without_a_say() {
    let of = || table("t", vec![named(0, &[0]), named(1, &[1]), named(2, &[2]), backup(3, &[3])]);
    // Two of four would be fewer than 60 %; one of one is not.
    assert_eq!(decided(panics(60, of()), &[], "u D - d"), "10.0");
    assert_eq!(decided(panics(60, of()), &[], "d D - d"), "10.0");
    let half = Table { min_up: Some(Share::Percent(100)), ..of() };
    assert_eq!(decided(half, &[0, 1, 2, 3], "d D - d"), "10.0");
}

#[test]
fn neither_panic_nor_min_up_while_an_up_backup_is_in() {
    let of = || table("t", vec![named(0, &[0]), named(1, &[1]), backup(2, &[2])]);
    assert_eq!(decided(panics(100, at_least(2, of())), &[0, 1, 2], "d d u"), "001");
    assert_eq!(decided(panics(100, at_least(2, of())), &[0, 1, 2], "u d u"), "110");
}

#[test]
fn min_up_keeps_the_most_recently_failed_ones() {
    assert_eq!(decided(at_least(2, plain(4)), &[0, 1, 2, 3], "d3 d1 d4 d2"), "1010");
    assert_eq!(decided(at_least(2, plain(4)), &[0, 1, 2, 3], "d1 d1 d1 d1"), "1100", "ties: the file");
}

#[test]
fn min_up_in_percent_is_rounded_up() {
    let third = Table { min_up: Some(Share::Percent(34)), ..plain(3) };
    assert_eq!(decided(third, &[0, 1, 2], "d3 d1 d2"), "101");
}

#[test]
fn min_up_counts_those_that_are_in_before_it_keeps_any() {
    assert_eq!(decided(at_least(2, plain(4)), &[0, 1, 2, 3], "u d1 d2 u"), "1001");
    assert_eq!(decided(at_least(2, plain(3)), &[0, 1, 2], "? d1 d2"), ".01");
}

#[test]
fn min_up_puts_none_back_but_where_the_table_would_be_empty_and_then_one() {
    assert_eq!(decided(at_least(2, plain(3)), &[0], "u d1 d2"), "100");
    assert_eq!(decided(at_least(2, plain(3)), &[], "d1 d3 d2"), "010");
    assert_eq!(decided(at_least(0, plain(3)), &[], "d1 d3 d2"), "000");
}

#[test]
fn min_up_adds_nothing_while_an_address_is_unknown_and_not_stale() {
    assert_eq!(decided(at_least(1, plain(2)), &[], "d ?"), "0.");
    assert_eq!(decided(at_least(1, plain(2)), &[], "d s"), "1.");
    assert_eq!(decided(at_least(1, plain(2)), &[], "s s"), "1.", "none failed: the file");
}

#[test]
fn min_up_adds_nothing_to_a_table_that_holds_addresses_of_others() {
    let mut machine = Machine::start(vec![at_least(1, plain(2))]);
    assert_eq!(machine.found(&[99]).says("d d").wants(), "00");
    assert_eq!(machine.found(&[]).wants(), "10", "once they are gone it does");
}

#[test]
fn an_address_failed_when_the_rule_went_down_that_was_one_too_many() {
    let of = |combine| {
        let (mut first, mut second) = (named(0, &[0, 1]), named(1, &[2, 3]));
        (first.combine, second.combine) = (combine, combine);
        at_least(1, table("t", vec![first, second]))
    };
    assert_eq!(decided(of(Combine::All), &[0, 1], "d1 d9 d2 d3"), "01");
    assert_eq!(decided(of(Combine::Any), &[0, 1], "d1 d9 d2 d3"), "10");
}

#[test]
fn a_drained_address_is_never_put_back() {
    let of = |words: &str| decided(panics(100, at_least(3, plain(3))), &[0, 1, 2], words);
    assert_eq!(of("D D D"), "000");
    assert_eq!(of("D d d"), "011");
    let mut machine = Machine::start(vec![panics(100, at_least(3, plain(2)))]);
    assert_eq!(machine.found(&[0, 1]).says("d d").says("D").wants(), "01");
}

#[test]
fn an_address_is_drained_when_a_drained_rule_is_among_those_down_and_it_is_out() {
    assert_eq!(decided(at_least(1, one(Combine::All, 2)), &[0], "D d"), "0");
    assert_eq!(decided(at_least(1, one(Combine::All, 2)), &[0], "D u"), "0");
    assert_eq!(decided(at_least(1, one(Combine::Any, 2)), &[0], "D u"), "1");
    assert_eq!(decided(at_least(1, one(Combine::Any, 2)), &[0], "D d"), "0");
}

#[test]
fn an_address_that_no_rule_names_is_never_touched() {
    let mut machine = Machine::start(vec![plain(1)]);
    machine.found(&[0, 7, 8]).says("d");
    assert_eq!(machine.wants(), "0");
    assert_eq!(machine.desired.wanted(0).count(), 1);
}
