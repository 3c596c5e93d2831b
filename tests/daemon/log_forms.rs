//! The log as objects of JSON, and how often a line may repeat.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::harness::Place;
use crate::json::{self, Object, Value};
use crate::skip::skip;

/// Every line of a log as an object.
pub(crate) fn objects(log: &str) -> Vec<Object> {
    log.split_terminator('\n').map(json::object).collect()
}

/// A member of an object.
pub(crate) fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Those of this event.
pub(crate) fn of_event<'a>(objects: &'a [Object], event: &str) -> Vec<&'a Object> {
    let wanted = Value::Text(event.to_owned());
    objects.iter().filter(|object| member(object, "event") == Some(&wanted)).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[track_caller]
fn assert_members(object: &Object, wanted: &[(&str, Value)]) {
    for (name, value) in wanted {
        assert_eq!(member(object, name), Some(value), "{name} of {object:?}");
    }
}

#[test]
fn every_line_of_json_is_an_object_with_the_fields_of_its_event() {
    let (status, log) = Place::new("json").run(
        "log_format = json\ndataplane = memory\nruns = 2\ninterval = 100ms\n\
         a { test = sh; test_arguments = [-c, 'echo out; echo err >&2; exit 3']; change_fail = \"false\";\n\
             tables = web; addresses = [10.0.0.1, '10.1.0.0/16'] }\n\
         b { test = \"true\"; tables = web; addresses = '10.0.0.2' }\n",
    );
    assert_eq!(status.code(), Some(0), "{log}");
    let objects = objects(&log);
    for object in &objects {
        let names: Vec<&str> = object.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names[..4], ["time", "level", "thread", "message"], "{object:?}");
        let Some(Value::Text(time)) = member(object, "time") else { panic!("no time: {object:?}") };
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99T99:99:99.999999Z");
    }
    let one = |event: &str, rule: &str| {
        let wanted = text(rule);
        let found =
            of_event(&objects, event).into_iter().find(|object| member(object, "rule") == Some(&wanted));
        found.unwrap_or_else(|| panic!("no {event} of {rule}:\n{log}"))
    };
    assert_members(
        of_event(&objects, "loaded")[0],
        &[("message", text("Loaded 2 rules.")), ("rules", Value::Number(2.0))],
    );
    let change = one("change", "a");
    assert_members(
        change,
        &[
            ("level", text("warn")),
            ("state", text("fail")),
            ("previous", text("unknown")),
            ("reason", text("exit-status")),
            ("detail", text("exit status 3")),
            ("streak", Value::Number(1.0)),
        ],
    );
    let Some(Value::Text(run)) = member(change, "run") else { panic!("no run: {change:?}") };
    assert_members(change, &[("message", text(&format!("'a' run {run} changed state to: RuleStateFail")))]);
    assert!(matches!(member(change, "elapsed_ms"), Some(Value::Number(ms)) if *ms > 0.0), "{change:?}");
    assert_members(one("change", "b"), &[("level", text("info")), ("state", text("success"))]);
    assert_members(one("failed", "a"), &[("detail", text("exit status 3")), ("level", text("info"))]);
    for (stream, level, output) in [("stdout", "info", "out"), ("stderr", "error", "err")] {
        let wanted = text(stream);
        let outputs = of_event(&objects, "output");
        let found = outputs.iter().find(|object| member(object, "stream") == Some(&wanted)).expect("output");
        assert_members(found, &[("output", text(output)), ("level", text(level)), ("of", text("test"))]);
    }
    assert_members(one("command-failed", "a"), &[("detail", text("exit status 1"))]);
    let written = of_event(&objects, "table-written");
    assert_members(
        written.first().expect("the table was written"),
        &[("table", text("web")), ("thread", text("writer")), ("removed", Value::Texts(Vec::new()))],
    );
    let added = |object: &&Object| member(object, "added") == Some(&Value::Texts(vec!["10.0.0.2".into()]));
    assert!(written.iter().any(added), "{log}");
    assert_eq!(of_event(&objects, "completed").len(), 2);
    assert_eq!(of_event(&objects, "all-done").len(), 1);
}

#[test]
fn summaries_in_json_have_their_numbers() {
    let place = Place::new("json-summary");
    let mut daemon = place.start(
        "log_format = json\ndataplane = memory\ninterval = 100ms\ntables = web\n\
         a { test = \"false\"; addresses = '10.0.0.1' }\n",
    );
    daemon.wait_for("changed state", 1);
    daemon.signal(nix::sys::signal::Signal::SIGUSR1);
    daemon.wait_for("summary-table\"", 1);
    daemon.wait_for("summary-address\"", 1);
    assert_eq!(daemon.stop().code(), Some(0));
    let objects = objects(&daemon.log());
    let one = |event: &str| *of_event(&objects, event).first().unwrap_or_else(|| panic!("no {event}"));
    assert_members(one("summary-rules"), &[("message", text("summary:")), ("fail", Value::Number(1.0))]);
    assert!(matches!(member(one("summary-runs"), "lateness_p999_us"), Some(Value::Number(_))));
    assert_members(one("summary-rule"), &[("rule", text("a")), ("stale", Value::Truth(false))]);
    assert_members(one("summary-table"), &[("table", text("web")), ("managed", Value::Number(1.0))]);
    assert_members(one("stopping"), &[("signal", text("SIGTERM")), ("message", text("SIGTERM: stopping"))]);
}

