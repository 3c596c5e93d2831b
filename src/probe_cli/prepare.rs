//! From the arguments to rules and plans, by way of the same configuration code that reads files.

use std::fmt;
use std::io;
use std::time::Duration;

use super::{Arguments, Prepared};
use crate::config::{self, Report};
use crate::probe::{CompileError, Compiler, Files, Plans};
use crate::rule::{Rule, Test};
use crate::ucl::Loader;

/// What the text is called in messages.
const NAME: &str = "hfm probe";
/// The deadline of a run when neither `timeout` nor a shorter interval says so.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);

/// Why there is nothing to run.
#[derive(Debug)]
pub enum CannotPrepare {
    /// The arguments do not make a rule; the report says what is wrong.
    Report(Box<Report>),
    /// A file that was there a moment ago is not any more.
    Compile(CompileError),
    /// The test is a program.
    NoProbe,
    /// A property that says nothing about a single probe.
    Meaningless(String),
}

impl fmt::Display for CannotPrepare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(report) => report.fmt(f),
            Self::Compile(error) => writeln!(f, "{NAME}: {error}"),
            Self::NoProbe => writeln!(f, "{NAME}: the first argument is no URL, such as tcp://10.0.0.1:80"),
            Self::Meaningless(property) => {
                writeln!(f, "{NAME}: '{property}' is no property of a probe, and has no effect here")
            }
        }
    }
}

impl std::error::Error for CannotPrepare {}

/// The arguments as a file that includes nothing.
struct Text(String);

impl Loader for Text {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        if path == NAME { Ok(self.0.clone().into_bytes()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        if path == NAME { Ok(path.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn glob(&mut self, _pattern: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Makes what [`run`](super::run) runs.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub fn prepare(arguments: &Arguments, files: &mut dyn Files) -> Result<Prepared, CannotPrepare> {
    for (name, _) in &arguments.properties {
        let known = config::properties::find(name);
        if known.is_some_and(|property| !property.is_of_probes()) {
            return Err(CannotPrepare::Meaningless(name.clone()));
        }
    }
    let mut text = Text(arguments.as_configuration());
    let loaded = config::load(NAME, &mut text, files).map_err(CannotPrepare::Report)?;
    let warnings = loaded.warnings;
    let Some(mut rule) = loaded.configuration.rules.into_iter().next() else {
        return Err(CannotPrepare::NoProbe);
    };
    let Test::Probe(probe) = &mut rule.test else { return Err(CannotPrepare::NoProbe) };
    if !arguments.properties.iter().any(|(name, _)| name.eq_ignore_ascii_case("timeout")) {
        probe.timeout = probe.timeout.min(TIMEOUT_DEFAULT);
    }
    let mut compiler = Compiler::default();
    let mut plans = Vec::new();
    for _ in 0..arguments.concurrency.get() {
        plans.push(Some(compiler.compile(probe, files).map_err(CannotPrepare::Compile)?));
    }
    if arguments.interval.is_none() {
        rule.terms.interval = Duration::ZERO;
        rule.terms.interval_fail = Duration::ZERO;
        rule.terms.interval_debounce = None;
    }
    let clock = compiler.clock();
    let rules = (0..arguments.concurrency.get())
        .map(|number| Rule { name: number.to_string().into(), ..rule.clone() });
    Ok(Prepared { rules: rules.collect(), plans: Plans { plans, clock }, warnings })
}
