//! The reactor: the main thread's loop. It reads the clock, waits exactly until the engine wants to be
//! called, and carries between the engine, the probes, the commands thread, the signals and the log.
//!
//! It blocks nowhere but in its poll. What the engine decides is carried out after the whole batch of
//! events; this process's own stalls are measured here and told to the engine.

mod control;
mod demotion;
mod descriptors;
mod finish;
mod happenings;
mod journal;
mod limiter;
mod load;
mod manners;
mod outputs;
mod overrides;
mod pace;
pub mod ports;
mod prober;
pub mod probes;
mod reload;
mod reports;
mod rights;
mod service;
mod shortage;
pub(crate) mod signals;
mod status;
mod stream;
mod summary;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Token, Waker};

use crate::commands::Commands;
use crate::dataplane::DataPlane;
use crate::engine::{Change, Engine, Output};
use crate::loader::{self, Loader};
use crate::now::Now;
use crate::probe::Plans;
use crate::rule::{Configuration, Demotion, Firewall, Rule, RunAs, test_commands};
use crate::sys::clock;
use crate::sys::privilege;
use crate::sys::state_dir::StateDir;
use crate::wait::Waiter;
use crate::writer::{self, Writer, Written};
use control::{Server, Waiting};
use demotion::{Demoter, HELPER};
pub use descriptors::Descriptors;
use finish::Unfinished;
use happenings::Happenings;
use journal::Journal;
use load::Load;
use overrides::Overrides;
use pace::Pace;
pub(crate) use prober::{EVENTS_PER_TURN, Prober};
use reload::{Prepared, Reloads};
pub use rights::Needs;
use service::Service;
use signals::{Signal, Signals};
pub use status::Opened;
use status::Serves;

/// Wakes for reports of the commands thread and for answers of the resolver.
const WAKE: Token = Token(0);
const SIGNALS: Token = Token(1);
const ALARM: Token = Token(2);

/// Past the time that the commands thread gives change commands, how long its answer is waited for.
const FINISH_GRACE: Duration = Duration::from_secs(2);

/// Everything the main thread owns.
#[derive(Debug)]
pub struct Reactor {
    waiter: Waiter,
    signals: Signals,
    commands: Commands,
    prober: Prober,
    pace: Pace,
    load: Load,
    /// Keeps the tables, if there are any.
    writer: Option<Writer>,
    /// Keeps the demotion counter, if a rule is to add to it.
    demoter: Option<Demoter>,
    journal: Journal,
    /// What was said of all tables; parts of it cannot change.
    firewall: Firewall,
    /// Whom it was to become, and the rights that were kept for that; neither can change.
    run_as: RunAs,
    /// Where its control socket was to be; that cannot change either.
    control_is_at: Option<Box<str>>,
    /// What was to be demoted; that cannot change either.
    demotion_is_at: Demotion,
    needs: Needs,
    /// Reads the file again, if there is one.
    loader: Option<Loader<Prepared>>,
    reloads: Reloads,
    /// How many tables the configuration has.
    tables: usize,
    /// The control socket, if there is one.
    control: Option<Server>,
    /// What its clients wait for.
    waiting: Waiting,
    /// The status page, where it can be.
    status: Option<Serves>,
    /// Events for those who listen.
    happenings: Option<Happenings>,
    /// What operators have set, where that can be.
    overrides: Option<Overrides>,
    /// A reload left no rule at all: it waits for another one.
    has_no_rules: bool,
    /// Since when slots are empty whose rules are gone.
    vacated: Vec<Option<Instant>>,
    wake: Arc<Waker>,
    /// Who watches what happens.
    watcher: Option<Sender<Seen>>,
    /// The process is ending; when to stop waiting.
    finish_by: Option<Instant>,
    /// The service manager that hears how it goes, if there is one.
    service: Option<Service>,
    /// There was more than one turn takes.
    unread: bool,
    /// What the engine decided and was not carried out yet: empty but for a moment.
    decided: Vec<Output>,
    /// What is still waited for at the end.
    unfinished: Unfinished,
    done: bool,
}

