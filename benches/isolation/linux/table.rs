//! What is printed, as tables in Markdown.

use super::statistics::{Spread, short};
use super::window::Window;

/// The windows of a row, in the order of rounds.
#[derive(Debug)]
pub(crate) struct Line {
    name: &'static str,
    pub(crate) windows: Vec<Window>,
}

impl Line {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, windows: Vec::new() }
    }

    fn of(&self, figure: impl Fn(&Window) -> f64) -> String {
        Spread::of(self.windows.iter().map(figure)).map_or_else(String::new, |spread| spread.to_string())
    }
}

/// The names of its columns.
pub(crate) fn head() {
    println!(
        "| beside | interval error p50 ms | p99 | p99.9 | max | late p99 ms | p99.9 | rate % | missed | inconclusive \
         | wrong | loop's CPU ms/s | waited % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn row(line: &Line) {
    let error = |index: usize| line.of(|window| window.punctuality.errors_ms[index]);
    let cells = [
        line.name.to_owned(),
        error(0),
        error(1),
        error(2),
        error(3),
        line.of(|window| window.late_ms[0]),
        line.of(|window| window.late_ms[1]),
        line.of(|window| window.rate_percent),
        line.of(|window| window.missed as f64),
        line.of(|window| window.inconclusive as f64),
        line.of(|window| window.wrong.len() as f64),
        line.of(|window| window.loop_ms),
        line.of(|window| window.waited_percent),
    ];
    println!("| {} |", cells.join(" | "));
}

/// One beside the other, and what the burden was.
pub(crate) fn compare(lines: &[Line; 2]) {
    let [alone, beside] = lines;
    let ratio = |index: usize| {
        let pairs = beside.windows.iter().zip(&alone.windows);
        let errors = |window: &Window| window.punctuality.errors_ms[index];
        Spread::of(pairs.map(|(beside, alone)| errors(beside) / errors(alone)))
    };
    for (index, name) in [(1, "p99"), (2, "p99.9")] {
        let Some(ratio) = ratio(index) else { continue };
        let is_inside = ratio.least <= 1.0 && ratio.most >= 1.0;
        let verdict = if is_inside { "; inside the spread" } else { "" };
        println!("{name} of the interval error, {} / alone: {ratio}{verdict}", beside.name);
    }
    let what = beside.windows.iter().flat_map(|window| window.done.iter().map(|(what, _)| *what));
    let mut what: Vec<_> = what.collect();
    what.sort_unstable();
    what.dedup();
    for what in what {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let counts = beside.windows.iter().flat_map(|window| {
            window.done.iter().filter(|(of, _)| *of == what).map(|(_, count)| *count as f64)
        });
        if let Some(spread) = Spread::of(counts) {
            println!("  {what}: {spread}");
        }
    }
    for line in lines {
        let lost: u32 = line.windows.iter().map(|window| window.lost).sum();
        if lost > 0 {
            println!("{}: {lost} arrivals were lost: its punctuality is not what it seems", line.name);
        }
        let waited = Spread::of(line.windows.iter().map(|window| window.waited_percent));
        if let Some(waited) = waited.filter(|waited| waited.most > 5.0) {
            println!("{}: up to {} % of a window was taken by others", line.name, short(waited.most));
        }
    }
}
