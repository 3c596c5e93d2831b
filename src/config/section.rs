//! One section's properties: each key looked up in the table, each value judged, repetitions settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnose::{Diagnostic, Problems};
use super::given::Given;
use super::properties::{self, Key, Origin, PROPERTIES, Property, Scope, Setting, Takes};
use super::raw::Level;
use super::render::{clipped, quoted};
use super::settings::{Mention, Settings, Written};
use super::typed::Judge;
use crate::nearest::nearest;
use crate::ucl::{Entry, Item, Kind, Object, Sources, Span};

/// Properties that one unknown name may have meant at most; more would not help.
const MEANT_MAX: usize = 4;

/// What other programs call it, and what does it here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["fall", "retry", "retries"],
        "it is 'change_fail_debounce': failures in a row, the first one included",
    ),
    (&["rise"], "it is 'change_success_debounce': successes in a row, the first one included"),
    (
        &["inter", "delay_loop", "check_interval"],
        "it is 'interval', from the start of a run to the start of the next",
    ),
    (&["fastinter", "delay_before_retry"], "it is 'interval_debounce'"),
    (&["downinter"], "it is 'interval_fail'"),
    (&["port"], "it stands in 'test', as in \"tcp://192.0.2.1:80\"; 'connect' takes another one"),
    (&["url", "uri", "check", "address", "host"], "it stands in 'test', as in \"http://192.0.2.1/up\""),
    (&["status_code", "expect_status"], "it is 'http_status'"),
    (&["connect_timeout", "check_timeout"], "it is 'timeout', of a whole run"),
];

/// Reads the properties of one section. Everything wrong with them goes to `problems`.
pub(super) fn read(
    sources: &Sources,
    problems: &mut Problems,
    name: &Arc<str>,
    level: Level,
    object: &Object,
) -> Settings {
    let is_rule = test_place(object).is_some();
    let mut section =
        Section { sources, problems, name, level, is_rule, settings: Settings::default(), seen: Vec::new() };
    for entry in &object.entries {
        section.entry(entry);
    }
    section.settings
}

/// Where the section says `test`, which makes it a rule. An object named `test` is a section like any other.
pub(super) fn test_place(object: &Object) -> Option<Span> {
    let tests = object.entries.iter().filter(|entry| entry.key.eq_ignore_ascii_case("test"));
    tests.flat_map(properties_of).next().map(|item| item.key_span)
}

/// The items of an entry that are no sections.
fn properties_of(entry: &Entry) -> impl Iterator<Item = &Item> {
    entry.items.iter().filter(|item| !matches!(item.value.kind, Kind::Object(_)))
}

struct Section<'a> {
    sources: &'a Sources,
    problems: &'a mut Problems,
    name: &'a Arc<str>,
    level: Level,
    /// It says `test`.
    is_rule: bool,
    settings: Settings,
    /// The properties met so far.
    seen: Vec<(&'static str, Span)>,
}

