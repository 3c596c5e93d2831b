//! Times as people write them, and the time that a thread has had.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment on the calendar and the clock: of this machine's time zone, or in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarTime {
    /// Such as 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
}

/// Converts by the time zone in force (localtime_r(3)). A time that the C library cannot express is given
/// as the start of 1970.
pub fn local_time(at: SystemTime) -> CalendarTime {
    broken_down(at, |seconds, tm| {
        // SAFETY: both pointers are of references, valid for the call.
        !unsafe { libc::localtime_r(&raw const *seconds, &raw mut *tm) }.is_null()
    })
}

/// The same in UTC (gmtime_r(3)).
pub fn utc_time(at: SystemTime) -> CalendarTime {
    broken_down(at, |seconds, tm| {
        // SAFETY: both pointers are of references, valid for the call.
        !unsafe { libc::gmtime_r(&raw const *seconds, &raw mut *tm) }.is_null()
    })
}

/// How long the calling thread has had a processor (CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)).
pub fn thread_cpu() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

fn broken_down(at: SystemTime, convert: fn(&libc::time_t, &mut libc::tm) -> bool) -> CalendarTime {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let seconds = libc::time_t::try_from(seconds).unwrap_or_default();
    // SAFETY: `tm` is plain data for which all zeroes is a value.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    if !convert(&seconds, &mut tm) {
        return CalendarTime { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    }
    let small = |value: libc::c_int| u8::try_from(value).unwrap_or_default();
    CalendarTime {
        year: tm.tm_year + 1900,
        month: small(tm.tm_mon + 1),
        day: small(tm.tm_mday),
        hour: small(tm.tm_hour),
        minute: small(tm.tm_min),
        second: small(tm.tm_sec),
    }
}
