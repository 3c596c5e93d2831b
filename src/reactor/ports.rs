//! Whether the local ports can do for connections that are closed by FIN: each keeps its port for a minute.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::rule::{Close, Peer, Probe, Rule, Service, Test};
use crate::sys::ports;

/// How long a connection that we have closed first waits, TIME_WAIT: on Linux TCP_TIMEWAIT_LEN of net/tcp.h, on FreeBSD
/// twice net.inet.tcp.msl, which is 30 s unless it was changed.
const WAITS: Duration = Duration::from_secs(60);
/// A rule with `interval = 0` runs over and over; how often is not known before.
const INTERVAL_MIN: Duration = Duration::from_millis(1);

/// Too many connections wait for the ports that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shortage {
    /// The target with the most of them.
    target: String,
    /// How many rules test it, by connections that wait.
    rules: usize,
    /// Connections that wait, all in all.
    waiting: u64,
    ports: u32,
    /// Other targets of which the same is to be said.
    others: usize,
}

/// Runs between one pair of addresses, from our side to a port of theirs.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    rules: usize,
    waiting: f64,
}

/// The line for the log, if these rules need one on this system.
pub fn told(rules: &[Rule]) -> Option<String> {
    shortage(rules, ports::count()?).map(|shortage| shortage.to_string())
}

/// What is to be said of these rules, with so many ports for each pair of addresses. Beyond half of them it is slow to
/// find another one (connect(2) of Linux goes through all of one parity first), and it holds up the loop.
fn shortage(rules: &[Rule], ports: u32) -> Option<Shortage> {
    let mut loads: HashMap<(Option<IpAddr>, &Peer), Load> = HashMap::new();
    for (rule, probe) in rules.iter().filter_map(waits) {
        let load = loads.entry((probe.network.source, &probe.peer)).or_default();
        load.rules += 1;
        load.waiting += WAITS.div_duration_f64(rule.interval.max(INTERVAL_MIN));
    }
    let limit = f64::from(ports) / 2.0;
    let many = || loads.iter().filter(|(_, load)| load.waiting > limit);
    let by_waiting = |a: &Load, b: &Load| a.waiting.total_cmp(&b.waiting);
    let ((_, peer), load) = many().max_by(|(_, a), (_, b)| by_waiting(a, b))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 60,000 for each rule"
    )]
    let waiting = load.waiting as u64;
    let others = many().count() - 1;
    Some(Shortage { target: name_of(peer), rules: load.rules, waiting, ports, others })
}

/// A rule whose connections wait after each run.
fn waits(rule: &Rule) -> Option<(&Rule, &Probe)> {
    let Test::Probe(probe) = &rule.test else { return None };
    let keeps = matches!(&probe.service, Service::Http(_, http) if http.reuse);
    let is_local = matches!(probe.peer, Peer::Local(_));
    (probe.network.close == Close::Fin && !keeps && !is_local).then_some((rule, &**probe))
}

fn name_of(peer: &Peer) -> String {
    match peer {
        Peer::Address(address, port) => std::net::SocketAddr::new(*address, *port).to_string(),
        Peer::Name(name, port) => format!("{name}:{port}"),
        Peer::Local(path) => path.to_string(),
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, rules, waiting, ports, others } = self;
        write!(
            f,
            "'close = fin' leaves up to {waiting} connections towards {target} that keep their local ports for a minute, and \
             there are {ports}: beyond half of them every run takes long to begin, and without any it is inconclusive \
             (ports); use 'close = reset', longer intervals, different 'source' addresses, or a wider range of ports \
             rules={rules}"
        )?;
        if *others > 0 { write!(f, " other_targets={others}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
