//! The loop of the commands thread.
//!
//! A turn: read output, reap, then signal, then start. Reaping comes before signalling, so that a child
//! that has ended is not signalled; starts are bounded in a turn, so that a thousand of them at once delay
//! no signal and no verdict.

mod requests;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::changes::{ChangeQueue, Startable};
use super::child::{self, Child, NotSpawned, Role};
use super::children::{self, Children};
use super::{ChangeNews, FINISH_MAX, Job, Report, Request, StartNews};
use crate::engine::{Event, StopSignal};
use crate::rule::{CommandLine, RuleId, RunId};
use crate::sys::process::{self, Exit};
use crate::verdict::Ending;
use crate::wait::Waiter;
use mio::net::UnixStream;
use mio::{Events, Interest, Token, Waker};

const WAKE: Token = Token(0);
const CHILD_ENDED: Token = Token(1);
const ALARM: Token = Token(2);

/// After a child has ended its output is read for this long at most: others may hold it open for ever.
const OUTPUT_AFTER_END_MAX: Duration = Duration::from_secs(1);
/// Children started in one turn at most; about a millisecond of work.
const STARTS_PER_TURN: usize = 4;

pub(super) struct CommandsThread {
    waiter: Waiter,
    child_ended: UnixStream,
    requests: Receiver<Request>,
    reports: Sender<Report>,
    wake: Arc<Waker>,
    reported: bool,
    /// The programs of tests, of those rules that have one.
    tests: HashMap<RuleId, CommandLine>,
    /// Prepared on first use.
    prepared: HashMap<RuleId, Command>,
    starts: VecDeque<(RunId, StartNews)>,
    changes: ChangeQueue<RuleId, Box<Job>>,
    children: Children,
    /// Streams that had more to read than one turn allows.
    unread: Vec<(usize, usize)>,
    scratch: Vec<u8>,
    finish_by: Option<Instant>,
    /// Until then tests that were killed, and output that is still open, are waited for at the end.
    tests_until: Option<Instant>,
}

#[expect(clippy::disallowed_methods, reason = "the one place where this thread reads the clock")]
fn now() -> Instant {
    Instant::now()
}

