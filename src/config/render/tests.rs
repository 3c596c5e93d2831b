use std::sync::Arc;

use super::*;

fn shown(text: &str, start: usize, end: usize) -> String {
    let mut sources = Sources::default();
    let source = sources.add("hfm.conf", text.into());
    let span = Span { source, start: start.try_into().expect("short"), end: end.try_into().expect("short") };
    let rule: Arc<str> = "lb1".into();
    let mut out = String::new();
    diagnostic(&mut out, &sources, &Diagnostic::error(span, &rule, "no")).expect("a string takes everything");
    out
}

/// The source line as it is shown, and the columns that the caret and its tail cover.
fn marked(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 3, "{shown}");
    let caret = lines[2].find('^').expect("a caret");
    lines[1].chars().skip(caret).take(lines[2].len() - caret).collect()
}

#[test]
fn place_line_and_caret_stand_below_each_other() {
    assert_eq!(shown("a = 1\nbb = 22\n", 6, 8), "hfm.conf:2:1: lb1: no\n    bb = 22\n    ^~\n");
}

#[test]
fn warnings_say_so_notes_and_help_follow() {
    let mut sources = Sources::default();
    let source = sources.add("f", "x y".into());
    let first = Span { source, start: 0, end: 1 };
    let second = Span { source, start: 2, end: 3 };
    let rule: Arc<str> = "r".into();
    let warning = Diagnostic::warning(second, &rule, "twice").note(first, "first here").help("take one away");
    let mut out = String::new();
    diagnostic(&mut out, &sources, &warning).expect("a string takes everything");
    assert_eq!(
        out,
        "f:1:3: r: warning: twice\n    x y\n      ^\nf:1:1: note: first here\n    x y\n    ^\nhelp: take one away\n"
    );
}

#[test]
fn tabs_do_not_move_the_caret() {
    assert_eq!(marked(&shown("\t\tabc = 1", 2, 5)), "abc");
    assert_eq!(marked(&shown("a\t=\tb", 4, 5)), "b");
}

#[test]
fn control_characters_are_shown_and_the_caret_still_stands_right() {
    let out = shown("a\u{1b}[2J b", 6, 7);
    assert!(!out.contains('\u{1b}'), "{out:?}");
    assert!(out.contains("a\\u{1b}[2J b"), "{out}");
    assert_eq!(marked(&out), "b");
    let reordered = shown("a\u{202e} b", 5, 6);
    assert!(!reordered.contains('\u{202e}'), "{reordered:?}");
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}X{}", "a".repeat(1000), "b".repeat(1000));
    let out = shown(&text, 1000, 1001);
    assert_eq!(marked(&out), "X");
    assert!(out.lines().all(|line| line.len() < 140), "{out}");
    assert!(out.contains("    ...aaa") && out.contains("bbb...\n"), "{out}");
    assert!(out.starts_with("hfm.conf:1:1001: "), "{out}");
}

#[test]
fn wide_letters_take_two_columns() {
    let out = shown("日本 x", 7, 8);
    assert_eq!(out.lines().nth(2), Some("         ^"));
}

#[test]
fn a_span_over_several_lines_is_marked_to_the_end_of_its_first() {
    assert_eq!(marked(&shown("a = <<E\nfoo\nE\n", 4, 13)), "<<E");
    assert_eq!(shown("ab\r\ncd", 0, 6).lines().nth(2), Some("    ^~"));
}

#[test]
fn an_empty_span_and_the_end_of_the_text_get_a_caret() {
    assert_eq!(shown("abc", 3, 3), "hfm.conf:1:4: lb1: no\n    abc\n       ^\n");
    assert_eq!(shown("", 0, 0), "hfm.conf: lb1: no\n");
}

#[test]
fn long_names_are_cut_in_messages() {
    assert_eq!(quoted(&"x".repeat(100)), format!("'{}...'", "x".repeat(60)));
    assert_eq!(quoted("a\nb"), "'a\\nb'");
}
