//! How rules stand.

use super::*;

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
fn a_rule_whose_test_cannot_be_started_says_which_and_why() {
    let ended = RuleRow {
        detail: Some("nosuchprog: No such file or directory".to_owned()),
        ended: Some("cannot-start".to_owned()),
        next: None,
        ..down("prog")
    };
    let out = status(Some("prog"), PIPE, &[RuleRow { running: false, ..ended }]);
    // What its last run had found is not the same.
    assert!(out.contains("\n  reason        timeout-connect\n"), "{out}");
    let next = "next run      none: its test cannot be started: nosuchprog: No such file or directory\n";
    assert!(out.contains(next), "{out}");
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
