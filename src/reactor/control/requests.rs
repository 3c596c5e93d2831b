//! What clients ask of the reactor, carried out.

use std::io;
use std::str::FromStr;
use std::time::Instant;

use log::LevelFilter;

use super::answer::{Source, Work};
use super::search::{Search, Then};
use super::{Asked, Server};
use crate::control::Shown;
use crate::control::protocol::{Reply, Request};
use crate::logging;
use crate::now::Now;
use crate::reactor::happenings::Listener;
use crate::reactor::overrides::Overrides;
use crate::reactor::reload::IS_ENDING;
use crate::reactor::{Reactor, now};
use crate::sys::control_socket::{ControlSocket, Peer};

impl Reactor {
    /// Is asked by clients of this socket from now on; `config` is the name of the configuration file.
    ///
    /// # Errors
    /// When the socket cannot be waited for, or somebody else in this process listens to events.
    pub fn control_by(&mut self, socket: ControlSocket, config: String) -> io::Result<()> {
        self.hear()?;
        let registry = self.waiter.registry().try_clone()?;
        self.control = Some(Server::new(socket, config, registry, now())?);
        Ok(())
    }

    /// The control socket's part of a turn; says whether it had one.
    pub(in crate::reactor) fn serve_control(&mut self, now: Now) -> bool {
        let Some(server) = &mut self.control else { return false };
        if !server.begin(self.prober.engine.poll_timeout(), now.mono) {
            return false;
        }
        while let Some(asked) = self.control.as_mut().and_then(|server| server.poll_request(now.mono)) {
            self.carry_out_asked(asked, now);
        }
        let Some(server) = &mut self.control else { return true };
        let source = Source {
            engine: &self.prober.engine,
            overrides: self.overrides.as_ref().map(Overrides::book),
            turns: self.prober.turns(),
            reloads: self.reloads.done,
            tables: self.tables,
            dry_run: self.firewall.dry_run,
            demotion: self.demoter.as_ref(),
        };
        server.go_on(&source, now);
        server.end(now.mono);
        if let Some(happenings) = &mut self.happenings {
            happenings.set(Listener::Control, server.is_listened_to());
        }
        true
    }

    fn carry_out_asked(&mut self, asked: Asked, now: Now) {
        let Asked { ticket, peer, request } = asked;
        if self.is_ending() && is_work(&request) {
            let reply = Reply::Refused { text: IS_ENDING.to_owned(), details: Vec::new() };
            return self.answer(ticket, &reply, now.mono);
        }
        match request {
            Request::Status { rules } => self.answer_by(ticket, Work::status(rules)),
            Request::Stats {} => self.answer_by(ticket, Work::stats()),
            // They come by themselves from now on.
            Request::Events {} => {}
            Request::Log { level } => self.log_by_request(ticket, peer, &level, now),
            Request::Reload {} => {
                self.journal.asked_to_reload(&peer);
                self.ask_for_reload_by(ticket, now);
            }
            Request::Stop {} => self.stop_by_request(ticket, peer, now),
            Request::Drain { .. }
            | Request::Disable { .. }
            | Request::Enable { .. }
            | Request::Set { .. } => self.asked_to_set(Asked { ticket, peer, request }),
            Request::Run { rules } => self.search(Search::new(ticket, rules, Then::Run)),
            Request::Tables { tables } => self.asked_for_tables(ticket, tables, now),
            Request::Reconcile {} => {
                self.journal.asked_to_reconcile(&peer);
                self.asked_to_reconcile(ticket, now);
            }
        }
    }

    /// A line of an answer, if who waits for it is still there.
    pub(in crate::reactor) fn answer(&mut self, ticket: u64, reply: &Reply, now: Instant) {
        if let Some(server) = &mut self.control {
            server.answer(ticket, reply, now);
        }
    }

    /// Whether somebody still waits for this answer.
    pub(super) fn waits(&self, ticket: u64) -> bool {
        self.control.as_ref().is_some_and(|server| server.waits(ticket))
    }

    /// Whether a line of this answer has room, or need not have any because nobody waits for it.
    pub(in crate::reactor) fn has_room_for(&self, ticket: u64) -> bool {
        self.control.as_ref().is_none_or(|server| server.has_room_for(ticket))
    }

    pub(super) fn answer_by(&mut self, ticket: u64, work: Work) {
        if let Some(server) = &mut self.control {
            server.answer_by(ticket, work);
        }
    }

    fn log_by_request(&mut self, ticket: u64, peer: Peer, level: &str, now: Now) {
        let Ok(chosen) = LevelFilter::from_str(level) else {
            let text = format!("'{}' is no level; give off, error, warn, info, debug or trace", Shown(level));
            return self.answer(ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
        };
        let (before, word) = (logging::level(), chosen.as_str().to_ascii_lowercase());
        // So that the line about it is there whichever of the two lets it through.
        logging::set_level(before.max(chosen));
        self.journal.asked_to_log(&peer, &word);
        logging::set_level(chosen);
        let was = before.as_str().to_ascii_lowercase();
        self.answer(ticket, &Reply::Done { text: format!("the log's level is {word}, was {was}") }, now.mono);
    }

    fn stop_by_request(&mut self, ticket: u64, peer: Peer, now: Now) {
        self.journal.asked_to_stop(&peer);
        let text = if self.is_ending() { "hfm is ending already" } else { "hfm is ending" };
        self.answer(ticket, &Reply::Done { text: text.to_owned() }, now.mono);
        // Before anything of that may be over.
        if let Some(server) = &mut self.control {
            Server::write(server, now.mono);
        }
        if !self.is_ending() {
            self.journal.stopping("control");
        }
        self.release_demotion();
        if !self.is_ending() {
            self.finish(now);
        }
    }
}

/// Whether a request is one that nothing would come of while hfm ends.
fn is_work(request: &Request) -> bool {
    match request {
        Request::Status { .. }
        | Request::Events {}
        | Request::Stats {}
        | Request::Log { .. }
        | Request::Reload {}
        | Request::Stop {} => false,
        Request::Tables { .. }
        | Request::Drain { .. }
        | Request::Disable { .. }
        | Request::Enable { .. }
        | Request::Set { .. }
        | Request::Run { .. }
        | Request::Reconcile {} => true,
    }
}
