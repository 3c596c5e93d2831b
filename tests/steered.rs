//! hfm steered through random histories: reloads, overrides, kills, restarts, targets and tables that change behind
//! its back; judged by a small model of SPEC.md sections 5 to 7 that knows nothing of the code.
//!
//! `HFM_SEED=N` plays one history and tells each of its steps, `HFM_SEEDS=N` changes how many are played,
//! `HFM_FIRST=N` from which one on.
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "steered/configuration.rs"]
mod configuration;
#[path = "steered/decision.rs"]
mod decision;
#[path = "tables/firewall.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod firewall;
#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "steered/history.rs"]
mod history;
#[path = "steered/model.rs"]
mod model;
#[path = "steered/objections.rs"]
mod objections;
#[path = "support/random.rs"]
mod random;
#[path = "steered/sabotage.rs"]
mod sabotage;
#[path = "steered/step.rs"]
mod step;
#[path = "control/talk.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod talk;
#[path = "steered/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use history::History;
use sabotage::Sabotage;
use world::World;

/// Histories of a normal run.
const HISTORIES: u64 = 12;
/// Moments at which all is looked at, in each.
const LOOKS: usize = 20;
/// Histories that are played at once.
const THREADS: usize = 3;
/// An address that nobody names any more may take 30 s to leave.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a planted bug is waited for to go away.
const SABOTAGED_PATIENCE: Duration = Duration::from_secs(4);
/// Histories in which each planted bug is looked for.
const SABOTAGED: u64 = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not '{text}'")))
}

/// Plays the history of a seed; what went wrong, and after which steps.
#[allow(clippy::print_stdout, reason = "for whoever plays one history")]
fn play(seed: u64, patience: Duration, sabotage: Option<Sabotage>, tell: bool) -> Result<(), String> {
    let mut history = History::draw(seed);
    let name = format!("s{seed}{}", sabotage.map(|sabotage| format!("{sabotage:?}")).unwrap_or_default());
    let mut world = World::new(&name, &history, patience, sabotage);
    let mut told = vec![format!("{:?}", history.model.terms)];
    let mut run = |world: &mut World| -> Result<(), String> {
        history.start();
        world.start()?;
        world.compare(&history.model)?;
        for look in 0..LOOKS {
            for step in history.next() {
                if tell {
                    println!("{look}: {step:?}");
                }
                told.push(format!("{look}: {step:?}"));
                world.carry_out(&step)?;
            }
            world.compare(&history.model)?;
        }
        Ok(())
    };
    run(&mut world).map_err(|wrong| {
        let told = told.join("\n");
        format!(
            "{told}\n--\n{}\nseed {seed}: {wrong}\nHFM_SEED={seed} cargo test --test steered",
            world.story()
        )
    })
}

#[test]
fn every_history_ends_each_step_as_the_text_says() {
    if let Some(seed) = number("HFM_SEED") {
        play(seed, PATIENCE, None, true).unwrap_or_else(|wrong| panic!("{wrong}"));
        return;
    }
    let count = number("HFM_SEEDS").unwrap_or(HISTORIES);
    let first = number("HFM_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count {
                        return;
                    }
                    if let Err(why) = play(seed, PATIENCE, None, false) {
                        eprintln!("{why}\n");
                        wrong.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "wrong: seeds {wrong:?} of {count}; each is told of above");
}

/// Each of them must be seen in one of the first histories: what sees none of them proves nothing.
#[test]
fn planted_bugs_are_caught() {
    let next = AtomicU64::new(0);
    let escaped = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(sabotage) = next_of(sabotage::ALL, &next) {
                    let shows = (0..SABOTAGED)
                        .find(|seed| play(*seed, SABOTAGED_PATIENCE, Some(*sabotage), false).is_err());
                    println!("{:16} first caught by seed {shows:?}", format!("{sabotage:?}"));
                    if shows.is_none() {
                        escaped.lock().unwrap().push(sabotage);
                    }
                }
            });
        }
    });
    let escaped = escaped.into_inner().unwrap();
    assert!(escaped.is_empty(), "the model does not see {escaped:?}");
}

fn next_of<'a, T>(all: &'a [T], next: &AtomicU64) -> Option<&'a T> {
    all.get(usize::try_from(next.fetch_add(1, Ordering::SeqCst)).expect("a few"))
}
