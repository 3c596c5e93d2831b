//! One window: hfm started anew, with a burden or without.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::arrivals::{self, Arrivals};
use super::burdens::{self, Burden, INTERVAL_MS, WATCHED, configuration};
use super::figures;
use super::hfm::{Hfm, Log, Standing};
use super::place::Cores;
use super::statistics::{Punctuality, punctuality};
use super::target::Counts;
use super::work::{Done, Work};

/// How long it may take until every watched target has been visited.
const START: Duration = Duration::from_secs(60);

/// What is measured with.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) cores: Cores,
    pub(crate) is_one_core: bool,
    pub(crate) arrivals: &'a Arrivals,
    pub(crate) counts: &'a Counts,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) punctuality: Punctuality,
    pub(crate) rate_percent: f64,
    /// By hfm's own count, in milliseconds: p99, p99.9 and the most.
    pub(crate) late_ms: [f64; 3],
    /// Of the watched rules.
    pub(crate) missed: u64,
    pub(crate) inconclusive: u64,
    /// Rules that have failed without a reason, or are not as they should be.
    pub(crate) wrong: Vec<String>,
    /// Milliseconds of CPU in a second, of the thread of the loop.
    pub(crate) loop_ms: f64,
    pub(crate) waited_percent: f64,
    pub(crate) lost: u32,
    /// What the burden was.
    pub(crate) done: Vec<Done>,
}

/// Figures of a moment that only grow.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: u64,
    ran: u64,
    waited: u64,
    lost: u32,
}

impl Bench<'_> {
    /// The cores of hfm: one for its loop, and one for its other threads.
    pub(crate) fn cores_of_hfm(&self) -> Cores {
        if self.is_one_core { Cores { target: self.cores.checker, ..self.cores } } else { self.cores }
    }

    /// Starts hfm, lets it and the burden become steady, watches it for so long, and ends it.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn window(&self, watched: u32, burden: Option<Burden>, length: Duration) -> Window {
        self.arrivals.forget(watched);
        let log = if burden.is_some_and(|burden| burden.has(Burden::Storm)) { Log::Pipe } else { Log::File };
        let text = configuration(self, watched, burden, 0);
        let mut hfm = Hfm::start(self.directory, &text, log, self.cores_of_hfm());
        self.wait_for(watched, &mut hfm);
        let answers = self.counts.answers.load(Ordering::Relaxed);
        let work = Work::begin(self, &mut hfm, watched, burden);
        sleep(Duration::from_millis(2 * INTERVAL_MS));
        let begin = self.moment(&hfm);
        sleep(length);
        let end = self.moment(&hfm);
        hfm.must_run();
        let mut done = work.end();
        let (stats, standings) = (hfm.stats(), hfm.standings());
        let count = |name: &str| stats[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
        hfm.end();
        let handshakes = self.counts.answers.load(Ordering::Relaxed) - answers;
        done.extend([("handshakes", handshakes), ("reloads", count("reloads"))]);
        done.extend([
            ("lines dropped", count("dropped_lines")),
            ("programs run", sum(&standings, "commands", |one| one.runs)),
        ]);
        done.push(("runs without an address", sum(&standings, "names", |one| one.inconclusive)));
        done.retain(|(_, count)| *count > 0);
        let judged = standings.iter().filter_map(|(name, one)| burdens::judge(name, one).err());
        let idle = burden.into_iter().flat_map(|burden| burden.without(&done));
        let wrong = judged.chain(idle.map(|what| format!("no {what}"))).collect();
        Arrivals::settle();
        let book = self.arrivals.book();
        let inside = book.arrivals.iter().filter(|arrival| (begin.at..end.at).contains(&arrival.at));
        let visits: Vec<_> = inside.map(|arrival| (arrival.index, arrival.at)).collect();
        let took = (end.at - begin.at) as f64;
        let asked = f64::from(watched) * took / 1e6 / INTERVAL_MS as f64;
        Window {
            rate_percent: visits.len() as f64 / asked * 1e2,
            punctuality: punctuality(visits, Duration::from_millis(INTERVAL_MS))
                .expect("targets were visited twice"),
            late_ms: ["late_p99_us", "late_p999_us", "late_max_us"].map(|name| count(name) as f64 / 1e3),
            missed: sum(&standings, WATCHED, |one| one.missed),
            inconclusive: sum(&standings, WATCHED, |one| one.inconclusive),
            wrong,
            loop_ms: (end.ran - begin.ran) as f64 / took * 1e3,
            waited_percent: (end.waited - begin.waited) as f64 / took * 1e2,
            lost: end.lost - begin.lost,
            done,
        }
    }

    /// Waits until so many targets have been visited.
    pub(crate) fn wait_for(&self, targets: u32, hfm: &mut Hfm) {
        let until = Instant::now() + START;
        while self.arrivals.book().targets < targets as usize {
            assert!(Instant::now() < until, "not every target is visited");
            sleep(Duration::from_millis(20));
            hfm.must_run();
        }
    }

    fn moment(&self, hfm: &Hfm) -> Moment {
        let [ran, waited] = figures::schedule(hfm.pid());
        Moment { at: arrivals::now(), ran, waited, lost: self.arrivals.book().dropped }
    }
}

/// What the rules of a group add up to.
fn sum(all: &[(String, Standing)], group: &str, of: fn(&Standing) -> u64) -> u64 {
    all.iter().filter(|(name, _)| burdens::group(name) == group).map(|(_, one)| of(one)).sum()
}
