//! Start, reload and restart, a sentence a test.

use std::collections::HashSet;

use crate::at;
use crate::machine::{Machine, address, named, plain, table};

/// Address 0 by rule 0, and address 1 by rule 1, of which it is the file's only wish.
fn moved() -> Machine {
    let mut machine = Machine::start(vec![plain(2)]);
    assert_eq!(machine.found(&[0, 1]).says("u u").wants(), "11");
    machine
}

#[test]
fn nothing_is_wanted_of_an_address_before_its_first_verdict() {
    for held in [&[][..], &[0], &[0, 1]] {
        let mut machine = Machine::start(vec![plain(2)]);
        assert_eq!(machine.found(held).wants(), "..");
        assert_eq!(machine.says("? ?").wants(), "..");
        assert_eq!(machine.says("? d").wants(), ".0");
    }
}

#[test]
fn a_table_that_was_never_found_is_not_decided() {
    let mut machine = Machine::start(vec![plain(2)]);
    assert_eq!(machine.says("u d").wants(), "..");
    assert_eq!(machine.found(&[1]).wants(), "10");
}

#[test]
fn what_is_in_at_the_start_is_what_was_found() {
    let min_up = hfm::rule::Table { min_up: Some(hfm::rule::Share::Count(1)), ..plain(2) };
    let mut machine = Machine::start(vec![min_up.clone()]);
    assert_eq!(machine.found(&[1]).says("d9 d1").wants(), "01", "1 is in, so it stays");
    let mut machine = Machine::start(vec![min_up]);
    assert_eq!(machine.found(&[0]).says("d1 d9").wants(), "10");
}

#[test]
fn what_others_do_to_an_address_later_changes_nothing_of_what_is_wanted() {
    let mut machine = moved();
    assert_eq!(machine.found(&[]).wants(), "11");
    assert_eq!(machine.says("? ?").wants(), "11", "as last wanted, not as found");
}

/// A reload forgot what the table held besides until it was read again, so `min_up` put a failed address in "where
/// the table would be empty".
#[test]
fn min_up_puts_nothing_into_a_table_of_others_after_a_reload() {
    let min_up = hfm::rule::Table { min_up: Some(hfm::rule::Share::Count(1)), ..plain(1) };
    let mut machine = Machine::start(vec![min_up.clone()]);
    assert_eq!(machine.found(&[5]).says("d").wants(), "0");
    machine.reload(vec![min_up], &[]);
    assert_eq!(machine.wants(), "0", "not decided anew before the table is read");
    assert_eq!(machine.found(&[5]).wants(), "0");
    assert_eq!(machine.found(&[]).wants(), "1");
}

#[test]
fn an_address_no_longer_named_leaves_once_every_new_rule_has_a_verdict() {
    let mut machine = moved();
    let both = table("t", vec![named(2, &[2]), named(3, &[3])]);
    assert!(machine.after(5).reload(vec![both], &[2, 3]).is_empty());
    assert_eq!(machine.found(&[0, 1]).wants(), "....");
    assert_eq!(machine.says("u u u").wants(), "..1.");
    assert_eq!(machine.says("u u u d").wants(), "0010");
}

#[test]
fn an_address_no_longer_named_leaves_after_thirty_seconds_at_the_latest() {
    let mut machine = moved();
    machine.after(5).reload(vec![table("t", vec![named(0, &[0]), named(2, &[2])])], &[2]);
    assert_eq!(machine.found(&[0, 1]).wants(), "1..");
    assert_eq!(machine.desired.poll_timeout(), Some(at(machine.base, 35)));
    assert_eq!(machine.after(34).wants(), "1..");
    assert_eq!(machine.after(35).wants(), "10.");
    assert_eq!(machine.desired.poll_timeout(), None);
}

#[test]
fn an_address_no_longer_named_leaves_at_once_when_no_rule_is_new() {
    let mut machine = moved();
    machine.reload(vec![plain(1)], &[]);
    assert_eq!(machine.desired.poll_timeout(), None);
    assert_eq!(machine.found(&[0, 1]).wants(), "10");
}

#[test]
fn only_new_rules_of_that_table_are_waited_for() {
    let mut machine = moved();
    machine.reload(vec![plain(1), table("u", vec![named(5, &[5])])], &[5]);
    assert_eq!(machine.found(&[0, 1]).wants(), "10");
}

#[test]
fn a_table_no_rule_names_any_more_is_left_as_it_is() {
    let mut machine = moved();
    let abandoned = machine.reload(vec![table("u", vec![named(0, &[0])])], &[]);
    assert_eq!(abandoned, ["t".into()]);
    assert!(machine.desired.managed().all(|of| &*of.table == "u"));
    assert_eq!(machine.found(&[]).wants(), "1");
}

