//! docs/metrics.md names every metric there is, and no other.

use std::collections::BTreeMap;

use hfm::status::metrics::FAMILIES;

use crate::promtool::promtool;
use crate::world::world;
use crate::{read, unknown_names};

const MANUAL: &str = "docs/metrics.md";

/// The cells of each line of a table that is about a metric, without the marks of code.
fn rows(manual: &str) -> Vec<Vec<String>> {
    let lines = manual.lines().filter(|line| line.starts_with("| `"));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    lines.map(cells).collect()
}

#[test]
fn the_manual_has_every_metric_as_it_is() {
    let manual = read(MANUAL);
    let rows = rows(&manual);
    let told: BTreeMap<&str, (&str, &str)> =
        rows.iter().map(|row| (row[0].as_str(), (row[1].as_str(), row[2].as_str()))).collect();
    assert_eq!(told.len(), rows.len(), "each is told once");
    for row in &rows {
        assert!(row.len() == 5 && row[3].ends_with('.'), "{row:?}");
    }
    let labels: Vec<String> = FAMILIES.iter().map(|family| family.labels.join(", ")).collect();
    let are = FAMILIES.iter().zip(&labels);
    let are: BTreeMap<_, _> =
        are.map(|(family, labels)| (family.name, (family.kind.word(), labels.as_str()))).collect();
    assert_eq!(are.len(), FAMILIES.len(), "no name is taken twice");
    assert_eq!(told, are);
    assert_eq!(unknown_names(&manual), [""; 0]);
}

/// What the manual says of how much it is.
#[test]
fn the_manual_counts_samples_right() {
    let manual = read(MANUAL);
    let text = world().text();
    let count = |begin: &str, with: &str| {
        text.lines().filter(|line| line.starts_with(begin) && line.contains(with)).count()
    };
    let of_rules = count("hfm_rule_", "");
    let of_tables = count("hfm_table_", "");
    let process = count("hfm_", "") + count("process_", "") - of_rules - of_tables;
    assert_eq!(count("hfm_table_", "\"web\""), 8);
    assert_eq!(count("hfm_rule_duration_seconds", "\"lb1/haproxy\""), 11);
    let figures = format!("A table has 8 samples, the process {process}.");
    assert!(manual.replace('\n', " ").contains(&figures), "{figures}");
    assert!(manual.contains("A rule that is well has 13 samples, 11 of them its histogram"));
}

#[test]
fn questions_of_the_manual_can_be_asked() {
    let manual = read(MANUAL);
    let (_, questions) = manual.split_once("## Questions").expect("there is such a section");
    let questions: Vec<_> = questions.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(questions.len() >= 4, "{questions:?}");
    let rules: Vec<_> =
        questions.iter().map(|of| serde_json::json!({ "record": "asked", "expr": of })).collect();
    let rules = serde_json::json!({ "groups": [{ "name": "manual", "rules": rules }] });
    let file = std::env::temp_dir().join(format!("hfm-manual-{}.json", std::process::id()));
    std::fs::write(&file, rules.to_string()).expect("a file of the test");
    let found = promtool(
        "questions_of_the_manual_can_be_asked",
        &["check", "rules", "--lint=none", &file.to_string_lossy()],
        "",
    );
    let _ = std::fs::remove_file(file);
    let Some((content, said)) = found else { return };
    assert!(content, "{said}");
}
