//! The engine: starts runs on their grid, judges what comes back, keeps every rule's state.
//!
//! Sans-I/O. It owns every decision between "this moment has come" or "this run has ended" and "start
//! this", "signal that", "run this change command". It knows no process, no socket, no clock and no log.
//!
//! The owner's loop: [`begin_due`](Engine::begin_due), as punctuality is what begins in time, and
//! [`handle_event`](Engine::handle_event) for what arrived, then [`handle_timeout`](Engine::handle_timeout), then
//! [`poll_output`](Engine::poll_output) until `None`, then wait until [`poll_timeout`](Engine::poll_timeout). Events
//! come before deadlines within a turn, so that what has arrived is looked at before a deadline is held against it. A
//! spurious call of any of them is harmless.

mod asked;
mod dependents;
mod effective;
mod event;
mod history;
mod judge;
mod measures;
mod overrides;
mod past;
mod rare;
mod reload;
mod run;
mod stalls;
mod stamp;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use asked::{Answer, Found, Unanswered};
pub use event::{Change, Event, Notice, Output, StartError, StopSignal, Unguarded};
pub use measures::{DURATION_BOUNDS, DurationCounts, Durations};
pub use overrides::Set;
pub use past::{Availability, Measures};
pub use state::{Counters, EndReason};
pub use view::RuleView;

use crate::histogram::Histogram;
use crate::now::Now;
use crate::rule::{Rule, RuleId, RunId, Status, Test};
use crate::schedule;
use crate::timer::TimerQueue;
use dependents::Dependents;
use rare::Rare;
use stalls::Stalls;
use stamp::Epoch;
use state::{Phase, RuleState};

/// Rules looked at in one call of `handle_timeout` at most, and by `begin_due` in one turn: bounds a turn of the loop (a
/// millisecond of work when each makes a connection) whatever is due; the rest is due at once in the next. Far fewer
/// than the events that a turn takes: under too much load what goes on is brought to its end before more is begun.
const PASS_MAX: usize = 32;

/// All rules and what is known of them.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<[Rule]>,
    states: Vec<RuleState>,
    rare: Rare,
    /// For each rule, those that require it.
    dependents: Dependents,
    /// For each rule, whether some rule names it in `guard`.
    is_guard: Vec<bool>,
    timers: TimerQueue,
    outputs: VecDeque<Output>,
    stalls: Stalls,
    /// Phases of the grid lie on whole milliseconds after this.
    epoch: Epoch,
    /// Rules that are neither disabled by their status nor ended.
    live: usize,
    in_flight: usize,
    stopped: bool,
    counters: Counters,
    lateness: Histogram,
    /// Scratch for `handle_timeout`, kept so that a turn allocates nothing.
    due: Vec<RuleId>,
    /// Rules of which something is due that `begin_due` leaves for `handle_timeout`.
    set_aside: Vec<RuleId>,
    /// Rules that `begin_due` has looked at in this turn.
    looked_at: usize,
    /// Rules with tables or `demote` of which something changed in this call.
    touched: Vec<RuleId>,
}

impl Engine {
    /// Takes on the rules; their first runs are due from `now` on. Ask for outputs at once: rules that
    /// require an `always-fail` rule are down from here.
    pub fn new(rules: Arc<[Rule]>, now: Now) -> Self {
        let states = rules.iter().zip(first_dues(rules.iter(), now.mono));
        let epoch = Epoch::new(now.mono);
        let states: Vec<RuleState> = states.map(|(rule, due)| RuleState::new(rule, due, epoch)).collect();
        let live = states.iter().filter(|state| !state.is_over()).count();
        let mut engine = Self {
            stalls: Stalls::new(shortest_timeout(rules.iter())),
            timers: TimerQueue::new(rules.len()),
            states,
            rare: Rare::default(),
            dependents: Dependents::default(),
            is_guard: Vec::new(),
            outputs: VecDeque::new(),
            epoch,
            live,
            in_flight: 0,
            stopped: false,
            counters: Counters::default(),
            lateness: Histogram::default(),
            due: Vec::new(),
            set_aside: Vec::new(),
            looked_at: 0,
            touched: Vec::new(),
            rules,
        };
        engine.relate_rules();
        for index in 0..engine.rules.len() {
            let rule = rule_id(index);
            if engine.rules[index].status == Status::Disabled {
                engine.warn_of_guard(rule, Unguarded::Disabled);
            }
            engine.settle(rule, None, now);
            engine.arm(rule);
            engine.touch(rule);
        }
        engine.tell_standings(now);
        engine.check_invariants();
        engine
    }

