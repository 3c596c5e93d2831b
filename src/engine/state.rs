//! What the engine keeps for each rule.

use std::time::{Duration, Instant};

use super::asked::Extra;
use super::effective::Effective;
use super::event::StopSignal;
use super::measures::{Recent, Tally};
use super::overrides::Set;
use crate::health::{Health, State};
use crate::rule::{Rule, Status, Test};
use crate::standing::{Override, Standing};
use crate::verdict::{Cause, Verdict};

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
    /// Of these, those whose rule was ready: this process was too late for them.
    pub behind: u64,
    /// Runs under way.
    pub in_flight: usize,
}

/// Where a rule is between runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The next run is due then, and could not start before `ready` (the last one's end).
    Waiting { due: Instant, ready: Instant },
    /// Asked for, not yet known to run.
    Starting { due: Instant, ready: Instant },
    /// Its process runs, or its probe is under way.
    Running { place: Place, running: Running },
    /// Not scheduled while an operator has it disabled.
    Suspended,
    /// Not scheduled any more.
    Over(EndReason),
}

/// Where a run lies on the grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) slot_due: Instant,
    /// The interval with which it began.
    pub(super) interval: Duration,
}

/// A run whose process is alive, as far as is known, or whose probe is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) started: Instant,
    /// Start minus the moment at which it could have started: our own lateness.
    pub(super) held_up: Duration,
    pub(super) interrupt_at: Option<Instant>,
    pub(super) kill_at: Option<Instant>,
    /// The deadline of a probe.
    pub(super) expire_at: Option<Instant>,
    /// The strongest signal that reached it.
    pub(super) struck: Option<StopSignal>,
}

impl Running {
    /// A run that began at `started`, and could have at `ready`.
    pub(super) fn new(test: &Test, started: Instant, ready: Instant) -> Self {
        let after = |timeout: Option<Duration>| timeout.and_then(|timeout| started.checked_add(timeout));
        let (interrupt_at, kill_at, expire_at) = match test {
            Test::Command { timeout_int, timeout_kill, .. } => {
                (after(*timeout_int), after(*timeout_kill), None)
            }
            Test::Probe(probe) => (None, None, after(Some(probe.timeout))),
        };
        let held_up = started.saturating_duration_since(ready);
        Self { started, held_up, interrupt_at, kill_at, expire_at, struck: None }
    }

