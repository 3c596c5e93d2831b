//! The demotion counter: who adds to it, who takes it back, and that nobody else has the right.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;
#[cfg(target_os = "linux")]
use nix::{sys::signal::kill, unistd::Pid};
use serde_json::Value;

use crate::harness::{Daemon, patiently};
use crate::house::House;

/// Rules that anybody can see fail or succeed by a file.
fn rule(house: &House, name: &str, more: &str) -> String {
    let up = house.home.0.path.join(format!("{name}.up"));
    format!("{name} {{ test = test; test_arguments = [-e, '{}']; {more} }}\n", up.display())
}

fn set_up(house: &House, name: &str, is_up: bool) {
    let up = house.home.0.path.join(format!("{name}.up"));
    if is_up { fs::write(up, "").unwrap() } else { drop(fs::remove_file(up)) }
}

/// Why a reload of this file is refused.
fn refused_after(house: &House, text: &str) -> String {
    house.rewrite(text);
    house.refused(&["reload"])
}

/// What the log of an hfm says that does not start with this file.
fn start_fails(house: &House, text: &str) -> String {
    let mut daemon = house.home.0.start_command(house.hfm(text));
    assert_eq!(daemon.wait().code(), Some(2), "{}", daemon.log());
    daemon.log()
}

fn kill_daemon(daemon: &mut Daemon) {
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
}

/// An hfm that demotes a machine, by a file.
struct Pair {
    house: House,
}

impl Pair {
    fn new(test: &str) -> Self {
        Self { house: House::new(&format!("demote-{test}")) }
    }

    fn file(&self) -> PathBuf {
        self.house.home.0.path.join("demoted")
    }

    /// A file with these two rules, and what stands before them.
    fn text(&self, head: &str, uplink: &str, dns: &str) -> String {
        let state = self.house.home.0.path.join("state");
        format!(
            "demotion = \"file:{}\"\nstate_dir = \"{}\"\n{head}{}{}",
            self.file().display(),
            state.display(),
            rule(&self.house, "uplink", uplink),
            rule(&self.house, "dns", dns),
        )
    }

    fn start(&self) -> Daemon {
        self.house.start(&self.text("", "demote = 50", "demote = 20"))
    }

    fn wait_for(&self, total: u16, daemon: &Daemon) {
        let is_so = || self.read() == Some(total);
        assert!(patiently(is_so), "{:?} and not {total}\n{}", self.read(), daemon.log());
    }

    fn read(&self) -> Option<u16> {
        fs::read_to_string(self.file()).ok()?.strip_suffix('\n')?.parse().ok()
    }

    fn stats(&self) -> Value {
        let answer = self.house.done(&["--json", "stats"]);
        let row = answer.lines().next().expect("a line");
        serde_json::from_str::<Value>(row).expect("JSON")["demotion"].clone()
    }
}

/// Processes that hold what is demoted for this hfm: those that have its socket's other end have its state directory's
/// lock too.
#[cfg(target_os = "linux")]
fn helpers(pair: &Pair) -> Vec<i32> {
    let lock = pair.house.home.0.path.join("state/demotion.lock");
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has_lock = |process: &i32| {
        let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
        open.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|path| path == lock))
    };
    processes.filter(has_lock).collect()
}

#[test]
fn the_sum_of_failed_rules_is_in_the_file_and_a_drained_one_adds_nothing() {
    let pair = Pair::new("sum");
    set_up(&pair.house, "dns", true);
    let mut daemon = pair.start();
    pair.wait_for(50, &daemon);
    set_up(&pair.house, "dns", false);
    pair.wait_for(70, &daemon);
    // What is written is in the file before hfm hears that it is.
    let told = serde_json::json!({"total": 70, "lost": false, "wanted": {"uplink": 50, "dns": 20}});
    assert!(patiently(|| pair.stats() == told), "{}", pair.stats());
    assert!(pair.house.done(&["stats"]).contains("70 (20 by dns, 50 by uplink)"));
    pair.house.done(&["drain", "uplink"]);
    pair.wait_for(20, &daemon);
    pair.house.done(&["enable", "uplink"]);
    pair.wait_for(70, &daemon);
    pair.house.done(&["set", "dns", "always-success"]);
    pair.wait_for(50, &daemon);
    set_up(&pair.house, "uplink", true);
    pair.wait_for(0, &daemon);
    daemon.wait_for("demotion changes from 50 to 0: no rule is failed", 1);
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(pair.read(), Some(0));
}

