//! What hfm has to do besides: the rules that bring it, and how many of them have to be seen at work.

use std::fmt::Write as _;

use super::certificate::NAME;
use super::hfm::Standing;
use super::rows::{Kind, Row};
use super::target::port;
use super::window::Bench;
use super::work::{Done, FLAPPING_PORT, HOG};

/// Of the rules that run a program, one in this many keeps a processor busy.
const HOGS_IN: u32 = 10;
/// The group of the watched rules.
pub(crate) const WATCHED: &str = "watched";
/// The interval of the watched rules; those of a burden have it too.
pub(crate) const INTERVAL_MS: u64 = 1000;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Burden {
    Commands,
    Names,
    Handshakes,
    Clients,
    Reloads,
    Storm,
    All,
}

impl Burden {
    pub(crate) const ALL: [Self; 7] =
        [Self::Commands, Self::Names, Self::Handshakes, Self::Clients, Self::Reloads, Self::Storm, Self::All];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Names => "names",
            Self::Handshakes => "handshakes",
            Self::Clients => "clients",
            Self::Reloads => "reloads",
            Self::Storm => "storm",
            Self::All => "all",
        }
    }

    /// Whether this is it, or a part of it.
    pub(crate) fn has(self, part: Self) -> bool {
        self == part || self == Self::All
    }

    /// How many rules it brings, beside so many that are watched.
    fn rules(self, watched: u32) -> u32 {
        let full = match self {
            Self::Commands => 50,
            Self::Names => 200,
            Self::Handshakes => 300,
            Self::Storm => 2000,
            Self::Clients | Self::Reloads | Self::All => 0,
        };
        // The short mode has a few of each.
        full.min(watched)
    }

    /// By what it shows that a part of a burden is one.
    fn sign(self) -> Option<&'static str> {
        match self {
            Self::Commands => Some("programs run"),
            Self::Names => Some("runs without an address"),
            Self::Handshakes => Some("handshakes"),
            Self::Clients => Some("answers"),
            Self::Reloads => Some("reloads"),
            Self::Storm => Some("events heard"),
            Self::All => None,
        }
    }

    /// What there was nothing of though there should have been.
    pub(crate) fn without(self, done: &[Done]) -> Vec<&'static str> {
        let signs = Self::ALL.into_iter().filter(|part| self.has(*part)).filter_map(Self::sign);
        signs.filter(|sign| !done.iter().any(|(what, _)| what == sign)).collect()
    }
}

/// The group that a rule is in, by its name.
pub(crate) fn group(name: &str) -> &str {
    name.split_once('/').map_or(WATCHED, |(group, _)| group)
}

/// Whether a rule is as its target is; `Err` says how it stands instead.
pub(crate) fn judge(name: &str, standing: &Standing) -> Result<(), String> {
    let Standing { is_up, runs, failures, inconclusive, .. } = *standing;
    let is_right = match group(name) {
        // One run may be under way.
        "names" => !is_up && failures == 0 && inconclusive + 1 >= runs,
        "storm" => failures > 0 && failures < runs,
        _ => is_up && failures == 0,
    };
    if is_right { Ok(()) } else { Err(format!("{name}: {standing:?}")) }
}

/// The file: the watched rules, and those of a burden; every other `generation` one in a hundred of the former has
/// another setting, which changes nothing of when it is tested.
pub(crate) fn configuration(
    bench: &Bench<'_>,
    watched: u32,
    burden: Option<Burden>,
    generation: u64,
) -> String {
    let mut text = format!("interval = {INTERVAL_MS}ms\ntimeout = 900ms\n");
    let plain = port(Kind::Tcp);
    for index in 0..watched {
        let is_other = index % 100 == 0 && generation % 2 == 1;
        let setting = if is_other { "change_fail_debounce = 3; " } else { "" };
        let _ = writeln!(text, "r{index} {{ {setting}test = \"tcp://{}:{plain}\" }}", Row::address(index));
    }
    let mut next = watched;
    let parts = Burden::ALL.into_iter().filter(|part| burden.is_some_and(|burden| burden.has(*part)));
    for part in parts.filter(|part| part.rules(watched) > 0) {
        let _ = writeln!(text, "{} {{", part.word());
        if part == Burden::Handshakes {
            let ca = bench.directory.join("ca.pem");
            let _ = writeln!(text, "tls_ca = \"{}\"\ntls_name = \"{NAME}\"", ca.display());
        }
        for index in 0..part.rules(watched) {
            let address = Row::address(next + index);
            let test = match part {
                Burden::Commands if index % HOGS_IN == 0 => hog(),
                Burden::Commands => "test = \"true\"; spread = yes".to_owned(),
                Burden::Names => format!("test = \"tcp://name{index}.example:{plain}\"; resolve = 1s"),
                Burden::Handshakes => format!("test = \"https://{address}:{}/\"", port(Kind::HttpsFull)),
                Burden::Storm => format!("test = \"tcp://{address}:{FLAPPING_PORT}\""),
                Burden::Clients | Burden::Reloads | Burden::All => continue,
            };
            let _ = writeln!(text, "x{index} {{ {test} }}");
        }
        next += part.rules(watched);
        text.push_str("}\n");
    }
    text
}

/// A test that keeps a processor busy: this program, told to.
fn hog() -> String {
    let program = std::env::current_exe().expect("this program");
    format!("test = \"{}\"; test_arguments = [\"{HOG}\", \"100\"]; spread = yes", program.display())
}
