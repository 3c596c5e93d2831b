//! What only the writer can answer: how tables stand, to repair them now, and whether a drain would harm.
//!
//! One question of each kind is with the writer at a time, however many clients ask and leave: those who ask meanwhile
//! share the next answer. A drain is judged when all before it are done, by what they leave.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::answer::Work;
use crate::control::protocol::Reply;
use crate::control::{Glob, Shown};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::reactor::overrides::{Job, Overrides};
use crate::reactor::status;
use crate::writer::{Answer, Question, Reconciled, TableStatus, Which};

/// The numbers of questions: of each kind one is under way.
const TABLES: u64 = 1;
const RECONCILE: u64 = 2;
const DRAIN: u64 = 3;

/// Who waits for what of the writer.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Questions {
    tables: Shared<(u64, Option<String>)>,
    reconcile: Shared<u64>,
    /// Drains that are still to be judged, the next one in front.
    pub(super) drains: VecDeque<Job>,
    /// The one in front is with the writer.
    judging: Option<Judging>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judging {
    /// By the rules as they are.
    Present,
    /// By rules of before a reload: to be asked again.
    Past,
}

/// A question that many may ask.
#[derive(Debug)]
struct Shared<T> {
    /// For whom it is under way.
    asked: Vec<T>,
    is_under_way: bool,
    /// Who came since, and wants to hear of what came since.
    next: Vec<T>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { asked: Vec::new(), is_under_way: false, next: Vec::new() }
    }
}

impl<T> Shared<T> {
    /// Whether it is to be asked now.
    fn begins(&mut self, waits: impl Fn(&T) -> bool) -> bool {
        if self.is_under_way {
            return false;
        }
        self.next.retain(waits);
        self.asked = mem::take(&mut self.next);
        self.is_under_way = !self.asked.is_empty();
        self.is_under_way
    }

    /// It was answered, for these.
    fn ends(&mut self) -> Vec<T> {
        self.is_under_way = false;
        mem::take(&mut self.asked)
    }
}

impl Questions {
    /// A drain that the writer is judging was asked about by rules that may be others now.
    pub(in crate::reactor) fn rules_have_changed(&mut self) {
        if let Some(judging) = &mut self.judging {
            *judging = Judging::Past;
        }
    }
}

impl Reactor {
    /// `tables`.
    pub(super) fn asked_for_tables(&mut self, ticket: u64, pattern: Option<String>, now: Now) {
        if self.writer.is_some() {
            self.waiting.writer.tables.next.push((ticket, pattern));
        } else {
            self.tell_tables(ticket, &Arc::from([]), pattern.as_deref(), now);
        }
    }

    /// `reconcile`.
    pub(super) fn asked_to_reconcile(&mut self, ticket: u64, now: Now) {
        if self.writer.is_some() {
            self.waiting.writer.reconcile.next.push(ticket);
        } else {
            self.answer(ticket, &self.reconciled(&Reconciled::default()), now.mono);
        }
    }

    /// Asks the writer what may be asked now. Everything that is known of rules has been said.
    pub(super) fn ask_writer(&mut self) {
        let Some(server) = &self.control else { return };
        let Some(writer) = &mut self.writer else { return };
        let questions = &mut self.waiting.writer;
        if questions.tables.begins(|(ticket, _)| server.waits(*ticket)) {
            writer.ask(TABLES, Question::Tables(Which::All));
        }
        if questions.reconcile.begins(|ticket| server.waits(*ticket)) {
            writer.ask(RECONCILE, Question::Reconcile);
        }
        if questions.judging.is_some() || self.overrides.as_ref().is_some_and(Overrides::is_busy) {
            return;
        }
        questions.drains.retain(|job| server.waits(job.ticket));
        let Some(rules) = self.waiting.writer.drains.front().map(|job| self.would_drain(job)) else { return };
        self.waiting.writer.judging = Some(Judging::Present);
        if let Some(writer) = &mut self.writer {
            writer.ask(DRAIN, Question::WouldDrain(rules));
        }
    }

