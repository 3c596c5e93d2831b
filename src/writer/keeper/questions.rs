//! Answering what the writer is asked: at once, or once every table has been read.

use std::collections::VecDeque;
use std::time::Instant;

use super::Keeper;
use crate::dataplane::TableError;
use crate::rule::Table;
use crate::writer::status::{self, Answer, Question, Reconciled, Which};

/// What was asked and not answered yet; what was answered and not taken yet.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// Who waits for the next time that all tables are read.
    waiting: Vec<u64>,
    /// Who waits for this one.
    asked_by: Vec<u64>,
    /// What it has come to so far.
    so_far: Reconciled,
    /// Of each table, how far it is; empty while nobody waits.
    stages: Vec<Stage>,
    answers: VecDeque<(u64, Answer)>,
}

/// How far one table is while all are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    ToRead,
    /// It was read and differs: it is written, then looked at again. So many addresses were others' doing.
    ToProve(u64),
    Done,
}

impl Keeper {
    /// Answers a question, at once or in a later step.
    pub(in crate::writer) fn ask(&mut self, ticket: u64, question: Question, now: Instant) {
        // What was said with it counts.
        self.decide(now);
        let answer = match question {
            Question::Tables(which) => Answer::Tables(self.statuses(&which)),
            Question::WouldDrain(rules) => Answer::WouldDrain(self.desired.would_drain(&rules)),
            Question::Reconcile => {
                self.questions.waiting.push(ticket);
                if self.questions.asked_by.is_empty() {
                    self.begin_to_reconcile();
                }
                return;
            }
        };
        self.questions.answers.push_back((ticket, answer));
    }

    /// The next answer that can be given.
    pub(in crate::writer) fn poll_answer(&mut self) -> Option<(u64, Answer)> {
        self.questions.answers.pop_front()
    }

    /// The end has come: nobody is to wait any more.
    pub(in crate::writer) fn answer_no_more(&mut self) {
        let Questions { waiting, asked_by, stages, answers, so_far: _ } = &mut self.questions;
        stages.clear();
        let left = asked_by.drain(..).chain(waiting.drain(..));
        answers.extend(left.map(|ticket| (ticket, Answer::Unanswered("hfm is ending"))));
    }

    fn statuses(&self, which: &Which) -> Box<[status::TableStatus]> {
        let is_asked = |table: &Table| match which {
            Which::All => true,
            Which::Named(names) => names.contains(&table.name),
        };
        let tables = self.desired.tables().iter().zip(&self.tables).enumerate();
        let asked = tables.filter(|(_, (table, _))| is_asked(table));
        let plane = self.plane.name();
        asked
            .map(|(index, (_, kept))| status::of_table(plane, &self.desired, index, kept, &self.retry))
            .collect()
    }

    /// Has every table read now, whatever it waits for.
    pub(super) fn begin_to_reconcile(&mut self) {
        let Self { questions, tables, retry, .. } = self;
        questions.asked_by.append(&mut questions.waiting);
        if questions.asked_by.is_empty() {
            return;
        }
        questions.stages = vec![Stage::ToRead; tables.len()];
        retry.at = None;
        for kept in tables.iter_mut() {
            kept.read_at = None;
            kept.retry.at = None;
        }
        self.end_to_reconcile();
    }

    /// A table was read; so many addresses in it were others' doing.
    pub(super) fn was_read(&mut self, index: usize, repairs: u64, differs: bool) {
        let Some(stage) = self.questions.stages.get_mut(index) else { return };
        let made = match *stage {
            Stage::ToRead if differs => return *stage = Stage::ToProve(repairs),
            Stage::ToRead => 0,
            Stage::ToProve(_) if differs => return,
            Stage::ToProve(repairs) => repairs,
            Stage::Done => return,
        };
        *stage = Stage::Done;
        self.questions.so_far.read += 1;
        self.questions.so_far.repairs += made;
        self.end_to_reconcile();
    }

    /// A table was written for sure.
    pub(super) fn was_proved(&mut self, index: usize, differs: bool) {
        if matches!(self.questions.stages.get(index), Some(Stage::ToProve(_))) {
            self.was_read(index, 0, differs);
        }
    }

    /// A table could not be read or written, or does not hold what was written.
    pub(super) fn was_not_reconciled(&mut self, index: usize, why: &str) {
        let Some(stage) = self.questions.stages.get_mut(index).filter(|stage| **stage != Stage::Done) else {
            return;
        };
        *stage = Stage::Done;
        let name = self.desired.tables()[index].name.clone();
        self.questions.so_far.failures.push((name, why.to_owned()));
        self.end_to_reconcile();
    }

    /// No table can be read or written.
    pub(super) fn none_was_reconciled(&mut self, error: &TableError) {
        let why = error.to_string();
        let stages = self.questions.stages.iter().enumerate();
        // All at first: with the last of them those who wait may have begun anew.
        let open: Vec<usize> =
            stages.filter(|(_, stage)| **stage != Stage::Done).map(|(index, _)| index).collect();
        for index in open {
            self.was_not_reconciled(index, &why);
        }
    }

    /// Answers once every table is done; who has asked meanwhile has them read once more.
    fn end_to_reconcile(&mut self) {
        let questions = &mut self.questions;
        if questions.stages.iter().any(|stage| *stage != Stage::Done) {
            return;
        }
        questions.stages.clear();
        let answer = Answer::Reconciled(std::mem::take(&mut questions.so_far));
        questions.answers.extend(questions.asked_by.drain(..).map(|ticket| (ticket, answer.clone())));
        self.begin_to_reconcile();
    }

    /// The tables are others: all of them are to be read again.
    pub(super) fn reconcile_anew(&mut self) {
        let questions = &mut self.questions;
        questions.waiting.append(&mut questions.asked_by);
        questions.so_far = Reconciled { repairs: questions.so_far.repairs, ..Reconciled::default() };
        self.begin_to_reconcile();
    }
}
