//! Numbers and their units.
//!
//! Decides whether the front of a text is a number as libucl sees it. Most things that look odd
//! here are its rules: what is not a number down to the end of the value is a string, a blank may
//! stand after a plain number but not after a unit, and `x` may follow any digits.

use std::ops::Range;

use super::cursor::{is_blank, is_value_end};
use super::value::Kind;

/// What stands at the front of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Front {
    /// No number.
    Text,
    /// A number, and how many bytes it takes: as written, and with the blanks behind it.
    Number { kind: Kind, written: usize, taken: usize },
    /// A number that 64 bits cannot hold.
    OutOfRange,
    /// A number of which libucl drops a part.
    Dropped,
}

/// Longest number: libucl copies it to a buffer of this size, sign and end included.
const NUMBER_BYTES_MAX: usize = 128;

/// Reads the number at the front of `text`, if there is one.
pub(super) fn front(text: &str) -> Front {
    let bytes = text.as_bytes();
    let Some(shape) = shape(bytes) else { return Front::Text };
    let (number, end) = match value(text, &shape) {
        Ok(read) => read,
        Err(front) => return front,
    };
    let rest = &bytes[end..];
    let Some((unit, unit_bytes, taken)) = unit(rest) else { return Front::Text };
    if shape.radix == Radix::Garbled || (shape.radix == Radix::Hex && matches!(unit, Unit::Time { .. })) {
        return Front::Dropped;
    }
    match apply(number, unit) {
        Some(kind) => Front::Number { kind, written: end + unit_bytes, taken: end + taken },
        None => Front::OutOfRange,
    }
}

/// The number that this text is from end to end, if it is one.
pub fn number(text: &str) -> Option<Kind> {
    match front(text) {
        Front::Number { kind, taken, .. } if taken == text.len() => Some(kind),
        Front::Number { .. } | Front::Text | Front::OutOfRange | Front::Dropped => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Radix {
    Decimal,
    Hex,
    /// An `x` after other digits than one 0: libucl forgets what stands before it.
    Garbled,
}

struct Shape {
    digits: Range<usize>,
    negative: bool,
    float: bool,
    radix: Radix,
}

/// How far the characters of a number go.
fn shape(bytes: &[u8]) -> Option<Shape> {
    let negative = bytes.first() == Some(&b'-');
    let mut start = usize::from(negative);
    let mut at = start;
    let (mut dot, mut exponent, mut digit, mut radix) = (false, false, false, Radix::Decimal);
    while let Some(&byte) = bytes.get(at) {
        let hex = radix != Radix::Decimal;
        match byte {
            b'0'..=b'9' => digit = true,
            _ if hex && byte.is_ascii_hexdigit() => {}
            b'x' | b'X' if !hex => {
                radix = if &bytes[start..at] == b"0" { Radix::Hex } else { Radix::Garbled };
                start = at + 1;
            }
            b'.' if hex => return None,
            _ if hex => break,
            _ if at == start => return None,
            b'.' if dot => return None,
            b'.' => dot = true,
            b'e' | b'E' if exponent => return None,
            b'e' | b'E' => {
                exponent = true;
                at += 1;
                if !bytes.get(at).is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')) {
                    return None;
                }
            }
            _ => break,
        }
        at += 1;
    }
    if !digit || at == start || at - start + 1 >= NUMBER_BYTES_MAX {
        return None;
    }
    Some(Shape { digits: start..at, negative, float: dot || exponent, radix })
}

#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

/// The value of the digits and where they end, which may be before the end of the shape.
fn value(text: &str, shape: &Shape) -> Result<(Number, usize), Front> {
    let digits = &text[shape.digits.clone()];
    if shape.radix == Radix::Garbled {
        return Ok((Number::Integer(0), shape.digits.end));
    }
    let sign = if shape.negative { "-" } else { "" };
    if shape.float {
        let len = float_len(digits.as_bytes());
        let number: f64 = format!("{sign}{}", &digits[..len]).parse().map_err(|_| Front::Text)?;
        let mantissa = digits[..len].split(['e', 'E']).next().unwrap_or_default();
        let tiny =
            (number == 0.0 || number.is_subnormal()) && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'));
        if number.is_infinite() || tiny {
            return Err(Front::OutOfRange);
        }
        return Ok((Number::Float(number), shape.digits.start + len));
    }
    let radix = if shape.radix == Radix::Hex { 16 } else { 10 };
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix).map_err(|_| Front::OutOfRange)?;
    Ok((Number::Integer(number), shape.digits.end))
}

