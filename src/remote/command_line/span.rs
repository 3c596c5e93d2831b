//! A time as an operator gives it: `90s`, `30m`, `2h`, `1d`, `1h30m`.

use std::fmt;

use crate::control::protocol::FOR_MS_MAX;

/// Why a text is no time for `--for`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanError {
    /// A number without a unit.
    NoUnit(String),
    /// None at all.
    Zero,
    /// More than the protocol takes.
    TooLong,
    /// Anything else.
    Malformed(String),
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit(number) => {
                write!(f, "--for {number} has no unit: say {number}s for seconds or {number}m for minutes")
            }
            Self::Zero => {
                f.write_str("--for 0 would end at once: give a time above 0, or leave it out for no end")
            }
            Self::TooLong => f.write_str("--for takes ten years at most: leave it out for no end"),
            Self::Malformed(text) => {
                write!(f, "--for takes a time such as 90s, 30m, 2h, 1d or 1h30m, not {text:?}")
            }
        }
    }
}

impl std::error::Error for SpanError {}

/// Units, the largest first, in milliseconds.
const UNITS: &[(&str, u64)] = &[
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("min", 60_000),
    ("m", 60_000),
    ("s", 1000),
];

/// Milliseconds of a time: whole numbers, each with its unit, from the largest unit to the smallest.
///
/// # Errors
/// When it is none, or one that cannot be asked for.
pub fn milliseconds(text: &str) -> Result<u64, SpanError> {
    let malformed = || SpanError::Malformed(text.to_owned());
    let (mut total, mut last) = (0_u64, u64::MAX);
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(end_of(rest, |c| c.is_ascii_digit()));
        let (unit, after) = after.split_at(end_of(after, |c| c.is_ascii_alphabetic()));
        if digits.is_empty() {
            return Err(malformed());
        }
        if unit.is_empty() && digits == text && digits.contains(|c| c != '0') {
            return Err(SpanError::NoUnit(digits.to_owned()));
        }
        let unit = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, unit)) if *unit < last => *unit,
            None if digits == text => last,
            Some(_) | None => return Err(malformed()),
        };
        // Digits alone: too many of them for a number are too long a time.
        let part = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        total = part.and_then(|part| total.checked_add(part)).ok_or(SpanError::TooLong)?;
        (last, rest) = (unit, after);
    }
    match total {
        _ if text.is_empty() => Err(malformed()),
        0 => Err(SpanError::Zero),
        1..=FOR_MS_MAX => Ok(total),
        _ => Err(SpanError::TooLong),
    }
}

/// Where the characters of a kind that a text begins with end.
fn end_of(text: &str, is_of_kind: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_of_kind(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_units_from_large_to_small() {
        for (text, expected) in [
            ("90s", 90_000),
            ("30m", 1_800_000),
            ("30min", 1_800_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
            ("1h30m", 5_400_000),
            ("1d0h1s", 86_401_000),
            ("3660d", FOR_MS_MAX),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_number_alone_is_told_what_to_say() {
        for text in ["30", "1", "007"] {
            assert_eq!(milliseconds(text), Err(SpanError::NoUnit(text.to_owned())));
        }
        let help = SpanError::NoUnit("30".to_owned()).to_string();
        assert!(help.contains("30s") && help.contains("30m"), "{help}");
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for text in ["0", "0s", "0h0m", "00"] {
            assert_eq!(milliseconds(text), Err(SpanError::Zero), "{text}");
        }
        for text in ["3661d", "3660d1s", "99999999999999999999s", "18446744073709551615w"] {
            assert_eq!(milliseconds(text), Err(SpanError::TooLong), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "", "h", "2 h", "2h 30m", "-2h", "+2h", "1.5h", "2H", "30m1h", "1h1h", "1m1min", "2h30", "2x",
            "٣h",
        ] {
            assert_eq!(milliseconds(text), Err(SpanError::Malformed(text.to_owned())), "{text:?}");
        }
    }
}
