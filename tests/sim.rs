//! The engine under a virtual clock and a seeded world, judged by a small independent model.
//!
//! `HFM_SIM_SEED=N` plays one history with its whole trace, `HFM_SIM_COUNT=N` changes how many are played.

#[path = "sim/asked.rs"]
mod asked;
#[path = "sim/check.rs"]
mod check;
#[path = "sim/draw.rs"]
mod draw;
#[path = "sim/effects.rs"]
mod effects;
#[path = "sim/history.rs"]
mod history;
#[path = "sim/judge.rs"]
mod judge;
#[path = "sim/model.rs"]
mod model;
#[path = "sim/operator.rs"]
mod operator;
#[path = "sim/play.rs"]
mod play;
#[path = "sim/probes.rs"]
mod probes;
#[path = "sim/random.rs"]
mod random;
#[path = "desired/restatement.rs"]
mod restatement;
#[path = "sim/sabotage.rs"]
mod sabotage;
#[path = "sim/sabotage_control.rs"]
mod sabotage_control;
#[path = "sim/sabotage_native.rs"]
mod sabotage_native;
#[path = "sim/sabotage_tables.rs"]
mod sabotage_tables;
#[path = "sim/settle.rs"]
mod settle;
#[path = "sim/tables.rs"]
mod tables;
#[path = "sim/world.rs"]
mod world;

use std::time::{Duration, Instant};

use play::{Played, base, play};
use sabotage::Saboteur;

/// Histories of a normal run.
const HISTORIES: u64 = 10_000;
/// Histories in which each planted bug is looked for.
const SABOTAGED: u64 = 300;
/// Histories that show a bug after which it need not be looked for in more.
const CAUGHT_ENOUGH: usize = 10;
/// The last lines of a trace that a failure prints.
const TRACE_LINES: usize = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not '{text}'")))
}

/// Plays a seed; a failure is played once more for its trace.
fn judge(seed: u64, base: Instant) -> Played {
    play(seed, base, None, None).unwrap_or_else(|wrong| {
        let mut trace = String::new();
        let again = play(seed, base, None, Some(&mut trace)).err().map(|wrong| wrong.turn);
        assert_eq!(again, Some(wrong.turn), "a seed must play the same twice");
        let lines: Vec<&str> = trace.lines().collect();
        let last = lines[lines.len().saturating_sub(TRACE_LINES)..].join("\n");
        panic!(
            "{last}\nseed {seed}, turn {}: {}\nHFM_SIM_SEED={seed} cargo test --test sim engine_keeps_to_the_model -- --nocapture",
            wrong.turn, wrong.what
        )
    })
}

#[test]
fn engine_keeps_to_the_model() {
    let base = base();
    if let Some(seed) = number("HFM_SIM_SEED") {
        let mut trace = String::new();
        let outcome = play(seed, base, None, Some(&mut trace));
        println!("{trace}");
        let played =
            outcome.unwrap_or_else(|wrong| panic!("seed {seed}, turn {}: {}", wrong.turn, wrong.what));
        println!("seed {seed} is right: {played:?}");
        return;
    }
    let count = number("HFM_SIM_COUNT").unwrap_or(HISTORIES);
    let half =
        |first: u64| move || (first..count).step_by(2).map(|seed| judge(seed, base)).collect::<Vec<_>>();
    let played: Vec<Played> = std::thread::scope(|scope| {
        let threads = [scope.spawn(half(0)), scope.spawn(half(1))];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    });
    let simulated: Duration = played.iter().map(|played| played.simulated).sum();
    let turns: u64 = played.iter().map(|played| played.turns).sum();
    let runs: u64 = played.iter().map(|played| played.runs).sum();
    println!("{count} histories: {turns} turns, {runs} runs, {} simulated minutes", simulated.as_secs() / 60);
}

/// The histories among these that show a bug, up to enough of them, and how many were played for that.
fn caught(saboteur: Saboteur, sound: &[u64], base: Instant) -> (Vec<u64>, usize) {
    let mut shows = Vec::new();
    for (played, seed) in (1..).zip(sound) {
        if play(*seed, base, Some(saboteur), None).is_err() {
            shows.push(*seed);
        }
        if shows.len() == CAUGHT_ENOUGH {
            return (shows, played);
        }
    }
    (shows, sound.len())
}

#[test]
fn planted_bugs_are_caught() {
    let base = base();
    // Only where nothing is wrong without the bug does a catch say anything.
    let sound: Vec<u64> = (0..SABOTAGED).filter(|seed| play(*seed, base, None, None).is_ok()).collect();
    let mut escaped = Vec::new();
    for saboteur in sabotage::ALL {
        let (shows, played) = caught(*saboteur, &sound, base);
        let name = format!("{saboteur:?}");
        println!("{name:26} caught in {:2} of {played:3}, first by seed {:?}", shows.len(), shows.first());
        let is_harmless = sabotage_tables::HARMLESS.contains(saboteur);
        assert!(!is_harmless || shows.is_empty(), "{name} is right, and the model says it is not");
        if shows.is_empty() && !is_harmless {
            escaped.push(saboteur);
        }
    }
    assert!(escaped.is_empty(), "the model does not see {escaped:?}");
}
