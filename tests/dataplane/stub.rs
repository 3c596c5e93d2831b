//! The stand-in for pfctl (tests/support/pfctl) with a directory of its own, and the data plane that runs it.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use hfm::dataplane::{Change, DataPlane, Managed, Pfctl, TableError};
use hfm::rule::Prefix;

use crate::place::{PATIENCE, Place, now};

pub fn prefix(text: &str) -> Prefix {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

pub fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| prefix(text)).collect()
}

/// A pf of files.
pub struct Stub {
    pub place: Place,
}

/// A call of the stand-in.
#[derive(Debug)]
pub struct Call {
    pub pid: String,
    pub arguments: String,
    pub input: String,
}

impl Stub {
    pub fn new(test: &str) -> Self {
        let place = Place::new(test);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/pfctl");
        std::os::unix::fs::symlink(script, place.path.join("pfctl")).expect("a link to the stand-in");
        fs::create_dir(place.path.join("pf")).expect("a directory for tables");
        Self { place }
    }

    fn program(&self) -> String {
        self.place.path.join("pfctl").to_string_lossy().into_owned()
    }

    pub fn pfctl(&self) -> Pfctl {
        self.pfctl_within(PATIENCE)
    }

    pub fn pfctl_within(&self, timeout: Duration) -> Pfctl {
        Pfctl::new(&self.program(), now, timeout)
    }

    /// Puts a table there, as a ruleset would, an address a line.
    pub fn table(&self, name: &str, lines: &[&str]) {
        let path = self.place.path.join("pf").join(name);
        fs::create_dir_all(path.parent().expect("it is below")).expect("a directory for an anchor");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(path, text).expect("a table");
    }

    /// What a table holds, in no order; `None` when there is no such table.
    pub fn holds(&self, name: &str) -> Option<Vec<String>> {
        let text = fs::read_to_string(self.place.path.join("pf").join(name)).ok()?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        Some(lines)
    }

    pub fn mode(&self, mode: &str) {
        fs::write(self.place.path.join("pf/.mode"), mode).expect("a mode");
    }

    /// What an operator does in a shell, whatever the mode.
    pub fn operator(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.program());
        command.args(arguments).env("PFCTL_STUB_MODE", "ok").output().expect("the stand-in runs")
    }

    pub fn calls(&self) -> Vec<Call> {
        let calls = self.place.read("pf/.calls");
        let call = |line: &str| {
            let mut fields = line.split('\t').skip(1).map(str::to_owned);
            let mut next = || fields.next().expect("a field");
            Call { pid: next(), arguments: next(), input: next().trim_end().to_owned() }
        };
        calls.lines().map(call).collect()
    }
}

/// Reads and writes one table, one thing at a time.
pub trait Simply: DataPlane {
    fn list(&mut self, name: &str) -> Result<Vec<Prefix>, TableError> {
        Ok(self.read(Managed { name, members: &[] })?.addresses)
    }

    fn add(&mut self, name: &str, add: &[Prefix]) -> Result<(), TableError> {
        let table = Managed { name, members: &[] };
        self.apply(&[Change { table, add, remove: &[] }]).remove(0)
    }

    fn remove(&mut self, name: &str, remove: &[Prefix]) -> Result<(), TableError> {
        let table = Managed { name, members: &[] };
        self.apply(&[Change { table, add: &[], remove }]).remove(0)
    }
}

impl<P: DataPlane + ?Sized> Simply for P {}

/// What a data plane reads, in order.
pub fn read(plane: &mut dyn DataPlane, table: &str) -> Result<Vec<Prefix>, TableError> {
    let mut addresses = plane.list(table)?;
    addresses.sort();
    Ok(addresses)
}
