//! What `hfm probe` prints: a line a run, then what they add up to, as text or as JSON.

use std::fmt::{self, Write as _};
use std::io::{BufWriter, Write};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::line::Millis;
use crate::verdict::{Measured, Verdict};

/// Significant digits of the distribution.
const DIGITS: u8 = 3;

/// Prints and counts.
#[derive(Debug)]
pub(super) struct Report<W: Write> {
    out: BufWriter<W>,
    target: Box<str>,
    json: bool,
    runs: u64,
    failures: u64,
    inconclusive: u64,
    /// Nanoseconds of every run that says something about the target.
    times: Histogram<u64>,
    line: String,
    /// Nobody reads any more.
    is_closed: bool,
}

impl<W: Write> Report<W> {
    pub(super) fn new(target: &str, json: bool, out: W) -> Self {
        let times = Histogram::new(DIGITS).expect("three digits are within what a histogram takes");
        let out = BufWriter::with_capacity(64 * 1024, out);
        Self {
            out,
            target: target.into(),
            json,
            runs: 0,
            failures: 0,
            inconclusive: 0,
            times,
            line: String::new(),
            is_closed: false,
        }
    }

    /// A run has ended.
    pub(super) fn run(&mut self, verdict: &Verdict, measured: &Measured, total: Duration) {
        self.runs += 1;
        match verdict {
            Verdict::Success => {}
            Verdict::Failure(_) => self.failures += 1,
            Verdict::Inconclusive(_) => self.inconclusive += 1,
        }
        if verdict.is_conclusive() {
            // It grows as it has to; only what is no time at all would not fit.
            let _ = self.times.record(u64::try_from(total.as_nanos()).unwrap_or(u64::MAX));
        }
        let phases = [
            ("resolve", measured.resolve),
            ("connect", measured.connect),
            ("tls", measured.tls),
            ("first_byte", measured.first_byte),
            ("total", Some(total)),
        ];
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        // Writing to a String cannot fail.
        let _ = if self.json {
            self.json_line(&mut line, verdict, measured, &phases)
        } else {
            text_line(&mut line, verdict, measured, &phases)
        };
        self.print(&line);
        self.line = line;
    }

    /// The end: what all runs add up to.
    pub(super) fn finish(&mut self) {
        let quantiles: [(&str, f64); 6] =
            [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
        let has_times = !self.times.is_empty();
        let value = |share: f64| Duration::from_nanos(self.times.value_at_quantile(share));
        let mut line = String::new();
        let (runs, failures, inconclusive) = (self.runs, self.failures, self.inconclusive);
        if self.json {
            let _ = write!(line, "{{\"runs\":{runs},\"failures\":{failures},\"inconclusive\":{inconclusive}");
            for (name, share) in quantiles {
                let _ = write!(line, ",\"{}_us\":", name.replace('.', ""));
                let _ =
                    if has_times { write!(line, "{}", Micros(value(share))) } else { write!(line, "null") };
            }
            line.push('}');
        } else {
            let _ = write!(line, "runs={runs} failures={failures} inconclusive={inconclusive}");
            for (name, share) in quantiles.iter().filter(|_| has_times) {
                let _ = write!(line, " {name}={}", Millis(value(*share)));
            }
        }
        line.push('\n');
        self.print(&line);
        self.flush();
    }

    pub(super) fn flush(&mut self) {
        self.is_closed |= self.out.flush().is_err();
    }

    /// Whether whoever read our output has closed it, and wants no more runs.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn all_succeeded(&self) -> bool {
        self.runs > 0 && self.failures == 0 && self.inconclusive == 0
    }

    fn print(&mut self, line: &str) {
        self.is_closed |= self.out.write_all(line.as_bytes()).is_err();
    }

    fn json_line(
        &self,
        line: &mut String,
        verdict: &Verdict,
        measured: &Measured,
        phases: &[(&str, Option<Duration>)],
    ) -> fmt::Result {
        let (target, reason) = (Json(&self.target), verdict.reason());
        let kind = kind(verdict);
        write!(line, "{{\"target\":{target},\"verdict\":\"{kind}\",\"reason\":\"{reason}\"")?;
        write!(line, ",\"detail\":{}", Json(&detail(verdict, measured)))?;
        for (name, took) in phases {
            match took {
                Some(took) => write!(line, ",\"{name}_us\":{}", Micros(*took))?,
                None => write!(line, ",\"{name}_us\":null")?,
            }
        }
        line.write_str("}\n")
    }
}

fn text_line(
    line: &mut String,
    verdict: &Verdict,
    measured: &Measured,
    phases: &[(&str, Option<Duration>)],
) -> fmt::Result {
    write!(line, "{} {}", kind(verdict), verdict.reason())?;
    for (name, took) in phases {
        if let Some(took) = took {
            write!(line, " {name}={}", Millis(*took))?;
        }
    }
    let detail = detail(verdict, measured);
    if detail != "ok" {
        write!(line, " detail={detail:?}")?;
    }
    line.write_char('\n')
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Failure(_) => "failure",
        Verdict::Inconclusive(_) => "inconclusive",
    }
}

/// The verdict's words, and how long the certificate lasts.
fn detail(verdict: &Verdict, measured: &Measured) -> String {
    match (verdict, measured.certificate_left) {
        (Verdict::Success, Some(seconds)) => {
            match seconds.div_euclid(86_400) {
                days @ 0.. => format!("certificate expires in {days} days"),
                // Whole days that have passed.
                days => format!("certificate expired {} days ago", -(days + 1)),
            }
        }
        (Verdict::Success | Verdict::Failure(_) | Verdict::Inconclusive(_), _) => verdict.to_string(),
    }
}

/// Microseconds to the nanosecond, without a unit.
struct Micros(Duration);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.as_micros(), self.0.subsec_nanos() % 1000)
    }
}

/// A string of JSON (RFC 8259 section 7).
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests;
