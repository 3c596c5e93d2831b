//! contrib/grafana/hfm.json: what a dashboard asks of Prometheus, there is.

use std::collections::BTreeSet;

use hfm::status::metrics::Kind;
use serde_json::{Value, json};

use crate::promtool::promtool;
use crate::world::world;
use crate::{family, read, unknown_names};

fn dashboard() -> Value {
    serde_json::from_str(&read("contrib/grafana/hfm.json")).expect("the dashboard is JSON")
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().expect("it has panels")
}

/// Every expression with where it stands, its variables filled in as Grafana does it.
fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push((panel["title"].to_string(), target["expr"].as_str().unwrap().to_owned()));
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        found.push((annotation["name"].to_string(), annotation["expr"].as_str().unwrap().to_owned()));
    }
    for (_, expression) in &mut found {
        for (variable, value) in
            [("$instance", ".*"), ("$rule", ".*"), ("$__rate_interval", "5m"), ("$__range", "15m")]
        {
            *expression = expression.replace(variable, value);
        }
        assert!(!expression.contains('$'), "{expression}");
    }
    found
}

/// The small world as it would be in Prometheus after half an hour, all counters growing.
fn series() -> Vec<Value> {
    // What is chosen by `.*` has no line feed, to a Prometheus before 3.
    let text = world().text().replace("\\n", " ");
    let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let values = match family(name).unwrap().kind {
            Kind::Gauge => format!("{value}x30"),
            Kind::Counter | Kind::Histogram => format!("0+{value}x30"),
        };
        let comma = if labels == "}" { "" } else { "," };
        json!({ "series": format!("{name}{{job=\"hfm\",instance=\"gw1:9090\"{comma}{labels}"), "values": values })
    });
    series.collect()
}

#[test]
fn a_dashboard_names_metrics_that_there_are() {
    assert_eq!(unknown_names(&read("contrib/grafana/hfm.json")), [""; 0]);
}

#[test]
fn every_question_of_the_dashboard_has_an_answer() {
    let dashboard = dashboard();
    let expressions = expressions(&dashboard);
    assert!(expressions.len() > 40, "{expressions:?}");
    let questions: Vec<Value> = expressions
        .iter()
        .map(|(_, expression)| {
            json!({
                "expr": format!("count({expression}) > bool 0"),
                "eval_time": "20m",
                "exp_samples": [{ "labels": "{}", "value": 1 }],
            })
        })
        .collect();
    let test = json!({
        "evaluation_interval": "1m",
        "tests": [{ "interval": "1m", "input_series": series(), "promql_expr_test": questions }],
    });
    let file = std::env::temp_dir().join(format!("hfm-monitoring-{}.json", std::process::id()));
    std::fs::write(&file, test.to_string()).expect("a file of the test");
    let name = "every_question_of_the_dashboard_has_an_answer";
    let found = promtool(name, &["test", "rules", &file.to_string_lossy()], "");
    let _ = std::fs::remove_file(file);
    let Some((content, said)) = found else { return };
    assert!(content, "{said}");
}

#[test]
fn every_panel_says_what_it_shows_and_asks_the_chosen_source() {
    let dashboard = dashboard();
    let mut ids = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64()), "{title}: its number is taken");
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
        let sources = panel["targets"].as_array().unwrap().iter().chain([panel]);
        for source in sources.map(|of| &of["datasource"]["uid"]) {
            assert_eq!(source, "${datasource}", "{title}");
        }
    }
}

#[test]
fn no_panel_lies_over_another_or_beyond_the_edge() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let place = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        for y in place("y")..place("y") + place("h") {
            for x in place("x")..place("x") + place("w") {
                assert!(x < 24 && taken.insert((x, y)), "{} at {x}, {y}", panel["title"]);
            }
        }
    }
}

#[test]
fn variables_ask_for_labels_that_there_are() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "instance", "rule"]);
    for variable in &variables[1..] {
        let query = variable["query"]["query"].as_str().unwrap();
        assert_eq!(variable["definition"], query);
        let inner = query.strip_prefix("label_values(").and_then(|of| of.strip_suffix(')')).unwrap();
        let (metric, label) = inner.rsplit_once(", ").unwrap();
        let of = family(metric.split('{').next().unwrap()).unwrap_or_else(|| panic!("{metric}"));
        assert!(label == "instance" || of.labels.contains(&label), "{query}");
    }
}
