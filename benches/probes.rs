//! How punctual and how cheap are native probes, beside haproxy's own checks of the same targets?
//!
//! For each kind and number of rules: hfm at one second, spread, then haproxy (`check inter 1000`, spread
//! over the interval, one thread) against the same target, which is another haproxy. Printed: connections a
//! second as the kernel counts them, CPU of the checker for each (user and system, from schedstat), and for
//! hfm what its own summary says: start lateness, turn time, missed slots, failures.
//!
//! `cargo bench --bench probes [-- [--seconds N] [--rules A,B,...] [--kinds tcp,http,https] [--rounds N]]`.
//! Linux, with haproxy and openssl installed; everything on loopback.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

#[path = "support/target.rs"]
mod target;
use target::{HTTP_PORT, HTTPS_PORT, end, signal};

/// Not measured: loading, and the first round of checks.
const WARM_UP: Duration = Duration::from_secs(3);

struct Options {
    seconds: u64,
    rules: Vec<usize>,
    kinds: Vec<String>,
    rounds: usize,
}

fn main() {
    let options = options();
    let directory = std::env::temp_dir().join(format!("hfm-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let mut target = target::start(&directory);
    println!("{:>8} {:>6} {:>7}  {:>8} {:>9}  hfm's own words", "who", "kind", "rules", "runs/s", "us/run");
    for kind in &options.kinds {
        for &rules in &options.rules {
            for _ in 0..options.rounds {
                measure_hfm(&directory, kind, rules, options.seconds);
                measure_haproxy(&directory, kind, rules, options.seconds);
            }
        }
    }
    end(&mut target);
    let _ = fs::remove_dir_all(&directory);
}

fn options() -> Options {
    let kinds = vec!["tcp".to_owned(), "http".to_owned()];
    let mut options = Options { seconds: 20, rules: vec![1000, 10_000], kinds, rounds: 1 };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => options.seconds = value.parse().expect("seconds"),
            "--rounds" => options.rounds = value.parse().expect("rounds"),
            "--kinds" => options.kinds = value.split(',').map(str::to_owned).collect(),
            "--rules" => {
                options.rules = value.split(',').map(|n| n.parse().expect("a number of rules")).collect()
            }
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}

fn measure_hfm(directory: &Path, kind: &str, rules: usize, seconds: u64) {
    let mut text = String::from("interval = 1s\ncontrol = \"\"\n");
    let url = match kind {
        "tcp" => format!("tcp://127.0.0.1:{HTTP_PORT}"),
        "http" => format!("http://127.0.0.1:{HTTP_PORT}/"),
        "https" => format!("https://127.0.0.1:{HTTPS_PORT}/"),
        _ => panic!("unknown kind {kind}"),
    };
    if kind == "https" {
        let _ = writeln!(text, "tls_ca = \"{}\"", directory.join("cert.pem").display());
    }
    for rule in 0..rules {
        let _ = writeln!(text, "r{rule} {{ test = \"{url}\" }}");
    }
    let config = directory.join("hfm.conf");
    fs::write(&config, text).expect("hfm's configuration");
    let log = directory.join("hfm.log");
    let errors = fs::File::create(&log).expect("a file for the log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_hfm"))
        .arg("-config")
        .arg(&config)
        .env("RUST_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("hfm");
    let (rate, cost) = watch(&child, seconds);
    signal(&child, Signal::SIGUSR1);
    sleep(Duration::from_millis(300));
    end(&mut child);
    let words = summary(&log);
    println!("{:>8} {kind:>6} {rules:>7}  {rate:>8.0} {cost:>9.1}  {words}", "hfm");
}

fn measure_haproxy(directory: &Path, kind: &str, rules: usize, seconds: u64) {
    let (check, port, more) = match kind {
        "tcp" => ("", HTTP_PORT, ""),
        "http" => ("option httpchk GET /\n", HTTP_PORT, ""),
        _ => ("option httpchk GET /\n", HTTPS_PORT, "check-ssl no-ssl-reuse verify required ca-file"),
    };
    let ca = if more.is_empty() { PathBuf::new() } else { directory.join("cert.pem") };
    let mut text = format!(
        "global\n maxconn 100\n nbthread 1\n spread-checks 0\n\
         defaults\n mode http\n timeout client 5s\n timeout connect 900ms\n timeout check 900ms\n \
         timeout server 5s\n\
         listen idle\n bind 127.0.0.1:18099\n http-request return status 200\n\
         backend all\n {check}"
    );
    for rule in 0..rules {
        let _ = writeln!(text, " server s{rule} 127.0.0.1:{port} check inter 1000 {more} {}", ca.display());
    }
    let mut child = target::haproxy(directory, "checker", &text);
    let (rate, cost) = watch(&child, seconds);
    end(&mut child);
    println!("{:>8} {kind:>6} {rules:>7}  {rate:>8.0} {cost:>9.1}", "haproxy");
}

/// Connections a second, and microseconds of CPU for each, once it is warm.
#[expect(clippy::cast_precision_loss, reason = "means need no exactness")]
fn watch(child: &Child, seconds: u64) -> (f64, f64) {
    sleep(WARM_UP);
    let (opens, cpu, begun) = (active_opens(), cpu_nanos(child), Instant::now());
    sleep(Duration::from_secs(seconds));
    let (opens, cpu) = (active_opens() - opens, cpu_nanos(child) - cpu);
    let took = begun.elapsed().as_secs_f64();
    (opens as f64 / took, cpu as f64 / 1e3 / opens.max(1) as f64)
}

/// Connections that this machine has begun (RFC 1213, tcpActiveOpens).
fn active_opens() -> u64 {
    let text = fs::read_to_string("/proc/net/snmp").expect("the kernel's counters");
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let index = names.split(' ').position(|name| name == "ActiveOpens").expect("a counter of opens");
    values.split(' ').nth(index).and_then(|value| value.parse().ok()).expect("a number")
}

/// CPU of all threads of a process.
fn cpu_nanos(child: &Child) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).expect("it runs");
    let of = |path: PathBuf| fs::read_to_string(path.join("schedstat")).ok();
    let texts = tasks.filter_map(|task| of(task.ok()?.path()));
    texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum()
}

/// The figures of hfm's summary.
fn summary(log: &Path) -> String {
    let text = fs::read_to_string(log).expect("the log");
    let line = text.lines().rfind(|line| line.contains("summary: runs=")).unwrap_or("no summary");
    line.split("summary: ").nth(1).unwrap_or(line).to_owned()
}
