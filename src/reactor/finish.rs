//! The end: by a signal, by an operator, or because no rule is left to run.

use super::{FINISH_GRACE, Reactor};
use crate::commands::{FINISH_MAX, Request};
use crate::now::Now;

/// The threads that have not ended yet although they were told to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unfinished {
    pub(super) commands: bool,
    pub(super) writer: bool,
    /// The helper, which was told to take everything back.
    pub(super) demotion: bool,
}

impl Reactor {
    /// Whether it was told to end.
    pub(super) fn is_ending(&self) -> bool {
        self.finish_by.is_some()
    }

    pub(super) fn end_if_all_have_finished(&mut self) {
        let Unfinished { commands, writer, demotion } = self.unfinished;
        self.done |= self.is_ending() && !commands && !writer && !demotion;
    }

    pub(super) fn end_if_finished(&mut self, now: Now) {
        if self.finish_by.is_some_and(|by| by <= now.mono) && !self.done {
            let Unfinished { commands, writer, demotion } = self.unfinished;
            let all = [
                ("commands", "thread", commands),
                ("writer", "thread", writer),
                ("demotion", "helper", demotion),
            ];
            for (name, what, _) in all.iter().filter(|(.., is)| *is) {
                self.journal.hangs(name, what);
            }
            self.done = true;
        }
        if !self.is_ending() && !self.has_no_rules && self.prober.engine.is_finished() {
            self.journal.all_done();
            self.finish(now);
        }
    }

    /// Has the demotion taken back at once: nobody is to follow.
    pub(super) fn release_demotion(&mut self) {
        if let Some(demoter) = &mut self.demoter {
            demoter.release();
            self.unfinished.demotion = !demoter.has_finished();
        }
    }

    /// Starts nothing any more and waits for the change commands that are due.
    pub(super) fn finish(&mut self, now: Now) {
        self.prober.stop();
        self.carry_out();
        self.commands.request(Request::Finish);
        if let Some(writer) = &mut self.writer {
            writer.finish();
        }
        let demotion = self.demoter.as_ref().is_some_and(|demoter| !demoter.has_finished());
        self.unfinished = Unfinished { commands: true, writer: self.writer.is_some(), demotion };
        self.finish_by = now.mono.checked_add(FINISH_MAX + FINISH_GRACE);
        self.refuse_reloads();
    }
}
