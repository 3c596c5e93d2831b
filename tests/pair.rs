//! The whole of it, twice: two gateways with nftables, keepalived and hfm, as config/pair-linux has them, with clients that
//! make requests all the time, in network namespaces of the test's own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "pair/mod.rs"]
#[allow(dead_code, reason = "shared with other tests and a benchmark, which use more of it")]
mod pair;
#[path = "support/skip.rs"]
mod skip;

use pair::{Pace, SCENARIOS, Table, Town};
use skip::skip;

#[test]
fn the_better_gateway_serves_and_nobody_notices_what_was_planned() {
    if let Err(why) = Town::possible() {
        skip(&format!("pair: the_better_gateway_serves_and_nobody_notices_what_was_planned: {why}"));
        return;
    }
    let mut town = Town::new(Pace::Patient);
    let (mut table, mut wrong) = (Table::default(), String::new());
    for scenario in SCENARIOS {
        if std::env::var("ONLY").is_ok_and(|o| !o.split(',').any(|o| scenario.name.contains(o))) {
            continue;
        }
        let course = scenario.run(&mut town);
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
