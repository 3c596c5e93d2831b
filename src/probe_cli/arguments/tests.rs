use super::*;

fn parsed(line: &str) -> Result<Arguments, UsageError> {
    parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn a_url_alone_is_one_run() {
    let arguments = parsed("http://h/").expect("it is good");
    assert_eq!((arguments.count.get(), arguments.concurrency.get()), (1, 1));
    assert_eq!((arguments.interval, arguments.json), (None, false));
}

#[test]
fn flags_and_properties_come_in_any_order_and_both_forms() {
    for line in [
        "http://h/?a=b -c 10 -j 4 -i 500ms -json timeout=1s http_status=200",
        "-c=10 --j=4 timeout=1s --i 500ms http://h/?a=b http_status=200 --json",
    ] {
        let arguments = parsed(line).expect("it is good");
        assert_eq!(arguments.url, "http://h/?a=b");
        let properties = [("timeout", "1s"), ("http_status", "200")];
        assert_eq!(arguments.properties, properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((arguments.count.get(), arguments.concurrency.get()), (10, 4));
        assert_eq!((arguments.interval.as_deref(), arguments.json), (Some("500ms"), true));
    }
}

#[test]
fn more_at_a_time_than_there_are_runs_are_not_made() {
    assert_eq!(parsed("http://h/ -c 3 -j 64").expect("it is good").concurrency.get(), 3);
}

#[test]
fn what_cannot_be_followed_is_told_by_name() {
    let bad = |flag, value: &str, max| UsageError::BadNumber { flag, value: value.into(), max };
    for (line, error) in [
        ("", UsageError::MissingUrl),
        ("timeout=1s", UsageError::MissingUrl),
        ("http://h/ http://i/", UsageError::Unexpected("http://i/".into())),
        ("http://h/ -x", UsageError::UnknownFlag("x".into())),
        ("http://h/ -c", UsageError::MissingValue("c")),
        ("http://h/ -c 0", bad("c", "0", COUNT_MAX)),
        ("http://h/ -c many", bad("c", "many", COUNT_MAX)),
        ("http://h/ -j 10001", bad("j", "10001", CONCURRENCY_MAX)),
        ("http://h/ -h", UsageError::Help),
    ] {
        assert_eq!(parsed(line), Err(error), "{line}");
    }
}

#[test]
fn values_stand_in_the_configuration_as_they_were_written() {
    let arguments = Arguments {
        url: "http://h/\"\\".to_owned(),
        properties: vec![("expect".to_owned(), "'a; b'".to_owned())],
        interval: Some("2s".to_owned()),
        ..parsed("http://h/").expect("it is good")
    };
    assert_eq!(
        arguments.as_configuration(),
        "test = \"http://h/\\\"\\\\\"\ninterval = 2s\nexpect = 'a; b'\n"
    );
}

#[test]
fn a_text_without_quotes_is_taken_as_it_stands() {
    for (name, value, written) in [
        ("expect", "1.6", "\"1.6\""),
        ("expect", "yes", "\"yes\""),
        ("Expect", "#x", "\"#x\""),
        ("expect", "", "\"\""),
        ("expect", "[a, \"b\"]", "[a, \"b\"]"),
        ("expect", "\"a; b\"", "\"a; b\""),
        ("expect_regex", "^\\d+;\"$", "\"^\\\\d+;\\\"$\""),
        ("connect", "[::1]:443", "\"[::1]:443\""),
        ("tls_name", "1.2", "\"1.2\""),
        ("http_status", "200-299", "\"200-299\""),
        ("timeout", "1s", "1s"),
        ("close", "fin", "fin"),
        ("tls_verify", "no", "no"),
        ("expct", "1", "1"),
    ] {
        let properties = vec![(name.to_owned(), value.to_owned())];
        let arguments = Arguments { properties, ..parsed("tcp://h:1").expect("it is good") };
        let text = arguments.as_configuration();
        assert!(text.ends_with(&format!("\n{name} = {written}\n")), "{text}");
    }
}
