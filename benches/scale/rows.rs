//! What is measured: kinds of probes, how many, how often.

use std::net::Ipv4Addr;
use std::time::Duration;

/// A kind of probe, and what its targets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Is the connection accepted?
    Tcp,
    /// Is the answer good?
    Http,
    /// The same in TLS, every handshake a full one.
    HttpsFull,
    /// The same, sessions resumed.
    HttpsResumed,
    /// As tcp, but three targets in ten never answer.
    Blackhole,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Tcp, Self::Http, Self::HttpsFull, Self::HttpsResumed, Self::Blackhole];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::HttpsFull => "https-full",
            Self::HttpsResumed => "https-resumed",
            Self::Blackhole => "blackhole",
        }
    }

    pub(crate) fn is_tls(self) -> bool {
        match self {
            Self::HttpsFull | Self::HttpsResumed => true,
            Self::Tcp | Self::Http | Self::Blackhole => false,
        }
    }
}

/// A line of the table, for every peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) rules: u32,
    pub(crate) interval: Duration,
}

/// The address of the first target; the others follow it.
pub(crate) const FIRST: Ipv4Addr = Ipv4Addr::new(127, 16, 0, 1);

/// Three targets in this many are blackholes.
pub(crate) const BLACKHOLES_IN: u32 = 10;
/// How many of them.
pub(crate) const BLACKHOLES: u32 = 3;

impl Row {
    fn new(kind: Kind, rules: u32, interval: Duration) -> Self {
        Self { kind, rules, interval }
    }

    /// The address of a target.
    pub(crate) fn address(index: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(FIRST.to_bits() + index)
    }

    /// How long a probe may take: less than the interval, and than a second, when a SYN is sent again.
    pub(crate) fn timeout(&self) -> Duration {
        (self.interval * 9 / 10).min(Duration::from_millis(900))
    }

    /// How many targets never answer; blackholes are the first ones of every ten, as `target` drops their SYNs.
    pub(crate) fn blackholes(&self) -> u32 {
        match self.kind {
            Kind::Blackhole => {
                self.rules / BLACKHOLES_IN * BLACKHOLES + (self.rules % BLACKHOLES_IN).min(BLACKHOLES)
            }
            Kind::Tcp | Kind::Http | Kind::HttpsFull | Kind::HttpsResumed => 0,
        }
    }

    /// Probes that are asked for in this time.
    pub(crate) fn asked(&self, time: Duration) -> f64 {
        f64::from(self.rules) * time.as_secs_f64() / self.interval.as_secs_f64()
    }
}

/// All that there are.
pub(crate) fn all() -> Vec<Row> {
    let second = Duration::from_secs(1);
    let mut rows = Vec::new();
    for kind in [Kind::Tcp, Kind::Http, Kind::HttpsFull, Kind::HttpsResumed] {
        rows.extend([100, 1000, 10_000].map(|rules| Row::new(kind, rules, second)));
        rows.push(Row::new(kind, 1000, second / 10));
    }
    rows.push(Row::new(Kind::Blackhole, 10_000, second));
    rows.push(Row::new(Kind::Tcp, 100_000, 10 * second));
    rows
}

/// Those that tell whether it works.
pub(crate) fn short() -> Vec<Row> {
    let interval = Duration::from_millis(500);
    Kind::ALL.map(|kind| Row::new(kind, 20, interval)).to_vec()
}
