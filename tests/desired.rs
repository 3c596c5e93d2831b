//! Who is in a table: the code against a restatement of the text, and the text sentence by sentence.
//!
//! `HFM_DESIRED_SEED=N` replays what one seed draws.

#[path = "desired/against.rs"]
mod against;
#[path = "desired/claims.rs"]
mod claims;
#[path = "desired/drains.rs"]
mod drains;
#[path = "desired/histories.rs"]
mod histories;
#[path = "desired/machine.rs"]
mod machine;
#[path = "desired/restatement.rs"]
mod restatement;
#[path = "desired/successions.rs"]
mod successions;
#[path = "support/random.rs"]
mod support_random;

use std::time::{Duration, Instant};

/// Every instant of these tests is this one plus a duration.
fn base() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made from nothing; time then moves by adding"
    )]
    Instant::now()
}

fn at(base: Instant, seconds: u64) -> Instant {
    base + Duration::from_secs(seconds)
}

/// The seeds to play: so many, or the one that is asked for.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("HFM_DESIRED_SEED") {
        Ok(text) => {
            let seed = text.parse().unwrap_or_else(|_| panic!("HFM_DESIRED_SEED must be a number: '{text}'"));
            seed..seed + 1
        }
        Err(_) => 0..count,
    }
}
