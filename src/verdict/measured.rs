//! What a native run measured on its way to a verdict.

use std::time::Duration;

/// The phases of a run, each as long as it alone took; `None` for one that was not reached or not needed.
/// Taken in the loop, at the moment the loop saw each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Waiting for a name's first answer.
    pub resolve: Option<Duration>,
    /// From the first packet to the connection.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the connection (or the TLS session) to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// What is left of the certificate in seconds; negative once it has expired.
    pub certificate_left: Option<i64>,
}
