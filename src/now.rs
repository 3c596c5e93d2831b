//! The moment at which something is handled: the only way time reaches the core.

use std::time::{Instant, SystemTime};

/// One reading of both clocks, taken by a loop of layer 5 and passed down as the last argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines, intervals and lateness; never goes back.
    pub mono: Instant,
    /// For people and certificates; may jump.
    pub wall: SystemTime,
}
