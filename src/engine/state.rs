//! What the engine keeps for each rule.

use std::time::{Duration, Instant};

use crate::engine::event::StopSignal;
use crate::health::{Health, State};
use crate::rule::{Rule, Status};
use crate::standing::Standing;
use crate::verdict::Verdict;

/// A rule without a conclusive verdict for this many intervals is stale,
const STALE_INTERVALS: u32 = 10;
/// but not before this long.
const STALE_MIN: Duration = Duration::from_secs(30);

/// Why a rule is not scheduled any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// `status = disabled`.
    Disabled,
    /// Its `runs` are used up.
    RunsUsedUp,
    /// Its test cannot be started.
    CannotStart,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Runs that ended with a verdict.
    pub runs: u64,
    /// Of these, failures.
    pub failures: u64,
    /// Of these, inconclusive.
    pub inconclusive: u64,
    /// Slots of the grid in which no run started.
    pub missed: u64,
    /// Runs under way.
    pub in_flight: usize,
}

/// A rule as it stands, for those who only look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// From its own verdicts (or its status).
    pub own: State,
    /// With what it requires.
    pub effective: State,
    /// When its own state became what it is.
    pub since: Option<Instant>,
    /// Its last verdict.
    pub last_verdict: Option<Verdict>,
    /// Runs started.
    pub runs: u64,
    /// Slots missed.
    pub missed: u64,
    /// No conclusive verdict for too long.
    pub stale: bool,
    /// Why it is not scheduled any more.
    pub ended: Option<EndReason>,
    /// When its next run is due, if it waits for one.
    pub next_due: Option<Instant>,
}

/// Where a rule is between runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The next run is due then, and could not start before `ready` (the last one's end).
    Waiting { due: Instant, ready: Instant },
    /// Asked for, not yet known to run.
    Starting { due: Instant, ready: Instant },
    /// Its process runs, or its probe is under way.
    Running(Running),
    /// Not scheduled any more.
    Over(EndReason),
}

/// A run whose process is alive, as far as is known, or whose probe is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) slot_due: Instant,
    pub(super) started: Instant,
    /// The interval with which it began.
    pub(super) interval: Duration,
    /// Start minus the moment at which it could have started: our own lateness.
    pub(super) held_up: Duration,
    pub(super) interrupt_at: Option<Instant>,
    pub(super) kill_at: Option<Instant>,
    /// The deadline of a probe.
    pub(super) expire_at: Option<Instant>,
    /// The strongest signal that reached it.
    pub(super) struck: Option<StopSignal>,
}

/// The last run's place on the grid, for when the interval changes between runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastStart {
    pub(super) slot_due: Instant,
    pub(super) started: Instant,
}

#[derive(Debug)]
pub(super) struct RuleState {
    pub(super) phase: Phase,
    pub(super) last_start: Option<LastStart>,
    /// Runs started, and the number of the present one.
    pub(super) count: u64,
    /// Conclusive runs, for `runs`.
    pub(super) conclusive: u32,
    pub(super) missed: u64,
    pub(super) health: Health,
    pub(super) effective: State,
    /// The last state that was known, which commands were told of.
    pub(super) announced: State,
    pub(super) last_verdict: Option<Verdict>,
    /// Verdicts in a row that were like the last.
    pub(super) streak: u32,
    /// The last conclusive verdict, or the first due.
    pub(super) fresh_since: Instant,
    pub(super) stale: bool,
    /// What was last told of its addresses; `None` for a rule without tables.
    pub(super) standing: Option<Standing>,
    pub(super) last_inconclusive_notice: Option<Instant>,
    pub(super) unreported: u64,
}

impl RuleState {
    pub(super) fn new(rule: &Rule, due: Instant) -> Self {
        let phase = match rule.status {
            Status::Disabled => Phase::Over(EndReason::Disabled),
            Status::Enabled | Status::AlwaysFail | Status::AlwaysSuccess => {
                Phase::Waiting { due, ready: due }
            }
        };
        Self {
            phase,
            last_start: None,
            count: 0,
            conclusive: 0,
            missed: 0,
            health: Health::default(),
            effective: State::Unknown,
            announced: State::Unknown,
            last_verdict: None,
            streak: 0,
            fresh_since: due,
            stale: false,
            standing: None,
            last_inconclusive_notice: None,
            unreported: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    pub(super) fn in_flight(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. } | Phase::Running(_))
    }

    /// Whether an event of run number `run` is about the run under way.
    pub(super) fn is_current(&self, run: u64) -> bool {
        self.in_flight() && run == self.count
    }

    /// The interval by its own state, and by whether a change of that is being debounced.
    pub(super) fn interval(&self, rule: &Rule) -> Duration {
        let failed = match rule.status {
            Status::AlwaysFail => true,
            Status::AlwaysSuccess => false,
            Status::Enabled | Status::Disabled => self.health.state() == State::Fail,
        };
        let by_state = if failed { rule.interval_fail } else { rule.interval };
        match rule.interval_debounce {
            Some(interval) if rule.status == Status::Enabled && self.health.is_debouncing(&rule.health) => {
                interval
            }
            Some(_) | None => by_state,
        }
    }

    /// How long a rule may be without a conclusive verdict.
    pub(super) fn stale_after(&self, rule: &Rule) -> Duration {
        self.interval(rule).saturating_mul(STALE_INTERVALS).max(STALE_MIN)
    }

    /// The earliest moment at which it wants to be looked at.
    pub(super) fn wakes_at(&self, rule: &Rule) -> Option<Instant> {
        let by_phase = match self.phase {
            Phase::Waiting { due, .. } => Some(due),
            Phase::Starting { .. } => None,
            Phase::Running(running) => {
                earlier(earlier(running.interrupt_at, running.kill_at), running.expire_at)
            }
            Phase::Over(_) => return None,
        };
        let stale_at = if self.stale { None } else { self.fresh_since.checked_add(self.stale_after(rule)) };
        earlier(earlier(by_phase, stale_at), self.health.wakes_at(&rule.health))
    }

    pub(super) fn view(&self, own: State) -> RuleView {
        let ended = match self.phase {
            Phase::Over(reason) => Some(reason),
            Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Running(_) => None,
        };
        let next_due = match self.phase {
            Phase::Waiting { due, .. } => Some(due),
            Phase::Starting { .. } | Phase::Running(_) | Phase::Over(_) => None,
        };
        RuleView {
            own,
            effective: self.effective,
            since: self.health.since(),
            last_verdict: self.last_verdict.clone(),
            runs: self.count,
            missed: self.missed,
            stale: self.stale,
            ended,
            next_due,
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (Some(at), None) | (None, Some(at)) => Some(at),
        (None, None) => None,
    }
}
