//! What goes into the engine and what comes out of it.

use std::time::{Duration, Instant};

use super::asked::Answer;
use crate::health::State;
use crate::rule::{RuleId, RunId};
use crate::standing::Standing;
use crate::verdict::{Ending, Measured, Verdict};

/// Something that happened to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its process runs, or its probe is under way, since `at`.
    Started {
        /// The run.
        run: RunId,
        /// When that began.
        at: Instant,
    },
    /// There is no process.
    NotStarted {
        /// The run.
        run: RunId,
        /// Why.
        error: StartError,
    },
    /// The signal asked for was sent, the process being alive.
    Signaled {
        /// The run.
        run: RunId,
        /// Which one.
        signal: StopSignal,
    },
    /// Its process has ended.
    Exited {
        /// The run.
        run: RunId,
        /// When that was seen.
        at: Instant,
        /// How.
        ending: Ending,
    },
    /// Its probe has ended.
    Concluded {
        /// The run.
        run: RunId,
        /// When.
        at: Instant,
        /// What it found, before anything of our own is held against it.
        verdict: Verdict,
        /// What it measured.
        measured: Measured,
    },
}

impl Event {
    /// The run it is about.
    pub fn run(&self) -> RunId {
        match self {
            Self::Started { run, .. }
            | Self::NotStarted { run, .. }
            | Self::Signaled { run, .. }
            | Self::Exited { run, .. }
            | Self::Concluded { run, .. } => *run,
        }
    }
}

/// Why a test's process could not be made; `errno` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The program itself cannot be run (ENOENT, ENOTDIR, EACCES, ENOEXEC, ELOOP): disables the rule.
    Unusable(i32),
    /// No descriptors left here (EMFILE, ENFILE).
    Descriptors,
    /// Anything else of this machine's own.
    Spawn(i32),
}

/// A signal by which a test that overstays is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopSignal {
    /// SIGINT, at `timeout_int`.
    Interrupt,
    /// SIGKILL, at `timeout_kill`.
    Kill,
}

/// Something to do or to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the test of this rule; answer with `Started` or `NotStarted`, a probe always with `Started`.
    StartTest {
        /// The run it is.
        run: RunId,
    },
    /// Signal the process group of this run if its process still runs; answer with `Signaled` if it did.
    Signal {
        /// The run.
        run: RunId,
        /// The signal.
        signal: StopSignal,
    },
    /// The deadline of this probe has come: answer with `Concluded` before the next `handle_timeout`.
    Expire {
        /// The run.
        run: RunId,
    },
    /// This run is given up: its rule is gone, or another now, or disabled; or it was extra and the next one is due.
    /// End its process or connection; nothing that still comes of it counts.
    Abandon {
        /// The run.
        run: RunId,
    },
    /// The effective state of a rule changed (or is confirmed, for `always-fail` and `always-success`):
    /// run its change command, if it has one.
    Change(Change),
    /// What a rule that has tables or `demote` says of its addresses, and of this gateway, is now this; once at the
    /// start for each, and once when a reload gives it the first of either.
    Standing {
        /// The rule.
        rule: RuleId,
        /// What it says.
        standing: Standing,
    },
    /// What an operator had set of a rule has ended by itself, its time being over.
    OverrideEnded {
        /// The rule.
        rule: RuleId,
    },
    /// A run that was [asked](super::Engine::ask) for has its verdict, or there is none.
    Answer(Answer),
    /// Something for the log.
    Notice(Notice),
}

/// A change of a rule's effective state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The rule and its last run (0: none yet).
    pub run: RunId,
    /// The last known state before; `Unknown` if there was none.
    pub from: State,
    /// The state now; never `Unknown`.
    pub to: State,
    /// Why.
    pub verdict: Verdict,
    /// The required rule that is down, when the verdict is `requires`.
    pub blame: Option<RuleId>,
    /// How many verdicts of this kind in a row there were.
    pub streak: u32,
    /// From start to end of the run that brought it; `None` when no run did.
    pub elapsed: Option<Duration>,
}

/// Something that people may want to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A run ended with this verdict.
    Verdict {
        /// The run.
        run: RunId,
        /// Its verdict.
        verdict: Verdict,
        /// How its process ended; `None` when there was none.
        ending: Option<Ending>,
        /// What its probe measured.
        measured: Measured,
        /// From start to end.
        elapsed: Duration,
    },
    /// A verdict counts towards a change of state.
    Debounced {
        /// The run.
        run: RunId,
        /// The state it would change to.
        toward: State,
        /// Results still needed.
        remaining: u16,
    },
    /// A recovered rule stays failed until its hold-down is over.
    Held {
        /// The run.
        run: RunId,
        /// How long from now.
        remaining: Duration,
    },
    /// The own state changed, but what the rule requires, or what an operator has set, decides its effective state.
    OwnState {
        /// The run.
        run: RunId,
        /// The own state now.
        own: State,
        /// The effective state.
        effective: State,
    },
    /// The effective state became unknown, or came back from there to what it was; no command runs.
    Effective {
        /// The rule and its last run.
        run: RunId,
        /// The state before.
        from: State,
        /// The state now.
        to: State,
    },
    /// A test was signalled because it overstayed.
    Signaled {
        /// The run.
        run: RunId,
        /// The signal.
        signal: StopSignal,
    },
    /// A test cannot be started: the rule is disabled.
    CannotStart {
        /// The run.
        run: RunId,
        /// The `errno`.
        errno: i32,
    },
    /// A run was inconclusive. Rate-limited for each rule.
    Inconclusive {
        /// The run.
        run: RunId,
        /// Its verdict.
        verdict: Verdict,
        /// Inconclusive runs of this rule since the last such notice, this one not counted.
        unreported: u64,
    },
    /// A rule has used up its runs.
    RunsUsedUp {
        /// Its last run.
        run: RunId,
    },
    /// A rule has had no conclusive verdict for too long.
    Stale {
        /// The rule and its last run.
        run: RunId,
        /// For how long.
        age: Duration,
    },
    /// A stale rule has a conclusive verdict again.
    Fresh {
        /// The run that brought it.
        run: RunId,
    },
    /// A rule that others name in `guard` does not guard.
    Unguarded {
        /// The guard.
        rule: RuleId,
        /// Why.
        why: Unguarded,
    },
}

/// Why a guard does not guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unguarded {
    /// By its `status`, or by an operator.
    Disabled,
    /// Its runs are used up, or its test cannot be started.
    Ended,
    /// It is stale.
    Stale,
}
