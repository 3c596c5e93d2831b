//! The world around the engine: test processes, and a loop that does not always turn in time.

use std::time::Duration;

use hfm::engine::{Event, StartError, StopSignal};
use hfm::rule::{Rule, RunId};
use hfm::verdict::Ending;

use crate::effects::{limits, probe_timeout};
use crate::model::{MS, ns_of};
use crate::probes::Attempt;
use crate::random::Random;

/// What a target does for some time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Well,
    Failing,
    Flapping,
    Hanging,
    Unstartable,
}

/// How a test takes SIGINT.
#[derive(Clone, Copy, Debug)]
enum Manners {
    Dies,
    Ignores,
    ExitsWell,
    ExitsBadly,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) mood: Mood,
    until: u64,
    manners: Manners,
    /// One start in so many cannot be made; 0 for none.
    pub(crate) trouble: u64,
    unusable: bool,
}

/// A process that lives.
#[derive(Debug)]
struct Process {
    run: RunId,
    start: u64,
    ends: Option<u64>,
    ending: Ending,
    /// The last moment at which one of its events arrives: they come in order.
    arrived: u64,
}

/// An event on its way to the loop.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: u64,
    pub(crate) event: Event,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    base: std::time::Instant,
    pub(crate) scale: u64,
    pub(crate) intervals: Vec<u64>,
    limits: Vec<(Option<u64>, Option<u64>)>,
    /// Of native rules.
    pub(crate) timeouts: Vec<Option<Duration>>,
    pub(crate) targets: Vec<Target>,
    processes: Vec<Process>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) arrivals: Vec<Arrival>,
    past: Vec<Event>,
    /// How often the loop stalls, in turns; 0 for never.
    stalls: u64,
}

impl World {
    pub(crate) fn new(rules: &[Rule], scale: Duration, base: std::time::Instant, mut random: Random) -> Self {
        let target = |random: &mut Random| Target {
            mood: Mood::Well,
            until: 0,
            manners: random.pick(&[Manners::Dies, Manners::Ignores, Manners::ExitsWell, Manners::ExitsBadly]),
            trouble: if random.percent(15) { random.pick(&[3, 10, 50]) } else { 0 },
            unusable: random.percent(3),
        };
        let targets = rules.iter().map(|_| target(&mut random)).collect();
        let stalls = random.pick(&[0, 0, 10, 50, 200]);
        let scale = ns_of(scale);
        let intervals = rules.iter().map(|rule| ns_of(rule.interval).max(scale / 2)).collect();
        Self {
            random,
            base,
            scale,
            intervals,
            limits: rules.iter().map(limits).collect(),
            timeouts: rules.iter().map(|rule| probe_timeout(rule).map(Duration::from_nanos)).collect(),
            targets,
            processes: Vec::new(),
            attempts: Vec::new(),
            arrivals: Vec::new(),
            past: Vec::new(),
            stalls,
        }
    }

    /// The test of a run is to start at `now`; what the loop knows of it at once.
    pub(crate) fn start(&mut self, run: RunId, now: u64) -> Vec<Event> {
        let rule = run.rule.index();
        self.change_mood(rule, now);
        if self.timeouts[rule].is_some() {
            return self.probe(run, now);
        }
        self.spawn(run, now);
        Vec::new()
    }

    /// A process is made for a run, or is not.
    fn spawn(&mut self, run: RunId, now: u64) {
        let rule = run.rule.index();
        let random = &mut self.random;
        let target = &self.targets[rule];
        let made = match random.below(20) {
            0 => now + random.below(30 * MS),
            1..8 => now + random.below(MS),
            _ => now,
        };
        let trouble = target.trouble > 0 && random.once_in(target.trouble);
        let unusable = target.unusable && random.once_in(40);
        if unusable || trouble || matches!(target.mood, Mood::Unstartable) {
            let error = match random.below(2) {
                _ if unusable => StartError::Unusable(2),
                0 => StartError::Descriptors,
                _ => StartError::Spawn(11),
            };
            self.arrive(Event::NotStarted { run, error }, made);
            return;
        }
        let (duration, ending) = self.fate(rule);
        self.arrive(Event::Started { run, at: self.at(made) }, made);
        let ends = duration.map(|takes| made + takes);
        self.processes.push(Process { run, start: made, ends, ending, arrived: made });
    }

