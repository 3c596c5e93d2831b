//! Metrics, and what goes with them: contrib/prometheus, contrib/grafana and docs/metrics.md name what there is, and
//! promtool, of Prometheus itself, has nothing against any of it.
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "monitoring/alerts.rs"]
mod alerts;
#[path = "monitoring/dashboard.rs"]
mod dashboard;
#[path = "monitoring/manual.rs"]
mod manual;
#[path = "monitoring/promtool.rs"]
mod promtool;
#[path = "support/skip.rs"]
mod skip;
#[path = "monitoring/text.rs"]
mod text;
#[path = "monitoring/world.rs"]
mod world;

use std::path::{Path, PathBuf};

use hfm::status::metrics::{FAMILIES, Family, Kind};

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The metric that a name of a series is of.
fn family(series: &str) -> Option<&'static Family> {
    let of_histogram = |family: &Family| {
        let suffix = series.strip_prefix(family.name);
        family.kind == Kind::Histogram && suffix.is_some_and(|of| ["_bucket", "_sum", "_count"].contains(&of))
    };
    FAMILIES.iter().find(|family| family.name == series || of_histogram(family))
}

/// What looks like the name of a series of ours and is none.
fn unknown_names(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("hfm_") || word.starts_with("process_"));
    ours.filter(|word| family(word).is_none()).collect()
}

#[test]
fn names_that_are_none_are_found() {
    let text = "rate(hfm_runs_total[5m]) / hfm_ruls{rule=\"hfm\"} > process_cpu_seconds_total_sum + hfm_runs_total_bucket";
    assert_eq!(unknown_names(text), ["hfm_ruls", "process_cpu_seconds_total_sum", "hfm_runs_total_bucket"]);
    assert_eq!(unknown_names("hfm_rule_duration_seconds_bucket, hfm_rule_duration_seconds"), [""; 0]);
}
