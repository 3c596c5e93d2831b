//! Who breaks how and when. Pure: a function of the step's number, so that every demo is the same.
//!
//! A round shows every breakage once, one a slot. In the first round one backend at a time is broken; later
//! some slots break a second one while the first still is, so that `min_up` has something to hold. As there
//! are five breakages and three backends, every backend meets every breakage within three rounds.

use std::time::Duration;

use super::behaviour::Behaviour;

/// Backends there are.
pub const BACKENDS: usize = 3;

/// When the first one breaks: all have been tested many times by then, and none just then.
const FIRST_AFTER: Duration = Duration::from_millis(1_550);
/// From one slot to the next. Five of them, and the first wait, are 19 s.
const SLOT: Duration = Duration::from_millis(3_500);
/// How long a breakage lasts.
const LASTS: Duration = Duration::from_secs(2);
/// In a slot with two breakages, when the second one comes: the first has been found out.
const SECOND_AFTER: Duration = Duration::from_millis(700);

/// Slots of a round.
const SLOTS: u64 = Behaviour::BREAKAGES.len() as u64;
/// Those of a later round that have two breakages.
const DOUBLE: [u64; 2] = [1, 4];
/// Steps of the first round, and of each later one.
const STEPS_FIRST: u64 = SLOTS * 2;
const STEPS_LATER: u64 = STEPS_FIRST + DOUBLE.len() as u64 * 2;

/// The interval of the probes.
const INTERVAL_MS: u64 = 100;
/// Breakages drift through that interval by this much a slot, so that no figure comes from a single phase of
/// it. The two have no common divisor.
const DRIFT_MS: u64 = 37;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, from the start of the demo. No step is before an earlier one.
    pub at: Duration,
    /// To which backend, counted from 0.
    pub backend: usize,
    /// What it does from then on.
    pub behaviour: Behaviour,
}

/// What happens at this step, counted from 0. There is always a next one.
pub fn step(number: u64) -> Step {
    let (slot, place) = place(number);
    let (phase, first, second) = (slot % SLOTS, backend(slot), backend(slot + 1));
    let (after, backend, behaviour) = match place {
        Place::Break => (Duration::ZERO, first, breakage(phase)),
        // Not the same as the first one's.
        Place::BreakSecond => (SECOND_AFTER, second, breakage(phase + 2)),
        Place::Heal => (LASTS, first, Behaviour::Well),
        Place::HealSecond => (SECOND_AFTER + LASTS, second, Behaviour::Well),
    };
    let drift = Duration::from_millis(slot.wrapping_mul(DRIFT_MS) % INTERVAL_MS);
    let slots = SLOT.saturating_mul(u32::try_from(slot).unwrap_or(u32::MAX));
    Step { at: FIRST_AFTER.saturating_add(slots) + drift + after, backend, behaviour }
}

/// What can happen in a slot, in order.
#[derive(Clone, Copy, Debug)]
enum Place {
    Break,
    BreakSecond,
    Heal,
    HealSecond,
}

/// The slot of a step, and which of its steps it is.
fn place(number: u64) -> (u64, Place) {
    let Some(later) = number.checked_sub(STEPS_FIRST) else {
        return (number / 2, if number.is_multiple_of(2) { Place::Break } else { Place::Heal });
    };
    let mut slot = SLOTS + later / STEPS_LATER * SLOTS;
    let mut left = later % STEPS_LATER;
    loop {
        let places: &[Place] = if DOUBLE.contains(&(slot % SLOTS)) {
            &[Place::Break, Place::BreakSecond, Place::Heal, Place::HealSecond]
        } else {
            &[Place::Break, Place::Heal]
        };
        match usize::try_from(left).ok().and_then(|left| places.get(left)) {
            Some(place) => return (slot, *place),
            None => left -= places.len() as u64,
        }
        slot += 1;
    }
}

/// The one that breaks first in a slot.
fn backend(slot: u64) -> usize {
    usize::try_from(slot % BACKENDS as u64).unwrap_or_default()
}

fn breakage(phase: u64) -> Behaviour {
    Behaviour::BREAKAGES[usize::try_from(phase % SLOTS).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Steps up to this number, with what every backend does after each.
    fn played(steps: u64) -> Vec<(Step, [Behaviour; BACKENDS])> {
        let mut now = [Behaviour::Well; BACKENDS];
        let play = |number| {
            let step = step(number);
            now[step.backend] = step.behaviour;
            (step, now)
        };
        (0..steps).map(play).collect()
    }

    fn broken(behaviours: &[Behaviour]) -> usize {
        behaviours.iter().filter(|behaviour| **behaviour != Behaviour::Well).count()
    }

    #[test]
    fn the_first_round_shows_every_breakage_within_20_seconds() {
        let steps = played(STEPS_FIRST);
        let shown: Vec<Behaviour> =
            steps.iter().map(|(step, _)| step.behaviour).filter(|of| *of != Behaviour::Well).collect();
        assert_eq!(shown, Behaviour::BREAKAGES);
        assert!(steps.last().unwrap().0.at < Duration::from_secs(20));
        assert!(steps.iter().all(|(_, now)| broken(now) <= 1));
    }

    #[test]
    fn later_rounds_break_two_at_a_time_sometimes_and_never_three() {
        let steps = played(STEPS_FIRST + 100 * STEPS_LATER);
        let most = |now: &[(Step, [Behaviour; BACKENDS])]| now.iter().map(|(_, now)| broken(now)).max();
        for round in steps[10..].chunks(STEPS_LATER.try_into().unwrap()) {
            assert_eq!(most(round), Some(2));
            let kinds: BTreeSet<Behaviour> = round.iter().map(|(step, _)| step.behaviour).collect();
            assert_eq!(kinds.len(), 6, "all breakages, and healing: {round:?}");
            assert_eq!(round.last().unwrap().1, [Behaviour::Well; BACKENDS]);
        }
    }

    #[test]
    fn every_step_changes_something_and_breakages_last_two_seconds() {
        let mut before = [Behaviour::Well; BACKENDS];
        let mut since = [Duration::ZERO; BACKENDS];
        let mut at = Duration::ZERO;
        for (step, now) in played(10_000) {
            assert!(at < step.at, "{step:?} is not after {at:?}");
            at = step.at;
            assert_ne!(before, now, "{step:?}");
            let breaks = step.behaviour != Behaviour::Well;
            assert_eq!(breaks, before[step.backend] == Behaviour::Well, "breaks when well, else heals");
            if breaks {
                since[step.backend] = step.at;
            } else {
                assert_eq!(step.at - since[step.backend], LASTS);
            }
            before = now;
        }
    }

    #[test]
    fn every_backend_meets_every_breakage_in_every_phase_of_the_interval() {
        let mut met = BTreeSet::new();
        let mut phases = BTreeSet::new();
        for (step, _) in played(STEPS_FIRST + 40 * STEPS_LATER) {
            met.insert((step.backend, step.behaviour));
            phases.insert(step.at.as_millis() % 100);
        }
        assert_eq!(met.len(), BACKENDS * 6);
        assert_eq!(phases.len(), 100);
    }

    #[test]
    fn it_never_ends() {
        assert!(step(u64::MAX).at > Duration::from_secs(86_400));
    }
}
