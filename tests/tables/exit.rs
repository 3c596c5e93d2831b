//! The end: tables stay, and what was found out before it is written.

use crate::firewall::{Firewall, Target};
use crate::harness::Place;

#[test]
fn tables_stay_when_hfm_ends() {
    let place = Place::new("tables-stay");
    let firewall = Firewall::new(&place, &[("web", &["10.9.9.9"])]);
    let target = Target::open();
    let rules = [target.rule("w1", "10.0.0.1", ""), target.rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = firewall.start(&place, &format!("interval = 50ms\ntables = web\n{rules}"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
    assert!(daemon.stop().success());
    assert!(firewall.holds("web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]));
}

#[test]
fn the_last_verdict_of_the_last_rule_is_written_before_the_end() {
    let place = Place::new("tables-last");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.1"])]);
    firewall.set_mode("slow 0.3");
    let (dead, up) = (Target::closed(), Target::open());
    let rules = [dead.rule("w1", "10.0.0.1", ""), up.rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = firewall.start(&place, &format!("runs = 1\ninterval = 50ms\ntables = web\n{rules}"));
    assert!(daemon.wait().success());
    assert!(firewall.holds("web", &["10.0.0.2"]), "{}", daemon.log());
}

#[test]
fn a_firewall_that_hangs_does_not_keep_hfm_from_ending() {
    let place = Place::new("tables-hang-exit");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    firewall.set_mode("hang");
    let target = Target::open();
    let mut daemon = firewall
        .start(&place, &format!("interval = 50ms\ntables = web\n{}", target.rule("w1", "10.0.0.1", "")));
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
    assert!(daemon.stop().success());
}
