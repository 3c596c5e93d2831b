//! Waiting in a mio poll until an exact moment: what every loop of ours does between two turns.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::sys::wake_timer::WakeTimer;

/// A poll with an alarm of its own.
#[derive(Debug)]
pub struct Waiter {
    poll: Poll,
    timer: WakeTimer,
    alarm: Token,
}

impl Waiter {
    /// Makes a poll; events of the token `alarm` are its own and mean nothing to others.
    ///
    /// # Errors
    /// When no descriptors can be had.
    pub fn new(alarm: Token) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = WakeTimer::new()?;
        if let Some(fd) = timer.fd() {
            poll.registry().register(&mut SourceFd(&fd), alarm, Interest::READABLE)?;
        }
        Ok(Self { poll, timer, alarm })
    }

    /// Waits for events, until `deadline` at most; `now` is the present moment. Being interrupted counts
    /// as an event.
    ///
    /// # Errors
    /// When the poll or its timer fails.
    pub fn wait(&mut self, events: &mut Events, deadline: Option<Instant>, now: Instant) -> io::Result<()> {
        let timeout = self.timer.timeout_until(deadline, now)?;
        self.poll_for(events, timeout)
    }

    /// Waits for `until` whatever happens, then takes what events there are. Signals come no sooner either, but for
    /// what their handlers do; so `until` should be near.
    ///
    /// # Errors
    /// When the poll or its timer fails.
    pub fn rest(&mut self, events: &mut Events, until: Instant, now: Instant) -> io::Result<()> {
        self.timer.rest_until(until, now)?;
        self.look(events)
    }

    /// Takes what events there are, without waiting.
    ///
    /// # Errors
    /// When the poll fails.
    pub fn look(&mut self, events: &mut Events) -> io::Result<()> {
        self.poll_for(events, Some(Duration::ZERO))
    }

    /// Where to register sources.
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    fn poll_for(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if events.iter().any(|event| event.token() == self.alarm) {
            self.timer.expired();
        }
        Ok(())
    }
}

/// Wakes a loop when a thread that works for it is gone, however that ended: whoever waits for the thread then sees
/// that there is nobody any more. To be made before everything that it is seen by, so that it goes last.
#[derive(Debug)]
pub struct WakesAtEnd(Arc<Waker>);

impl WakesAtEnd {
    /// Wakes by this waker.
    pub fn new(wake: Arc<Waker>) -> Self {
        Self(wake)
    }
}

impl Drop for WakesAtEnd {
    fn drop(&mut self) {
        let _ = self.0.wake();
    }
}