    /// The loop begins: first runs are due from now on. To be called once, before anything else: what was done since
    /// the rules were taken on, which takes its time when they are many, would have all that was due meanwhile begin
    /// at once.
    pub fn begin(&mut self, now: Now) {
        // All moments of states count from it.
        self.epoch = Epoch::new(now.mono);
        for index in 0..self.rules.len() {
            self.arm(rule_id(index));
        }
    }

    /// Something that was asked for has happened. Events of runs that have ended are dropped here.
    pub fn handle_event(&mut self, event: Event, now: Now) {
        if self.stopped || !self.is_current(event.run()) {
            return;
        }
        let rule = event.run().rule;
        match (event, self.states[rule.index()].extra.as_deref().copied()) {
            (event, Some(extra)) => self.on_extra(rule, extra, event),
            (Event::Started { at, .. }, None) => self.on_started(rule, at),
            (Event::NotStarted { error, .. }, None) => self.on_not_started(rule, error, now),
            (Event::Signaled { run, signal }, None) => self.on_signaled(run, signal),
            (Event::Exited { at, ending, .. }, None) => self.on_exited(rule, at, ending, now),
            (Event::Concluded { at, verdict, measured, .. }, None) => {
                self.on_concluded(rule, at, verdict, measured, now);
            }
        }
        self.look_at_ask(rule, now);
        self.arm(rule);
        self.tell_standings(now);
        self.check_invariants();
    }

    /// Begins the runs that are due at `now`, a bounded number of them in each turn, before what has arrived is looked
    /// at. Of rules with a run under way nothing is done: what has arrived may be its answer, which no deadline of it
    /// may come before, and nor may anything else that is due of such a rule.
    pub fn begin_due(&mut self, now: Now) {
        while self.looked_at < PASS_MAX
            && let Some(rule) = self.timers.pop_due(now.mono)
        {
            self.looked_at += 1;
            if self.may_begin(rule, now) {
                self.look_at_due(rule, now);
            } else {
                self.set_aside.push(rule);
            }
        }
        self.tell_standings(now);
        self.check_invariants();
    }

    /// Whether [`begin_due`](Self::begin_due) has something to look at, at `now`.
    pub fn begins(&self, now: Instant) -> bool {
        self.looked_at < PASS_MAX && self.timers.first().is_some_and(|at| at <= now)
    }

