//! A helper has nothing of its hfm but the socket.

use std::fs;
use std::path::{Component, PathBuf};

use hfm::demotion::protocol::{News, Order, Shares};
use nix::sys::signal::Signal;

use super::daemon::{Daemon, End, FOREVER, Kind, Said, Spec};
use super::world::{World, shares};

fn status(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.unwrap_or_else(|| panic!("no {field}")).trim().to_owned()
}

fn signals(pid: u32, field: &str) -> Vec<i32> {
    let mask = u64::from_str_radix(&status(pid, field), 16).expect("a mask");
    // Those above are of the C library, or of nobody.
    (1..32).filter(|number| mask & 1 << (number - 1) != 0).collect()
}

#[test]
fn it_has_no_descriptor_signal_or_session_of_its_hfm() {
    let world = World::new("alone");
    let daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &Shares::new());
    let pid = daemon.helper.pid.as_raw().cast_unsigned();
    let mut sockets = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("it is there") {
        let entry = entry.expect("an entry");
        let number: u32 = entry.file_name().to_str().and_then(|name| name.parse().ok()).expect("a number");
        let to = fs::read_link(entry.path()).expect("it leads somewhere").display().to_string();
        if number < 3 {
            assert_eq!(to, "/dev/null", "{number}");
        } else if to.starts_with("socket:") {
            sockets += 1;
        } else {
            assert_eq!(to, world.state_dir().join("demotion.lock").display().to_string(), "{number}");
        }
    }
    // That to hfm, that of the signals and one for each of them; perhaps one to the system's log.
    assert!((4..=5).contains(&sockets), "{sockets}");
    assert_eq!(signals(pid, "SigBlk"), [0_i32; 0]);
    let numbers = |signals: &[Signal]| signals.iter().map(|signal| *signal as i32).collect::<Vec<_>>();
    use Signal::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1};
    assert_eq!(signals(pid, "SigIgn"), numbers(&[SIGHUP, SIGINT, SIGQUIT, SIGPIPE]));
    assert_eq!(signals(pid, "SigCgt"), numbers(&[SIGUSR1, SIGTERM]));
    assert_eq!(status(pid, "Name"), "hfm-demotion");
    let directory = fs::read_link(format!("/proc/{pid}/cwd")).expect("it is there");
    assert_eq!(directory.to_str(), Some("/"));
    assert_eq!(status(pid, "Threads"), "1");
    // Hfm has no child that it would have to wait for, and no terminal of it leads here.
    assert_eq!(status(pid, "PPid"), std::process::id().to_string());
    assert_eq!(status(pid, "NSsid").split_whitespace().last(), Some(&*pid.to_string()));
}

#[test]
fn a_pipe_of_hfm_ends_with_hfm() {
    let world = World::new("pipe");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &Shares::new());
    daemon.have(&shares(&[("uplink", 1)]), 1);
    daemon.kill();
    assert_eq!(daemon.hear(), Said::Silence);
    assert!(daemon.helper.is_there());
}

#[test]
fn hfm_sees_that_its_helper_was_killed_and_has_no_child_left_over() {
    let world = World::new("helper-killed");
    let spec = Spec::new(Kind::Counter, FOREVER);
    let mut daemon = Daemon::begun(&world, &spec, &Shares::new());
    daemon.have(&shares(&[("uplink", 7)]), 7);
    daemon.helper.signal(Signal::SIGKILL);
    assert_eq!(daemon.hear(), Said::Gone);
    assert_eq!(daemon.helper.wait(), End::Killed);
    let pid = daemon.pid();
    for task in fs::read_dir(format!("/proc/{pid}/task")).expect("it is there") {
        let children = fs::read_to_string(task.expect("an entry").path().join("children"));
        assert_eq!(children.expect("Linux 3.5").trim(), "");
    }
    assert_eq!(world.ours(), 7);
    daemon.stop();
    let daemon = Daemon::begun(&world, &spec, &shares(&[("uplink", 7)]));
    assert_eq!(world.ours(), 7);
    drop(daemon);
}

#[test]
fn where_it_begins_is_as_its_hfm_sees_it() {
    let world = World::new("relative");
    let mut daemon = Daemon::start(&world, &Spec::new(Kind::Counter, FOREVER));
    let (here, there) = (std::env::current_dir().expect("there is one"), world.state_dir());
    let shared = here.components().zip(there.components()).take_while(|(here, there)| here == there).count();
    let up = here.components().skip(shared).map(|_| Component::ParentDir);
    let state_dir: PathBuf = up.chain(there.components().skip(shared)).collect();
    assert!(state_dir.is_relative());
    daemon.tell(&Order::Begin { state_dir: state_dir.to_str().expect("a plain path").to_owned() });
    assert!(matches!(daemon.hear(), Said::News(News::Began { .. })));
    assert!(world.record().exists());
}

#[test]
fn it_starts_for_who_does_not_want_to_know_how_children_end() {
    let world = World::new("childless");
    let mut spec = Spec::new(Kind::Counter, FOREVER);
    spec.ignores_children = true;
    let mut daemon = Daemon::begun(&world, &spec, &Shares::new());
    daemon.have(&shares(&[("uplink", 7)]), 7);
    assert_eq!(world.ours(), 7);
}
