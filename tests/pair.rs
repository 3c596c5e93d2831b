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

use pair::scenarios::{Hosts, Scenario};
use pair::{Connections, Pace, SCENARIOS, Table, Town};
use skip::skip;

/// Pairs of gateways want the machine to themselves.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A turn on this machine, where pairs can be built; says by name that a test cannot run elsewhere.
fn turn(test: &str, connections: Connections) -> Option<MutexGuard<'static, ()>> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    match Town::possible(connections) {
        Ok(()) => Some(turn),
        Err(why) => {
            skip(&format!("pair: {test}: {why}"));
            None
        }
    }
}

/// Has all of these happen, one after the other, and nothing go wrong.
#[allow(clippy::print_stdout, reason = "for whoever runs the test alone")]
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
    let connections = Connections::OfOne;
    let Some(_turn) = turn("the_better_gateway_serves_and_nobody_notices_what_was_planned", connections)
    else {
        return;
    };
    run(&mut Town::new(Pace::Patient, connections), SCENARIOS);
}

/// Where a connection leads elsewhere than its client's slot does now, only who has seen it begin knows where.
#[test]
fn with_conntrackd_connections_go_on_that_no_map_tells_of() {
    let connections = Connections::OfBoth;
    let Some(_turn) = turn("with_conntrackd_connections_go_on_that_no_map_tells_of", connections) else {
        return;
    };
    let such = SCENARIOS.iter().filter(|scenario| scenario.hosts == Hosts::Return);
    run(&mut Town::new(Pace::Patient, connections), such);
}
