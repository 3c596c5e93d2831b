//! `hfm probe`: the daemon's own probes from the shell, with a line for each run and what they add up to.
//!
//! The same configuration, engine and loop as the daemon's; only what comes out differs. Each of several
//! runs at a time is a rule of its own.

mod arguments;
mod prepare;
mod report;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Token, Waker};

pub use arguments::{Arguments, UsageError, parse, usage};
pub use prepare::{CannotPrepare, prepare};
use report::Report;

use crate::config;
use crate::engine::{Notice, Output};
use crate::probe::Plans;
use crate::reactor::signals::{Signal, Signals};
use crate::reactor::{self, EVENTS_PER_TURN, Prober};
use crate::rule::Rule;
use crate::wait::Waiter;

const WAKE: Token = Token(0);
const SIGNALS: Token = Token(1);
const ALARM: Token = Token(2);

/// While runs go on, what has been printed reaches its reader this often.
const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// What all runs came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every run succeeded.
    AllSucceeded,
    /// One did not, or none was made.
    NotAll,
}

/// A number of runs of one probe.
#[derive(Debug)]
struct Runner<W: Write> {
    waiter: Waiter,
    signals: Signals,
    prober: Prober,
    report: Report<W>,
    /// Runs to make.
    count: u64,
    started: u64,
    ended: u64,
    is_stopped: bool,
}

/// A probe, ready to run: a rule and a plan for each run at a time.
#[derive(Debug)]
pub struct Prepared {
    rules: Vec<Rule>,
    plans: Plans,
    /// What may not be as it was meant, for people; empty when there is nothing to say.
    pub warnings: config::Report,
}

/// Makes the runs that the arguments ask for.
///
/// # Errors
/// When no descriptors, threads or signal handlers can be had, or waiting fails.
pub fn run<W: Write>(prepared: Prepared, arguments: &Arguments, out: W) -> io::Result<Outcome> {
    let Prepared { rules, plans, warnings: _ } = prepared;
    let waiter = Waiter::new(ALARM)?;
    let signals = Signals::new(waiter.registry(), SIGNALS)?;
    let wake = Arc::new(Waker::new(waiter.registry(), WAKE)?);
    let now = reactor::now();
    let registry = waiter.registry().try_clone()?;
    // Nothing but probes is begun here: all descriptors that there are may be theirs.
    let prober = Prober::new(rules.into(), plans, usize::MAX, registry, &wake, now)?;
    let mut runner = Runner {
        waiter,
        signals,
        prober,
        report: Report::new(&arguments.url, arguments.json, out),
        count: arguments.count.get().into(),
        started: 0,
        ended: 0,
        is_stopped: false,
    };
    runner.go()?;
    runner.report.finish();
    Ok(if runner.report.all_succeeded() { Outcome::AllSucceeded } else { Outcome::NotAll })
}

impl<W: Write> Runner<W> {
    fn go(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        let mut flushed = reactor::now().mono;
        while self.ended < self.count && !self.is_stopped && !self.report.is_closed() {
            let now = reactor::now().mono;
            if self.started == self.ended || now.saturating_duration_since(flushed) >= FLUSH_EVERY {
                self.report.flush();
                flushed = now;
            }
            let deadline = self.prober.deadline(now);
            if self.prober.has_more() {
                self.waiter.look(&mut events)?;
            } else {
                self.waiter.wait(&mut events, deadline, now)?;
            }
            self.turn(&events);
        }
        Ok(())
    }

    /// As the daemon's: what arrived, then what is due, then what follows from it.
    fn turn(&mut self, events: &Events) {
        self.prober.turn_begins(reactor::now());
        for event in events {
            match event.token() {
                SIGNALS => self.take_signals(),
                WAKE | ALARM => {}
                _ => {
                    let mut at = reactor::now();
                    if self.prober.begin_due(events, at) {
                        self.carry_out();
                        at = reactor::now();
                    }
                    self.prober.on_event(event, at);
                }
            }
        }
        self.prober.go_on();
        for _ in Prober::passes() {
            let at = self.prober.handle_timeout();
            self.carry_out();
            if !self.prober.is_due_again(at) {
                break;
            }
        }
        self.prober.turn_ends(reactor::now());
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.prober.poll_output() {
            match output {
                // A rule whose run is one too many waits for ever.
                Output::StartTest { run } if self.started < self.count => {
                    self.started += 1;
                    self.prober.start(run);
                }
                Output::Notice(Notice::Verdict { verdict, measured, elapsed, .. }) => {
                    self.ended += 1;
                    self.report.run(&verdict, &measured, elapsed);
                }
                Output::StartTest { .. }
                | Output::Expire { .. }
                | Output::Signal { .. }
                | Output::Change(_)
                | Output::Standing { .. }
                | Output::Abandon { .. }
                | Output::OverrideEnded { .. }
                | Output::Answer(_)
                | Output::Notice(_) => {}
            }
        }
    }

    fn take_signals(&mut self) {
        for signal in self.signals.take() {
            match signal {
                Signal::Stop(_) => self.is_stopped = true,
                Signal::Reload | Signal::Summary => {}
            }
        }
    }
}
