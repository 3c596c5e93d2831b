//! What was done, what is told, and what is passed on.

use super::*;

#[test]
fn what_was_done_is_told_with_its_warnings_and_a_refusal_with_its_details() {
    let drain = Request::Drain { rules: "a".to_owned(), for_ms: None, reason: None, by: None, force: false };
    let (out, complaint) = answer(
        &drain,
        PIPE,
        &[
            Reply::Changed {
                rule: "a".to_owned(),
                set: set("drained", None, Some(NOW + 7200.0)),
                note: None,
            },
            Reply::Changed { rule: "b".to_owned(), set: set("drained", None, None), note: None },
            Reply::Changed { rule: "c\x07".to_owned(), set: None, note: Some("was not set".to_owned()) },
            Reply::Warning { text: "table 'web' has one left\x1b".to_owned() },
            Reply::Done { text: "2 rules drained".to_owned() },
        ],
    );
    let until = Moment(NOW + 7200.0);
    assert_eq!(
        out,
        format!(
            "a: drained for 2h, until {until}\nb: drained\nc\\u{{7}}: nothing is set any more; was not set\n2 rules drained\n"
        )
    );
    assert_eq!(complaint, "hfmctl: warning: table 'web' has one left\\u{1b}\n");
    let details = vec!["hfm.conf:1:2: bad\n  x = 1\n  ^\x1b".to_owned(), "hfm.conf:9:9: worse".to_owned()];
    let (out, complaint) =
        answer(&Request::Reload {}, PIPE, &[Reply::Refused { text: "2 errors".to_owned(), details }]);
    assert_eq!(out, "");
    assert_eq!(
        complaint,
        "hfmctl: refused: 2 errors\nhfm.conf:1:2: bad\n  x = 1\n  ^\\u{1b}\nhfm.conf:9:9: worse\n"
    );
}

#[test]
fn a_run_is_told_as_it_was_found() {
    let verdict = VerdictRow {
        rule: "web/1".to_owned(),
        verdict: "failure".to_owned(),
        reason: "http-status".to_owned(),
        detail: "status 503\n, wanted 200-399".to_owned(),
        total_us: 1044,
        scheduled: false,
    };
    let good = VerdictRow {
        verdict: "success".to_owned(),
        reason: "ok".to_owned(),
        detail: String::new(),
        scheduled: true,
        ..verdict.clone()
    };
    let done = Reply::Done { text: "2 runs".to_owned() };
    let run = Request::Run { rules: "web/1".to_owned() };
    let (out, _) = answer(&run, PIPE, &[Reply::Verdict(verdict), Reply::Verdict(good), done]);
    assert_eq!(
        out,
        "web/1: failure http-status after 1.0ms: status 503\\n, wanted 200-399\n\
         web/1: success ok after 1.0ms (its next run on its schedule, which its state was told of)\n"
    );
}

#[test]
fn an_event_is_a_line_without_what_its_sentence_has_said() {
    let line = r#"{"type":"event","time":"2026-11-21T08:02:42.017Z","level":"warn","thread":"main",
        "message":"'lb1/a' run 4c9c:lb1/a:5 changed state to: RuleStateFail","event":"change","rule":"lb1/a",
        "run":"4c9c:lb1/a:5","state":"fail","reason":"http-status","detail":"status 503\u001b[2J\n","streak":2}"#;
    let line = line.replace('\n', " ");
    let told = event::text(&line);
    let (time, rest) = told.split_at(19);
    assert!(time.starts_with("2026-11-2"), "{told}");
    assert_eq!(
        rest,
        " change       'lb1/a' changed state to: RuleStateFail detail=\"status 503\\u001b[2J\\n\" \
         reason=http-status streak=2\n"
    );
    let told = event::text(
        r#"{"type":"event","time":"never","level":"info","message":"written","table":"web","added":["a","b"]}"#,
    );
    assert_eq!(told, "never info         web: written added=[\"a\",\"b\"]\n");
    // Kinds of lines that are not known yet are left out.
    assert_eq!(event::text(r#"{"type":"sunshine","message":"x"}"#), "");
    let (out, complaint) = answer(&Request::Events {}, PIPE, &[Reply::Missed { count: 7 }]);
    assert_eq!((out.as_str(), complaint.as_str()), ("", "hfmctl: 7 events were lost: they came too fast\n"));
}

#[test]
fn stats_are_pairs_within_80_columns() {
    let row = StatsRow {
        version: "0.1.0".to_owned(),
        started: NOW - 90_000.0,
        late_max_us: 7_800,
        log_level: "info".to_owned(),
        ..StatsRow::default()
    };
    let (out, _) = answer(&Request::Stats {}, PIPE, &[Reply::Stats(Box::new(row))]);
    assert!(out.contains("\nstart lateness     p50 0us, p99 0us, p99.9 0us, max 7.8ms\n"), "{out}");
    assert!(out.contains(", 1d 1h ago\n") && out.contains("\nconfiguration      none\n"), "{out}");
    assert!(out.lines().all(|line| width(line) <= 80), "{out}");
    assert!(!out.contains("dry run"), "{out}");
}

#[test]
fn stats_of_a_dry_run_say_that_nothing_is_written() {
    let wanted = [("b".to_owned(), 20)].into();
    let demotion = Some(DemotionRow { total: 20, lost: false, wanted });
    let row = StatsRow { dry_run: true, demotion, ..StatsRow::default() };
    let (out, _) = answer(&Request::Stats {}, PIPE, &[Reply::Stats(Box::new(row))]);
    assert!(out.starts_with("dry run            nothing is written, no change command runs\n"), "{out}");
    assert!(out.contains("\ndemotion           20 (20 by b); a dry run: not written\n"), "{out}");
}

#[test]
fn json_is_passed_on_with_the_same_meaning_and_nothing_that_acts_on_a_terminal() {
    let line = "{\"type\":\"done\",\t\"text\":\"a\u{9b}31m\u{202e}\u{7f}\u{2028} é \\u001b\"}\r";
    let printed = printable(line);
    assert!(!printed.contains(is_harmful), "{printed:?}");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&printed), value(line));
    let untouched = r#"{"type":"done","text":"é \"quoted\" \\"}"#;
    assert_eq!(printable(untouched), untouched);
    let mut renderer = Renderer::new(&Request::Stop {}, Form::Json, PIPE);
    let told = renderer.take(untouched, Reply::Other, NOW);
    assert_eq!(told, Told::out(format!("{untouched}\n")));
}
