//! What does `hfm probe` add to what it measures?
//!
//! Against one local HTTP server: the time from start to end of the whole command, beside curl's; the time
//! of a run among many in a row, beside a bare loop in C (`loop.c`) that does no more than has to be done;
//! and the rate with many at a time. Medians of several rounds, in turn.
//!
//! `cargo bench --bench shell [-- [--runs N] [--rounds N]]`; Linux, with haproxy, openssl, curl and a C
//! compiler.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "support/target.rs"]
mod target;

/// Whole commands in one round.
const COMMANDS: u32 = 50;

fn main() {
    let (mut runs, mut rounds) = (20_000_u32, 5_usize);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => runs = value.parse().expect("runs"),
            "--rounds" => rounds = value.parse().expect("rounds"),
            _ => panic!("unknown option {argument}"),
        }
    }
    let directory = std::env::temp_dir().join(format!("hfm-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let mut server = target::start(&directory);
    let looped = compile(&directory);
    let url = format!("http://127.0.0.1:{}/", target::HTTP_PORT);
    let hfm = env!("CARGO_BIN_EXE_hfm");
    let mut figures: [Vec<f64>; 5] = Default::default();
    for _ in 0..rounds {
        figures[0].push(command(hfm, &["probe", &url]));
        figures[1].push(command("curl", &["-s", "-o", "/dev/null", &url]));
        figures[2].push(many(hfm, &["probe", &url, "-c", &runs.to_string()], runs));
        figures[3].push(c_loop(&looped, runs));
        figures[4].push(many(hfm, &["probe", &url, "-c", &runs.to_string(), "-j", "64"], runs));
    }
    let [command, curl, run, looped, at_once] = figures.map(median);
    println!("one command:        hfm probe {command:.0} us, curl {curl:.0} us, ratio {:.2}", command / curl);
    println!("a run among {runs}: hfm probe {run:.1} us, C {looped:.1} us, ratio {:.2}", run / looped);
    println!("64 at a time:       {:.0} runs a second", 1e6 / at_once);
    target::end(&mut server);
    let _ = fs::remove_dir_all(&directory);
}

fn compile(directory: &Path) -> std::path::PathBuf {
    let program = directory.join("loop");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/loop.c");
    let status = Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).status();
    assert!(status.expect("a C compiler").success(), "the loop does not compile");
    program
}

/// Microseconds of a whole command, on average.
fn command(program: &str, arguments: &[&str]) -> f64 {
    let begun = Instant::now();
    for _ in 0..COMMANDS {
        run(program, arguments);
    }
    micros(begun.elapsed()) / f64::from(COMMANDS)
}

/// Microseconds of each of the runs that one command makes.
fn many(program: &str, arguments: &[&str], runs: u32) -> f64 {
    let begun = Instant::now();
    run(program, arguments);
    micros(begun.elapsed()) / f64::from(runs)
}

fn c_loop(program: &Path, runs: u32) -> f64 {
    let output = Command::new(program)
        .args([target::HTTP_PORT.to_string(), runs.to_string()])
        .output()
        .expect("the loop runs");
    assert!(output.status.success(), "the loop fails");
    let nanos: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
    nanos / 1e3
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("it runs").success(), "{program} fails");
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
