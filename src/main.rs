//! The daemon: wiring and exit codes. Command line, then configuration, then limits, then the reactor.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use hfm::cli::{self, Invocation};
use hfm::config::{self, Loaded, Report};
use hfm::logging::{self, Destination, Flusher};
use hfm::probe::Plans;
use hfm::reactor::Reactor;
use hfm::sys::files::FileLoader;
use hfm::sys::{limits, memory, process};

/// The tag of hfm's `-v`.
const TAG: &str = env!("CARGO_PKG_VERSION");
/// Exit status of `-n` for a bad configuration.
const BAD_CONFIGURATION: u8 = 1;
/// Exit status for everything that keeps hfm from running.
const CANNOT_RUN: u8 = 2;
/// Descriptors for everything but children.
const OWN_DESCRIPTORS: u64 = 64;
/// Descriptors of a running child: two streams, and as many again while it is being made.
const DESCRIPTORS_PER_CHILD: u64 = 4;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os().skip(1)) {
        Err(error) => {
            complain(&format!("hfm: {error}\n{}\n", cli::usage()));
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
        Ok(Invocation::Run { config, log }) => run(&config, log),
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
    config::load(name, &mut FileLoader).map_err(|report| {
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

fn run(path: &Path, destination: Destination) -> ExitCode {
    let Ok(loaded) = load(path) else { return ExitCode::from(CANNOT_RUN) };
    if let Err(error) = process::leave_child_signals() {
        complain(&format!("hfm: cannot set the signal mask: {error}\n"));
        return ExitCode::from(CANNOT_RUN);
    }
    let flusher = match logging::start(destination) {
        Ok(flusher) => flusher,
        Err(error) => {
            complain(&format!("hfm: cannot start the log: {error}\n"));
            return ExitCode::from(CANNOT_RUN);
        }
    };
    let code = run_logged(loaded, &flusher);
    flusher.flush();
    code
}

fn run_logged(loaded: Loaded, flusher: &Flusher) -> ExitCode {
    let Loaded { configuration, warnings } = loaded;
    log_warnings(&warnings);
    drop(warnings);
    let rules = configuration.rules.len();
    raise_limits(rules as u64, configuration.change_max as u64);
    let mut reactor = match Reactor::new(configuration, Plans::default()) {
        Ok(reactor) => reactor,
        Err(error) => {
            log::error!("cannot start: {error}");
            flusher.flush();
            return ExitCode::from(CANNOT_RUN);
        }
    };
    // The text and its tree are gone; only the rules are kept.
    memory::trim();
    log::info!("Loaded {rules} rules.");
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

fn raise_limits(rules: u64, change_max: u64) {
    let needed = OWN_DESCRIPTORS + (rules + change_max) * DESCRIPTORS_PER_CHILD;
    match limits::raise_open_files(needed) {
        Ok(files) if files.limit < files.needed => log::warn!(
            "open files are limited to {}, up to {} may be needed: runs without one will be inconclusive; raise the limit",
            files.limit,
            files.needed
        ),
        Ok(_) => {}
        Err(error) => log::warn!("cannot read the limit on open files: {error}"),
    }
}
