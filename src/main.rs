//! The daemon: wiring and exit codes. Command line, then configuration, then limits and the user, then the threads.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use hfm::cli::{self, CliError, Invocation};
use hfm::config::{self, Loaded, Report};
use hfm::demo;
use hfm::line::{self, Field, Harmless, Line, Value};
use hfm::loader;
use hfm::logging::{self, Destination, Flusher};
use hfm::probe::Files;
use hfm::probe_cli::{self, Arguments, Outcome};
use hfm::reactor::{Descriptors, Reactor};
use hfm::start::{self, Prepared};
use hfm::sys::files::FileLoader;
use hfm::sys::{memory, process};
use hfm::ucl::Loader;

/// The tag of hfm's `-v`.
const TAG: &str = env!("CARGO_PKG_VERSION");
/// Exit status of `-n` for a bad configuration.
const BAD_CONFIGURATION: u8 = 1;
/// Exit status for everything that keeps hfm from running.
const CANNOT_RUN: u8 = 2;
/// Exit status of `hfm probe` when a run did not succeed.
const NOT_ALL_SUCCEEDED: u8 = 1;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os().skip(1)) {
        Err(error) => {
            let usage = if matches!(error, CliError::Probe(_)) {
                probe_cli::usage()
            } else if matches!(error, CliError::Demo(_)) {
                demo::usage().to_owned()
            } else {
                cli::usage()
            };
            complain(&format!("hfm: {error}\n{usage}\n"));
            ExitCode::from(CANNOT_RUN)
        }
        Ok(Invocation::Help) => {
            say(&cli::usage());
            ExitCode::SUCCESS
        }
        Ok(Invocation::Version) => {
            say(&format!("hfm version {TAG}\n"));
            ExitCode::SUCCESS
        }
        Ok(Invocation::Check { config, dump }) => check(&config, dump),
        Ok(Invocation::Probe(arguments)) => probe(&arguments),
        Ok(Invocation::ProbeHelp) => {
            say(&probe_cli::usage());
            ExitCode::SUCCESS
        }
        Ok(Invocation::Demo(arguments)) => show(&arguments),
        Ok(Invocation::DemoHelp) => {
            say(demo::usage());
            ExitCode::SUCCESS
        }
        Ok(Invocation::Run { config, log }) => run(&config, log),
    }
}

/// What probes read: files as they are named, and the certificates that this system trusts.
struct ProbeFiles;

impl Files for ProbeFiles {
    fn read(&mut self, path: &str) -> std::io::Result<Vec<u8>> {
        FileLoader.read(path)
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let found = rustls_native_certs::load_native_certs();
        match found.errors.first() {
            // Some that cannot be read do not take away the others.
            Some(error) if found.certs.is_empty() => Err(error.to_string()),
            Some(_) | None => Ok(found.certs.into_iter().map(|certificate| certificate.to_vec()).collect()),
        }
    }
}

/// Prints to stdout. Whoever closed it wants no more, and the exit status says the rest.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints to stderr; one that is closed or full takes no complaint about that either.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn load(path: &Path) -> Result<Loaded, ()> {
    let Some(name) = path.to_str() else {
        complain(&format!("could not load configuration file {}: its name is not UTF-8\n", path.display()));
        return Err(());
    };
    config::load(name, &mut FileLoader, &mut ProbeFiles).map_err(|report| {
        let total = report.total();
        let errors = if total == 1 { "error" } else { "errors" };
        complain(&format!("{report}could not load configuration file {name}: {total} {errors}\n"));
    })
}

fn check(path: &Path, dump: bool) -> ExitCode {
    let Ok(loaded) = load(path) else { return ExitCode::from(BAD_CONFIGURATION) };
    complain(&loaded.warnings.to_string());
    if dump {
        say(&config::dump(&loaded.configuration));
    }
    ExitCode::SUCCESS
}

