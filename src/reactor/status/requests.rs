//! The status page's part of a turn, and where it is told what it serves.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use mio::event::Event;

use super::metrics::MetricsText;
use super::work::{self, StatusText, World};
use super::{Opened, SLICE, Server};
use crate::now::Now;
use crate::reactor::control::answer::{Facts, Source};
use crate::reactor::happenings::{Batch, Happenings, Listener};
use crate::reactor::overrides::Overrides;
use crate::reactor::{Reactor, now};
use crate::status::{Recent, Response};
use crate::writer::{Answer, Question, Which, Writer, Writes};

/// The number of its questions to the writer: those of the control socket have the first few.
pub(in crate::reactor) const TABLES: u64 = 16;

/// What is needed to begin to serve, at the start or at a reload.
#[derive(Debug)]
pub(in crate::reactor) struct Serves {
    /// Of the configuration file.
    config: String,
    began: Now,
    server: Option<Server>,
    /// Of the last server, while there is none.
    recent: Recent,
    /// The control socket had the last part of a turn that clients get.
    is_next: bool,
}

impl Reactor {
    /// Serves the status page from now on, if it is to be served anywhere; `config` is the name of the configuration file.
    ///
    /// # Errors
    /// When the poll cannot be had once more, or the process has had such a reactor before.
    pub fn status_by(&mut self, opened: Option<Opened>, config: String) -> io::Result<()> {
        self.hear()?;
        self.status =
            Some(Serves { config, began: now(), server: None, recent: Recent::default(), is_next: false });
        self.serve_status_at(opened)
    }

    /// Serves it somewhere else, or nowhere.
    pub(in crate::reactor) fn serve_status_at(&mut self, opened: Option<Opened>) -> io::Result<()> {
        let Some(serves) = &mut self.status else { return Ok(()) };
        let registry = opened.is_some().then(|| self.waiter.registry().try_clone()).transpose();
        if let Some(server) = serves.server.take() {
            serves.recent = server.shut();
            if !matches!(registry, Ok(Some(_))) {
                serves.recent.pause();
            }
        }
        let listens = opened.is_some();
        if let (Some(opened), Some(registry)) = (opened, registry?) {
            let has_writer = self.writer.is_some();
            let (recent, config) = (mem::take(&mut serves.recent), serves.config.clone());
            let server = Server::new(opened, recent, config, serves.began, registry, has_writer, now());
            serves.server = Some(server);
        }
        if let Some(happenings) = &mut self.happenings {
            happenings.set(Listener::Status, listens);
        }
        Ok(())
    }

    /// Serves it where a configuration that was just read says so.
    pub(in crate::reactor) fn serve_status_where(&mut self, listen: Option<SocketAddr>) {
        if self.status_server().map(|server| server.address()) == listen {
            return;
        }
        if let Err(error) = self.serve_status_at(listen.map(Opened::at)) {
            log::error!("the status page is served nowhere: {error}; restart hfm");
        }
    }

    fn status_server(&mut self) -> Option<&mut Server> {
        self.status.as_mut()?.server.as_mut()
    }

    /// The poll says something of its sockets.
    pub(in crate::reactor) fn on_status_event(&mut self, event: &Event) {
        if let Some(server) = self.status_server() {
            server.on_event(event);
        }
    }

    /// Events happened.
    pub(in crate::reactor) fn tell_status_events(&mut self, batch: &Batch) {
        if let Some(server) = self.status_server() {
            server.tell_events(batch);
        }
    }

    /// When it wants to be looked after at the latest, or there are events to hand on.
    pub(in crate::reactor) fn page_at(&self, now: Instant) -> Option<Instant> {
        let serves = self.status.as_ref().and_then(|serves| serves.server.as_ref()?.poll_timeout(now));
        let told = self.happenings.as_ref().and_then(Happenings::poll_timeout);
        [serves, told].into_iter().flatten().min()
    }

