//! One window of one checker.

use std::fs;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::time::ClockId;
use nix::unistd::Pid;

use super::arrivals::{self, Arrivals};
use super::checkers::{Bench, Checker, Peer};
use super::rows::{Kind, Row};
use super::statistics::{Punctuality, punctuality};
use super::target::Counts;
use super::words::Words;

/// How long a checker may take to read what it is to do.
const START: Duration = Duration::from_secs(60);

/// How long it may take from the first visit to that of the last target, beyond two intervals.
const ROUND: Duration = Duration::from_secs(10);

/// How long the clock that arrivals are told by may have been set by in a window and be believed.
const CLOCK_STEP_NANOS_MAX: u64 = 100_000;

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) probes: f64,
    pub(crate) cpu_us: f64,
    pub(crate) rate_percent: f64,
    pub(crate) punctuality: Option<Punctuality>,
    pub(crate) rss_bytes: f64,
    pub(crate) resumed_percent: f64,
    pub(crate) words: Words,
    pub(crate) waited_percent: f64,
    /// Targets that were seen since the start.
    pub(crate) seen: usize,
    /// Arrivals that were lost, so that the figures of punctuality and rate mean little.
    pub(crate) lost: u32,
    /// SYNs that were sent again.
    pub(crate) again: u64,
    /// Whether somebody set the clock meanwhile.
    pub(crate) is_clock_set: bool,
}

/// All that is measured with.
#[derive(Debug)]
pub(crate) struct Instruments<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) arrivals: &'a Arrivals,
    pub(crate) counts: &'a Counts,
}

/// Figures of a moment that only grow.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: u64,
    mono: u64,
    cpu: u64,
    waited: u64,
    stolen: u64,
    answers: u64,
    resumed: u64,
    lost: u32,
}

impl Instruments<'_> {
    /// Starts a checker, lets it become steady, watches it for so long, and ends it.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn window(&self, peer: Peer, row: &Row, warm_up: Duration, length: Duration) -> Window {
        let mut checker = self.steady(peer, row, warm_up);
        let before = checker.words();
        sleep(warm_up / 4);
        let begin = self.moment(&checker);
        sleep(length);
        let end = self.moment(&checker);
        checker.must_run();
        let rss_bytes = rss(checker.pid());
        let mut words = checker.words().since(before);
        let last = checker.end();
        words.failed = words.failed.or(last.failed);
        Arrivals::settle();
        let book = self.arrivals.book();
        let inside = book.arrivals.iter().filter(|arrival| (begin.at..end.at).contains(&arrival.at));
        let visits: Vec<_> = inside.map(|arrival| (arrival.index, arrival.at)).collect();
        let took = Duration::from_nanos(end.mono - begin.mono);
        let probes = match row.kind {
            Kind::Tcp | Kind::Blackhole => visits.len() as f64,
            Kind::Http | Kind::HttpsFull | Kind::HttpsResumed => (end.answers - begin.answers) as f64,
        };
        let waited = end.waited - begin.waited + (end.stolen - begin.stolen);
        Window {
            probes,
            cpu_us: (end.cpu - begin.cpu) as f64 / 1e3 / probes.max(1.0),
            rate_percent: probes / row.asked(took) * 1e2,
            punctuality: punctuality(visits, row.interval),
            rss_bytes,
            resumed_percent: (end.resumed - begin.resumed) as f64 / probes.max(1.0) * 1e2,
            words,
            waited_percent: waited as f64 / took.as_nanos() as f64 * 1e2,
            seen: book.targets,
            lost: end.lost - begin.lost,
            again: book.again,
            is_clock_set: (end.at - begin.at).abs_diff(end.mono - begin.mono) > CLOCK_STEP_NANOS_MAX,
        }
    }

    /// What a checker takes with one rule.
    pub(crate) fn base_rss(&self, peer: Peer, row: &Row, warm_up: Duration) -> f64 {
        let checker = self.steady(peer, &Row { rules: 1, ..*row }, warm_up);
        let bytes = rss(checker.pid());
        checker.end();
        bytes
    }

    /// A checker that has been at every target, and has gone on for this time and two intervals.
    fn steady(&self, peer: Peer, row: &Row, warm_up: Duration) -> Checker {
        self.arrivals.forget(row.rules);
        let mut checker = Checker::start(self.bench, peer, row);
        let mut wait = |targets: u32, patience: Duration| {
            let until = Instant::now() + patience;
            while self.arrivals.book().targets < targets as usize && Instant::now() < until {
                sleep(Duration::from_millis(20));
                checker.must_run();
            }
        };
        wait(1, START);
        wait(row.rules, ROUND + 2 * row.interval);
        sleep(warm_up.max(2 * row.interval));
        checker
    }

    fn moment(&self, checker: &Checker) -> Moment {
        let pid = checker.pid();
        Moment {
            at: arrivals::now(),
            mono: nanos(ClockId::CLOCK_MONOTONIC),
            cpu: nanos(ClockId::pid_cpu_clock_id(pid).expect("it runs")),
            waited: waited(pid),
            stolen: stolen(self.bench.cores.checker),
            answers: self.counts.answers.load(Ordering::Relaxed),
            resumed: self.counts.resumed.load(Ordering::Relaxed),
            lost: self.arrivals.book().dropped,
        }
    }
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock.now().expect("a clock");
    u64::try_from(Duration::from(time).as_nanos()).expect("a short time")
}

/// How long the threads of a process have waited for a core, in nanoseconds.
fn waited(pid: Pid) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let texts = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').nth(1)?.parse::<u64>().ok()).sum()
}

/// How long others have had a core of this virtual machine, in nanoseconds.
fn stolen(core: usize) -> u64 {
    let text = fs::read_to_string("/proc/stat").expect("the kernel's counters");
    let name = format!("cpu{core} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name)).expect("the core");
    let ticks: u64 = line.split(' ').nth(7).and_then(|ticks| ticks.parse().ok()).expect("its stolen time");
    ticks * 10_000_000
}

/// Bytes of memory that a process has.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rss(pid: Pid) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (kib * 1024) as f64
}
