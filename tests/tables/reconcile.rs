//! What others do to tables.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::firewall::{Firewall, Target};
use crate::harness::{Place, pause};

const HEAD: &str = "interval = 50ms\ntables = web\n";

#[test]
fn what_others_change_of_ours_is_put_right_logged_and_counted() {
    let place = Place::new("tables-repair");
    let firewall = Firewall::new(&place, &[("web", &["10.9.9.9"])]);
    let (up, dead) = (Target::open(), Target::closed());
    let rules = [up.rule("w1", "10.0.0.1", ""), dead.rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{rules}"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.9.9.9"]);
    daemon.wait_for("'w2' run", 1);
    // Until hfm has seen for itself that its write is there.
    pause(Duration::from_millis(500));
    firewall.operator("web", &["replace", "10.0.0.2", "10.8.8.8"]);
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.8.8.8"]);
    daemon.wait_for(
        "table 'web' was changed by others and is put right missing=[10.0.0.1] surplus=[10.0.0.2]",
        1,
    );
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("table 'web' managed=2 wanted=1 actual=1 held=0 leaving=0 others=1 repairs=2", 1);
    daemon.wait_for("table 'web' 10.0.0.2 wanted=out actual=out why=\"down\"", 1);
}

#[test]
fn a_table_that_vanishes_is_filled_again_when_it_is_back() {
    let place = Place::new("tables-vanish");
    let firewall = Firewall::new(&place, &[("lb/web", &[])]);
    let target = Target::open();
    let rules = format!("interval = 50ms\ntables = \"lb/web\"\n{}", target.rule("w1", "10.0.0.1", ""));
    let mut daemon = firewall.start(&place, &rules);
    firewall.wait_for(&daemon, "lb/web", &["10.0.0.1"]);
    firewall.unmake("lb/web");
    daemon.wait_for("table 'lb/web': there is no such table; it is not made by hfm", 1);
    assert!(!firewall.exists("lb/web"), "hfm makes no table");
    firewall.make("lb/web", &["10.9.9.9"]);
    firewall.wait_for(&daemon, "lb/web", &["10.0.0.1", "10.9.9.9"]);
    daemon.wait_for("table 'lb/web' is as it should be again", 1);
}
