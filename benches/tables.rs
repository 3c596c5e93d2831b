//! How soon does a table follow its targets?
//!
//! 1. From the start of the first run that sees a refusal to the table without the address, and back, beside
//!    1,000 other rules: quantiles over many changes.
//! 2. When 5,000 rules of one table fail within one second: from the last verdict to the right table, the
//!    number of batches, and how punctual the runs were, beside the same time in which nothing fails.
//!
//! 3. With nftables, when somebody flushes a set of 10,000 addresses every second: from the start of nft(8) to the
//!    set as it should be, and how punctual the runs were, beside the same time in which nobody does, and in which
//!    somebody flushes and fills a set of his own.
//!
//! hfm's own reactor, probes and writer in this process, tables in memory or, as root on Linux, in the sets of
//! nftables of a network namespace that the benchmark makes; the targets are listeners on loopback that are
//! closed and opened again.
//!
//! `cargo bench --bench tables [-- [--dataplane memory|nftables] [--changes N] [--others N] [--rules N] [--large N]]`
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::Receiver;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use hfm::dataplane::{self, Change, Managed};
use hfm::health::State;
use hfm::reactor::{Reactor, Seen};
use hfm::rule::{DataPlaneChoice, Firewall, Prefix};
use hfm::sys::limits;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

#[path = "support/figures.rs"]
mod figures;
#[path = "support/firewall.rs"]
mod firewall;
#[path = "support/text.rs"]
mod text;
use figures::{histogram, print, record};

const PORT: u16 = 18_071;
const OTHERS_PORT: u16 = 18_072;
/// How often it is looked whether something was seen.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);

struct Options {
    dataplane: String,
    changes: usize,
    others: u32,
    rules: u32,
    large: u32,
}

fn main() {
    let options = options();
    let most = options.rules.max(options.others).max(options.large);
    limits::raise_open_files(u64::from(most) + 200).expect("descriptors");
    if options.dataplane == "nftables" {
        firewall::make();
    }
    println!("dataplane = {}", options.dataplane);
    detection(&options);
    for fails in [false, true] {
        mass(&options, fails);
    }
    if options.dataplane == "nftables" {
        for flushed in [Flushed::Nothing, Flushed::Other, Flushed::Ours] {
            large(&options, flushed);
        }
    }
}

fn options() -> Options {
    let dataplane = "memory".to_owned();
    let mut options = Options { dataplane, changes: 500, others: 1000, rules: 5000, large: 10_000 };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--dataplane" => options.dataplane = value,
            "--large" => options.large = value.parse().expect("a number of rules"),
            "--changes" => options.changes = value.parse().expect("a number of changes"),
            "--others" => options.others = value.parse().expect("a number of rules"),
            "--rules" => options.rules = value.parse().expect("a number of rules"),
            _ => panic!("unknown option {argument}"),
        }
    }
    options
}

/// The target's port at every address of 127.0.0.0/8, open or closed.
struct Target {
    port: u16,
    listener: Option<Socket>,
}

impl Target {
    fn open(port: u16) -> Self {
        let mut target = Self { port, listener: None };
        target.set(true);
        target
    }

    /// Opens or closes it; when that was done.
    fn set(&mut self, open: bool) -> Instant {
        self.listener = open.then(|| {
            let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            listener.set_reuse_address(true).expect("an option");
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port));
            listener.bind(&address.into()).expect("a free port");
            listener.listen(8192).expect("a listener");
            listener
        });
        Instant::now()
    }
}

