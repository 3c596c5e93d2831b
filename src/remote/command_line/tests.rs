use super::*;

fn parse_words(words: &[&str]) -> Result<Invocation, Misuse> {
    parse(words.iter().map(OsString::from), Some("alice".to_owned()))
}

fn task(words: &[&str]) -> Task {
    match parse_words(words) {
        Ok(Invocation::Ask(task)) => task,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn error(words: &[&str]) -> String {
    parse_words(words).expect_err(&words.join(" ")).error.to_string()
}

#[test]
fn every_command_is_its_request() {
    for (words, expected) in [
        (&["status"][..], r#"{"command":"status"}"#),
        (&["status", "web/*"], r#"{"command":"status","rules":"web/*"}"#),
        (&["tables"], r#"{"command":"tables"}"#),
        (&["tables", "web"], r#"{"command":"tables","tables":"web"}"#),
        (&["drain", "a b"], r#"{"command":"drain","rules":"a b","by":"alice","force":false}"#),
        (
            &["drain", "a", "--for", "2h", "--reason", "kernel \"6\"", "--force"],
            r#"{"command":"drain","rules":"a","for_ms":7200000,"reason":"kernel \"6\"","by":"alice","force":true}"#,
        ),
        (
            &["disable", "a", "--for=30m"],
            r#"{"command":"disable","rules":"a","for_ms":1800000,"by":"alice"}"#,
        ),
        (&["enable", "a"], r#"{"command":"enable","rules":"a","by":"alice"}"#),
        (&["set", "a", "always-fail"], r#"{"command":"set","rules":"a","to":"always-fail","by":"alice"}"#),
        (
            &["set", "a", "always-success", "--reason="],
            r#"{"command":"set","rules":"a","to":"always-success","reason":"","by":"alice"}"#,
        ),
        (&["run", "a"], r#"{"command":"run","rules":"a"}"#),
        (&["reload"], r#"{"command":"reload"}"#),
        (&["reconcile"], r#"{"command":"reconcile"}"#),
        (&["events"], r#"{"command":"events"}"#),
        (&["stats"], r#"{"command":"stats"}"#),
        (&["log", "debug"], r#"{"command":"log","level":"debug"}"#),
        (&["stop"], r#"{"command":"stop"}"#),
        (&["complete", "rules"], r#"{"command":"status"}"#),
        (&["complete", "tables"], r#"{"command":"tables"}"#),
    ] {
        let request = task(words).request;
        let line = line(&request);
        assert_eq!(line.trim_end_matches('\n'), expected);
        // The other side reads the same.
        assert_eq!(Request::parse(line.trim_end()), Ok(request));
    }
}

#[test]
fn options_stand_before_and_after_the_command_and_the_last_counts() {
    for words in [
        &["-s", "/x", "--json", "status"][..],
        &["status", "-s", "/x", "--json"],
        &["-s/x", "status", "--json"],
        &["--socket=/y", "--json", "status", "--socket", "/x"],
        &["-s=/x", "--json", "status"],
        &["--json", "-s/y=z", "status", "-s", "/x"],
    ] {
        let task = task(words);
        assert_eq!((task.socket, task.form), (PathBuf::from("/x"), Form::Json), "{words:?}");
    }
    let task = task(&["status"]);
    assert_eq!((task.socket, task.form), (PathBuf::from(SOCKET), Form::Text));
}

#[test]
fn a_rule_that_looks_like_an_option_follows_two_dashes() {
    let Request::Run { rules } = task(&["run", "--", "--force"]).request else { panic!("a run") };
    assert_eq!(rules, "--force");
    let Request::Run { rules } = task(&["run", "-"]).request else { panic!("a run") };
    assert_eq!(rules, "-");
}

#[test]
fn watch_may_leave_out_its_seconds() {
    for (words, every, rule) in [
        (&["status", "-w"][..], 2.0, None),
        (&["status", "-w", "web/*"], 2.0, Some("web/*")),
        (&["status", "-w", "5", "web/*"], 5.0, Some("web/*")),
        (&["status", "-w0.5"], 0.5, None),
        (&["status", "--watch=10", "7"], 10.0, Some("7")),
        (&["status", "7", "-w"], 2.0, Some("7")),
    ] {
        let task = task(words);
        assert_eq!(task.watch, Some(Duration::from_secs_f64(every)), "{words:?}");
        assert_eq!(task.request, Request::Status { rules: rule.map(str::to_owned) });
    }
    for words in [&["status", "-w0"][..], &["status", "-w=x"], &["status", "--watch=86401"]] {
        assert!(error(words).contains("seconds from 0.1 to 86400"), "{words:?}");
    }
}

#[test]
fn silence_is_as_long_as_the_command_needs_or_as_is_said() {
    let silence = |words: &[&str]| task(words).silence.map(|time| time.as_secs_f64());
    assert_eq!(silence(&["status"]), Some(30.0));
    assert_eq!(silence(&["reload"]), Some(300.0));
    assert_eq!(silence(&["run", "a"]), Some(3600.0));
    assert_eq!(silence(&["events"]), None);
    assert_eq!(silence(&["events", "--timeout", "0.5"]), Some(0.5));
    for value in ["0", "-1", "inf", "nan", "1e3", "", ".", "86401"] {
        assert!(error(&["stop", &format!("--timeout={value}")]).contains("--timeout takes"), "{value}");
    }
}

#[test]
fn what_cannot_be_followed_is_told_with_what_to_do() {
    for (words, expected) in [
        (&[][..], "no command"),
        (&["statsu"], "no such command: \"statsu\"; did you mean status?"),
        (&["flush"], "no such command: \"flush\""),
        (&["drain", "a", "--resaon", "x"], "no such option: \"--resaon\"; did you mean --reason?"),
        (&["drain", "a", "-é"], "no such option: \"-é\""),
        (&["-x", "status"], "no such option: \"-x\""),
        (&["status", "--force"], "--force does not go with status: it is for drain"),
        (&["enable", "a", "--for", "2h"], "it is for drain, disable or set"),
        (&["drain"], "drain needs a RULE, a name or a pattern such as 'web/*'"),
        (&["set", "a"], "set needs a STATE: always-fail or always-success"),
        (&["set", "a", "always-up"], "say always-fail or always-success"),
        (&["log"], "log needs a LEVEL"),
        (&["log", "inof"], "error, warn, info, debug or trace; did you mean info?"),
        (&["status", "web/1", "web/2"], "does not take \"web/2\" too: a pattern has to be quoted"),
        (&["reload", "now"], "reload does not take \"now\""),
        (&["status", "-s"], "--socket needs a SOCKET"),
        (&["status", "--json=yes"], "--json takes no value"),
        (&["drain", "a", "--for", "30"], "say 30s for seconds or 30m for minutes"),
        (&["drain", "a", "--for", "0s"], "--for 0 would end at once"),
        (&["drain", "a", "--for", "11000d"], "ten years at most"),
        (&["complete", "rule"], "say rules or tables; did you mean rules?"),
    ] {
        assert!(error(words).contains(expected), "{words:?}: {}", error(words));
    }
}

#[test]
fn what_hfm_would_not_take_is_not_sent() {
    assert_eq!(task(&["drain", "a", "--reason", &"é".repeat(256)]).watch, None);
    let long = "é".repeat(257);
    assert!(
        error(&["drain", "a", "--reason", &long]).contains("256 characters at most, and this one has 257")
    );
    assert!(error(&["run", &"a".repeat(LINE_BYTES_MAX)]).contains("16384 bytes at most"));
    let parsed = {
        use std::os::unix::ffi::OsStringExt;
        parse([OsString::from("status"), OsString::from_vec(vec![0xff])], None)
    };
    assert_eq!(parsed.map_err(|misuse| misuse.error), Err(UsageError::NotUtf8));
}

#[test]
fn help_and_version_need_nothing_else() {
    assert_eq!(parse_words(&["-h"]), Ok(Invocation::Help(None)));
    assert_eq!(parse_words(&["drain", "--help"]), Ok(Invocation::Help(Some(Verb::Drain))));
    assert_eq!(parse_words(&["--help", "drain"]), Ok(Invocation::Help(Some(Verb::Drain))));
    assert_eq!(parse_words(&["--version"]), Ok(Invocation::Version));
    assert_eq!(parse_words(&["drain"]).unwrap_err().verb, Some(Verb::Drain));
    assert_eq!(parse_words(&["drian"]).unwrap_err().verb, None);
}
