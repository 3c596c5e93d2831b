//! Events on their way to those who listen while hfm runs: one tap for the whole process, and a bounded part of what comes
//! out of it in a turn.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Waker;

use super::{Reactor, now};
use crate::logging::Tap;

/// Events taken in one turn.
const EVENTS_PER_TURN: usize = 64;
/// How long the tap is left alone after that.
const REST: Duration = Duration::from_millis(1);

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// Clients of the control socket.
    Control,
    /// The status page, which keeps the last events for those who come.
    Status,
}

/// The end at which events come out.
#[derive(Debug)]
pub(super) struct Happenings {
    tap: Tap,
    for_control: bool,
    for_status: bool,
    /// There are more than were taken.
    has_more: bool,
    rests_until: Instant,
}

/// Events, each all but the opening brace of an object of JSON; and how many that came after them are lost.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<String>,
    pub(super) lost: u64,
}

impl Happenings {
    /// `wake` is woken when there are events to hand on.
    ///
    /// # Errors
    /// When the process has had such a tap before.
    pub(super) fn new(wake: Arc<Waker>, now: Instant) -> io::Result<Self> {
        let tap = Tap::new(move || {
            // A poll that cannot be woken looks again by itself.
            let _ = wake.wake();
        });
        let tap = tap.ok_or_else(|| io::Error::other("somebody listens to events already"))?;
        Ok(Self { tap, for_control: false, for_status: false, has_more: false, rests_until: now })
    }

    /// Whether events are to come for this listener.
    pub(super) fn set(&mut self, listener: Listener, listens: bool) {
        let before = self.for_control || self.for_status;
        match listener {
            Listener::Control => self.for_control = listens,
            Listener::Status => self.for_status = listens,
        }
        match (before, self.for_control || self.for_status) {
            (false, true) => self.tap.open(),
            (true, false) => {
                self.tap.close();
                self.has_more = false;
            }
            (true, true) | (false, false) => {}
        }
    }

    /// When there is something to hand on.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        (self.has_more || self.tap.has_some()).then_some(self.rests_until)
    }

    fn take(&mut self, now: Instant) -> Batch {
        // Whoever was just logging when it was closed may have woken this for nobody.
        self.tap.begin();
        if !self.for_control && !self.for_status {
            return Batch::default();
        }
        let events: Vec<String> = std::iter::from_fn(|| self.tap.poll()).take(EVENTS_PER_TURN).collect();
        self.has_more = events.len() == EVENTS_PER_TURN;
        self.rests_until = now.checked_add(REST).unwrap_or(now);
        // They came after those.
        let lost = if self.has_more { 0 } else { self.tap.take_overflowed() };
        Batch { events, lost }
    }
}

impl Reactor {
    /// Makes sure that there can be listeners.
    ///
    /// # Errors
    /// When somebody else in this process has the tap.
    pub(super) fn hear(&mut self) -> io::Result<()> {
        if self.happenings.is_none() {
            self.happenings = Some(Happenings::new(self.wake.clone(), now().mono)?);
        }
        Ok(())
    }

    /// Hands events on to whoever listens.
    pub(super) fn hand_events_on(&mut self, now: Instant) {
        let Some(happenings) = &mut self.happenings else { return };
        if happenings.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        let batch = happenings.take(now);
        if let Some(control) = &mut self.control {
            control.tell_events(&batch, now);
        }
        self.tell_status_events(&batch);
    }
}
