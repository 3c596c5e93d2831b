//! How punctual and how cheap are command rules?
//!
//! For each number of rules: hfm runs them at one second, spread, with the smallest possible test, and the
//! tests themselves note when they start. Printed: the error of their start-to-start intervals, the share
//! of the rate that was reached, how unevenly it was shared, and CPU per run (hfm and tests, user and
//! system).
//!
//! `cargo bench --bench commands [-- [--seconds N] [--rules A,B,...] [--peer PROGRAM]]`; a peer is run in
//! turn with hfm on the same file (without `spread`, which it would not know), as `PROGRAM -config FILE`.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

struct Options {
    seconds: u64,
    rules: Vec<usize>,
    peer: Option<PathBuf>,
}

fn main() {
    let options = options();
    let directory = std::env::temp_dir().join(format!("hfm-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let test = compile(&directory);
    println!(
        "{:>6} {:>5}  {:>9} {:>6} {:>28} {:>21} {:>9}",
        "who", "rules", "runs", "rate%", "interval error us p50/p99/max", "runs a rule min/max", "us/run"
    );
    for &rules in &options.rules {
        measure("hfm", Path::new(env!("CARGO_BIN_EXE_hfm")), &test, &directory, rules, &options);
        if let Some(peer) = &options.peer {
            measure("peer", peer, &test, &directory, rules, &options);
        }
    }
    let _ = std::fs::remove_dir_all(&directory);
}

fn options() -> Options {
    let mut options = Options { seconds: 20, rules: vec![100, 500, 1000, 2000], peer: None };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => options.seconds = value.parse().expect("seconds"),
            "--rules" => {
                options.rules = value.split(',').map(|n| n.parse().expect("a number of rules")).collect()
            }
            "--peer" => options.peer = Some(value.into()),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}

fn compile(directory: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/smallest.c");
    let program = directory.join("smallest");
    let bare = ["-O2", "-static", "-nostdlib", "-DNO_LIBC"];
    let flags = if cfg!(all(target_os = "linux", target_arch = "x86_64")) { &bare[..] } else { &bare[..2] };
    let status = Command::new("cc").args(flags).arg("-o").arg(&program).arg(source).status();
    assert!(status.expect("a C compiler").success(), "the smallest test does not compile");
    program
}

fn configuration(who: &str, test: &Path, file: &Path, rules: usize) -> String {
    let mut text = String::from("interval = 1s\n");
    if who == "hfm" {
        text.push_str("control = \"\"\n");
    }
    for rule in 0..rules {
        let start = match who {
            "hfm" => "spread = yes".to_owned(),
            // The same spread, by hand.
            _ => format!("start_delay = {}ms", rule * 1000 / rules),
        };
        let _ = writeln!(
            text,
            "r{rule} {{ test = \"{}\"; test_arguments = [ \"{rule}\", \"{}\" ]; {start} }}",
            test.display(),
            file.display()
        );
    }
    text
}

fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).expect("time goes forward"))
}

fn measure(who: &str, program: &Path, test: &Path, directory: &Path, rules: usize, options: &Options) {
    let starts = directory.join("starts");
    std::fs::write(&starts, []).expect("the file of starts");
    let config = directory.join("bench.conf");
    std::fs::write(&config, configuration(who, test, &starts, rules)).expect("the configuration");
    let before = children_cpu();
    let errors = std::fs::File::create(directory.join("log")).expect("a file for the log");
    let begun = Instant::now();
    let mut child = Command::new(program)
        .arg("-config")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("the program under test");
    std::thread::sleep(Duration::from_secs(options.seconds));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it still runs");
    child.wait().expect("it ends");
    let took = begun.elapsed();
    let cpu = children_cpu().saturating_sub(before);
    report(who, rules, &read_starts(&starts, rules), took, cpu);
}

/// The starts of each rule in nanoseconds, in order.
fn read_starts(file: &Path, rules: usize) -> Vec<Vec<u64>> {
    let bytes = std::fs::read(file).expect("the starts");
    let mut starts = vec![Vec::new(); rules];
    for record in bytes.chunks_exact(16) {
        let number = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().expect("eight bytes"));
        starts[usize::try_from(number(0)).expect("a rule")].push(number(8));
    }
    for starts in &mut starts {
        starts.sort_unstable();
    }
    starts
}

#[expect(clippy::cast_precision_loss, reason = "shares and means need no exactness")]
fn report(who: &str, rules: usize, starts: &[Vec<u64>], took: Duration, cpu: Duration) {
    let runs: usize = starts.iter().map(Vec::len).sum();
    let mut errors: Vec<u64> = starts
        .iter()
        .flat_map(|starts| starts.windows(2).map(|pair| (pair[1] - pair[0]).abs_diff(1_000_000_000) / 1000))
        .collect();
    errors.sort_unstable();
    let quantile = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (errors.len().saturating_sub(1) as f64 * share) as usize;
        errors.get(index).copied().unwrap_or(0)
    };
    let expected = rules as f64 * took.as_secs_f64();
    println!(
        "{who:>6} {rules:>5}  {runs:>9} {:>6.1} {:>28} {:>21} {:>9.0}",
        runs as f64 / expected * 100.0,
        format!("{}/{}/{}", quantile(0.5), quantile(0.99), quantile(1.0)),
        format!(
            "{}/{}",
            starts.iter().map(Vec::len).min().unwrap_or(0),
            starts.iter().map(Vec::len).max().unwrap_or(0)
        ),
        cpu.as_secs_f64() * 1e6 / runs.max(1) as f64,
    );
}
