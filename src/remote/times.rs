//! Times and moments, as people read them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::now::Now;
use crate::sys::clock::local_time;

/// What is known of none.
pub(super) const NOTHING: &str = "-";

/// Seconds since 1970 of a moment.
pub(super) fn seconds(now: Now) -> f64 {
    now.wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A time in one unit: `0.4s`, `12s`, `59m`, `47h`, `3d`, four characters for up to three years.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short(pub(super) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0.0);
        if seconds < 9.95 {
            return write!(f, "{seconds:.1}s");
        }
        // Whole units that have passed; a float too large for the type is its largest value.
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        let seconds = seconds as u64;
        match (seconds / 60, seconds / 3600) {
            (0, _) => write!(f, "{seconds}s"),
            (minutes, 0) => write!(f, "{minutes}m"),
            (_, hours @ ..48) => write!(f, "{hours}h"),
            (_, hours) => write!(f, "{}d", hours / 24),
        }
    }
}

/// A time in two units: `12s`, `4m 12s`, `2h 5m`, `3d 4h`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long(pub(super) f64);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        let seconds = self.0.max(0.0).round() as u64;
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let (large, small) = match (days, hours, minutes) {
            (0, 0, 0) => return write!(f, "{seconds}s"),
            (0, 0, _) => ((minutes, 'm'), (seconds % 60, 's')),
            (0, ..) => ((hours, 'h'), (minutes % 60, 'm')),
            _ => ((days, 'd'), (hours % 24, 'h')),
        };
        write!(f, "{}{}", large.0, large.1)?;
        if small.0 > 0 { write!(f, " {}{}", small.0, small.1) } else { Ok(()) }
    }
}

/// A time in microseconds, to two or three digits: `214us`, `1.3ms`, `12ms`, `1.2s`, `12s`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Micros(pub(super) u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tenths of the next unit, rounded; from ten on whole ones.
        let tenths = |unit: u64| (self.0.saturating_add(unit / 20)) / (unit / 10);
        let whole = |unit: u64| (self.0.saturating_add(unit / 2)) / unit;
        match self.0 {
            0..1_000 => write!(f, "{}us", self.0),
            1_000..9_950 => write!(f, "{}.{}ms", tenths(1_000) / 10, tenths(1_000) % 10),
            9_950..999_500 => write!(f, "{}ms", whole(1_000)),
            999_500..9_950_000 => write!(f, "{}.{}s", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
            _ => write!(f, "{}s", whole(1_000_000)),
        }
    }
}

/// A share in percent; only what is all of it is 100.
#[derive(Clone, Copy, Debug)]
pub(super) struct Percent(pub(super) f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100.0 {
            return f.write_str("100%");
        }
        // Rounded down: what failed once was not always there.
        write!(f, "{:.2}%", (self.0.max(0.0) * 100.0).floor() / 100.0)
    }
}

/// A moment, in this machine's time zone: `2026-11-21 08:02:42`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) f64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = Duration::try_from_secs_f64(self.0).ok();
        match since.and_then(|since| UNIX_EPOCH.checked_add(since)) {
            Some(at) => write!(f, "{}", Local(at)),
            None => f.write_str("at no time"),
        }
    }
}

/// A moment of the system's clock, in this machine's time zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local(pub(super) SystemTime);

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = local_time(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }
}

/// Reads a moment as hfm's log writes it, `2026-11-21T08:02:42.017329Z` (RFC 3339, UTC).
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(whole);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(whole);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_moment = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !is_moment {
        return None;
    }
    let nanos = whole(&format!("{fraction:0<9}"))?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanos))
}

fn whole(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|_| digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; years begin in March, and so a leap day ends one.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let month_from_march = (month + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + day - 1;
    // 719,468 days lie between the first of March of year 0 and 1970.
    (365 * year + year / 4 - year / 100 + year / 400 + of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (seconds, short, long) in [
            (-3.0, "0.0s", "0s"),
            (0.44, "0.4s", "0s"),
            (9.96, "9s", "10s"),
            (12.7, "12s", "13s"),
            (60.0, "1m", "1m"),
            (252.0, "4m", "4m 12s"),
            (7500.0, "2h", "2h 5m"),
            (172_800.0, "2d", "2d"),
            (273_600.0, "3d", "3d 4h"),
            (1e300, "213503982334601d", "213503982334601d 7h"),
        ] {
            assert_eq!(Short(seconds).to_string(), short);
            assert_eq!(Long(seconds).to_string(), long);
        }
    }

    #[test]
    fn latencies_keep_two_digits_and_five_characters() {
        for (us, expected) in [
            (0, "0us"),
            (214, "214us"),
            (1_000, "1.0ms"),
            (1_290, "1.3ms"),
            (9_949, "9.9ms"),
            (9_950, "10ms"),
            (312_400, "312ms"),
            (999_499, "999ms"),
            (999_500, "1.0s"),
            (9_949_999, "9.9s"),
            (12_000_000, "12s"),
        ] {
            assert_eq!(Micros(us).to_string(), expected, "{us}");
        }
        assert!(Micros(u64::MAX).to_string().ends_with('s'));
    }

    #[test]
    fn only_all_is_a_hundred_percent() {
        for (percent, expected) in [(100.0, "100%"), (99.999, "99.99%"), (0.0, "0.00%"), (12.5, "12.50%")] {
            assert_eq!(Percent(percent).to_string(), expected);
        }
    }

    #[test]
    fn moments_of_the_log_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0.0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600.0)),
            ("2026-11-21T08:02:42.25Z", Some(1_795_248_162.25)),
            ("2026-12-31T23:59:60Z", Some(1_798_761_600.0)),
            ("2026-13-21T08:02:42Z", None),
            ("2026-11-21T08:02:42", None),
            ("2026-11-21 08:02:42Z", None),
            ("1969-11-21T08:02:42Z", None),
            ("2026-11-21T08:02:42.0123456789Z", None),
            ("0000-00-00T00:00:00Z", None),
            ("+2026-1-1T1:1:1Z", None),
            ("99999999999-11-21T08:02:42Z", None),
            ("", None),
        ] {
            let at = parse(text).map(|at| at.duration_since(UNIX_EPOCH).expect("after it").as_secs_f64());
            assert_eq!(at, expected, "{text}");
        }
    }

    #[test]
    fn a_moment_that_cannot_be_is_no_panic() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Moment(seconds).to_string(), "at no time");
        }
        assert_eq!(Moment(1e9).to_string().len(), "2001-09-09 01:46:40".len());
    }
}
