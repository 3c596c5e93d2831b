//! Every command against a server that answers as it should: requests, outputs, exit statuses.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::server::{Play, Running, Server, done, hfmctl, rule, stderr, stdout, text};

#[test]
fn every_command_sends_its_request_and_ends_with_0_when_it_is_done() {
    for (name, arguments, request) in [
        ("status", &["status"][..], r#"{"command":"status"}"#),
        ("status-of", &["status", "web/*"], r#"{"command":"status","rules":"web/*"}"#),
        ("tables", &["tables"], r#"{"command":"tables"}"#),
        (
            "drain",
            &["drain", "a", "--for", "1h30m", "--reason", "it's \"me\"", "--force"],
            r#"{"command":"drain","rules":"a","for_ms":5400000,"reason":"it's \"me\"","force":true}"#,
        ),
        ("disable", &["disable", "a"], r#"{"command":"disable","rules":"a"}"#),
        ("enable", &["enable", "a"], r#"{"command":"enable","rules":"a"}"#),
        ("set", &["set", "a", "always-fail"], r#"{"command":"set","rules":"a","to":"always-fail"}"#),
        ("run", &["run", "a"], r#"{"command":"run","rules":"a"}"#),
        ("reload", &["reload"], r#"{"command":"reload"}"#),
        ("reconcile", &["reconcile"], r#"{"command":"reconcile"}"#),
        ("events", &["events"], r#"{"command":"events"}"#),
        ("stats", &["stats"], r#"{"command":"stats"}"#),
        ("log", &["log", "debug"], r#"{"command":"log","level":"debug"}"#),
        ("stop", &["stop"], r#"{"command":"stop"}"#),
    ] {
        let server = Server::saying(name, &[done("so it is")]);
        let output = server.run(arguments);
        assert_eq!(server.request(), format!("{request}\n"), "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(stderr(&output), "", "{arguments:?}");
        let says_done = ["drain", "disable", "enable", "set", "reload", "reconcile", "log", "stop"];
        assert_eq!(stdout(&output) == "so it is\n", says_done.contains(&name), "{output:?}");
    }
}

#[test]
fn whoever_is_behind_sudo_is_told_of() {
    let server = Server::saying("by", &[done("")]);
    let mut command = server.hfmctl(&["enable", "a"]);
    command.env("USER", "root").env("SUDO_USER", "al\x1bice").output().expect("hfmctl runs");
    assert_eq!(server.request(), "{\"command\":\"enable\",\"rules\":\"a\",\"by\":\"alice\"}\n");
}

#[test]
fn a_refusal_is_1_with_its_details_on_stderr() {
    let refused =
        json!({"type": "refused", "text": "2 errors", "details": ["f:1:1: bad\n  x\n  ^", "f:2:2: worse"]});
    let server = Server::saying("refused", &[refused]);
    let output = server.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "hfmctl: refused: 2 errors\nf:1:1: bad\n  x\n  ^\nf:2:2: worse\n");
    assert_eq!(stdout(&output), "");
}

#[test]
fn json_is_the_lines_as_they_come_and_nothing_else() {
    let lines = [
        rule("a", "success"),
        json!({"type": "warning", "text": "é\u{1b}"}),
        json!({"type": "tomorrow", "x": [1]}),
        done("2 rules"),
    ];
    let server = Server::saying("json", &lines);
    let output = server.run(&["--json", "status"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert_eq!(output.stdout, text(&lines));
    let refused = [json!({"type": "refused", "text": "no rule matches 'x'"})];
    let server = Server::saying("json-refused", &refused);
    let output = server.run(&["status", "x", "--json"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), String::new()));
    assert_eq!(output.stdout, text(&refused));
}

#[test]
fn a_table_in_a_pipe_has_no_colour_and_whole_names() {
    let name = "web/".repeat(40);
    let server = Server::saying("pipe", &[rule(&name, "fail"), done("1 rule")]);
    let output = server.hfmctl(&["status"]).env("TERM", "xterm").output().expect("hfmctl runs");
    let said = stdout(&output);
    assert!(said.contains(&format!("\n{name}  down ")) && !said.contains('\x1b'), "{said:?}");
    assert!(said.ends_with("1 rule: 1 down\n"), "{said}");
}

#[test]
fn what_a_server_says_of_others_does_nothing_to_the_terminal() {
    let evil = "a\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\nb";
    let mut evil_rule = rule(evil, "fail");
    evil_rule["reason"] = json!(evil);
    evil_rule["detail"] = json!(evil);
    let verdict = json!({"type": "verdict", "rule": evil, "verdict": evil, "reason": evil, "detail": evil,
        "total_us": 1, "scheduled": false});
    let event = json!({"type": "event", "time": evil, "level": "info", "message": evil, "event": evil, "x": evil,
        evil: 1});
    let refused = json!({"type": "refused", "text": evil, "details": [evil]});
    let cases: [(&str, &[&str], Vec<Value>); 6] = [
        ("evil-status", &["status"], vec![evil_rule.clone(), done(evil)]),
        ("evil-rule", &["status", evil], vec![evil_rule.clone(), done(evil)]),
        ("evil-run", &["run", "a"], vec![verdict, done(evil)]),
        ("evil-events", &["events"], vec![event, done(evil)]),
        ("evil-stop", &["stop"], vec![json!({"type": "warning", "text": evil}), refused]),
        ("evil-json", &["--json", "status"], vec![evil_rule, done(evil)]),
    ];
    for (name, arguments, lines) in cases {
        let server = Server::saying(name, &lines);
        let output = server.run(arguments);
        let said = stdout(&output) + &stderr(&output);
        let harmful = said.chars().find(|c| *c != '\n' && hfm::line::is_harmful(*c));
        assert_eq!(harmful, None, "{arguments:?}: {said:?}");
        assert!(said.contains("owned"), "{arguments:?}: {said:?}");
    }
}

#[test]
fn events_are_told_as_they_come() {
    let event = json!({"type": "event", "time": "2026-11-21T08:02:42.0Z", "level": "info", "message": "'a' is up",
        "event": "change", "rule": "a", "reason": "ok"});
    let server =
        Server::saying("events-live", &[event.clone(), json!({"type": "missed", "count": 3}), event]);
    let mut child = Running(server.hfmctl(&["events"]).spawn().expect("hfmctl runs"));
    let mut lines = BufReader::new(child.0.stdout.take().expect("its stdout")).lines();
    // The server says no more and does not close, and both are here.
    for _ in 0..2 {
        let line = lines.next().expect("a line").expect("a line");
        assert!(line.ends_with("change       'a' is up reason=ok"), "{line}");
    }
    let mut complaints = BufReader::new(child.0.stderr.take().expect("its stderr")).lines();
    assert_eq!(complaints.next().unwrap().unwrap(), "hfmctl: 3 events were lost: they came too fast");
}

#[test]
fn nobody_who_reads_any_more_ends_it_quietly() {
    let event = json!({"type": "event", "time": "x", "level": "info", "message": "m".repeat(1000)});
    let mut many = vec![event; 200];
    many.push(done(""));
    let rules: Vec<Value> = (0..2000).map(|number| rule(&format!("web/{number}"), "success")).collect();
    let cases: [(&str, &[&str], Vec<Value>); 3] = [
        ("closed-events", &["events"], many),
        ("closed-status", &["status"], [rules.clone(), vec![done("")]].concat()),
        ("closed-json", &["status", "--json"], [rules, vec![done("")]].concat()),
    ];
    for (name, arguments, lines) in cases {
        let server = Server::saying(name, &lines);
        let mut child = Running(server.hfmctl(arguments).spawn().expect("hfmctl runs"));
        drop(child.0.stdout.take());
        let status = child.0.wait().expect("it ends");
        let mut complaints = String::new();
        std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut complaints).unwrap();
        assert_eq!((status.code(), complaints.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_nothing_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let server = Server::saying("full", &[rule("a", "success"), done("")]);
    let output =
        server.hfmctl(&["status"]).stdout(std::process::Stdio::from(full)).output().expect("hfmctl runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot write the answer"), "{}", stderr(&output));
}

#[test]
fn help_and_version_are_0_and_misuse_is_2_without_any_hfm() {
    for (arguments, expected) in [
        (&["--help"][..], "Usage: hfmctl"),
        (&["drain", "-h"], "Usage: hfmctl [options] drain RULE"),
        (&["-V"], "hfmctl version"),
    ] {
        let output = hfmctl(arguments).output().expect("hfmctl runs");
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).starts_with(expected), "{output:?}");
    }
    for (arguments, expected) in [
        (&[][..], "hfmctl: no command"),
        (&["drian", "a"], "did you mean drain?\nhfmctl --help tells"),
        (&["drain", "a", "--for", "90"], "say 90s for seconds or 90m for minutes\nhfmctl drain --help tells"),
    ] {
        let output = hfmctl(arguments).output().expect("hfmctl runs");
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
        assert!(stderr(&output).contains(expected), "{output:?}");
    }
}

#[test]
fn an_answer_split_at_any_byte_is_the_same() {
    // A pipe of one byte at a time: the server writes, the socket delivers as it likes.
    let lines = text(&[rule("é/網", "success"), done("1 rule")]);
    let whole = Server::new("whole", vec![Play::SayAndClose(lines.clone())]).run(&["status"]);
    let listener_at = crate::server::socket("split");
    let listener = std::os::unix::net::UnixListener::bind(&listener_at).unwrap();
    let player = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for byte in lines {
            std::io::Write::write_all(&mut stream, &[byte]).unwrap();
        }
        // Held open until the client has gone.
        std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap();
    });
    let output = hfmctl(&["status", "-s"]).arg(&listener_at).output().expect("hfmctl runs");
    player.join().expect("it was played");
    assert_eq!((stdout(&output), output.status.code()), (stdout(&whole), Some(0)));
    std::fs::remove_dir_all(listener_at.parent().unwrap()).unwrap();
}
