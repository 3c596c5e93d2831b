//! What is demoted while rules with `demote` fail.

/// hfm's `demotion`: by what this machine tells its peer that it is the worse one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Demotion {
    /// CARP's demotion counter (FreeBSD): what is written is added to it.
    #[default]
    Carp,
    /// The sum alone in this file, by its absolute path, for keepalived's `track_file`.
    File(Box<str>),
}