    fn wakes_at(&self) -> Option<Instant> {
        earlier(earlier(self.interrupt_at, self.kill_at), self.expire_at)
    }
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
    /// The number of the last run, or of the present one. None is used twice: it tells late events of an old run
    /// from those of a new one.
    pub(super) count: u64,
    /// Conclusive runs, for `runs`.
    pub(super) conclusive: u32,
    pub(super) tally: Tally,
    pub(super) recent: Recent,
    pub(super) health: Health,
    pub(super) effective: Effective,
    pub(super) effective_since: Option<Instant>,
    /// What an operator has set.
    pub(super) set: Option<Set>,
    /// What was set until the rule was given back to its own word, as which it counts until it succeeds.
    pub(super) returning: Option<Override>,
    /// The last state that was known, which commands were told of.
    pub(super) announced: State,
    pub(super) last_verdict: Option<Verdict>,
    /// Since the first of the successes that the last verdict is one of; `None` when it is none.
    pub(super) well_since: Option<Instant>,
    pub(super) last_failure: Option<Cause>,
    /// Verdicts in a row that were like the last.
    pub(super) streak: u32,
    /// The last conclusive verdict, or the first due.
    pub(super) fresh_since: Instant,
    pub(super) stale: bool,
    /// What was last told of it; `None` for a rule that has had neither tables nor `demote`.
    pub(super) standing: Option<Standing>,
    /// Somebody is to hear that who has not.
    pub(super) is_unheard: bool,
    pub(super) last_inconclusive_notice: Option<Instant>,
    pub(super) unreported: u64,
    /// Somebody waits for the verdict of a run that has yet to begin.
    pub(super) asked: bool,
    /// Somebody waits for the verdict of the run on the schedule that is under way.
    pub(super) answers: bool,
    /// A run beside the schedule.
    pub(super) extra: Option<Extra>,
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
            tally: Tally::default(),
            recent: Recent::default(),
            health: Health::default(),
            effective: Effective::default(),
            effective_since: None,
            set: None,
            returning: None,
            announced: State::Unknown,
            last_verdict: None,
            well_since: None,
            last_failure: None,
            streak: 0,
            fresh_since: due,
            stale: false,
            standing: None,
            is_unheard: false,
            last_inconclusive_notice: None,
            unreported: 0,
            asked: false,
            answers: false,
            extra: None,
        }
    }

    /// Its first run is due so much later.
    pub(super) fn put_off(&mut self, by: Duration) {
        if let Phase::Waiting { due, ready } = &mut self.phase {
            *due += by;
            *ready += by;
        }
        self.fresh_since += by;
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Whether runs of it are to come.
    pub(super) fn is_scheduled(&self) -> bool {
        !matches!(self.phase, Phase::Over(_) | Phase::Suspended)
    }

    /// Whether a run is under way, on the schedule or beside it.
    pub(super) fn in_flight(&self) -> bool {
        self.is_in_scheduled_run() || self.extra.is_some()
    }

    /// Whether a run on the schedule is under way.
    pub(super) fn is_in_scheduled_run(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. } | Phase::Running { .. })
    }

    /// The run under way, once it has started.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match (&mut self.extra, &mut self.phase) {
            (Some(Extra::Running(running)), _) | (None, Phase::Running { running, .. }) => Some(running),
            (Some(Extra::Starting { .. }), _)
            | (None, Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Suspended | Phase::Over(_)) => {
                None
            }
        }
    }

    /// Whether an event of run number `run` is about the run under way.
    pub(super) fn is_current(&self, run: u64) -> bool {
        self.in_flight() && run == self.count
    }

    /// The interval by its own state, and by whether a change of that is being debounced.
    pub(super) fn interval(&self, rule: &Rule) -> Duration {
        match rule.interval_debounce {
            Some(interval) if rule.status == Status::Enabled && self.health.is_debouncing(&rule.health) => {
                interval
            }
            Some(_) | None => self.interval_by_state(rule),
        }
    }

    /// The interval by its own state alone.
    pub(super) fn interval_by_state(&self, rule: &Rule) -> Duration {
        let failed = match rule.status {
            Status::AlwaysFail => true,
            Status::AlwaysSuccess => false,
            Status::Enabled | Status::Disabled => self.health.state() == State::Fail,
        };
        if failed { rule.interval_fail } else { rule.interval }
    }

    /// How long a rule may be without a conclusive verdict.
    pub(super) fn stale_after(&self, rule: &Rule) -> Duration {
        self.interval(rule).saturating_mul(STALE_INTERVALS).max(STALE_MIN)
    }

    /// The earliest moment at which it wants to be looked at.
    pub(super) fn wakes_at(&self, rule: &Rule) -> Option<Instant> {
        let by_extra = match self.extra {
            Some(Extra::Running(running)) => running.wakes_at(),
            Some(Extra::Starting { .. }) | None => None,
        };
        let beside = earlier(by_extra, self.set.and_then(|set| set.until));
        let by_phase = match self.phase {
            Phase::Waiting { due, .. } => Some(due),
            Phase::Starting { .. } => None,
            Phase::Running { running, .. } => running.wakes_at(),
            Phase::Suspended | Phase::Over(_) => return beside,
        };
        let stale_at = if self.stale { None } else { self.fresh_since.checked_add(self.stale_after(rule)) };
        let on_schedule = earlier(earlier(by_phase, stale_at), self.health.wakes_at(&rule.health));
        earlier(on_schedule, beside)
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (Some(at), None) | (None, Some(at)) => Some(at),
        (None, None) => None,
    }
}
