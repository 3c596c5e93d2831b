//! What is asked for on the command line.

use std::time::Duration;

use super::burdens::Burden;
use super::rows::Kind;

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Beside other work.
    Beside,
    /// More than a core can do.
    Overload,
}

/// How it is to be measured.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) part: Part,
    pub(crate) burdens: Vec<Burden>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) rules: u32,
    pub(crate) windows: usize,
    pub(crate) window: Duration,
    /// The loop's core, and that of all others.
    pub(crate) cores: Option<(usize, usize)>,
    pub(crate) one_core: bool,
    pub(crate) short: bool,
}

/// What can have too much to do.
const KINDS: [Kind; 3] = [Kind::Tcp, Kind::Http, Kind::HttpsFull];

/// Those of this process.
pub(crate) fn options() -> Options {
    let (mut part, mut burdens, mut kinds) = (Part::Beside, Burden::ALL.to_vec(), KINDS.to_vec());
    let (mut rules, mut windows, mut seconds) = (None, None, None);
    let (mut cores, mut one_core, mut short) = (None, false, false);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--short" => short = true,
            "--one-core" => one_core = true,
            "--overload" => part = Part::Overload,
            _ => {
                let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
                match argument.as_str() {
                    "--burdens" => burdens = listed(&value, &Burden::ALL, Burden::word),
                    "--kinds" => kinds = listed(&value, &KINDS, Kind::word),
                    "--rules" => rules = Some(number(&value)),
                    "--windows" => windows = Some(number(&value)),
                    "--seconds" => seconds = Some(number(&value)),
                    "--cores" => {
                        let (checker, others) = value.split_once(',').expect("--cores takes two");
                        cores = Some((number(checker), number(others)));
                    }
                    _ => panic!("unknown option {argument}"),
                }
            }
        }
    }
    let (usual_rules, usual_windows, usual_seconds) = match (short, part) {
        (true, _) => (20, 1, 2),
        (false, Part::Beside) => (10_000, 6, 10),
        (false, Part::Overload) => (10_000, 3, 5),
    };
    Options {
        part,
        burdens,
        kinds,
        rules: rules.unwrap_or(usual_rules),
        windows: windows.unwrap_or(usual_windows),
        window: Duration::from_secs(seconds.unwrap_or(usual_seconds)),
        cores,
        one_core,
        short,
    }
}

/// What is named in a list.
fn listed<T: Copy>(value: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
    let find = |name: &str| all.iter().copied().find(|one| word(*one) == name);
    value.split(',').map(|name| find(name).unwrap_or_else(|| panic!("unknown: {name}"))).collect()
}

fn number<T: std::str::FromStr>(value: &str) -> T {
    value.parse().unwrap_or_else(|_| panic!("no number: {value}"))
}
