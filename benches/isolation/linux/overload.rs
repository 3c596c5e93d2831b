//! More than a core can do.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::certificate::NAME;
use super::figures;
use super::hfm::{Hfm, Log};
use super::options::Options;
use super::rows::{Kind, Row};
use super::statistics::Spread;
use super::target::port;
use super::window::Bench;

/// The interval of all rules.
const INTERVAL: Duration = Duration::from_millis(100);
/// What is asked for, in times of what the core was seen to do.
const TIMES: [u32; 3] = [1, 2, 4];
/// How long it goes on unmeasured once every target was visited.
const WARM_UP: Duration = Duration::from_secs(2);
/// Rules of the short mode.
const FEW: u32 = 20;

/// What came of a window.
#[derive(Debug)]
struct Found {
    rate: f64,
    missed_percent: f64,
    inconclusive_percent: f64,
    failed: f64,
    /// The most runs of a rule over the least.
    unevenness: f64,
    rss_mb: f64,
    grown_mb: f64,
    loop_percent: f64,
    others_percent: f64,
    warnings: f64,
}

/// Measures it and prints it; what is not right.
pub(crate) fn run(bench: &Bench<'_>, options: &Options) -> Vec<String> {
    let mut wrong = Vec::new();
    println!(
        "\n| kind | rules every {INTERVAL:?} | asked for a second | runs a second | missed % | inconclusive % | failed \
         | runs of a rule, most / least | RSS MB | grown by MB | loop's core % | others' core % | warnings |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for kind in &options.kinds {
        let once = if options.short { FEW } else { rules_of_one_core(bench, *kind, options.window) };
        for times in TIMES {
            let row = Row { kind: *kind, rules: once * times, interval: INTERVAL };
            let windows: Vec<Found> =
                (0..options.windows).map(|_| window(bench, &row, options.window)).collect();
            print(&row, times, &windows);
            let failed: f64 = windows.iter().map(|window| window.failed).sum();
            if failed > 0.0 {
                wrong
                    .push(format!("{}, {times} times what a core can do: {failed} runs failed", kind.word()));
            }
        }
    }
    wrong
}

/// How many rules a core can do, by what it does of far more.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rules")]
fn rules_of_one_core(bench: &Bench<'_>, kind: Kind, length: Duration) -> u32 {
    let far_more = match kind {
        Kind::Tcp | Kind::Blackhole => 20_000,
        Kind::Http => 10_000,
        Kind::HttpsFull | Kind::HttpsResumed => 1000,
    };
    let found = window(bench, &Row { kind, rules: far_more, interval: INTERVAL }, length);
    (found.rate * INTERVAL.as_secs_f64()).round() as u32
}

/// Starts hfm, lets it become steady, watches it for so long, and ends it.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn window(bench: &Bench<'_>, row: &Row, length: Duration) -> Found {
    bench.arrivals.forget(row.rules);
    let mut hfm = Hfm::start(bench.directory, &configuration(bench, row), Log::File, bench.cores_of_hfm());
    bench.wait_for(row.rules, &mut hfm);
    sleep(WARM_UP);
    let number = |name: &str| hfm.stats()[name].as_u64().unwrap_or_else(|| panic!("no {name}")) as f64;
    let moment = || {
        let [ran, _] = figures::schedule(hfm.pid());
        (Instant::now(), ran, figures::busy(bench.cores.target), figures::rss(hfm.pid()), number("runs"))
    };
    let begin = moment();
    sleep(length);
    let end = moment();
    let took = (end.0 - begin.0).as_secs_f64();
    let all = hfm.standings();
    let sum = |of: fn(&super::hfm::Standing) -> u64| all.iter().map(|(_, one)| of(one)).sum::<u64>() as f64;
    let (runs, missed) = (sum(|one| one.runs), sum(|one| one.missed));
    let each = || all.iter().map(|(_, one)| one.runs);
    let found = Found {
        rate: (end.4 - begin.4) / took,
        missed_percent: missed / (runs + missed) * 1e2,
        inconclusive_percent: sum(|one| one.inconclusive) / runs * 1e2,
        failed: sum(|one| one.failures),
        unevenness: each().max().unwrap_or_default() as f64 / each().min().unwrap_or_default().max(1) as f64,
        rss_mb: end.3 / 1e6,
        grown_mb: (end.3 - begin.3) / 1e6,
        loop_percent: (end.1 - begin.1) as f64 / took / 1e7,
        others_percent: (end.2 - begin.2) / took * 1e2,
        warnings: hfm.log().matches("cannot keep up: ").count() as f64,
    };
    hfm.end();
    found
}

fn configuration(bench: &Bench<'_>, row: &Row) -> String {
    let (interval, timeout) = (row.interval.as_millis(), row.timeout().as_millis());
    let mut text = format!("interval = {interval}ms\ntimeout = {timeout}ms\n");
    let (scheme, path) = match row.kind {
        Kind::Tcp | Kind::Blackhole => ("tcp", ""),
        Kind::Http => ("http", "/"),
        Kind::HttpsFull | Kind::HttpsResumed => ("https", "/"),
    };
    if row.kind.is_tls() {
        let ca = bench.directory.join("ca.pem");
        let _ = writeln!(text, "tls_ca = \"{}\"\ntls_name = \"{NAME}\"", ca.display());
    }
    let port = port(row.kind);
    for index in 0..row.rules {
        let _ = writeln!(text, "r{index} {{ test = \"{scheme}://{}:{port}{path}\" }}", Row::address(index));
    }
    text
}

fn print(row: &Row, times: u32, windows: &[Found]) {
    let of = |figure: fn(&Found) -> f64| {
        let spread = Spread::of(windows.iter().map(figure));
        spread.map_or_else(String::new, |spread| spread.to_string())
    };
    let cells = [
        format!("{}, {times} x", row.kind.word()),
        row.rules.to_string(),
        format!("{:.0}", row.asked(Duration::from_secs(1))),
        of(|found| found.rate),
        of(|found| found.missed_percent),
        of(|found| found.inconclusive_percent),
        of(|found| found.failed),
        of(|found| found.unevenness),
        of(|found| found.rss_mb),
        of(|found| found.grown_mb),
        of(|found| found.loop_percent),
        of(|found| found.others_percent),
        of(|found| found.warnings),
    ];
    println!("| {} |", cells.join(" | "));
}