impl CommandsThread {
    pub(super) fn new(
        tests: HashMap<RuleId, CommandLine>,
        change_max: usize,
        requests: Receiver<Request>,
        reports: Sender<Report>,
        wake: Arc<Waker>,
    ) -> io::Result<(Self, Waker)> {
        let waiter = Waiter::new(ALARM)?;
        let waker = Waker::new(waiter.registry(), WAKE)?;
        let (child_ended, signalled) = StdStream::pair()?;
        child_ended.set_nonblocking(true)?;
        let mut child_ended = UnixStream::from_std(child_ended);
        waiter.registry().register(&mut child_ended, CHILD_ENDED, Interest::READABLE)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, signalled)?;
        let thread = Self {
            waiter,
            child_ended,
            requests,
            reports,
            wake,
            reported: false,
            tests,
            prepared: HashMap::new(),
            starts: VecDeque::new(),
            changes: ChangeQueue::new(change_max),
            children: Children::default(),
            unread: Vec::new(),
            scratch: vec![0; 16 * 1024],
            finish_by: None,
            tests_until: None,
        };
        Ok((thread, waker))
    }

    /// Runs until everything is done after [`Request::Finish`].
    pub(super) fn run(mut self) {
        if let Err(error) = process::take_child_signals() {
            log::error!("commands: cannot learn of children that end: {error}");
        }
        let mut events = Events::with_capacity(1024);
        while !self.is_finished() {
            if let Err(error) = self.wait(&mut events) {
                log::error!("commands: cannot wait for events: {error}");
            }
            self.turn(&events);
        }
        let still_running = self.children.iter().filter(|child| child.is_running_change()).count();
        self.report(Report::Finished(still_running));
        self.wake_reactor();
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        if !self.starts.is_empty() || !self.unread.is_empty() || self.changes.is_startable() {
            return self.waiter.look(events);
        }
        let tests_until = self.tests_until.filter(|until| *until > now());
        let next = [self.children.wakes_at(), self.changes.wakes_at(), self.finish_by, tests_until];
        let next = next.into_iter().flatten().min();
        self.waiter.wait(events, next, now())
    }

    fn turn(&mut self, events: &Events) {
        let mut readable = std::mem::take(&mut self.unread);
        let mut children_ended = false;
        for event in events {
            match event.token() {
                WAKE | ALARM => {}
                CHILD_ENDED => children_ended = true,
                token => readable.push(children::stream_of(token)),
            }
        }
        for (index, stream) in readable {
            self.read(index, stream);
        }
        if children_ended {
            self.reap();
        }
        self.take_requests();
        self.handle_deadlines();
        self.start_some();
        self.wake_reactor();
    }

    fn read(&mut self, index: usize, stream: usize) {
        let Some(child) = self.children.get_mut(index) else { return };
        let capture = if stream == 0 { &mut child.stdout } else { &mut child.stderr };
        if capture.read(&mut self.scratch) {
            self.unread.push((index, stream));
        }
        self.close_if_done(index);
    }

    fn reap(&mut self) {
        let mut drain = [0; 256];
        while matches!(io::Read::read(&mut self.child_ended, &mut drain), Ok(length) if length == drain.len())
        {
        }
        while let Some((index, exit)) = self.children.reap_one() {
            self.on_exit(index, exit);
        }
    }

    fn on_exit(&mut self, index: usize, exit: Exit) {
        let at = now();
        let ending = match exit {
            Exit::Status(status) => Ending::Exited(status),
            Exit::Signal(signal) => Ending::Signaled(signal),
        };
        let child = &mut self.children[index];
        // All that it wrote itself is in the pipes by now.
        let more = [child.stdout.read(&mut self.scratch), child.stderr.read(&mut self.scratch)];
        if child.output_is_open() {
            self.linger(index);
            self.children.look_at(index, at + OUTPUT_AFTER_END_MAX);
            self.children.watch(self.waiter.registry(), index);
        }
        for (stream, _) in more.into_iter().enumerate().filter(|(_, more)| *more) {
            self.unread.push((index, stream));
        }
        let child = &self.children[index];
        let started = child.started;
        match &child.role {
            Role::Test(run) => {
                let run = *run;
                if !self.children[index].output_is_open() {
                    self.report_output(index);
                }
                self.report(Report::Test(Event::Exited { run, at, ending }));
            }
            Role::Change(job) => {
                let run = job.run;
                if ending != Ending::Exited(0) {
                    self.report(Report::Change(run, ChangeNews::Failed(ending)));
                }
                self.changes.ended(run.rule, started);
            }
        }
        self.close_if_done(index);
    }

    /// The output of an ended test stays open: that of an earlier run of its rule is given up for it, so that
    /// a test that leaves something behind at each run does not take all descriptors.
    fn linger(&mut self, index: usize) {
        let Role::Test(run) = &self.children[index].role else { return };
        let Some(earlier) = self.children.linger(run.rule, index) else { return };
        self.children[earlier].stdout.close();
        self.children[earlier].stderr.close();
        self.close_if_done(earlier);
    }

    fn handle_deadlines(&mut self) {
        let at = now();
        self.children.watch_those_that_live(self.waiter.registry(), at);
        while let Some(index) = self.children.pop_due(at) {
            let child = &mut self.children[index];
            if child.reaped {
                child.stdout.close();
                child.stderr.close();
                self.close_if_done(index);
            } else if let Role::Change(job) = &child.role
                && let Some(timeout) = job.timeout
            {
                let (run, pid) = (job.run, child.pid());
                match child.signal(StopSignal::Kill) {
                    Ok(_) => self.report(Report::Change(run, ChangeNews::TimedOut(timeout))),
                    Err(error) => self.report(Report::NotSignaled { run, pid, error }),
                }
            }
        }
    }

    fn start_some(&mut self) {
        for _ in 0..STARTS_PER_TURN {
            let Some((run, news)) = self.starts.pop_front() else { break };
            self.start_test(run, news);
        }
        let at = now();
        for _ in 0..STARTS_PER_TURN {
            let Some(startable) = self.changes.next_startable(at) else { break };
            self.start_change(startable, at);
        }
        if self.finish_by.is_some_and(|by| by <= at) {
            while let Some(startable) = self.changes.next_at_once(at) {
                self.start_change(startable, at);
            }
        }
    }

    fn start_test(&mut self, run: RunId, news: StartNews) {
        let prepared = self.prepared.remove(&run.rule);
        let Some(mut command) = prepared.or_else(|| self.tests.get(&run.rule).map(child::prepare)) else {
            return;
        };
        let at = now();
        match self.spawn(&mut command, Role::Test(run), at) {
            Ok(_) => {
                let started = Report::Test(Event::Started { run, at });
                match news {
                    StartNews::AtOnce => self.report(started),
                    StartNews::WithNext => {
                        let _ = self.reports.send(started);
                    }
                }
            }
            Err(not) => self.report(Report::Test(Event::NotStarted { run, error: not.error })),
        }
        self.prepared.insert(run.rule, command);
    }

    fn start_change(&mut self, startable: Startable<RuleId, Box<Job>>, at: Instant) {
        let Startable { key, job, beside } = startable;
        let (run, timeout) = (job.run, job.timeout);
        if beside {
            self.report(Report::Change(run, ChangeNews::Beside));
        }
        let mut command = child::prepare(&job.command);
        command.envs(job.environment.iter().map(|(name, value)| (*name, value.as_str())));
        match self.spawn(&mut command, Role::Change(job), at) {
            Ok(index) => {
                if let Some(kill_at) = timeout.and_then(|timeout| at.checked_add(timeout)) {
                    self.children.look_at(index, kill_at);
                }
            }
            Err(not) => {
                self.changes.ended(key, at);
                self.report(Report::Change(run, ChangeNews::NotStarted(not.source)));
            }
        }
    }

    fn spawn(&mut self, command: &mut Command, role: Role, at: Instant) -> Result<usize, NotSpawned> {
        let child = child::spawn(command, role, at).inspect_err(|not| {
            if let Some(pid) = not.stray {
                self.children.insert_stray(pid);
            }
        })?;
        Ok(self.children.insert(child))
    }

    /// Forgets a child that has ended and whose output is complete (or given up).
    fn close_if_done(&mut self, index: usize) {
        let done = self.children.get_mut(index).is_some_and(|child| child.reaped && !child.output_is_open());
        if done {
            self.report_output(index);
            self.children.remove(index);
            self.unread.retain(|(unread, _)| *unread != index);
        }
    }

    fn report_output(&mut self, index: usize) {
        let child = &mut self.children[index];
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        if stdout.kept.is_empty() && stderr.kept.is_empty() {
            return;
        }
        let (run, change) = match &child.role {
            Role::Test(run) => (*run, false),
            Role::Change(job) => (job.run, true),
        };
        self.report(Report::Output { run, change, stdout, stderr });
    }

    fn is_finished(&self) -> bool {
        let Some(by) = self.finish_by else { return false };
        if !self.changes.is_drained() {
            return false;
        }
        let at = now();
        let tests_are_over = self.tests_until.is_some_and(|until| at >= until);
        self.children.is_empty()
            || at >= by
            || tests_are_over && !self.children.iter().any(Child::is_running_change)
    }

    fn report(&mut self, report: Report) {
        // The reactor outlives this thread, or the process is going away.
        let _ = self.reports.send(report);
        self.reported = true;
    }

    fn wake_reactor(&mut self) {
        if std::mem::take(&mut self.reported) {
            let _ = self.wake.wake();
        }
    }
}
