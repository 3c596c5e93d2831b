//! Every metric there is: the one list that the writer, the documentation and the tests of contrib/ go by.

use crate::histogram::LADDER;

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up, until what it is of begins anew at 0.
    Counter,
    /// May be anything.
    Gauge,
    /// Counts of durations by their upper bounds.
    Histogram,
}

impl Kind {
    /// As it stands behind `# TYPE`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric with all its samples.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The names of its labels; `le` of a histogram is left out.
    pub labels: &'static [&'static str],
    /// What it means, as it stands behind `# HELP`.
    pub help: &'static str,
    /// What it is taken from.
    pub(super) of: Of,
}

/// What a metric is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Rules(OfRule),
    Tables(OfTable),
    Process(OfProcess),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OfRule {
    Up,
    Runs,
    Failures,
    Inconclusive,
    Missed,
    Durations,
    Stale,
    CertificateExpiry,
    Override,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OfTable {
    Addresses,
    Repairs,
    Failing,
    LastWrite,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OfProcess {
    Build,
    Start,
    Rules,
    Stale,
    Overrides,
    Healthy,
    Reloads,
    Runs,
    Failures,
    Inconclusive,
    Missed,
    InFlight,
    Lateness,
    Turns,
    Writes,
    WriteFailures,
    Demotion,
    DroppedLines,
    Clients,
    OpenDescriptors,
    MaxDescriptors,
    Cpu,
    Memory,
}

/// How a rule's runs are counted by how long they took: the bounds, in microseconds, as they stand in `le`. What is longer
/// than the last counts in `+Inf` alone.
pub const RUN_BOUNDS: [(u32, &str); 8] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_000, "0.002"),
    (5_000, "0.005"),
    (20_000, "0.02"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_000_000, "2"),
];

/// The bounds of [`LADDER`] as they stand in `le`.
pub(super) const LADDER_BOUNDS: [&str; LADDER.len()] =
    ["0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.05", "0.25", "1"];

const fn rules(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    of: OfRule,
    help: &'static str,
) -> Family {
    Family { name, kind, labels, help, of: Of::Rules(of) }
}

const fn tables(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    of: OfTable,
    help: &'static str,
) -> Family {
    Family { name, kind, labels, help, of: Of::Tables(of) }
}

const fn process(name: &'static str, kind: Kind, of: OfProcess, help: &'static str) -> Family {
    let labels: &[&str] = if matches!(of, OfProcess::Build) {
        &["version"]
    } else if matches!(of, OfProcess::Rules) {
        &["state"]
    } else {
        &[]
    };
    Family { name, kind, labels, help, of: Of::Process(of) }
}

/// All metrics, in the order in which they are written: those of the process first, so that they are there early.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = {
    use Kind::{Counter, Gauge, Histogram};
    &[
        process("hfm_build_info", Gauge, OfProcess::Build, "Always 1; the version is in the label."),
        process("hfm_start_time_seconds", Gauge, OfProcess::Start, "When hfm was started, in Unix time."),
        process("hfm_healthy", Gauge, OfProcess::Healthy, "1 while /healthz answers ok, else 0."),
        process("hfm_rules", Gauge, OfProcess::Rules, "Rules by effective state."),
        process("hfm_rules_stale", Gauge, OfProcess::Stale, "Rules that had no conclusive verdict for too long."),
        process("hfm_overrides", Gauge, OfProcess::Overrides, "Rules for which an operator has set something."),
        process("hfm_reloads_total", Counter, OfProcess::Reloads, "Configurations gone over to since the start."),
        process("hfm_runs_total", Counter, OfProcess::Runs, "Runs that ended with a verdict."),
        process("hfm_failures_total", Counter, OfProcess::Failures, "Runs that failed."),
        process("hfm_inconclusive_total", Counter, OfProcess::Inconclusive,
            "Runs that found nothing out because of this machine's own trouble."),
        process("hfm_missed_slots_total", Counter, OfProcess::Missed, "Slots of the schedule in which no run started."),
        process("hfm_runs_in_flight", Gauge, OfProcess::InFlight, "Runs under way."),
        process("hfm_start_lateness_seconds", Histogram, OfProcess::Lateness, "How late runs started."),
        process("hfm_turn_duration_seconds", Histogram, OfProcess::Turns, "How long turns of the main loop took."),
        process("hfm_dataplane_write_duration_seconds", Histogram, OfProcess::Writes,
            "How long writing to the data plane took."),
        process("hfm_dataplane_failures_total", Counter, OfProcess::WriteFailures,
            "Attempts to read or write tables that failed."),
        process("hfm_demotion", Gauge, OfProcess::Demotion, "What hfm adds to the demotion counter."),
        process("hfm_log_dropped_lines_total", Counter, OfProcess::DroppedLines,
            "Log lines that their sink did not take in time."),
        process("hfm_status_clients", Gauge, OfProcess::Clients, "Clients of the status page, this one included."),
        process("hfm_open_descriptors", Gauge, OfProcess::OpenDescriptors, "File descriptors in use."),
        process("hfm_max_descriptors", Gauge, OfProcess::MaxDescriptors, "File descriptors that may be in use."),
        process("process_cpu_seconds_total", Counter, OfProcess::Cpu, "Processor time used, user and system."),
        process("process_resident_memory_bytes", Gauge, OfProcess::Memory, "Memory in use."),
        tables("hfm_table_addresses", Gauge, &["table", "state"], OfTable::Addresses,
            "Addresses of a table: managed by hfm, wanted in it, actually in it, held in it by min_up or panic, put in by others."),
        tables("hfm_table_repairs_total", Counter, &["table"], OfTable::Repairs,
            "Addresses that others took out or put in, and hfm put right."),
        tables("hfm_table_failing", Gauge, &["table"], OfTable::Failing,
            "1 while the table cannot be read or written, else 0."),
        tables("hfm_table_last_write_timestamp_seconds", Gauge, &["table"], OfTable::LastWrite,
            "When the table was last written, in Unix time."),
        rules("hfm_rule_up", Gauge, &["rule"], OfRule::Up,
            "The rule's effective state: 1 up, 0 down, no sample while it is unknown."),
        rules("hfm_rule_runs_total", Counter, &["rule"], OfRule::Runs, "Runs started on the rule's schedule."),
        rules("hfm_rule_failures_total", Counter, &["rule", "reason"], OfRule::Failures, "Runs that failed, by reason."),
        rules("hfm_rule_inconclusive_total", Counter, &["rule"], OfRule::Inconclusive,
            "Runs that found nothing out because of this machine's own trouble."),
        rules("hfm_rule_missed_slots_total", Counter, &["rule"], OfRule::Missed,
            "Slots of the rule's schedule in which no run started."),
        rules("hfm_rule_duration_seconds", Histogram, &["rule"], OfRule::Durations, "How long conclusive runs took."),
        rules("hfm_rule_stale_seconds", Gauge, &["rule"], OfRule::Stale,
            "For how long a stale rule has had no conclusive verdict."),
        rules("hfm_rule_certificate_expiry_seconds", Gauge, &["rule"], OfRule::CertificateExpiry,
            "When the certificate that was last seen expires, in Unix time."),
        rules("hfm_rule_override", Gauge, &["rule", "kind"], OfRule::Override,
            "Always 1; what an operator has set, for as long as it is set."),
    ]
};