#[test]
fn a_reload_changes_the_form_from_the_next_line_on() {
    let place = Place::new("json-reload");
    let mut daemon = place.start("a { test = \"true\"; interval = 1s }");
    daemon.wait_for("'a' run", 1);
    place.write("hfm.conf", "log_format = json\na { test = \"true\"; interval = 1s }");
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_for("\"event\":\"reloaded\"", 1);
    place.write("hfm.conf", "interval = x\n");
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_for("\"event\":\"reload-refused\"", 1);
    assert_eq!(daemon.stop().code(), Some(0));
    let log = daemon.log();
    let objects = objects(&log[log.find('{').expect("an object")..]);
    assert_members(
        of_event(&objects, "reloaded")[0],
        &[("rules", Value::Number(1.0)), ("kept", Value::Number(1.0))],
    );
    assert_members(of_event(&objects, "reload-refused")[0], &[("level", text("error"))]);
    assert!(!of_event(&objects, "configuration").is_empty(), "{log}");
}

#[test]
fn syslog_gets_the_object_as_its_message() {
    const SOCKET: &str = "/dev/log";
    let _alone = crate::logs::ALONE_WITH_SYSLOG.lock();
    if std::path::Path::new(SOCKET).exists() {
        return skip("log_forms::syslog: /dev/log belongs to a system logger");
    }
    let Ok(socket) = UnixDatagram::bind(SOCKET) else {
        return skip("log_forms::syslog: no right to make /dev/log");
    };
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let place = Place::new("syslog-json");
    let mut command = place.hfm("log_format = json\na { test = \"false\"; runs = 1 }");
    let mut daemon = command.args(["-log", "syslog"]).spawn().expect("hfm starts");
    let mut lines = Vec::new();
    let mut buffer = [0; 4096];
    while !lines.iter().any(|line: &String| line.contains("every rule is done")) {
        let length = socket.recv(&mut buffer).expect("a message");
        lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    std::fs::remove_file(SOCKET).expect("it is ours");
    assert!(daemon.wait().expect("it ends").success());
    let objects: Vec<Object> =
        lines.iter().map(|line| json::object(line.split_once("]: ").expect("an identity").1)).collect();
    assert_eq!(of_event(&objects, "change").len(), 1, "{lines:?}");
}

#[test]
fn lines_that_repeat_are_held_back_and_counted_and_changes_are_not() {
    let place = Place::new("held-back");
    let script = "echo x >> @DIR@/runs; echo out; exit $(($(wc -l < @DIR@/runs) % 2))";
    let mut daemon = place.start(&format!(
        "interval = 10ms\n\
         flaps {{ test = sh; test_arguments = [-c, '{script}'] }}\n\
         slow {{ test = \"false\"; interval = 1s }}\n"
    ));
    daemon.wait_for("'slow' run", 6);
    assert_eq!(daemon.stop().code(), Some(0));
    let log = daemon.log();
    let of =
        |what: &str| log.lines().filter(|line| line.contains("'flaps' run") && line.contains(what)).collect();
    let (failed, outputs, changes): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (of("completed with error"), of("produced output"), of("changed state"));
    let held = |lines: &[&str]| -> usize {
        let counts = lines.iter().filter_map(|line| line.split_once(" held_back=")?.1.parse::<usize>().ok());
        counts.sum()
    };
    let runs = place.read("runs").lines().count();
    assert!(runs > 60, "{runs} runs");
    // Every run changes the state; one may have been killed at the end.
    assert!(changes.len() + 2 >= runs, "{} changes of {runs} runs", changes.len());
    // A burst of ten, and one for each of about five seconds.
    for lines in [&failed, &outputs] {
        assert!((11..25).contains(&lines.len()), "{}", lines.join("\n"));
        assert!(held(lines) > 0, "{}", lines.join("\n"));
        assert!(lines[..10].iter().all(|line| !line.contains("held_back")), "{}", lines.join("\n"));
    }
    assert!(outputs.len() + held(&outputs) <= runs);
    let slow =
        log.lines().filter(|line| line.contains("'slow' run") && line.contains("completed with error"));
    assert!(slow.clone().count() >= 5 && slow.clone().all(|line| !line.contains("held_back")), "{log}");
}

#[test]
fn what_was_held_back_at_last_is_told_although_nothing_follows() {
    let place = Place::new("held-back-last");
    let mut daemon = place.start(
        "fast { test = \"false\"; interval = 10ms; runs = 30 }\n\
         other { test = \"true\"; interval = 1s }\n",
    );
    daemon.wait_for("more lines of 'failed' were held back", 1);
    let log = daemon.log();
    let told = log.lines().filter(|line| line.contains("'fast' run") && line.contains("with error")).count();
    let line = log.lines().find(|line| line.contains("more lines of 'failed'")).expect("it was waited for");
    let count =
        line.split_once("'fast' ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
    let counted: usize =
        log.lines().filter_map(|line| line.split_once(" held_back=")?.1.parse::<usize>().ok()).sum();
    assert_eq!(told + counted + count.expect("a number"), 30, "{log}");
    assert_eq!(daemon.stop().code(), Some(0));
}
