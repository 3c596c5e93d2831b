//! The native probes under way: which connection belongs to which run, and what the poll's events mean.
//!
//! One lane for each run under way or connection kept, and one of either for each rule at a time. Whatever ends a run
//! comes out as an event for the engine.

mod lane;
mod names;
mod sockets;
mod spare;
mod trouble;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event as PollEvent;
use mio::{Events, Registry, Waker};

use crate::engine::Event;
use crate::now::Now;
use crate::probe::{Plan, Plans, WallClock};
use crate::resolver::Resolver;
use crate::rule::{Fate, Peer, RuleId, RunId};
use crate::succession::choose_plan;
use crate::verdict::{LocalCause, Verdict};
use lane::{Destination, Lane, Outcome, Readiness, Surroundings};
use names::{Known, Names};
use sockets::Sockets;
use spare::Spare;

/// What is read at a time.
const SCRATCH_BYTES: usize = 16 * 1024;
/// A local socket whose queue is full is tried again after this.
const FULL_RETRY: Duration = Duration::from_millis(5);

/// All native probes.
#[derive(Debug)]
pub struct Probes {
    plans: Vec<Option<Plan>>,
    /// Those of all plans there are: each reload brings one.
    clocks: Vec<Arc<WallClock>>,
    /// By rule: there while its run is under way, or its connection is kept.
    lanes: Vec<Option<Box<Lane>>>,
    spare: Spare,
    names: Names,
    resolver: Option<Resolver>,
    wake: Arc<Waker>,
    sockets: Sockets,
    scratch: Box<[u8]>,
    /// Connections with more to read.
    more: VecDeque<RuleId>,
    /// Runs that have begun and not ended.
    under_way: usize,
    /// Runs that wait for room in the queue of a local socket, the earliest first.
    full: VecDeque<(Instant, RunId)>,
}

impl Probes {
    /// Takes on the plans, for so many connections at a time at most. `wake` is woken when a name has been looked up.
    ///
    /// # Errors
    /// When no threads or descriptors can be had.
    pub fn new(
        plans: Plans,
        connections_max: usize,
        registry: Registry,
        wake: &Arc<Waker>,
        now: Now,
    ) -> io::Result<Self> {
        let Plans { plans, clock } = plans;
        clock.set(now.wall);
        let mut names = Names::new(&plans);
        let resolver = if names.is_empty() { None } else { Some(Resolver::start(wake)?) };
        if let Some(resolver) = &resolver {
            names.ask_new(resolver);
        }
        let sockets = Sockets::new(registry, plans.len(), connections_max);
        Ok(Self {
            lanes: plans.iter().map(|_| None).collect(),
            spare: Spare::default(),
            plans,
            clocks: vec![clock],
            names,
            resolver,
            wake: wake.clone(),
            sockets,
            scratch: vec![0; SCRATCH_BYTES].into(),
            more: VecDeque::new(),
            under_way: 0,
            full: VecDeque::new(),
        })
    }

    /// A turn of the loop begins at `now`.
    pub fn turn_begins(&mut self, now: Now) {
        self.clocks.iter().for_each(|clock| clock.set(now.wall));
    }

    /// Takes on other plans, by slot, and so many connections at a time. Those of rules that are kept or adjusted go on,
    /// with their connections and runs under way; all others begin anew. Gives back plans that are not needed any more.
    /// `has_names`: whether any of them [names its target](Self::look_up).
    ///
    /// # Errors
    /// When names have to be looked up for the first time and no threads can be had; nothing has changed then.
    pub fn reload(
        &mut self,
        next: Plans,
        fates: &[Fate],
        connections_max: usize,
        has_names: bool,
        now: Now,
    ) -> io::Result<Vec<Option<Plan>>> {
        let Plans { mut plans, clock } = next;
        if self.resolver.is_none() && has_names {
            self.resolver = Some(Resolver::start(&self.wake)?);
        }
        clock.set(now.wall);
        self.clocks.push(clock);
        self.plans.resize_with(fates.len(), || None);
        self.lanes.resize_with(fates.len(), || None);
        self.sockets.allow(fates.len(), connections_max);
        for ((((plan, fate), own), lane), rule) in
            plans.iter_mut().zip(fates).zip(&mut self.plans).zip(&mut self.lanes).zip((0..).map(RuleId))
        {
            let begins_anew = !matches!(fate, Fate::Kept | Fate::Adjusted);
            choose_plan(*fate, own, plan);
            if begins_anew {
                self.under_way -= usize::from(lane.as_ref().is_some_and(|lane| lane.run.is_some()));
                lane.iter_mut().for_each(|lane| lane.end_connection(&mut self.sockets));
                *lane = None;
                self.sockets.forget(rule);
            }
        }
        self.sockets.close_returned();
        // A clock that only this list has moves nobody's judgement any more.
        self.clocks.retain(|clock| Arc::strong_count(clock) > 1);
        if let Some(resolver) = &self.resolver {
            self.names.reload(&self.plans);
            self.names.ask_new(resolver);
        }
        Ok(plans)
    }

