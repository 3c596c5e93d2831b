//! All phases, with one hfm.

use std::fmt::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::answers;
use super::arrivals::Arrivals;
use super::clients::{self, FLAPPING_PORT};
use super::crew::Crew;
use super::hfm::{Hfm, Log};
use super::http::PAGE;
use super::options::Options;
use super::place::Cores;
use super::rows::{Kind, Row};
use super::table::{self, Line};
use super::target::port;
use super::window::{Bench, INTERVAL, Phase};

/// Rules whose targets refuse and accept by turns.
const FLAPPING: u32 = 20;
/// How long it may take until every target has been visited.
const START: Duration = Duration::from_secs(60);

/// Measures it and prints it; what is not right.
pub(crate) fn run(options: &Options, directory: &Path, cores: Cores, arrivals: &Arrivals) -> Vec<String> {
    let bench = Bench { options, arrivals };
    arrivals.forget(options.rules);
    let mut flappers = Crew::default();
    flappers.spawn(clients::flap);
    let mut hfm = Hfm::start(directory, &configuration(options.rules), Log::File, cores);
    wait_for_all(&bench, &mut hfm);
    sleep(2 * INTERVAL);
    let mut lines = Phase::ALL.map(|phase| Line { phase, windows: Vec::new() });
    for _ in 0..options.windows {
        for line in &mut lines {
            line.windows.push(bench.window(line.phase, &mut hfm));
        }
        lines.reverse();
    }
    lines.sort_by_key(|line| Phase::ALL.iter().position(|phase| *phase == line.phase));
    let mut wrong = Vec::new();
    let rules = options.rules + FLAPPING;
    let answers = answers::measure(hfm.pid(), options.answers, rules as usize, &mut wrong);
    let (stats, standings) = (hfm.stats(), hfm.standings());
    hfm.end();
    flappers.end();
    for (name, standing) in standings {
        let is_flapping = name.starts_with("flapping/");
        if !is_flapping && (!standing.is_up || standing.failures > 0) {
            wrong.push(format!("{name}: {standing:?}"));
        }
    }
    for line in &lines {
        wrong.extend(line.wrong());
    }
    table::print(&lines, &answers, &stats);
    table::json(options, &lines, &answers, &stats);
    if !options.short {
        table::goals(&lines);
    }
    wrong
}

/// The file: the watched rules, and those that flap.
fn configuration(rules: u32) -> String {
    let mut text = format!(
        "listen = \"{PAGE}\"\ninterval = {}ms\ntimeout = {}ms\n",
        INTERVAL.as_millis(),
        (INTERVAL * 9 / 10).as_millis()
    );
    let plain = port(Kind::Tcp);
    for index in 0..rules {
        let _ = writeln!(text, "r{index} {{ test = \"tcp://{}:{plain}\" }}", Row::address(index));
    }
    text.push_str("flapping {\n");
    for index in 0..FLAPPING {
        let address = Row::address(rules + index);
        let _ = writeln!(text, "x{index} {{ test = \"tcp://{address}:{FLAPPING_PORT}\" }}");
    }
    text.push_str("}\n");
    text
}

fn wait_for_all(bench: &Bench<'_>, hfm: &mut Hfm) {
    let until = Instant::now() + START;
    while bench.arrivals.book().targets < bench.options.rules as usize {
        assert!(Instant::now() < until, "not every target is visited");
        sleep(Duration::from_millis(20));
        hfm.must_run();
    }
}