    /// What is done for clients, of the control socket or of the page: in one turn not for both. Where turns take longer
    /// than clients are left alone, both may have their part in every turn; so they have it by turns then.
    pub(in crate::reactor) fn serve_clients(&mut self, now: Now) {
        self.hand_events_on(now.mono);
        let is_next = self.status.as_ref().is_some_and(|serves| serves.is_next);
        let page_had_it = is_next && self.serve_status(now);
        let control_had_it = !page_had_it && self.serve_control(now);
        let page_had_it = page_had_it || !is_next && !control_had_it && self.serve_status(now);
        if let Some(serves) = &mut self.status
            && (page_had_it || control_had_it)
        {
            serves.is_next = control_had_it;
        }
    }

    /// The writer has told how its tables stand.
    pub(in crate::reactor) fn on_tables_for_status(&mut self, answer: Answer) {
        if let Some(server) = self.status_server() {
            let before = server.works.health.hear(answer, now().mono);
            before.into_iter().for_each(|tables| server.works.spent.take_tables(tables));
        }
    }

    /// The status page's part of a turn; whether it was one.
    fn serve_status(&mut self, now: Now) -> bool {
        let Some(server) = self.status.as_mut().and_then(|serves| serves.server.as_mut()) else {
            return false;
        };
        if !server.manners.may_begin(self.prober.engine.poll_timeout(), now.mono) {
            return false;
        }
        let until = |share: u32| now.mono.checked_add(SLICE / 4 * share).unwrap_or(now.mono);
        server.read(until(1), now);
        if server.works.is_wanted(now.mono)
            && let Some(writer) = &mut self.writer
            && server.works.health.asks(now.mono)
        {
            writer.ask(TABLES, Question::Tables(Which::All));
        }
        let source = Source {
            engine: &self.prober.engine,
            overrides: self.overrides.as_ref().map(Overrides::book),
            turns: self.prober.turns(),
            reloads: self.reloads.done,
            tables: self.tables,
            dry_run: self.firewall.dry_run,
            demotion: self.demoter.as_ref(),
        };
        let writes = self.writer.as_ref().map(Writer::writes);
        server.make(&source, writes, until(3), now);
        server.end(until(4));
        true
    }
}

impl Server {
    /// Begins what is wanted, and goes on with what is begun.
    fn make(&mut self, source: &Source<'_>, writes: Option<&Writes>, until: Instant, now: Now) {
        let clock = || crate::reactor::now().mono;
        let mut done: Vec<(Vec<usize>, Response)> = Vec::new();
        let clients = self.connections.iter().flatten().count();
        let facts = Facts { config: &self.config, started: self.started, clients };
        let works = &mut self.works;
        works.spent.free(until, clock);
        if works.is_wanted(now.mono) {
            works.survey.go_on(source, until, clock);
        }
        let is_ready = works.health.is_ready(now.mono) && works.survey.is_fresh(source, clock());
        if works.is_wanted(now.mono) && is_ready {
            let health = works.health.reasons(source, &works.survey, now.mono);
            done.extend(works.health.answer(&health));
            if works.metrics.is_wanted(now.mono) {
                let stats = works.survey.tally().row(source, facts);
                let tables = works.health.tables();
                let text = MetricsText::new(source, &stats, health.is_empty(), tables, writes, now);
                works.metrics.begin(text, now.mono);
            }
            if works.status.is_wanted(now.mono) {
                let tables = works.health.tables().clone();
                works.status.begin(StatusText::new(self.recent.last(), health, tables), now.mono);
            }
        }
        let hfm = work::hfm(facts, self.works.health.dataplane(), &self.host, source, now);
        let world = World { source, facts, hfm: &hfm, now };
        // In turn, or one that is always wanted would keep the other waiting.
        self.is_turn_of_metrics = !self.is_turn_of_metrics;
        if self.is_turn_of_metrics {
            done.extend(self.works.metrics.go_on(&world, until, clock));
        }
        done.extend(self.works.status.go_on(&world, until, clock));
        if !self.is_turn_of_metrics {
            done.extend(self.works.metrics.go_on(&world, until, clock));
        }
        for (slots, response) in done {
            self.works.spent.keep_body(&response.body);
            self.respond(&slots, &response, now);
        }
    }
}
