//! Every event of the log is in hfm(8), and every metric; and none that the program does not have.

use std::collections::BTreeSet;

use crate::page::Page;
use crate::source::{is_name, sources, strings};

/// The events that a source tells: what is given for `event`, and what stands before a sentence.
fn events(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in text.split("event: \"").skip(1) {
        found.extend(part.split('"').next().map(str::to_owned));
    }
    for (string, after) in strings(text) {
        let Some(after) = after.trim_start().strip_prefix(',') else { continue };
        // Whom it is about may stand between.
        let after = after.trim_start();
        let after = after.strip_prefix("rule,").map_or(after, str::trim_start);
        if after.starts_with("format_args!(") || after.starts_with("sentence") {
            found.insert(string.to_owned());
        }
    }
    found.retain(|name| is_name(name));
    found
}

/// The names of the items of a section, each there once.
fn documented(page: &Page, section: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in page.items().iter().filter(|item| item.section == section) {
        for name in item.names("Cm") {
            assert!(names.insert(name.clone()), "{name} is there twice");
        }
    }
    names
}

#[test]
fn every_event_is_documented_once_and_none_that_is_never_told() {
    let known: BTreeSet<String> = sources().iter().flat_map(|(_, text)| events(text)).collect();
    for name in
        ["change", "table-written", "override-set", "demotion", "summary-rule", "shortage", "control-log"]
    {
        assert!(known.contains(name), "{name} is not found in the sources");
    }
    assert!(known.len() > 80, "{} events: {known:?}", known.len());
    let documented = documented(&Page::read("hfm.8"), "LOG");
    let missing: Vec<&String> = known.difference(&documented).collect();
    let surplus: Vec<&String> = documented.difference(&known).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}, not there: {surplus:?}");
}

#[test]
fn every_source_that_makes_a_line_names_its_event() {
    for (name, text) in sources() {
        let makes = text.contains("line::tell(") && !name.starts_with("line/");
        assert!(!makes || !events(&text).is_empty(), "src/{name} tells a line, and no event is found in it");
    }
}

#[test]
fn events_are_found_in_all_ways_of_telling_them() {
    let text = "Line { event: \"one\", sentence: x }\n tell(Level::Info, \"two\", format_args!(\"{a}\"), &[]);\n\
                self.say(\n level,\n run,\n \"three-four\",\n format_args!(\"x\"));\n\
                by_peer(\n \"five\",\n rule,\n format_args!(\"is\"));\n told(\"six\", sentence, 1);\n\
                Field::new(\"reason\", Value::Nothing); other(\"no name\", format_args!(\"\"));";
    let found: Vec<String> = events(text).into_iter().collect();
    assert_eq!(found, ["five", "one", "six", "three-four", "two"]);
}

#[test]
fn every_metric_is_documented_and_none_that_is_never_given() {
    let is_metric = |name: &&str| {
        (name.starts_with("hfm_") || name.starts_with("process_"))
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let all = sources();
    let of_metrics: Vec<&str> = all
        .iter()
        .filter(|(name, _)| name.starts_with("status/metrics"))
        .map(|(_, text)| text.as_str())
        .collect();
    assert!(!of_metrics.is_empty(), "the sources of metrics are somewhere else");
    let strings = of_metrics.iter().flat_map(|text| strings(text)).map(|(string, _)| string);
    let known: BTreeSet<String> = strings.filter(is_metric).map(str::to_owned).collect();
    assert!(known.contains("hfm_rule_up"), "{known:?}");
    assert_eq!(documented(&Page::read("hfm.8"), "THE STATUS PAGE AND METRICS"), known);
}
