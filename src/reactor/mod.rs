//! The reactor: the main thread's loop. It reads the clock, waits exactly until the engine wants to be
//! called, and carries between the engine, the commands thread, the signals and the log.
//!
//! It blocks nowhere but in its poll. What the engine decides is carried out after the whole batch of
//! events; this process's own stalls are measured here and told to the engine.

mod journal;
mod signals;
mod summary;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Token, Waker};

use crate::commands::{Commands, FINISH_MAX, Job, Report, Request, StartNews};
use crate::engine::{Change, Engine, Output};
use crate::health::State;
use crate::now::Now;
use crate::rule::{CommandLine, Configuration, Rule, Test};
use crate::wait::Waiter;
use journal::Journal;
use signals::{Signal, Signals};

const COMMANDS: Token = Token(0);
const SIGNALS: Token = Token(1);
const ALARM: Token = Token(2);

/// What is taken from the commands thread in one turn at most, so that timers come in between.
const REPORTS_PER_TURN: usize = 1024;
/// Past the time that the commands thread gives change commands, how long its answer is waited for.
const FINISH_GRACE: Duration = Duration::from_secs(2);

/// Everything the main thread owns.
#[derive(Debug)]
pub struct Reactor {
    waiter: Waiter,
    signals: Signals,
    commands: Commands,
    engine: Engine,
    journal: Journal,
    /// The process is ending; when to stop waiting.
    finish_by: Option<Instant>,
    /// There were more reports than one turn takes.
    unread: bool,
    done: bool,
}

/// Reads both clocks.
#[expect(clippy::disallowed_methods, reason = "the one place where the main thread reads the clocks")]
pub fn now() -> Now {
    Now { mono: Instant::now(), wall: SystemTime::now() }
}

impl Reactor {
    /// Takes on a configuration: starts the commands thread and makes the engine. Nothing runs yet.
    ///
    /// # Errors
    /// When no descriptors, threads or signal handlers can be had.
    pub fn new(configuration: Configuration) -> io::Result<Self> {
        let waiter = Waiter::new(ALARM)?;
        let signals = Signals::new(waiter.registry(), SIGNALS)?;
        let wake = Arc::new(Waker::new(waiter.registry(), COMMANDS)?);
        let tests: Vec<Option<CommandLine>> = configuration.rules.iter().map(test_command).collect();
        let commands = Commands::start(tests, configuration.change_max, wake)?;
        let now = now();
        let rules: Arc<[Rule]> = configuration.rules.into();
        let journal = Journal::new(rules.clone(), now.wall);
        let engine = Engine::new(rules, now);
        Ok(Self { waiter, signals, commands, engine, journal, finish_by: None, unread: false, done: false })
    }

    /// Runs until every rule is done or a signal says so.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        self.carry_out();
        self.end_if_finished(now());
        self.commands.flush();
        while !self.done {
            let deadline = [self.engine.poll_timeout(), self.finish_by].into_iter().flatten().min();
            if self.unread {
                self.waiter.look(&mut events)?;
            } else {
                self.waiter.wait(&mut events, deadline, now().mono)?;
            }
            self.turn(&events, deadline);
        }
        Ok(())
    }

    /// One turn: what arrived, then what is due, then what follows from it.
    fn turn(&mut self, events: &Events, deadline: Option<Instant>) {
        let start = now();
        if let Some(deadline) = deadline {
            self.engine.note_stall(deadline, start.mono.saturating_duration_since(deadline));
        }
        self.engine.turn_begins(start.mono);
        for event in events {
            // The alarm only wakes, and reports are taken in every turn.
            if event.token() == SIGNALS {
                self.take_signals(start);
            }
        }
        self.take_reports();
        self.engine.handle_timeout(now());
        self.carry_out();
        let end = now();
        self.end_if_finished(end);
        self.commands.flush();
        self.engine.turn_ends(end.mono);
    }

    fn take_reports(&mut self) {
        self.unread = false;
        for _ in 0..REPORTS_PER_TURN {
            match self.commands.poll_report() {
                None => return,
                Some(Report::Test(event)) => self.engine.handle_event(event, now()),
                Some(Report::Output { run, change, stdout, stderr }) => {
                    self.journal.output(run, change, &stdout, &stderr);
                }
                Some(Report::NotSignaled { run, pid, error }) => self.journal.not_signaled(run, pid, &error),
                Some(Report::Change(run, news)) => self.journal.change_news(run, &news),
                Some(Report::Finished(still_running)) => {
                    self.journal.finished(still_running);
                    self.done = true;
                }
            }
        }
        self.unread = true;
    }

    fn take_signals(&mut self, now: Now) {
        for signal in self.signals.take() {
            match signal {
                Signal::Stop(name) if self.finish_by.is_some() => {
                    log::warn!("second {name}: exiting at once");
                    self.done = true;
                }
                Signal::Stop(name) => {
                    log::info!("{name}: stopping");
                    self.finish(now);
                }
                Signal::Reload => {
                    log::error!("SIGHUP: reload is not supported yet, nothing changes; restart instead")
                }
                Signal::Summary => summary::log(&self.engine),
            }
        }
    }

    /// Hands on what the engine decided.
    fn carry_out(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::StartTest { run } => {
                    let news = start_news(&self.engine.rules()[run.rule.index()]);
                    self.commands.request(Request::StartTest(run, news));
                }
                Output::Signal { run, signal } => self.commands.request(Request::Signal(run, signal)),
                Output::Expire { .. } => {}
                Output::Change(change) => self.change(&change),
                Output::Notice(notice) => self.journal.notice(&notice),
            }
        }
    }

    fn change(&mut self, change: &Change) {
        self.journal.change(change);
        let rule = &self.engine.rules()[change.run.rule.index()];
        let command = match change.to {
            State::Success => &rule.change_success,
            State::Fail => &rule.change_fail,
            State::Unknown => &None,
        };
        let Some(command) = command else { return };
        let job = Job {
            run: change.run,
            command: command.clone(),
            environment: self.journal.environment(change),
            timeout: rule.change_timeout,
        };
        self.commands.request(Request::Change(Box::new(job)));
    }

    fn end_if_finished(&mut self, now: Now) {
        if self.finish_by.is_some_and(|by| by <= now.mono) && !self.done {
            log::error!("the commands thread does not answer, ending without it");
            self.done = true;
        }
        if self.finish_by.is_none() && self.engine.is_finished() {
            log::info!("every rule is done, ending");
            self.finish(now);
        }
    }

    /// Starts nothing any more and waits for the change commands that are due.
    fn finish(&mut self, now: Now) {
        self.engine.stop();
        self.carry_out();
        self.commands.request(Request::Finish);
        self.finish_by = now.mono.checked_add(FINISH_MAX + FINISH_GRACE);
    }
}

/// Timeouts count from the start; without any, nothing depends on when it is known.
fn start_news(rule: &Rule) -> StartNews {
    match &rule.test {
        Test::Command { timeout_int: None, timeout_kill: None, .. } => StartNews::WithNext,
        Test::Command { .. } | Test::Probe(_) => StartNews::AtOnce,
    }
}

fn test_command(rule: &Rule) -> Option<CommandLine> {
    match &rule.test {
        Test::Command { command, .. } => Some(command.clone()),
        Test::Probe(_) => None,
    }
}
