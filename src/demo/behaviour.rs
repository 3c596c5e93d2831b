//! The ways in which a backend of the demo can behave.

/// What a backend does with whoever connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behaviour {
    /// It answers as it should.
    Well,
    /// Nobody listens on its port.
    Refuses,
    /// It accepts, and never says a word.
    Hangs,
    /// It answers with status 503.
    Unavailable503,
    /// It shows a certificate that has expired.
    Expired,
    /// It answers byte by byte, so slowly that no run lives to see the end.
    Drips,
}

impl Behaviour {
    /// Every way to break, in the order in which the demo shows them.
    pub const BREAKAGES: [Self; 5] =
        [Self::Refuses, Self::Hangs, Self::Unavailable503, Self::Expired, Self::Drips];

    /// What the backend does, after its name.
    pub fn words(self) -> &'static str {
        match self {
            Self::Well => "answers as it should",
            Self::Refuses => "refuses connections",
            Self::Hangs => "hangs",
            Self::Unavailable503 => "answers 503",
            Self::Expired => "shows an expired certificate",
            Self::Drips => "drips its answer",
        }
    }

    /// What is wrong with the backend, in a column of a table; empty when nothing is.
    pub fn trouble(self) -> &'static str {
        match self {
            Self::Well => "",
            Self::Expired => "expired certificate",
            Self::Refuses | Self::Hangs | Self::Unavailable503 | Self::Drips => self.words(),
        }
    }
}
