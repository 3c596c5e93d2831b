//! The properties of one section as written: each with its place, none inherited yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::diagnose::{Diagnostic, Problems};
use super::given::Given;
use super::properties::{self, Key, PROPERTIES, Setting};
use crate::rule::Status;
use crate::ucl::Span;

/// Something that was written, and where.
#[derive(Clone, Debug)]
pub(super) struct Written<T> {
    /// What.
    pub(super) value: T,
    /// The property's name in the file.
    pub(super) key: Span,
}

/// The name of another rule, as written in a list.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// The name.
    pub(super) name: Box<str>,
    /// Where it stands.
    pub(super) span: Span,
}

impl PartialEq for Mention {
    /// Two mentions are alike when they name the same rule, wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Everything that a section may set. `None`: not written there.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) status: Option<Written<Status>>,
    pub(super) test: Option<Written<Box<str>>>,
    pub(super) test_arguments: Option<Written<Vec<Box<str>>>>,
    pub(super) start_delay: Option<Written<Duration>>,
    pub(super) runs: Option<Written<u16>>,
    pub(super) interval: Option<Written<Duration>>,
    pub(super) interval_fail: Option<Written<Duration>>,
    pub(super) timeout_int: Option<Written<Duration>>,
    pub(super) timeout_kill: Option<Written<Duration>>,
    pub(super) change_success: Option<Written<Box<str>>>,
    pub(super) change_success_arguments: Option<Written<Vec<Box<str>>>>,
    pub(super) change_success_debounce: Option<Written<u16>>,
    pub(super) change_fail: Option<Written<Box<str>>>,
    pub(super) change_fail_arguments: Option<Written<Vec<Box<str>>>>,
    pub(super) change_fail_debounce: Option<Written<u16>>,
    pub(super) change_fail_reset: Option<Written<u16>>,
    pub(super) hold_down: Option<Written<Duration>>,
    pub(super) hold_down_max: Option<Written<Duration>>,
    pub(super) requires: Option<Written<Vec<Mention>>>,
    pub(super) guard: Option<Written<Vec<Mention>>>,
    pub(super) spread: Option<Written<bool>>,
    pub(super) change_timeout: Option<Written<Duration>>,
    pub(super) change_max: Option<Written<u16>>,
    /// Everything that has no field of its own.
    pub(super) given: BTreeMap<Setting, Written<Given>>,
    /// What was written and refused, so that nothing more is said of its absence.
    pub(super) refused: Vec<Key>,
}

impl Settings {
    /// Takes in what a further section of the same name says. Two values for one property are an error.
    pub(super) fn merge(&mut self, more: Self, name: &Arc<str>, problems: &mut Problems) {
        let mut merge = Merge { name, problems };
        merge.one(Key::Status, &mut self.status, more.status);
        merge.one(Key::Test, &mut self.test, more.test);
        merge.one(Key::TestArguments, &mut self.test_arguments, more.test_arguments);
        merge.one(Key::StartDelay, &mut self.start_delay, more.start_delay);
        merge.one(Key::Runs, &mut self.runs, more.runs);
        merge.one(Key::Interval, &mut self.interval, more.interval);
        merge.one(Key::IntervalFail, &mut self.interval_fail, more.interval_fail);
        merge.one(Key::TimeoutInt, &mut self.timeout_int, more.timeout_int);
        merge.one(Key::TimeoutKill, &mut self.timeout_kill, more.timeout_kill);
        merge.one(Key::ChangeSuccess, &mut self.change_success, more.change_success);
        merge.one(
            Key::ChangeSuccessArguments,
            &mut self.change_success_arguments,
            more.change_success_arguments,
        );
        merge.one(
            Key::ChangeSuccessDebounce,
            &mut self.change_success_debounce,
            more.change_success_debounce,
        );
        merge.one(Key::ChangeFail, &mut self.change_fail, more.change_fail);
        merge.one(Key::ChangeFailArguments, &mut self.change_fail_arguments, more.change_fail_arguments);
        merge.one(Key::ChangeFailDebounce, &mut self.change_fail_debounce, more.change_fail_debounce);
        merge.one(Key::ChangeFailReset, &mut self.change_fail_reset, more.change_fail_reset);
        merge.one(Key::HoldDown, &mut self.hold_down, more.hold_down);
        merge.one(Key::HoldDownMax, &mut self.hold_down_max, more.hold_down_max);
        merge.one(Key::Requires, &mut self.requires, more.requires);
        merge.one(Key::Guard, &mut self.guard, more.guard);
        merge.one(Key::Spread, &mut self.spread, more.spread);
        merge.one(Key::ChangeTimeout, &mut self.change_timeout, more.change_timeout);
        merge.one(Key::ChangeMax, &mut self.change_max, more.change_max);
        for (setting, from) in more.given {
            match self.given.entry(setting) {
                Entry::Vacant(slot) => drop(slot.insert(from)),
                Entry::Occupied(first) => merge.compare(Key::Setting(setting), first.get(), &from),
            }
        }
        self.refused.extend(more.refused);
    }

