//! The stable names of the reasons for which a target counts as failed: one for each [`Cause`], without its details.

use super::Cause;

/// Why a target counts as failed, in a word and in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// [`Cause::Refused`].
    Refused,
    /// [`Cause::Reset`].
    Reset,
    /// [`Cause::Unreachable`].
    Unreachable,
    /// [`Cause::Closed`].
    Closed,
    /// [`Cause::TimeoutConnect`].
    TimeoutConnect,
    /// [`Cause::TimeoutTls`].
    TimeoutTls,
    /// [`Cause::TimeoutResponse`].
    TimeoutResponse,
    /// [`Cause::TlsAlert`].
    TlsAlert,
    /// [`Cause::TlsProtocol`].
    TlsProtocol,
    /// [`Cause::TlsUntrusted`].
    TlsUntrusted,
    /// [`Cause::TlsName`].
    TlsName,
    /// [`Cause::TlsExpired`].
    TlsExpired,
    /// [`Cause::TlsNotYet`].
    TlsNotYet,
    /// [`Cause::TlsExpiry`].
    TlsExpiry,
    /// [`Cause::HttpProtocol`].
    HttpProtocol,
    /// [`Cause::HttpStatus`].
    HttpStatus,
    /// [`Cause::Header`].
    Header,
    /// [`Cause::PatternMissing`].
    PatternMissing,
    /// [`Cause::PatternRejected`].
    PatternRejected,
    /// [`Cause::ExitStatus`].
    ExitStatus,
    /// [`Cause::Signal`].
    Signal,
    /// [`Cause::TimeoutInt`].
    TimeoutInt,
    /// [`Cause::TimeoutKill`].
    TimeoutKill,
    /// [`Cause::Requires`].
    Requires,
    /// [`Cause::Drained`].
    Drained,
    /// [`Cause::AlwaysFail`].
    AlwaysFail,
}

impl Reason {
    /// The first and the last in their order.
    pub const ENDS: (Self, Self) = (Self::Refused, Self::AlwaysFail);

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::Closed => "closed",
            Self::TimeoutConnect => "timeout-connect",
            Self::TimeoutTls => "timeout-tls",
            Self::TimeoutResponse => "timeout-response",
            Self::TlsAlert => "tls-alert",
            Self::TlsProtocol => "tls-protocol",
            Self::TlsUntrusted => "tls-untrusted",
            Self::TlsName => "tls-name",
            Self::TlsExpired => "tls-expired",
            Self::TlsNotYet => "tls-not-yet",
            Self::TlsExpiry => "tls-expiry",
            Self::HttpProtocol => "http-protocol",
            Self::HttpStatus => "http-status",
            Self::Header => "header",
            Self::PatternMissing => "pattern-missing",
            Self::PatternRejected => "pattern-rejected",
            Self::ExitStatus => "exit-status",
            Self::Signal => "signal",
            Self::TimeoutInt => "timeout-int",
            Self::TimeoutKill => "timeout-kill",
            Self::Requires => "requires",
            Self::Drained => "drained",
            Self::AlwaysFail => "always-fail",
        }
    }
}

impl Cause {
    /// The reason without its details.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(_) => Reason::Refused,
            Self::Reset(_) => Reason::Reset,
            Self::Unreachable(_) => Reason::Unreachable,
            Self::Closed(_) => Reason::Closed,
            Self::TimeoutConnect(_) => Reason::TimeoutConnect,
            Self::TimeoutTls(_) => Reason::TimeoutTls,
            Self::TimeoutResponse { .. } => Reason::TimeoutResponse,
            Self::TlsAlert(_) => Reason::TlsAlert,
            Self::TlsProtocol(_) => Reason::TlsProtocol,
            Self::TlsUntrusted(_) => Reason::TlsUntrusted,
            Self::TlsName(_) => Reason::TlsName,
            Self::TlsExpired(_) => Reason::TlsExpired,
            Self::TlsNotYet(_) => Reason::TlsNotYet,
            Self::TlsExpiry { .. } => Reason::TlsExpiry,
            Self::HttpProtocol(_) => Reason::HttpProtocol,
            Self::HttpStatus { .. } => Reason::HttpStatus,
            Self::Header(_) => Reason::Header,
            Self::PatternMissing(_) => Reason::PatternMissing,
            Self::PatternRejected(_) => Reason::PatternRejected,
            Self::ExitStatus(_) => Reason::ExitStatus,
            Self::Signal(_) => Reason::Signal,
            Self::TimeoutInt(_) => Reason::TimeoutInt,
            Self::TimeoutKill(_) => Reason::TimeoutKill,
            Self::Requires => Reason::Requires,
            Self::Drained => Reason::Drained,
            Self::AlwaysFail => Reason::AlwaysFail,
        }
    }
}
