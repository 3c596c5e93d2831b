//! Plays one history: world, engine and model, turn by turn.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hfm::engine::{Engine, Output};
use hfm::now::Now;

use crate::check::check_first_dues;
use crate::draw;
use crate::effects::id;
use crate::model::{MS, Model, ns_of};
use crate::random::Random;
use crate::sabotage::{Saboteur, Tampered};
use crate::world::World;

const TURNS_MAX: u64 = 1200;
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
    mut trace: Option<&mut String>,
) -> Result<Played, Wrong> {
    let mut random = Random::new(seed);
    let (rules, scale) = draw::configuration(&mut random);
    let mut world = World::new(&rules, scale, base, random);
    let mut note = |line: &dyn Fn() -> String| {
        if let Some(trace) = trace.as_deref_mut() {
            writeln!(trace, "{}", line()).expect("a string takes everything");
        }
    };
    for (index, rule) in rules.iter().enumerate() {
        note(&|| format!("{:?}: {rule:?}", id(index)));
    }
    let at = |ns: u64| Now {
        mono: base + Duration::from_nanos(ns),
        wall: SystemTime::UNIX_EPOCH + Duration::from_nanos(ns),
    };
    let mut tampered = Tampered::new(saboteur, &rules, base);
    let engine = Engine::new(Arc::from(tampered.rules(&rules)), at(0));
    let mut engine = engine;
    let dues = (0..rules.len()).map(|rule| engine.view(id(rule)).next_due.map_or(0, |due| ns_of(due - base)));
    let dues: Vec<u64> = dues.collect();
    check_first_dues(&rules, &dues).map_err(|what| Wrong { turn: 0, what })?;
    let mut model = Model::new(&rules, base, &dues);
    let mut now = 0;
    let mut turn = 0;
    while turn < TURNS_MAX && now < TIME_MAX {
        turn += 1;
        let wrong =
            |what: String| Wrong { turn, what: format!("{what}\n  at {:?}", Duration::from_nanos(now)) };
        world.pass(now);
        if turn > 1 {
            for event in world.take_arrived(now) {
                note(&|| format!("{turn} {:?} {event:?}", Duration::from_nanos(now)));
                model.event(event, at(now).mono);
                world.delivered(event);
                for event in tampered.event(event) {
                    engine.handle_event(event, at(now));
                }
            }
            if !world.once_in(40) || engine.poll_timeout().is_some_and(|due| due <= at(now).mono) {
                engine.handle_timeout(at(now));
                model.timeout(at(now).mono);
            }
            if world.once_in(40) {
                engine.handle_timeout(at(now));
                model.timeout(at(now).mono);
            }
        }
        let mut outputs: Vec<Output> = Vec::new();
        while let Some(output) = engine.poll_output() {
            outputs.extend(tampered.output(output, now));
        }
        outputs.extend(tampered.late_outputs(now));
        for output in &outputs {
            note(&|| format!("{turn} {:?}     {output:?}", Duration::from_nanos(now)));
        }
        model.check_outputs(&outputs, now).map_err(wrong)?;
        for rule in 0..rules.len() {
            model.check_view(rule, &tampered.view(engine.view(id(rule)))).map_err(wrong)?;
        }
        let took = world.stall();
        let end = now + ns_of(took);
        for output in &outputs {
            let then = now + world.below(ns_of(took).min(MS) + 1);
            match output {
                Output::StartTest { run } => world.start(*run, then),
                Output::Signal { run, signal } => world.signal(*run, *signal, then),
                Output::Change(_) | Output::Notice(_) => {}
            }
        }
        let wake = engine.poll_timeout().map(|wake| ns_of(wake - base));
        if turn > 1 {
            model.check_wake(wake, now).map_err(wrong)?;
        }
        let stalled = |from: u64, took: Duration, engine: &mut Engine, model: &mut Model| {
            model.stall(at(from).mono, took);
            if tampered_notes(saboteur) {
                engine.note_stall(at(from).mono, took);
            }
        };
        if took > Duration::from_micros(100) {
            note(&|| format!("{turn} turn took {took:?} from {:?}", Duration::from_nanos(now)));
            stalled(now, took, &mut engine, &mut model);
        }
        let next = wake.into_iter().chain(world.next()).chain(tampered.wakes_at()).min();
        let Some(next) = next else { break };
        now = end;
        if next > end {
            now = next;
            let late = world.stall();
            if wake == Some(next) && late > Duration::from_micros(100) {
                note(&|| format!("{turn} woke {late:?} late at {:?}", Duration::from_nanos(next)));
                now += ns_of(late);
                stalled(next, late, &mut engine, &mut model);
            }
        }
    }
    let wrong = |what: String| Wrong { turn, what: format!("{what}\n  at the end") };
    model.check_totals(&engine, tampered.counters(engine.counters())).map_err(wrong)?;
    Ok(Played { turns: turn, runs: model.totals.runs, simulated: Duration::from_nanos(now) })
}

fn tampered_notes(saboteur: Option<Saboteur>) -> bool {
    saboteur != Some(Saboteur::StallsNotNoted)
}