    /// The writer has answered.
    pub(in crate::reactor) fn on_writers_answer(&mut self, question: u64, answer: Answer) {
        let now = crate::reactor::now();
        match question {
            TABLES => self.tell_all_tables(answer, now),
            RECONCILE => {
                let reply = match &answer {
                    Answer::Reconciled(done) => self.reconciled(done),
                    Answer::Unanswered(why) => refused(why),
                    Answer::Tables(_) | Answer::WouldDrain(_) => refused(OTHER_KIND),
                };
                for ticket in self.waiting.writer.reconcile.ends() {
                    self.answer(ticket, &reply, now.mono);
                }
            }
            status::TABLES => self.on_tables_for_status(answer),
            _ => self.judged(answer, now),
        }
    }

    fn tell_all_tables(&mut self, answer: Answer, now: Now) {
        let asked = self.waiting.writer.tables.ends();
        let tables: Arc<[TableStatus]> = match answer {
            Answer::Tables(tables) => tables.into(),
            Answer::Unanswered(why) => {
                return asked.iter().for_each(|(ticket, _)| self.answer(*ticket, &refused(why), now.mono));
            }
            Answer::Reconciled(_) | Answer::WouldDrain(_) => {
                return asked
                    .iter()
                    .for_each(|(ticket, _)| self.answer(*ticket, &refused(OTHER_KIND), now.mono));
            }
        };
        for (ticket, pattern) in asked {
            self.tell_tables(ticket, &tables, pattern.as_deref(), now);
        }
    }

    fn tell_tables(&mut self, ticket: u64, tables: &Arc<[TableStatus]>, pattern: Option<&str>, now: Now) {
        let glob = pattern.map(Glob::new);
        let is_any = |of: &Glob| tables.iter().any(|table| of.matches(&table.name));
        match (pattern, &glob) {
            (Some(pattern), Some(of)) if !is_any(of) => {
                self.answer(ticket, &refused(&format!("no table matches '{}'", Shown(pattern))), now.mono);
            }
            _ => self.answer_by(ticket, Work::tables(tables.clone(), glob)),
        }
    }

    /// What speaks against the drain in front.
    fn judged(&mut self, answer: Answer, now: Now) {
        let judging = self.waiting.writer.judging.take();
        match answer {
            // It stays in front.
            _ if judging == Some(Judging::Past) => {}
            Answer::WouldDrain(objections) => {
                let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
                if let Some(job) = self.waiting.writer.drains.pop_front() {
                    self.drain_unless(job, &objections, now);
                }
            }
            Answer::Unanswered(why) => {
                if let Some(job) = self.waiting.writer.drains.pop_front() {
                    self.answer(job.ticket, &refused(why), now.mono);
                }
            }
            Answer::Tables(_) | Answer::Reconciled(_) => {}
        }
    }

    /// What came of reading all tables.
    fn reconciled(&self, done: &Reconciled) -> Reply {
        let Reconciled { read, repairs, failures } = done;
        let put_right = if self.firewall.dry_run { "would be put right (dry run)" } else { "put right" };
        let tables = |count: usize| if count == 1 { "1 table".to_owned() } else { format!("{count} tables") };
        let addresses = if *repairs == 1 { "1 address".to_owned() } else { format!("{repairs} addresses") };
        if failures.is_empty() {
            return Reply::Done { text: format!("{} read, {addresses} {put_right}", tables(*read)) };
        }
        let all = read + failures.len();
        let text = format!(
            "{} of {all} cannot be read or written; {addresses} {put_right} in the others",
            tables(failures.len())
        );
        let details = failures.iter().map(|(table, why)| format!("{table}: {why}")).collect();
        Reply::Refused { text, details }
    }
}

/// Nothing but a defect of ours.
const OTHER_KIND: &str = "the writer has answered something else";

fn refused(why: &str) -> Reply {
    Reply::Refused { text: why.to_owned(), details: Vec::new() }
}
