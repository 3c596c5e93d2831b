//! What the engine keeps for each rule.

use std::time::{Duration, Instant};

use super::asked::Extra;
use super::effective::Effective;
use super::event::StopSignal;
use super::measures::Tally;
use super::overrides::Set;
use super::past::Past;
use super::stamp::{Epoch, Nanos, Stamp};
use crate::health::{Health, State};
use crate::rule::{Rule, Status, Test};
use crate::standing::{Override, Standing};
use crate::verdict::{Cause, LocalCause, Verdict};

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
    /// Its test cannot be started: the `errno`.
    CannotStart(i32),
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
    Waiting { due: Stamp, ready: Stamp },
    /// Asked for, not yet known to run.
    Starting { due: Stamp, ready: Stamp },
    /// Its process runs, or its probe is under way, since the [last start](LastStart).
    Running(Kept),
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

/// What is kept of a run under way beside its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    interval: Nanos,
    held_up: Nanos,
    interrupt_at: Option<Stamp>,
    kill_at: Option<Stamp>,
    expire_at: Option<Stamp>,
    struck: Option<StopSignal>,
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

impl Kept {
    fn new(running: Running, interval: Duration, epoch: Epoch) -> Self {
        let Running { started: _, held_up, interrupt_at, kill_at, expire_at, struck } = running;
        Self {
            interval: interval.into(),
            held_up: held_up.into(),
            interrupt_at: interrupt_at.map(|at| epoch.stamp(at)),
            kill_at: kill_at.map(|at| epoch.stamp(at)),
            expire_at: expire_at.map(|at| epoch.stamp(at)),
            struck,
        }
    }

    fn wakes_at(&self) -> Option<Stamp> {
        earlier(earlier(self.interrupt_at, self.kill_at), self.expire_at)
    }
}

/// The last run's place on the grid, for when the interval changes between runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastStart {
    pub(super) slot_due: Stamp,
    pub(super) started: Stamp,
}

/// What the last verdict was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Success,
    /// With the [last failure](RuleState::last_failure).
    Failure,
    /// With the [last trouble](RuleState::trouble).
    Inconclusive,
}

/// This machine's own trouble with a rule.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Of the last inconclusive run.
    pub(super) cause: LocalCause,
    /// When it was last told of.
    pub(super) told: Option<Instant>,
    /// Inconclusive runs since then.
    pub(super) unreported: u64,
}

/// One for each rule, and it is to be small: moments are kept as [stamps](Stamp), and what most rules never have is
/// elsewhere.
#[derive(Debug)]
pub(super) struct RuleState {
    pub(super) phase: Phase,
    pub(super) last_start: Option<LastStart>,
    /// The number of the last run, or of the present one. None is used twice: it tells late events of an old run
    /// from those of a new one.
    pub(super) count: u64,
    pub(super) tally: Tally,
    pub(super) past: Past,
    pub(super) health: Health,
    pub(super) effective: Effective,
    pub(super) effective_since: Option<Stamp>,
    /// What an operator has set.
    pub(super) set: Option<Box<Set>>,
    /// What was set until the rule was given back to its own word, as which it counts until it succeeds.
    pub(super) returning: Option<Override>,
    /// The last state that was known, which commands were told of.
    pub(super) announced: State,
    pub(super) last: Option<Last>,
    /// Since the first of the successes that the last verdict is one of; `None` when it is none.
    pub(super) well_since: Option<Stamp>,
    pub(super) last_failure: Option<Box<Cause>>,
    pub(super) trouble: Option<Box<Trouble>>,
    /// Verdicts in a row that were like the last.
    pub(super) streak: u32,
    /// The last conclusive verdict, or the first due.
    pub(super) fresh_since: Stamp,
    pub(super) stale: bool,
    /// What was last told of it; `None` for a rule that has had neither tables nor `demote`.
    pub(super) standing: Option<Box<Standing>>,
    /// Somebody is to hear that who has not.
    pub(super) is_unheard: bool,
    /// Somebody waits for the verdict of a run that has yet to begin.
    pub(super) asked: bool,
    /// Somebody waits for the verdict of the run on the schedule that is under way.
    pub(super) answers: bool,
    /// A run beside the schedule.
    pub(super) extra: Option<Box<Extra>>,
}

