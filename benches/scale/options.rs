//! What is asked for on the command line.

use std::time::Duration;

use super::checkers::Peer;
use super::rows::{self, Kind, Row};

/// How it is to be measured.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rows: Vec<Row>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) windows: usize,
    pub(crate) window: Duration,
    /// The checkers' core, and that of the targets.
    pub(crate) cores: Option<(usize, usize)>,
    pub(crate) short: bool,
}

/// Those of this process.
pub(crate) fn options() -> Options {
    let (mut kinds, mut rules) = (Kind::ALL.to_vec(), None::<Vec<u32>>);
    let (mut windows, mut seconds) = (None, None);
    let (mut peers, mut cores, mut short) = (Peer::ALL.to_vec(), None, false);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--short" {
            short = true;
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--kinds" => kinds = listed(&value, &Kind::ALL, Kind::word),
            "--peers" => peers = listed(&value, &Peer::ALL, Peer::word),
            "--rules" => rules = Some(numbers(&value)),
            "--windows" => windows = Some(value.parse().expect("a number of windows")),
            "--seconds" => seconds = Some(value.parse().expect("seconds")),
            "--cores" => match numbers(&value)[..] {
                [checker, target] => cores = Some((checker, target)),
                _ => panic!("--cores takes two, the checkers' and the targets'"),
            },
            _ => panic!("unknown option {argument}"),
        }
    }
    let mut rows = if short { rows::short() } else { rows::all() };
    rows.retain(|row| kinds.contains(&row.kind));
    if let Some(rules) = rules {
        rows.retain(|row| rules.contains(&row.rules));
    }
    assert!(!rows.is_empty(), "no row is of these kinds with so many rules");
    let (usual_windows, usual_seconds) = if short { (1, 1) } else { (6, 10) };
    Options {
        rows,
        peers,
        windows: windows.unwrap_or(usual_windows),
        window: Duration::from_secs(seconds.unwrap_or(usual_seconds)),
        cores,
        short,
    }
}

/// What is named in a list.
fn listed<T: Copy>(value: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
    let find = |name: &str| all.iter().copied().find(|one| word(*one) == name);
    value.split(',').map(|name| find(name).unwrap_or_else(|| panic!("unknown: {name}"))).collect()
}

fn numbers<T: std::str::FromStr>(value: &str) -> Vec<T> {
    let parse = |number: &str| number.parse().unwrap_or_else(|_| panic!("no number: {number}"));
    value.split(',').map(parse).collect()
}
