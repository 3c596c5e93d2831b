//! The trials: one target after the other is lost at a random moment, and comes back when its address has left the table.

use std::net::Ipv4Addr;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hfm::dataplane::{Change, DataPlane, Managed, Nftables};
use hfm::rule::Prefix;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::course::{Course, Loss, Trial};
use crate::monitor::{Monitor, TARGETS};
use crate::random::Rng;
use crate::target::{self, OTHERS_PORT, PORT, address_of};
use crate::{Options, firewall, table, wire};

/// Between two trials on average; the moments of each are random.
const BETWEEN_MS: usize = 40;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Behind the first verdicts, until all of them have been written and the grid is known well.
const WARM_UP: Duration = Duration::from_secs(5);
/// Behind the last trial, until its changes have been told.
const COOL_DOWN: Duration = Duration::from_secs(2);

/// What goes to its addresses is dropped.
const DROPS: &str = "table ip block { set dead { type ipv4_addr; }; \
    chain in { type filter hook input priority 0; ip daddr @dead drop; }; }";
const DEAD: &str = "ip/block/dead";

/// Something that was seen.
#[derive(Clone, Copy)]
pub(crate) enum News {
    /// A run began.
    Syn {
        /// Of whom.
        to: Ipv4Addr,
        /// When.
        at: SystemTime,
    },
    /// A rule changed its state.
    Verdict {
        /// Whose.
        to: Ipv4Addr,
        /// To what.
        is_up: bool,
        /// When.
        at: SystemTime,
        /// How long its run took.
        elapsed: Duration,
    },
    /// An address came into the table or left it.
    Table {
        /// Which.
        to: Ipv4Addr,
        /// It came.
        is_in: bool,
        /// When.
        at: SystemTime,
    },
}

/// Everything that is started from now on has this processor, if there are several.
pub(crate) fn pin(processor: usize) {
    if thread::available_parallelism().is_ok_and(|count| count.get() > 1) {
        let mut set = CpuSet::new();
        set.set(processor).expect("a small number");
        sched_setaffinity(Pid::from_raw(0), &set).expect("a processor of this machine");
    }
}

/// How a target is.
enum Target {
    /// It answers; its process.
    Well(Child),
    /// It is lost; its process, if that is alive.
    Lost(Option<Child>),
    /// It answers again, and is not in the table yet.
    Returns(Child),
    /// It is about to be something else.
    Changing,
}

/// Everything on the stage.
struct Stage {
    news: Receiver<News>,
    targets: Vec<Target>,
    plane: Nftables,
    courses: Vec<Course>,
}

/// Goes through all trials; what was seen of each target.
pub(crate) fn run(options: &Options, mut monitor: Monitor) -> Vec<Course> {
    firewall::nft(DROPS);
    let (teller, news) = channel();
    wire::watch(teller.clone());
    table::watch(teller.clone());
    monitor.watch(teller);
    // Of the many others, which nothing befalls.
    let mut elsewhere = target::start((Ipv4Addr::UNSPECIFIED, OTHERS_PORT));
    let targets =
        (0..TARGETS).map(|number| Target::Returns(target::start((address_of(number), PORT)))).collect();
    let courses = (0..TARGETS).map(|_| Course::default()).collect();
    let mut stage = Stage { news, targets, plane: Nftables::new(256), courses };
    stage.hear_until(|stage| stage.targets.iter().all(|target| matches!(target, Target::Well(_))));
    stage.hear_for(WARM_UP);
    let mut random = Rng::new(options.seed);
    for _ in 0..options.trials {
        stage.hear_for(Duration::from_micros(
            1000 * random.below(2 * BETWEEN_MS) as u64 + random.below(1000) as u64,
        ));
        let from = random.below(TARGETS);
        let loss = if random.percent(50) { Loss::Killed } else { Loss::CutOff };
        // The next one that is well.
        let is_well = |stage: &Stage, number: usize| matches!(stage.targets[number], Target::Well(_));
        let next =
            |stage: &Stage| (from..from + TARGETS).map(|of| of % TARGETS).find(|of| is_well(stage, *of));
        stage.hear_until(|stage| next(stage).is_some());
        let target = next(&stage).expect("it was waited for");
        stage.lose(target, loss);
    }
    stage.hear_until(|stage| stage.targets.iter().all(|target| matches!(target, Target::Well(_))));
    stage.hear_for(COOL_DOWN);
    monitor.ask_for_summary();
    drop(monitor);
    for target in &mut stage.targets {
        if let Target::Well(child) = target {
            end(child);
        }
    }
    end(&mut elsewhere);
    stage.courses
}

impl Stage {
    /// Takes a target away.
    fn lose(&mut self, number: usize, loss: Loss) {
        let Target::Well(mut child) = std::mem::replace(&mut self.targets[number], Target::Changing) else {
            panic!("only one that is well can be lost");
        };
        let before = SystemTime::now();
        let child = match loss {
            Loss::Killed => {
                end(&mut child);
                None
            }
            Loss::CutOff => {
                self.cut_off(number, true);
                Some(child)
            }
        };
        let after = SystemTime::now();
        self.targets[number] = Target::Lost(child);
        self.courses[number].trials.push(Trial { loss, before, after });
    }

    /// Drops what goes to a target, or does not any more.
    fn cut_off(&mut self, number: usize, is_cut_off: bool) {
        let address = [Prefix::host(address_of(number).into())];
        let table = Managed { name: DEAD, members: &address };
        let (add, remove) = if is_cut_off { (&address[..], &[][..]) } else { (&[][..], &address[..]) };
        let results = self.plane.apply(&[Change { table, add, remove }]);
        results.into_iter().for_each(|result| result.expect("nftables does it"));
    }

    /// Hears what there is to be heard for so long.
    fn hear_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(news) = self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.take(news);
        }
    }

    /// Hears until it is so.
    fn hear_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            let left = until.saturating_duration_since(Instant::now());
            let news = self.news.recv_timeout(left).expect("it comes to that within half a minute");
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        let number_of = |to: Ipv4Addr| (u32::from(to) - u32::from(address_of(0))) as usize;
        match news {
            News::Syn { to, at } => self.courses[number_of(to)].runs.push(at),
            News::Verdict { to, is_up: false, at, elapsed } => {
                self.courses[number_of(to)].verdicts.push((at, elapsed));
            }
            News::Verdict { is_up: true, .. } => {}
            News::Table { to, is_in: false, at } => {
                let number = number_of(to);
                self.courses[number].left.push(at);
                self.bring_back(number);
            }
            News::Table { to, is_in: true, .. } => {
                let target = &mut self.targets[number_of(to)];
                *target = match std::mem::replace(target, Target::Changing) {
                    Target::Returns(child) => Target::Well(child),
                    other @ (Target::Well(_) | Target::Lost(_) | Target::Changing) => other,
                };
            }
        }
    }

    /// The address of a lost target has left the table.
    fn bring_back(&mut self, number: usize) {
        let target = std::mem::replace(&mut self.targets[number], Target::Changing);
        self.targets[number] = match target {
            Target::Lost(None) => Target::Returns(target::start((address_of(number), PORT))),
            Target::Lost(Some(child)) => {
                self.cut_off(number, false);
                Target::Returns(child)
            }
            Target::Well(_) | Target::Returns(_) | Target::Changing => {
                panic!("the address of target {number} left the table, and nothing had befallen it")
            }
        };
    }
}

fn end(child: &mut Child) {
    child.kill().expect("it can be killed");
    child.wait().expect("it has ended");
}
