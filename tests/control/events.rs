//! `events`: what happens, as it happens.

use std::os::unix::net::UnixStream;

use crate::harness::patiently;
use crate::talk::Home;

#[test]
fn they_are_told_whatever_the_log_leaves_out() {
    let home = Home::new("events");
    let mut command = home.0.hfm(&home.configuration(
        "interval = 100ms\na { test = test; test_arguments = [-e, '@DIR@/up'] }\nb { test = \"true\" }\n",
    ));
    command.env("RUST_LOG", "error");
    let mut daemon = home.0.start_command(command);
    assert!(patiently(|| UnixStream::connect(home.socket()).is_ok()), "{}", daemon.log());
    let mut talks = [home.talk(), home.talk()];
    talks.iter_mut().for_each(|talk| talk.send(b"{\"command\":\"events\"}\n"));
    assert!(patiently(|| home.talk().stats()["clients"] == 3));
    home.0.write("up", "");
    for talk in &mut talks {
        let change = std::iter::from_fn(|| talk.line())
            .find(|line| line["event"] == "change" && line["rule"] == "a" && line["state"] == "success")
            .expect("the change");
        assert_eq!((&change["type"], &change["level"]), (&"event".into(), &"info".into()));
        assert_eq!(change["thread"], "main");
        assert!(change["time"].as_str().expect("a time").ends_with('Z'), "{change}");
    }
    // One that leaves does not take them from the other, and what an operator does is an event.
    let [first, mut second] = talks;
    drop(first);
    home.talk().done(r#"{"command":"reload"}"#);
    let wanted = ["control-reload", "reloading", "reloaded"];
    let told: Vec<String> = std::iter::from_fn(|| second.line())
        .filter_map(|line| line["event"].as_str().map(str::to_owned))
        .filter(|event| wanted.contains(&&**event))
        .take(3)
        .collect();
    assert_eq!(told, wanted);
    assert_eq!(daemon.log(), "", "the log's own level is as it was");
    assert_eq!(home.talk().stats()["log_level"], "error");
    assert!(daemon.stop().success());
}

#[test]
fn one_that_does_not_read_misses_some_and_is_told_how_many() {
    let home = Home::new("events-slow");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    let mut slow = home.talk();
    slow.send(b"{\"command\":\"events\"}\n");
    let mut talk = home.talk();
    assert!(patiently(|| talk.stats()["clients"] == 2));
    // Far more than the system and hfm hold for it; each is two events.
    let requests = 2000;
    for _ in 0..requests {
        talk.done(r#"{"command":"log","level":"info"}"#);
        talk.done(r#"{"command":"log","level":"info"}"#);
    }
    let (mut told, mut missed) = (0, 0);
    while told + missed < 2 * requests {
        let line = slow.line().expect("a line");
        match line["type"].as_str() {
            Some("event") => told += u64::from(line["event"] == "control-log"),
            Some("missed") => missed += line["count"].as_u64().expect("a number"),
            other => panic!("{other:?}: {line}"),
        }
    }
    assert!(told > 100 && missed > 100, "{told} told, {missed} missed");
    assert!(daemon.is_running());
}
