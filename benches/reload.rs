//! What does steering hfm cost the runs that go on meanwhile?
//!
//! One hfm with many native rules at an interval, spread, on loopback; its own words on how punctual their
//! starts were, over the same time each:
//!
//! 1. while nothing else happens;
//! 2. while it is reloaded again and again, every other time with one rule in a hundred changed;
//! 3. while `hfmctl status` lists all rules again and again.
//!
//! Then what many reloads in a row leave behind: memory, descriptors, threads, children.
//!
//! `cargo bench --bench reload [-- [--rules N] [--interval 2s] [--seconds N] [--reloads N]]`. Linux.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hfm::sys::limits;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

#[path = "support/figures.rs"]
mod figures;
use figures::{histogram, print, record};

const PORT: u16 = 18_073;
/// Not measured by itself, but part of what hfm counts: loading and the first round of runs.
const WARM_UP: Duration = Duration::from_secs(4);
/// Between two reloads, and between two lists.
const PAUSE: Duration = Duration::from_millis(500);
/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

struct Options {
    rules: usize,
    interval: String,
    seconds: u64,
    reloads: usize,
}

fn main() {
    let options = options();
    limits::raise_open_files(1000).expect("descriptors");
    let _target = listener();
    let directory = std::env::temp_dir().join(format!("hfm-bench-reload-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for the benchmark");
    let run_for = Duration::from_secs(options.seconds);
    println!("{} rules at {}, {} s each", options.rules, options.interval, options.seconds);
    let mut hfm = Hfm::start(&directory, &options);
    sleep(run_for);
    hfm.end("nothing else");
    let mut hfm = Hfm::start(&directory, &options);
    let mut took = histogram();
    let until = Instant::now() + run_for;
    while Instant::now() < until {
        hfm.reload(&options, &mut took);
        sleep(PAUSE);
    }
    hfm.end("reloads");
    print("  asked to answered", &took);
    print("  of it on the reactor", &hfm.on_the_reactor());
    let mut hfm = Hfm::start(&directory, &options);
    let mut took = histogram();
    let until = Instant::now() + run_for;
    while Instant::now() < until {
        let begun = Instant::now();
        let rows = hfm.ask(&["--json", "status"]).lines().count();
        record(&mut took, begun.elapsed());
        // One line more says that it is done.
        assert_eq!(rows, options.rules + 1, "rules that status lists");
        sleep(PAUSE);
    }
    hfm.end("hfmctl status");
    print("  the whole command", &took);
    leftovers(&directory, &options);
    let _ = fs::remove_dir_all(&directory);
}

fn options() -> Options {
    let mut options = Options { rules: 10_000, interval: "2s".to_owned(), seconds: 20, reloads: 1000 };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--rules" => options.rules = value.parse().expect("a number of rules"),
            "--interval" => options.interval = value,
            "--seconds" => options.seconds = value.parse().expect("seconds"),
            "--reloads" => options.reloads = value.parse().expect("a number of reloads"),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}

/// Answers for every address of 127.0.0.0/8.
fn listener() -> Socket {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.set_reuse_address(true).expect("an option");
    listener.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()).expect("a free port");
    listener.listen(8192).expect("a listener");
    listener
}

/// Reloads leave nothing behind.
fn leftovers(directory: &Path, options: &Options) {
    let mut hfm = Hfm::start(directory, options);
    let mut took = histogram();
    // What the first few take for good is not what each of them takes.
    for _ in 0..200 {
        hfm.reload(options, &mut took);
    }
    let before = hfm.holds();
    for _ in 0..options.reloads {
        hfm.reload(options, &mut took);
    }
    sleep(Duration::from_secs(1));
    let after = hfm.holds();
    println!("{} reloads in a row:", options.reloads);
    println!("  before {before}\n  after  {after}");
    hfm.end("reloads in a row");
    print("  asked to answered", &took);
}

/// A running hfm and its files.
struct Hfm {
    child: Child,
    directory: PathBuf,
    generation: usize,
}

/// What a process holds.
struct Holdings {
    resident_kib: u64,
    descriptors: usize,
    threads: usize,
    children: usize,
}

impl std::fmt::Display for Holdings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resident_kib, descriptors, threads, children } = self;
        write!(
            f,
            "{resident_kib} KiB resident, {descriptors} descriptors, {threads} threads, {children} children"
        )
    }
}

