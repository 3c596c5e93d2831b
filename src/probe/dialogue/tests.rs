use super::*;

/// A step: `>` sends, `<` expects a text, `~` a regex.
fn step(text: &str) -> DialogueStep {
    match text.split_at(1) {
        (">", text) => DialogueStep::Send(text.as_bytes().into()),
        ("<", text) => DialogueStep::Expect(text.as_bytes().into()),
        ("~", text) => DialogueStep::ExpectRegex(text.into()),
        _ => panic!("no step: {text}"),
    }
}

fn plan_within(steps: &[&str], expect: &[&str], reject: &[&str], bytes_max: usize) -> Plan {
    let texts = |list: &[&str]| list.iter().map(|text| Box::from(*text)).collect();
    let dialogue = rule::Dialogue {
        send: "hello".as_bytes().into(),
        steps: steps.iter().map(|text| step(text)).collect(),
        patterns: rule::Patterns {
            expect: texts(expect),
            reject: texts(reject),
            bytes_max,
            ..rule::Patterns::default()
        },
    };
    Plan::compile(&dialogue, &mut Compiled::default()).expect("a good dialogue")
}

fn plan(steps: &[&str], expect: &[&str], reject: &[&str]) -> Plan {
    plan_within(steps, expect, reject, 1000)
}

/// What came of a reply in pieces, and what was sent; `FIN` closes, `TIME` is the deadline.
fn play(plan: &Plan, pieces: &[&str]) -> (&'static str, String) {
    let (mut dialogue, mut out) = (Dialogue::default(), Vec::new());
    let mut step = dialogue.connected(plan, &mut out);
    for piece in pieces {
        assert_eq!(step, Step::Continue, "over before {piece:?}");
        step = match *piece {
            "FIN" => dialogue.eof(plan, &mut out),
            "TIME" => dialogue.expired(plan),
            piece => dialogue.bytes(plan, piece.as_bytes(), &mut out),
        };
    }
    let reason = match step {
        Step::Continue => "open",
        Step::Done(verdict) => verdict.reason(),
    };
    (reason, String::from_utf8(out).expect("text"))
}

fn check(plan: &Plan, rows: &[(&[&str], &str, &str)]) {
    for (pieces, reason, sent) in rows {
        assert_eq!(play(plan, pieces), (*reason, (*sent).to_owned()), "{pieces:?}");
    }
}

#[test]
fn what_is_only_sent_is_done_at_once() {
    check(&plan(&[], &[], &[]), &[(&[], "ok", "hello")]);
    check(&plan(&[">a", ">b"], &[], &[]), &[(&[], "ok", "helloab")]);
}

#[test]
fn steps_go_one_after_the_other() {
    let plan = plan(&["<220", ">HELO\r\n", "~^250 .*$", ">QUIT\r\n"], &[], &[]);
    check(
        &plan,
        &[
            (&[], "open", "hello"),
            (&["220 hi\r\n"], "open", "helloHELO\r\n"),
            (&["220 hi\r\n", "250 ok\r\n"], "ok", "helloHELO\r\nQUIT\r\n"),
            (&["2", "20 hi\r\n2", "50", " "], "ok", "helloHELO\r\nQUIT\r\n"),
            // Both at once: the second is looked for behind the first.
            (&["220 hi\r\n250 ok\r\n"], "ok", "helloHELO\r\nQUIT\r\n"),
            (&["250 ok\r\n220 hi\r\n"], "open", "helloHELO\r\n"),
            // `^` sees what stands before the place where a step begins to look.
            (&["220250 ok\r\n"], "open", "helloHELO\r\n"),
        ],
    );
}

#[test]
fn each_step_looks_behind_the_last_match() {
    check(&plan(&["<aa", "<aa"], &[], &[]), &[(&["aaa"], "open", "hello"), (&["aa", "aa"], "ok", "hello")]);
}

#[test]
fn patterns_count_over_all_that_was_received() {
    let plan = plan(&["<one", ">next"], &["one two"], &["bad"]);
    check(
        &plan,
        &[
            (&["one"], "open", "hellonext"),
            (&["one", " two"], "ok", "hellonext"),
            (&["bad one two"], "pattern-rejected", "hellonext"),
            // Before the steps are done nothing is judged.
            (&["bad"], "open", "hello"),
            (&["bad", "one"], "pattern-rejected", "hellonext"),
        ],
    );
}

