//! Kills of daemon and helper, in every order and at every step, while others change the counter too: whoever comes
//! next finds it where it should be, and so does everybody once grace is over.
//!
//! `HFM_SEED=N` plays one run, `HFM_RUNS=N` changes how many are played, each with the next seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hfm::demotion::protocol::{News, Order, Shares};
use hfm::demotion::record::total;
use nix::sys::signal::Signal;

use super::daemon::{Daemon, End, FOREVER, Kind, Said, Spec, run_if_asked};
use super::random::Rng;
use super::world::World;

/// How many runs there are.
const RUNS: u64 = 1000;
/// How many go on at once: they mostly wait.
const AT_ONCE: usize = 6;
/// More steps than a helper takes in its life here.
const STEPS: usize = 60;
const RULES: &[&str] = &["uplink", "web/1", "web/2", "a b"];

/// What happened, over all runs.
#[derive(Debug, Default)]
struct Tally {
    runs: AtomicU64,
    daemons: AtomicU64,
    helpers: AtomicU64,
    taken_back: AtomicU64,
    taken_over: AtomicU64,
}

fn count(what: &AtomicU64) {
    what.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn whoever_is_killed_the_counter_is_where_it_should_be_in_the_end() {
    run_if_asked();
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let tally = Tally::default();
    if let Some(seed) = number("HFM_SEED") {
        Run::new(seed, &tally).play();
        return;
    }
    let next = AtomicU64::new(0);
    let runs = number("HFM_RUNS").unwrap_or(RUNS);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= runs {
                        return;
                    }
                    Run::new(seed, &tally).play();
                    count(&tally.runs);
                }
            });
        }
    });
    println!("{tally:?}");
    let seen = |what: &AtomicU64| what.load(Ordering::Relaxed);
    assert_eq!(seen(&tally.runs), runs);
    for what in [&tally.daemons, &tally.helpers, &tally.taken_back, &tally.taken_over] {
        assert!(seen(what) * 10 > runs, "something hardly ever happens: {tally:?}");
    }
}

/// One world, and who lives in it one after the other.
struct Run<'t> {
    seed: u64,
    rng: Rng,
    kind: Kind,
    world: World,
    /// What others add while a write may be under way; none if that would leave doubt.
    storm: bool,
    /// What may be in the counter.
    possible: Vec<Shares>,
    /// Those who have lived, and whether their helpers have but a short grace. Some are there yet.
    left: Vec<(Daemon, bool)>,
    tally: &'t Tally,
}

impl<'t> Run<'t> {
    fn new(seed: u64, tally: &'t Tally) -> Self {
        let mut rng = Rng::new(seed);
        let kind = if rng.percent(75) { Kind::Counter } else { Kind::File };
        let storm = rng.percent(70);
        let world = World::new(&format!("kills-{seed}"));
        // They never take more than they have put in.
        world.others_add(100_000);
        Self { seed, rng, kind, world, storm, possible: vec![Shares::new()], left: Vec::new(), tally }
    }

    fn play(mut self) {
        for _ in 0..1 + self.rng.below(4) {
            self.live();
        }
        self.end();
    }

    /// Whoever was killed is dead, whoever was not has left: no helper stays.
    fn wait_for_all(&mut self) {
        for (daemon, _) in &mut self.left {
            if daemon.helper.wait() == End::Killed {
                count(&self.tally.helpers);
            }
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "seed {}: {what}\nHFM_SEED={} cargo test --test demotion whoever_is_killed",
            self.seed, self.seed
        )
    }

    /// Some shares, and never as many of them that others' changes could be taken for ours.
    fn some_shares(&mut self) -> Shares {
        let max = if self.storm { 59 } else { 200 };
        let mut shares = Shares::new();
        for rule in RULES {
            if self.rng.percent(50) {
                let share = u8::try_from(self.rng.below(max)).expect("it is small");
                shares.insert((*rule).to_owned(), share);
            }
        }
        shares
    }

    /// CARP itself, as it does while anything else goes on.
    fn others_meanwhile(&mut self) {
        if self.storm && self.rng.percent(40) {
            let change = *[240, -240, 480].get(self.rng.below(3)).expect("one of three");
            self.world.others_add(change);
        }
    }

    /// Anybody, while nothing else goes on.
    fn others_at_rest(&mut self) {
        if self.rng.percent(30) {
            let change = i64::try_from(self.rng.below(41)).expect("it is small") - 20;
            self.world.others_add(change);
        }
    }

    /// A daemon's life; it is dead in the end.
    fn live(&mut self) {
        let is_short = self.rng.percent(40);
        let grace = if is_short { Duration::from_micros(self.rng.below(4000) as u64) } else { FOREVER };
        let mut spec = Spec::new(self.kind, grace);
        spec.fuse = self.rng.percent(60).then(|| 1 + self.rng.below(STEPS) as u64);
        // One whose hfm died early may take over as late as when this one is dead, and take back.
        let lurks = self.left.iter_mut().any(|(daemon, is_short)| *is_short && daemon.helper.is_there());
        let mut daemon = Daemon::start(&self.world, &spec);
        let is_alive = self.begin(&mut daemon) && self.work(&mut daemon);
        self.others_meanwhile();
        self.kill_both(&mut daemon, is_alive);
        if is_short || lurks {
            self.possible.push(Shares::new());
        }
        if is_short && !lurks && self.rng.percent(50) {
            self.wait_for_the_end(&mut daemon);
        }
        self.left.push((daemon, is_short));
    }

