//! What the firewall is made to forget of addresses that leave.

use super::*;
use crate::rule::{Share, Table};
use crate::writer::Replacement;

/// All of its addresses have `kill_states`.
fn killing(name: &str, first_rule: u32, addresses: &[&str]) -> Table {
    let mut table = table(name, first_rule, addresses);
    table.members.iter_mut().for_each(|member| member.kill_states = true);
    table
}

fn all_up(tables: Vec<Table>, contents: &[(&str, &[&str])]) -> Bench {
    let mut bench = Bench::new(tables, contents).modern();
    (0..9).for_each(|rule| bench.up(rule));
    bench.settle();
    bench.calls();
    bench
}

#[test]
fn connections_end_after_the_address_has_left_because_of_failure() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    bench.down(1);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.2", "kill States 10.0.0.2"]);
    bench.pass(Duration::from_secs(60));
    assert!(bench.calls().iter().all(|call| call == "read web"), "once");
}

#[test]
fn without_the_setting_nothing_is_killed() {
    let mut bench = all_up(vec![table("web", 0, WEB)], &[("web", WEB)]);
    bench.down(1);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.2"]);
}

#[test]
fn where_no_other_address_is_in_nothing_is_killed() {
    let mut bench = all_up(vec![killing("web", 0, &["10.0.0.1"])], &[("web", &["10.0.0.1"])]);
    bench.down(0);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.1"]);
    let mut all = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    (0..3).for_each(|rule| all.down(rule));
    all.settle();
    assert_eq!(all.calls(), ["remove web 10.0.0.1 10.0.0.2 10.0.0.3"]);
}

#[test]
fn an_address_that_stays_by_min_up_keeps_its_connections() {
    let mut web = killing("web", 0, WEB);
    web.min_up = Some(Share::Count(3));
    let mut bench = all_up(vec![web], &[("web", WEB)]);
    bench.down(1);
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.writes(), [""; 0]);
}

#[test]
fn a_drain_loses_client_bindings_only() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    bench.say(1, Contribution::Down { drained: true });
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.2", "kill SourceNodes 10.0.0.2"]);
}

#[test]
fn a_backup_that_steps_down_loses_client_bindings_only() {
    let mut web = killing("web", 0, WEB);
    web.members[2].backup = true;
    let mut bench = all_up(vec![web], &[("web", &["10.0.0.1", "10.0.0.2"])]);
    (0..2).for_each(|rule| bench.down(rule));
    bench.settle();
    assert_eq!(
        bench.calls(),
        ["add web 10.0.0.3", "remove web 10.0.0.1 10.0.0.2", "kill States 10.0.0.1 10.0.0.2"]
    );
    bench.up(0);
    bench.settle();
    assert_eq!(bench.calls(), ["add web 10.0.0.1", "remove web 10.0.0.3", "kill SourceNodes 10.0.0.3"]);
}

#[test]
fn an_address_that_a_reload_takes_out_loses_client_bindings_only() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    let tables = vec![killing("web", 0, &WEB[..2])].into();
    let reconcile = Duration::from_secs(10);
    bench.keeper.replace(Replacement { tables, carried: vec![true; 2], reconcile }, bench.now);
    bench.settle();
    assert_eq!(bench.writes(), ["remove web 10.0.0.3", "kill SourceNodes 10.0.0.3"]);
}

#[test]
fn an_address_that_is_still_in_another_table_keeps_its_connections() {
    let tables = vec![killing("web", 0, WEB), killing("mail", 3, &["10.0.0.1", "10.0.1.2"])];
    let mut bench = all_up(tables, &[("web", WEB), ("mail", &["10.0.0.1", "10.0.1.2"])]);
    bench.down(0);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.1"]);
    // When it leaves the last one they end.
    bench.down(3);
    bench.settle();
    assert_eq!(bench.calls(), ["remove mail 10.0.0.1", "kill States 10.0.0.1"]);
}

#[test]
fn an_address_that_leaves_two_tables_at_once_is_killed_once() {
    let tables = vec![killing("web", 0, WEB), killing("mail", 3, WEB)];
    let mut bench = all_up(tables, &[("web", WEB), ("mail", WEB)]);
    bench.down(0);
    bench.down(3);
    bench.settle();
    assert_eq!(
        bench.calls(),
        ["together 2", "remove web 10.0.0.1", "remove mail 10.0.0.1", "kill States 10.0.0.1"]
    );
}

#[test]
fn a_kill_that_fails_is_tried_again_a_few_times_and_holds_nothing_up() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    bench.kills_fail(true);
    bench.down(0);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.1", "kill States 10.0.0.1"]);
    bench.down(1);
    bench.settle();
    assert_eq!(bench.calls(), ["remove web 10.0.0.2"], "a write does not wait");
    bench.pass(Duration::from_secs(9));
    assert_eq!(bench.calls(), ["kill States 10.0.0.1 10.0.0.2"; 2]);
}

#[test]
fn an_address_that_is_back_before_the_next_try_keeps_its_new_connections() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    bench.kills_fail(true);
    bench.down(0);
    bench.settle();
    bench.up(0);
    bench.kills_fail(false);
    bench.settle();
    bench.calls();
    bench.pass(Duration::from_secs(9));
    assert_eq!(bench.writes(), [""; 0]);
}

#[test]
fn at_the_end_what_is_to_be_killed_is_killed_once() {
    let mut bench = all_up(vec![killing("web", 0, WEB)], &[("web", WEB)]);
    bench.down(0);
    bench.finish();
    assert_eq!(bench.calls(), ["remove web 10.0.0.1", "kill States 10.0.0.1"]);
}