#[test]
fn the_end_of_the_connection_is_judged_by_where_it_comes() {
    check(
        &plan(&["<a", "<b"], &[], &[]),
        &[(&["FIN"], "closed", "hello"), (&["a", "FIN"], "closed", "hello")],
    );
    check(
        &plan(&[], &["a"], &[]),
        &[
            (&["FIN"], "closed", "hello"),
            (&["b", "FIN"], "pattern-missing", "hello"),
            (&["a"], "ok", "hello"),
        ],
    );
    check(&plan(&[], &[], &["a"]), &[(&["FIN"], "closed", "hello"), (&["b"], "ok", "hello")]);
}

#[test]
fn a_reply_is_cut_at_max_body() {
    let plan = plan_within(&[], &["ready"], &[], 8);
    check(
        &plan,
        &[
            (&["xxxready"], "ok", "hello"),
            (&["xxxxready"], "pattern-missing", "hello"),
            (&["xxxx", "ready"], "pattern-missing", "hello"),
            (&["xxxxxxx"], "open", "hello"),
            (&["xxxxxxxx"], "pattern-missing", "hello"),
        ],
    );
    let steps = plan_within(&["<ready", ">on"], &[], &[], 8);
    check(&steps, &[(&["xxxxready"], "pattern-missing", "hello"), (&["xxxready"], "ok", "helloon")]);
}

#[test]
fn at_the_deadline_what_is_there_counts() {
    check(&plan(&[], &["ready"], &[]), &[(&["TIME"], "open", "hello"), (&["read", "TIME"], "open", "hello")]);
    check(&plan(&["<a"], &[], &[]), &[(&["b", "TIME"], "open", "hello")]);
    let mut pieces = vec!["x"; 900];
    pieces.extend(["ready", "TIME"]);
    check(&plan(&[], &["ready"], &[]), &[(&pieces, "ok", "hello")]);
    let mut pieces = vec!["x"; 900];
    pieces.extend(["bad", "TIME"]);
    check(&plan(&[], &["ready"], &["bad"]), &[(&pieces, "pattern-rejected", "hello")]);
}

#[test]
fn a_restarted_dialogue_has_forgotten_all() {
    let plan = plan(&["<a", ">b"], &["a"], &[]);
    let (mut dialogue, mut out) = (Dialogue::default(), Vec::new());
    for _ in 0..3 {
        assert_eq!(dialogue.connected(&plan, &mut out), Step::Continue);
        assert_eq!(dialogue.bytes(&plan, b"xxa", &mut out), Step::Done(Verdict::Success));
        assert_eq!((dialogue.received(), std::mem::take(&mut out)), (3, b"hellob".to_vec()));
        dialogue.restart();
        assert_eq!(dialogue.received(), 0);
    }
    dialogue.bytes(&plan, &[b'x'; 900], &mut out);
    dialogue.restart();
    assert!(dialogue.received.capacity() <= KEPT_BYTES_MAX);
}

#[test]
fn bytes_that_are_no_text_can_be_expected() {
    let dialogue = rule::Dialogue {
        steps: vec![DialogueStep::Expect(b"\xff\x00"[..].into())],
        ..rule::Dialogue::default()
    };
    let plan = Plan::compile(&dialogue, &mut Compiled::default()).expect("a good dialogue");
    let mut dialogue = Dialogue::default();
    assert_eq!(dialogue.bytes(&plan, b"a\xff", &mut Vec::new()), Step::Continue);
    assert_eq!(dialogue.bytes(&plan, b"\x00b", &mut Vec::new()), Step::Done(Verdict::Success));
}

#[test]
fn only_nothing_at_all_is_empty() {
    let empty = rule::Dialogue::default();
    let send = rule::Dialogue { send: b"x"[..].into(), ..rule::Dialogue::default() };
    let steps = rule::Dialogue { steps: vec![step("<a")], ..rule::Dialogue::default() };
    for (dialogue, is_empty) in [(empty, true), (send, false), (steps, false)] {
        let plan = Plan::compile(&dialogue, &mut Compiled::default()).expect("a good dialogue");
        assert_eq!(plan.is_empty(), is_empty, "{dialogue:?}");
    }
}
