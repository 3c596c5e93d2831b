//! Plays one history: world, engine and model, turn by turn.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hfm::engine::{Engine, Event, Output};
use hfm::now::Now;
use hfm::rule::Rule;

use crate::check::check_first_dues;
use crate::draw;
use crate::effects::id;
use crate::model::{MS, Model, ns_of};
use crate::operator::{Act, Operator};
use crate::random::Random;
use crate::sabotage::{Saboteur, Tampered};
use crate::tables::{self, Tables};
use crate::world::World;

const TURNS_MAX: u64 = 1000;
const TIME_MAX: u64 = 900_000 * MS;

/// What a history was, when all of it was right.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Played {
    pub(crate) turns: u64,
    pub(crate) runs: u64,
    pub(crate) simulated: Duration,
}

/// The first thing that was wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) turn: u64,
    pub(crate) what: String,
}

/// Every instant of all histories is this one plus a duration.
pub(crate) fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

/// Plays the history of a seed; `trace` takes down every step.
pub(crate) fn play(
    seed: u64,
    base: Instant,
    saboteur: Option<Saboteur>,
    trace: Option<&mut String>,
) -> Result<Played, Wrong> {
    let mut random = Random::new(seed);
    let (mut rules, scale) = draw::configuration(&mut random);
    let tables = tables::draw(seed, &mut rules);
    tables::draw_shares(seed, &mut rules);
    let mut tables = Tables::new(tables, &rules, base, saboteur);
    let operator = Operator::new(seed, rules.len(), ns_of(scale));
    let world = World::new(&rules, scale, base, random);
    let tampered = Tampered::new(saboteur, &rules, base);
    let engine = Engine::new(Arc::from(tampered.rules(&rules)), now(base, 0));
    let dues = (0..rules.len()).map(|rule| engine.view(id(rule)).next_due.map_or(0, |due| ns_of(due - base)));
    let dues: Vec<u64> = dues.collect();
    let model = Model::new(&rules, base, &dues);
    tables.follow(&model, base);
    let mut game = Game {
        base,
        rules,
        world,
        tampered,
        engine,
        model,
        tables,
        now: 0,
        turn: 1,
        begins: Random::new(seed ^ 0x6265_6769_6e73),
        looked: false,
        turn_since: 0,
        pending: None,
        operator,
        trace,
    };
    game.play(&dues).map_err(|what| {
        let at = Duration::from_nanos(game.now);
        Wrong { turn: game.turn, what: format!("{what}\n  at {at:?}") }
    })
}

struct Game<'a> {
    base: Instant,
    rules: Vec<Rule>,
    world: World,
    tampered: Tampered,
    engine: Engine,
    model: Model,
    tables: Tables,
    operator: Operator,
    now: u64,
    turn: u64,
    turn_since: u64,
    /// How often runs begin before an event that has arrived is looked at.
    begins: Random,
    /// What can be seen of the rules was judged in this turn; again only when something was put out.
    looked: bool,
    /// The time that this turn takes, and the point of it at which that passes.
    pending: Option<(u64, u64)>,
    trace: Option<&'a mut String>,
}

