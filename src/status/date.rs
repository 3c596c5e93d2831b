//! The date of an answer, in the one form that is to be written (IMF-fixdate, RFC 9110 section 5.6.7).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;
/// 1970 began with a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// Years are counted from March, so that the leap day is the last of its year.
const MONTHS: [&str; 12] =
    ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
/// From 0000-03-01 to 1970-01-01, in days.
const EPOCH: u64 = 719_468;

/// A moment as HTTP writes it, such as `Sun, 22 Nov 2026 07:09:53 GMT`; one before 1970 as the beginning of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct HttpDate(pub(super) SystemTime);

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (days, second) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let (year, month, day) = date(days);
        let name = |names: &'static [&str], index: u64| {
            usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
        };
        let (weekday, month) = (name(&DAYS, days % 7), name(&MONTHS, month));
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

/// Year, month from March on counted from 0, and day of the month, so many days after 1970 began.
fn date(days: u64) -> (u64, u64, u64) {
    /// Days of 400 years, of which 97 are leap years.
    const CYCLE: u64 = 146_097;
    let (cycles, day) = ((days + EPOCH) / CYCLE, (days + EPOCH) % CYCLE);
    // Leap days before this one: at the end of every 4 years, of no 100, and of 400.
    let year = (day - day / 1_460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    // Five months from March or August on have 153 days: 31, 30, 31, 30, 31.
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let year = 400 * cycles + year + u64::from(month >= 10);
    (year, month, of_month)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sys::clock::utc_time;

    #[test]
    fn dates_are_written_as_http_has_them() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_795_331_393, "Sun, 22 Nov 2026 07:09:53 GMT"),
        ] {
            assert_eq!(HttpDate(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(
            HttpDate(UNIX_EPOCH - Duration::from_secs(1)).to_string(),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn every_day_of_five_hundred_years_is_that_of_the_system() {
        for day in 0..500 * 365 {
            let at = UNIX_EPOCH + Duration::from_secs(day * SECONDS_PER_DAY);
            let known = utc_time(at);
            let (year, month, of_month) = date(day);
            let month = u8::try_from((month + 2) % 12 + 1).unwrap();
            assert_eq!((i64::try_from(year).unwrap(), month), (known.year.into(), known.month), "{day}");
            assert_eq!(of_month, u64::from(known.day), "{day}");
        }
    }
}
