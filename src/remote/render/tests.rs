use super::*;
use crate::control::protocol::{OverrideRow, StatsRow, VerdictRow};
use crate::remote::columns::width;
use crate::remote::times::Moment;
use crate::remote::view::{Colour, Size};

const NOW: f64 = 1_000_000_000.0;
const PIPE: View = View { terminal: None, colour: Colour::Off };

fn terminal(columns: usize) -> View {
    View { terminal: Some(Size { columns, rows: 24 }), colour: Colour::Off }
}

fn row(name: &str) -> RuleRow {
    RuleRow {
        rule: name.to_owned(),
        state: "success".to_owned(),
        own: "success".to_owned(),
        since: Some(NOW - 7500.0),
        verdict: Some("success".to_owned()),
        reason: Some("ok".to_owned()),
        detail: None,
        blame: None,
        p50_us: Some(214),
        p99_us: Some(1290),
        availability: Some(99.987),
        runs: 10_000,
        failures: 2,
        inconclusive: 1,
        missed: 0,
        next: Some(NOW + 0.4),
        running: false,
        stale: false,
        ended: None,
        set: None,
    }
}

fn down(name: &str) -> RuleRow {
    RuleRow {
        state: "fail".to_owned(),
        own: "fail".to_owned(),
        since: Some(NOW - 12.0),
        verdict: Some("failure".to_owned()),
        reason: Some("timeout-connect".to_owned()),
        detail: Some("no connection within 300ms".to_owned()),
        running: true,
        ..row(name)
    }
}

fn set(kind: &str, reason: Option<&str>, until: Option<f64>) -> Option<OverrideRow> {
    Some(OverrideRow {
        kind: kind.to_owned(),
        reason: reason.map(str::to_owned),
        uid: 0,
        by: Some("alice".to_owned()),
        since: NOW - 600.0,
        until,
    })
}

/// What the lines of an answer come to, on stdout and stderr.
fn answer(request: &Request, view: View, replies: &[Reply]) -> (String, String) {
    let mut renderer = Renderer::new(request, Form::Text, view);
    let (mut out, mut complaint) = (String::new(), String::new());
    for reply in replies {
        let line = serde_json::to_string(reply).unwrap();
        let told = renderer.take(&line, serde_json::from_str(&line).unwrap(), NOW);
        out.push_str(&told.out);
        complaint.push_str(&told.complaint);
    }
    (out, complaint)
}

fn status(rules: Option<&str>, view: View, rows: &[RuleRow]) -> String {
    let mut replies: Vec<_> = rows.iter().map(|row| Reply::Rule(Box::new(row.clone()))).collect();
    replies.push(Reply::Done { text: "so many rules".to_owned() });
    let (out, complaint) = answer(&Request::Status { rules: rules.map(str::to_owned) }, view, &replies);
    assert_eq!(complaint, "");
    out
}

#[test]
fn rules_stand_in_the_order_of_the_file_with_their_sum_below() {
    let rows = [
        row("lb1/haproxy"),
        down("lb2/haproxy"),
        RuleRow { set: set("drained", Some("kernel update"), Some(NOW + 7200.0)), ..down("lb3/haproxy") },
        RuleRow { stale: true, ..row("lb4/haproxy") },
        RuleRow { set: set("disabled", None, None), ..row("lb5/haproxy") },
        RuleRow { set: set("always-fail", Some("test"), None), ..down("lb6/haproxy") },
        RuleRow { ended: Some("runs-used-up".to_owned()), next: None, ..row("once") },
        RuleRow {
            state: "unknown".to_owned(),
            ended: Some("disabled".to_owned()),
            since: None,
            reason: None,
            p50_us: None,
            p99_us: None,
            availability: None,
            next: None,
            ..row("off")
        },
        RuleRow { reason: Some("requires".to_owned()), blame: Some("uplink".to_owned()), ..down("inner") },
    ];
    let expected = "\
RULE         STATE        SINCE    P50    P99   AVAIL  NEXT  REASON
lb1/haproxy  up              2h  214us  1.3ms  99.98%  0.4s  -
lb2/haproxy  down           12s  214us  1.3ms  99.98%   now  timeout-connect
lb3/haproxy  drained        12s  214us  1.3ms  99.98%   now  kernel update, 2h left
lb4/haproxy  up stale        2h  214us  1.3ms  99.98%  0.4s  -
lb5/haproxy  up disabled     2h  214us  1.3ms  99.98%  0.4s  -
lb6/haproxy  down set       12s  214us  1.3ms  99.98%   now  always-fail: test
once         up ended        2h  214us  1.3ms  99.98%     -  runs-used-up
off          off              -      -      -       -     -  disabled
inner        down           12s  214us  1.3ms  99.98%   now  requires uplink
9 rules: 4 up, 3 down, 1 drained, 1 off; 1 stale, 1 disabled, 1 set, 1 ended
";
    assert_eq!(status(None, PIPE, &rows), expected);
    assert_eq!(status(None, PIPE, &[]), "no rules\n");
}

