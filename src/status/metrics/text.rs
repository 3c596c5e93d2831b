//! Numbers and labels as the Prometheus text format has them, without the machinery of `format!`: ten thousand rules are
//! over a hundred thousand lines.

/// Digits of the largest `u64`.
const DIGITS_MAX: usize = 20;
/// Decimal places of a second in nanoseconds.
const PLACES: usize = 9;

/// All two-digit numbers, one after the other.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize * 2] = b'0' + number / 10;
        pairs[number as usize * 2 + 1] = b'0' + number % 10;
        number += 1;
    }
    pairs
};

/// A whole number.
pub(super) fn integer(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    while number >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(pair(number % 100));
        number /= 100;
    }
    // What is left is one digit; after an even number of digits it is a 0 that is not written.
    if number > 0 || at == DIGITS_MAX {
        at -= 1;
        digits[at] = pair(number)[1];
    }
    out.extend_from_slice(&digits[at..]);
}

/// The two digits of a number below 100.
fn pair(number: u64) -> &'static [u8] {
    let at = usize::try_from(number).map_or(0, |number| number * 2);
    &PAIRS[at..at + 2]
}

/// A whole number that may be below zero.
pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    integer(out, number.unsigned_abs());
}

/// Nanoseconds, in seconds: as many decimal places as they need.
pub(super) fn seconds(out: &mut Vec<u8>, nanos: u64) {
    const NANOS: u64 = 1_000_000_000;
    integer(out, nanos / NANOS);
    let rest = nanos % NANOS;
    if rest == 0 {
        return;
    }
    let mut places = [b'0'; PLACES];
    let mut left = rest;
    for place in places.iter_mut().rev() {
        *place = pair(left % 10)[1];
        left /= 10;
    }
    let last = places.iter().rposition(|place| *place != b'0').unwrap_or(0);
    out.push(b'.');
    out.extend_from_slice(&places[..=last]);
}

/// The value of a label: backslash, quote and line feed are escaped, all else stands as it is (the format is UTF-8).
pub(super) fn label(out: &mut Vec<u8>, value: &str) {
    let mut rest = value.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'\n' => b"\\n",
            b'"' => b"\\\"",
            _ => b"\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|of| [of - 1, of, of + 1, of.saturating_mul(7), of.saturating_mul(95)]);
        for number in around.chain(0..10_100).chain([u64::MAX, u64::MAX - 1]) {
            assert_eq!(written(|out| integer(out, number)), number.to_string());
        }
        for number in [0, 1, -1, -10, i64::MIN, i64::MAX] {
            assert_eq!(written(|out| signed(out, number)), number.to_string());
        }
    }

    #[test]
    fn seconds_have_the_places_they_need() {
        let cases = [
            (0, "0"),
            (1, "0.000000001"),
            (310_000, "0.00031"),
            (999_999_999, "0.999999999"),
            (1_000_000_000, "1"),
            (60_500_000_000, "60.5"),
            (u64::MAX, "18446744073.709551615"),
        ];
        for (nanos, wanted) in cases {
            assert_eq!(written(|out| seconds(out, nanos)), wanted);
        }
    }

    #[test]
    fn a_label_escapes_what_would_end_it_or_its_line() {
        assert_eq!(written(|out| label(out, "lb1/haproxy")), "lb1/haproxy");
        assert_eq!(written(|out| label(out, "a\"b\\c\nd")), "a\\\"b\\\\c\\nd");
        assert_eq!(written(|out| label(out, "\\n\"\"")), "\\\\n\\\"\\\"");
        assert_eq!(written(|out| label(out, "Bär\u{2028}\r\t")), "Bär\u{2028}\r\t");
        assert_eq!(written(|out| label(out, "")), "");
    }
}