impl Section<'_> {
    fn entry(&mut self, entry: &Entry) {
        let mut items = properties_of(entry);
        let Some(first) = items.next() else {
            return;
        };
        let Some(property) = properties::find(&entry.key) else {
            self.unknown(&entry.key, first);
            items.for_each(|item| self.unknown(&entry.key, item));
            return;
        };
        let key = property.key;
        if property.scope == Scope::Root && self.level != Level::Root {
            let message = format!("'{}' may stand at the root of the file only", property.name);
            let help = format!("it concerns the whole program: move it out of {}", quoted(self.name));
            self.error(first.key_span, message, Some(help));
            return;
        }
        let earlier = self.seen.iter().find(|(name, _)| *name == property.name).map(|(_, span)| *span);
        self.seen.push((property.name, first.key_span));
        match (property.origin, property.takes) {
            (Origin::Hfm, _) => self.hfm(property, key, earlier, first, items),
            (Origin::Ours, Takes::RuleNames | Takes::Texts) => {
                self.value(property, key, first);
                items.for_each(|item| self.value(property, key, item));
            }
            (Origin::Ours, _) => self.ours(property, key, earlier, first, items),
        }
    }

    /// hfm takes the first of several; of several spellings that differ in letter case, the last.
    fn hfm<'i>(
        &mut self,
        property: &'static Property,
        key: Key,
        earlier: Option<Span>,
        first: &Item,
        more: impl Iterator<Item = &'i Item>,
    ) {
        if let Some(earlier) = earlier {
            let message =
                format!("'{}' was given before in other letter case; this one counts", property.name);
            self.repeated(Diagnostic::warning(first.key_span, self.name, message), earlier);
        }
        self.value(property, key, first);
        for item in more {
            let message = format!("'{}' is given twice; the first one counts, as in hfm", property.name);
            self.repeated(Diagnostic::warning(item.key_span, self.name, message), first.key_span);
        }
    }

    /// A scalar of ours may be given once.
    fn ours<'i>(
        &mut self,
        property: &'static Property,
        key: Key,
        earlier: Option<Span>,
        first: &Item,
        more: impl Iterator<Item = &'i Item>,
    ) {
        let message = format!("'{}' is given twice", property.name);
        match earlier {
            Some(earlier) => {
                self.repeated(Diagnostic::error(first.key_span, self.name, message.clone()), earlier);
            }
            None => self.value(property, key, first),
        }
        for item in more {
            let place = earlier.unwrap_or(first.key_span);
            self.repeated(Diagnostic::error(item.key_span, self.name, message.clone()), place);
        }
    }

    fn repeated(&mut self, diagnostic: Diagnostic, first: Span) {
        self.problems
            .push(diagnostic.note(first, "it was given here first").help("take one of the two away"));
    }

    /// Judges one value and keeps it.
    fn value(&mut self, property: &'static Property, key: Key, item: &Item) {
        let value = &item.value;
        let place = item.key_span;
        let errors = self.problems.errors();
        let mut judge =
            Judge { sources: self.sources, problems: &mut *self.problems, rule: self.name, property };
        let judge = &mut judge;
        let settings = &mut self.settings;
        match key {
            Key::Status => put(&mut settings.status, place, judge.status(value)),
            Key::Test => put(&mut settings.test, place, judge.test(value)),
            Key::TestArguments => put(&mut settings.test_arguments, place, judge.texts(value)),
            Key::StartDelay => put(&mut settings.start_delay, place, judge.interval(value)),
            Key::Runs => put(&mut settings.runs, place, judge.integer(value)),
            Key::Interval => put(&mut settings.interval, place, judge.interval(value)),
            Key::IntervalFail => put(&mut settings.interval_fail, place, judge.interval(value)),
            Key::TimeoutInt => put(&mut settings.timeout_int, place, judge.interval(value)),
            Key::TimeoutKill => put(&mut settings.timeout_kill, place, judge.interval(value)),
            Key::ChangeSuccess => put(&mut settings.change_success, place, judge.program(value)),
            Key::ChangeSuccessArguments => {
                put(&mut settings.change_success_arguments, place, judge.texts(value));
            }
            Key::ChangeSuccessDebounce => {
                put(&mut settings.change_success_debounce, place, judge.integer(value));
            }
            Key::ChangeFail => put(&mut settings.change_fail, place, judge.program(value)),
            Key::ChangeFailArguments => put(&mut settings.change_fail_arguments, place, judge.texts(value)),
            Key::ChangeFailDebounce => put(&mut settings.change_fail_debounce, place, judge.integer(value)),
            Key::ChangeFailReset => put(&mut settings.change_fail_reset, place, judge.integer(value)),
            Key::HoldDown => put(&mut settings.hold_down, place, judge.interval(value)),
            Key::HoldDownMax => put(&mut settings.hold_down_max, place, judge.interval(value)),
            Key::Requires => add(&mut settings.requires, place, judge.mentions(value)),
            Key::Guard => add(&mut settings.guard, place, judge.mentions(value)),
            Key::Spread => put(&mut settings.spread, place, judge.boolean(value)),
            Key::ChangeTimeout => put(&mut settings.change_timeout, place, judge.interval(value)),
            Key::ChangeMax => put(&mut settings.change_max, place, judge.integer(value)),
            Key::Setting(setting) => {
                keep(&mut settings.given, setting, place, judge.given(setting, value));
            }
        }
        if self.problems.errors() > errors {
            self.settings.refused.push(key);
        }
    }

    /// A key that is no property, with a value that is no section.
    fn unknown(&mut self, key: &str, item: &Item) {
        if !self.problems.keeps_errors() {
            self.error(item.key_span, String::new(), None);
            return;
        }
        if let Kind::Array(values) = &item.value.kind
            && values.iter().any(|value| matches!(value.kind, Kind::Object(_)))
        {
            let message = format!("{} is an array of sections", quoted(key));
            let name = clipped(key);
            let help = format!(
                "repeat the section instead, with rules of different names: {name} {{ ... }} {name} {{ ... }}"
            );
            self.error(item.key_span, message, Some(help));
            return;
        }
        let near = nearest(key, PROPERTIES.iter().map(|property| property.name)).and_then(properties::find);
        // It was meant to be there.
        self.settings.refused.extend(near.map(|property| property.key));
        let help = match near {
            Some(property) => format!("did you mean '{}'?", property.name),
            None => meant(key, self.level, self.is_rule),
        };
        self.error(item.key_span, format!("unknown property {}", quoted(key)), Some(help));
    }

    fn error(&mut self, span: Span, message: String, help: Option<String>) {
        self.problems.push(Diagnostic::error(span, self.name, message).help_if(help));
    }
}

