use super::*;

/// Texts and regexes, each `+` expected or `-` rejected.
fn patterns(texts: &[&str], regexes: &[&str]) -> Patterns {
    let of = |list: &[&str], mark: &str| -> Vec<Box<str>> {
        list.iter().filter_map(|text| text.strip_prefix(mark)).map(Box::from).collect()
    };
    let given = rule::Patterns {
        expect: of(texts, "+"),
        reject: of(texts, "-"),
        expect_regex: of(regexes, "+"),
        reject_regex: of(regexes, "-"),
        ..rule::Patterns::default()
    };
    Patterns::compile(&given, &mut Compiled::default()).expect("good patterns")
}

fn found(patterns: &Patterns, pieces: &[&str], last: Sight) -> (usize, String) {
    let (mut search, mut reply) = (Search::default(), Vec::new());
    let growing = if last == Sight::Stream { Sight::Stream } else { Sight::Growing };
    for (number, piece) in pieces.iter().enumerate() {
        reply.extend_from_slice(piece.as_bytes());
        let sight = if number + 1 == pieces.len() { last } else { growing };
        match search.look(patterns, &reply, sight) {
            Found::Open => {}
            Found::Holds => return (number, "holds".to_owned()),
            Found::Fails(cause) => return (number, cause.name().to_owned()),
        }
    }
    (pieces.len(), "open".to_owned())
}

/// Texts, regexes, pieces; in which piece the outcome is known, and what it is.
type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], usize, &'a str);

