//! Many rules, alone and beside each burden.

use super::options::Options;
use super::table::{self, Line};
use super::window::{Bench, Window};

/// Measures it and prints it; what is not right.
pub(crate) fn run(bench: &Bench<'_>, options: &Options) -> Vec<String> {
    let mut wrong = Vec::new();
    println!(
        "\n{} tcp rules every second, {} windows of {:?} each\n",
        options.rules, options.windows, options.window
    );
    table::head();
    for burden in &options.burdens {
        let mut lines = [Line::new("alone"), Line::new(burden.word())];
        let mut order = [None, Some(*burden)];
        for _ in 0..options.windows {
            for burden in order {
                let window = bench.window(options.rules, burden, options.window);
                lines[usize::from(burden.is_some())].windows.push(window);
            }
            order.reverse();
        }
        lines.iter().for_each(table::row);
        table::compare(&lines);
        wrong.extend(lines.iter().flat_map(|line| line.windows.iter().flat_map(judge)));
    }
    wrong
}

/// What is not as it has to be, however slow the machine is.
fn judge(window: &Window) -> Vec<String> {
    let mut wrong = window.wrong.clone();
    if window.rate_percent < 50.0 {
        wrong.push(format!("{:.0} % of the visits that were asked for", window.rate_percent));
    }
    wrong
}
