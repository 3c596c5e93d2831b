//! What is told of this process itself.

use std::fmt;
use std::time::Duration;

use log::Level;

use super::Journal;
use crate::config::Report;
use crate::line::{self, Field, Line, Value};
use crate::reactor::load::{CPU_FULL_PERCENT, Figures, Said};
use crate::reactor::reload::Counts;
use crate::reactor::shortage;
use crate::verdict::Verdict;

impl Journal {
    /// It was asked to end.
    pub(in crate::reactor) fn stopping(&self, signal: &str) {
        let fields = [Field::hidden("signal", Value::Bare(&signal))];
        tell(Level::Info, "stopping", format_args!("{signal}: stopping"), &fields);
    }

    /// It was asked again, while it was ending.
    pub(in crate::reactor) fn stopping_at_once(&self, signal: &str) {
        let fields = [Field::hidden("signal", Value::Bare(&signal))];
        tell(Level::Warn, "stopping-at-once", format_args!("second {signal}: exiting at once"), &fields);
    }

    /// The configuration is read again.
    pub(in crate::reactor) fn reloading(&self, by: &str) {
        let fields = [Field::hidden("by", Value::Bare(&by))];
        tell(Level::Info, "reloading", format_args!("{by}: reading the configuration again"), &fields);
    }

    /// There is nothing to reload from.
    pub(in crate::reactor) fn nothing_to_reload(&self) {
        tell(Level::Error, "reload-refused", format_args!("there is no file to read again"), &[]);
    }

    /// The new configuration has errors, each with its place; nothing changes.
    pub(in crate::reactor) fn bad_configuration(&self, report: &Report) {
        self.report(Level::Error, report);
        let errors = report.total();
        let fields = [Field::new("errors", Value::count(errors))];
        tell(Level::Error, "reload-refused", format_args!("reload refused, nothing changes:"), &fields);
    }

    /// Another reason why nothing changes.
    pub(in crate::reactor) fn reload_refused(&self, why: fmt::Arguments<'_>) {
        let fields = [Field::hidden("detail", Value::Bare(&why))];
        tell(Level::Error, "reload-refused", format_args!("reload refused, nothing changes: {why}"), &fields);
    }

    /// What there is to say of a configuration, a line for each finding.
    pub(in crate::reactor) fn report(&self, level: Level, report: &Report) {
        for line in report.headlines() {
            tell(level, "configuration", format_args!("{line}"), &[]);
        }
    }

    /// Another configuration counts now.
    pub(in crate::reactor) fn reloaded(&self, counts: &Counts, took: Duration) {
        let Counts { kept, adjusted, changed, new, gone } = counts;
        let rules = counts.rules();
        let fields = [
            Field::new("rules", Value::count(rules)),
            Field::new("kept", Value::count(*kept)),
            Field::new("adjusted", Value::count(*adjusted)),
            Field::new("changed", Value::count(*changed)),
            Field::new("new", Value::count(*new)),
            Field::new("gone", Value::count(*gone)),
            Field::new("took_us", Value::Number(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))),
        ];
        tell(Level::Info, "reloaded", format_args!("reloaded"), &fields);
        if rules == 0 {
            let sentence = "there is no rule any more: nothing is tested, and tables are left as they are";
            tell(Level::Warn, "no-rules", format_args!("{sentence}"), &[]);
        }
    }

    /// It cannot keep up with its rules, or can again.
    pub(in crate::reactor) fn load(&self, said: &Said) {
        match said {
            Said::TooMuch(Figures { missed, runs, over, had_cpu }) => {
                let advice = if *had_cpu >= CPU_FULL_PERCENT {
                    "the rules are more than one core can do: lengthen intervals, or share them among several hfm"
                } else {
                    "other programs have the processor: give it a core of its own, or precedence"
                };
                let sentence = format_args!(
                    "cannot keep up: {missed} runs that were due in the last {over:?} did not begin, {runs} did; \
                     it had a processor for {had_cpu} % of that time; {advice}"
                );
                let fields = [
                    Field::hidden("missed_slots", Value::Number(*missed)),
                    Field::hidden("runs", Value::Number(*runs)),
                    Field::hidden("cpu_percent", Value::Number(*had_cpu)),
                ];
                tell(Level::Warn, "overloaded", sentence, &fields);
            }
            Said::KeepsUp { missed } => {
                let sentence =
                    format_args!("keeps up again: {missed} runs that were due did not begin meanwhile");
                let fields = [Field::hidden("missed_slots", Value::Number(*missed))];
                tell(Level::Info, "keeps-up", sentence, &fields);
            }
        }
    }

    /// The machine is short of something, or has enough of it again.
    pub(in crate::reactor) fn shortage(&self, said: &shortage::Said) {
        match said {
            shortage::Said::Short { of, first, rules } => {
                let (cause, name) = (of.cause(), self.name(*first));
                let reason = Verdict::Inconclusive(cause.clone()).reason();
                let fields = [
                    Field::new("reason", Value::Bare(&reason)),
                    Field::new("rules", Value::count(*rules)),
                    Field::new("first", Value::Bare(&name)),
                ];
                let sentence = format_args!("runs are inconclusive: {cause}");
                tell(Level::Warn, "shortage", sentence, &fields);
            }
            shortage::Said::Over { of, rules, lasted } => {
                let cause = of.cause();
                let reason = Verdict::Inconclusive(cause).reason();
                let fields = [
                    Field::new("reason", Value::Bare(&reason)),
                    Field::new("rules", Value::count(*rules)),
                    Field::named("lasted", "lasted_ms", Value::Millis(*lasted)),
                ];
                let sentence = format_args!("no run is inconclusive any more for want of {}", of.what());
                tell(Level::Info, "shortage-over", sentence, &fields);
            }
        }
    }

    /// It ends by itself.
    pub(in crate::reactor) fn all_done(&self) {
        tell(Level::Info, "all-done", format_args!("every rule is done, ending"), &[]);
    }

    /// One of its threads does not end.
    pub(in crate::reactor) fn hangs(&self, name: &str, what: &str) {
        let sentence = format_args!("the {name} {what} does not answer, ending without it");
        tell(Level::Error, "thread-hangs", sentence, &[Field::hidden("of", Value::Bare(&name))]);
    }
}

pub(super) fn tell(level: Level, event: &'static str, sentence: fmt::Arguments<'_>, fields: &[Field<'_>]) {
    line::tell(level, module_path!(), &Line { event, sentence, about: &[], fields });
}
