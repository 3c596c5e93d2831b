//! Start and restart: what a table holds when hfm comes, and comes back.

use std::fs;
use std::time::Duration;

use crate::firewall::{Firewall, Target};
use crate::harness::{Place, pause};

/// Rules that test this often.
const HEAD: &str = "interval = 50ms\ntables = web\n";

#[test]
fn tables_are_left_until_first_verdicts() {
    let place = Place::new("tables-left");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.2", "10.0.0.3", "10.9.9.9"])]);
    let (up, dead) = (Target::open(), Target::closed());
    let rules = [
        up.rule("w1", "10.0.0.1", ""),
        dead.rule("w2", "10.0.0.2", "start_delay = 1h"),
        dead.rule("w3", "10.0.0.3", ""),
        up.rule("w4", "10.0.0.4", "start_delay = 1h"),
    ];
    let mut daemon = firewall.start(&place, &format!("{HEAD}{}", rules.concat()));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
    pause(Duration::from_millis(300));
    assert!(firewall.holds("web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]));
    assert!(daemon.stop().success());
}

#[test]
fn always_fail_leaves_and_always_success_enters_before_any_run() {
    let place = Place::new("tables-given");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.1"])]);
    let target = Target::closed();
    let rules = [
        target.rule("w1", "10.0.0.1", "start_delay = 1h; status = always-fail"),
        target.rule("w2", "10.0.0.2", "start_delay = 1h; status = always-success"),
        target.rule("w3", "10.0.0.3", "status = disabled"),
    ];
    let daemon = firewall.start(&place, &format!("{HEAD}{}", rules.concat()));
    firewall.wait_for(&daemon, "web", &["10.0.0.2"]);
}

#[test]
fn an_address_that_left_the_file_leaves_its_table_once_every_rule_has_a_verdict() {
    let place = Place::new("tables-leaves");
    let firewall = Firewall::new(&place, &[("web", &["10.9.9.9"])]);
    let mut target = Target::open();
    let first = [target.rule("w1", "10.0.0.1", ""), target.rule("w2", "10.0.0.2", "")];
    let mut daemon = firewall.start(&place, &format!("{HEAD}{}", first.concat()));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
    daemon.stop();
    // w2 is gone from the file; w3 has no verdict for a second.
    target.set(false);
    let second = [target.rule("w1", "10.0.0.1", ""), target.rule("w3", "10.0.0.3", "start_delay = 1s")];
    let daemon = firewall.start(&place, &format!("{HEAD}{}", second.concat()));
    firewall.wait_for(&daemon, "web", &["10.0.0.2", "10.9.9.9"]);
    assert!(!daemon.log().contains("'w3' run"), "w2 waits for w3:\n{}", daemon.log());
    firewall.wait_for(&daemon, "web", &["10.9.9.9"]);
    assert!(daemon.tells("'w3' run"), "{}", daemon.log());
}

#[test]
fn a_table_that_no_rule_names_any_more_is_left_as_it_is_with_a_warning() {
    let place = Place::new("tables-abandoned");
    let firewall = Firewall::new(&place, &[("web", &[]), ("dns", &[])]);
    let target = Target::open();
    let both = format!("{HEAD}{}", target.rule("w1", "10.0.0.1", "tables = [web, dns]"));
    let mut daemon = firewall.start(&place, &both);
    firewall.wait_for(&daemon, "dns", &["10.0.0.1"]);
    daemon.stop();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{}", target.rule("w2", "10.0.0.2", "")));
    firewall.wait_for(&daemon, "web", &["10.0.0.2"]);
    assert!(firewall.holds("dns", &["10.0.0.1"]));
    daemon.wait_for("table 'dns' is named by no rule any more", 1);
}

#[test]
fn a_damaged_record_is_set_aside_and_said_to_be() {
    let place = Place::new("tables-damaged");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.9"])]);
    fs::create_dir(place.path.join("state")).expect("a directory");
    place.write("state/managed", "hfm-managed 1\npfctl web 10.0.0.9\n");
    let target = Target::open();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{}", target.rule("w1", "10.0.0.1", "")));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.9"]);
    daemon.wait_for("its end is missing; set aside as managed.corrupt", 1);
    assert_eq!(place.read("state/managed.corrupt"), "hfm-managed 1\npfctl web 10.0.0.9\n");
    assert_eq!(place.read("state/managed"), "hfm-managed 1\npfctl web 10.0.0.1\nend 1\n");
}

#[test]
fn a_record_that_cannot_be_written_is_told_with_its_whole_path() {
    let place = Place::new("tables-unwritten");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    // Stands where the new one is to be written.
    fs::create_dir_all(place.path.join("state/managed.new")).expect("a directory");
    let target = Target::open();
    let mut daemon = firewall.start(&place, &format!("{HEAD}{}", target.rule("w1", "10.0.0.1", "")));
    let path = place.path.join("state/managed");
    daemon.wait_for(&format!("state_dir: cannot write {}: ", path.display()), 1);
}

#[test]
fn addresses_of_another_data_plane_do_not_count_and_are_kept() {
    let place = Place::new("tables-plane");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.9"])]);
    fs::create_dir(place.path.join("state")).expect("a directory");
    place.write("state/managed", "hfm-managed 1\nnftables web 10.0.0.9\nend 1\n");
    let target = Target::open();
    let daemon = firewall.start(&place, &format!("{HEAD}{}", target.rule("w1", "10.0.0.1", "")));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.9"]);
    assert_eq!(
        place.read("state/managed"),
        "hfm-managed 1\npfctl web 10.0.0.1\nnftables web 10.0.0.9\nend 2\n"
    );
}

#[test]
fn a_state_dir_that_another_hfm_has_is_a_warning() {
    let place = Place::new("tables-locked");
    let firewall = Firewall::new(&place, &[("web", &[]), ("dns", &[])]);
    let target = Target::open();
    let first = firewall.start(&place, &format!("{HEAD}{}", target.rule("w1", "10.0.0.1", "")));
    firewall.wait_for(&first, "web", &["10.0.0.1"]);
    let before = place.read("state/managed");
    let text = "dataplane = pfctl\nstate_dir = \"@DIR@/state\"\ninterval = 50ms\ntables = dns\n";
    let mut command = place.hfm(&format!("{text}{}", target.rule("d1", "10.0.1.1", "")));
    firewall.lead(&mut command);
    let log = place.path.join("second.log");
    let mut second = command.stderr(fs::File::create(&log).expect("a log")).spawn().expect("hfm starts");
    firewall.wait_for(&first, "dns", &["10.0.1.1"]);
    let said = fs::read_to_string(&log).expect("its log");
    second.kill().expect("it runs");
    second.wait().expect("it ends");
    assert!(said.contains("another hfm uses it; give each a state_dir of its own"), "{said}");
    assert_eq!(place.read("state/managed"), before);
}