#[test]
fn a_restart_moves_nothing_and_stop_takes_everything_back() {
    let pair = Pair::new("restart");
    let mut daemon = pair.start();
    pair.wait_for(70, &daemon);
    for is_killed in [false, true] {
        if is_killed {
            kill_daemon(&mut daemon);
        } else {
            assert_eq!(daemon.stop().code(), Some(0));
        }
        assert_eq!(pair.read(), Some(70));
        // What one says that has no verdict yet is what the one before said.
        daemon = pair.house.start(&pair.text(
            "",
            "demote = 50; start_delay = 1h",
            "demote = 20; start_delay = 1h",
        ));
        daemon.wait_for("took over what the hfm before has added, 20 by 'dns', 50 by 'uplink'", 1);
        assert_eq!(pair.stats()["wanted"], serde_json::json!({"uplink": 50, "dns": 20}));
        assert_eq!(pair.read(), Some(70));
    }
    pair.house.done(&["stop"]);
    assert!(patiently(|| !daemon.is_running()), "{}", daemon.log());
    assert_eq!(pair.read(), Some(0), "{}", daemon.log());
    let daemon = pair.start();
    pair.wait_for(70, &daemon);
    assert!(!daemon.log().contains("took over"), "{}", daemon.log());
    pair.house.done(&["stop"]);
}

#[test]
fn a_reload_takes_back_what_is_gone_and_keeps_what_is_not_known() {
    let pair = Pair::new("reload");
    let daemon = pair.start();
    pair.wait_for(70, &daemon);
    // One rule's share is another one; the other has none any more.
    pair.house.rewrite(&pair.text("", "demote = 30", ""));
    pair.house.done(&["reload"]);
    pair.wait_for(30, &daemon);
    // Another test, of which nothing is known: the share of before stays.
    let other = pair.text("", "demote = 40; start_delay = 1h", "demote = 5").replace("uplink.up", "other.up");
    pair.house.rewrite(&other);
    pair.house.done(&["reload"]);
    pair.wait_for(35, &daemon);
    let why = refused_after(&pair.house, &pair.text("", "demote = 40", "").replace("demoted", "elsewhere"));
    assert!(why.contains("'demotion' cannot change while hfm runs"), "{why}");
    assert_eq!(pair.read(), Some(35));
    pair.house.done(&["stop"]);
}

#[test]
fn the_first_share_takes_a_restart() {
    let pair = Pair::new("first");
    let _daemon = pair.house.start(&pair.text("", "", ""));
    let why = refused_after(&pair.house, &pair.text("", "demote = 40", ""));
    assert!(why.contains("no rule had 'demote' when hfm started; restart hfm"), "{why}");
    assert_eq!(pair.read(), None);
}

/// Nobody is there any more to take it back, and nothing says that it is there.
#[cfg(target_os = "linux")]
#[test]
fn what_was_left_is_taken_back_when_no_rule_demotes_any_more() {
    let pair = Pair::new("left");
    let mut daemon = pair.start();
    pair.wait_for(70, &daemon);
    let all = helpers(&pair);
    kill_daemon(&mut daemon);
    all.iter().for_each(|helper| kill(Pid::from_raw(*helper), Signal::SIGKILL).unwrap());
    // Not even what is demoted is configured.
    let text = pair.text("", "", "");
    let plain = text.replacen("demotion = ", "# ", 1);
    let mut daemon = pair.house.start(&plain);
    daemon.wait_for("demotion: the 70 that an hfm before this one has added are taken back", 1);
    assert_eq!(pair.read(), Some(0));
    assert_eq!(pair.stats(), Value::Null);
    assert!(helpers(&pair).is_empty());
    daemon.stop();
    let mut daemon = pair.house.start(&plain);
    assert!(!daemon.log().contains("demotion"), "{}", daemon.log());
    daemon.stop();
    // What nobody understands is said, and keeps nobody from starting.
    fs::write(pair.house.home.0.path.join("state/demotion"), "nonsense").unwrap();
    let daemon = pair.house.start(&plain);
    assert!(
        daemon.tells("has added is left there: ") && daemon.tells("state/demotion: it does not begin"),
        "{}",
        daemon.log()
    );
}