    /// Whether the helper lives on.
    fn begin(&mut self, daemon: &mut Daemon) -> bool {
        if self.rng.percent(10) {
            // It is killed while it begins, and its helper may begin or not.
            daemon.tell(&Order::Begin { state_dir: self.world.state_dir().to_str().unwrap().to_owned() });
            return false;
        }
        match daemon.begin() {
            Said::News(News::Began { shares, remarks }) => {
                if !remarks.is_empty() {
                    self.fail(&format!("remarks: {remarks:?}"));
                }
                self.found(&shares);
                self.others_at_rest();
                true
            }
            Said::Gone => false,
            said @ (Said::News(_) | Said::Silence) => self.fail(&format!("to begin: {said:?}")),
        }
    }

    /// What a helper has found, which may have been done or not, is in the counter, and nothing else of ours.
    fn found(&mut self, shares: &Shares) {
        if !self.possible.contains(shares) {
            self.fail(&format!("found {shares:?}, expected one of {:?}", self.possible));
        }
        if !shares.is_empty() {
            count(&self.tally.taken_over);
        }
        self.hold(shares);
    }

    /// These are in the counter.
    fn hold(&mut self, shares: &Shares) {
        let expected = total(shares);
        let is_there = match self.kind {
            Kind::Counter => self.world.ours() == i64::from(expected),
            // There is none before the first one has begun.
            Kind::File => self.world.tracked_text().unwrap_or("0\n".to_owned()) == format!("{expected}\n"),
        };
        if !is_there {
            let (ours, text) = (self.world.ours(), self.world.tracked_text());
            self.fail(&format!("the counter has {ours}, the file {text:?}; {shares:?} come to {expected}"));
        }
        self.possible = vec![shares.clone()];
    }

    /// Wants this and that; says whether the helper lives on.
    fn work(&mut self, daemon: &mut Daemon) -> bool {
        for _ in 0..self.rng.below(5) {
            let shares = self.some_shares();
            let is_wanted: Shares =
                shares.iter().filter(|(_, n)| **n > 0).map(|(r, n)| (r.clone(), *n)).collect();
            let ticket = daemon.want(&shares);
            self.possible.push(is_wanted.clone());
            self.others_meanwhile();
            if self.rng.percent(15) {
                // No time to hear what came of it.
                return true;
            }
            match daemon.hear() {
                Said::News(News::Done { ticket: of, total: told }) if of == ticket => {
                    if told != u16::from(total(&is_wanted)) {
                        self.fail(&format!("told {told} for {is_wanted:?}"));
                    }
                    self.hold(&is_wanted);
                    self.others_at_rest();
                }
                Said::Gone => return false,
                said @ (Said::News(_) | Said::Silence) => {
                    self.fail(&format!("when it wants {shares:?}: {said:?}"))
                }
            }
        }
        true
    }

    /// Ends the daemon, and perhaps its helper, in one order or the other.
    fn kill_both(&mut self, daemon: &mut Daemon, helper_is_alive: bool) {
        let with_helper = self.rng.percent(40) && helper_is_alive;
        let helper_first = self.rng.percent(50);
        if with_helper && helper_first && daemon.helper.is_there() {
            daemon.helper.signal(Signal::SIGKILL);
        }
        if self.rng.percent(85) {
            daemon.kill();
            count(&self.tally.daemons);
        } else {
            daemon.stop();
        }
        self.others_meanwhile();
        if with_helper && !helper_first && daemon.helper.is_there() {
            daemon.helper.signal(Signal::SIGKILL);
        }
        if with_helper {
            daemon.helper.wait();
        }
    }

    /// Whoever has taken everything back has left nothing.
    fn wait_for_the_end(&mut self, daemon: &mut Daemon) {
        if daemon.helper.wait() == End::ByItself {
            // One that never began has nothing to do with it.
            if !self.world.record().exists() {
                count(&self.tally.taken_back);
                self.hold(&Shares::new());
            }
        }
    }

    /// The last one: nothing befalls it, and nobody comes after it.
    fn end(&mut self) {
        let grace = Duration::from_micros(self.rng.below(2000) as u64);
        let mut daemon = Daemon::start(&self.world, &Spec::new(self.kind, grace));
        if !self.begin_at_last(&mut daemon) {
            self.fail("the last one does not begin");
        }
        let shares = self.some_shares();
        daemon.have(&shares, total(&shares).into());
        if self.rng.percent(50) {
            daemon.tell(&Order::Release);
            if daemon.hear() != Said::News(News::Released) {
                self.fail("it does not release");
            }
        } else {
            daemon.kill();
        }
        let end = daemon.helper.wait();
        self.wait_for_all();
        let left: Vec<End> = self.left.iter_mut().map(|(daemon, _)| daemon.helper.wait()).collect();
        let record = std::fs::read_to_string(self.world.record()).ok();
        // One whose hfm is dead may have come late, found nothing, recorded that, and been killed.
        let is_empty = |record: &String| record.contains("\nin 0\nend ") && left.contains(&End::Killed);
        if end != End::ByItself || !record.as_ref().is_none_or(is_empty) {
            self.fail(&format!(
                "the last one has ended {end:?}, those before it {left:?}, and left {record:?}"
            ));
        }
        self.hold(&Shares::new());
    }

    fn begin_at_last(&mut self, daemon: &mut Daemon) -> bool {
        let Said::News(News::Began { shares, remarks }) = daemon.begin() else { return false };
        if !remarks.is_empty() {
            self.fail(&format!("remarks: {remarks:?}"));
        }
        self.found(&shares);
        true
    }
}
