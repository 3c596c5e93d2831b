//! A line as one object of JSON: time, level and thread, the sentence, then the fields.

use std::fmt::Write as _;

use log::kv::{self, Key, Value, VisitSource, VisitValue};
use log::{Level, Record};

use crate::line::{LIST, MESSAGE, Quoted};

/// The object without its beginning, which is the time; see `logging`.
pub(super) fn rest(record: &Record<'_>, thread: Option<&str>) -> String {
    let level = match record.level() {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    let mut object = Members { out: format!("\"level\":\"{level}\""), list: None };
    if let Some(thread) = thread {
        let _ = write!(object.out, ",\"thread\":{}", Quoted(thread));
    }
    let fields = record.key_values();
    if fields.get(Key::from_str(MESSAGE)).is_none() {
        let _ = write!(object.out, ",\"message\":{}", Quoted(record.args()));
    }
    // A String takes everything.
    let _ = fields.visit(&mut object);
    object.end_list();
    object.out.push('}');
    object.out
}

/// The members of an object, as they come.
struct Members<'kvs> {
    out: String,
    /// The key of the list that is being written.
    list: Option<Key<'kvs>>,
}

impl Members<'_> {
    fn end_list(&mut self) {
        if self.list.take().is_some() {
            self.out.push(']');
        }
    }
}

impl<'kvs> VisitSource<'kvs> for Members<'kvs> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        if self.list.as_ref() == Some(&key) {
            self.out.push(',');
            return value.visit(Scalar(&mut self.out));
        }
        self.end_list();
        match key.as_str().strip_suffix(LIST) {
            None => {
                write!(self.out, ",{}:", Quoted(key.as_str()))?;
                value.visit(Scalar(&mut self.out))
            }
            Some(name) => {
                write!(self.out, ",{}:[", Quoted(name))?;
                self.list = Some(key);
                value.visit(Element(Scalar(&mut self.out)))
            }
        }
    }
}

/// Writes one value.
struct Scalar<'a>(&'a mut String);

impl<'v> VisitValue<'v> for Scalar<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        Ok(write!(self.0, "{}", Quoted(value))?)
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        Ok(write!(self.0, "{value}")?)
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        Ok(write!(self.0, "{value}")?)
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        if value.is_finite() { Ok(write!(self.0, "{value}")?) } else { self.visit_null() }
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        Ok(write!(self.0, "{value}")?)
    }
}

/// Writes the first element of a list, of which null says that there is none.
struct Element<'a>(Scalar<'a>);

impl<'v> VisitValue<'v> for Element<'_> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0.visit_any(value)
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0.visit_u64(value)
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0.visit_i64(value)
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0.visit_f64(value)
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0.visit_bool(value)
    }
}
