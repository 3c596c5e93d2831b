//! What is printed: tables in Markdown, and one line of JSON.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answers;
use super::options::Options;
use super::statistics::{Spread, short};
use super::window::{Phase, Window};

/// What lateness is to be below at p99, in milliseconds.
const LATE_MS_MAX: f64 = 1.0;

/// What of hfm's own count since its start is told at the end.
const STATS: [&str; 11] = [
    "runs",
    "failures",
    "inconclusive",
    "missed",
    "late_p50_us",
    "late_p99_us",
    "late_p999_us",
    "late_max_us",
    "turn_p50_us",
    "turn_p99_us",
    "turn_max_us",
];

/// The windows of a phase, in the order of rounds.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) phase: Phase,
    pub(crate) windows: Vec<Window>,
}

/// A figure of a window.
type Figure = (&'static str, fn(&Window) -> f64);

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
const FIGURES: [Figure; 16] = [
    ("late at the targets p50 ms", |window| window.late_ms[0]),
    ("p99", |window| window.late_ms[1]),
    ("p99.9", |window| window.late_ms[2]),
    ("max", |window| window.late_ms[3]),
    ("own late p99 ms", |window| window.own_late_p99_ms),
    ("over 1 ms %", |window| window.over_a_ms_percent),
    ("turn p99 ms", |window| window.turn_p99_ms),
    ("missed", |window| window.missed as f64),
    ("rate %", |window| window.rate_percent),
    ("CPU %", |window| window.cpu_percent),
    ("loop %", |window| window.loop_percent),
    ("waited %", |window| window.waited_percent),
    ("RSS MB", |window| window.rss_mb[0]),
    ("most", |window| window.rss_mb[1]),
    ("after", |window| window.rss_mb[2]),
    ("wrong", |window| window.deeds.wrong.len() as f64),
];

impl Line {
    fn of(&self, figure: impl Fn(&Window) -> f64) -> Option<Spread> {
        Spread::of(self.windows.iter().map(figure))
    }

    /// What is not as it has to be, however slow the machine is.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for window in &self.windows {
            wrong.extend(window.deeds.wrong.iter().map(|what| format!("{}: {what}", self.phase.word())));
            if window.rate_percent < 50.0 {
                let percent = short(window.rate_percent);
                wrong.push(format!("{}: {percent} % of the visits that were asked for", self.phase.word()));
            }
        }
        wrong
    }

    /// What its clients have done, by name, a spread of the windows each.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn deeds(&self) -> Vec<(String, Spread)> {
        let mut names: Vec<&str> =
            self.windows.iter().flat_map(|window| window.deeds.counts.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let count = |window: &Window, name| window.deeds.counts.get(name).copied().unwrap_or(0) as f64;
        let counts = names.into_iter().map(|name| (name.to_owned(), self.of(|window| count(window, name))));
        let took = |of: fn(&Window) -> &[f64], quantile: f64| {
            let mut all: Vec<f64> =
                self.windows.iter().flat_map(|window| of(window).iter().copied()).collect();
            all.sort_by(f64::total_cmp);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let index = (all.len() as f64 * quantile) as usize;
            Spread::of(all.get(index.min(all.len().saturating_sub(1))).copied())
        };
        let status: fn(&Window) -> &[f64] = |window| &window.deeds.status_ms;
        let scrape: fn(&Window) -> &[f64] = |window| &window.deeds.scrape_ms;
        let times = [
            ("status p50 ms", took(status, 0.5)),
            ("status p99 ms", took(status, 0.99)),
            ("scrape p50 ms", took(scrape, 0.5)),
            ("scrape p99 ms", took(scrape, 0.99)),
        ];
        let times = times.map(|(name, spread)| (name.to_owned(), spread));
        counts.chain(times).filter_map(|(name, spread)| Some((name, spread?))).collect()
    }
}

