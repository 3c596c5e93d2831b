//! Where the status page listens. What cannot be had is told once, and tried again and again: the page is never a reason
//! for tables not to be kept.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use log::Level;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::LISTENER;
use crate::line::{self, Field, Line, Value};
use crate::sys::listener::{self, Accepted};

/// What cannot be had is tried again after this.
const RETRY: Duration = Duration::from_secs(5);
/// When there is no descriptor for a connection, it is tried again after this.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// An address, and what came of listening there.
#[derive(Debug)]
pub struct Opened {
    /// `listen`
    pub address: SocketAddr,
    /// What listens there.
    pub listener: io::Result<TcpListener>,
}

impl Opened {
    /// Listens there, if that can be had.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, listener: listener::listen(address) }
    }
}

/// What to do about it, where its words do not say.
fn help(error: &io::Error) -> &'static str {
    // bind(2)
    let words = [
        (io::ErrorKind::PermissionDenied, ", ports below 1024 are root's: take another"),
        (io::ErrorKind::AddrInUse, ", another program has it: 'ss -ltnp' or 'sockstat -l' tells which"),
        (io::ErrorKind::AddrNotAvailable, ", this machine does not have that address, or not yet"),
    ];
    words.iter().find(|(kind, _)| *kind == error.kind()).map_or("", |(_, words)| words)
}

/// The address, and what listens there.
#[derive(Debug)]
pub(super) struct Place {
    address: SocketAddr,
    listener: Option<TcpListener>,
    retry_at: Option<Instant>,
    /// There may be connections to accept.
    may_accept: bool,
    accept_at: Option<Instant>,
}

impl Place {
    pub(super) fn new(opened: Opened, registry: &Registry, now: Instant) -> Self {
        let Opened { address, listener } = opened;
        let mut place = Self { address, listener: None, retry_at: None, may_accept: false, accept_at: None };
        place.take(listener, registry, now);
        place
    }

    fn take(&mut self, opened: io::Result<TcpListener>, registry: &Registry, now: Instant) {
        let address = self.address;
        let taken = opened.and_then(|listener| {
            registry.register(&mut SourceFd(&listener.as_raw_fd()), Token(LISTENER), Interest::READABLE)?;
            Ok(listener)
        });
        let about = [Field::hidden("listen", Value::Bare(&address))];
        match taken {
            Ok(listener) => {
                (self.listener, self.retry_at, self.may_accept) = (Some(listener), None, true);
                let sentence = format_args!("status page at http://{address}/");
                let line = Line { event: "status-page", sentence, about: &about, fields: &[] };
                line::tell(Level::Info, module_path!(), &line);
            }
            Err(error) => {
                if self.retry_at.is_none() {
                    let help = help(&error);
                    let sentence = format_args!(
                        "the status page cannot listen at {address}: {error}{help}; trying again every {RETRY:?}"
                    );
                    let fields = [Field::hidden("detail", Value::Bare(&error))];
                    let line = Line { event: "status-page-failed", sentence, about: &about, fields: &fields };
                    line::tell(Level::Error, module_path!(), &line);
                }
                self.retry_at = now.checked_add(RETRY);
            }
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The poll says that somebody waits.
    pub(super) fn may_accept(&mut self) {
        self.may_accept = true;
    }

    /// Whether there is something to do at once.
    pub(super) fn has_more(&self) -> bool {
        self.may_accept && self.accept_at.is_none()
    }

    /// When something is tried again.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at.or(self.accept_at)
    }

    /// The next connection, if somebody waits; that may have gone meanwhile.
    pub(super) fn accept(&mut self, registry: &Registry, now: Instant) -> Option<Option<TcpStream>> {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.take(listener::listen(self.address), registry, now);
        }
        let is_time = self.accept_at.is_none_or(|at| at <= now);
        let listener =
            self.listener.as_ref().filter(|_| is_time && (self.may_accept || self.accept_at.is_some()))?;
        match listener::accept(listener) {
            Ok(found) => {
                self.accept_at = None;
                self.may_accept = !matches!(found, Accepted::Nobody);
                match found {
                    Accepted::Client(stream) => Some(Some(stream)),
                    Accepted::Gone => Some(None),
                    Accepted::Nobody => None,
                }
            }
            Err(error) => {
                // Told once: until it has worked again.
                if self.accept_at.is_none() {
                    log::warn!(
                        "status page: a client cannot be accepted: {error}; trying again every {ACCEPT_PAUSE:?}"
                    );
                }
                (self.may_accept, self.accept_at) = (false, now.checked_add(ACCEPT_PAUSE));
                None
            }
        }
    }

    pub(super) fn shut(&mut self, registry: &Registry) {
        if let Some(listener) = self.listener.take() {
            let _ = registry.deregister(&mut SourceFd(&listener.as_raw_fd()));
        }
    }
}