/// `hfm probe`.
fn probe(arguments: &Arguments) -> ExitCode {
    let prepared = match probe_cli::prepare(arguments, &mut ProbeFiles) {
        Ok(prepared) => prepared,
        Err(error) => {
            complain(&format!("{error}hfm probe -h tells what it takes\n"));
            return ExitCode::from(CANNOT_RUN);
        }
    };
    complain(&prepared.warnings.to_string());
    // What there is to be said of it would be lost among the runs; those without a descriptor say so.
    let _ = Descriptors::of_probes(arguments.concurrency.get()).raise();
    match probe_cli::run(prepared, arguments, std::io::stdout()) {
        Ok(Outcome::AllSucceeded) => ExitCode::SUCCESS,
        Ok(Outcome::NotAll) => ExitCode::from(NOT_ALL_SUCCEEDED),
        Err(error) => {
            complain(&format!("hfm: cannot run: {error}\n"));
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// `hfm demo`.
fn show(arguments: &demo::Arguments) -> ExitCode {
    match demo::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("hfm: cannot run the demo: {error}\n"));
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn run(path: &Path, destination: Destination) -> ExitCode {
    memory::give_large_pieces_back();
    let Ok(loaded) = load(path) else { return ExitCode::from(CANNOT_RUN) };
    if let Err(error) = process::leave_child_signals() {
        complain(&format!("hfm: cannot set the signal mask: {error}\n"));
        return ExitCode::from(CANNOT_RUN);
    }
    // While there is no other thread.
    let prepared = start::prepare(&loaded);
    let flusher = match logging::start(destination, loaded.configuration.log_format) {
        Ok(flusher) => flusher,
        Err(error) => {
            complain(&format!("hfm: cannot start the log: {error}\n"));
            return ExitCode::from(CANNOT_RUN);
        }
    };
    // It is UTF-8, or it would not have been loaded.
    let name = path.to_string_lossy().into_owned();
    let file = name.clone();
    let read = move || config::load(&file, &mut FileLoader, &mut ProbeFiles);
    let code = run_logged(loaded, prepared, name, Arc::new(read), &Said { destination, flusher: &flusher });
    flusher.flush();
    code
}

/// Where what is said goes.
struct Said<'a> {
    destination: Destination,
    flusher: &'a Flusher,
}

impl Said<'_> {
    /// Tells why there will be no daemon: whoever starts it, too, for a system logger may be missing.
    fn cannot_start(&self, why: &dyn fmt::Display) -> ExitCode {
        log::error!("cannot start: {why}");
        self.flusher.flush();
        match self.destination {
            Destination::Syslog(_) => {
                complain(&format!("{}\n", Harmless(format_args!("cannot start: {why}"))));
            }
            Destination::Stderr | Destination::Nowhere => {}
        }
        ExitCode::from(CANNOT_RUN)
    }
}

fn run_logged(
    loaded: Loaded,
    prepared: Prepared,
    name: String,
    read: loader::Read,
    said: &Said<'_>,
) -> ExitCode {
    let Loaded { configuration, plans, warnings, .. } = loaded;
    log_warnings(&warnings);
    drop(warnings);
    for (level, line) in prepared.news {
        log::log!(level, "{line}");
    }
    let place = match prepared.outcome {
        Ok(place) => place,
        Err(why) => return said.cannot_start(&why),
    };
    let rules = configuration.rules.len();
    let state_dir = place.as_ref().ok().cloned();
    let started = Reactor::new(configuration, plans, prepared.plane, state_dir).and_then(|mut reactor| {
        reactor.status_by(prepared.status, name.clone())?;
        if let Some(socket) = prepared.control {
            reactor.control_by(socket, name)?;
        }
        reactor.remember_overrides(&place)?;
        reactor.demote_by(prepared.helper)?;
        reactor.reload_by(read)?;
        if let Some(manager) = prepared.manager {
            reactor.tell(manager);
        }
        Ok(reactor)
    });
    let mut reactor = match started {
        Ok(reactor) => reactor,
        Err(error) => return said.cannot_start(&error),
    };
    // The text and its tree are gone; only the rules are kept.
    memory::trim();
    let loaded = Line {
        event: "loaded",
        sentence: format_args!("Loaded {rules} rules."),
        about: &[],
        fields: &[Field::hidden("rules", Value::count(rules))],
    };
    line::tell(log::Level::Info, module_path!(), &loaded);
    match reactor.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("cannot wait for events: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// Each warning as one line.
fn log_warnings(warnings: &Report) {
    for line in warnings.headlines() {
        log::warn!("{line}");
    }
}
