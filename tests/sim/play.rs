//! Plays one history: world, engine and model, turn by turn.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hfm::engine::{Engine, Output};
use hfm::now::Now;
use hfm::rule::Rule;

use crate::check::check_first_dues;
use crate::draw;
use crate::effects::id;
use crate::model::{MS, Model, ns_of};
use crate::random::Random;
use crate::sabotage::{Saboteur, Tampered};
use crate::world::World;

const TURNS_MAX: u64 = 1200;
const TIME_MAX: u64 = 900_000 * MS;
/// Shorter stalls are not worth a note.
const STALL_NOTED: Duration = Duration::from_micros(100);

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
    let (rules, scale) = draw::configuration(&mut random);
    let world = World::new(&rules, scale, base, random);
    let tampered = Tampered::new(saboteur, &rules, base);
    let engine = Engine::new(Arc::from(tampered.rules(&rules)), now(base, 0));
    let dues = (0..rules.len()).map(|rule| engine.view(id(rule)).next_due.map_or(0, |due| ns_of(due - base)));
    let dues: Vec<u64> = dues.collect();
    let model = Model::new(&rules, base, &dues);
    let mut game = Game { base, rules, world, tampered, engine, model, now: 0, turn: 1, trace };
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
    now: u64,
    turn: u64,
    trace: Option<&'a mut String>,
}

impl Game<'_> {
    fn play(&mut self, first_dues: &[u64]) -> Result<Played, String> {
        for index in 0..self.rules.len() {
            let rule = self.rules[index].clone();
            self.note(format_args!("{:?}: {rule:?}", id(index)));
        }
        check_first_dues(&self.rules, first_dues)?;
        // What the load brings is looked at before time moves.
        let outputs = self.outputs()?;
        let mut next = self.end_turn(&outputs);
        while self.turn < TURNS_MAX && self.now < TIME_MAX && next.is_some() {
            self.turn += 1;
            self.feed();
            let outputs = self.outputs()?;
            let wake = self.engine.poll_timeout().map(|wake| ns_of(wake - self.base));
            self.model.check_wake(wake, self.now)?;
            next = self.end_turn(&outputs);
        }
        let counters = self.tampered.counters(self.engine.counters());
        self.model.check_totals(&self.engine, counters)?;
        let simulated = Duration::from_nanos(self.now);
        Ok(Played { turns: self.turn, runs: self.model.totals.runs, simulated })
    }

    /// Events first, then what is due; now and then a call too many or, when nothing is due, none.
    fn feed(&mut self) {
        let now = now(self.base, self.now);
        self.world.pass(self.now);
        for event in self.world.take_arrived(self.now) {
            self.note(format_args!("{event:?}"));
            self.model.event(&event, now.mono);
            self.world.delivered(&event);
            for event in self.tampered.event(event) {
                self.engine.handle_event(event, now);
            }
        }
        let due = self.engine.poll_timeout().is_some_and(|due| due <= now.mono);
        let calls = match self.world.below(40) {
            0 if !due => 0,
            1 => 2,
            _ => 1,
        };
        for _ in 0..calls {
            self.engine.handle_timeout(now);
            self.model.timeout(now.mono);
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
        self.model.check_outputs(&outputs, self.now)?;
        for rule in 0..self.rules.len() {
            self.model.check_view(rule, &self.tampered.view(self.engine.view(id(rule))))?;
        }
        Ok(outputs)
    }

    /// Carries the outputs out and sleeps until something comes, both for longer than they should take at
    /// times. `None` when nothing will come any more.
    fn end_turn(&mut self, outputs: &[Output]) -> Option<()> {
        let took = self.world.stall();
        for output in outputs {
            let then = self.now + self.world.below(ns_of(took).min(MS) + 1);
            match output {
                Output::StartTest { run } => self.world.start(*run, then),
                Output::Signal { run, signal } => self.world.signal(*run, *signal, then),
                Output::Expire { .. } | Output::Change(_) | Output::Notice(_) => {}
            }
        }
        self.stalled("turn took", took);
        let wake = self.engine.poll_timeout().map(|wake| ns_of(wake - self.base));
        let next = wake.into_iter().chain(self.world.next()).chain(self.tampered.wakes_at()).min()?;
        self.now += ns_of(took);
        if next > self.now {
            self.now = next;
            if wake == Some(next) {
                let late = self.world.stall();
                self.stalled("woke late by", late);
                self.now += ns_of(late);
            }
        }
        Some(())
    }

    /// Notes a stall that begins now, as the reactor would.
    fn stalled(&mut self, what: &str, took: Duration) {
        if took < STALL_NOTED {
            return;
        }
        self.note(format_args!("{what} {took:?}"));
        let from = now(self.base, self.now).mono;
        self.model.stall(from, took);
        if self.tampered.notes_stalls() {
            self.engine.note_stall(from, took);
        }
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