/// Prints it for people.
pub(crate) fn print(lines: &[Line], answers: &[answers::Line], stats: &HashMap<String, Value>) {
    let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
    println!("\n| phase | {} |", names.join(" | "));
    println!("|---{}|", "|---".repeat(names.len()));
    for line in lines {
        let cell = |figure: &Figure| line.of(figure.1).map_or_else(String::new, |spread| spread.to_string());
        let cells: Vec<String> = FIGURES.iter().map(cell).collect();
        println!("| {} | {} |", line.phase.word(), cells.join(" | "));
    }
    println!();
    for line in lines.iter().filter(|line| line.phase != Phase::Quiet) {
        let deeds: Vec<String> =
            line.deeds().iter().map(|(name, spread)| format!("{name} {spread}")).collect();
        println!("{}: {}", line.phase.word(), deeds.join("; "));
    }
    println!(
        "\n| made anew, nobody else there | times | bytes | p50 ms | p99 | max | waited % |\n|---|---|---|---|---|---|---|"
    );
    for answers::Line { path, count, bytes, took_ms, waited_percent } in answers {
        let [p50, p99, max] = took_ms.map(short);
        println!("| {path} | {count} | {bytes} | {p50} | {p99} | {max} | {} |", short(*waited_percent));
    }
    let told: Vec<String> = STATS.iter().map(|name| format!("{name} {}", stats[*name])).collect();
    println!("\nby hfm's own count, since its start: {}", told.join(", "));
    for line in lines {
        let lost: u32 = line.windows.iter().map(|window| window.lost).sum();
        if lost > 0 {
            println!("{}: {lost} arrivals were lost: lateness is not what it seems", line.phase.word());
        }
        if line.windows.iter().any(|window| window.is_clock_set) {
            println!(
                "{}: the clock was set meanwhile: lateness at the targets is not what it seems",
                line.phase.word()
            );
        }
        if let Some(waited) = line.of(|window| window.waited_percent).filter(|waited| waited.most > 5.0) {
            println!("{}: up to {} % of a window was taken by others", line.phase.word(), short(waited.most));
        }
    }
}

/// Prints it for programs, in one line.
pub(crate) fn json(
    options: &Options,
    lines: &[Line],
    answers: &[answers::Line],
    stats: &HashMap<String, Value>,
) {
    // A millionth of a millisecond is none of a benchmark's.
    let round = |value: f64| (value * 1e3).round() / 1e3;
    let spread = |spread: Spread| json!([spread.median, spread.least, spread.most].map(round));
    let phase = |line: &Line| {
        let figures = FIGURES.iter().map(|(name, of)| {
            // These go on with the name before.
            let name = match *name {
                "p99" | "p99.9" | "max" => format!("late at the targets {name} ms"),
                "most" | "after" => format!("RSS MB {name}"),
                name => name.to_owned(),
            };
            (name, line.of(of).map(spread))
        });
        let deeds = line.deeds().into_iter().map(|(name, of)| (name, Some(spread(of))));
        (line.phase.word(), figures.chain(deeds).collect::<HashMap<String, Option<Value>>>())
    };
    let answer = |line: &answers::Line| {
        let [p50, p99, max] = line.took_ms.map(round);
        (
            line.path,
            json!({"count": line.count, "bytes": line.bytes, "p50_ms": p50, "p99_ms": p99, "max_ms": max}),
        )
    };
    let whole = json!({
        "bench": "watchers",
        "rules": options.rules,
        "watchers": options.watchers,
        "windows": options.windows,
        "seconds": options.window.as_secs_f64(),
        "phases": lines.iter().map(phase).collect::<HashMap<_, _>>(),
        "answers": answers.iter().map(answer).collect::<HashMap<_, _>>(),
        "stats": STATS.iter().map(|name| (*name, stats[*name].clone())).collect::<HashMap<_, _>>(),
    });
    println!("\n{whole}");
}

/// Prints what hfm is to reach, and whether it does.
pub(crate) fn goals(lines: &[Line]) {
    for line in lines {
        let name = line.phase.word();
        let met = |is_met| if is_met { "met" } else { "not met" };
        if let Some(late) = line.of(|window| window.late_ms[1]) {
            let is_met = late.median < LATE_MS_MAX;
            println!("goal: {name}: late p99 below {LATE_MS_MAX} ms: {late}: {}", met(is_met));
        }
        let missed: u64 = line.windows.iter().map(|window| window.missed).sum();
        println!("goal: {name}: no slot missed: {missed}: {}", met(missed == 0));
    }
}
