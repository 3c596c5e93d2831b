//! Both forms of a line, as the sink writes them.

use std::time::Duration;

use super::*;

/// The line as it goes to stderr; that of text without its time.
fn written(line: &Line<'_>, format: LogFormat) -> String {
    let at = SystemTime::UNIX_EPOCH + Duration::new(1_795_258_635, 123_456_789);
    let mut record = Record::builder();
    record.level(Level::Warn).key_values(line);
    let entry = entry(&record.args(format_args!("{line}")).build(), format, at);
    let mut batch = String::new();
    write_line(&mut batch, &entry, Destination::Stderr);
    match format {
        LogFormat::Text => batch.split_off("2026/11/21 10:57:15 ".len()),
        LogFormat::Json => batch,
    }
}

#[test]
fn a_line_of_json_has_time_level_thread_sentence_and_fields() {
    let addresses = ["10.0.0.1".parse().expect("an address"), "::1".parse().expect("another")];
    let fields = [
        Field::named("took", "took_ms", Value::Millis(Duration::from_micros(2_500))),
        Field::named("added", "added[]", Value::Addresses(&addresses)),
        Field::named("removed", "removed[]", Value::Addresses(&[])),
        Field::new("dry", Value::Truth(false)),
        Field::new("days", Value::Signed(-1)),
        Field::new("detail", Value::Quoted(&"a \"b\"")),
    ];
    let about = [Field::hidden("table", Value::Bare(&"web\n"))];
    let line = Line { event: "e", sentence: format_args!("table 'web\n' x"), about: &about, fields: &fields };
    // A test's thread has the test's name.
    let json = written(&line, LogFormat::Json);
    let (head, rest) = json.split_once(",\"thread\":\"").expect("a thread");
    assert_eq!(head, "{\"time\":\"2026-11-21T10:57:15.123456Z\",\"level\":\"warn\"");
    assert_eq!(
        rest.split_once("\",").expect("the end of its name").1,
        "\"message\":\"table 'web\\u000a' x\",\"event\":\"e\",\"table\":\"web\\u000a\",\"took_ms\":2.5,\
         \"added\":[\"10.0.0.1\",\"::1\"],\"removed\":[],\"dry\":false,\"days\":-1,\"detail\":\"a \\\"b\\\"\"}\n"
    );
    assert_eq!(
        written(&line, LogFormat::Text),
        "table 'web\\n' x took=2.500ms added=[10.0.0.1 ::1] removed=[] dry=false days=-1 detail=\"a \\\"b\\\"\"\n"
    );
}

#[test]
fn whatever_is_in_it_a_line_is_one_line() {
    let everything: String =
        ('\0'..='\u{3000}').chain('\u{fe00}'..='\u{ffff}').chain(['\u{1f600}', '\u{e0001}']).collect();
    let fields =
        [Field::new("bare", Value::Bare(&everything)), Field::new("quoted", Value::Quoted(&everything))];
    let line = Line { event: "e", sentence: format_args!("{everything}"), about: &[], fields: &fields };
    for format in [LogFormat::Text, LogFormat::Json] {
        let written = written(&line, format);
        let (last, before) = (written.chars().last(), &written[..written.len() - 1]);
        assert_eq!(last, Some('\n'));
        assert!(!before.contains(crate::line::is_harmful), "{format:?}");
        assert!(before.contains('é') && before.contains('\u{1f600}'), "{format:?}");
    }
}

#[test]
fn a_record_without_fields_is_its_text() {
    let record = Record::builder().args(format_args!("a\n\"b\"")).level(Level::Debug).build();
    let json = json::rest(&record, None);
    assert_eq!(json, "\"level\":\"debug\",\"message\":\"a\\u000a\\\"b\\\"\"}");
}

#[test]
fn drops_are_told_in_both_forms() {
    let at = SystemTime::UNIX_EPOCH;
    assert_eq!(drops(3, LogFormat::Text, at).text, "log: 3 lines dropped, the sink does not keep up");
    let json = drops(3, LogFormat::Json, at).text;
    assert!(json.ends_with("keep up\",\"event\":\"lines-dropped\",\"lines\":3}"), "{json}");
}