/// One change after the other of a single target, beside many that are well.
fn detection(options: &Options) {
    let mut text = options.head();
    let _ = writeln!(
        text,
        "target {{ test = \"tcp://127.0.0.1:{PORT}\"; interval = 20ms; tables = \"ip/bench/web\" }}"
    );
    for other in 0..options.others {
        let address = address_of(other);
        let _ = writeln!(
            text,
            "r{other} {{ test = \"tcp://{address}:{OTHERS_PORT}\"; tables = \"ip/bench/others\" }}"
        );
    }
    let (mut target, _others) = (Target::open(PORT), Target::open(OTHERS_PORT));
    let changes = options.changes;
    let (reactor, (down, up, written, end_to_end)) = drive(&text, move |seen| {
        next_change(&seen, State::Success);
        // Until all others have had their first verdict.
        sleep(Duration::from_secs(2));
        seen.try_iter().for_each(drop);
        let [mut down, mut up, mut written, mut end_to_end] = [(); 4].map(|()| histogram());
        for _ in 0..changes {
            let closed = target.set(false);
            let change = next_change(&seen, State::Fail);
            record(&mut down, change.since_start);
            record(&mut written, change.since_verdict);
            record(&mut end_to_end, change.at.saturating_duration_since(closed));
            target.set(true);
            let change = next_change(&seen, State::Success);
            record(&mut up, change.since_start);
            record(&mut written, change.since_verdict);
        }
        (down, up, written, end_to_end)
    });
    println!("one of {} rules changes, {changes} times each way, interval 20 ms:", options.others + 1);
    print("  run's start to table without it", &down);
    print("  run's start to table with it", &up);
    print("  verdict to table, both ways", &written);
    print("  closed to table without it", &end_to_end);
    print_lateness(&reactor);
}

/// A table that has changed.
struct Followed {
    /// From the start of the run that brought it.
    since_start: Duration,
    /// From its verdict, with the hand-over to the writer.
    since_verdict: Duration,
    at: Instant,
}

/// What is seen next. Nobody is woken for it: that would take from what is measured.
fn next(seen: &Receiver<Seen>) -> Seen {
    let until = Instant::now() + PATIENCE;
    loop {
        match seen.try_recv() {
            Ok(seen) => return seen,
            Err(_) if Instant::now() < until => sleep(LOOK_EVERY),
            Err(error) => panic!("nothing more is seen: {error}"),
        }
    }
}

/// Waits for the target's next change.
fn next_change(seen: &Receiver<Seen>, to: State) -> Followed {
    let mut change = None;
    loop {
        match next(seen) {
            Seen::Changed(of, at) if of.run.rule.0 == 0 => {
                assert_eq!(of.to, to, "a verdict that nothing explains: {:?}", of.verdict);
                change = Some((of.elapsed.expect("a run brought it"), at));
            }
            Seen::Written(written) if written.table == 0 => {
                let (elapsed, at) = change.expect("a table changes after its rule");
                let since_verdict = written.at.saturating_duration_since(at);
                return Followed { since_start: elapsed + since_verdict, since_verdict, at: written.at };
            }
            Seen::Changed(..) | Seen::Written(_) => {}
        }
    }
}

/// Many rules of one table, all of which fail within one second, or none.
fn mass(options: &Options, fails: bool) {
    let mut text = options.head() + "tables = \"ip/bench/web\"\n";
    for rule in 0..options.rules {
        let _ = writeln!(text, "r{rule} {{ test = \"tcp://{}:{PORT}\" }}", address_of(rule));
    }
    let count = options.rules as usize;
    let mut target = Target::open(PORT);
    let (reactor, figures) = drive(&text, move |seen| {
        let mut inside = 0;
        while inside < count {
            if let Seen::Written(written) = next(&seen) {
                inside += written.added.len();
            }
        }
        sleep(Duration::from_secs(5));
        seen.try_iter().for_each(drop);
        if !fails {
            sleep(Duration::from_secs(5));
            return None;
        }
        target.set(false);
        let (mut failed, mut batches) = (0, 0);
        let (mut last_verdict, mut right) = (None, None);
        let mut first_verdict = None;
        while inside > 0 || failed < count {
            match next(&seen) {
                Seen::Changed(_, at) => {
                    failed += 1;
                    first_verdict.get_or_insert(at);
                    last_verdict = Some(at);
                }
                Seen::Written(written) => {
                    inside -= written.removed.len();
                    batches += 1;
                    right = Some(written.at);
                }
            }
        }
        sleep(Duration::from_secs(3));
        let last = last_verdict.expect("they failed");
        let within = last.saturating_duration_since(first_verdict.expect("they failed"));
        Some((within, right.expect("it was written").saturating_duration_since(last), batches))
    });
    match figures {
        None => println!("{count} rules of one table, none fails:"),
        Some((within, after, batches)) => println!(
            "{count} rules of one table fail within {} ms: table right {:.3} ms after the last verdict, {batches} batches:",
            within.as_millis(),
            after.as_secs_f64() * 1e3
        ),
    }
    print_lateness(&reactor);
}

