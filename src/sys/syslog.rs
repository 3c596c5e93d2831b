//! syslog(3). By libc: nix knows no `cron`, `authpriv` and `ftp`.

use std::ffi::{CStr, CString};

/// A syslog facility by hfm's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(libc::c_int);

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// LOG_ERR.
    Error,
    /// LOG_WARNING.
    Warning,
    /// LOG_INFO.
    Info,
    /// LOG_DEBUG.
    Debug,
}

const FACILITIES: &[(&str, libc::c_int)] = &[
    ("kern", libc::LOG_KERN),
    ("user", libc::LOG_USER),
    ("mail", libc::LOG_MAIL),
    ("daemon", libc::LOG_DAEMON),
    ("auth", libc::LOG_AUTH),
    ("syslog", libc::LOG_SYSLOG),
    ("lpr", libc::LOG_LPR),
    ("news", libc::LOG_NEWS),
    ("uucp", libc::LOG_UUCP),
    ("cron", libc::LOG_CRON),
    ("authpriv", libc::LOG_AUTHPRIV),
    ("ftp", libc::LOG_FTP),
    ("local0", libc::LOG_LOCAL0),
    ("local1", libc::LOG_LOCAL1),
    ("local2", libc::LOG_LOCAL2),
    ("local3", libc::LOG_LOCAL3),
    ("local4", libc::LOG_LOCAL4),
    ("local5", libc::LOG_LOCAL5),
    ("local6", libc::LOG_LOCAL6),
    ("local7", libc::LOG_LOCAL7),
];

impl Facility {
    /// Finds a facility by name, in any letter case.
    pub fn by_name(name: &str) -> Option<Self> {
        let found = FACILITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(Self(found.1))
    }

    /// Every name, in the order of syslog's numbers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FACILITIES.iter().map(|(name, _)| *name)
    }
}

/// Opens the connection at once and names this program in every message.
pub fn open(ident: &'static CStr, facility: Facility) {
    // SAFETY: openlog keeps the pointer, which is why the string is static.
    unsafe { libc::openlog(ident.as_ptr(), libc::LOG_PID | libc::LOG_NDELAY, facility.0) }
}

/// Sends one message. It may block while the system's logger does; NUL bytes are left out.
pub fn send(severity: Severity, message: &str) {
    let priority = match severity {
        Severity::Error => libc::LOG_ERR,
        Severity::Warning => libc::LOG_WARNING,
        Severity::Info => libc::LOG_INFO,
        Severity::Debug => libc::LOG_DEBUG,
    };
    let bytes: Vec<u8> = message.bytes().filter(|byte| *byte != 0).collect();
    let Ok(message) = CString::new(bytes) else { return };
    // SAFETY: both strings end in NUL and live through the call; the format takes exactly one string.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), message.as_ptr()) }
}
