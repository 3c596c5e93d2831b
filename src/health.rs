//! From verdicts to a state: debounce, `change_fail_reset` and hold-down.
//!
//! Pure: one call per conclusive verdict, time as the last argument. Inconclusive verdicts never come
//! here. `always-fail` and `always-success` do not either: their state is given, not found.
//!
//! ```text
//!              first verdict (no debounce)
//!   Unknown ---------------------------------> Success or Fail
//!
//!   Success -- fail_debounce failures, between which no fail_reset successes in a row --> Fail
//!   Fail ----- success_debounce successes in a row, and hold-down over -----------------> Success
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use crate::now::Now;
use crate::rule::HealthSettings;

/// What is known of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It works.
    Success,
    /// It does not.
    Fail,
}

impl State {
    /// The word that commands and control speak.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for State {
    /// The name that hfm's log sentences speak.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "RuleStateUnknown",
            Self::Success => "RuleStateSuccess",
            Self::Fail => "RuleStateFail",
        })
    }
}

/// What a verdict did to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to tell.
    Same,
    /// It counts towards a change that needs this many more.
    Debounced {
        /// The state that is being approached.
        toward: State,
        /// Results still needed.
        remaining: u16,
    },
    /// The debounce is met, but the rule stays failed until then.
    Held {
        /// End of the hold-down.
        until: Instant,
    },
    /// The state is now another.
    Changed {
        /// The state before.
        from: State,
        /// The state now.
        to: State,
    },
}

/// The health of one rule.
#[derive(Clone, Debug, Default)]
pub struct Health {
    state: State,
    /// Results counted towards a change of state.
    toward_change: u16,
    /// Successes in a row while the state is success; only counted while failures are.
    toward_reset: u16,
    /// When the state became what it is.
    since: Option<Instant>,
    /// There once it was used.
    hold: Option<Box<HoldDown>>,
}

/// Hold-down: how long the present failure is held, and how long the next one would be.
#[derive(Clone, Copy, Debug, Default)]
struct HoldDown {
    /// The time that stands: of the last hold, halved for what has been spent up. Zero: none stands.
    standing: Duration,
    until: Option<Instant>,
}

impl Health {
    /// A verdict of success.
    pub fn on_success(&mut self, settings: &HealthSettings, now: Now) -> Step {
        match self.state {
            State::Unknown => self.change(State::Success, settings, now.mono),
            State::Success => {
                if self.toward_change > 0 {
                    self.toward_reset += 1;
                    if self.toward_reset >= settings.fail_reset.get() {
                        self.toward_change = 0;
                        self.toward_reset = 0;
                    }
                }
                Step::Same
            }
            State::Fail => {
                self.toward_change = self.toward_change.saturating_add(1);
                let remaining = settings.success_debounce.get().saturating_sub(self.toward_change);
                if remaining > 0 {
                    return Step::Debounced { toward: State::Success, remaining };
                }
                match self.held_until() {
                    Some(until) if now.mono < until => Step::Held { until },
                    Some(_) | None => self.change(State::Success, settings, now.mono),
                }
            }
        }
    }

    /// A verdict of failure.
    pub fn on_failure(&mut self, settings: &HealthSettings, now: Now) -> Step {
        match self.state {
            State::Unknown => self.change(State::Fail, settings, now.mono),
            State::Success => {
                self.toward_reset = 0;
                self.toward_change = self.toward_change.saturating_add(1);
                let remaining = settings.fail_debounce.get().saturating_sub(self.toward_change);
                if remaining > 0 {
                    return Step::Debounced { toward: State::Fail, remaining };
                }
                self.change(State::Fail, settings, now.mono)
            }
            State::Fail => {
                self.toward_change = 0;
                Step::Same
            }
        }
    }

    /// The end of a hold-down may have come. Harmless when called at any other time.
    pub fn handle_timeout(&mut self, settings: &HealthSettings, now: Now) -> Step {
        match self.wakes_at(settings) {
            Some(at) if at <= now.mono => self.change(State::Success, settings, now.mono),
            Some(_) | None => Step::Same,
        }
    }

    /// What comes next does not follow what came before: results count anew towards a change.
    pub fn begin_row(&mut self) {
        self.toward_change = 0;
        self.toward_reset = 0;
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called: at the end of a hold-down that
    /// alone keeps the rule failed. Ask again after every call.
    pub fn wakes_at(&self, settings: &HealthSettings) -> Option<Instant> {
        let met = self.state == State::Fail && self.toward_change >= settings.success_debounce.get();
        if met { self.held_until() } else { None }
    }

    /// Whether results count towards a change of state that more of them would bring; not while only a
    /// hold-down keeps the state.
    pub fn is_debouncing(&self, settings: &HealthSettings) -> bool {
        let met = self.state == State::Fail && self.toward_change >= settings.success_debounce.get();
        self.toward_change > 0 && !met
    }

    /// What is known.
    pub fn state(&self) -> State {
        self.state
    }

    /// When the state became what it is; `None` while it is unknown.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// The end of the present hold-down; `None` when there is none. It may lie in the past.
    pub fn held_until(&self) -> Option<Instant> {
        self.hold.as_ref().and_then(|hold| hold.until)
    }

    fn change(&mut self, to: State, settings: &HealthSettings, at: Instant) -> Step {
        let from = self.state;
        let up_for = match (from, self.since) {
            (State::Success, Some(since)) => at.saturating_duration_since(since),
            (State::Unknown | State::Success | State::Fail, _) => Duration::ZERO,
        };
        match (to, &mut self.hold) {
            (State::Fail, hold) => {
                let before = hold.as_deref().copied().unwrap_or_default();
                *hold = before.at_failure(settings, up_for, at).map(Box::new);
            }
            (State::Success | State::Unknown, Some(hold)) => hold.until = None,
            (State::Success | State::Unknown, None) => {}
        }
        self.state = to;
        self.since = Some(at);
        self.toward_change = 0;
        self.toward_reset = 0;
        Step::Changed { from, to }
    }
}

impl HoldDown {
    /// A change to failed: the standing time halves for each such time spent up, then doubles. `None` where nothing is held.
    fn at_failure(self, settings: &HealthSettings, up_for: Duration, at: Instant) -> Option<Self> {
        let base = settings.hold_down;
        if base.is_zero() {
            return None;
        }
        let mut standing = self.standing;
        let mut up_for = up_for;
        while !standing.is_zero() && up_for >= standing {
            up_for -= standing;
            standing /= 2;
            if standing < base {
                standing = Duration::ZERO;
            }
        }
        let standing = if standing.is_zero() {
            base
        } else {
            (standing * 2).clamp(base, settings.hold_down_max.max(base))
        };
        Some(Self { standing, until: at.checked_add(standing) })
    }
}

#[cfg(test)]
mod tests;
