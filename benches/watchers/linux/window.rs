//! One window of a phase.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use super::arithmetic::{Buckets, lateness_ms};
use super::arrivals::{self, Arrivals};
use super::clients::{self, EVENTS, SCRAPES, STATUSES};
use super::crew::{Crew, Deeds};
use super::figures;
use super::hfm::Hfm;
use super::hostile::{self, CONNECTIONS, HALF_REQUESTS, NOT_READ, REFUSED};
use super::http::Client;
use super::options::Options;

/// From start to start of a rule.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// How long the clock that arrivals are told by may have been set by in a window and be believed.
const CLOCK_STEP_NANOS_MAX: u64 = 100_000;

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Quiet,
    Watchers,
    Hostile,
}

impl Phase {
    pub(crate) const ALL: [Self; 3] = [Self::Quiet, Self::Watchers, Self::Hostile];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Watchers => "watchers",
            Self::Hostile => "hostile",
        }
    }

    fn clients(self, options: &Options) -> Crew {
        let mut crew = Crew::default();
        match self {
            Self::Quiet => return crew,
            Self::Watchers => clients::watch(&mut crew, options),
            Self::Hostile => hostile::attack(&mut crew),
        }
        crew.spawn(clients::scrape);
        crew
    }

    /// What there has to be something of.
    fn signs(self) -> &'static [&'static str] {
        match self {
            Self::Quiet => &[],
            Self::Watchers => &[STATUSES, EVENTS, SCRAPES],
            Self::Hostile => &[HALF_REQUESTS, NOT_READ, CONNECTIONS, REFUSED],
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Window {
    /// By the arrivals: p50, p99, p99.9, and the most.
    pub(crate) late_ms: [f64; 4],
    /// By hfm's own count.
    pub(crate) own_late_p99_ms: f64,
    pub(crate) over_a_ms_percent: f64,
    pub(crate) turn_p99_ms: f64,
    pub(crate) missed: u64,
    /// Visits of the watched rules' targets, of those asked for.
    pub(crate) rate_percent: f64,
    /// Of a core: all of hfm, and its loop.
    pub(crate) cpu_percent: f64,
    pub(crate) loop_percent: f64,
    pub(crate) waited_percent: f64,
    /// Before, the most, and after.
    pub(crate) rss_mb: [f64; 3],
    pub(crate) deeds: Deeds,
    /// Arrivals that were lost.
    pub(crate) lost: u32,
    pub(crate) is_clock_set: bool,
}

/// What is measured with.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) options: &'a Options,
    pub(crate) arrivals: &'a Arrivals,
}

/// Figures of a moment that only grow.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: u64,
    mono: u64,
    cpu: u64,
    ran: u64,
    waited: u64,
    lost: u32,
}

/// What hfm itself tells.
#[derive(Debug)]
struct Told {
    late: Buckets,
    turns: Buckets,
    missed: u64,
}

impl Bench<'_> {
    /// Has the clients of a phase come, watches hfm for so long, and has them go.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn window(&self, phase: Phase, hfm: &mut Hfm) -> Window {
        let options = self.options;
        let pid = hfm.pid();
        sleep(options.settle);
        self.arrivals.forget(options.rules);
        let rss_before = figures::rss(pid);
        forget_most_rss(pid);
        let before = told();
        let crew = phase.clients(options);
        let begin = self.moment(pid);
        sleep(options.window);
        let end = self.moment(pid);
        hfm.must_run();
        let mut deeds = crew.end();
        let after = told();
        let most = most_rss(pid);
        sleep(options.settle);
        let rss_mb = [rss_before, most, figures::rss(pid)].map(|bytes| bytes / 1e6);
        let idle = phase.signs().iter().filter(|sign| !deeds.counts.contains_key(*sign));
        let idle: Vec<String> = idle.map(|sign| format!("no {sign}")).collect();
        deeds.wrong.extend(idle);
        Arrivals::settle();
        let book = self.arrivals.book();
        let inside = book.arrivals.iter().filter(|arrival| (begin.at..end.at).contains(&arrival.at));
        let visits: Vec<_> = inside.map(|arrival| (arrival.index, arrival.at)).collect();
        let took = (end.mono - begin.mono) as f64;
        let asked = f64::from(options.rules) * took / INTERVAL.as_nanos() as f64;
        let percent = |of: u64| of as f64 / took * 1e2;
        let late = after.late.since(&before.late);
        Window {
            rate_percent: visits.len() as f64 / asked * 1e2,
            late_ms: lateness_ms(visits, INTERVAL).expect("targets were visited"),
            own_late_p99_ms: late.quantile(0.99) * 1e3,
            over_a_ms_percent: late.share_over(0.001) * 1e2,
            turn_p99_ms: after.turns.since(&before.turns).quantile(0.99) * 1e3,
            missed: after.missed - before.missed,
            cpu_percent: percent(end.cpu - begin.cpu),
            loop_percent: percent(end.ran - begin.ran),
            waited_percent: percent(end.waited - begin.waited),
            rss_mb,
            deeds,
            lost: end.lost - begin.lost,
            is_clock_set: (end.at - begin.at).abs_diff(end.mono - begin.mono) > CLOCK_STEP_NANOS_MAX,
        }
    }

    fn moment(&self, pid: Pid) -> Moment {
        let [ran, waited] = figures::schedule(pid);
        Moment {
            at: arrivals::now(),
            mono: nanos(ClockId::CLOCK_MONOTONIC),
            cpu: nanos(ClockId::pid_cpu_clock_id(pid).expect("it runs")),
            ran,
            waited,
            lost: self.arrivals.book().dropped,
        }
    }
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock.now().expect("a clock");
    u64::try_from(Duration::from(time).as_nanos()).expect("a short time")
}

/// Asks hfm, when nobody else does.
fn told() -> Told {
    let mut text = Vec::new();
    let answer =
        Client::connect().and_then(|mut one| one.get("/metrics", |part| text.extend_from_slice(part)));
    let status = answer.expect("metrics are served").status;
    let text = String::from_utf8(text).expect("text");
    assert_eq!(status, 200, "{text}");
    let late = Buckets::of(&text, "hfm_start_lateness_seconds");
    let turns = Buckets::of(&text, "hfm_turn_duration_seconds");
    assert!(!late.0.is_empty() && !turns.0.is_empty(), "histograms are told");
    let missed = text.lines().find_map(|line| line.strip_prefix("hfm_missed_slots_total "));
    Told { late, turns, missed: missed.and_then(|count| count.parse().ok()).expect("missed slots are told") }
}

/// Has the kernel forget the most memory that a process has had (proc_pid_clear_refs(5)).
fn forget_most_rss(pid: Pid) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("what is root's to write");
}

/// The most since then, in bytes.
fn most_rss(pid: Pid) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024.0
}
