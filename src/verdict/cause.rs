//! Why a target counts as failed: a variant per ending, and its words. Their stable names are those of [`Reason`](super::Reason).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Ending, SignalName, SystemWords};

/// A detail in words. Cheap to copy, and a probe's plan keeps those that it can know beforehand.
pub type Text = Arc<str>;

/// Why a target counts as failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The target refused the connection, or its local socket is not there; the `errno`.
    Refused(i32),
    /// The target reset the connection.
    Reset(Stage),
    /// The target cannot be reached from here; the `errno`.
    Unreachable(i32),
    /// The target closed the connection before the outcome was certain.
    Closed(Stage),
    /// No connection within the timeout.
    TimeoutConnect(Duration),
    /// No TLS session within the timeout.
    TimeoutTls(Duration),
    /// No certain outcome within the timeout.
    TimeoutResponse {
        /// The timeout.
        limit: Duration,
        /// Bytes of the answer received by then.
        received: u64,
    },
    /// The target ended TLS with an alert; its name (RFC 8446 section 6.2).
    TlsAlert(Text),
    /// What came is not TLS as it may be spoken here.
    TlsProtocol(Text),
    /// The certificate does not lead to one that is trusted.
    TlsUntrusted(Text),
    /// The certificate is for other names.
    TlsName(Text),
    /// The certificate has expired.
    TlsExpired(Text),
    /// The certificate does not count yet.
    TlsNotYet(Text),
    /// The certificate expires in less than `tls_expiry`.
    TlsExpiry {
        /// What is left of it.
        left: Duration,
        /// `tls_expiry`.
        wanted: Duration,
    },
    /// What came is not HTTP as it may be spoken here.
    HttpProtocol(Text),
    /// The status of the response is not in `http_status`.
    HttpStatus {
        /// It.
        seen: u16,
        /// `http_status`.
        wanted: Text,
    },
    /// The response head lacks an expected header or has a rejected one.
    Header(Text),
    /// An expected pattern is not in the reply.
    PatternMissing(Text),
    /// A rejected pattern is in the reply.
    PatternRejected(Text),
    /// The test exited with a status other than 0.
    ExitStatus(i32),
    /// The test was ended by a signal that was not ours.
    Signal(i32),
    /// The test had to be interrupted at `timeout_int` and did not then succeed.
    TimeoutInt(TimedOut),
    /// The test had to be killed at `timeout_kill`.
    TimeoutKill(TimedOut),
    /// A rule named in `requires` is down.
    Requires,
    /// An operator has taken the rule out on purpose.
    Drained,
    /// `status = always-fail`, or an operator has set it so.
    AlwaysFail,
}

/// How far a connection had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was being made.
    Connect,
    /// TLS was being agreed on.
    Tls,
    /// Nothing of the answer had come.
    Request,
    /// A part of the answer had come.
    Response,
}

/// A timeout that struck, and how the test ended then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// The timeout as configured.
    pub limit: Duration,
    /// How the process ended after the signal.
    pub ending: Ending,
}

/// Request Timeout (RFC 9110 section 15.5.9): the server did not get our request in time.
const REQUEST_TIMEOUT: u16 = 408;

impl Cause {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        self.reason().name()
    }

    /// Whether this process itself may have brought it about by being slow: the target waited for us.
    pub fn may_be_our_lateness(&self) -> bool {
        match self {
            Self::Reset(_)
            | Self::Closed(_)
            | Self::TimeoutConnect(_)
            | Self::TimeoutTls(_)
            | Self::TimeoutResponse { .. }
            | Self::TimeoutInt(_)
            | Self::TimeoutKill(_) => true,
            Self::HttpStatus { seen, .. } => *seen == REQUEST_TIMEOUT,
            Self::Refused(_)
            | Self::Unreachable(_)
            | Self::TlsAlert(_)
            | Self::TlsProtocol(_)
            | Self::TlsUntrusted(_)
            | Self::TlsName(_)
            | Self::TlsExpired(_)
            | Self::TlsNotYet(_)
            | Self::TlsExpiry { .. }
            | Self::HttpProtocol(_)
            | Self::Header(_)
            | Self::PatternMissing(_)
            | Self::PatternRejected(_)
            | Self::ExitStatus(_)
            | Self::Signal(_)
            | Self::Requires
            | Self::Drained
            | Self::AlwaysFail => false,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(errno) => SystemWords(*errno).fmt(f),
            Self::Reset(stage) => write!(f, "connection reset {stage}"),
            Self::Unreachable(errno) => {
                write!(f, "cannot be reached from here: {}", SystemWords(*errno))
            }
            Self::Closed(stage) => write!(f, "connection closed {stage}"),
            Self::TimeoutConnect(limit) => write!(f, "no connection within {limit:?}"),
            Self::TimeoutTls(limit) => write!(f, "no TLS session within {limit:?}"),
            Self::TimeoutResponse { limit, received: 0 } => write!(f, "no answer within {limit:?}"),
            Self::TimeoutResponse { limit, received } => {
                write!(f, "no complete answer within {limit:?}, only {received} bytes")
            }
            Self::TlsAlert(alert) => write!(f, "the server ended TLS with the alert {alert}"),
            Self::TlsExpiry { left, wanted } => write!(
                f,
                "the certificate expires in {}, and tls_expiry asks for {}",
                Days(*left),
                Days(*wanted)
            ),
            Self::HttpStatus { seen, wanted } => write!(f, "status {seen}, wanted {wanted}"),
            Self::TlsProtocol(text)
            | Self::TlsUntrusted(text)
            | Self::TlsName(text)
            | Self::TlsExpired(text)
            | Self::TlsNotYet(text)
            | Self::HttpProtocol(text)
            | Self::Header(text)
            | Self::PatternMissing(text)
            | Self::PatternRejected(text) => f.write_str(text),
            Self::ExitStatus(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "ended by signal {}", SignalName(*signal)),
            Self::TimeoutInt(timed_out) => {
                write!(f, "interrupted after {:?}, then {}", timed_out.limit, timed_out.ending)
            }
            Self::TimeoutKill(timed_out) => {
                write!(f, "killed after {:?}, then {}", timed_out.limit, timed_out.ending)
            }
            Self::Requires => f.write_str("a rule it requires is down"),
            Self::Drained => f.write_str("drained by an operator"),
            Self::AlwaysFail => f.write_str("set to always-fail"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while it was being made",
            Self::Tls => "during the TLS handshake",
            Self::Request => "before any answer",
            Self::Response => "in the middle of the answer",
        })
    }
}

/// A time that is told in days, and below two of them in hours, minutes and seconds.
pub struct Days(pub Duration);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 86_400, seconds / 3_600, seconds / 60) {
            (days, ..) if days >= 2 => write!(f, "{days} days"),
            (_, hours, _) if hours >= 2 => write!(f, "{hours} h"),
            (_, _, minutes) if minutes >= 2 => write!(f, "{minutes} min"),
            _ => write!(f, "{seconds} s"),
        }
    }
}
