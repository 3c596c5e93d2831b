//! Waking a poll exactly: to tens of microseconds, where epoll_wait(2) rounds up to milliseconds, and where
//! kevent(2) lets its timeout slip by 3 % (sys/kern/kern_event.c, kqueue_scan; kern.timecounter.alloweddeviation).
//!
//! Linux: a timerfd that the owner registers with its poll, readable at expiry. FreeBSD: a timer in a kqueue of its
//! own, which is as exact as the clock, registered the same way. Elsewhere: the poll's timeout.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// One alarm for one poll.
#[derive(Debug)]
pub struct WakeTimer {
    #[cfg(target_os = "linux")]
    fd: nix::sys::timerfd::TimerFd,
    /// Holds the timer, and nothing else.
    #[cfg(target_os = "freebsd")]
    queue: nix::sys::event::Kqueue,
    /// What the timer is set to.
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
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

    /// Waits for `until` alone, whatever else happens; a signal may end it sooner.
    ///
    /// # Errors
    /// As timerfd_settime(2) and poll(2).
    pub fn rest_until(&mut self, until: Instant, now: Instant) -> io::Result<()> {
        use std::os::fd::AsFd;

        match self.timeout_until(Some(until), now)? {
            Some(_) => Ok(()),
            None => wait_for(self.fd.as_fd()),
        }
    }

    /// To be called when the poll says that the timer is readable: it has to be set anew for a next time.
    pub fn expired(&mut self) {
        self.armed = None;
    }
}

/// Longest time that the timer is set to, for the kernel's sums not to overflow: to wake once a day does no harm.
#[cfg(target_os = "freebsd")]
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(target_os = "freebsd")]
impl WakeTimer {
    /// Makes a timer; register its [`fd`](Self::fd), edge-triggered.
    ///
    /// # Errors
    /// When no descriptor can be had.
    pub fn new() -> io::Result<Self> {
        Ok(Self { queue: nix::sys::event::Kqueue::new()?, armed: None })
    }

    /// What to register with the poll for reading, if anything.
    pub fn fd(&self) -> Option<RawFd> {
        use std::os::fd::{AsFd, AsRawFd};
        Some(self.queue.as_fd().as_raw_fd())
    }

    /// What to give the poll as its timeout so that it returns at `deadline`, or only for an event with
    /// `None`: no less than the timer, which comes first. A deadline that has passed gives a timeout of zero.
    ///
    /// # Errors
    /// As kevent(2).
    pub fn timeout_until(&mut self, deadline: Option<Instant>, now: Instant) -> io::Result<Option<Duration>> {
        use nix::sys::event::EvFlags;

        let Some(deadline) = deadline else {
            if self.armed.take().is_some() {
                self.set(EvFlags::EV_DELETE, 0)?;
            }
            return Ok(None);
        };
        let wait = deadline.saturating_duration_since(now);
        if !wait.is_zero() && self.armed != Some(deadline) {
            let nanoseconds = isize::try_from(wait.min(WAIT_MAX).as_nanos()).unwrap_or(isize::MAX);
            // Takes the place of one that is there, expired or not.
            self.set(EvFlags::EV_ADD | EvFlags::EV_ONESHOT, nanoseconds)?;
            self.armed = Some(deadline);
        }
        Ok(Some(wait))
    }

    /// Waits for `until` alone, whatever else happens; a signal may end it sooner.
    ///
    /// # Errors
    /// As kevent(2) and poll(2).
    pub fn rest_until(&mut self, until: Instant, now: Instant) -> io::Result<()> {
        use std::os::fd::AsFd;

        match self.timeout_until(Some(until), now)? {
            Some(Duration::ZERO) => Ok(()),
            Some(_) | None => wait_for(self.queue.as_fd()),
        }
    }

    /// To be called when the poll says that the timer is readable: it has to be set anew for a next time.
    pub fn expired(&mut self) {
        use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent};

        let nothing = KEvent::new(0, EventFilter::EVFILT_TIMER, EvFlags::empty(), FilterFlag::empty(), 0, 0);
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // What it says is known; and a timer that is still there is replaced when it is set.
        let _ = self.queue.kevent(&[], &mut [nothing], Some(at_once));
        self.armed = None;
    }

    /// Sets the timer, or takes it away.
    fn set(&self, flags: nix::sys::event::EvFlags, nanoseconds: isize) -> io::Result<()> {
        use nix::errno::Errno;
        use nix::sys::event::{EventFilter, FilterFlag, KEvent};

        let timer =
            KEvent::new(0, EventFilter::EVFILT_TIMER, flags, FilterFlag::NOTE_NSECONDS, nanoseconds, 0);
        match self.queue.kevent(&[timer], &mut [], None) {
            // It is not there to be taken away: it has expired, and was read.
            Ok(_) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
impl WakeTimer {
    /// Nothing to make: the poll's own timeout has to do.
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

    /// Waits for `until` alone, to the millisecond above; a signal may end it sooner.
    ///
    /// # Errors
    /// As poll(2).
    pub fn rest_until(&mut self, until: Instant, now: Instant) -> io::Result<()> {
        use nix::errno::Errno;
        use nix::poll::{PollTimeout, poll};

        let milliseconds = until.saturating_duration_since(now).as_micros().div_ceil(1000);
        match poll(&mut [], PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Nothing to do.
    pub fn expired(&mut self) {}
}

/// Waits until a timer is readable, or a signal comes.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn wait_for(timer: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    match poll(&mut [PollFd::new(timer, PollFlags::POLLIN)], PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
