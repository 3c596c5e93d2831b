//! The whole of it, twice: two gateways with nftables, keepalived and hfm, as config/pair-linux has them, with clients that
//! make requests all the time, in network namespaces of the test's own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "pair/mod.rs"]
#[allow(dead_code, reason = "shared with other tests and a benchmark, which use more of it")]
mod pair;
#[path = "support/skip.rs"]
mod skip;

use std::sync::{Mutex, MutexGuard, PoisonError};

use pair::{Connections, Conntrackd, Hosts, Pace, SCENARIOS, Scenario, Table, Town};
use skip::skip;

/// Pairs of gateways want the machine to themselves.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A turn on this machine, where pairs can be built; says by name that a test cannot run elsewhere.
fn turn(test: &str) -> Option<MutexGuard<'static, ()>> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    match Town::possible() {
        Ok(()) => Some(turn),
        Err(why) => {
            skip(&format!("pair: {test}: {why}"));
            None
        }
    }
}

/// Has all of these happen, one after the other, and nothing go wrong.
fn run<'a>(town: &mut Town, scenarios: impl IntoIterator<Item = &'a Scenario>) {
    let (mut table, mut wrong) = (Table::default(), String::new());
    for scenario in scenarios {
        let course = scenario.run(town);
        for what in &course.wrong {
            wrong.push_str(&format!("{}: {what}\n", course.name));
        }
        let is_well = course.is_well;
        table.add(&[course]);
        if !is_well {
            break;
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}\n{}", town.log());
}

#[test]
fn the_better_gateway_serves_and_nobody_notices_what_was_planned() {
    let Some(_turn) = turn("the_better_gateway_serves_and_nobody_notices_what_was_planned") else { return };
    run(&mut Town::new(Pace::Patient, Connections::OfOne), SCENARIOS);
}

/// Where a connection leads elsewhere than its client's slot does now, only who has seen it begin knows where.
#[test]
fn with_conntrackd_connections_go_on_that_no_map_tells_of() {
    let Some(_turn) = turn("with_conntrackd_connections_go_on_that_no_map_tells_of") else { return };
    if !Conntrackd::is_there() {
        skip("pair: with_conntrackd_connections_go_on_that_no_map_tells_of: no conntrackd");
        return;
    }
    let such = SCENARIOS.iter().filter(|scenario| scenario.hosts == Hosts::Return);
    run(&mut Town::new(Pace::Patient, Connections::OfBoth), such);
}