    /// Whether any of these plans has a name for a target, which is to be looked up.
    pub fn look_up(plans: &Plans) -> bool {
        Names::any(&plans.plans)
    }

    /// Starts a run. Gives its end where that is certain at once.
    pub fn start(&mut self, run: RunId, now: Now) -> Option<Event> {
        let plan = self.plans[run.rule.index()].as_ref()?;
        let lane = self.lanes[run.rule.index()].get_or_insert_with(|| self.spare.take(plan, now.mono));
        lane.run = Some(run.run);
        self.under_way += 1;
        let to = match destination(plan, &mut self.names, run.rule) {
            Ok(to) => to,
            Err(Known::Nothing(why)) => {
                lane.conversation.begin(false, now.mono);
                return self.conclude(run, Verdict::Inconclusive(LocalCause::Unresolved(why)), now);
            }
            Err(Known::Asking | Known::Address(_)) => {
                lane.conversation.begin(false, now.mono);
                self.names.wait(run);
                return None;
            }
        };
        let mut around =
            Surroundings { sockets: &mut self.sockets, rule: run.rule, scratch: &mut self.scratch };
        let outcome = lane.begin(plan, &to, &mut around, now);
        self.follow(run, outcome, now)
    }

    /// The deadline of a run has come: what has arrived is looked at once more, then the run ends.
    pub fn expire(&mut self, run: RunId, now: Now) -> Option<Event> {
        if !self.is_current(run) {
            return None;
        }
        if let Some(event) = self.drive(run.rule, Readiness::UNKNOWN, now) {
            return Some(event);
        }
        let (Some(plan), Some(lane)) = (&self.plans[run.rule.index()], &mut self.lanes[run.rule.index()])
        else {
            return None;
        };
        let verdict = lane.conversation.expired(plan).unwrap_or_else(|| {
            let name = self.names.give_up(run).unwrap_or_default();
            let text = format!("{name} is still being looked up: the resolver does not answer");
            Verdict::Inconclusive(LocalCause::Unresolved(text.into()))
        });
        self.conclude(run, verdict, now)
    }

    /// A run is given up, if it is under way here: its connection ends, and nothing more is told of it.
    pub fn abandon(&mut self, run: RunId) {
        if !self.is_current(run) {
            return;
        }
        self.under_way -= 1;
        self.names.give_up(run);
        if let Some(mut lane) = self.lanes[run.rule.index()].take() {
            lane.end_connection(&mut self.sockets);
        }
    }

    /// Runs are to start before these events of the poll have been looked at.
    pub fn batch_begins(&mut self, events: &Events) {
        events.iter().for_each(|event| self.sockets.is_spoken_of(event.token()));
    }

    /// The poll says something of a connection.
    pub fn on_event(&mut self, event: &PollEvent, now: Now) -> Option<Event> {
        let rule = self.sockets.owner(event.token())?;
        let is_closed = event.is_read_closed() || event.is_write_closed();
        let ready = Readiness {
            readable: event.is_readable() || event.is_error(),
            writable: event.is_writable() || event.is_error(),
            read_closed: event.is_read_closed() || event.is_error(),
            is_open: event.is_writable() && !event.is_error() && !is_closed,
        };
        self.drive(rule, ready, now)
    }

    /// Whether any run is under way.
    pub fn any_under_way(&self) -> bool {
        self.under_way > 0
    }

    /// Whether [`go_on`](Self::go_on) has something to do at once.
    pub fn has_more(&self) -> bool {
        !self.more.is_empty()
    }

    /// When [`go_on`](Self::go_on) wants to be called.
    pub fn wakes_at(&self) -> Option<Instant> {
        let full = self.full.front().map(|(at, _)| *at);
        [full, self.names.wakes_at()].into_iter().flatten().min()
    }

    /// Goes on with what the last turns left, takes in answers about names, and asks for what is due.
    pub fn go_on(&mut self, now: Now, ended: &mut Vec<Event>) {
        self.sockets.batch_is_over();
        for _ in 0..self.more.len() {
            let Some(rule) = self.more.pop_front() else { break };
            if let Some(lane) = &mut self.lanes[rule.index()] {
                lane.is_queued = false;
            }
            ended.extend(self.drive(rule, Readiness::UNKNOWN, now));
        }
        while let Some((at, run)) = self.full.front().copied()
            && at <= now.mono
        {
            self.full.pop_front();
            ended.extend(self.connect(run, now));
        }
        let Some(resolver) = &self.resolver else { return };
        let mut found = Vec::new();
        while let Some(answer) = resolver.poll_answer() {
            found.extend(self.names.answered(answer, now.mono));
        }
        self.names.ask_due(resolver, now.mono);
        for run in found {
            ended.extend(self.resolved(run, now));
        }
    }

