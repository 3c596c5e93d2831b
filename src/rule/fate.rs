//! What a reload makes of rules.

/// What becomes of the rule in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The same rule, to the letter.
    Kept,
    /// The same test and addresses; another schedule, debounce, or other actions: its state is kept.
    Adjusted,
    /// The same name, another test or other addresses: its state is unknown.
    Changed,
    /// A rule that was not there before.
    New,
    /// Its rule is not in the file any more.
    Vacated,
    /// Empty, as it was before.
    Vacant,
}
