//! What hfm says of its rules and of itself, over its control socket.

use std::process::Command;

use serde_json::Value;

use crate::harness::Place;

/// How a rule stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) runs: u64,
    pub(crate) failures: u64,
    pub(crate) inconclusive: u64,
    pub(crate) missed: u64,
}

impl Standing {
    /// Runs that succeeded; the one that may be under way aside.
    pub(crate) fn successes_at_most(&self) -> u64 {
        self.runs - self.failures - self.inconclusive
    }
}

/// The control socket's line of a configuration.
pub(crate) fn control(place: &Place) -> String {
    format!("control = \"{}\"\n", place.path.join("socket").display())
}

/// How all rules stand.
pub(crate) fn standings(place: &Place) -> Vec<Standing> {
    let rows = ask(place, "status").into_iter().filter(|row| row["type"] == "rule");
    rows.map(|row| {
        let number = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"));
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}")).to_owned();
        Standing {
            name: text("rule"),
            state: text("state"),
            runs: number("runs"),
            failures: number("failures"),
            inconclusive: number("inconclusive"),
            missed: number("missed"),
        }
    })
    .collect()
}

/// Those of the rules of a group.
pub(crate) fn of<'a>(group: &str, all: &'a [Standing]) -> Vec<&'a Standing> {
    all.iter().filter(|one| one.name.split('/').next() == Some(group)).collect()
}

/// The lines of an answer.
fn ask(place: &Place, command: &str) -> Vec<Value> {
    let mut hfmctl = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
    hfmctl.arg("-s").arg(place.path.join("socket")).args(["--json", command]);
    let output = hfmctl.output().expect("hfmctl");
    assert!(output.status.success(), "hfmctl {command}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("an object of JSON")).collect()
}
