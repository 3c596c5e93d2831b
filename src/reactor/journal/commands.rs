//! What is told of child processes: what they print, and what becomes of change commands.

use std::fmt;

use log::Level;

use super::{Journal, held_back};
use crate::commands::{Captured, ChangeNews};
use crate::config;
use crate::engine::Change;
use crate::line::{self, Field, Line, Millis, Value};
use crate::reactor::limiter::Kind;
use crate::rule::{CommandLine, Prefix, RunId};

impl Journal {
    /// What a test or a change command printed.
    pub(in crate::reactor) fn output(
        &mut self,
        run: RunId,
        change: bool,
        stdout: &Captured,
        stderr: &Captured,
    ) {
        let streams = [
            (Level::Info, Kind::Output, "output", "stdout", stdout),
            (Level::Error, Kind::ErrorOutput, "error output", "stderr", stderr),
        ];
        for (level, kind, what, stream, captured) in streams {
            if captured.kept.is_empty() {
                continue;
            }
            let admitted = if change { Some(held_back(0)) } else { self.admit(level, run, kind) };
            let Some(held_back) = admitted else { continue };
            let whose = if change { "change command" } else { "test" };
            let text = String::from_utf8_lossy(&captured.kept);
            // One last line end is left out.
            let text = if captured.dropped == 0 { text.strip_suffix('\n').unwrap_or(&text) } else { &text };
            let dropped = Some(captured.dropped).filter(|dropped| *dropped > 0);
            self.say(
                level,
                run,
                "output",
                format_args!("{whose} produced {what}: {text}"),
                &[
                    Field::hidden("of", Value::Bare(&whose)),
                    Field::hidden("stream", Value::Bare(&stream)),
                    Field::hidden("output", Value::Bare(&text)),
                    Field::new("dropped_bytes", dropped.map_or(Value::Nothing, Value::Number)),
                    held_back,
                ],
            );
        }
    }

    /// A change command that is due and is not run, because of `dry_run`.
    pub(in crate::reactor) fn not_run(&self, run: RunId, command: &CommandLine) {
        let program = &command.program;
        self.say(
            Level::Info,
            run,
            "command-not-run",
            format_args!("change command would run (dry_run): {program}"),
            &[Field::hidden("program", Value::Bare(program))],
        );
    }

    /// What the change command finds in its environment.
    pub(in crate::reactor) fn environment(&self, change: &Change) -> Vec<(&'static str, String)> {
        let rule = &self.rules[change.run.rule.index()];
        let tables: Vec<&str> = rule.placement.tables.iter().map(|membership| &*membership.table).collect();
        let mut addresses = rule.placement.all_addresses();
        if addresses.is_empty() {
            addresses.extend(config::own_address(&rule.test));
        }
        let addresses: Vec<String> = addresses.iter().map(Prefix::to_string).collect();
        vec![
            ("HFM_RULE", rule.name.to_string()),
            ("HFM_STATE", change.to.word().to_owned()),
            ("HFM_PREVIOUS", change.from.word().to_owned()),
            ("HFM_REASON", change.verdict.reason().to_owned()),
            ("HFM_DETAIL", self.detail(&change.verdict, change.blame).to_string()),
            ("HFM_RUN", self.id(change.run).to_string()),
            ("HFM_TABLES", tables.join(" ")),
            ("HFM_ADDRESSES", addresses.join(" ")),
        ]
    }

    /// Something about a change command.
    pub(in crate::reactor) fn change_news(&self, run: RunId, news: &ChangeNews) {
        let error = |event, sentence: fmt::Arguments<'_>, fields: &[Field<'_>]| {
            self.say(Level::Error, run, event, sentence, fields);
        };
        match news {
            ChangeNews::Replaced { by } => self.say(
                Level::Warn,
                run,
                "command-replaced",
                format_args!("change command never started: a newer change replaced it"),
                &[Field::new("by", Value::Bare(&self.id(*by)))],
            ),
            ChangeNews::Beside => error(
                "command-beside",
                format_args!("change command starts beside its predecessor, which still runs after 10 s"),
                &[],
            ),
            ChangeNews::NotStarted(reason) => error(
                "command-not-started",
                format_args!("change command failed to start: {reason}"),
                &[Field::hidden("detail", Value::Bare(reason))],
            ),
            ChangeNews::Failed(ending) => error(
                "command-failed",
                format_args!("change command failed: {ending}"),
                &[Field::hidden("detail", Value::Bare(ending))],
            ),
            ChangeNews::TimedOut(limit) => error(
                "command-killed",
                format_args!("change command killed: it ran longer than change_timeout={}", Millis(*limit)),
                &[Field::hidden("change_timeout_ms", Value::Millis(*limit))],
            ),
        }
    }

    /// A process that overstays and cannot be ended.
    pub(in crate::reactor) fn not_signaled(&self, run: RunId, pid: u32, reason: &std::io::Error) {
        self.say(
            Level::Error,
            run,
            "not-signaled",
            format_args!("cannot signal process {pid}, which overstays: {reason}; end it by hand"),
            &[Field::hidden("pid", Value::Number(pid.into())), Field::hidden("detail", Value::Bare(reason))],
        );
    }

    /// The end of the commands thread.
    pub(in crate::reactor) fn finished(&self, still_running: usize) {
        if still_running == 0 {
            return;
        }
        let line = Line {
            event: "commands-left",
            sentence: format_args!(
                "{still_running} change commands still run after 10 s and are left to themselves"
            ),
            about: &[],
            fields: &[Field::hidden("commands", Value::count(still_running))],
        };
        line::tell(Level::Error, module_path!(), &line);
    }
}