impl RuleState {
    pub(super) fn new(rule: &Rule, due: Instant, epoch: Epoch) -> Self {
        let due = epoch.stamp(due);
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
            tally: Tally::default(),
            past: Past::default(),
            health: Health::default(),
            effective: Effective::default(),
            effective_since: None,
            set: None,
            returning: None,
            announced: State::Unknown,
            last: None,
            well_since: None,
            last_failure: None,
            trouble: None,
            streak: 0,
            fresh_since: due,
            stale: false,
            standing: None,
            is_unheard: false,
            asked: false,
            answers: false,
            extra: None,
        }
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
        matches!(self.phase, Phase::Starting { .. } | Phase::Running(_))
    }

    /// The run on the schedule begins.
    pub(super) fn begin(&mut self, place: Place, running: Running, epoch: Epoch) {
        let Place { slot_due, interval } = place;
        let start = LastStart { slot_due: epoch.stamp(slot_due), started: epoch.stamp(running.started) };
        self.last_start = Some(start);
        self.phase = Phase::Running(Kept::new(running, interval, epoch));
    }

    /// The run on the schedule that is under way, once it has started.
    pub(super) fn scheduled_run(&self, epoch: Epoch) -> Option<(Place, Running)> {
        let (Phase::Running(kept), Some(LastStart { slot_due, started })) = (self.phase, self.last_start)
        else {
            return None;
        };
        let running = Running {
            started: epoch.instant(started),
            held_up: kept.held_up.into(),
            interrupt_at: kept.interrupt_at.map(|at| epoch.instant(at)),
            kill_at: kept.kill_at.map(|at| epoch.instant(at)),
            expire_at: kept.expire_at.map(|at| epoch.instant(at)),
            struck: kept.struck,
        };
        Some((Place { slot_due: epoch.instant(slot_due), interval: kept.interval.into() }, running))
    }

    /// The run under way, once it has started.
    pub(super) fn running(&self, epoch: Epoch) -> Option<Running> {
        match self.extra.as_deref() {
            Some(Extra::Running(running)) => Some(*running),
            Some(Extra::Starting { .. }) => None,
            None => self.scheduled_run(epoch).map(|(_, running)| running),
        }
    }

    /// Changes the deadlines of the run under way, and what has struck it.
    pub(super) fn change_run(&mut self, epoch: Epoch, change: impl FnOnce(&mut Running)) {
        let Some(mut running) = self.running(epoch) else { return };
        change(&mut running);
        match (self.extra.as_deref_mut(), &mut self.phase) {
            (Some(extra), _) => *extra = Extra::Running(running),
            (None, Phase::Running(kept)) => *kept = Kept::new(running, kept.interval.into(), epoch),
            (None, Phase::Waiting { .. } | Phase::Starting { .. } | Phase::Suspended | Phase::Over(_)) => {}
        }
    }

    /// The last verdict.
    pub(super) fn last_verdict(&self) -> Option<Verdict> {
        Some(match (self.last?, &self.last_failure, &self.trouble) {
            (Last::Failure, Some(cause), _) => Verdict::Failure((**cause).clone()),
            (Last::Inconclusive, _, Some(trouble)) => Verdict::Inconclusive(trouble.cause.clone()),
            (Last::Success, ..) | (Last::Failure, None, _) | (Last::Inconclusive, _, None) => {
                Verdict::Success
            }
        })
    }

    /// A run ended with this verdict. Remembers it where the one before was, so that nothing is allocated again.
    pub(super) fn remember(&mut self, verdict: &Verdict) {
        self.last = Some(match verdict {
            Verdict::Success => Last::Success,
            Verdict::Failure(cause) => {
                match &mut self.last_failure {
                    Some(known) => (**known).clone_from(cause),
                    none @ None => *none = Some(Box::new(cause.clone())),
                }
                Last::Failure
            }
            Verdict::Inconclusive(cause) => {
                match &mut self.trouble {
                    Some(known) => known.cause.clone_from(cause),
                    none @ None => {
                        let trouble = Trouble { cause: cause.clone(), told: None, unreported: 0 };
                        *none = Some(Box::new(trouble));
                    }
                }
                Last::Inconclusive
            }
        });
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
    pub(super) fn wakes_at(&self, rule: &Rule, epoch: Epoch) -> Option<Instant> {
        let by_extra = match self.extra.as_deref() {
            Some(Extra::Running(running)) => running.wakes_at(),
            Some(Extra::Starting { .. }) | None => None,
        };
        let beside = earlier(by_extra, self.set.as_ref().and_then(|set| set.until));
        let by_phase = match self.phase {
            Phase::Waiting { due, .. } => Some(epoch.instant(due)),
            Phase::Starting { .. } => None,
            Phase::Running(kept) => kept.wakes_at().map(|at| epoch.instant(at)),
            Phase::Suspended | Phase::Over(_) => return beside,
        };
        let fresh_since = epoch.instant(self.fresh_since);
        let stale_at = if self.stale { None } else { fresh_since.checked_add(self.stale_after(rule)) };
        let on_schedule = earlier(earlier(by_phase, stale_at), self.health.wakes_at(&rule.health));
        earlier(on_schedule, beside)
    }
}

fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (Some(at), None) | (None, Some(at)) => Some(at),
        (None, None) => None,
    }
}
