//! What the service manager hears of this process: that it is ready, reloads, ends, is alive, and how its rules are.
//!
//! All of it is said at the end of a turn, so that it is true of a loop that turns; that goes for the sign of life
//! above all. Nothing waits for the manager: how things stand is said again a second later if it did not go out, a
//! sign of life is not.

use std::fmt;
use std::time::{Duration, Instant};

use super::{Reactor, now};
use crate::engine::Engine;
use crate::health::State;
use crate::loader::Loader;
use crate::rule::RuleId;
use crate::sys::notify::{Manager, News};

/// From one look at the rules to the next, and from one try to the next.
const LOOK: Duration = Duration::from_secs(3);
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Rules that are looked at in one turn at most.
const RULES_PER_TURN: usize = 1000;

/// What it was told, and what it is to be told.
#[derive(Debug)]
pub(super) struct Service {
    manager: Manager,
    phase: Phase,
    /// What did not go out, and when to try again.
    unsaid: Option<(News, Instant)>,
    /// How often it is told that this is alive, and when next.
    alive: Option<(Duration, Instant)>,
    /// What it was told last of the rules.
    status: String,
    /// When to look at the rules, or to go on with that.
    look_at: Instant,
    looking: Looking,
}

/// What the manager takes this service for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    Reloading,
    Stopping,
}

/// Rules that were looked at so far.
#[derive(Debug, Default)]
struct Looking {
    next: u32,
    counts: Counts,
    /// After so many reloads. They are others after one more.
    reloads: u64,
}

/// Rules by their effective states.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    up: usize,
    down: usize,
    unknown: usize,
}

impl Service {
    fn new(manager: Manager, now: Instant) -> Self {
        // Twice in the time that the manager waits, as sd_watchdog_enabled(3) advises.
        let alive = manager.watchdog().map(|longest| (longest / 2, now));
        Self {
            manager,
            phase: Phase::Starting,
            unsaid: None,
            alive,
            status: String::new(),
            look_at: now,
            looking: Looking::default(),
        }
    }

    /// When the next turn has to be at the latest.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let alive_at = self.alive.map(|(_, at)| at);
        let again_at = self.unsaid.as_ref().map(|(_, at)| *at);
        [alive_at, again_at, Some(self.look_at)].into_iter().flatten().min()
    }

    /// Goes over to another phase, and says so. A later phase makes it needless to say an earlier one.
    fn enter(&mut self, phase: Phase, now: Instant) {
        if self.phase == phase || self.phase == Phase::Stopping {
            return;
        }
        self.phase = phase;
        let news = match phase {
            Phase::Starting => return,
            Phase::Ready => News::Ready,
            Phase::Reloading => News::Reloading,
            Phase::Stopping => News::Stopping,
        };
        self.say(news, now);
    }

    fn say(&mut self, news: News, now: Instant) {
        self.unsaid = match self.manager.tell(&news) {
            Ok(()) => None,
            Err(_) => Some((news, now + TRY_AGAIN)),
        };
    }

    fn turn_ends(&mut self, engine: &Engine, reloads: u64, now: Instant) {
        if let Some((news, _)) = self.unsaid.take_if(|(_, at)| *at <= now) {
            self.say(news, now);
        }
        if let Some((every, at)) = &mut self.alive
            && *at <= now
        {
            *at = now + *every;
            // If it does not go out, the next one will, before the manager gives up.
            let _ = self.manager.tell(&News::Alive);
        }
        if self.look_at <= now {
            self.look(engine, reloads, now);
        }
    }

    /// Looks at some more rules, and tells what was found when it has seen them all.
    fn look(&mut self, engine: &Engine, reloads: u64, now: Instant) {
        if self.looking.reloads != reloads {
            self.looking = Looking { reloads, ..Looking::default() };
        }
        let Looking { next, counts, .. } = &mut self.looking;
        let rules = engine.rules();
        let ids = (*next..).map(RuleId);
        for (rule, id) in rules[RuleId(*next).index()..].iter().zip(ids).take(RULES_PER_TURN) {
            if !rule.is_vacant() {
                counts.add(engine.state_of(id));
            }
            *next += 1;
        }
        if RuleId(*next).index() < rules.len() {
            return;
        }
        let status = counts.to_string();
        self.looking = Looking { reloads, ..Looking::default() };
        self.look_at = now + LOOK;
        if status != self.status && self.manager.tell(&News::Status(status.clone())).is_ok() {
            self.status = status;
        }
    }
}

impl Reactor {
    /// Has this service manager hear how it goes.
    pub fn tell(&mut self, manager: Manager) {
        self.service = Some(Service::new(manager, now().mono));
    }

    /// The configuration is read again from now on.
    pub(super) fn service_reloads(&mut self) {
        if let Some(service) = &mut self.service {
            service.enter(Phase::Reloading, now().mono);
        }
    }

    /// The last of a turn.
    pub(super) fn tell_manager(&mut self, now: Instant) {
        let is_ending = self.is_ending();
        let Some(service) = &mut self.service else { return };
        let is_reloading = self.loader.as_ref().is_some_and(Loader::is_busy);
        match (is_ending, is_reloading) {
            (true, _) => service.enter(Phase::Stopping, now),
            (false, true) => {}
            (false, false) => service.enter(Phase::Ready, now),
        }
        service.turn_ends(&self.prober.engine, self.reloads.done, now);
    }
}

impl Counts {
    fn add(&mut self, state: State) {
        match state {
            State::Success => self.up += 1,
            State::Fail => self.down += 1,
            State::Unknown => self.unknown += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { up, down, unknown } = *self;
        let all = up + down + unknown;
        if all == 0 {
            return f.write_str("no rules");
        }
        write!(f, "{} {}", InThousands(all), if all == 1 { "rule" } else { "rules" })?;
        let found = [(up, "up"), (down, "down"), (unknown, "unknown")];
        for (place, (count, state)) in found.into_iter().filter(|(count, _)| *count > 0).enumerate() {
            write!(f, "{} {} {state}", if place == 0 { ":" } else { "," }, InThousands(count))?;
        }
        Ok(())
    }
}

/// A number as people read it: 12,345.
struct InThousands(usize);

impl fmt::Display for InThousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_one_short_line() {
        for (up, down, unknown, line) in [
            (0, 0, 0, "no rules"),
            (1, 0, 0, "1 rule: 1 up"),
            (0, 0, 2, "2 rules: 2 unknown"),
            (9998, 2, 0, "10,000 rules: 9,998 up, 2 down"),
            (999, 1_234_567, 1, "1,235,567 rules: 999 up, 1,234,567 down, 1 unknown"),
        ] {
            assert_eq!(Counts { up, down, unknown }.to_string(), line);
        }
    }
}