fn put<T>(slot: &mut Option<Written<T>>, key: Span, value: Option<T>) {
    if let Some(value) = value {
        *slot = Some(Written { value, key });
    }
}

/// Lists add up.
fn add(slot: &mut Option<Written<Vec<Mention>>>, key: Span, value: Option<Vec<Mention>>) {
    let Some(value) = value else {
        return;
    };
    match slot {
        Some(list) => list.value.extend(value),
        None => *slot = Some(Written { value, key }),
    }
}

/// The same for what has no field of its own.
fn keep(kept: &mut BTreeMap<Setting, Written<Given>>, setting: Setting, key: Span, value: Option<Given>) {
    match (kept.get_mut(&setting).map(|written| &mut written.value), value) {
        (Some(Given::Texts(list)), Some(Given::Texts(more))) => list.extend(more),
        (_, Some(value)) => drop(kept.insert(setting, Written { value, key })),
        (_, None) => {}
    }
}

/// What the writer of an unknown property may have meant that is not nearly the name of one.
fn meant(key: &str, level: Level, is_rule: bool) -> String {
    let elsewhere =
        ELSEWHERE.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(key)));
    if let Some((_, help)) = elsewhere {
        return (*help).to_owned();
    }
    let key_lower = key.to_ascii_lowercase();
    let parts = PROPERTIES.iter().filter(|property| {
        let name = property.name;
        let (before, after) = (name.strip_prefix(&key_lower), name.strip_suffix(&key_lower));
        before.is_some_and(|rest| rest.starts_with('_')) || after.is_some_and(|rest| rest.ends_with('_'))
    });
    let parts: Vec<_> = parts.map(|property| quoted(property.name)).collect();
    if (1..=MEANT_MAX).contains(&parts.len()) {
        return format!("did you mean {}?", parts.join(" or "));
    }
    match level {
        Level::Root | Level::Group if !is_rule => {
            format!("a group or a rule is a section: {} {{ ... }}", clipped(key))
        }
        Level::Root | Level::Group | Level::Rule => "no property is like it".to_owned(),
    }
}