/// What somebody flushes every second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Nothing,
    /// A set of his own, which he fills again.
    Other,
    Ours,
}

/// A large set, while somebody flushes one every second, or nobody.
fn large(options: &Options, flushed: Flushed) {
    let mut text = options.head() + "tables = \"ip/bench/web\"\n";
    for rule in 0..options.large {
        let _ = writeln!(text, "r{rule} {{ test = \"tcp://{}:{PORT}\" }}", address_of(rule));
    }
    let count = options.large as usize;
    let addresses: Vec<Prefix> = (0..options.large).map(|of| Prefix::host(address_of(of).into())).collect();
    let _target = Target::open(PORT);
    let (reactor, repaired) = drive(&text, move |seen| {
        let mut inside = 0;
        while inside < count {
            if let Seen::Written(written) = next(&seen) {
                inside += written.added.len();
            }
        }
        let nftables = Firewall { dataplane: DataPlaneChoice::Nftables, ..Firewall::default() };
        let mut somebody = dataplane::choose(&nftables, hfm::writer::now);
        let mut repaired = histogram();
        for _ in 0..10 {
            if flushed == Flushed::Other {
                let table = Managed { name: "ip/bench/other", members: &addresses };
                let filled = somebody.apply(&[Change { table, add: &addresses, remove: &[] }]);
                filled.into_iter().for_each(|of| of.expect("it is filled"));
            }
            sleep(Duration::from_secs(1));
            seen.try_iter().for_each(drop);
            let start = Instant::now();
            match flushed {
                Flushed::Nothing => continue,
                Flushed::Other => {
                    firewall::nft("flush set ip bench other");
                    record(&mut repaired, start.elapsed());
                    continue;
                }
                Flushed::Ours => firewall::nft("flush set ip bench web"),
            }
            let mut missing = count;
            while missing > 0 {
                if let Seen::Written(written) = next(&seen) {
                    missing -= written.added.len();
                    record(&mut repaired, written.at.saturating_duration_since(start));
                }
            }
        }
        repaired
    });
    let what = match flushed {
        Flushed::Nothing => "nobody flushes any",
        Flushed::Other => "another one of the same size is flushed and filled by somebody every second",
        Flushed::Ours => "flushed every second",
    };
    println!("{count} rules of one table, {what}:");
    match flushed {
        Flushed::Nothing => {}
        Flushed::Other => print("  start of nft(8) to its end", &repaired),
        Flushed::Ours => print("  start of nft(8) to right again", &repaired),
    }
    print_lateness(&reactor);
}

impl Options {
    /// What stands at the root of every configuration.
    fn head(&self) -> String {
        format!("dataplane = {}\ninterval = 1s\n", self.dataplane)
    }
}

fn address_of(rule: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x7f01_0000 + rule)
}

/// Runs hfm on this configuration while `director` says what happens; the reactor afterwards.
fn drive<T: Send + 'static>(
    text: &str,
    director: impl FnOnce(Receiver<Seen>) -> T + Send + 'static,
) -> (Reactor, T) {
    let loaded = text::load(text);
    let plane = dataplane::choose(&loaded.configuration.firewall, hfm::writer::now);
    firewall::empty();
    let mut reactor = Reactor::new(loaded.configuration, loaded.plans, Some(plane), None).expect("a reactor");
    let seen = reactor.watch();
    let director = thread::spawn(move || {
        let figures = director(seen);
        kill(Pid::this(), Signal::SIGTERM).expect("this process runs");
        figures
    });
    reactor.run().expect("it waits for events");
    (reactor, director.join().expect("figures"))
}

fn print_lateness(reactor: &Reactor) {
    let (engine, us) =
        (reactor.engine(), |quantile| reactor.engine().lateness().quantile(quantile).as_micros());
    println!(
        "  start lateness p50 {} us  p99 {} us  p99.9 {} us  max {} us; runs {}, missed {}, inconclusive {}",
        us(0.5),
        us(0.99),
        us(0.999),
        engine.lateness().max().as_micros(),
        engine.counters().runs,
        engine.counters().missed,
        engine.counters().inconclusive
    );
}