impl Game<'_> {
    fn play(&mut self, first_dues: &[u64]) -> Result<Played, String> {
        for index in 0..self.rules.len() {
            let rule = self.rules[index].clone();
            self.note(format_args!("{:?}: {rule:?}", id(index)));
        }
        check_first_dues(&self.rules, first_dues)?;
        for act in self.operator.first() {
            self.operate(act);
        }
        // What the load brings is looked at before time moves.
        let outputs = self.outputs()?;
        self.carry_out(&outputs);
        while self.turn < TURNS_MAX && self.now < TIME_MAX {
            let deadline = self.wake();
            let Some(next) = self.wait(deadline) else { break };
            self.now = next;
            self.turn += 1;
            self.turn(deadline)?;
        }
        let counters = self.tampered.counters(self.engine.counters());
        self.model.check_totals(&self.engine, counters)?;
        let simulated = Duration::from_nanos(self.now);
        Ok(Played { turns: self.turn, runs: self.model.totals.runs, simulated })
    }

    /// When something comes next, late at times; `None` when nothing will come any more.
    fn wait(&mut self, deadline: Option<u64>) -> Option<u64> {
        let next = deadline.into_iter().chain(self.world.next()).chain(self.tampered.wakes_at()).min()?;
        let late =
            if next > self.now && deadline == Some(next) { self.world.stall() } else { Duration::ZERO };
        Some(self.now.max(next) + ns_of(late))
    }

    /// One turn of the loop, as the reactor makes it: what arrived, what is due, what follows from it.
    /// Time passes at one point of it, at times for longer than it should.
    fn turn(&mut self, deadline: Option<u64>) -> Result<(), String> {
        if let Some(deadline) = deadline.filter(|deadline| *deadline < self.now) {
            self.woke_late(deadline);
        }
        self.turn_begins();
        self.looked = false;
        self.pending = Some((self.world.below(4), ns_of(self.world.stall())));
        self.pass_time(0);
        for event in self.world.arrivals_by(self.now) {
            if self.begins.once_in(2) {
                self.begin_due()?;
            }
            self.deliver(&event);
        }
        self.pass_time(1);
        for act in self.operator.acts(self.now) {
            self.operate(act);
        }
        let mut calls = self.calls();
        let mut expired = false;
        loop {
            if calls > 0 {
                self.handle_timeout(expired);
            }
            let outputs = self.outputs()?;
            self.pass_time(2);
            // A probe that has ended at its deadline leaves its place to the next in the same turn.
            expired = self.carry_out(&outputs);
            calls = calls.saturating_sub(1).max(u64::from(expired));
            if calls == 0 {
                break;
            }
        }
        let outputs = self.outputs()?;
        self.carry_out(&outputs);
        self.model.check_wake(self.wake(), self.now)?;
        self.pass_time(3);
        self.turn_ends();
        Ok(())
    }

    /// How often the engine is asked to do what is due: now and then once too often or, when nothing is
    /// due, not at all.
    fn calls(&mut self) -> u64 {
        let due = self.wake().is_some_and(|due| due <= self.now);
        match self.world.below(40) {
            0 if !due => 0,
            1 => 2,
            _ => 1,
        }
    }

    /// What is due begins before what has arrived is looked at.
    fn begin_due(&mut self) -> Result<(), String> {
        let now = now(self.base, self.now);
        if self.tampered.judges_before_events() {
            self.engine.handle_timeout(now);
        } else if !self.tampered.begins_after_events() {
            self.engine.begin_due(now);
        }
        self.model.begin(now.mono);
        self.tables.follow(&self.model, now.mono);
        self.looked = false;
        let outputs = self.outputs()?;
        self.carry_out(&outputs);
        Ok(())
    }

    fn handle_timeout(&mut self, again: bool) {
        let now = now(self.base, self.now);
        if !(again && self.tampered.skips_second_pass()) {
            self.engine.handle_timeout(now);
        }
        self.model.timeout(now.mono);
        self.tables.follow(&self.model, now.mono);
    }

    fn operate(&mut self, act: Act) {
        self.note(format_args!("{act:?}"));
        let at = now(self.base, self.now);
        match act {
            Act::Set(rule, kind, until) => self.model.set(rule, Some((kind, until)), self.now),
            Act::Enable(rule) => self.model.set(rule, None, self.now),
            Act::Ask(rule) => self.model.ask(rule, self.now),
        }
        self.model.look_at_questions(act.rule(), self.now);
        self.tables.follow(&self.model, at.mono);
        self.tampered.operate(&mut self.engine, act, at);
    }

    fn deliver(&mut self, event: &Event) {
        self.note(format_args!("{event:?}"));
        let now = now(self.base, self.now);
        self.model.event(event, now.mono);
        self.tables.follow(&self.model, now.mono);
        self.world.delivered(event);
        for event in self.tampered.event(event) {
            self.engine.handle_event(event, now);
        }
    }

    /// Takes all outputs, and has them and everything that can be seen judged.
    fn outputs(&mut self) -> Result<Vec<Output>, String> {
        let mut outputs: Vec<Output> = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            outputs.extend(self.tampered.output(output, self.now));
        }
        outputs.extend(self.tampered.late_outputs(self.now));
        for output in &outputs {
            self.note(format_args!("    {output:?}"));
        }
        self.tables.hear(&outputs);
        self.tables.check(self.now)?;
        outputs.retain(|output| !matches!(output, Output::Standing { .. }));
        self.model.check_outputs(&outputs)?;
        if !outputs.is_empty() || !std::mem::replace(&mut self.looked, true) {
            for rule in 0..self.rules.len() {
                self.model.check_view(rule, &self.tampered.view(self.engine.view(id(rule))))?;
            }
        }
        Ok(outputs)
    }

    /// Carries the outputs out; whether a probe was ended by its deadline.
    fn carry_out(&mut self, outputs: &[Output]) -> bool {
        let mut expired = false;
        for output in outputs {
            let events = match output {
                Output::StartTest { run } => self.world.start(*run, self.now),
                Output::Signal { run, signal } => {
                    self.world.signal(*run, *signal, self.now);
                    Vec::new()
                }
                Output::Expire { run } => {
                    expired = true;
                    self.world.expire(*run, self.now).into_iter().collect()
                }
                Output::Abandon { run } => {
                    self.world.abandon(*run, self.now);
                    Vec::new()
                }
                Output::Change(_)
                | Output::Standing { .. }
                | Output::OverrideEnded { .. }
                | Output::Answer(_)
                | Output::Notice(_) => continue,
            };
            for event in events {
                self.deliver(&event);
            }
            self.now += self.world.dawdle();
        }
        expired
    }

    /// Lets the time of this turn pass, if this is the point for it.
    fn pass_time(&mut self, point: u64) {
        if let Some((_, took)) = self.pending.take_if(|(at, took)| *at == point && *took > 0) {
            self.note(format_args!("turn takes {:?}", Duration::from_nanos(took)));
            self.now += took;
        }
    }

    fn woke_late(&mut self, due: u64) {
        let late = Duration::from_nanos(self.now - due);
        self.note(format_args!("woke late by {late:?}"));
        let (due, at) = (now(self.base, due).mono, now(self.base, self.now).mono);
        self.model.woke_late(due, at);
        if self.tampered.notes_stalls() {
            self.engine.note_stall(due, late);
        }
    }

    fn turn_begins(&mut self) {
        self.model.stalls.turn_begins(self.now);
        self.turn_since = self.now;
        if self.tampered.tells_that_a_turn_begins() {
            self.engine.turn_begins(now(self.base, self.now).mono);
        }
    }

    fn turn_ends(&mut self) {
        self.model.stalls.turn_ends(self.now);
        if self.tampered.tells_only_of_whole_turns() {
            self.engine.turn_begins(now(self.base, self.turn_since).mono);
        }
        self.engine.turn_ends(now(self.base, self.now).mono);
    }

    fn wake(&self) -> Option<u64> {
        self.engine.poll_timeout().map(|wake| ns_of(wake - self.base))
    }

    fn note(&mut self, line: std::fmt::Arguments<'_>) {
        if let Some(trace) = &mut self.trace {
            let at = Duration::from_nanos(self.now);
            writeln!(trace, "{} {at:?} {line}", self.turn).expect("a string takes everything");
        }
    }
}

fn now(base: Instant, ns: u64) -> Now {
    let since = Duration::from_nanos(ns);
    Now { mono: base + since, wall: SystemTime::UNIX_EPOCH + since }
}
