//! How rules stand, a line a rule.

use std::fmt::Write as _;

use super::super::columns::{Cell, Column, Grid, Place};
use super::super::times::{Long, Micros, NOTHING, Percent, Short};
use super::super::view::{Paint, View};
use crate::control::protocol::RuleRow;

const COLUMNS: &[Column] = &[
    Column::flexible("RULE", 12, 2, Place::Middle),
    Column::words("STATE"),
    Column::numbers("SINCE", 5),
    Column::numbers("P50", 2),
    Column::numbers("P99", 4),
    Column::numbers("AVAIL", 3),
    Column::numbers("NEXT", 1),
    Column::flexible("REASON", 8, 1, Place::End),
];

/// As what a rule counts for those who look at all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Up,
    Down,
    Unknown,
    Drained,
    /// Disabled in the file, and so in no state.
    Off,
}

impl Group {
    const ALL: [Self; 5] = [Self::Up, Self::Down, Self::Unknown, Self::Drained, Self::Off];

    pub(super) fn of(row: &RuleRow) -> Self {
        let is_off = row.ended.as_deref() == Some("disabled");
        match &*row.state {
            _ if row.set.as_ref().is_some_and(|set| set.kind == "drained") => Self::Drained,
            "success" => Self::Up,
            "fail" => Self::Down,
            _ if is_off => Self::Off,
            _ => Self::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Drained => "drained",
            Self::Off => "off",
        }
    }
}

/// What there is to say of a rule beside its state.
fn marks(row: &RuleRow) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if row.stale {
        marks.push("stale");
    }
    match row.set.as_ref().map(|set| &*set.kind) {
        None | Some("drained") => {}
        Some("disabled") => marks.push("disabled"),
        Some(_) => marks.push("set"),
    }
    if row.ended.is_some() && Group::of(row) != Group::Off {
        marks.push("ended");
    }
    marks
}

/// State and marks, in words.
pub(super) fn state(row: &RuleRow) -> String {
    let words: Vec<_> = std::iter::once(Group::of(row).word()).chain(marks(row)).collect();
    words.join(" ")
}

/// Why its state is what it is, in few words.
fn reason(row: &RuleRow, now: f64) -> String {
    if let Some(set) = &row.set {
        let mut out = match (&*set.kind, &set.reason) {
            ("drained" | "disabled", Some(reason)) => reason.clone(),
            ("drained" | "disabled", None) => String::new(),
            (kind, Some(reason)) => format!("{kind}: {reason}"),
            (kind, None) => kind.to_owned(),
        };
        if let Some(until) = set.until {
            let comma = if out.is_empty() { "" } else { ", " };
            let _ = write!(out, "{comma}{} left", Long(until - now));
        }
        return if out.is_empty() { NOTHING.to_owned() } else { out };
    }
    match (&row.ended, row.reason.as_deref(), &row.blame) {
        (Some(ended), ..) => ended.clone(),
        (None, Some("ok") | None, _) => NOTHING.to_owned(),
        (None, Some(reason), Some(blame)) => format!("{reason} {blame}"),
        (None, Some(reason), None) => reason.to_owned(),
    }
}

fn grid(rows: &[&RuleRow], now: f64) -> Grid {
    let mut grid = Grid::new(COLUMNS, 0);
    for row in rows {
        let paint = match Group::of(row) {
            Group::Up if marks(row).is_empty() => Paint::Good,
            Group::Down => Paint::Bad,
            Group::Up | Group::Unknown | Group::Drained | Group::Off => Paint::Odd,
        };
        let or_nothing = |text: Option<String>| Cell::plain(text.unwrap_or_else(|| NOTHING.to_owned()));
        let next = row.next.map(|next| Short(next - now).to_string());
        grid.push(vec![
            Cell::plain(&row.rule),
            Cell::new(state(row), paint),
            or_nothing(row.since.map(|since| Short(now - since).to_string())),
            or_nothing(row.p50_us.map(|us| Micros(us).to_string())),
            or_nothing(row.p99_us.map(|us| Micros(us).to_string())),
            or_nothing(row.availability.map(|percent| Percent(percent).to_string())),
            or_nothing(if row.running { Some("now".to_owned()) } else { next }),
            Cell::plain(reason(row, now)),
        ]);
    }
    grid
}

/// All rules in the order in which they came, and what they add up to.
pub(super) fn table(rows: &[RuleRow], now: f64, view: View) -> String {
    let all: Vec<_> = rows.iter().collect();
    let table = if all.is_empty() { String::new() } else { grid(&all, now).render(view) };
    format!("{table}{}\n", summary(rows))
}

/// What fits in so many lines: those that are not up first; titles and sum always.
pub(super) fn excerpt(rows: &[RuleRow], now: f64, view: View, lines: usize) -> String {
    let (mut shown, up): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| Group::of(row) != Group::Up || !marks(row).is_empty());
    shown.extend(up);
    // As wide as all of them, so that nothing moves when others are shown.
    let grid = grid(&shown, now);
    let layout = grid.layout(view);
    let room = lines.saturating_sub(2);
    // One line less where another says how many are missing.
    let fitting = if shown.len() <= room { shown.len() } else { room.saturating_sub(1) };
    let mut out = grid.head(&layout, view);
    out.extend((0..fitting).map(|row| grid.row(row, &layout, view)));
    let missing = &shown[fitting..];
    if !missing.is_empty() {
        let is_up = missing.iter().all(|row| Group::of(row) == Group::Up && marks(row).is_empty());
        let _ = writeln!(out, "... and {} more{}", missing.len(), if is_up { ", all up" } else { "" });
    }
    let _ = writeln!(out, "{}", summary(rows));
    out
}

/// What all rules add up to: `12 rules: 10 up, 1 down, 1 drained; 1 stale`.
fn summary(rows: &[RuleRow]) -> String {
    let mut out = match rows.len() {
        0 => return "no rules".to_owned(),
        1 => "1 rule:".to_owned(),
        many => format!("{many} rules:"),
    };
    let groups =
        Group::ALL.map(|group| (group.word(), rows.iter().filter(|row| Group::of(row) == group).count()));
    let marked = |mark| rows.iter().filter(|row| marks(row).contains(&mark)).count();
    let marks = ["stale", "disabled", "set", "ended"].map(|mark| (mark, marked(mark)));
    for (mut separator, counts) in [(" ", &groups[..]), ("; ", &marks)] {
        for (word, count) in counts.iter().filter(|(_, count)| *count > 0) {
            let _ = write!(out, "{separator}{count} {word}");
            separator = ", ";
        }
    }
    out
}
