//! The commands thread: the one that makes, watches and reaps child processes.
//!
//! It owns every child: hfm's command tests and the change commands. It is told what to do by
//! [`Request`]s, answers by [`Report`]s, and decides nothing about rules. What it does decide is the order
//! of change commands ([`changes`]), when output has been read for long enough, and when everything is
//! done after [`Request::Finish`]. A child that cannot be made is reported, never an error of the thread.

pub mod changes;
mod child;
mod children;
mod output;
mod thread;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mio::Waker;

pub use output::{Captured, OUTPUT_BYTES_MAX};

use crate::engine::{Event, StopSignal};
use crate::rule::{CommandLine, RuleId, RunId};
use crate::sys::privilege::Rights;
use crate::sys::threads;

/// Something to do.
#[derive(Debug)]
pub enum Request {
    /// Start the test of this run's rule.
    StartTest(RunId, StartNews),
    /// Signal the group of this run's test, if it still runs.
    Signal(RunId, StopSignal),
    /// Nobody waits for this run any more: do not start its test, or kill it.
    Abandon(RunId),
    /// From now on these are the programs of the rules, and so many change commands may run at a time.
    Reload {
        /// The programs of those rules that run one.
        tests: HashMap<RuleId, CommandLine>,
        /// `change_max`.
        change_max: usize,
    },
    /// Run a change command as soon as its order comes.
    Change(Box<Job>),
    /// Kill the tests that run, start what change commands are due, wait for them for at most
    /// [`FINISH_MAX`], then report [`Report::Finished`].
    Finish,
}

/// When the start of a test is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartNews {
    /// At once: somebody measures time from it.
    AtOnce,
    /// Before the next report; that it started wakes nobody.
    WithNext,
}

/// How long change commands are waited for at the end.
pub const FINISH_MAX: Duration = Duration::from_secs(10);

/// A change command to run.
#[derive(Debug)]
pub struct Job {
    /// The run that brought it; its rule is the key of its order.
    pub run: RunId,
    /// What to run.
    pub command: CommandLine,
    /// Added to the environment.
    pub environment: Vec<(&'static str, String)>,
    /// Its group is killed after this.
    pub timeout: Option<Duration>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Report {
    /// A step in the life of a test.
    Test(Event),
    /// What a test (or, with `change`, a change command) printed. Only sent when it printed something.
    Output {
        /// The run.
        run: RunId,
        /// Whose output it is.
        change: bool,
        /// Its stdout.
        stdout: Captured,
        /// Its stderr.
        stderr: Captured,
    },
    /// A test or change command that overstays could not be signalled.
    NotSignaled {
        /// The run.
        run: RunId,
        /// The process.
        pid: u32,
        /// Why.
        error: io::Error,
    },
    /// Something about a change command that the log should have.
    Change(RunId, ChangeNews),
    /// The answer to [`Request::Finish`]: how many change commands still run.
    Finished(usize),
}

/// What can be told of a change command.
#[derive(Debug)]
pub enum ChangeNews {
    /// It was waiting, and a newer one took its place.
    Replaced {
        /// The run of the newer one.
        by: RunId,
    },
    /// It starts although its predecessor still runs.
    Beside,
    /// It could not be started.
    NotStarted(io::Error),
    /// It ended with something else than exit status 0.
    Failed(crate::verdict::Ending),
    /// It was killed at its `change_timeout`.
    TimedOut(Duration),
}

/// The reactor's end of the thread.
#[derive(Debug)]
pub struct Commands {
    requests: Sender<Request>,
    reports: Receiver<Report>,
    waker: Waker,
    /// Kept here too: a waker that is gone when the thread ends takes its last wake with it.
    _wake: Arc<Waker>,
    /// Requests were sent since the last [`flush`](Self::flush).
    pending: bool,
}

impl Commands {
    /// Starts the thread. `tests` are the programs of those rules that run one; `wake` is woken when there are reports.
    ///
    /// # Errors
    /// When no thread or descriptor can be had.
    pub fn start(
        tests: HashMap<RuleId, CommandLine>,
        change_max: usize,
        wake: Arc<Waker>,
    ) -> io::Result<Self> {
        let (requests, request_receiver) = channel();
        let (report_sender, reports) = channel();
        let (commands, waker) =
            thread::CommandsThread::new(tests, change_max, request_receiver, report_sender, wake.clone())?;
        // Children inherit what their maker has.
        threads::start("commands", Rights::NONE, move || commands.run())?;
        Ok(Self { requests, reports, waker, _wake: wake, pending: false })
    }

    /// Hands over a request; it is seen after the next [`flush`](Self::flush).
    pub fn request(&mut self, request: Request) {
        // The thread ends only after Finish; what is asked for later has no taker and needs none.
        let _ = self.requests.send(request);
        self.pending = true;
    }

    /// Wakes the thread if there is something for it.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.pending) {
            let _ = self.waker.wake();
        }
    }

    /// The next report, if one has come.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}