#[test]
fn unchanged_rules_contribute_as_before_and_changed_ones_are_unknown() {
    let mut machine = moved();
    assert_eq!(machine.says("u d").wants(), "10");
    machine.reload(vec![plain(2)], &[1]);
    assert_eq!(machine.found(&[0]).wants(), "10", "rule 1 is unknown: its address stays out");
    assert_eq!(machine.says("u u").wants(), "11");
    machine.reload(vec![plain(2)], &[0, 1]);
    assert_eq!(machine.found(&[0, 1]).wants(), "11");
}

#[test]
fn an_address_that_comes_back_before_it_left_stays() {
    let mut machine = moved();
    machine.reload(vec![table("t", vec![named(0, &[0]), named(2, &[2])])], &[2]);
    assert_eq!(machine.found(&[0, 1]).wants(), "1..");
    machine.reload(vec![plain(2)], &[]);
    assert_eq!(machine.desired.leaving(0), [address(2)]);
    assert_eq!(machine.found(&[0, 1]).wants(), "110");
}

#[test]
fn addresses_that_leave_are_managed_until_they_have_left() {
    let mut machine = moved();
    machine.reload(vec![plain(1)], &[]);
    machine.found(&[0, 1]).wants();
    let managed = |machine: &Machine| machine.desired.managed().map(|of| of.address).collect::<Vec<_>>();
    assert_eq!(managed(&machine), [address(0), address(1)]);
    assert!(!machine.desired.have_left(0, &HashSet::from([0, 1].map(address))));
    assert!(machine.desired.have_left(0, &HashSet::from([address(0)])));
    assert_eq!(managed(&machine), [address(0)]);
    assert_eq!(machine.found(&[0]).wants(), "1");
}

#[test]
fn those_that_wait_to_leave_survive_another_reload() {
    let mut machine = moved();
    let with = |n: usize, rule: u32| vec![table("t", vec![named(0, &[0]), named(n, &[rule])])];
    machine.reload(with(2, 2), &[2]);
    machine.found(&[0, 1]).wants();
    machine.after(10).reload(with(3, 3), &[3]);
    assert_eq!(machine.found(&[0, 1]).wants(), "1...");
    assert_eq!(machine.says("u u u u").wants(), "1001");
}

#[test]
fn a_second_reload_waits_for_what_was_new_in_the_first() {
    let mut machine = moved();
    let moves = || vec![table("t", vec![named(2, &[2])])];
    machine.reload(moves(), &[2]);
    assert_eq!(machine.found(&[0, 1]).wants(), "...");
    machine.after(1).reload(moves(), &[]);
    assert_eq!(machine.found(&[0, 1]).wants(), "...", "or nothing would be in");
    assert_eq!(machine.says("- - u").wants(), "001");
    let mut machine = moved();
    machine.reload(vec![table("t", vec![named(0, &[0]), named(1, &[1]), named(2, &[2])])], &[2]);
    machine.found(&[0, 1]).wants();
    machine.after(1).reload(moves(), &[]);
    assert_eq!(machine.found(&[0, 1]).wants(), "...", "nor when nothing was to leave before");
    assert_eq!(machine.after(31).wants(), "00.");
}

#[test]
fn a_restart_is_a_reload_in_which_every_rule_is_new() {
    let (mut machine, abandoned) = Machine::restart(vec![plain(2)], &[1, 2]);
    assert!(abandoned.is_empty());
    assert_eq!(machine.found(&[0, 1, 2, 9]).wants(), "...");
    assert_eq!(machine.says("u").wants(), "1..");
    assert_eq!(machine.says("u d").wants(), "100");
    let (mut machine, _) = Machine::restart(vec![plain(2)], &[2]);
    assert_eq!(machine.found(&[0, 1, 2]).after(30).wants(), "..0");
}

#[test]
fn what_was_remembered_of_a_table_that_no_rule_names_is_left() {
    let (machine, abandoned) = Machine::restart(vec![table("u", vec![named(0, &[0])])], &[1, 2]);
    assert_eq!(abandoned, ["t".into()]);
    assert!(machine.desired.leaving(0).is_empty());
}

#[test]
fn while_addresses_wait_to_leave_the_table_is_not_empty() {
    let min_up = |mut of: hfm::rule::Table| {
        of.min_up = Some(hfm::rule::Share::Count(1));
        of
    };
    let (mut machine, _) = Machine::restart(vec![min_up(plain(2))], &[2]);
    assert_eq!(machine.found(&[2]).says("d1 s").wants(), "0..");
    assert_eq!(machine.says("d1 d2").wants(), "010", "it leaves, and one takes its place");
    let (mut machine, _) = Machine::restart(vec![min_up(plain(2))], &[2]);
    assert_eq!(machine.found(&[]).says("d1 s").wants(), "1..", "none is there to leave");
}