    /// Does what is due at `now`, a bounded amount of it: when more is due,
    /// [`poll_timeout`](Self::poll_timeout) says a moment that has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.take_back_set_aside();
        let mut due = std::mem::take(&mut self.due);
        while due.len() < PASS_MAX {
            let Some(rule) = self.timers.pop_due(now.mono) else { break };
            due.push(rule);
        }
        for rule in due.drain(..) {
            self.look_at_due(rule, now);
        }
        self.due = due;
        self.tell_standings(now);
        self.check_invariants();
    }

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `handle_timeout` wants to be called; `None` when only an event can bring something new.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let set_aside = self.set_aside.iter().filter_map(|rule| self.wakes_at(*rule));
        set_aside.chain(self.timers.first()).min()
    }

    /// A turn of the loop begins: what comes of it may have waited since then.
    pub fn turn_begins(&mut self, at: Instant) {
        self.looked_at = 0;
        self.stalls.turn_begins(at);
    }

    /// By how much a turn may be late, or take, without being a stall to any rule.
    pub fn ordinary_lateness(&self) -> Duration {
        self.stalls.ordinary_min()
    }

    /// The turn of the loop has ended; a long one was a stall.
    pub fn turn_ends(&mut self, at: Instant) {
        self.stalls.turn_ends(at);
    }

    /// This process itself stood still from `from` for `took`: a wake-up that came late. Timeouts of runs
    /// that this held up are not held against their targets.
    pub fn note_stall(&mut self, from: Instant, took: Duration) {
        self.stalls.note(from, took);
    }

    /// Starts nothing any more and drops what comes back. Outputs already made stay to be polled.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.set_aside.clear();
        for index in 0..self.rules.len() {
            self.timers.set(rule_id(index), None);
        }
    }

    /// Whether every rule is disabled by its status or has ended. What operators set does not count.
    pub fn is_finished(&self) -> bool {
        self.live == 0
    }

    /// Phases of the grid lie on whole milliseconds after this.
    pub fn epoch(&self) -> Instant {
        self.epoch.beginning()
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> &Arc<[Rule]> {
        &self.rules
    }

    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        Counters { in_flight: self.in_flight, ..self.counters }
    }

    /// Start minus due of every slot, the missed ones included.
    pub fn lateness(&self) -> &Histogram {
        &self.lateness
    }

    fn is_current(&self, run: RunId) -> bool {
        self.states.get(run.rule.index()).is_some_and(|state| state.is_current(run.run))
    }

    /// Whether the next run of a rule is due, and none is under way that may have an answer already.
    fn may_begin(&self, rule: RuleId, now: Now) -> bool {
        let state = &self.states[rule.index()];
        let is_due = matches!(state.phase, Phase::Waiting { due, .. } if due <= self.epoch.stamp(now.mono));
        is_due && !state.in_flight()
    }

    /// A moment this rule was waiting for may have come.
    fn look_at_due(&mut self, rule: RuleId, now: Now) {
        self.on_timer(rule, now);
        self.look_at_ask(rule, now);
        self.arm(rule);
    }

    /// What was left by `begin_due` waits in its order again.
    fn take_back_set_aside(&mut self) {
        while let Some(rule) = self.set_aside.pop() {
            self.arm(rule);
        }
    }

    /// Sets the rule's one timer entry to the earliest moment at which it wants anything.
    fn arm(&mut self, rule: RuleId) {
        let at = if self.stopped { None } else { self.wakes_at(rule) };
        self.timers.set(rule, at);
    }

    fn wakes_at(&self, rule: RuleId) -> Option<Instant> {
        self.states[rule.index()].wakes_at(&self.rules[rule.index()], self.epoch)
    }

    fn check_invariants(&self) {
        debug_assert_eq!(self.in_flight, self.states.iter().filter(|state| state.in_flight()).count());
        debug_assert_eq!(self.live, self.states.iter().filter(|state| !state.is_over()).count());
    }
}

fn rule_id(index: usize) -> RuleId {
    RuleId(u32::try_from(index).expect("the configuration bounds the number of rules far below 2^32"))
}

/// `start_delay` where it is given, else spread where that is asked for, else at once.
fn first_dues<'r>(rules: impl Iterator<Item = &'r Rule> + Clone, now: Instant) -> Vec<Instant> {
    let spreads = |rule: &&Rule| rule.spread && rule.start_delay.is_none() && rule.status != Status::Disabled;
    let start_of = |rule: &Rule| schedule::Start { interval: rule.interval, weight: weight(&rule.test) };
    let starts: Vec<schedule::Start> = rules.clone().filter(spreads).map(start_of).collect();
    let mut spread = schedule::spread(&starts).into_iter();
    let delay_of = |rule: &Rule| match rule.start_delay {
        Some(delay) => delay,
        None if spreads(&rule) => spread.next().unwrap_or_default(),
        None => Duration::ZERO,
    };
    rules.map(delay_of).map(|delay| now.checked_add(delay).unwrap_or(now)).collect()
}

/// What a run of a test takes of this process: a command's work is done by others.
fn weight(test: &Test) -> schedule::Weight {
    match test {
        Test::Probe(probe) if probe.tls.is_some() => schedule::Weight::Heavy,
        Test::Probe(_) | Test::Command { .. } => schedule::Weight::Light,
    }
}

/// The shortest timeout of any rule: shorter stalls than matter to it need not be remembered.
fn shortest_timeout<'r>(rules: impl Iterator<Item = &'r Rule>) -> Option<Duration> {
    let timeouts = |rule: &Rule| match &rule.test {
        Test::Command { timeout_int, timeout_kill, .. } => [*timeout_int, *timeout_kill],
        Test::Probe(probe) => [Some(probe.timeout), None],
    };
    rules.flat_map(timeouts).flatten().min()
}
