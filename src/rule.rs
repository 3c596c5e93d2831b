//! A rule as meant: validated, immutable, every unit resolved. Made by `config`, run by `engine`.

mod control;
mod demotion;
mod fate;
mod probe;
mod table;

use std::num::{NonZeroU8, NonZeroU16};
use std::sync::Arc;
use std::time::Duration;

pub use control::{CONTROL_DEFAULT, Control};
pub use demotion::Demotion;
pub use fate::Fate;
pub use probe::{
    Close, Dialogue, DialogueStep, Family, HeaderPattern, Http, HttpVersion, Network, Patterns, Peer, Probe,
    ProxyVersion, Service, Tls, TlsVersion,
};
pub use table::{
    Combine, DataPlaneChoice, Firewall, Member, Membership, Placement, Prefix, PrefixError, SLOTS_DEFAULT,
    SLOTS_MAX, STATE_DIR_DEFAULT, Share, Table,
};

/// A rule's slot. In a configuration that was just read: its index in the order of the file; from then on it
/// stays its own, whatever a reload adds, moves or takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u32);

impl RuleId {
    /// As an index into anything that is kept per rule.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One run of one rule; the only name by which events may speak of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// The rule.
    pub rule: RuleId,
    /// The run's number, from 1. 0 stands for "before the first run".
    pub run: u64,
}

/// hfm's `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Tests run, verdicts count.
    Enabled,
    /// Never scheduled.
    Disabled,
    /// Tests run; the rule is down whatever they say.
    AlwaysFail,
    /// Tests run; the rule is up whatever they say.
    AlwaysSuccess,
}

/// A program and its arguments; the program is looked up in PATH when it has no slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// Never empty.
    pub program: Box<str>,
    /// After the program's name.
    pub arguments: Vec<Box<str>>,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Runs a program: exit status 0 is success.
    Command {
        /// The program.
        command: CommandLine,
        /// SIGINT to its process group this long after its start. hfm's `timeout_int`.
        timeout_int: Option<Duration>,
        /// SIGKILL to its process group this long after its start. hfm's `timeout_kill`.
        timeout_kill: Option<Duration>,
    },
    /// Speaks to the target itself.
    Probe(Box<Probe>),
}

/// How verdicts become states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A rule, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `group/rule`, `rule`, or `default` for the root's own.
    pub name: Arc<str>,
    /// hfm's `status`.
    pub status: Status,
    /// hfm's `test` with its arguments and timeouts.
    pub test: Test,
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
    /// Its addresses and the tables that hold them.
    pub placement: Placement,
    /// Added to what is demoted while the rule is failed, 1 to 240; `None` for nothing. `demote`.
    pub demote: Option<NonZeroU8>,
}

impl Rule {
    /// What stands in a slot that no rule has.
    pub fn vacant() -> Self {
        let command = CommandLine { program: "".into(), arguments: Vec::new() };
        Self {
            name: "".into(),
            status: Status::Disabled,
            test: Test::Command { command, timeout_int: None, timeout_kill: None },
            start_delay: None,
            runs: None,
            interval: Duration::ZERO,
            interval_fail: Duration::ZERO,
            interval_debounce: None,
            spread: false,
            health: HealthSettings::default(),
            requires: Vec::new(),
            guard: Vec::new(),
            change_success: None,
            change_fail: None,
            change_timeout: None,
            placement: Placement::default(),
            demote: None,
        }
    }

    /// The program that is its test, if it has one.
    pub fn test_command(&self) -> Option<CommandLine> {
        match &self.test {
            Test::Command { command, .. } => Some(command.clone()),
            Test::Probe(_) => None,
        }
    }

    /// Whether it puts addresses into tables.
    pub fn has_tables(&self) -> bool {
        !self.placement.tables.is_empty()
    }

    /// Whether this is an empty slot: a rule of a file has a name.
    pub fn is_vacant(&self) -> bool {
        self.name.is_empty()
    }
}

/// Whom the program is to run as: names or numbers, which are looked up when it starts. Nothing by default: as
/// whoever starts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunAs {
    /// `user`.
    pub user: Option<Box<str>>,
    /// `group`; without one, the user's own.
    pub group: Option<Box<str>>,
}

/// Everything a configuration file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// In the order of the file, or by slot; a [`RuleId`] is an index into it.
    pub rules: Vec<Rule>,
    /// Change commands running at a time at most. `change_max`.
    pub change_max: usize,
    /// Every table that a rule names, in the order of the file.
    pub tables: Vec<Table>,
    /// What holds them.
    pub firewall: Firewall,
    /// Whom the program is to run as.
    pub run_as: RunAs,
    /// What a line of the log looks like. `log_format`.
    pub log_format: LogFormat,
    /// Where an operator speaks with it. `control`.
    pub control: Control,
    /// What the shares of failed rules are added to. `demotion`.
    pub demotion: Demotion,
}

/// What a line of the log looks like. `log_format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence, with ` key=value` behind it.
    #[default]
    Text,
    /// An object of JSON.
    Json,
}
