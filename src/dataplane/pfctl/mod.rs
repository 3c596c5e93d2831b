//! pf's tables by way of pfctl(8): a program for each step, on every release of FreeBSD the same.
//!
//! Five uses of it and no other: `-T show`, `-T add -f -` and `-T delete -f -`, with all addresses of a batch on
//! stdin; and `-K` and `-k`, for what is to be forgotten of one address. It is given addresses alone, never names,
//! so it asks no name server.

mod messages;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use self::messages::{Counted, Table};
use super::pf::name::{how_to_make, split};
use super::{Change, Contents, DataPlane, Kill, Killed, Managed, TableError};
use crate::rule::Prefix;
use crate::sys::process::Exit;
use crate::sys::program::{ProgramError, Runner};

/// pf by way of pfctl(8). `dataplane = pfctl`.
///
/// `pfctl -T add` makes a table that is missing, which is not ours to do: an addition reads the table first, and
/// adds nothing where there is none. A table that vanishes in the few milliseconds between
/// the two is made anew all the same; that is reported as an error, and what it holds then is what was added.
///
/// `pfctl -k` finds connections by the addresses that they have on the wire: of those that `rdr` sends to a
/// backend the state on the way out, where the ruleset keeps one, and not the one on the way in. (`-k nat`, since
/// FreeBSD 15, takes a source alone.) [`Pf`](super::Pf) finds both.
#[derive(Debug)]
pub struct Pfctl {
    program: Box<str>,
    timeout: Duration,
    runner: Runner,
}

/// What pfctl is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    /// `-T show`.
    Show,
    /// `-T add`.
    Add,
    /// `-T delete`.
    Delete,
    /// `-K`.
    KillSourceNodes,
    /// `-k`.
    KillStates,
}

impl Command {
    /// What stands for it: a word behind `-T`, or an option of its own.
    fn word(self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Add => "add",
            Self::Delete => "delete",
            Self::KillSourceNodes => "-K",
            Self::KillStates => "-k",
        }
    }
}

impl Pfctl {
    /// The program when nothing else is said; looked up in PATH.
    pub const PROGRAM: &'static str = "pfctl";

    /// Runs `program`, for `timeout` at most each time it is run: once to read or to remove, at most twice to
    /// add. `clock` tells the present moment.
    pub fn new(program: &str, clock: fn() -> Instant, timeout: Duration) -> Self {
        Self { program: program.into(), timeout, runner: Runner::new(clock) }
    }

    fn show(&mut self, table: &str) -> Result<Table, TableError> {
        let (stdout, _) = self.run_on(table, Command::Show, &[])?;
        messages::table(&String::from_utf8_lossy(&stdout))
    }

    /// What it printed, given a table and perhaps addresses, and what it said on stderr.
    fn run_on(
        &mut self,
        table: &str,
        command: Command,
        addresses: &[Prefix],
    ) -> Result<(Vec<u8>, String), TableError> {
        let (anchor, table) = split(table)?;
        let mut arguments = Vec::new();
        if let Some(anchor) = anchor {
            arguments.extend(["-a", anchor]);
        }
        arguments.extend(["-t", table, "-T", command.word()]);
        if !addresses.is_empty() {
            arguments.extend(["-f", "-"]);
        }
        let input: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        self.run(command, &arguments, &input)
    }

    /// What it printed, and what it said on stderr.
    fn run(
        &mut self,
        command: Command,
        arguments: &[&str],
        input: &str,
    ) -> Result<(Vec<u8>, String), TableError> {
        let finished = self.runner.run(&self.program, arguments, input.as_bytes(), self.timeout);
        let finished = finished.map_err(|error| self.not_run(error))?;
        let stderr = String::from_utf8_lossy(&finished.stderr).into_owned();
        match finished.exit {
            Exit::Status(0) => Ok((finished.stdout, stderr)),
            Exit::Status(status) => {
                Err(messages::failure(&stderr, command, &format!("exit status {status}")))
            }
            Exit::Signal(signal) => Err(messages::failure(&stderr, command, &format!("signal {signal}"))),
        }
    }