#[test]
fn a_terminal_of_80_columns_holds_it_whatever_the_names_are() {
    let hostile = RuleRow {
        set: set("drained", Some(&"\x1b[31m\u{202e}x".repeat(40)), None),
        ..row(&"ｗｅｂ/\u{9b}2J".repeat(20))
    };
    let rows = [row("gateway/cluster-a/backend-num-01"), down("gateway/cluster-a/backend-num-02"), hostile];
    for columns in [80, 60, 40, 10, 1] {
        let out = status(None, terminal(columns), &rows);
        // The sum is not part of the table.
        for line in out.lines().take(4) {
            assert!(width(line) <= columns, "{columns}: {line}");
            assert!(!line.contains(is_harmful), "{line:?}");
        }
    }
    let out = status(None, terminal(80), &rows[..2]);
    assert_eq!(
        out.lines().nth(2),
        Some("gateway/cluste…ackend-num-02  down     12s  214us  1.3ms  99.98%   now  timeout…"),
        "{out}"
    );
}

#[test]
fn a_pipe_gets_names_whole_and_no_colour() {
    let name = format!("web/{}", "x".repeat(200));
    let out = status(None, PIPE, &[down(&name)]);
    assert!(out.contains(&format!("\n{name}  down")), "{out}");
    assert!(!out.contains('\x1b'));
    let typical = status(None, PIPE, &[row("gateway-1/haproxy"), down("gateway-2/haproxy")]);
    assert!(typical.lines().all(|line| width(line) <= 80), "{typical}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let rows = [row("a"), down("b")];
    let coloured = status(None, View { colour: Colour::On, ..terminal(80) }, &rows);
    assert!(
        coloured.contains("\x1b[1;31mdown\x1b[0m") && coloured.contains("\x1b[32mup\x1b[0m"),
        "{coloured:?}"
    );
    let mut plain = coloured;
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[32m", "\x1b[1;31m", "\x1b[33m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, status(None, terminal(80), &rows));
}

#[test]
fn one_rule_by_its_name_is_told_in_full() {
    let rule = RuleRow {
        set: set("drained", Some("kernel\nupdate"), Some(NOW + 7200.0)),
        detail: Some("status 503\x1b[2J".to_owned()),
        stale: true,
        ..down("web/1")
    };
    let out = status(Some("web/1"), PIPE, std::slice::from_ref(&rule));
    let expected = format!(
        "\
web/1: drained stale
  since         {}, for 12s
  reason        timeout-connect: status 503\\u{{1b}}[2J
  override      drained: kernel\\nupdate
  set by        alice (as root)
  set at        {}, 10m ago
  until         {}, 2h left
  own state     fail
  last verdict  failure
  stale         no conclusive verdict for too long
  latency       p50 214us, p99 1.3ms of the last 128 conclusive runs
  availability  99.98% of the conclusive runs
  runs          10000 started, 2 failed, 1 inconclusive, 0 missed
  next run      under way
",
        Moment(NOW - 12.0),
        Moment(NOW - 600.0),
        Moment(NOW + 7200.0)
    );
    assert_eq!(out, expected);
    // A pattern asks for a table, however many it matches.
    assert!(status(Some("web/*"), PIPE, &[rule]).starts_with("RULE "));
}

#[test]
fn an_excerpt_shows_those_first_that_are_not_up() {
    let mut rows: Vec<_> = (0..20).map(|number| row(&format!("up/{number}"))).collect();
    rows.insert(10, down("down"));
    let mut renderer = Renderer::new(&Request::Status { rules: None }, Form::Text, terminal(80));
    renderer.rules = rows;
    let lines = |count| {
        let excerpt = renderer.excerpt(NOW, terminal(80), count);
        excerpt.lines().map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let sum = "21 rules: 20 up, 1 down";
    assert_eq!(lines(6), ["RULE", "down", "up/0", "up/1", "... and 18 more, all up", sum]);
    assert_eq!(lines(3), ["RULE", "... and 21 more", sum]);
    assert_eq!(lines(23).len(), 23);
    assert_eq!(lines(100).len(), 23);
}

fn table(name: &str) -> TableRow {
    TableRow {
        table: name.to_owned(),
        dataplane: "pfctl".to_owned(),
        managed: 3,
        wanted: 2,
        actual: Some(2),
        held: 1,
        others: Some(4),
        repairs: 0,
        written: Some(NOW),
        error: None,
        retry: None,
    }
}

fn address(address: &str, wanted: Option<bool>, actual: Option<bool>) -> Reply {
    Reply::Address(AddressRow {
        table: "web".to_owned(),
        address: address.to_owned(),
        wanted,
        actual,
        held: address.ends_with(".9"),
        why: "up".to_owned(),
        rules: if address.ends_with(".8") { vec![] } else { vec!["a/1".to_owned(), "b/1".to_owned()] },
    })
}

#[test]
fn tables_tell_what_should_be_in_and_what_is() {
    let (out, _) = answer(
        &Request::Tables { tables: None },
        terminal(80),
        &[
            Reply::Table(table("web")),
            address("10.0.0.1", Some(true), Some(true)),
            address("10.0.0.2", Some(false), Some(false)),
            address("10.0.0.3", Some(true), Some(false)),
            address("10.0.0.4", Some(false), Some(true)),
            address("10.0.0.5", None, Some(true)),
            address("10.0.0.6", Some(true), None),
            address("10.0.0.8", None, None),
            address("10.0.0.9", Some(true), Some(true)),
            Reply::Table(TableRow {
                error: Some("pfctl: Permission denied\x1b[2J".to_owned()),
                retry: Some(NOW + 3.0),
                repairs: 2,
                ..table("fe/mail")
            }),
            Reply::Table(TableRow { actual: None, others: None, ..table("new") }),
            Reply::Table(table("good")),
            Reply::Done { text: "4 tables".to_owned() },
        ],
    );
    let expected = "\
TABLE    WANTED  ACTUAL  HELD  OTHERS  STATE
web           2       2     1       4  differs (pfctl)
  10.0.0.1  in                 up  a/1, b/1
  10.0.0.2  out                up  a/1, b/1
  10.0.0.3  out, should be in  up  a/1, b/1
  10.0.0.4  in, should be out  up  a/1, b/1
  10.0.0.5  in, stays so       up  a/1, b/1
  10.0.0.6  ?, should be in    up  a/1, b/1
  10.0.0.8  ?                  up  no rule names it
  10.0.0.9  in, held           up  a/1, b/1
fe/mail       2       2     1       4  trouble (pfctl), 2 repaired
  error: pfctl: Permission denied\\u{1b}[2J; tried again in 3.0s
new           2       -     1       -  not known yet (pfctl)
good          2       2     1       4  as wanted (pfctl)
4 tables: 3 not as wanted
";
    assert_eq!(out, expected);
}

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

#[test]
fn names_are_for_shells_and_so_whole_or_not_at_all() {
    let mut renderer = Renderer::new(&Request::Status { rules: None }, Form::Names, PIPE);
    let mut names = String::new();
    for name in ["web/1", "a b'c", "x\u{202e}y"] {
        names.push_str(&renderer.take("", Reply::Rule(Box::new(row(name))), NOW).out);
    }
    names.push_str(&renderer.take("", Reply::Done { text: "3 rules".to_owned() }, NOW).out);
    assert_eq!(names, "web/1\na b'c\n");
}
