//! What the thread is told to do.

use std::collections::HashMap;

use super::{CommandsThread, FINISH_MAX, OUTPUT_AFTER_END_MAX, now};
use crate::commands::child::Role;
use crate::commands::{ChangeNews, Job, Report, Request};
use crate::engine::{Event, StopSignal};
use crate::rule::RunId;

impl CommandsThread {
    pub(super) fn take_requests(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            match request {
                Request::StartTest(run, news) => self.starts.push_back((run, news)),
                Request::Signal(run, signal) => self.signal(run, signal),
                Request::Abandon(run) => self.abandon(run),
                Request::Reload { tests, change_max } => {
                    self.prepared = HashMap::new();
                    self.tests = tests;
                    self.changes.limit(change_max);
                }
                Request::Change(job) => self.submit(job),
                Request::Finish => self.finish(),
            }
        }
    }

    fn signal(&mut self, run: RunId, signal: StopSignal) {
        // It may have ended a moment ago: then its own ending counts, and no signal.
        self.reap();
        let Some(child) = self.children.of_run(run) else { return };
        let pid = child.pid();
        match child.signal(signal) {
            Ok(true) => self.report(Report::Test(Event::Signaled { run, signal })),
            Ok(false) => {}
            Err(error) => self.report(Report::NotSignaled { run, pid, error }),
        }
    }

    fn abandon(&mut self, run: RunId) {
        self.starts.retain(|(waiting, _)| *waiting != run);
        if let Some(child) = self.children.of_run(run) {
            let pid = child.pid();
            if let Err(error) = child.signal(StopSignal::Kill) {
                self.report(Report::NotSignaled { run, pid, error });
            }
        }
    }

    fn submit(&mut self, job: Box<Job>) {
        let by = job.run;
        if let Some(replaced) = self.changes.submit(by.rule, job) {
            self.report(Report::Change(replaced.run, ChangeNews::Replaced { by }));
        }
    }

    fn finish(&mut self) {
        self.starts.clear();
        for child in self.children.iter() {
            if let Role::Test(_) = child.role {
                // One that cannot be killed is not waited for.
                let _ = child.signal(StopSignal::Kill);
            }
        }
        let at = now();
        self.finish_by = Some(at + FINISH_MAX);
        self.tests_until = Some(at + OUTPUT_AFTER_END_MAX);
    }
}
