//! Numbers and times against the type of their property, and the traps that UCL has for them.

use std::borrow::Cow;
use std::time::Duration;

use super::diagnose::Diagnostic;
use super::properties::{Origin, Takes};
use super::render::clipped;
use super::typed::Judge;
use crate::ucl::{self, Kind, Style, Value};

/// Longest interval: 100 years of 365 days. Sums of a few of these are far from overflowing a clock.
const INTERVAL_MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How an interval is written.
const INTERVAL_HELP: &str = "write it as in 5s, 500ms, 5min or 2h: no quotes, and no blank before the unit";

/// A number with a unit that a blank follows, as the number it plainly is.
///
/// libucl ends such a number at a line end, `;`, `,`, `}` or `]` only, and at a blank takes it for text
/// (ucl_maybe_parse_number); so does our reader, which reads what libucl reads. Where a number is wanted
/// there is but one thing that it can mean.
fn before_blank(value: &Value) -> Cow<'_, Value> {
    match &value.kind {
        Kind::String { text, style: Style::Bare } => match ucl::number(text) {
            Some(kind) => Cow::Owned(Value { kind, span: value.span }),
            None => Cow::Borrowed(value),
        },
        Kind::String { .. }
        | Kind::Null
        | Kind::Boolean(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::Time(_)
        | Kind::Array(_)
        | Kind::Object(_) => Cow::Borrowed(value),
    }
}

impl Judge<'_> {
    /// A number of seconds, or a time.
    pub(super) fn interval(&mut self, value: &Value) -> Option<Duration> {
        let value = &*before_blank(value);
        let seconds = match &value.kind {
            // Beyond 2^53 s the conversion rounds, but that is far above the largest interval.
            Kind::Integer(seconds) => *seconds as f64,
            Kind::Float(seconds) | Kind::Time(seconds) => *seconds,
            Kind::String { text, style } => {
                let help = match style {
                    Style::SingleQuoted | Style::DoubleQuoted | Style::Heredoc
                        if text.starts_with(|c: char| c.is_ascii_digit() || c == '.') =>
                    {
                        format!("drop the quotes: {} = {}", self.property.name, clipped(text))
                    }
                    Style::Bare | Style::SingleQuoted | Style::DoubleQuoted | Style::Heredoc => {
                        INTERVAL_HELP.to_owned()
                    }
                };
                self.wrong_type(value, "a time or a number of seconds", Some(help));
                return None;
            }
            Kind::Null | Kind::Boolean(_) | Kind::Array(_) | Kind::Object(_) => {
                self.wrong_type(value, "a time or a number of seconds", Some(INTERVAL_HELP.to_owned()));
                return None;
            }
        };
        let interval = self.bounded(value, seconds)?;
        self.not_mega(value, interval)
    }

    /// A whole number in the property's bounds.
    pub(super) fn integer(&mut self, value: &Value) -> Option<u16> {
        let Takes::Integer { min, max } = self.property.takes else {
            unreachable!("the table says integer for every property that is read as one");
        };
        let value = &*before_blank(value);
        let Kind::Integer(number) = value.kind else {
            let help = match &value.kind {
                Kind::String { text, .. } if text.parse::<i64>().is_ok() => {
                    Some("drop the quotes".to_owned())
                }
                Kind::String { .. } => None,
                Kind::Float(_) | Kind::Time(_) => Some("write digits alone".to_owned()),
                Kind::Null | Kind::Boolean(_) | Kind::Integer(_) | Kind::Array(_) | Kind::Object(_) => None,
            };
            self.wrong_type(value, &format!("a whole number from {min} to {max}"), help);
            return None;
        };
        match u16::try_from(number) {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                let name = self.property.name;
                let message = format!("'{name}' must be from {min} to {max}, and this is {number}");
                self.error(value.span, message, None);
                None
            }
        }
    }

    /// The interval of this many seconds, if it is one.
    fn bounded(&mut self, value: &Value, seconds: f64) -> Option<Duration> {
        let name = self.property.name;
        if seconds < 0.0 {
            self.error(value.span, format!("'{name}' must not be negative"), None);
            return None;
        }
        if !seconds.is_finite() {
            self.error(value.span, format!("'{name}' must be a finite number"), None);
            return None;
        }
        let interval = Duration::try_from_secs_f64(seconds).ok().filter(|interval| *interval <= INTERVAL_MAX);
        let Some(interval) = interval else {
            let help = self.mega(value).map(|mega| format!("did you mean {}?", mega.meant));
            self.error(value.span, format!("'{name}' must not be more than 100 years"), help);
            return None;
        };
        if interval.is_zero() && seconds > 0.0 {
            let message = format!("'{name}' is less than a nanosecond and counts as 0");
            self.problems.push(Diagnostic::warning(value.span, self.rule, message));
        }
        Some(interval)
    }

    /// `5m` is five million to UCL. hfm's own properties only warn, because files out there may mean it.
    fn not_mega(&mut self, value: &Value, interval: Duration) -> Option<Duration> {
        let Some(Mega { suffix, factor, meant }) = self.mega(value) else {
            return Some(interval);
        };
        let source = clipped(self.sources.text(value.span));
        let seconds = interval.as_secs_f64();
        let message = format!("'{source}' means {seconds} s: '{suffix}' stands for {factor}, not for a time");
        let help = format!("did you mean {meant}?");
        match self.property.origin {
            Origin::Hfm => {
                let help = format!("{help} if not, write {seconds}s");
                self.problems.push(Diagnostic::warning(value.span, self.rule, message).help(help));
                Some(interval)
            }
            Origin::Ours => {
                self.error(value.span, message, Some(help));
                None
            }
        }
    }

    /// The suffix of a number that stands for a factor.
    fn mega(&self, value: &Value) -> Option<Mega> {
        let (Kind::Integer(_) | Kind::Float(_)) = value.kind else {
            return None;
        };
        let source = self.sources.text(value.span);
        let digits = source.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let suffix = &source[digits.len()..];
        let (factor, unit) = match suffix.to_ascii_lowercase().as_str() {
            "m" | "mb" => ("mega", "min"),
            "k" | "kb" => ("kilo", "s"),
            "g" | "gb" => ("giga", "s"),
            _ => return None,
        };
        Some(Mega { suffix: suffix.to_owned(), factor, meant: format!("{}{unit}", clipped(digits)) })
    }
}

/// A suffix that stands for a factor, and what it was probably meant to be.
struct Mega {
    suffix: String,
    factor: &'static str,
    meant: String,
}
