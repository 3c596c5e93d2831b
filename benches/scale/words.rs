//! What checkers say of themselves.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// What one says; nothing where it does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words {
    /// Probes that failed.
    pub(crate) failed: Option<u64>,
    /// Rules that are failed now.
    pub(crate) down: Option<u64>,
    /// Slots that were left out.
    pub(crate) missed: Option<u64>,
    /// How late probes were started, p99.
    pub(crate) late_us: Option<u64>,
}

impl Words {
    /// What has been added since; states and quantiles are as they are now.
    pub(crate) fn since(self, before: Self) -> Self {
        let less = |now: Option<u64>, then: Option<u64>| Some(now? - then.unwrap_or(0));
        Self { failed: less(self.failed, before.failed), missed: less(self.missed, before.missed), ..self }
    }
}

const RULES: &str = "summary: rules=";
const RUNS: &str = "summary: runs=";

/// How many summaries are in a log of hfm's.
pub(crate) fn summaries(log: &str) -> usize {
    log.lines().filter(|line| line.contains(RUNS)).count()
}

/// The last summary in a log of hfm's.
pub(crate) fn of_hfm(log: &str) -> Words {
    let last = |what: &str| log.lines().rfind(|line| line.contains(what)).expect("a summary");
    let (rules, runs) = (last(RULES), last(RUNS));
    let lateness = runs.split_once("lateness_us").expect("its lateness").1;
    Words {
        failed: Some(field(runs, "failures")),
        down: Some(field(rules, "fail") + field(rules, "unknown")),
        missed: Some(field(runs, "missed_slots")),
        late_us: Some(field(lateness, "p99")),
    }
}

/// The floor's last words.
pub(crate) fn of_floor(printed: &str) -> Words {
    Words { failed: Some(field(&format!(" {printed}"), "failures")), ..Words::default() }
}

/// A number by its name.
fn field(line: &str, name: &str) -> u64 {
    let after = line.split_once(&format!(" {name}=")).unwrap_or_else(|| panic!("no {name} in {line}")).1;
    let digits = after.split(|letter: char| !letter.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no number: {after}"))
}

/// What haproxy's statistics say of all servers.
pub(crate) fn of_haproxy(socket: &Path) -> Words {
    let mut stream = UnixStream::connect(socket).expect("haproxy's socket");
    stream.write_all(b"show stat -1 4 -1\n").expect("haproxy listens");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("haproxy answers");
    let mut lines = text.lines();
    let names = lines.next().expect("names").trim_start_matches("# ");
    let column = |name: &str| {
        let found = names.split(',').position(|other| other == name);
        found.unwrap_or_else(|| panic!("haproxy has no statistics of {name}: {names}"))
    };
    let (failed, status) = (column("chkfail"), column("status"));
    let (mut words, mut down) = (0, 0);
    for line in lines.filter(|line| !line.is_empty()) {
        let values: Vec<&str> = line.split(',').collect();
        words += values[failed].parse::<u64>().unwrap_or(0);
        down += u64::from(!values[status].starts_with("UP"));
    }
    Words { failed: Some(words), down: Some(down), ..Words::default() }
}