impl Hfm {
    fn start(directory: &Path, options: &Options) -> Self {
        write_configuration(directory, options, 0);
        let errors = fs::File::create(directory.join("hfm.log")).expect("a file for the log");
        let child = Command::new(env!("CARGO_BIN_EXE_hfm"))
            .arg("-config")
            .arg(directory.join("hfm.conf"))
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("hfm");
        sleep(WARM_UP);
        Self { child, directory: directory.to_owned(), generation: 0 }
    }

    /// What hfmctl prints.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_hfmctl"))
            .arg("-s")
            .arg(self.directory.join("socket"))
            .args(arguments)
            .output()
            .expect("hfmctl");
        assert!(output.status.success(), "hfmctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Another configuration, every other time the same as two times before.
    fn reload(&mut self, options: &Options, took: &mut Histogram<u64>) {
        self.generation += 1;
        write_configuration(&self.directory, options, self.generation);
        let begun = Instant::now();
        self.ask(&["reload"]);
        record(took, begun.elapsed());
        assert!(begun.elapsed() < PATIENCE, "a reload takes too long");
    }

    /// Ends it and prints what it says of its runs.
    fn end(&mut self, while_what: &str) {
        let stats = self.ask(&["--json", "stats"]);
        let stats: Value =
            serde_json::from_str(stats.lines().next().expect("a line")).expect("an object of JSON");
        let number = |name: &str| stats[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
        println!(
            "{while_what:20} start lateness p50 {} us  p99 {} us  p99.9 {} us  max {} us; turns p99 {} us  max {} us; \
             runs {}, missed {}, failures {}, inconclusive {}",
            number("late_p50_us"),
            number("late_p99_us"),
            number("late_p999_us"),
            number("late_max_us"),
            number("turn_p99_us"),
            number("turn_max_us"),
            number("runs"),
            number("missed"),
            number("failures"),
            number("inconclusive"),
        );
        kill(self.pid(), Signal::SIGTERM).expect("it still runs");
        self.child.wait().expect("it ends");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// How long each reload kept the reactor, by the log.
    fn on_the_reactor(&self) -> Histogram<u64> {
        let text = fs::read_to_string(self.directory.join("hfm.log")).expect("the log");
        let mut all = histogram();
        for line in text.lines() {
            let Some(micros) = line.split("took_us=").nth(1).and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            record(&mut all, Duration::from_micros(micros.parse().expect("a number")));
        }
        all
    }

    fn holds(&self) -> Holdings {
        let of = |name: &str| PathBuf::from(format!("/proc/{}/{name}", self.child.id()));
        let status = fs::read_to_string(of("status")).expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let entries = |name: &str| fs::read_dir(of(name)).expect("it runs").count();
        let tasks = fs::read_dir(of("task")).expect("it runs").flatten();
        let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        Holdings {
            resident_kib: resident.trim().split(' ').next().and_then(|n| n.parse().ok()).expect("a number"),
            descriptors: entries("fd"),
            threads: entries("task"),
            children: children.map(|of| of.split_whitespace().count()).sum(),
        }
    }
}

fn write_configuration(directory: &Path, options: &Options, generation: usize) {
    let mut text = format!(
        "interval = {}\ncontrol = \"{}\"\nstate_dir = \"{}\"\n",
        options.interval,
        directory.join("socket").display(),
        directory.join("state").display()
    );
    for rule in 0..options.rules {
        let address = Ipv4Addr::from(0x7f01_0000 + u32::try_from(rule).expect("an address for each"));
        let changed = if rule % 100 == 0 && generation % 2 == 1 { "change_fail_debounce = 3; " } else { "" };
        let port = PORT;
        // Every fourth time some are tested otherwise.
        let peer =
            if rule % 100 == 1 && generation % 4 == 3 { "127.0.0.1".to_owned() } else { address.to_string() };
        let _ = writeln!(text, "r{rule} {{ {changed}test = \"tcp://{peer}:{port}\" }}");
    }
    let (new, file) = (directory.join("hfm.conf.new"), directory.join("hfm.conf"));
    fs::write(&new, text).expect("hfm's configuration");
    fs::rename(&new, &file).expect("hfm's configuration");
}
