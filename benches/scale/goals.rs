//! The figures to reach, and whether they are.

use std::fmt;
use std::time::Duration;

use super::checkers::Peer;
use super::measure::Window;
use super::rows::{Kind, Row};
use super::statistics::{Spread, short};
use super::table::{Line, ratio};

/// Probes a second that make a row one of those for ten thousand.
const TEN_THOUSAND: f64 = 10_000.0;
/// Rules from which on the memory of each is more than what moves in the base.
const MANY_RULES: u32 = 1000;

/// Probes that may be on the other side of a window's edges.
const EDGE_PROBES: f64 = 2.0;

/// A figure, and what it may be at most (or at least).
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    what: String,
    figure: Spread,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Those that a row is there to tell.
pub(crate) fn goals(row: &Row, lines: &[Line]) -> Vec<Goal> {
    let Some(hfm) = lines.iter().find(|line| line.peer == Peer::Hfm) else { return Vec::new() };
    let rate = row.asked(Duration::from_secs(1));
    let mut goals = Vec::new();
    for other in lines {
        if let Some(bound) = times(row.kind, rate, other.peer)
            && let Some(figure) = ratio(hfm, other)
        {
            goals.push(Goal {
                what: format!("CPU per probe / {}'s", other.peer.word()),
                figure,
                bound: Bound::AtMost(bound),
            });
        }
    }
    let mut of = |what: &str, bound: Bound, figure: &dyn Fn(&Window) -> Option<f64>| {
        if let Some(figure) = Spread::of(hfm.windows.iter().filter_map(figure)) {
            goals.push(Goal { what: what.to_owned(), figure, bound });
        }
    };
    if !row.kind.is_tls() && rate >= TEN_THOUSAND {
        of("interval error p99, ms", Bound::AtMost(0.5), &|window| Some(window.punctuality?.errors_ms[1]));
        of("interval error p99.9, ms", Bound::AtMost(2.0), &|window| Some(window.punctuality?.errors_ms[2]));
        of("mean interval, ppm", Bound::AtMost(1.0), &|window| Some(window.punctuality?.mean_ppm.abs()));
    }
    if !row.kind.is_tls() || rate < TEN_THOUSAND {
        let least =
            Spread::of(hfm.windows.iter().map(|window| window.probes)).map_or(0.0, |probes| probes.least);
        let bound = 99.95 - EDGE_PROBES / least.max(1.0) * 1e2;
        of("rate, %", Bound::AtLeast(bound), &|window| Some(window.rate_percent));
    }
    if !row.kind.is_tls() && row.rules >= MANY_RULES {
        let base = hfm.base_rss;
        of("memory for a rule, bytes", Bound::AtMost(1024.0), &|window| {
            Some((window.rss_bytes - base?) / f64::from(row.rules))
        });
    }
    if row.rules == 10_000 {
        let megabytes = if row.kind.is_tls() { 60.0 } else { 20.0 };
        of("RSS, MB", Bound::AtMost(megabytes), &|window| Some(window.rss_bytes / 1e6));
    }
    goals
}

/// How often a peer's CPU hfm's may be.
fn times(kind: Kind, rate: f64, peer: Peer) -> Option<f64> {
    match (kind, peer) {
        (_, Peer::Hfm) | (Kind::Blackhole, _) => None,
        (Kind::Tcp | Kind::Http, Peer::Haproxy) => (rate >= TEN_THOUSAND).then_some(1.0),
        (Kind::Tcp | Kind::Http, Peer::Floor) => (rate >= TEN_THOUSAND).then_some(1.3),
        (Kind::HttpsFull | Kind::HttpsResumed, Peer::Haproxy) => Some(0.4),
        (Kind::HttpsFull | Kind::HttpsResumed, Peer::Floor) => None,
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { median, least, most } = self.figure;
        let (word, bound, is_reached, is_near) = match self.bound {
            Bound::AtMost(bound) => ("at most", bound, median <= bound, least <= bound),
            Bound::AtLeast(bound) => ("at least", bound, median >= bound, most >= bound),
        };
        let verdict = match (is_reached, is_near) {
            (true, _) => "reached",
            (false, true) => "not reached, though in some windows",
            (false, false) => "NOT REACHED",
        };
        write!(f, "{}: {}, wanted {word} {}: {verdict}", self.what, self.figure, short(bound))
    }
}