    /// Ends all connections.
    pub fn stop(&mut self) {
        self.lanes.iter_mut().flatten().for_each(|lane| lane.end_connection(&mut self.sockets));
        self.lanes.iter_mut().for_each(|lane| *lane = None);
        self.more.clear();
        self.full.clear();
    }

    fn is_current(&self, run: RunId) -> bool {
        let lane = self.lanes.get(run.rule.index()).and_then(Option::as_ref);
        lane.is_some_and(|lane| lane.run == Some(run.run))
    }

    /// A name has been answered, one way or the other.
    fn resolved(&mut self, run: RunId, now: Now) -> Option<Event> {
        if !self.is_current(run) {
            return None;
        }
        if let Known::Nothing(why) = self.names.look_up(run.rule) {
            return self.conclude(run, Verdict::Inconclusive(LocalCause::Unresolved(why)), now);
        }
        if let Some(lane) = &mut self.lanes[run.rule.index()] {
            lane.conversation.resolved(now.mono);
        }
        self.connect(run, now)
    }

    /// Makes a connection for a run that is under way.
    fn connect(&mut self, run: RunId, now: Now) -> Option<Event> {
        if !self.is_current(run) {
            return None;
        }
        let (Some(plan), Some(lane)) = (&self.plans[run.rule.index()], &mut self.lanes[run.rule.index()])
        else {
            return None;
        };
        let to = destination(plan, &mut self.names, run.rule).ok()?;
        let mut around =
            Surroundings { sockets: &mut self.sockets, rule: run.rule, scratch: &mut self.scratch };
        let outcome = lane.connect(plan, &to, &mut around, now);
        self.follow(run, outcome, now)
    }

    fn drive(&mut self, rule: RuleId, ready: Readiness, now: Now) -> Option<Event> {
        let (Some(Some(plan)), Some(Some(lane))) =
            (self.plans.get(rule.index()), self.lanes.get_mut(rule.index()))
        else {
            return None;
        };
        if !lane.has_connection() {
            return None;
        }
        let to = destination(plan, &mut self.names, rule).ok()?;
        let run = RunId { rule, run: lane.run.unwrap_or_default() };
        let mut around = Surroundings { sockets: &mut self.sockets, rule, scratch: &mut self.scratch };
        let outcome = lane.drive(plan, ready, &to, &mut around, now);
        let ended = self.follow(run, outcome, now);
        self.release_if_idle(rule);
        ended
    }

    fn follow(&mut self, run: RunId, outcome: Outcome, now: Now) -> Option<Event> {
        match outcome {
            Outcome::Waits => None,
            Outcome::HasMore => {
                self.queue(run.rule);
                None
            }
            Outcome::Full => {
                if let Some(at) = now.mono.checked_add(FULL_RETRY) {
                    self.full.push_back((at, run));
                }
                None
            }
            Outcome::Done(verdict) => self.conclude(run, verdict, now),
        }
    }

    /// Puts a connection in the line of those with more to read, once.
    fn queue(&mut self, rule: RuleId) {
        if let Some(lane) = &mut self.lanes[rule.index()]
            && !std::mem::replace(&mut lane.is_queued, true)
        {
            self.more.push_back(rule);
        }
    }

    fn conclude(&mut self, run: RunId, verdict: Verdict, now: Now) -> Option<Event> {
        let (Some(plan), Some(lane)) = (&self.plans[run.rule.index()], &mut self.lanes[run.rule.index()])
        else {
            return None;
        };
        self.under_way -= 1;
        let measured = lane.conversation.measured();
        lane.end(plan, &verdict, &mut self.sockets);
        if lane.has_unread() {
            self.queue(run.rule);
        }
        self.release_if_idle(run.rule);
        Some(Event::Concluded { run, at: now.mono, verdict, measured })
    }

    /// Takes the lane of a rule that has neither a run nor a connection.
    fn release_if_idle(&mut self, rule: RuleId) {
        if let Some(lane) = self.lanes[rule.index()].take_if(|lane| lane.is_idle()) {
            self.spare.give_back(lane);
        }
    }
}

/// Where a rule connects to now, or what is missing.
fn destination<'a>(plan: &'a Plan, names: &mut Names, rule: RuleId) -> Result<Destination<'a>, Known> {
    match &plan.peer {
        Peer::Address(address, port) => Ok(Destination::Inet((*address, *port).into())),
        Peer::Local(path) => Ok(Destination::Local(path)),
        Peer::Name(..) => match names.look_up(rule) {
            Known::Address(address) => Ok(Destination::Inet(address)),
            missing @ (Known::Asking | Known::Nothing(_)) => Err(missing),
        },
    }
}
