//! What is printed of a row, as a table in Markdown.

use std::fmt::Write as _;

use super::checkers::Peer;
use super::measure::Window;
use super::rows::Row;
use super::statistics::{Spread, short};

/// A peer's windows in a row, in the order of rounds.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) peer: Peer,
    /// Memory with one rule, where it was measured.
    pub(crate) base_rss: Option<f64>,
    pub(crate) windows: Vec<Window>,
}

const HEAD: [&str; 16] = [
    "",
    "us/probe",
    "rate %",
    "error p50 ms",
    "p99",
    "p99.9",
    "max",
    "ppm",
    "RSS MB",
    "B/rule",
    "resumed %",
    "failed",
    "wrong",
    "missed",
    "late p99 ms",
    "waited %",
];

/// All of a row.
pub(crate) fn print(row: &Row, lines: &[Line]) {
    println!("\n{}\n", title(row));
    let mut table = vec![HEAD.map(str::to_owned)];
    table.extend(lines.iter().map(|line| cells(row, line)));
    println!("{}", markdown(&table));
    ratios(lines);
    lines.iter().for_each(remarks);
}

fn title(row: &Row) -> String {
    let rate = row.asked(std::time::Duration::from_secs(1));
    format!("{}, {} rules every {:?} ({rate:.0} a second)", row.kind.word(), row.rules, row.interval)
}

fn cells(row: &Row, line: &Line) -> [String; HEAD.len()] {
    let of = |figure: &dyn Fn(&Window) -> Option<f64>| {
        let spread = Spread::of(line.windows.iter().filter_map(figure));
        spread.map_or_else(|| "-".to_owned(), |spread| spread.to_string())
    };
    let error = |index: usize| of(&|window| Some(window.punctuality?.errors_ms[index]));
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let count = |number: Option<u64>| number.map(|number| number as f64);
    [
        line.peer.word().to_owned(),
        of(&|window| Some(window.cpu_us)),
        of(&|window| Some(window.rate_percent)),
        error(0),
        error(1),
        error(2),
        error(3),
        of(&|window| Some(window.punctuality?.mean_ppm)),
        of(&|window| Some(window.rss_bytes / 1e6)),
        of(&|window| Some((window.rss_bytes - line.base_rss?) / f64::from(row.rules))),
        if row.kind.is_tls() { of(&|window| Some(window.resumed_percent)) } else { "-".to_owned() },
        of(&|window| count(window.words.failed)),
        of(&|window| count(wrong(row, window))),
        of(&|window| count(window.words.missed)),
        of(&|window| Some(count(window.words.late_us)? / 1e3)),
        of(&|window| Some(window.waited_percent)),
    ]
}

/// Rules in another state than their targets, where it is told.
pub(crate) fn wrong(row: &Row, window: &Window) -> Option<u64> {
    window.words.down.map(|down| down.abs_diff(u64::from(row.blackholes())))
}

fn markdown(table: &[[String; HEAD.len()]]) -> String {
    let width = |column: usize| table.iter().map(|cells| cells[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for (number, cells) in table.iter().enumerate() {
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            widths.iter().for_each(|width| text.push_str(&format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

/// hfm's CPU beside that of the others.
fn ratios(lines: &[Line]) {
    let Some(hfm) = lines.iter().find(|line| line.peer == Peer::Hfm) else { return };
    for other in lines.iter().filter(|line| line.peer != Peer::Hfm) {
        let Some(ratio) = ratio(hfm, other) else { continue };
        let is_inside = ratio.least <= 1.0 && ratio.most >= 1.0;
        let verdict = if is_inside { "; inside the spread" } else { "" };
        println!("CPU per probe, hfm / {}: {ratio}{verdict}", other.peer.word());
    }
}

/// One's CPU for a probe over that of another, in windows of the same rounds.
pub(crate) fn ratio(one: &Line, other: &Line) -> Option<Spread> {
    let pairs = one.windows.iter().zip(&other.windows);
    Spread::of(pairs.map(|(ours, theirs)| ours.cpu_us / theirs.cpu_us))
}

/// What makes figures doubtful.
fn remarks(line: &Line) {
    let who = line.peer.word();
    let lost: u32 = line.windows.iter().map(|window| window.lost).sum();
    if lost > 0 {
        println!("{who}: {lost} arrivals were lost: its rate and punctuality are not what they seem");
    }
    let again: u64 = line.windows.iter().map(|window| window.again).sum();
    if again > 0 {
        println!("{who}: {again} SYNs were sent again, and not counted");
    }
    if line.windows.iter().any(|window| window.is_clock_set) {
        println!("{who}: the clock was set in a window: its punctuality is not what it seems");
    }
    let waited = Spread::of(line.windows.iter().map(|window| window.waited_percent));
    if let Some(waited) = waited.filter(|waited| waited.most > 5.0) {
        println!("{who}: up to {} % of a window was taken by others", short(waited.most));
    }
}
