//! What a rule says that the others of its section mostly say too.

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use super::{CommandLine, RuleId, Status};

/// How verdicts become states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HealthSettings {
    /// Failures that make a change to failed. hfm's `change_fail_debounce`.
    pub fail_debounce: NonZeroU16,
    /// Successes in a row that make a change to success. hfm's `change_success_debounce`.
    pub success_debounce: NonZeroU16,
    /// Successes in a row that clear the count of failures. `change_fail_reset`.
    pub fail_reset: NonZeroU16,
    /// How long the rule stays failed at least after a change to failed; zero for not at all. `hold_down`.
    pub hold_down: Duration,
    /// What `hold_down` may double up to; never less than it. `hold_down_max`.
    pub hold_down_max: Duration,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            fail_debounce: NonZeroU16::MIN,
            success_debounce: NonZeroU16::MIN,
            fail_reset: NonZeroU16::MIN,
            hold_down: Duration::ZERO,
            hold_down_max: Duration::ZERO,
        }
    }
}

/// When a rule runs, how its verdicts become states, and what follows from that. By default those of a rule that is
/// not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// hfm's `status`.
    pub status: Status,
    /// Before the first run; `None` when it was not given. hfm's `start_delay`.
    pub start_delay: Option<Duration>,
    /// Conclusive runs until the rule ends; `None` for ever. hfm's `runs`.
    pub runs: Option<NonZeroU16>,
    /// From start to start while not failed; zero: the next at once. hfm's `interval`.
    pub interval: Duration,
    /// The same while failed. hfm's `interval_fail`.
    pub interval_fail: Duration,
    /// The same while results count towards a change of state; `None`: as by state. `interval_debounce`.
    pub interval_debounce: Option<Duration>,
    /// Whether the first run is spread over the first interval when no `start_delay` is given. `spread`.
    pub spread: bool,
    /// Debounce and hold-down.
    pub health: HealthSettings,
    /// Rules that must be up for this one to be up. `requires`.
    pub requires: Vec<RuleId>,
    /// Rules that must succeed for this one's failures to count. `guard`.
    pub guard: Vec<RuleId>,
    /// Run at a change to success. hfm's `change_success`.
    pub change_success: Option<CommandLine>,
    /// Run at a change to failed. hfm's `change_fail`.
    pub change_fail: Option<CommandLine>,
    /// When a change command's process group is killed; `None` for never. `change_timeout`.
    pub change_timeout: Option<Duration>,
    /// Added to what is demoted while the rule is failed, 1 to 240; `None` for nothing. `demote`.
    pub demote: Option<NonZeroU8>,
}
