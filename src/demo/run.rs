//! The loop of the demo: hfm's own reactor and writer on the main thread and theirs, the show beside them.

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use log::LevelFilter;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::screen::{Form, Size};
use super::{Arguments, Demo, NAME};
use crate::config::{self, Loaded, Report};
use crate::dataplane;
use crate::logging::{self, Destination};
use crate::reactor::{self, Opened, Reactor, Seen};
use crate::rule::LogFormat;
use crate::sys::{listener, terminal};
use crate::writer;

/// Where the status page is served unless somebody asks for another place.
const LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9090));
/// How often it is looked up while hfm ends.
const ENDING_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no demo.
#[derive(Debug)]
pub enum DemoError {
    /// No descriptors, threads or ports can be had.
    Io(io::Error),
    /// hfm does not take the demo's own configuration.
    Configuration(Box<Report>),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Configuration(report) => report.fmt(f),
        }
    }
}

impl std::error::Error for DemoError {}

impl From<io::Error> for DemoError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The demo on stdout: redrawn in place on a terminal, plain lines anywhere else. Ends by itself after `-t`, at
/// SIGINT and SIGTERM, and when nobody reads any more.
///
/// # Errors
/// When it cannot start, or go on.
pub fn run(arguments: &Arguments) -> Result<(), DemoError> {
    let stdout = io::stdout();
    let form = Form::choose(terminal_size(), |name| std::env::var(name).ok());
    let opened = open(arguments.listen)?;
    let mut demo = Demo::new(arguments, opened.address, form, stdout, reactor::now())?;
    let Loaded { configuration, plans, .. } =
        config::load(NAME, &mut demo.files(), &mut demo.files()).map_err(DemoError::Configuration)?;
    let plane = dataplane::choose(&configuration.firewall, writer::now);
    let mut reactor = Reactor::new(configuration, plans, Some(plane), None)?;
    // Nothing is written anywhere; the page tells what happens.
    let _flusher = logging::start(Destination::Nowhere, LogFormat::Text).map_err(io::Error::other)?;
    logging::set_level(LevelFilter::Off);
    reactor.status_by(Some(opened), NAME.to_owned())?;
    let seen = reactor.watch();
    demo.begin(reactor::now().mono);
    let show = std::thread::Builder::new().name("show".into()).spawn(move || show(demo, &seen))?;
    reactor.run()?;
    // With it goes what the show watches, and so the show ends.
    drop(reactor);
    match show.join() {
        Ok(shown) => Ok(shown?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Listens where it was asked to; else at [`LISTEN`], or wherever there is a port when somebody has that.
fn open(asked: Option<SocketAddr>) -> io::Result<Opened> {
    let at = |address| -> io::Result<Opened> {
        let listener = listener::listen(address)?;
        Ok(Opened { address: listener.local_addr()?, listener: Ok(listener) })
    };
    if let Some(address) = asked {
        let why = |error: io::Error| io::Error::new(error.kind(), format!("-listen {address}: {error}"));
        return at(address).map_err(why);
    }
    at(LISTEN).or_else(|_| at(SocketAddr::new(LISTEN.ip(), 0)))
}

/// Breaks and heals backends, and shows what hfm makes of it, until hfm has ended.
fn show<W: Write>(mut demo: Demo<W>, seen: &Receiver<Seen>) -> io::Result<()> {
    let mut outcome = Ok(());
    let mut is_ending = false;
    loop {
        let now = reactor::now().mono;
        if !is_ending && (outcome.is_err() || demo.is_over(now)) {
            // As if somebody had asked for it: all ends in the same way.
            kill(Pid::this(), Signal::SIGTERM)?;
            is_ending = true;
        }
        if !is_ending {
            outcome = demo.handle_timeout(now);
        }
        if let Some(size) = terminal_size() {
            demo.resized(size, now);
        }
        let wait = demo.deadline().saturating_duration_since(now);
        match seen.recv_timeout(if is_ending { ENDING_PAUSE } else { wait }) {
            Ok(seen) => demo.seen(&seen),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    demo.end(reactor::now().mono);
    outcome
}

fn terminal_size() -> Option<Size> {
    terminal::size(&io::stdout()).map(|(columns, rows)| Size::new(columns, rows))
}