    /// Whether anything is written at all.
    pub(super) fn is_any_written(&self) -> bool {
        PROPERTIES.iter().any(|property| self.place(property.key).is_some())
    }

    /// Where the property of this key is written, if it is.
    pub(super) fn place(&self, key: Key) -> Option<Span> {
        fn place<T>(slot: &Option<Written<T>>) -> Option<Span> {
            slot.as_ref().map(|written| written.key)
        }
        match key {
            Key::Status => place(&self.status),
            Key::Test => place(&self.test),
            Key::TestArguments => place(&self.test_arguments),
            Key::StartDelay => place(&self.start_delay),
            Key::Runs => place(&self.runs),
            Key::Interval => place(&self.interval),
            Key::IntervalFail => place(&self.interval_fail),
            Key::TimeoutInt => place(&self.timeout_int),
            Key::TimeoutKill => place(&self.timeout_kill),
            Key::ChangeSuccess => place(&self.change_success),
            Key::ChangeSuccessArguments => place(&self.change_success_arguments),
            Key::ChangeSuccessDebounce => place(&self.change_success_debounce),
            Key::ChangeFail => place(&self.change_fail),
            Key::ChangeFailArguments => place(&self.change_fail_arguments),
            Key::ChangeFailDebounce => place(&self.change_fail_debounce),
            Key::ChangeFailReset => place(&self.change_fail_reset),
            Key::HoldDown => place(&self.hold_down),
            Key::HoldDownMax => place(&self.hold_down_max),
            Key::Requires => place(&self.requires),
            Key::Guard => place(&self.guard),
            Key::Spread => place(&self.spread),
            Key::ChangeTimeout => place(&self.change_timeout),
            Key::ChangeMax => place(&self.change_max),
            Key::Setting(setting) => self.given.get(&setting).map(|written| written.key),
        }
    }
}

struct Merge<'a> {
    name: &'a Arc<str>,
    problems: &'a mut Problems,
}

impl Merge<'_> {
    fn one<T: PartialEq>(&mut self, key: Key, into: &mut Option<Written<T>>, from: Option<Written<T>>) {
        let Some(from) = from else {
            return;
        };
        match into {
            Some(first) => self.compare(key, first, &from),
            None => *into = Some(from),
        }
    }

    fn compare<T: PartialEq>(&mut self, key: Key, first: &Written<T>, from: &Written<T>) {
        if first.value != from.value {
            let message = format!("sections of the same name give '{}' different values", name_of(key));
            self.problems.push(
                Diagnostic::error(from.key, self.name, message)
                    .note(first.key, "the other value is here")
                    .help(
                        "sections of one name count as one: keep one of the two, or name the sections apart",
                    ),
            );
        }
    }
}

/// The property's name.
pub(super) fn name_of(key: Key) -> &'static str {
    properties::of(key).map_or("", |property| property.name)
}
