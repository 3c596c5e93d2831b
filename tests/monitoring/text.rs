//! The text of metrics, to the letter and in slices.

use std::time::Duration;

use hfm::histogram::LADDER;
use hfm::status::metrics::{FAMILIES, Family, Kind, Progress, RUN_BOUNDS, Scrape, View};

use crate::world::{World, world};

#[test]
fn a_small_world_is_told_to_the_letter() {
    let wanted = include_str!("small_world.txt");
    let found = world().text();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {}", number + 1);
    }
    assert_eq!(found.len(), wanted.len(), "{found}");
}

#[test]
fn slices_of_any_size_give_the_same_text() {
    let world = world();
    let whole = world.text();
    let mut slices_before = usize::MAX;
    for effort in [0, 1, 17, 100, 1_000, 5_000, 1_000_000] {
        let (text, slices) = world.text_in_slices(effort);
        assert_eq!(text, whole, "in slices of {effort}");
        assert!(slices <= slices_before, "slices of {effort}: {slices}, of less effort {slices_before}");
        slices_before = slices;
    }
    assert_eq!(slices_before, 1, "an effort that is enough for all is one slice");
}

#[test]
fn a_slice_goes_over_its_effort_by_one_step_at_most() {
    let world = world();
    let view = View { process: &world.process, tables: &world.tables, rules: &world };
    // The longest step: a histogram of one rule, behind the head of the metric.
    let step_bytes_max = 2_000;
    let (mut scrape, mut out) = (Scrape::default(), Vec::new());
    loop {
        let before = out.len();
        let progress = scrape.go_on(&view, &mut out, &mut 500);
        assert!(out.len() - before < 500 + step_bytes_max);
        if progress == Progress::Done {
            break;
        }
    }
}

#[test]
fn places_without_a_rule_use_up_effort_too() {
    let world = World { rules: vec![None; 10_000], ..world() };
    let (_, slices) = world.text_in_slices(16_000);
    assert!(slices > 50, "only {slices}");
}

#[test]
fn rules_that_go_meanwhile_end_the_metric() {
    let full = world();
    let none = World { rules: Vec::new(), ..world() };
    let view = View { process: &full.process, tables: &full.tables, rules: &full };
    let (mut scrape, mut out) = (Scrape::default(), Vec::new());
    while !out.ends_with(b"hfm_rule_up{rule=\"lb1/haproxy\"} 1\n") {
        assert_eq!(scrape.go_on(&view, &mut out, &mut 0), Progress::More);
    }
    let view = View { process: &none.process, tables: &none.tables, rules: &none };
    assert_eq!(scrape.go_on(&view, &mut out, &mut usize::MAX.clone()), Progress::Done);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("{rule=").count(), 1, "{text}");
    assert!(text.contains("# TYPE hfm_rule_override gauge\n"), "{text}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let mut world = world();
    world.process.demotion = None;
    world.process.open_descriptors = None;
    world.process.cpu = None;
    let text = world.text();
    for absent in ["\nhfm_demotion ", "\nhfm_open_descriptors ", "\nprocess_cpu_seconds_total "] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}

/// The text is told apart by hand, for a metric whose lines are not together is refused by some who read it.
#[test]
fn every_line_stands_behind_the_head_of_its_metric() {
    let text = world().text();
    let mut families = FAMILIES.iter();
    let mut current: Option<&Family> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = families.next();
            assert!(rest.starts_with(current.unwrap().name), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let family = current.unwrap();
            assert_eq!(rest, format!("{} {}", family.name, family.kind.word()));
        } else {
            let family = current.unwrap();
            let name = line.split(['{', ' ']).next().unwrap();
            let suffix = name.strip_prefix(family.name).unwrap_or_else(|| panic!("{line}"));
            let allowed: &[&str] =
                if family.kind == Kind::Histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(allowed.contains(&suffix), "{line}");
            for label in family.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line}");
            }
        }
    }
    assert!(families.next().is_none());
}

#[test]
fn bounds_are_told_as_they_are() {
    let bounds = |metric: &str| -> Vec<String> {
        let begin = format!("{metric}_bucket{{");
        let text = world().text();
        let lines = text.lines().filter(|line| line.starts_with(&begin));
        let bound = |line: &str| line.rsplit_once("le=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let mut bounds: Vec<String> = lines.map(bound).collect();
        let end = bounds.iter().position(|bound| bound == "+Inf").unwrap();
        bounds.truncate(end);
        bounds
    };
    let seconds = |bound: Duration| bound.as_secs_f64().to_string();
    let runs: Vec<_> = RUN_BOUNDS.iter().map(|of| seconds(Duration::from_micros(of.0.into()))).collect();
    assert_eq!(bounds("hfm_rule_duration_seconds"), runs);
    assert_eq!(bounds("hfm_turn_duration_seconds"), LADDER.map(seconds));
}
