//! What the tree says beyond its JSON: types, styles and places.

use hfm::ucl::{Document, Item, Kind, Style};

use super::hostile::parse;

fn item<'d>(document: &'d Document, key: &str) -> &'d Item {
    let Kind::Object(root) = &document.root.kind else { panic!("the root is an object") };
    let entry = root.entries.iter().find(|entry| &*entry.key == key).expect("the key is there");
    &entry.items[0]
}

#[test]
fn numbers_have_the_type_of_their_unit() {
    for (text, expected) in [
        ("5", Kind::Integer(5)),
        ("5k", Kind::Integer(5000)),
        ("5m", Kind::Integer(5_000_000)),
        ("1kb", Kind::Integer(1024)),
        ("0x10", Kind::Integer(16)),
        ("1.5", Kind::Float(1.5)),
        ("1.5k", Kind::Float(1500.0)),
        ("10ms", Kind::Time(0.01)),
        ("1s", Kind::Time(1.0)),
        ("2min", Kind::Time(120.0)),
        ("1.5h", Kind::Time(5400.0)),
        ("1w", Kind::Time(604_800.0)),
    ] {
        let document = parse(&format!("a = {text}\n")).unwrap();
        assert_eq!(item(&document, "a").value.kind, expected, "{text}");
    }
}

#[test]
fn strings_remember_their_style() {
    let document = parse("a = x y\nb = 'x'\nc = \"x\"\nd = <<EOD\nx\nEOD\n").unwrap();
    for (key, expected) in
        [("a", Style::Bare), ("b", Style::SingleQuoted), ("c", Style::DoubleQuoted), ("d", Style::Heredoc)]
    {
        let Kind::String { style, text: _ } = &item(&document, key).value.kind else {
            panic!("{key} is a string")
        };
        assert_eq!(*style, expected, "{key}");
    }
}

#[test]
fn spans_cover_what_was_written() {
    let text = "a = 5ms\nb = \"x\\n\" # c\nc : foo bar  ;\n\"d e\" { x = 1 }\nf = [1, 2]\ng = 5  \nh = <<E\nx\nE\ni j { k = 1 }\n";
    let document = parse(text).unwrap();
    for (key, written_key, written) in [
        ("a", "a", "5ms"),
        ("b", "b", "\"x\\n\""),
        ("c", "c", "foo bar"),
        ("d e", "\"d e\"", "{ x = 1 }"),
        ("f", "f", "[1, 2]"),
        ("g", "g", "5"),
        ("h", "h", "<<E\nx\nE"),
        ("i", "i", "i j { k = 1 }"),
    ] {
        let item = item(&document, key);
        assert_eq!(document.sources.text(item.key_span), written_key);
        assert_eq!(document.sources.text(item.value.span), written, "{key}");
    }
    assert_eq!(document.sources.text(document.root.span), text);
    let place = document.sources.place(item(&document, "d e").value.span);
    assert_eq!((place.line, place.column), (4, 7));
}

#[test]
fn repeated_keys_keep_every_place() {
    let document = parse("a = 1\na = 2\na = 3\n").unwrap();
    let Kind::Object(root) = &document.root.kind else { panic!("the root is an object") };
    let lines: Vec<u32> =
        root.entries[0].items.iter().map(|item| document.sources.place(item.key_span).line).collect();
    assert_eq!(lines, [1, 2, 3]);
}
