//! What is asked for on the command line.

use std::time::Duration;

/// How it is to be measured.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rules: u32,
    pub(crate) watchers: u32,
    /// Of each phase.
    pub(crate) windows: usize,
    pub(crate) window: Duration,
    /// How often a watcher asks for the status again.
    pub(crate) again: Duration,
    /// How long hfm is left alone before and after a phase.
    pub(crate) settle: Duration,
    /// How many answers of each kind are made with nobody else there.
    pub(crate) answers: usize,
    /// The loop's core, and that of all others.
    pub(crate) cores: Option<(usize, usize)>,
    pub(crate) short: bool,
}

/// Those of this process.
pub(crate) fn options() -> Options {
    let (mut rules, mut watchers, mut windows, mut seconds) = (None, None, None, None);
    let (mut cores, mut short) = (None, false);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--short" {
            short = true;
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--rules" => rules = Some(number(&value)),
            "--watchers" => watchers = Some(number(&value)),
            "--windows" => windows = Some(number(&value)),
            "--seconds" => seconds = Some(number(&value)),
            "--cores" => {
                let (checker, others) = value.split_once(',').expect("--cores takes two");
                cores = Some((number(checker), number(others)));
            }
            _ => panic!("unknown option {argument}"),
        }
    }
    let usual = if short { (200, 5, 1, 2) } else { (10_000, 50, 3, 20) };
    let millis = |usual, of_short| Duration::from_millis(if short { of_short } else { usual });
    Options {
        rules: rules.unwrap_or(usual.0),
        watchers: watchers.unwrap_or(usual.1),
        windows: windows.unwrap_or(usual.2),
        window: Duration::from_secs(seconds.unwrap_or(usual.3)),
        again: millis(20_000, 700),
        settle: millis(2000, 300),
        answers: if short { 3 } else { 50 },
        cores,
        short,
    }
}

fn number<T: std::str::FromStr>(value: &str) -> T {
    value.parse().unwrap_or_else(|_| panic!("no number: {value}"))
}
