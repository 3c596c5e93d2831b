//! Signals while clients are connected.

use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::patiently;
use crate::house::{House, Running};

#[test]
fn who_watches_goes_on_after_a_restart_and_who_listens_ends_with_hfm() {
    let house = House::new("signals");
    let mut daemon = house.start("first { test = \"true\" }\n");
    let mut watcher = Running(house.hfmctl(&["status", "-w", "0.1"]).spawn().expect("hfmctl runs"));
    let mut lines = BufReader::new(watcher.0.stdout.take().expect("its stdout")).lines();
    let mut wait_for = |start: &str| {
        let mut all = std::iter::from_fn(|| lines.next()).map(|line| line.expect("text"));
        assert!(all.any(|line| line.starts_with(start)), "{start}");
    };
    wait_for("first  up ");
    let mut listener = Running(house.hfmctl(&["events"]).spawn().expect("hfmctl runs"));
    let (tell, told) = std::sync::mpsc::channel();
    let events = BufReader::new(listener.0.stdout.take().expect("its stdout")).lines();
    let reader = std::thread::spawn(move || events.for_each(|line| _ = tell.send(line.expect("text"))));
    // It listens once it hears something.
    let hears = || {
        house.done(&["log", "info"]);
        told.try_recv().is_ok()
    };
    assert!(patiently(hears), "{}", daemon.log());
    // They are there all the same.
    house.rewrite("second { test = \"true\" }\n");
    daemon.signal(Signal::SIGHUP);
    daemon.signal(Signal::SIGUSR1);
    daemon.wait_for("reloaded rules=1", 1);
    daemon.wait_for("rules=1 ", 1);
    wait_for("second  up ");
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(listener.0.wait().expect("it ends").code(), Some(2));
    reader.join().expect("it ends with hfmctl");
    let said: Vec<String> = told.try_iter().collect();
    assert!(said.iter().any(|line| line.contains(" reloaded ")), "{said:#?}");
    daemon = house.start("third { test = \"true\" }\n");
    wait_for("third  up ");
    kill(Pid::from_raw(watcher.0.id() as i32), Signal::SIGINT).expect("it runs");
    assert_eq!(watcher.0.wait().expect("it ends").code(), Some(0));
    assert!(daemon.is_running());
}