#[test]
fn dry_run_says_what_would_be_and_touches_nothing() {
    let pair = Pair::new("dry");
    let mut daemon = pair.house.start(&pair.text("dry_run = yes\n", "demote = 50", ""));
    daemon.wait_for("dry run: demotion would change from 0 to 50: 50 by 'uplink'", 1);
    assert_eq!(pair.read(), None);
    assert!(!pair.house.home.0.path.join("state").exists());
    let said = pair.house.done(&["stats"]);
    assert!(said.starts_with("dry run            nothing is written"), "{said}");
    assert!(said.contains("demotion           50 (50 by uplink); a dry run: not written\n"), "{said}");
    assert!(pair.house.done(&["--json", "stats"]).contains("\"dry_run\":true"));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn what_cannot_be_demoted_refuses_the_start_and_says_why() {
    let pair = Pair::new("refused");
    let text = pair.text("", "demote = 50", "");
    let missing = text.replace("/demoted", "/nowhere/demoted");
    let log = start_fails(&pair.house, &missing);
    assert!(log.contains("cannot start: demotion: ") && log.contains("/nowhere/demoted"), "{log}");
    // Without a directory nobody could take back what was added after a crash.
    let state = pair.house.home.0.path.join("state");
    let _ = fs::remove_dir_all(&state);
    fs::write(&state, "").unwrap();
    let log = start_fails(&pair.house, &text);
    assert!(log.contains("cannot start: 'demote' needs a state_dir"), "{log}");
    assert_eq!(pair.read(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_helper_that_is_killed_is_told_of_and_its_share_stays_until_a_restart() {
    let pair = Pair::new("killed");
    let mut daemon = pair.start();
    pair.wait_for(70, &daemon);
    let [helper] = helpers(&pair)[..] else { panic!("{:?}", helpers(&pair)) };
    kill(Pid::from_raw(helper), Signal::SIGKILL).unwrap();
    daemon.wait_for("demotion: its helper process is gone", 1);
    assert_eq!(pair.stats()["lost"], true);
    set_up(&pair.house, "uplink", true);
    pair.house.wait_for_state(&daemon, "uplink", "success");
    assert_eq!(pair.read(), Some(70));
    assert_eq!(daemon.stop().code(), Some(0));
    let daemon = pair.start();
    pair.wait_for(20, &daemon);
    assert_eq!(helpers(&pair).len(), 1);
    pair.house.done(&["stop"]);
    assert!(patiently(|| helpers(&pair).is_empty()));
}

/// Everybody may be killed at any moment: the next one makes it good.
#[cfg(target_os = "linux")]
#[test]
fn whoever_is_killed_when_the_next_one_makes_it_good() {
    let pair = Pair::new("kills");
    let mut daemon = pair.start();
    for round in 0..20_u32 {
        let (uplink, dns) = (round % 2 == 0, round % 3 == 0);
        set_up(&pair.house, "uplink", uplink);
        set_up(&pair.house, "dns", dns);
        let all = helpers(&pair);
        if round % 4 < 2 {
            kill_daemon(&mut daemon);
        }
        if round % 4 != 1 {
            all.iter().for_each(|helper| _ = kill(Pid::from_raw(*helper), Signal::SIGKILL));
        }
        if round % 4 >= 2 {
            kill_daemon(&mut daemon);
        }
        daemon = pair.start();
        let wanted = if uplink { 0 } else { 50 } + if dns { 0 } else { 20 };
        pair.wait_for(wanted, &daemon);
        assert_eq!(helpers(&pair).len(), 1, "round {round}");
    }
    pair.house.done(&["stop"]);
}
