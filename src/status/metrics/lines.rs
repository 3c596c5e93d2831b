//! The lines of one metric that are of one rule, of one table or of the process.

use std::time::Duration;

use super::families::{Family, LADDER_BOUNDS, OfProcess, OfRule, OfTable, RUN_BOUNDS};
use super::samples::{ProcessSample, TableSample};
use super::{Rules, text};
use crate::histogram::Ladder;

/// What stands before all samples of a metric.
pub(super) fn head(out: &mut Vec<u8>, family: &Family) {
    for part in
        ["# HELP ", family.name, " ", family.help, "\n# TYPE ", family.name, " ", family.kind.word(), "\n"]
    {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A sample with up to two labels, all but its value; `label` is escaped, `second` needs no escaping.
fn begin(out: &mut Vec<u8>, name: &str, label: (&str, &str), second: Option<(&str, &str)>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'{');
    out.extend_from_slice(label.0.as_bytes());
    out.extend_from_slice(b"=\"");
    text::label(out, label.1);
    if let Some((key, value)) = second {
        out.extend_from_slice(b"\",");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"=\"");
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(b"\"} ");
}

/// A value, and the end of its line.
fn end(out: &mut Vec<u8>, value: u64) {
    text::integer(out, value);
    out.push(b'\n');
}

/// A value in seconds, and the end of its line.
fn end_seconds(out: &mut Vec<u8>, value: Duration) {
    text::seconds(out, u64::try_from(value.as_nanos()).unwrap_or(u64::MAX));
    out.push(b'\n');
}

pub(super) fn rule<R: Rules>(out: &mut Vec<u8>, name: &str, of: OfRule, rules: &R, place: usize) {
    let Some(rule) = rules.name(place) else { return };
    let label = ("rule", rule);
    let nonzero = |count: u64| Some(count).filter(|count| *count != 0);
    let value = match of {
        OfRule::Up => rules.up(place).map(u64::from),
        OfRule::Runs => Some(rules.runs(place)),
        OfRule::Inconclusive => nonzero(rules.inconclusive(place)),
        OfRule::Missed => nonzero(rules.missed(place)),
        OfRule::Override => {
            if let Some(kind) = rules.set(place) {
                begin(out, name, label, Some(("kind", kind)));
                end(out, 1);
            }
            return;
        }
        OfRule::Failures => {
            for (reason, count) in rules.failures(place).filter(|(_, count)| *count != 0) {
                begin(out, name, label, Some(("reason", reason)));
                end(out, count);
            }
            return;
        }
        OfRule::Durations => {
            if let Some(durations) = rules.durations(place) {
                let bounds = RUN_BOUNDS.iter().map(|(_, bound)| *bound);
                let sum_ns = durations.sum_us.saturating_mul(1_000);
                histogram(out, name, Some(label), bounds, &durations.counts, sum_ns);
            }
            return;
        }
        OfRule::Stale => {
            if let Some(stale) = rules.stale(place) {
                begin(out, name, label, None);
                end_seconds(out, stale);
            }
            return;
        }
        OfRule::CertificateExpiry => {
            if let Some(expiry) = rules.certificate_expiry(place) {
                begin(out, name, label, None);
                text::signed(out, expiry);
                out.push(b'\n');
            }
            return;
        }
    };
    if let Some(value) = value {
        begin(out, name, label, None);
        end(out, value);
    }
}

pub(super) fn table(out: &mut Vec<u8>, name: &str, of: OfTable, table: &TableSample) {
    let label = ("table", table.name.as_str());
    match of {
        OfTable::Addresses => {
            let states = [
                ("managed", Some(table.managed)),
                ("wanted", Some(table.wanted)),
                ("actual", table.actual),
                ("held", Some(table.held)),
                ("others", table.others),
            ];
            for (state, count) in states {
                if let Some(count) = count {
                    begin(out, name, label, Some(("state", state)));
                    end(out, count);
                }
            }
        }
        OfTable::Repairs => {
            begin(out, name, label, None);
            end(out, table.repairs);
        }
        OfTable::Failing => {
            begin(out, name, label, None);
            end(out, u64::from(table.failing));
        }
        OfTable::LastWrite => {
            if let Some(written) = table.written {
                begin(out, name, label, None);
                end_seconds(out, written);
            }
        }
    }
}

pub(super) fn process(out: &mut Vec<u8>, name: &str, of: OfProcess, process: &ProcessSample) {
    let ladder = |out: &mut Vec<u8>, of: &Ladder| {
        histogram(out, name, None, LADDER_BOUNDS.iter().copied(), &of.counts, of.sum_ns);
    };
    let value = match of {
        OfProcess::Build => {
            begin(out, name, ("version", process.version), None);
            return end(out, 1);
        }
        OfProcess::Rules => {
            for (state, count) in [("up", process.up), ("down", process.down), ("unknown", process.unknown)] {
                begin(out, name, ("state", state), None);
                end(out, count);
            }
            return;
        }
        OfProcess::Lateness => return ladder(out, &process.lateness),
        OfProcess::Turns => return ladder(out, &process.turns),
        OfProcess::Writes => return ladder(out, &process.writes),
        OfProcess::Start | OfProcess::Cpu => {
            let time = if matches!(of, OfProcess::Cpu) { process.cpu } else { Some(process.started) };
            if let Some(time) = time {
                out.extend_from_slice(name.as_bytes());
                out.push(b' ');
                end_seconds(out, time);
            }
            return;
        }
        OfProcess::Stale => Some(process.stale),
        OfProcess::Overrides => Some(process.overrides),
        OfProcess::Healthy => Some(u64::from(process.healthy)),
        OfProcess::Reloads => Some(process.reloads),
        OfProcess::Runs => Some(process.runs),
        OfProcess::Failures => Some(process.failures),
        OfProcess::Inconclusive => Some(process.inconclusive),
        OfProcess::Missed => Some(process.missed),
        OfProcess::InFlight => Some(process.in_flight),
        OfProcess::WriteFailures => Some(process.write_failures),
        OfProcess::Demotion => process.demotion,
        OfProcess::DroppedLines => Some(process.dropped_lines),
        OfProcess::Clients => Some(process.clients),
        OfProcess::OpenDescriptors => process.open_descriptors,
        OfProcess::MaxDescriptors => process.max_descriptors,
        OfProcess::Memory => process.resident_bytes,
    };
    if let Some(value) = value {
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
        end(out, value);
    }
}

/// The lines of one histogram, from how many are between one bound and the next.
fn histogram(
    out: &mut Vec<u8>,
    name: &str,
    label: Option<(&str, &str)>,
    bounds: impl Iterator<Item = &'static str>,
    counts: &[u64],
    sum_ns: u64,
) {
    // `name_bucket{label="...",le="` is the same in every line: made once, then copied.
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"_bucket{");
    let labels = out.len();
    if let Some((key, value)) = label {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"=\"");
        text::label(out, value);
        out.extend_from_slice(b"\",");
    }
    let labels = labels..out.len();
    out.extend_from_slice(b"le=\"");
    let same = start..out.len();
    let mut total = 0_u64;
    for (index, (bound, count)) in bounds.chain(["+Inf"]).zip(counts).enumerate() {
        if index > 0 {
            out.extend_from_within(same.clone());
        }
        total = total.saturating_add(*count);
        out.extend_from_slice(bound.as_bytes());
        out.extend_from_slice(b"\"} ");
        end(out, total);
    }
    for suffix in ["_sum", "_count"] {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        if label.is_some() {
            out.push(b'{');
            // Without the comma before `le`.
            out.extend_from_within(labels.start..labels.end - 1);
            out.push(b'}');
        }
        out.push(b' ');
        if suffix == "_sum" {
            text::seconds(out, sum_ns);
            out.push(b'\n');
        } else {
            end(out, total);
        }
    }
}
