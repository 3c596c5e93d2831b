//! What a service manager is told: the protocol of sd_notify(3), by datagrams to the socket that it names. On FreeBSD
//! nobody names one.
//!
//! Nothing here waits: what does not go out at once is given back, or is lost.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use socket2::{Domain, SockAddr, Socket, Type};

/// Where it listens: a path, or `@` and a name that is in no directory (Linux).
const SOCKET: &str = "NOTIFY_SOCKET";
/// How long it waits for the next sign of life, in microseconds (sd_watchdog_enabled(3)),
const WATCHDOG: &str = "WATCHDOG_USEC";
/// and from which process; from whoever reads it if that is not said.
const WATCHDOG_PID: &str = "WATCHDOG_PID";

/// Whoever started this process as a service and wants to hear how it goes.
#[derive(Debug)]
pub struct Manager {
    socket: Socket,
    address: SockAddr,
    watchdog: Option<Duration>,
}

/// What is said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The service does its work; a reload is over.
    Ready,
    /// A reload has begun, at this very moment.
    Reloading,
    /// The service is about to end.
    Stopping,
    /// It is alive.
    Alive,
    /// How it goes, for people: one line.
    Status(String),
}

impl Manager {
    /// Whoever the environment of this process names, if it names anyone. The variables are taken out of it: no child
    /// is to speak for this process.
    ///
    /// To be called while there is no other thread.
    ///
    /// # Errors
    /// When what it names is no address, or no socket can be had.
    pub fn take() -> io::Result<Option<Self>> {
        let [socket, watchdog, pid] = [SOCKET, WATCHDOG, WATCHDOG_PID].map(|name| {
            let value = std::env::var_os(name);
            if value.is_some() {
                // SAFETY: this is the only thread, as the caller has seen to, so nobody else reads the environment.
                unsafe { std::env::remove_var(name) };
            }
            value
        });
        let Some(name) = socket.filter(|name| !name.is_empty()) else { return Ok(None) };
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        let watchdog = watchdog_of(watchdog, pid, std::process::id());
        Ok(Some(Self { socket, address: address_of(name)?, watchdog }))
    }

    /// How long it waits for a sign of life before it takes this process for dead, if it waits for any.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Tells it something, without waiting.
    ///
    /// # Errors
    /// When it did not go out: nobody listens, or does not keep up.
    pub fn tell(&self, news: &News) -> io::Result<()> {
        self.socket.send_to(text(news)?.as_bytes(), &self.address).map(|_| ())
    }
}

fn text(news: &News) -> io::Result<String> {
    Ok(match news {
        News::Ready => "READY=1".to_owned(),
        News::Reloading => {
            // By the clock that the manager goes by: it tells so whether it was after its own signal.
            let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
            format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros())
        }
        News::Stopping => "STOPPING=1".to_owned(),
        News::Alive => "WATCHDOG=1".to_owned(),
        News::Status(line) => format!("STATUS={line}"),
    })
}

fn address_of(name: OsString) -> io::Result<SockAddr> {
    let mut bytes = name.into_vec();
    match bytes.first_mut() {
        Some(b'/') => {}
        // As unix(7) has it.
        Some(first @ b'@') => *first = 0,
        Some(_) | None => {
            let why = format!("neither a path nor a name with '@': {}", String::from_utf8_lossy(&bytes));
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
    }
    SockAddr::unix(Path::new(std::ffi::OsStr::from_bytes(&bytes)))
}

/// What these two say to the process `own`: a time that is none, or another process, mean that nobody waits.
fn watchdog_of(micros: Option<OsString>, pid: Option<OsString>, own: u32) -> Option<Duration> {
    let number = |text: OsString| text.to_str()?.parse::<u64>().ok();
    if pid.is_some_and(|pid| number(pid) != Some(own.into())) {
        return None;
    }
    micros.and_then(number).filter(|micros| *micros > 0).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_is_owed_only_where_a_time_is_given_and_to_whom_it_names() {
        let of = |micros: Option<&str>, pid: Option<&str>| {
            watchdog_of(micros.map(OsString::from), pid.map(OsString::from), 812)
        };
        let two_seconds = Some(Duration::from_secs(2));
        assert_eq!(of(Some("2000000"), None), two_seconds);
        assert_eq!(of(Some("2000000"), Some("812")), two_seconds);
        for (micros, pid) in [
            (None, None),
            (None, Some("812")),
            (Some("2000000"), Some("813")),
            (Some("2000000"), Some("")),
            (Some("2000000"), Some("me")),
            (Some("0"), None),
            (Some("-1"), None),
            (Some("2s"), None),
        ] {
            assert_eq!(of(micros, pid), None, "{micros:?} {pid:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for name in ["notify", "vsock:2:1234", "", "./notify"] {
            assert!(address_of(name.into()).is_err(), "{name}");
        }
        assert!(address_of(format!("/{}", "x".repeat(200)).into()).is_err());
        assert!(address_of("/run/systemd/notify".into()).is_ok());
    }

    #[test]
    fn each_is_said_as_the_manual_page_has_it() {
        let said = |news: &News| text(news).unwrap();
        assert_eq!(said(&News::Ready), "READY=1");
        assert_eq!(said(&News::Stopping), "STOPPING=1");
        assert_eq!(said(&News::Alive), "WATCHDOG=1");
        assert_eq!(said(&News::Status("1 rule: 1 up".to_owned())), "STATUS=1 rule: 1 up");
        let reloading = said(&News::Reloading);
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(micros.parse::<u64>().unwrap() > 0, "{reloading}");
    }
}
