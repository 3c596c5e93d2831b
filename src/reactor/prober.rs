//! The engine and its probes together: what a loop has to do with them in each turn, in the right order.
//!
//! The daemon's loop and that of `hfm probe` both turn this.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event as PollEvent;
use mio::{Events, Registry, Waker};

use super::now;
use super::probes::Probes;
use crate::engine::{Engine, Event, Output};
use crate::histogram::Histogram;
use crate::now::Now;
use crate::probe::{Plan, Plans};
use crate::rule::{Fate, Rule, RunId};

/// Events of the poll in one turn at most, so that timers come in between.
pub(crate) const EVENTS_PER_TURN: usize = 512;
/// How often what has become due because of what was just done is looked at in one turn, once events were. A probe's
/// deadline that is also its rule's next due takes two: the verdict, then the next run.
const PASSES_PER_TURN: usize = 2;
/// While runs are under way the loop turns at least this often, so that a pause of this process shows even
/// when nothing was due in it. (A run with a shorter timeout is looked at sooner by that.)
const HEARTBEAT: Duration = Duration::from_millis(100);

/// An engine, and the probes that it starts.
#[derive(Debug)]
pub(crate) struct Prober {
    pub(crate) engine: Engine,
    probes: Probes,
    /// What the wait before this turn was for.
    deadline: Option<Instant>,
    turn_from: Option<Instant>,
    /// How long turns took.
    turns: Histogram,
    /// Runs that a pass of the probes ended; kept so that a turn allocates nothing.
    ended: Vec<Event>,
    /// The probes were told what the events of this turn are of.
    knows_batch: bool,
}

impl Prober {
    /// Takes on rules and their plans, for so many connections at a time at most. `wake` is woken when a name has been looked up.
    pub(crate) fn new(
        rules: Arc<[Rule]>,
        plans: Plans,
        connections_max: usize,
        registry: Registry,
        wake: &Arc<Waker>,
        now: Now,
    ) -> io::Result<Self> {
        let probes = Probes::new(plans, connections_max, registry, wake, now)?;
        Ok(Self {
            engine: Engine::new(rules, now),
            probes,
            deadline: None,
            turn_from: None,
            turns: Histogram::default(),
            ended: Vec::new(),
            knows_batch: false,
        })
    }

    /// Until when to wait for events at most; remembered, so that waking later than that counts as a stall. What has
    /// been due for long is none: it waits for its turn while what comes is looked at.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let heartbeat = self.probes.any_under_way().then(|| now.checked_add(HEARTBEAT)).flatten();
        let wanted = [self.engine.poll_timeout(), self.probes.wakes_at(), heartbeat];
        let deadline = wanted.into_iter().flatten().min();
        self.deadline = deadline.map(|deadline| deadline.max(now));
        deadline
    }

    /// Whether there is work to go on with at once.
    pub(crate) fn has_more(&self) -> bool {
        self.probes.has_more()
    }

    /// A turn begins.
    pub(crate) fn turn_begins(&mut self, start: Now) {
        if let Some(deadline) = self.deadline.take() {
            self.engine.note_stall(deadline, start.mono.saturating_duration_since(deadline));
        }
        self.turn_from = Some(start.mono);
        self.knows_batch = false;
        self.engine.turn_begins(start.mono);
        self.probes.turn_begins(start);
    }

    /// Begins what is due at `at`, before the next of these events is looked at: what targets see of a run is when it
    /// begins, and its answer may wait. Says whether there are outputs to carry out.
    pub(crate) fn begin_due(&mut self, events: &Events, at: Now) -> bool {
        if !self.engine.begins(at.mono) {
            return false;
        }
        if !std::mem::replace(&mut self.knows_batch, true) {
            self.probes.batch_begins(events);
        }
        self.engine.begin_due(at);
        true
    }

    /// The poll says something of a probe's connection.
    pub(crate) fn on_event(&mut self, event: &PollEvent, at: Now) {
        let ended = self.probes.on_event(event, at);
        self.hand_on(ended);
    }

    /// What has arrived has been looked at: goes on with what is left, then does what is due. `carry_out` is
    /// to poll and carry out the outputs.
    pub(crate) fn go_on(&mut self) {
        let mut ended = std::mem::take(&mut self.ended);
        self.probes.go_on(now(), &mut ended);
        ended.drain(..).for_each(|event| self.hand_on(Some(event)));
        self.ended = ended;
    }

    /// How many passes a turn makes at most.
    pub(crate) fn passes() -> impl Iterator<Item = usize> {
        0..PASSES_PER_TURN
    }

    /// Does what is due. Poll the outputs after it; says whether those may bring more that is due now.
    pub(crate) fn handle_timeout(&mut self) -> Now {
        let at = now();
        self.engine.handle_timeout(at);
        at
    }

    /// Whether something is due that was not when `handle_timeout` was called at `at`.
    pub(crate) fn is_due_again(&self, at: Now) -> bool {
        self.engine.poll_timeout().is_some_and(|next| next <= at.mono)
    }

    /// The next thing to carry out. Deadlines of probes are carried out here, and what is given up of them.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        loop {
            match self.engine.poll_output()? {
                Output::Expire { run } => {
                    let ended = self.probes.expire(run, now());
                    self.hand_on(ended);
                }
                output @ Output::Abandon { run } => {
                    self.probes.abandon(run);
                    return Some(output);
                }
                output @ (Output::StartTest { .. }
                | Output::Signal { .. }
                | Output::Change(_)
                | Output::Standing { .. }
                | Output::OverrideEnded { .. }
                | Output::Answer(_)
                | Output::Notice(_)) => return Some(output),
            }
        }
    }

    /// Starts the run of a native probe.
    pub(crate) fn start(&mut self, run: RunId) {
        let at = now();
        self.engine.handle_event(Event::Started { run, at: at.mono }, at);
        let mut ended = self.probes.start(run, at);
        if let Some(Event::Concluded { at, .. }) = &mut ended {
            // Certain at once, and even that took its time.
            *at = now().mono;
        }
        self.hand_on(ended);
    }

    /// Takes on another configuration, fitted into the slots of the present one. Poll the outputs before and
    /// after it. Gives back what is not needed any more, for somebody with more time to drop. `has_names`: whether any plan
    /// [names its target](Probes::look_up).
    ///
    /// # Errors
    /// When names have to be looked up for the first time and no threads can be had; nothing has changed then.
    pub(crate) fn reload(
        &mut self,
        rules: Arc<[Rule]>,
        plans: Plans,
        fates: &[Fate],
        connections_max: usize,
        has_names: bool,
        now: Now,
    ) -> io::Result<Vec<Option<Plan>>> {
        let retired = self.probes.reload(plans, fates, connections_max, has_names, now)?;
        self.engine.reload(rules, fates, now);
        Ok(retired)
    }

    /// The turn has ended.
    pub(crate) fn turn_ends(&mut self, end: Now) {
        if let Some(from) = self.turn_from.take() {
            self.turns.record(end.mono.saturating_duration_since(from));
        }
        self.engine.turn_ends(end.mono);
    }

    /// How long turns took.
    pub(crate) fn turns(&self) -> &Histogram {
        &self.turns
    }

    /// Starts nothing any more.
    pub(crate) fn stop(&mut self) {
        self.engine.stop();
        self.probes.stop();
    }

    fn hand_on(&mut self, ended: Option<Event>) {
        if let Some(ended) = ended {
            self.engine.handle_event(ended, now());
        }
    }
}

#[cfg(test)]
mod tests;
