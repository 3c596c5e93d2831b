use super::*;
use crate::verdict::{Cause, LocalCause};

const US: Duration = Duration::from_micros(1);

fn printed(json: bool, runs: &[(Verdict, Measured, Duration)]) -> String {
    let mut report = Report::new("http://h/\"", json, Vec::new());
    for (verdict, measured, total) in runs {
        report.run(verdict, measured, *total);
    }
    report.finish();
    let all = !runs.is_empty() && runs.iter().all(|(verdict, ..)| *verdict == Verdict::Success);
    assert_eq!(report.all_succeeded(), all);
    String::from_utf8(report.out.into_inner().expect("it was flushed")).expect("it is UTF-8")
}

fn runs() -> Vec<(Verdict, Measured, Duration)> {
    let measured = Measured {
        connect: Some(30 * US),
        tls: Some(500 * US),
        first_byte: Some(1500 * US),
        certificate_left: Some(86_400 * 3 + 5),
        resolve: None,
    };
    let wanted = "200-399".into();
    vec![
        (Verdict::Success, measured, 2030 * US),
        (Verdict::Failure(Cause::HttpStatus { seen: 503, wanted }), measured, 4000 * US),
        (Verdict::Inconclusive(LocalCause::Descriptors), Measured::default(), Duration::ZERO),
    ]
}

#[test]
fn a_line_a_run_says_verdict_reason_and_the_phases_there_were() {
    let text = printed(false, &runs());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "success ok connect=0.030ms tls=0.500ms first_byte=1.500ms total=2.030ms \
         detail=\"certificate expires in 3 days\""
    );
    assert_eq!(
        lines[1],
        "failure http-status connect=0.030ms tls=0.500ms first_byte=1.500ms total=4.000ms \
         detail=\"status 503, wanted 200-399\""
    );
    assert!(lines[2].starts_with("inconclusive descriptors total=0.000ms detail="), "{}", lines[2]);
}

#[test]
fn the_end_counts_all_runs_and_measures_those_that_say_something() {
    let text = printed(false, &runs());
    let last = text.lines().last().expect("a last line");
    assert!(last.starts_with("runs=3 failures=1 inconclusive=1 min=2.0"), "{last}");
    assert!(last.contains(" p50=2.0") && last.contains(" max=4.00"), "{last}");
    assert_eq!(printed(false, &[]), "runs=0 failures=0 inconclusive=0\n");
}

#[test]
fn json_has_every_field_and_null_for_phases_not_reached() {
    let text = printed(true, &runs());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "{\"target\":\"http://h/\\\"\",\"verdict\":\"success\",\"reason\":\"ok\",\
         \"detail\":\"certificate expires in 3 days\",\"resolve_us\":null,\"connect_us\":30.000,\
         \"tls_us\":500.000,\"first_byte_us\":1500.000,\"total_us\":2030.000}"
    );
    assert!(lines[2].contains("\"connect_us\":null,\"tls_us\":null,\"first_byte_us\":null"), "{}", lines[2]);
    assert!(
        lines[3].starts_with("{\"runs\":3,\"failures\":1,\"inconclusive\":1,\"min_us\":20"),
        "{}",
        lines[3]
    );
    assert_eq!(
        printed(true, &[]),
        "{\"runs\":0,\"failures\":0,\"inconclusive\":0,\"min_us\":null,\"p50_us\":null,\"p90_us\":null,\
         \"p99_us\":null,\"p999_us\":null,\"max_us\":null}\n"
    );
}

#[test]
fn text_of_others_stays_within_its_string() {
    assert_eq!(Json("a\"b\\c\n\u{1}é").to_string(), "\"a\\\"b\\\\c\\u000a\\u0001é\"");
}