fn check(rows: &[Row<'_>], last: Sight) {
    for (texts, regexes, pieces, number, outcome) in rows {
        let seen = found(&patterns(texts, regexes), pieces, last);
        assert_eq!(seen, (*number, (*outcome).to_owned()), "{texts:?} {regexes:?} in {pieces:?}, {last:?}");
    }
}

#[test]
fn a_whole_body_decides() {
    let rows: &[Row<'_>] = &[
        (&["+ready"], &[], &["not rea", "dy"], 1, "holds"),
        (&["+ready"], &[], &["r", "e", "a", "d", "y", ""], 4, "holds"),
        (&["+ready", "+up"], &[], &["up ", "ready", " more"], 1, "holds"),
        (&["+ready"], &[], &["not read"], 0, "pattern-missing"),
        (&["-error"], &[], &["err", "or", "more"], 1, "pattern-rejected"),
        // Only the end knows that nothing rejected comes.
        (&["-error"], &[], &["fine", "", "fine"], 2, "holds"),
        (&["+ready", "-error"], &[], &["ready", "fine"], 1, "holds"),
        (&["+ready", "-error"], &[], &["ready", "error"], 1, "pattern-rejected"),
        // What is rejected says more than what is missing.
        (&["+ready", "-error"], &[], &["error"], 0, "pattern-rejected"),
        (&["+é"], &[], &["caf\u{e9}"], 0, "holds"),
        (&["+a.b"], &[], &["aXb", ""], 1, "pattern-missing"),
        (&[], &["+^up$"], &["x\r\nup", "\r\n", "y"], 2, "holds"),
        (&[], &["+^up"], &["x\nu", "p", "y"], 1, "holds"),
    ];
    check(rows, Sight::Whole);
}

#[test]
fn what_speaks_of_what_comes_after_is_decided_at_the_end_of_a_body() {
    for mark in ["$", r"\b", r"\z", r"\>", r"\b{end}"] {
        let regex = format!("+ok{mark}");
        check(&[(&[], &[&regex], &["ok", "ay"], 1, "pattern-missing")], Sight::Whole);
        check(&[(&[], &[&regex], &["is ", "ok"], 1, "holds")], Sight::Whole);
        let regex = format!("-ok{mark}");
        check(&[(&[], &[&regex], &["ok", "ay"], 1, "holds")], Sight::Whole);
        check(&[(&[], &[&regex], &["ok", ""], 1, "pattern-rejected")], Sight::Whole);
    }
    check(&[(&[], &[r"+ok\B"], &["ok", "ay"], 1, "holds")], Sight::Whole);
}

#[test]
fn on_a_stream_what_is_there_counts_once_all_that_is_expected_is_there() {
    let rows: &[Row<'_>] = &[
        (&["+ready", "-error"], &[], &["ready", "error"], 0, "holds"),
        (&["-error"], &[], &["fine", "error"], 0, "holds"),
        (&["+ready", "-error"], &[], &["error", "ready"], 0, "pattern-rejected"),
        (&["+ready"], &[], &["rea", ""], 2, "open"),
        (&[], &["+ok$"], &["ok", "ay"], 0, "holds"),
        // A rejected pattern that is at the end now may be no match any more.
        (&["+ready"], &["-ok$"], &["ok", "ay ready"], 1, "holds"),
        (&["+ready"], &["-ok$"], &["ready ok"], 0, "pattern-rejected"),
    ];
    check(rows, Sight::Stream);
}

/// An expected pattern with `$` that had matched once stayed found, though the reply had outgrown it.
#[test]
fn a_match_at_the_end_does_not_outlast_the_end() {
    let rows: &[Row<'_>] = &[(&["+ready"], &["+ok$"], &["ok", "ay ready", "\nok"], 2, "holds")];
    check(rows, Sight::Stream);
}

/// The first of several rejected patterns that match decided alone whether the outcome is certain.
#[test]
fn a_certain_rejection_is_not_held_up_by_an_uncertain_one() {
    let rows: &[Row<'_>] = &[(&["+ready"], &["-bad$", "-bad"], &["bad", "x"], 0, "pattern-rejected")];
    check(rows, Sight::Stream);
}

#[test]
fn throttled_searches_are_right_at_the_end() {
    for (regex, outcome) in
        [("+needle", "holds"), ("-needle", "pattern-rejected"), ("+no", "pattern-missing")]
    {
        let mut pieces = vec!["x"; 1000];
        pieces.push("needle");
        pieces.push("");
        let last = pieces.len() - 1;
        let (number, seen) = found(&patterns(&[], &[regex]), &pieces, Sight::Whole);
        assert_eq!((number, seen.as_str()), (last, outcome), "{regex}");
        let (_, seen) = found(&patterns(&[regex], &[]), &pieces, Sight::Whole);
        assert_eq!(seen, outcome, "{regex} as a text");
    }
}

#[test]
fn a_throttled_reply_is_searched_at_once_when_nothing_more_comes() {
    let (patterns, mut search, mut reply) = (patterns(&["+needle"], &[]), Search::default(), Vec::new());
    for _ in 0..1000 {
        reply.push(b'x');
        assert_eq!(search.look(&patterns, &reply, Sight::Growing), Found::Open);
    }
    reply.extend_from_slice(b"needle");
    assert_eq!(search.look(&patterns, &reply, Sight::Growing), Found::Open, "it is throttled");
    assert_eq!(search.look_now(&patterns, &reply, Sight::Growing), Found::Holds);
}

#[test]
fn a_restarted_search_has_forgotten_all() {
    let (patterns, mut search) = (patterns(&["+ab"], &[]), Search::default());
    for _ in 0..100 {
        search.look(&patterns, b"aaaaaaaaaaaaa", Sight::Growing);
    }
    search.look(&patterns, b"ab", Sight::Whole);
    search.restart();
    assert_eq!(search.look(&patterns, b"a", Sight::Growing), Found::Open);
    assert_eq!(search.look(&patterns, b"ab", Sight::Growing), Found::Holds);
}

#[test]
fn bytes_that_are_no_text_are_found() {
    let regex = Compiled::default().bytes(b"\xff\x00.").expect("a pattern");
    assert!(regex.is_match(b"a\xff\x00.b"));
    assert!(!regex.is_match(b"a\xff\x00xb"));
}

#[test]
fn a_reply_never_holds_more_memory_than_its_bound() {
    for (bytes_max, piece) in [(10, 3), (1000, 7), (65_536, 1460), (100_000, 100_001)] {
        let mut reply = Vec::new();
        for _ in 0..200 {
            keep(&mut reply, &vec![b'x'; piece], bytes_max);
            assert!(reply.capacity() <= bytes_max.max(8), "{} of {bytes_max}", reply.capacity());
        }
        assert_eq!(reply.len(), bytes_max.min(200 * piece));
    }
}

#[test]
fn a_bad_pattern_is_told_with_its_property() {
    for property in ["expect_regex", "reject_regex"] {
        let list = vec![Box::from("a(b")];
        let given = if property == "expect_regex" {
            rule::Patterns { expect_regex: list, ..rule::Patterns::default() }
        } else {
            rule::Patterns { reject_regex: list, ..rule::Patterns::default() }
        };
        let (named, why) = Patterns::compile(&given, &mut Compiled::default()).expect_err("it is no pattern");
        assert_eq!(named, property);
        assert_eq!(why, "'a(b': unclosed group");
    }
}

#[test]
fn a_pattern_is_shown_short_and_harmless() {
    for (pattern, text) in [("a'b", r"'a\'b'"), ("a\n\u{1b}", r"'a\n\u{1b}'")] {
        assert_eq!(shown(pattern), text);
    }
    assert_eq!(shown(&"x".repeat(61)), format!("'{}...'", "x".repeat(60)));
}