/// Something that whoever watches the reactor may see.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The effective state of a rule changed, which was known at this moment.
    Changed(Change, Instant),
    /// A table was written.
    Written(Written),
}

/// Reads both clocks.
#[expect(clippy::disallowed_methods, reason = "the one place where the main thread reads the clocks")]
pub fn now() -> Now {
    Now { mono: Instant::now(), wall: SystemTime::now() }
}

impl Reactor {
    /// Takes on a configuration: starts the threads and makes the engine. Nothing runs yet. Tables are held by
    /// `plane`, and what is managed is remembered in `state_dir`. When the process has given up root, the calling
    /// thread gives up the rights that are not for the reactor.
    ///
    /// # Errors
    /// When no descriptors, threads or signal handlers can be had.
    pub fn new(
        configuration: Configuration,
        plans: Plans,
        plane: Option<Box<dyn DataPlane>>,
        state_dir: Option<Arc<StateDir>>,
    ) -> io::Result<Self> {
        let needs = Needs::of(&configuration);
        let waiter = Waiter::new(ALARM)?;
        let signals = Signals::new(waiter.registry(), SIGNALS)?;
        let wake = Arc::new(Waker::new(waiter.registry(), WAKE)?);
        let commands =
            Commands::start(test_commands(&configuration.rules), configuration.change_max, wake.clone())?;
        let now = now();
        let Configuration {
            rules,
            tables,
            firewall,
            change_max,
            run_as,
            log_format: _,
            control,
            listen,
            demotion,
        } = configuration;
        let connections_max = Descriptors::of(&rules, change_max).serving(listen).connections_max();
        let rules: Arc<[Rule]> = rules.into();
        let table_count = tables.len();
        let settings = plane.map(|plane| writer::Settings {
            tables: tables.into(),
            rules: rules.len(),
            plane,
            firewall: firewall.clone(),
            state_dir,
            rights: needs.writer,
        });
        let writer = settings.map(|settings| Writer::start(settings, wake.clone())).transpose()?;
        let journal = Journal::new(rules.clone(), now);
        let registry = waiter.registry().try_clone()?;
        let prober = Prober::new(rules, plans, connections_max, registry, &wake, now)?;
        // No other thread is to come of this one that needs more.
        privilege::keep(needs.reactor)?;
        Ok(Self {
            waiter,
            signals,
            commands,
            load: Load::new(now.mono, clock::thread_cpu()),
            pace: Pace::new(prober.engine.epoch()),
            prober,
            writer,
            journal,
            firewall,
            run_as,
            control_is_at: control.path,
            demotion_is_at: demotion,
            needs,
            loader: None,
            reloads: Reloads::default(),
            tables: table_count,
            control: None,
            waiting: Waiting::default(),
            status: None,
            happenings: None,
            overrides: None,
            has_no_rules: false,
            vacated: Vec::new(),
            wake,
            watcher: None,
            finish_by: None,
            decided: Vec::new(),
            demoter: None,
            service: None,
            unread: false,
            unfinished: Unfinished::default(),
            done: false,
        })
    }

    /// Has the configuration read again by `read` when a reload is asked for.
    ///
    /// # Errors
    /// When no thread can be had for that.
    pub fn reload_by(&mut self, read: loader::Read) -> io::Result<()> {
        self.loader = Some(Loader::start(read, Prepared::of, self.wake.clone())?);
        Ok(())
    }

    /// Has everything that happens from now on seen by someone else too.
    pub fn watch(&mut self) -> Receiver<Seen> {
        let (watcher, seen) = channel();
        self.watcher = Some(watcher);
        seen
    }

    /// The rules as they stand, and what was counted and measured of their runs.
    pub fn engine(&self) -> &Engine {
        &self.prober.engine
    }

