//! How many descriptors a configuration may need, and whether they are there.

use std::net::SocketAddr;
use std::time::Duration;

use log::Level;

use super::status;
use crate::rule::{Probe, Rule, Service, Test};
use crate::sys::limits::{self, OpenFiles};

/// For everything but children and probes; clients of the control socket are up to half of them.
const OWN: u64 = 96;
/// Of a running child: two streams, and as many again while it is being made.
const PER_CHILD: u64 = 4;
/// Shares are counted in parts of this.
const MILLION: u64 = 1_000_000;

/// What runs may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// What everything else may need.
    own: u64,
    /// What clients of the status page may need of that.
    of_clients: u64,
    /// When all of them are under way at the same moment.
    at_worst: u64,
    /// Children's share of that.
    of_children: u64,
    /// When no target answers: each run takes its timeout, and starts are spread over their intervals.
    in_silence: u64,
}

impl Descriptors {
    /// What these rules may need, with so many change commands at a time.
    pub fn of(rules: &[Rule], change_max: usize) -> Self {
        let has_changes =
            rules.iter().any(|rule| rule.change_success.is_some() || rule.change_fail.is_some());
        let changes = if has_changes { change_max as u64 * PER_CHILD } else { 0 };
        let (mut at_worst, mut of_children, mut millionths) = (changes, changes, 0);
        for rule in rules.iter().filter(|rule| !rule.is_vacant()) {
            match &rule.test {
                Test::Command { .. } => {
                    at_worst += PER_CHILD;
                    of_children += PER_CHILD;
                    millionths += PER_CHILD * MILLION;
                }
                Test::Probe(probe) => {
                    at_worst += 1;
                    millionths += share_of_time(rule, probe);
                }
            }
        }
        Self {
            own: OWN,
            of_clients: 0,
            at_worst,
            of_children,
            in_silence: changes + millionths.div_ceil(MILLION),
        }
    }

    /// So many probes at the same time.
    pub fn of_probes(probes: u32) -> Self {
        Self { own: OWN, of_clients: 0, at_worst: probes.into(), of_children: 0, in_silence: probes.into() }
    }

    /// The same where the status page is served, if it is.
    #[must_use]
    pub fn serving(self, listen: Option<SocketAddr>) -> Self {
        let clients = if listen.is_some() { status::CLIENTS_MAX as u64 } else { 0 };
        Self { own: self.own + clients, of_clients: clients, ..self }
    }

    /// Has as many as are needed at worst, and what the program itself needs, as far as that is allowed; what is to
    /// be said of it, if anything.
    pub fn raise(self) -> Option<(Level, String)> {
        match limits::raise_open_files(self.own + self.at_worst) {
            Ok(files) => self.judge(files),
            Err(error) => Some((Level::Warn, format!("cannot read the limit on open files: {error}"))),
        }
    }

    /// How many connections there may be at a time, by the limit in force: so many that tables can still be written,
    /// clients answered and children begun, whatever the targets do.
    pub(super) fn connections_max(self) -> usize {
        // Without any it is found out one by one.
        let limit = limits::open_files().unwrap_or(u64::MAX);
        usize::try_from(self.connections_within(limit)).unwrap_or(usize::MAX)
    }

    fn connections_within(self, limit: u64) -> u64 {
        let for_runs = self.for_runs(limit);
        for_runs - self.of_children.min(for_runs / 2)
    }

    /// What a limit leaves for runs, children's among them.
    fn for_runs(self, limit: u64) -> u64 {
        // Where there is not enough for all, each has a part.
        limit.saturating_sub(self.own).max(limit / 8)
    }

    fn judge(self, files: OpenFiles) -> Option<(Level, String)> {
        let OpenFiles { limit, needed } = files;
        if limit >= needed {
            return None;
        }
        let Self { own: _, of_clients, at_worst, of_children: _, in_silence } = self;
        let left = self.for_runs(limit);
        let level = if left < in_silence { Level::Warn } else { Level::Info };
        let kept = match of_clients {
            0 => String::new(),
            count => format!("; 'listen' keeps up to {count} for its clients"),
        };
        let line = format!(
            "open files are limited to {limit}: {left} are left for runs, which need {in_silence} while no target \
             answers and {at_worst} at worst{kept}; runs without one are inconclusive (descriptors); for all of them raise \
             the limit to {needed}: {}",
            limits::RAISED_BY
        );
        Some((level, line))
    }
}

/// The share of the time that a rule has a connection when its target does not answer, in millionths.
fn share_of_time(rule: &Rule, probe: &Probe) -> u64 {
    let keeps = matches!(&probe.service, Service::Http(_, http) if http.reuse);
    let is_spread = rule.spread && rule.start_delay.is_none();
    let intervals = [Some(rule.interval), Some(rule.interval_fail), rule.interval_debounce];
    let shortest = intervals.into_iter().flatten().min().unwrap_or(Duration::ZERO);
    if keeps || !is_spread || shortest <= probe.timeout {
        return MILLION;
    }
    let share = probe.timeout.as_nanos() * u128::from(MILLION) / shortest.as_nanos();
    u64::try_from(share).unwrap_or(MILLION)
}

#[cfg(test)]
mod tests;
