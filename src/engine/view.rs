//! A rule as it stands, for those who only look.

use std::time::{Duration, Instant, SystemTime};

use super::measures::Tally;
use super::overrides::Set;
use super::state::{EndReason, Phase};
use super::{Durations, Engine};
use crate::health::State;
use crate::rule::{RuleId, RunId};
use crate::verdict::Verdict;

/// A rule as it stands. What is counted of runs is of those on its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// From its own verdicts (or its status).
    pub own: State,
    /// With what it requires, and with what an operator has set.
    pub effective: State,
    /// When its effective state became what it is; `None` while nothing was ever known.
    pub effective_since: Option<Instant>,
    /// Why its effective state is what it is; `None` while that is unknown.
    pub reason: Option<Verdict>,
    /// The required rule that is down, when the reason is `requires`.
    pub blame: Option<RuleId>,
    /// When its own state became what it is.
    pub since: Option<Instant>,
    /// Its last verdict.
    pub last_verdict: Option<Verdict>,
    /// When it last succeeded.
    pub last_success: Option<Instant>,
    /// Its last run, or the one under way, asked-for ones included; number 0 before the first.
    pub run: RunId,
    /// Runs started.
    pub runs: u64,
    /// Runs that succeeded.
    pub successes: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Runs that were inconclusive.
    pub inconclusive: u64,
    /// Slots missed.
    pub missed: u64,
    /// A run is under way.
    pub running: bool,
    /// No conclusive verdict for too long.
    pub stale: bool,
    /// Why it is not scheduled any more.
    pub ended: Option<EndReason>,
    /// When its next run is due, if it waits for one.
    pub next_due: Option<Instant>,
    /// What an operator has set.
    pub set: Option<Set>,
    /// What was set is over, and it counts as down as before until its next success.
    pub returning: bool,
}

/// What is counted of a rule's runs on its schedule, but for successes and failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TallyView {
    /// Runs started.
    pub runs: u64,
    /// Runs that were inconclusive.
    pub inconclusive: u64,
    /// Slots missed.
    pub missed: u64,
}

impl Engine {
    /// One rule as it stands.
    pub fn view(&self, rule: RuleId) -> RuleView {
        let state = &self.states[rule.index()];
        let ended = match state.phase {
            Phase::Over(reason) => Some(reason),
            Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Running(_) | Phase::Suspended => None,
        };
        let next_due = match state.phase {
            Phase::Waiting { due, .. } => Some(self.epoch.instant(due)),
            Phase::Starting { .. } | Phase::Running(_) | Phase::Suspended | Phase::Over(_) => None,
        };
        RuleView {
            own: self.own_state(rule),
            effective: state.effective.state,
            effective_since: state.effective_since.map(|at| self.epoch.instant(at)),
            reason: self.reason(rule),
            blame: state.effective.why.blame(),
            since: state.health.since(),
            last_verdict: state.last_verdict(),
            last_success: state.tally.last_success.map(|at| self.epoch.instant(at)),
            run: RunId { rule, run: state.count },
            runs: state.tally.started,
            successes: state.tally.successes,
            failures: state.tally.failures,
            inconclusive: state.tally.inconclusive,
            missed: state.tally.missed,
            running: state.in_flight(),
            stale: state.stale,
            ended,
            next_due,
            set: self.override_of(rule),
            returning: state.returning.is_some(),
        }
    }

    /// A rule's effective state alone, for those who count.
    pub fn state_of(&self, rule: RuleId) -> State {
        self.states[rule.index()].effective.state
    }

    /// What is counted of a rule's runs alone, for those who count.
    pub fn tally_of(&self, rule: RuleId) -> TallyView {
        let Tally { started, inconclusive, missed, .. } = self.states[rule.index()].tally;
        TallyView { runs: started, inconclusive, missed }
    }

    /// Whether a rule has been without a conclusive verdict for too long.
    pub fn is_stale(&self, rule: RuleId) -> bool {
        self.states[rule.index()].stale
    }

    /// How long a rule's last runs took; `None` before the first conclusive one.
    pub fn durations(&self, rule: RuleId) -> Option<Durations> {
        self.states[rule.index()].past.durations()
    }

    /// How long a stale rule has been without a conclusive verdict; `None` while it is not stale.
    pub fn stale_for(&self, rule: RuleId, now: Instant) -> Option<Duration> {
        let state = &self.states[rule.index()];
        state.stale.then(|| now.saturating_duration_since(self.epoch.instant(state.fresh_since)))
    }

    /// When the certificate ends that the rule's last run saw that saw one; `None` while none has.
    pub fn certificate_expiry(&self, rule: RuleId) -> Option<SystemTime> {
        self.rare.certificate_of(rule)
    }
}
