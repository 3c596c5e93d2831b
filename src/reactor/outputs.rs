//! What the engine decided, carried out.

use super::{Reactor, Seen, now};
use crate::commands::{Job, Request, StartNews};
use crate::engine::{Change, Output};
use crate::health::State;
use crate::rule::{RuleId, RunId, Test};
use crate::standing::Standing;

impl Reactor {
    /// Hands on what the engine decided: first what traffic waits for, then all else.
    pub(super) fn carry_out(&mut self) {
        loop {
            self.tell_standings();
            if self.decided.is_empty() {
                return;
            }
            // What is carried out may have something else decided.
            let mut decided = std::mem::take(&mut self.decided);
            decided.drain(..).for_each(|output| self.carry_out_one(output));
            self.decided = decided;
        }
    }

    /// What concerns traffic is on its way before anything is logged, started or asked.
    fn tell_standings(&mut self) {
        while let Some(output) = self.prober.poll_output() {
            if let Output::Standing { rule, standing } = output {
                self.say(rule, standing);
                continue;
            }
            if let (Output::Change(change), Some(watcher)) = (&output, &self.watcher) {
                // Whoever has gone watches no more.
                let _ = watcher.send(Seen::Changed(change.clone(), now().mono));
            }
            self.decided.push(output);
        }
        if let Some(writer) = &mut self.writer {
            writer.flush();
        }
        self.go_on_with_demotion();
    }

    /// What a rule says goes to whoever has to do with it.
    fn say(&mut self, id: RuleId, standing: Standing) {
        let rule = &self.prober.engine.rules()[id.index()];
        if let Some(writer) = self.writer.as_mut().filter(|_| rule.has_tables()) {
            writer.say(id, standing);
        }
        if let Some(demoter) = &mut self.demoter {
            demoter.say(id, standing);
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::StartTest { run } => self.start(run),
            Output::Signal { run, signal } => self.commands.request(Request::Signal(run, signal)),
            Output::Abandon { run } => self.commands.request(Request::Abandon(run)),
            // The prober's own affair, and what was told before all else.
            Output::Expire { .. } | Output::Standing { .. } => {}
            Output::OverrideEnded { rule } => self.on_override_ended(rule),
            Output::Answer(answer) => self.on_answer(&answer),
            Output::Change(change) => self.change(&change),
            Output::Notice(notice) => self.journal.notice(&notice),
        }
    }

    fn start(&mut self, run: RunId) {
        let rule = &self.prober.engine.rules()[run.rule.index()];
        let news = match &rule.test {
            // Timeouts count from the start; without any, nothing depends on when it is known.
            Test::Command { timeout_int: None, timeout_kill: None, .. } => StartNews::WithNext,
            Test::Command { .. } => StartNews::AtOnce,
            Test::Probe(_) => return self.prober.start(run),
        };
        self.commands.request(Request::StartTest(run, news));
    }

    fn change(&mut self, change: &Change) {
        self.journal.change(change);
        let rule = &self.prober.engine.rules()[change.run.rule.index()];
        let command = match change.to {
            State::Success => &rule.change_success,
            State::Fail => &rule.change_fail,
            State::Unknown => &None,
        };
        let Some(command) = command else { return };
        if self.firewall.dry_run {
            return self.journal.not_run(change.run, command);
        }
        let job = Job {
            run: change.run,
            command: command.clone(),
            environment: self.journal.environment(change),
            timeout: rule.change_timeout,
        };
        self.commands.request(Request::Change(Box::new(job)));
    }
}
