//! One description, two forms.

use std::collections::BTreeMap;

use super::*;

/// The key-values of a line, each as text, those of lists together.
fn fields(line: &Line<'_>) -> BTreeMap<String, Vec<String>> {
    struct Visitor(BTreeMap<String, Vec<String>>);
    impl<'kvs> VisitSource<'kvs> for Visitor {
        fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
            self.0.entry(key.to_string()).or_default().push(value.to_string());
            Ok(())
        }
    }
    let mut visitor = Visitor(BTreeMap::new());
    line.visit(&mut visitor).expect("the visitor takes everything");
    visitor.0
}

#[test]
fn the_tail_and_the_fields_say_the_same() {
    let addresses = ["10.0.0.1", "10.0.0.0/8"].map(|text| text.parse::<Prefix>().expect(text));
    let said = [
        Field::hidden("rule", Value::Bare(&"a")),
        Field::new("previous", Value::State(State::Success)),
        Field::new("detail", Value::Quoted(&"a \"b\"\n")),
        Field::named("elapsed", "elapsed_ms", Value::Millis(Duration::from_micros(1_044))),
        Field::new("streak", Value::Number(2)),
        Field::new("days", Value::Signed(-3)),
        Field::new("stale", Value::Truth(true)),
        Field::new("none", Value::Nothing),
        Field::named("added", "added[]", Value::Addresses(&addresses)),
        Field::named("removed", "removed[]", Value::Addresses(&[])),
    ];
    let line = Line { event: "test", sentence: format_args!("'a' changed"), about: &[], fields: &said };
    assert_eq!(
        line.to_string(),
        "'a' changed previous=RuleStateSuccess detail=\"a \\\"b\\\"\\n\" elapsed=1.044ms streak=2 days=-3 \
         stale=true added=[10.0.0.1 10.0.0.0/8] removed=[]"
    );
    let expected = [
        ("message", "'a' changed"),
        ("event", "test"),
        ("rule", "a"),
        ("previous", "success"),
        ("detail", "a \"b\"\n"),
        ("elapsed_ms", "1.044"),
        ("streak", "2"),
        ("days", "-3"),
        ("stale", "true"),
        ("added[]", "10.0.0.1,10.0.0.0/8"),
        ("removed[]", "None"),
    ];
    let found = fields(&line);
    for (key, value) in expected {
        assert_eq!(found[key].join(","), value, "{key}");
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn a_list_names_a_bounded_number() {
    let many: Vec<Prefix> = (0..25).map(|last| format!("10.0.0.{last}").parse().expect("one")).collect();
    assert!(Listed(&many).to_string().ends_with("10.0.0.19 and 5 more"));
    let said = [Field::named("added", "added[]", Value::Addresses(&many))];
    let line = Line { event: "test", sentence: format_args!("x"), about: &[], fields: &said };
    assert_eq!(fields(&line)["added[]"].len(), NAMED_MAX);
}

#[test]
fn every_harmful_character_is_escaped_and_no_other() {
    let listed = |c: char| matches!(u32::from(c), 0..=0x1f | 0x7f..=0x9f | 0x2028..=0x202e | 0x2066..=0x2069);
    for c in '\0'..=char::MAX {
        assert_eq!(is_harmful(c), listed(c), "{c:?}");
        let text = c.to_string();
        assert_eq!(Harmless(&text).to_string() != text, listed(c), "{c:?}");
        let json = Quoted(&text).to_string();
        assert_eq!(json != format!("\"{text}\""), listed(c) || matches!(c, '"' | '\\'), "{c:?}");
        assert!(!json.contains(is_harmful), "{c:?}");
    }
    let text = "a\nb\u{1b}[2J\u{7f}\u{85}\u{2028}\u{202e}é";
    assert_eq!(Harmless(text).to_string(), "a\\nb\\u{1b}[2J\\u{7f}\\u{85}\\u{2028}\\u{202e}é");
    assert_eq!(Quoted("\"\\\n").to_string(), "\"\\\"\\\\\\u000a\"");
}
