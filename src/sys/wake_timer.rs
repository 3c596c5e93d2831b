//! Waking a poll exactly: to tens of microseconds, where epoll_wait(2) rounds up to milliseconds.
//!
//! Linux: a timerfd that the owner registers with its poll, readable at expiry. Elsewhere kqueue's own timeout is as fine as its timespec.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// One alarm for one poll.
#[derive(Debug)]
pub struct WakeTimer {
    #[cfg(target_os = "linux")]
    fd: nix::sys::timerfd::TimerFd,
    /// What the timerfd is set to.
    #[cfg(target_os = "linux")]
    armed: Option<Instant>,
}

#[cfg(target_os = "linux")]
impl WakeTimer {
    /// Makes a timer; register its [`fd`](Self::fd), edge-triggered.
    ///
    /// # Errors
    /// When no descriptor can be had.
    pub fn new() -> io::Result<Self> {
        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self { fd: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?, armed: None })
    }

    /// What to register with the poll for reading, if anything.
    pub fn fd(&self) -> Option<RawFd> {
        use std::os::fd::{AsFd, AsRawFd};
        Some(self.fd.as_fd().as_raw_fd())
    }

    /// What to give the poll as its timeout so that it returns at `deadline`, or only for an event with
    /// `None`. A deadline that has passed gives a timeout of zero.
    ///
    /// # Errors
    /// As timerfd_settime(2).
    pub fn timeout_until(&mut self, deadline: Option<Instant>, now: Instant) -> io::Result<Option<Duration>> {
        use nix::sys::time::TimeSpec;
        use nix::sys::timerfd::{Expiration, TimerSetTimeFlags};

        let Some(deadline) = deadline else {
            if self.armed.take().is_some() {
                self.fd.unset()?;
            }
            return Ok(None);
        };
        let wait = deadline.saturating_duration_since(now);
        if wait.is_zero() {
            return Ok(Some(Duration::ZERO));
        }
        if self.armed != Some(deadline) {
            self.fd.set(Expiration::OneShot(TimeSpec::from_duration(wait)), TimerSetTimeFlags::empty())?;
            self.armed = Some(deadline);
        }
        Ok(None)
    }

    /// To be called when the poll says that the timer is readable: it has to be set anew for a next time.
    pub fn expired(&mut self) {
        self.armed = None;
    }
}

#[cfg(not(target_os = "linux"))]
impl WakeTimer {
    /// Nothing to make: the poll's own timeout is exact.
    ///
    /// # Errors
    /// None.
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Nothing to register.
    pub fn fd(&self) -> Option<RawFd> {
        None
    }

    /// What to give the poll as its timeout so that it returns at `deadline`, or only for an event with
    /// `None`.
    ///
    /// # Errors
    /// None.
    pub fn timeout_until(&mut self, deadline: Option<Instant>, now: Instant) -> io::Result<Option<Duration>> {
        Ok(deadline.map(|deadline| deadline.saturating_duration_since(now)))
    }

    /// Nothing to do.
    pub fn expired(&mut self) {}
}
