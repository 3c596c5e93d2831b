//! The whole: row by row, round by round.

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use super::arrivals::Arrivals;
use super::checkers::{Bench, Peer};
use super::goals::goals;
use super::measure::{Instruments, Window};
use super::options::Options;
use super::place::{self, Cores};
use super::rows::{Kind, Row};
use super::table::{self, Line};
use super::target;

/// How long a checker goes on unmeasured once it has been everywhere, two intervals at least.
const WARM_UP: Duration = Duration::from_secs(2);

/// A window holds so many intervals at least.
const INTERVALS: u32 = 3;

/// What cannot be run says so here, where tests/run collects it.
#[path = "../../tests/support/skip.rs"]
mod skip;

/// Measures what is asked for, and prints it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let cores = match place::enter(options.cores) {
        Ok(cores) => cores,
        Err(why) if options.short => {
            skip::skip(&format!("benches/scale: {why}"));
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("cannot be run here: {why}");
            return ExitCode::from(2);
        }
    };
    let directory = std::env::temp_dir().join(format!("hfm-scale-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let outcome = measure(options, cores, directory.clone());
    let _ = fs::remove_dir_all(&directory);
    match outcome {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            wrong.iter().for_each(|what| eprintln!("not right: {what}"));
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("cannot be run here: {why}");
            ExitCode::from(2)
        }
    }
}

/// All rows; what is not right, if that is what is asked for.
fn measure(options: &Options, cores: Cores, directory: std::path::PathBuf) -> Result<Vec<String>, String> {
    let mut bench = Bench { directory, cores, floor_speaks_tls: false };
    let mut peers = options.peers.clone();
    peers.retain(|peer| {
        let lacking = bench.lacks(*peer);
        lacking.iter().for_each(|why| println!("without {}: {why}", peer.word()));
        lacking.is_none()
    });
    if peers.contains(&Peer::Floor) && !bench.floor_speaks_tls {
        println!("without the floor's https: no libssl-dev");
    }
    let counts = target::start(&bench.ca_file())?;
    let arrivals = Arrivals::watch()?;
    let instruments = Instruments { bench: &bench, arrivals: &arrivals, counts: &counts };
    println!(
        "checkers on core {}, targets on core {}; {} windows each; figures are medians (least-most)",
        cores.checker, cores.target, options.windows
    );
    let mut wrong = Vec::new();
    for row in &options.rows {
        let lines = measure_row(&instruments, &peers, row, options);
        table::print(row, &lines);
        if options.short {
            lines.iter().for_each(|line| wrong.extend(judge(row, line)));
        } else {
            goals(row, &lines).iter().for_each(|goal| println!("goal: {goal}"));
        }
    }
    Ok(wrong)
}

/// All rounds of a row, every other one backwards.
fn measure_row(instruments: &Instruments<'_>, peers: &[Peer], row: &Row, options: &Options) -> Vec<Line> {
    let warm_up = if options.short { WARM_UP / 4 } else { WARM_UP };
    let length = options.window.max(INTERVALS * row.interval);
    let there = peers.iter().filter(|peer| instruments.bench.has(**peer, row.kind));
    let mut lines: Vec<Line> = there
        .map(|peer| {
            let base_rss = (!options.short).then(|| instruments.base_rss(*peer, row, warm_up));
            Line { peer: *peer, base_rss, windows: Vec::new() }
        })
        .collect();
    for _ in 0..options.windows {
        for line in &mut lines {
            line.windows.push(instruments.window(line.peer, row, warm_up, length));
        }
        lines.reverse();
    }
    lines.sort_by_key(|line| Peer::ALL.iter().position(|peer| *peer == line.peer));
    lines
}

/// What is not as it has to be, however slow the machine is.
fn judge(row: &Row, line: &Line) -> Vec<String> {
    let who = format!("{}, {}", line.peer.word(), row.kind.word());
    let mut wrong = Vec::new();
    let mut hold = |is_right: bool, what: String| {
        if !is_right {
            wrong.push(format!("{who}: {what}"));
        }
    };
    for window in &line.windows {
        let Window { probes, rate_percent, seen, .. } = *window;
        hold(rate_percent > 50.0, format!("{probes} probes, {rate_percent:.0} % of those asked for"));
        hold(seen == row.rules as usize, format!("{seen} of {} targets were seen", row.rules));
        let failed = window.words.failed.unwrap_or(0);
        hold(failed == 0 || row.kind == Kind::Blackhole, format!("{failed} failed"));
        let in_wrong_state = table::wrong(row, window).unwrap_or(0);
        hold(in_wrong_state == 0, format!("{in_wrong_state} rules are in the wrong state"));
        hold(window.punctuality.is_some(), "no target was seen twice".to_owned());
        let resumed = window.resumed_percent;
        match row.kind {
            Kind::HttpsResumed => {
                hold(resumed > 50.0, format!("{resumed:.0} % of the handshakes were resumed"))
            }
            Kind::HttpsFull => hold(resumed == 0.0, format!("{resumed:.0} % of the handshakes were resumed")),
            Kind::Tcp | Kind::Http | Kind::Blackhole => {}
        }
    }
    wrong
}
