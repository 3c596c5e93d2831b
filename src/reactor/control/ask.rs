//! Requests that the writer answers: how tables stand, to repair them now, and whether a drain would harm.

use super::answer::Work;
use crate::control::protocol::Reply;
use crate::control::{Glob, Shown};
use crate::now::Now;
use crate::reactor::Reactor;
use crate::reactor::overrides::Job;
use crate::writer::{Answer, Question, Reconciled, TableStatus, Which};

/// What is done with the writer's answer.
#[derive(Debug)]
pub(super) enum Pending {
    /// It is told, as far as this pattern goes.
    Tables(Option<String>),
    /// It is told.
    Reconcile,
    /// These rules are drained unless something speaks against it.
    Drain(Box<Job>),
}

impl Reactor {
    /// `tables`.
    pub(super) fn asked_for_tables(&mut self, ticket: u64, pattern: Option<String>, now: Now) {
        match &mut self.writer {
            Some(writer) => {
                writer.ask(ticket, Question::Tables(Which::All));
                self.waiting.writer.insert(ticket, Pending::Tables(pattern));
            }
            None => self.tell_tables(ticket, Vec::new(), pattern.as_deref(), now),
        }
    }

    /// `reconcile`.
    pub(super) fn asked_to_reconcile(&mut self, ticket: u64, now: Now) {
        match &mut self.writer {
            Some(writer) => {
                writer.ask(ticket, Question::Reconcile);
                self.waiting.writer.insert(ticket, Pending::Reconcile);
            }
            None => self.answer(ticket, &reconciled(&Reconciled::default()), now.mono),
        }
    }

    /// The writer has answered.
    pub(in crate::reactor) fn on_writers_answer(&mut self, ticket: u64, answer: Answer) {
        let now = crate::reactor::now();
        let Some(pending) = self.waiting.writer.remove(&ticket) else { return };
        match (pending, answer) {
            (_, Answer::Unanswered(why)) => {
                let reply = Reply::Refused { text: why.to_owned(), details: Vec::new() };
                self.answer(ticket, &reply, now.mono);
            }
            (Pending::Tables(pattern), Answer::Tables(tables)) => {
                self.tell_tables(ticket, tables.into_vec(), pattern.as_deref(), now);
            }
            (Pending::Reconcile, Answer::Reconciled(done)) => {
                self.answer(ticket, &reconciled(&done), now.mono)
            }
            (Pending::Drain(job), Answer::WouldDrain(objections)) => {
                let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
                self.drain_unless(*job, &objections, now);
            }
            (Pending::Tables(_), Answer::Reconciled(_) | Answer::WouldDrain(_))
            | (Pending::Reconcile, Answer::Tables(_) | Answer::WouldDrain(_))
            | (Pending::Drain(_), Answer::Tables(_) | Answer::Reconciled(_)) => {
                unreachable!("each question has answers of its own kind")
            }
        }
    }

    fn tell_tables(&mut self, ticket: u64, mut tables: Vec<TableStatus>, pattern: Option<&str>, now: Now) {
        if let Some(pattern) = pattern {
            let glob = Glob::new(pattern);
            tables.retain(|table| glob.matches(&table.name));
            if tables.is_empty() {
                let text = format!("no table matches '{}'", Shown(pattern));
                return self.answer(ticket, &Reply::Refused { text, details: Vec::new() }, now.mono);
            }
        }
        self.answer_by(ticket, Work::tables(tables));
    }
}

/// What came of reading all tables.
fn reconciled(done: &Reconciled) -> Reply {
    let Reconciled { read, repairs, failures } = done;
    let tables = |count: usize| if count == 1 { "1 table".to_owned() } else { format!("{count} tables") };
    let addresses = if *repairs == 1 { "1 address".to_owned() } else { format!("{repairs} addresses") };
    if failures.is_empty() {
        return Reply::Done { text: format!("{} read, {addresses} put right", tables(*read)) };
    }
    let all = read + failures.len();
    let text = format!(
        "{} of {all} cannot be read or written; {addresses} put right in the others",
        tables(failures.len())
    );
    let details = failures.iter().map(|(table, why)| format!("{table}: {why}")).collect();
    Reply::Refused { text, details }
}
