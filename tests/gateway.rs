//! The whole of it: hfm on a gateway with nftables, as config/gateway-linux has it, with clients that make requests all the
//! time, in network namespaces of the test's own. And what is said in the configurations of gateways.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "gateway/files.rs"]
mod files;
#[path = "gateway/mod.rs"]
#[allow(dead_code, reason = "shared with a benchmark, which uses more of it")]
mod gateway;
#[path = "support/skip.rs"]
mod skip;

use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway::{House, Pace, SCENARIOS, Table};
use skip::skip;

/// Gateways want the machine to themselves.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A turn on this machine, where gateways can be built; says by name that a test cannot run elsewhere.
fn turn(test: &str) -> Option<MutexGuard<'static, ()>> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    match House::possible() {
        Ok(()) => Some(turn),
        Err(why) => {
            skip(&format!("gateway: {test}: {why}"));
            None
        }
    }
}

#[test]
fn whatever_happens_only_clients_of_what_is_lost_notice() {
    let Some(_turn) = turn("whatever_happens_only_clients_of_what_is_lost_notice") else { return };
    let mut house = House::watched(Pace::Patient);
    let (mut table, mut wrong) = (Table::default(), String::new());
    for scenario in SCENARIOS {
        let course = scenario.run(&mut house);
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
    assert!(wrong.is_empty(), "{wrong}\n{}", house.log());
}

/// What the other test does not see would not be seen by this one either.
#[test]
fn where_nobody_watches_clients_of_what_is_lost_fail_until_it_is_back() {
    let Some(_turn) = turn("where_nobody_watches_clients_of_what_is_lost_fail_until_it_is_back") else {
        return;
    };
    let mut house = House::unwatched();
    gateway::unwatched::killed(&mut house);
    gateway::unwatched::stopped(&mut house);
    gateway::unwatched::cut(&mut house);
    gateway::unwatched::flushed(&mut house);
}