    /// Runs until every rule is done or a signal says so.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        self.carry_out();
        self.prober.engine.begin(now());
        self.pace = Pace::new(self.prober.engine.epoch());
        self.end_if_finished(now());
        self.flush();
        while !self.done {
            let now = now().mono;
            let asked_at = self.control.as_ref().and_then(Server::poll_timeout);
            let told_at = self.journal.poll_timeout();
            let demoted_at = self.demoter.as_ref().and_then(Demoter::poll_timeout);
            let alive_at = self.service.as_ref().and_then(Service::poll_timeout);
            let (probe_at, page_at) = (self.prober.deadline(now), self.page_at(now));
            let deadlines = [probe_at, told_at, self.finish_by, asked_at, demoted_at, alive_at, page_at];
            let deadline = deadlines.into_iter().flatten().min();
            if self.unread || self.prober.has_more() {
                self.waiter.look(&mut events)?;
            } else {
                let ordinary = self.prober.engine.ordinary_lateness();
                match self.pace.rests_until(deadline, ordinary, now) {
                    Some(until) => self.waiter.rest(&mut events, until, now)?,
                    None => self.waiter.wait(&mut events, deadline, now)?,
                }
            }
            self.turn(&events);
        }
        self.finish_overrides();
        Ok(())
    }

    /// One turn: what begins, and what arrived, then what else is due, then what follows from it.
    fn turn(&mut self, events: &Events) {
        let start = now();
        self.pace.turn_begins(start.mono);
        self.prober.turn_begins(start);
        self.journal.turn_begins(start.mono);
        for event in events {
            let at = self.begin_due(events);
            match event.token() {
                SIGNALS => self.take_signals(start),
                // The alarm only wakes, and what the waker tells of is looked at in every turn.
                WAKE | ALARM | HELPER => {}
                token if Server::has(token) => {
                    if let Some(control) = &mut self.control {
                        control.on_event(event);
                    }
                }
                token if status::Server::has(token) => self.on_status_event(event),
                _ => self.prober.on_event(event, at),
            }
        }
        self.take_reports();
        self.take_writers_reports();
        self.hear_of_demotion(start.mono);
        self.take_loaded();
        self.prober.go_on();
        for _ in Prober::passes() {
            let at = self.prober.handle_timeout();
            self.carry_out();
            if !self.prober.is_due_again(at) {
                break;
            }
        }
        // Last: whatever an operator asks, probes come first.
        self.serve_clients(now());
        self.unread |= self.go_on_with_requests(now());
        let end = now();
        self.end_if_finished(end);
        self.flush();
        self.tell_manager(end.mono);
        self.prober.turn_ends(end);
        if let Some(said) = self.load.turn_ends(end.mono, self.prober.engine.counters(), clock::thread_cpu) {
            self.journal.load(&said);
        }
    }

    /// Begins what is due before the next of these events is looked at, and says at which moment that will be.
    fn begin_due(&mut self, events: &Events) -> Now {
        let at = now();
        if !self.prober.begin_due(events, at) {
            return at;
        }
        self.carry_out();
        self.commands.flush();
        now()
    }

    /// Hands over what other threads are to do.
    fn flush(&mut self) {
        self.commands.flush();
        if let Some(writer) = &mut self.writer {
            writer.flush();
        }
    }

    fn take_signals(&mut self, now: Now) {
        for signal in self.signals.take() {
            match signal {
                Signal::Stop(name) if self.is_ending() => {
                    self.journal.stopping_at_once(name);
                    self.done = true;
                }
                Signal::Stop(name) => {
                    self.journal.stopping(name);
                    self.finish(now);
                }
                Signal::Reload if !self.is_ending() => self.ask_for_reload("SIGHUP"),
                Signal::Reload => {}
                Signal::Summary => {
                    summary::log(&self.prober.engine, self.prober.turns());
                    if let Some(writer) = &mut self.writer {
                        writer.summary();
                    }
                }
            }
        }
    }
}
