//! Reload: what a table holds while the file changes under a running hfm.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::firewall::{Firewall, Target};
use crate::harness::{Daemon, Place, patiently, pause};

const HEAD: &str =
    "dataplane = pfctl\nstate_dir = \"@DIR@/state\"\nreconcile = 500ms\ninterval = 50ms\ntables = web\n";

/// Puts another text into the file, has it read, and waits for this many reloads, or refusals, in all.
fn reload(place: &Place, daemon: &mut Daemon, text: &str, said: &str, times: usize) {
    place.write("hfm.conf", &format!("{HEAD}{text}").replace("@DIR@", &place.path.to_string_lossy()));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for(said, times);
}

fn start(firewall: &Firewall, place: &Place, text: &str) -> Daemon {
    let mut command = place.hfm(&format!("{HEAD}{text}"));
    firewall.lead(&mut command);
    place.start_command(command)
}

/// hfm's own writes so far.
fn writes(firewall: &Firewall) -> usize {
    firewall.calls().lines().filter(|line| line.contains("-T add") || line.contains("-T delete")).count()
}

#[test]
fn the_same_file_changes_nothing() {
    let place = Place::new("tables-reload-same");
    let firewall = Firewall::new(&place, &[("web", &["10.9.9.9"])]);
    let (up, dead) = (Target::open(), Target::closed());
    let rules = [up.rule("w1", "10.0.0.1", ""), dead.rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = start(&firewall, &place, &rules);
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.9.9.9"]);
    daemon.wait_for("'w2' run", 2);
    let before = writes(&firewall);
    for times in 1..=5 {
        reload(
            &place,
            &mut daemon,
            &rules,
            "reloaded rules=2 kept=2 adjusted=0 changed=0 new=0 gone=0",
            times,
        );
    }
    pause(Duration::from_millis(300));
    assert_eq!(writes(&firewall), before);
    assert_eq!(daemon.log().matches("changed state to").count(), 2, "states are kept:\n{}", daemon.log());
}

#[test]
fn an_address_no_longer_named_leaves_once_the_new_rules_have_a_verdict() {
    let place = Place::new("tables-reload-leaves");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let first = [target.rule("w1", "10.0.0.1", ""), target.rule("w2", "10.0.0.2", "")].concat();
    let mut daemon = start(&firewall, &place, &first);
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.2"]);
    let second =
        [target.rule("w1", "10.0.0.1", ""), target.rule("w3", "10.0.0.3", "start_delay = 700ms")].concat();
    reload(&place, &mut daemon, &second, "reloaded rules=2 kept=1 adjusted=0 changed=0 new=1 gone=1", 1);
    pause(Duration::from_millis(300));
    assert!(firewall.holds("web", &["10.0.0.1", "10.0.0.2"]), "w2 waits for w3: {:?}", firewall.show("web"));
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.0.0.3"]);
    // Nothing is new in this one: what is gone leaves at once.
    reload(&place, &mut daemon, &target.rule("w1", "10.0.0.1", ""), "reloaded rules=1", 1);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    assert!(!firewall.calls().lines().any(|line| line.contains("delete") && line.contains("10.0.0.1")));
}

#[test]
fn renamed_rules_and_moved_groups_keep_their_addresses_in() {
    let place = Place::new("tables-reload-renamed");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let mut daemon = start(&firewall, &place, &target.rule("w1", "10.0.0.1", ""));
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    let renamed = target.rule("other", "10.0.0.1", "start_delay = 300ms");
    reload(&place, &mut daemon, &renamed, "reloaded rules=1 kept=0 adjusted=0 changed=0 new=1 gone=1", 1);
    let moved = format!("group {{ {} }}", target.rule("other", "10.0.0.1", "start_delay = 300ms"));
    reload(&place, &mut daemon, &moved, "reloaded rules=1 kept=0 adjusted=0 changed=0 new=1 gone=1", 2);
    daemon.wait_for("'group/other' run", 1);
    assert!(firewall.holds("web", &["10.0.0.1"]));
    assert_eq!(writes(&firewall), 1, "it never moved:\n{}", firewall.calls());
}

#[test]
fn other_addresses_are_left_until_the_first_verdict() {
    let place = Place::new("tables-reload-address");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let mut daemon = start(&firewall, &place, &target.rule("w1", "10.0.0.1", ""));
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    let moved = target.rule("w1", "10.0.0.9", "");
    reload(&place, &mut daemon, &moved, "reloaded rules=1 kept=0 adjusted=0 changed=1 new=0 gone=0", 1);
    firewall.wait_for(&daemon, "web", &["10.0.0.9"]);
    let calls = firewall.calls();
    let (added, gone) =
        (calls.find("10.0.0.9").expect("it is added"), calls.rfind("10.0.0.1").expect("it is gone"));
    assert!(added < gone, "additions come first:\n{calls}");
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let place = Place::new("tables-reload-bad");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let good = target.rule("w1", "10.0.0.1", "");
    let mut daemon = start(&firewall, &place, &good);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    let before = writes(&firewall);
    for (times, (text, said)) in (1..).zip([
        ("w1 {", "is never closed"),
        ("w1 { test = \"htps://10.0.0.1/\" }", "unknown test scheme 'htps'"),
        (".include \"/nonexistent/hfm.d/web.conf\"", "/nonexistent/hfm.d/web.conf"),
    ]) {
        reload(&place, &mut daemon, text, "reload refused, nothing changes: errors=1", times);
        daemon.wait_for(said, 1);
    }
    let other_plane = format!("{HEAD}{good}").replace("dataplane = pfctl", "dataplane = memory");
    place.write("hfm.conf", &other_plane.replace("@DIR@", &place.path.to_string_lossy()));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for(
        "reload refused, nothing changes: 'dataplane' cannot change while hfm runs; restart hfm",
        1,
    );
    daemon.wait_for("hfm.conf:6:", 3);
    firewall.operator("web", &["delete", "10.0.0.1"]);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    assert_eq!(writes(&firewall), before + 1, "it goes on as before");
}

#[test]
fn an_empty_file_leaves_tables_as_they_are_and_hfm_waits_for_a_better_one() {
    let place = Place::new("tables-reload-empty");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let good = target.rule("w1", "10.0.0.1", "");
    let mut daemon = start(&firewall, &place, &good);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    reload(&place, &mut daemon, "", "there is no rule any more: nothing is tested", 1);
    daemon.wait_for("table 'web' is named by no rule any more: it is left as it is", 1);
    pause(Duration::from_millis(300));
    assert!(daemon.is_running() && firewall.holds("web", &["10.0.0.1"]));
    reload(&place, &mut daemon, &good, "reloaded rules=1 kept=0 adjusted=0 changed=0 new=1 gone=0", 1);
    assert!(daemon.stop().success());
}

#[test]
fn a_misspelt_table_that_was_never_there_is_not_missed_once_it_is_put_right() {
    let place = Place::new("tables-reload-misspelt");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let target = Target::open();
    let mut daemon = start(&firewall, &place, &target.rule("w1", "10.0.0.1", "tables = wbe"));
    daemon.wait_for("table 'wbe': there is no such table", 1);
    let right = target.rule("w1", "10.0.0.1", "tables = web");
    reload(&place, &mut daemon, &right, "reloaded rules=1", 1);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    assert!(!daemon.log().contains("named by no rule any more"), "{}", daemon.log());
    assert_eq!(place.read("state/managed"), "hfm-managed 1\npfctl web 10.0.0.1\nend 1\n");
    assert!(daemon.stop().success());
}

#[test]
fn a_probe_under_way_of_a_rule_that_stays_goes_on_over_its_connection() {
    let place = Place::new("tables-reload-probe");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            std::thread::spawn(move || {
                pause(Duration::from_millis(1500));
                let _ =
                    std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                let _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
            });
        }
    });
    let rule = |more: &str| {
        format!(
            "w1 {{ test = \"http://127.0.0.1:{port}/\"; interval = 1h; timeout = 20s; addresses = \"10.0.0.1\"; {more} }}\n"
        )
    };
    let mut daemon = start(&firewall, &place, &rule(""));
    let came = || asked.load(std::sync::atomic::Ordering::SeqCst);
    assert!(patiently(|| came() == 1));
    reload(&place, &mut daemon, &rule("change_fail_debounce = 3"), "kept=0 adjusted=1", 1);
    firewall.wait_for(&daemon, "web", &["10.0.0.1"]);
    assert_eq!(came(), 1, "it was not asked again");
    assert!(daemon.tells(":w1:1 changed state to: RuleStateSuccess"), "{}", daemon.log());
}

