//! What does each part of a run cost, by itself and without the system?
//!
//! The timer queue, health, the histogram, the engine, the machine of HTTP, the language of the file and the rules in it,
//! the tables, the text of metrics: each in the pattern in which the program uses it, by criterion, which keeps what it
//! measured and says what has changed since the last time.
//!
//! `cargo bench --bench micro [-- [FILTER] [--quick]]`
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "micro/engine.rs"]
mod engine;
#[path = "micro/http.rs"]
mod http;
#[path = "micro/metrics.rs"]
mod metrics;
#[path = "micro/sample.rs"]
mod sample;
#[path = "micro/small.rs"]
mod small;
#[path = "micro/tables.rs"]
mod tables;
#[path = "support/text.rs"]
mod text;
#[path = "micro/timers.rs"]
mod timers;
#[path = "micro/written.rs"]
mod written;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    timers::bench(&mut criterion);
    small::bench(&mut criterion);
    engine::bench(&mut criterion);
    http::bench(&mut criterion);
    written::bench(&mut criterion);
    tables::bench(&mut criterion);
    metrics::bench(&mut criterion);
    criterion.final_summary();
}