    /// The process group of a run is to be signalled at `now`.
    pub(crate) fn signal(&mut self, run: RunId, signal: StopSignal, now: u64) {
        let Some(place) = self.processes.iter().position(|process| process.run == run) else { return };
        let sent = now + self.random.below(MS / 2);
        let process = &mut self.processes[place];
        if process.ends.is_some_and(|ends| ends <= sent) || process.start > sent {
            return;
        }
        let soon = sent + self.random.below(20 * MS);
        let ends = match (signal, self.targets[run.rule.index()].manners) {
            (StopSignal::Kill, _) => Some((soon, Ending::Signaled(9))),
            (StopSignal::Interrupt, Manners::Dies) => Some((soon, Ending::Signaled(2))),
            (StopSignal::Interrupt, Manners::Ignores) => None,
            (StopSignal::Interrupt, Manners::ExitsWell) => Some((soon, Ending::Exited(0))),
            (StopSignal::Interrupt, Manners::ExitsBadly) => Some((soon, Ending::Exited(3))),
        };
        if let Some((at, ending)) = ends.filter(|(at, _)| process.ends.is_none_or(|ends| *at < ends)) {
            process.ends = Some(at);
            process.ending = ending;
        }
        process.arrived = process.arrived.max(sent);
        let at = process.arrived;
        self.arrive(Event::Signaled { run, signal }, at);
    }

    /// A run is given up: nobody waits for its probe any more, and its process is killed.
    pub(crate) fn abandon(&mut self, run: RunId, now: u64) {
        self.attempts.retain(|attempt| attempt.run != run);
        if let Some(process) = self.processes.iter_mut().find(|process| process.run == run) {
            let soon = now.max(process.start) + self.random.below(20 * MS);
            if process.ends.is_none_or(|ends| soon < ends) {
                process.ends = Some(soon);
                process.ending = Ending::Signaled(9);
            }
        }
    }

