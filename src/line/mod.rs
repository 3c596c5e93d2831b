//! A line of the log, described once: a sentence and what it says as fields.
//!
//! The sentence with its ` key=value` tail, and the members of a JSON object, both come from one [`Line`].
//! It is handed on as a record of the `log` crate: its text is the whole line, its key-values are the fields.
//! Nothing is put together for a line that nobody wants. Text that is not ours needs no care here: the sink
//! makes every line harmless (see `harmless`).

mod harmless;

use std::fmt;
use std::time::Duration;

use log::kv::{self, Key, Source, VisitSource};
use log::{Level, Metadata, Record};

use crate::health::State;
use crate::rule::Prefix;
pub use harmless::{Harmless, Quoted, is_harmful};

/// The key under which the sentence travels, without its tail.
pub const MESSAGE: &str = "message";
/// The end of a key that is visited once for each element of a list; with null, for one that has none.
pub const LIST: &str = "[]";
/// Addresses named in one line at most.
const NAMED_MAX: usize = 20;

/// One event, as the log tells it.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// What kind of event it is, by a name that stays.
    pub event: &'static str,
    /// The words.
    pub sentence: fmt::Arguments<'a>,
    /// Whom it is about; the sentence says so already.
    pub about: &'a [Field<'a>],
    /// What else there is to say.
    pub fields: &'a [Field<'a>],
}

/// Something that a line says.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// Its name in the tail; empty when the sentence has it already.
    label: &'static str,
    /// Its name as a key-value.
    key: &'static str,
    value: Value<'a>,
}

/// What a field may be.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// The field is left out.
    Nothing,
    /// Text; in the tail as it is.
    Bare(&'a dyn fmt::Display),
    /// Text; in the tail between quotes.
    Quoted(&'a dyn fmt::Display),
    /// A number.
    Number(u64),
    /// A number that may be negative.
    Signed(i64),
    /// A time: milliseconds, to the microsecond.
    Millis(Duration),
    /// Yes or no.
    Truth(bool),
    /// A state: by hfm's name for it in the tail, by its word else.
    State(State),
    /// Addresses, of which the first 20 are named. The key ends in [`LIST`].
    Addresses(&'a [Prefix]),
}

impl<'a> Field<'a> {
    /// Of one name in the tail and as a key-value.
    pub const fn new(key: &'static str, value: Value<'a>) -> Self {
        Self { label: key, key, value }
    }

    /// With a name of its own in the tail.
    pub const fn named(label: &'static str, key: &'static str, value: Value<'a>) -> Self {
        Self { label, key, value }
    }

    /// Not in the tail: the sentence has it.
    pub const fn hidden(key: &'static str, value: Value<'a>) -> Self {
        Self { label: "", key, value }
    }
}

impl Value<'_> {
    /// A number of things.
    pub fn count(count: usize) -> Self {
        Self::Number(count as u64)
    }

    /// A time that may not be there.
    pub fn millis(time: Option<Duration>) -> Self {
        time.map_or(Self::Nothing, Self::Millis)
    }
}

/// Whether a line of this level, told by this module, goes to the log at all.
pub fn is_on(level: Level, module: &'static str) -> bool {
    level <= log::max_level()
        && log::logger().enabled(&Metadata::builder().level(level).target(module).build())
}

/// Tells the log, on behalf of a module.
pub fn tell(level: Level, module: &'static str, line: &Line<'_>) {
    if !is_on(level, module) {
        return;
    }
    let mut record = Record::builder();
    record.level(level).target(module).module_path_static(Some(module)).key_values(line);
    log::logger().log(&record.args(format_args!("{line}")).build());
}

impl fmt::Display for Line<'_> {
    /// The whole line of text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_fmt(self.sentence)?;
        for Field { label, key: _, value } in self.fields {
            if label.is_empty() || matches!(value, Value::Nothing) {
                continue;
            }
            write!(f, " {label}=")?;
            match value {
                Value::Nothing => {}
                Value::Bare(text) => text.fmt(f)?,
                Value::Quoted(text) => write!(f, "{:?}", text.to_string())?,
                Value::Number(number) => number.fmt(f)?,
                Value::Signed(number) => number.fmt(f)?,
                Value::Millis(time) => Millis(*time).fmt(f)?,
                Value::Truth(truth) => truth.fmt(f)?,
                Value::State(state) => state.fmt(f)?,
                Value::Addresses(addresses) => write!(f, "[{}]", Listed(addresses))?,
            }
        }
        Ok(())
    }
}

impl Source for Line<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        visitor.visit_pair(Key::from_str(MESSAGE), kv::Value::from_display(&self.sentence))?;
        visitor.visit_pair(Key::from_str("event"), kv::Value::from(self.event))?;
        for Field { label: _, key, value } in self.about.iter().chain(self.fields) {
            let key = Key::from_str(key);
            let value = match value {
                Value::Nothing => continue,
                Value::Bare(text) | Value::Quoted(text) => kv::Value::from_dyn_display(text),
                Value::Number(number) => kv::Value::from(*number),
                Value::Signed(number) => kv::Value::from(*number),
                Value::Millis(time) => kv::Value::from(time.as_micros() as f64 / 1000.0),
                Value::Truth(truth) => kv::Value::from(*truth),
                Value::State(state) => kv::Value::from(state.word()),
                Value::Addresses([]) => kv::Value::null(),
                Value::Addresses(addresses) => {
                    for address in addresses.iter().take(NAMED_MAX) {
                        visitor.visit_pair(key.clone(), kv::Value::from_display(address))?;
                    }
                    continue;
                }
            };
            visitor.visit_pair(key, value)?;
        }
        Ok(())
    }
}

/// A duration in milliseconds, to the microsecond.
#[derive(Clone, Copy, Debug)]
pub struct Millis(pub Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}ms", self.0.as_millis(), self.0.subsec_micros() % 1000)
    }
}

/// Addresses in one line, a bounded number of them.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a>(pub &'a [Prefix]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().take(NAMED_MAX).enumerate() {
            write!(f, "{}{address}", if index > 0 { " " } else { "" })?;
        }
        match self.0.len().checked_sub(NAMED_MAX) {
            Some(more @ 1..) => write!(f, " and {more} more"),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
