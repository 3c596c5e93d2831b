//! contrib/prometheus: the example of a configuration, and the alerts.

use crate::promtool::promtool;
use crate::skip::skip;
use crate::{path, read, unknown_names};

/// What stands behind `key:` in each line that begins with it.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
}

#[test]
fn the_example_and_the_alerts_are_right() {
    let test = "the_example_and_the_alerts_are_right";
    let runs: [&[&str]; 2] =
        [&["check", "config", "scrape.yml"], &["check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"]];
    for arguments in runs {
        let Some((content, said)) = promtool(test, arguments, "") else { return };
        assert!(content, "promtool {arguments:?}: {said}");
    }
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() {
    let test = "each_alert_fires_when_it_should_and_only_then";
    let Some((content, said)) = promtool(test, &["test", "rules", "alerts_test.yml"], "") else { return };
    assert!(content, "{said}");
}

#[test]
fn no_alert_is_without_words_or_without_a_test() {
    let (alerts, tests) = (read("contrib/prometheus/alerts.yml"), read("contrib/prometheus/alerts_test.yml"));
    let names = values(&alerts, "alert");
    assert!(names.len() >= 15, "{names:?}");
    for name in &names {
        assert!(tests.contains(&format!("ALERTS{{alertname=\"{name}\", alertstate=\"firing\"")), "{name}");
    }
    for key in ["severity", "summary", "description", "expr"] {
        assert_eq!(values(&alerts, key).len(), names.len(), "{key}");
    }
    for severity in values(&alerts, "severity") {
        assert!(["critical", "warning", "info"].contains(&severity), "{severity}");
    }
}

#[test]
fn alerts_name_metrics_that_there_are() {
    for name in ["alerts.yml", "alerts_test.yml", "scrape.yml"] {
        assert_eq!(unknown_names(&read(&format!("contrib/prometheus/{name}"))), [""; 0], "{name}");
    }
}

#[test]
fn alerts_name_sections_that_there_are() {
    const MANUAL: &str = "docs/when-something-is-wrong.md";
    if !path(MANUAL).exists() {
        skip(&format!("monitoring: alerts_name_sections_that_there_are: there is no {MANUAL}"));
        return;
    }
    let manual = read(MANUAL);
    let headings = manual.lines().filter_map(|line| line.strip_prefix("## "));
    // They are numbered.
    let headings: Vec<_> = headings.map(|of| of.split_once(". ").map_or(of, |(_, words)| words)).collect();
    let alerts = read("contrib/prometheus/alerts.yml");
    for section in values(&alerts, "see").iter().flat_map(|all| all.trim_matches('"').split("; ")) {
        assert!(headings.contains(&section), "{section} is none of {headings:#?}");
    }
}