/// The longest front that is a float as strtod(3) reads it.
fn float_len(digits: &[u8]) -> usize {
    let run = |from: usize| digits[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = run(0);
    if digits.get(at) == Some(&b'.') {
        at += 1;
        at += run(at);
    }
    if matches!(digits.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(digits.get(at + 1), Some(b'+' | b'-')));
        let from = (at + 1 + sign).min(digits.len());
        if run(from) > 0 {
            at = from + run(from);
        }
    }
    at
}

#[derive(Clone, Copy)]
enum Unit {
    Plain,
    Decimal(u32),
    Bytes(u32),
    Time { mul: f64, div: f64 },
}

/// The unit at the front of what follows the digits, the bytes of its name, and the bytes taken.
fn unit(rest: &[u8]) -> Option<(Unit, usize, usize)> {
    let ends = |at: usize| rest.get(at).is_none_or(|b| is_value_end(*b));
    let time = |mul: f64, len: usize| ends(len).then_some((Unit::Time { mul, div: 1.0 }, len, len));
    if ends(0) {
        return Some((Unit::Plain, 0, 0));
    }
    let lower = |at: usize| rest.get(at).map(u8::to_ascii_lowercase);
    match lower(0)? {
        first @ (b'k' | b'm' | b'g') => {
            let power = match first {
                b'k' => 1,
                b'm' => 2,
                _ => 3,
            };
            match lower(1) {
                Some(b's') if first == b'm' => {
                    ends(2).then_some((Unit::Time { mul: 1.0, div: 1000.0 }, 2, 2))
                }
                Some(b's') => time(1000_f64.powi(power), 2),
                Some(b'b') => ends(2).then_some((Unit::Bytes(10 * power.unsigned_abs()), 2, 2)),
                Some(_) | None if ends(1) => Some((Unit::Decimal(power.unsigned_abs()), 1, 1)),
                Some(b'i') if first == b'm' && lower(2) == Some(b'n') => time(60.0, 3),
                Some(_) | None => None,
            }
        }
        b's' => time(1.0, 1),
        b'h' => time(3600.0, 1),
        b'd' => time(86_400.0, 1),
        b'w' => time(604_800.0, 1),
        b'y' => time(31_536_000.0, 1),
        first if is_blank(first) => {
            let blanks = rest.iter().take_while(|b| is_blank(**b)).count();
            ends(blanks).then_some((Unit::Plain, 0, blanks))
        }
        _ => None,
    }
}

/// The number times its unit, unless that is out of range.
fn apply(number: Number, unit: Unit) -> Option<Kind> {
    match (unit, number) {
        (Unit::Plain, Number::Integer(whole)) => Some(Kind::Integer(whole)),
        (Unit::Plain, Number::Float(float)) => Some(Kind::Float(float)),
        (Unit::Decimal(power), Number::Integer(whole)) => {
            whole.checked_mul(1000_i64.pow(power)).map(Kind::Integer)
        }
        (Unit::Decimal(power), Number::Float(float)) => Some(Kind::Float(float * 1000_i64.pow(power) as f64)),
        (Unit::Bytes(shift), Number::Integer(whole)) => whole.checked_mul(1 << shift).map(Kind::Integer),
        (Unit::Bytes(shift), Number::Float(float)) => {
            whole(float)?.checked_mul(1 << shift).map(Kind::Integer)
        }
        (Unit::Time { mul, div }, Number::Integer(whole)) => Some(Kind::Time(whole as f64 * mul / div)),
        (Unit::Time { mul, div }, Number::Float(float)) => Some(Kind::Time(float * mul / div)),
    }
}

/// A float cut to a whole number.
fn whole(float: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if float.abs() >= BOUND {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "libucl cuts the fraction; the range is checked above"
    )]
    Some(float as i64)
}
