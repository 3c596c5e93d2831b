//! Every example of hfm.conf(5) is a configuration that is accepted, without a warning.

use hfm::config::properties::{Concerns, Property, Scope, find};
use hfm::config::{Feature, PROTOCOLS, Scheme};

use crate::files::judged;
use crate::page::{Display, Page};

/// A test of the first scheme that is such a one.
fn url(is_it: impl Fn(&Scheme) -> bool) -> String {
    let mut schemes = PROTOCOLS.iter().map(|protocol| &protocol.scheme);
    let scheme = schemes.find(|scheme| is_it(scheme)).expect("some scheme has it");
    let place = if scheme.has(Feature::Network) { "192.0.2.1:80" } else { "/run/service" };
    format!("{}://{place}", scheme.name)
}

/// Whether a line gives this property.
fn gives(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// A whole configuration: the example itself, if it has a rule, or one around it for which it means something.
fn whole(text: &str, property: Option<&Property>) -> String {
    if text.contains('{') {
        return text.to_owned();
    }
    let property = property.expect("what has no rule is the example of a property");
    if property.scope == Scope::Root {
        return format!("{text}rule {{ test = \"tcp://192.0.2.1:80\"; interval = 10s }}\n");
    }
    let test = match property.concerns {
        Concerns::Every | Concerns::Probes => url(|_| true),
        Concerns::Commands => "true".to_owned(),
        Concerns::ProbesWith(feature) => url(|scheme| scheme.has(feature)),
    };
    let test = if property.name == "test" { String::new() } else { format!("test = \"{test}\"\n") };
    format!("dataplane = pf\ninterval = 10s\nrule {{\n{test}{text}}}\n")
}

/// The system that a property is there on alone, by its help.
fn only_on(property: &Property) -> Option<(&'static str, bool)> {
    [("Linux", cfg!(target_os = "linux")), ("FreeBSD", cfg!(target_os = "freebsd"))]
        .into_iter()
        .find(|(system, _)| property.help.ends_with(&format!("({system})")))
}

fn judge(display: &Display) -> Result<(), String> {
    let property = display.property.as_deref().and_then(find);
    let outcome = judged(&whole(&display.text, property)).map(drop);
    match property.and_then(only_on) {
        Some((system, false)) => match outcome {
            Err(report) if report.contains(&format!("is there only on {system}")) => Ok(()),
            Err(report) => Err(report),
            Ok(()) => Err(format!("it is accepted on another system than {system}")),
        },
        Some((_, true)) | None => outcome,
    }
}

#[test]
fn every_example_is_accepted_without_a_warning() {
    let page = Page::read("hfm.conf.5");
    let displays = page.displays();
    assert!(displays.len() > 80, "{} displays", displays.len());
    for display in &displays {
        if let Err(report) = judge(display) {
            panic!("man/hfm.conf.5:{}:\n{}\n{report}", display.line, display.text);
        }
    }
}

#[test]
fn every_property_stands_in_an_example_of_its_own() {
    let page = Page::read("hfm.conf.5");
    let displays = page.displays();
    for property in hfm::config::properties::PROPERTIES {
        let of_it: Vec<&Display> =
            displays.iter().filter(|display| display.property.as_deref() == Some(property.name)).collect();
        let lines = of_it.iter().flat_map(|display| display.text.split(['\n', ';', '{']));
        assert!(lines.into_iter().any(|line| gives(line, property.name)), "no example of {}", property.name);
    }
}

#[test]
fn an_example_that_is_wrong_is_found() {
    let display = |property: Option<&str>, text: &str| Display {
        property: property.map(str::to_owned),
        text: text.to_owned(),
        line: 1,
    };
    for (property, text) in [
        (Some("interval"), "interval = soon\n"),
        (Some("http_status"), "http_status = 2000\n"),
        (Some("test_arguments"), "timeout = 1s\n"),
        (Some("dry_run"), "dry_run = perhaps\n"),
        // Only a warning.
        (Some("min_up"), "min_up = 1\n"),
        (None, "web { test = \"true\"; intervall = 1s }\n"),
    ] {
        assert!(judge(&display(property, text)).is_err(), "{text}");
    }
    assert_eq!(judge(&display(Some("http_status"), "http_status = 200\n")), Ok(()));
}
