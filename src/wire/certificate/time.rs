//! The two forms of a moment (RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2): to the second, in UTC, ended by
//! `Z`.

use super::der::{Element, GENERALIZED_TIME, UTC_TIME};

const SECONDS_PER_DAY: i64 = 86_400;

/// The moment in seconds since 1970 UTC.
pub(super) fn seconds(time: Element<'_>) -> Option<i64> {
    let (year, rest) = match (time.tag, time.content.len()) {
        (UTC_TIME, 13) => {
            let (digits, rest) = time.content.split_at(2);
            let year = number(digits)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 15) => {
            let (digits, rest) = time.content.split_at(4);
            (number(digits)?, rest)
        }
        _ => return None,
    };
    let digits = rest.strip_suffix(b"Z")?;
    let field = |at: usize| digits.get(at..at + 2).and_then(number);
    let (month, day) = (field(0)?, field(2)?);
    let (hour, minute, second) = (field(4)?, field(6)?, field(8)?);
    let is_date = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// The number that these digits are, at most four.
fn number(digits: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, which also reaches back before its time.
///
/// Years are counted from March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    /// From 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Five months from March or August on have 153 days: 31, 30, 31, 30, 31.
    let before_month = (153 * month + 2) / 5;
    365 * year + leap_days + before_month + day - 1 - EPOCH
}

#[cfg(test)]
mod tests;
