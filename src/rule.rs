//! A rule as meant: validated, immutable, every unit resolved. Made by `config`, run by `engine`.

mod control;
mod demotion;
mod fate;
mod gather;
mod probe;
mod shared;
mod table;
mod terms;
mod together;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

pub use control::{CONTROL_DEFAULT, Control};
pub use demotion::Demotion;
pub use fate::Fate;
pub use gather::gather;
pub use probe::{
    Close, Dialogue, DialogueStep, Family, HeaderPattern, Http, HttpVersion, Network, Page, Patterns, Peer,
    Probe, ProxyVersion, Service, Tls, TlsVersion,
};
pub use shared::{Alike, Shared};
pub use table::{
    Combine, DataPlaneChoice, Firewall, Member, Membership, Placement, Prefix, PrefixError, SLOTS_DEFAULT,
    SLOTS_MAX, STATE_DIR_DEFAULT, Share, Table,
};
pub use terms::{HealthSettings, Terms};
pub use together::{Passage, Together};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Tests run, verdicts count.
    Enabled,
    /// Never scheduled.
    #[default]
    Disabled,
    /// Tests run; the rule is down whatever they say.
    AlwaysFail,
    /// Tests run; the rule is up whatever they say.
    AlwaysSuccess,
}

/// A program and its arguments; the program is looked up in PATH when it has no slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        command: Box<CommandLine>,
        /// SIGINT to its process group this long after its start. hfm's `timeout_int`.
        timeout_int: Option<Duration>,
        /// SIGKILL to its process group this long after its start. hfm's `timeout_kill`.
        timeout_kill: Option<Duration>,
    },
    /// Speaks to the target itself.
    Probe(Together<Probe>),
}

impl Test {
    /// A program, or a URL; arguments may be secrets, and are no part of it.
    pub fn name(&self) -> &str {
        match self {
            Self::Command { command, .. } => &command.program,
            Self::Probe(probe) => &probe.url,
        }
    }
}

/// A rule, ready to run: what is its own. What it says like others of its section is in its [`Terms`], and reads as if
/// it were here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `group/rule`, `rule`, or `default` for the root's own.
    pub name: Passage,
    /// hfm's `test` with its arguments and timeouts.
    pub test: Test,
    /// Its addresses and the tables that hold them.
    pub placement: Shared<Placement>,
    /// Everything else.
    pub terms: Shared<Terms>,
}

impl Deref for Rule {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        &self.terms
    }
}

impl Rule {
    /// What stands in a slot that no rule has.
    pub fn vacant() -> Self {
        let command = CommandLine { program: "".into(), arguments: Vec::new() };
        Self {
            name: "".into(),
            test: Test::Command { command: command.into(), timeout_int: None, timeout_kill: None },
            placement: Shared::default(),
            terms: Shared::default(),
        }
    }

    /// The same rule on other terms.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(&mut self.terms);
        self
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

/// The programs of those tests that are programs.
pub fn test_commands(rules: &[Rule]) -> HashMap<RuleId, CommandLine> {
    let command = |(rule, id): (&Rule, u32)| match &rule.test {
        Test::Command { command, .. } => Some((RuleId(id), (**command).clone())),
        Test::Probe(_) => None,
    };
    rules.iter().zip(0..).filter_map(command).collect()
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
    /// Where the status page is served, if anywhere. `listen`.
    pub listen: Option<SocketAddr>,
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