    /// Lets processes end whose time has come, up to `now`.
    fn pass(&mut self, now: u64) {
        let mut place = 0;
        while place < self.processes.len() {
            let Some(ends) = self.processes[place].ends.filter(|ends| *ends <= now) else {
                place += 1;
                continue;
            };
            let Process { run, ending, arrived, .. } = self.processes.swap_remove(place);
            let at = self.at(ends);
            let late = if self.random.once_in(30) { self.random.below(20 * MS) } else { 0 };
            self.arrive(Event::Exited { run, at, ending }, arrived.max(ends + late));
        }
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<u64> {
        let ends = self.processes.iter().filter_map(|process| process.ends);
        let told = self.attempts.iter().filter_map(|attempt| attempt.told);
        self.arrivals.iter().map(|arrival| arrival.at).chain(ends).chain(told).min()
    }

    /// The events that have arrived by `now`: those of one run in order, runs in any; sometimes with
    /// events of runs that are long over, which nobody may take notice of.
    pub(crate) fn arrivals_by(&mut self, now: u64) -> Vec<Event> {
        self.pass(now);
        let mut arrived = self.take_concluded(now);
        self.arrivals.sort_by_key(|arrival| arrival.at);
        self.arrivals.retain(|arrival| {
            let here = arrival.at <= now;
            if here {
                arrived.push(arrival.event.clone());
            }
            !here
        });
        let key = self.random.next();
        arrived.sort_by_key(|event| Random::new(key ^ u64::from(event.run().rule.0)).next());
        if !self.past.is_empty() && self.random.once_in(12) {
            let event = self.past[self.random.index(self.past.len())].clone();
            let place = self.random.index(arrived.len() + 1);
            arrived.insert(place, event);
        }
        arrived
    }

    /// Remembers an event that was delivered, for once its run is over.
    pub(crate) fn delivered(&mut self, event: &Event) {
        let over = matches!(event, Event::Exited { .. } | Event::NotStarted { .. } | Event::Concluded { .. });
        if over && self.past.len() < 64 {
            self.past.push(event.clone());
        } else if over {
            let place = self.random.index(64);
            self.past[place] = event.clone();
        }
        if over && self.random.once_in(10) {
            let run = event.run();
            let again = match (&event, self.random.below(3)) {
                (Event::Exited { at, .. }, 0) => Event::Started { run, at: *at },
                (Event::Exited { .. }, 1) => Event::Signaled { run, signal: StopSignal::Kill },
                _ => event.clone(),
            };
            let at = self.arrivals.iter().map(|arrival| arrival.at).max().unwrap_or(0);
            let at = at.max(self.ns_since(event)) + self.random.below(self.scale);
            self.arrive(again, at);
        }
    }

    /// How late the loop wakes, or how long a turn takes.
    pub(crate) fn stall(&mut self) -> Duration {
        let random = &mut self.random;
        let ns = if self.stalls > 0 && random.once_in(self.stalls) {
            match random.below(4) {
                0 => random.within(MS, 10 * MS),
                1 => random.below(self.scale / 4 + MS),
                2 => random.below(self.scale * 2),
                _ => random.below(3000 * MS),
            }
        } else if random.percent(30) {
            random.below(2 * MS)
        } else {
            0
        };
        Duration::from_nanos(ns)
    }

    /// How long it takes to carry one thing out.
    pub(crate) fn dawdle(&mut self) -> u64 {
        if self.random.once_in(4) { self.random.below(MS / 4) } else { 0 }
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    pub(crate) fn change_mood(&mut self, rule: usize, now: u64) {
        let random = &mut self.random;
        let target = &mut self.targets[rule];
        if target.until > now {
            return;
        }
        target.mood = match random.below(20) {
            0..8 => Mood::Well,
            8..13 => Mood::Failing,
            13..17 => Mood::Flapping,
            17..19 => Mood::Hanging,
            _ => Mood::Unstartable,
        };
        let long = if random.once_in(8) { 40 } else { 8 };
        target.until = now + random.below(long * self.intervals[rule] + 1);
    }

    /// How long a run takes, for ever perhaps, and how it ends by itself.
    fn fate(&mut self, rule: usize) -> (Option<u64>, Ending) {
        let random = &mut self.random;
        let interval = self.intervals[rule];
        let duration = match random.below(20) {
            0..14 => random.below(interval / 4 + 1),
            14..17 => random.below(interval + 1),
            17 => interval,
            _ => interval + random.below(3 * interval),
        };
        let failed = match random.below(4) {
            0 => Ending::Signaled(11),
            1 => Ending::Exited(255),
            _ => Ending::Exited(1),
        };
        let well = match self.targets[rule].mood {
            Mood::Well => !random.once_in(15),
            Mood::Failing => random.once_in(10),
            Mood::Flapping => random.percent(50),
            Mood::Unstartable => false,
            Mood::Hanging => {
                let (int, kill) = self.limits[rule];
                let ever = kill.is_some()
                    || (int.is_some() && !matches!(self.targets[rule].manners, Manners::Ignores));
                let long = random.within(interval, interval * 12);
                return (if ever { None } else { Some(long) }, Ending::Exited(1));
            }
        };
        (Some(duration), if well { Ending::Exited(0) } else { failed })
    }

    pub(crate) fn arrive(&mut self, event: Event, at: u64) {
        let late = match self.random.below(100) {
            0 => self.random.below(50 * MS),
            1..20 => self.random.below(MS / 4),
            _ => 0,
        };
        let of_run = self.arrivals.iter().filter(|arrival| arrival.event.run() == event.run());
        let at = of_run.map(|arrival| arrival.at + 1).max().unwrap_or(0).max(at + late);
        self.arrivals.push(Arrival { at, event });
    }

    fn ns_since(&self, event: &Event) -> u64 {
        match event {
            Event::Exited { at, .. } | Event::Started { at, .. } | Event::Concluded { at, .. } => {
                ns_of(*at - self.base)
            }
            Event::NotStarted { .. } | Event::Signaled { .. } => 0,
        }
    }

    pub(crate) fn at(&self, ns: u64) -> std::time::Instant {
        self.base + Duration::from_nanos(ns)
    }
}
