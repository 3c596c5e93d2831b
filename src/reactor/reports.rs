//! What other threads report: tests that ran, tables that were written, answers that were asked for.

use super::{Reactor, Seen, now};
use crate::commands::Report;
use crate::writer;

/// What is taken from the commands thread in one turn at most, so that timers come in between.
const REPORTS_PER_TURN: usize = 1024;

impl Reactor {
    pub(super) fn take_reports(&mut self) {
        self.unread = false;
        for _ in 0..REPORTS_PER_TURN {
            match self.commands.poll_report() {
                None => return,
                Some(Report::Test(event)) => self.prober.engine.handle_event(event, now()),
                Some(Report::Output { run, change, stdout, stderr }) => {
                    self.journal.output(run, change, &stdout, &stderr);
                }
                Some(Report::NotSignaled { run, pid, error }) => self.journal.not_signaled(run, pid, &error),
                Some(Report::Change(run, news)) => self.journal.change_news(run, &news),
                Some(Report::Finished(still_running)) => {
                    self.journal.finished(still_running);
                    self.unfinished.commands = false;
                    self.end_if_all_have_finished();
                }
            }
        }
        self.unread = true;
    }

    pub(super) fn take_writers_reports(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        let (mut has_finished, mut answers) = (false, Vec::new());
        while let Some(report) = writer.poll_report() {
            match report {
                writer::Report::Written(written) => {
                    if let Some(watcher) = &self.watcher {
                        // Whoever has gone watches no more.
                        let _ = watcher.send(Seen::Written(written));
                    }
                }
                writer::Report::Answer(ticket, answer) => answers.push((ticket, answer)),
                writer::Report::Finished => has_finished = true,
            }
        }
        for (ticket, answer) in answers {
            self.on_writers_answer(ticket, answer);
        }
        if has_finished {
            self.unfinished.writer = false;
            self.end_if_all_have_finished();
        }
    }
}
