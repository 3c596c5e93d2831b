//! The machines of native probes under scripted servers, judged by a small independent model.
//!
//! `HFM_SIM_SEED=N` plays one history with its whole trace, `HFM_SIM_COUNT=N` changes how many are played.
#![allow(clippy::unwrap_used, reason = "servers of a test fail with it")]

#[path = "support/random.rs"]
mod random;

#[path = "machines/answer.rs"]
mod answer;
#[path = "machines/asked.rs"]
mod asked;
#[path = "machines/certificates.rs"]
mod certificates;
#[path = "machines/chunks.rs"]
mod chunks;
#[path = "machines/fields.rs"]
mod fields;
#[path = "machines/oracle.rs"]
mod oracle;
#[path = "machines/pattern.rs"]
mod pattern;
#[path = "machines/peer.rs"]
mod peer;
#[path = "machines/play.rs"]
mod play;
#[path = "machines/sabotage.rs"]
mod sabotage;
#[path = "machines/talk.rs"]
mod talk;

#[path = "machines/client_certificates.rs"]
mod client_certificates;
#[path = "machines/remembered.rs"]
mod remembered;
#[path = "machines/resumed.rs"]
mod resumed;
#[path = "machines/sessions.rs"]
mod sessions;
#[path = "machines/tls.rs"]
mod tls;

use std::time::Instant;

use play::{Played, base, play};
use sabotage::Saboteur;

/// Histories of a normal run.
const HISTORIES: u64 = 30_000;
/// Histories in which each planted bug is looked for.
const SABOTAGED: u64 = 3_000;
/// Histories that show a bug after which it need not be looked for in more.
const CAUGHT_ENOUGH: usize = 5;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not '{text}'")))
}

fn judge(seed: u64, base: Instant) -> Played {
    let mut trace = String::new();
    play(seed, base, None, &mut trace).unwrap_or_else(|wrong| {
        panic!(
            "{trace}\nseed {seed}: {wrong}\nHFM_SIM_SEED={seed} cargo test --test machines keep_to -- --nocapture"
        )
    })
}

#[test]
fn machines_keep_to_the_model() {
    let base = base();
    if let Some(seed) = number("HFM_SIM_SEED") {
        let mut trace = String::new();
        let outcome = play(seed, base, None, &mut trace);
        println!("{trace}");
        let played = outcome.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
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
    let sum = |of: fn(&Played) -> usize| played.iter().map(of).sum::<usize>();
    let (runs, successes) = (sum(|played| played.runs), sum(|played| played.successes));
    let reused = sum(|played| played.reused);
    println!("{count} histories: {runs} runs, {successes} successes, {reused} on a kept connection");
    // A generator that draws nothing of a kind would show nothing.
    assert!(count < HISTORIES || successes > runs / 8 && successes < runs && reused > 500);
}

/// The histories that show a bug, up to enough of them, and how many were played for that.
fn caught(saboteur: Saboteur, base: Instant) -> (Vec<u64>, u64) {
    let mut shows = Vec::new();
    for seed in 0..SABOTAGED {
        // Only where nothing is wrong without the bug does a catch say anything.
        let is_sound = || play(seed, base, None, &mut String::new()).is_ok();
        if play(seed, base, Some(saboteur), &mut String::new()).is_err() && is_sound() {
            shows.push(seed);
        }
        if shows.len() == CAUGHT_ENOUGH {
            return (shows, seed + 1);
        }
    }
    (shows, SABOTAGED)
}

#[test]
fn planted_bugs_are_caught() {
    let base = base();
    let mut escaped = Vec::new();
    for saboteur in sabotage::ALL {
        let (shows, played) = caught(*saboteur, base);
        let name = format!("{saboteur:?}");
        println!("{name:26} caught in {:2} of {played:4}, first by seed {:?}", shows.len(), shows.first());
        if shows.is_empty() {
            escaped.push(saboteur);
        }
    }
    assert!(escaped.is_empty(), "the model does not see {escaped:?}");
}
