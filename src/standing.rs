//! What a rule has to say about its addresses and about this gateway: the word that goes from the engine to the writer
//! of tables, and to what demotes.

use std::time::Instant;

/// A rule's part in the fate of its addresses, and of this gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contribution {
    /// None: the rule is disabled in the file, or ended before it knew anything.
    Nothing,
    /// It may become either.
    #[default]
    Unknown,
    /// The address works.
    Up,
    /// It does not.
    Down {
        /// Only because an operator drains the rule, or one that it requires: no failure.
        drained: bool,
    },
}

/// A rule's contribution, and what there is to know of it. The newest replaces all before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// By its effective state, which is an override's where there is one.
    pub contribution: Contribution,
    /// When the contribution became what it is.
    pub since: Instant,
    /// No conclusive verdict for too long, though it is scheduled.
    pub stale: bool,
    /// It has had a conclusive verdict since the start, or will never have one.
    pub settled: bool,
}

/// What an operator has set in place of a rule's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// Taken out on purpose.
    Drained,
    /// Tested no more; what it says stays as it is.
    Disabled,
    /// Down whatever the tests say.
    AlwaysFail,
    /// Up whatever the tests say.
    AlwaysSuccess,
}

impl Override {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Drained, Self::Disabled, Self::AlwaysFail, Self::AlwaysSuccess];

    /// The word that control and the record of overrides speak.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Disabled => "disabled",
            Self::AlwaysFail => "always-fail",
            Self::AlwaysSuccess => "always-success",
        }
    }
}