#[test]
fn a_test_whose_rule_is_gone_is_killed_and_one_whose_rule_stays_goes_on() {
    let place = Place::new("tables-reload-children");
    let firewall = Firewall::new(&place, &[("web", &[])]);
    let sleeper = |name: &str| {
        let script = "echo $$ > @DIR@/NAME.pid; exec sleep 100".replace("NAME", name);
        format!(
            "{name} {{ test = sh; test_arguments = [\"-c\", \"{script}\"]; interval = 200s; tables = [] }}\n"
        )
    };
    let mut daemon = start(&firewall, &place, &[sleeper("stays"), sleeper("goes")].concat());
    let pid = |name: &str| place.read(&format!("{name}.pid")).trim().parse::<u32>().ok();
    assert!(patiently(|| pid("stays").is_some() && pid("goes").is_some()));
    let (stays, goes) = (pid("stays").expect("a pid"), pid("goes").expect("a pid"));
    reload(
        &place,
        &mut daemon,
        &sleeper("stays"),
        "reloaded rules=1 kept=1 adjusted=0 changed=0 new=0 gone=1",
        1,
    );
    assert!(patiently(|| !crate::harness::exists(goes)));
    assert!(crate::harness::exists(stays));
}

#[test]
fn what_a_failing_firewall_was_to_be_told_is_still_told_after_a_reload() {
    let place = Place::new("tables-reload-retries");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.2", "10.9.9.9"])]);
    firewall.set_mode("fail only add");
    let (up, dead, other) = (Target::open(), Target::closed(), Target::closed());
    let rules = |more: &str| [up.rule("w1", "10.0.0.1", more), dead.rule("w2", "10.0.0.2", more)].concat();
    let mut daemon = start(&firewall, &place, &rules(""));
    daemon.wait_for("table 'web' cannot be read or written: ", 1);
    reload(&place, &mut daemon, &rules(""), "kept=2", 1);
    reload(&place, &mut daemon, &rules("change_fail_debounce = 2"), "adjusted=2", 1);
    // One that is tested otherwise is unknown again, which must not lose what is still to be written of the other.
    let changed = [up.rule("w1", "10.0.0.1", ""), other.rule("w2", "10.0.0.2", "")].concat();
    reload(&place, &mut daemon, &changed, "changed=1", 1);
    firewall.set_mode("ok");
    firewall.wait_for(&daemon, "web", &["10.0.0.1", "10.9.9.9"]);
    assert!(daemon.stop().success());
}