    fn not_run(&self, error: ProgramError) -> TableError {
        let program = &self.program;
        match error {
            ProgramError::NotFound => TableError::Absent(format!("{program}: no such program")),
            ProgramError::NotPermitted => TableError::NotPermitted(format!("{program} may not be run")),
            ProgramError::NotStarted(error) => {
                TableError::Other(format!("{program} does not start: {error}"))
            }
            ProgramError::Timeout | ProgramError::Stuck(_) => {
                TableError::Timeout(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX))
            }
            ProgramError::TooMuchOutput(bytes_max) => {
                TableError::Other(format!("{program} printed more than {bytes_max} bytes"))
            }
            ProgramError::Io(error) => TableError::Other(format!("{program} cannot be waited for: {error}")),
        }
    }

    /// Adds or deletes all of these in one go.
    fn change(&mut self, table: &str, command: Command, addresses: &[Prefix]) -> Result<(), TableError> {
        let (_, stderr) = self.run_on(table, command, addresses)?;
        match messages::counted(&stderr) {
            Some(Counted { changed, asked }) if asked != addresses.len() || changed > asked => {
                let given = addresses.len();
                Err(TableError::Other(format!("pfctl was given {given} addresses and tells of {asked}")))
            }
            // It says nothing of a count when it is told to be quiet, and its exit status is enough.
            Some(_) | None => Ok(()),
        }?;
        if messages::made_a_table(&stderr) {
            return Err(TableError::Other("the table had gone, and pfctl made a new one".to_owned()));
        }
        Ok(())
    }
}

impl Pfctl {
    fn put_in(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        if addresses.is_empty() {
            return Ok(());
        }
        let found = self.show(table)?;
        // pf leaves such a one as it is, without a word.
        let negated: HashSet<Prefix> = found.negated.into_iter().collect();
        if let Some(address) = addresses.iter().find(|address| negated.contains(address)) {
            return Err(TableError::Other(format!(
                "the table holds !{address}, so {address} cannot be added"
            )));
        }
        let found: HashSet<Prefix> = found.addresses.into_iter().collect();
        if addresses.iter().all(|address| found.contains(address)) {
            return Ok(());
        }
        self.change(table, Command::Add, addresses)
    }

    /// Kills what leads to these, a run each: twice the option, from where and to where. Says how many there
    /// were.
    fn forget(&mut self, command: Command, addresses: &[Prefix]) -> Result<u64, TableError> {
        let (option, mut killed) = (command.word(), 0);
        for address in addresses {
            let anywhere = if address.address().is_ipv4() { "0.0.0.0/0" } else { "::/0" };
            let arguments = [option, anywhere, option, &address.to_string()];
            let (_, stderr) = self.run(command, &arguments, "")?;
            killed += messages::killed(&stderr).unwrap_or(0);
        }
        Ok(killed)
    }

    fn take_out(&mut self, table: &str, addresses: &[Prefix]) -> Result<(), TableError> {
        if addresses.is_empty() {
            return Ok(());
        }
        self.change(table, Command::Delete, addresses)
    }
}

impl DataPlane for Pfctl {
    fn name(&self) -> &'static str {
        "pfctl"
    }

    fn how_to_make(&self, table: &str) -> String {
        how_to_make(table)
    }

    fn read(&mut self, table: Managed<'_>) -> Result<Contents, TableError> {
        Ok(Contents::of(self.show(table.name)?.addresses))
    }

    fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Result<(), TableError>> {
        let one = |Change { table, add, remove }: &Change<'_>| {
            self.put_in(table.name, add)?;
            self.take_out(table.name, remove)
        };
        changes.iter().map(one).collect()
    }

    fn killer(&self) -> Option<Box<dyn DataPlane>> {
        Some(Box::new(Self {
            program: self.program.clone(),
            timeout: self.timeout,
            runner: Runner::new(self.runner.clock()),
        }))
    }

    fn kill(&mut self, addresses: &[Prefix], what: Kill) -> Result<Killed, TableError> {
        let source_nodes = self.forget(Command::KillSourceNodes, addresses)?;
        let states = match what {
            Kill::SourceNodes => 0,
            Kill::States => self.forget(Command::KillStates, addresses)?,
        };
        Ok(Killed { source_nodes, states })
    }
}
