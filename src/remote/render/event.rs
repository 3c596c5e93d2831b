//! An event, as a line: when, what, the sentence, then what else there is to say.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::super::times::{Local, parse};
use crate::line::Harmless;

/// How wide the names of most events are.
const EVENT_WIDTH: usize = 12;
/// Members that have a place of their own, or that the sentence has.
const SAID: &[&str] =
    &["type", "time", "level", "thread", "message", "event", "rule", "run", "table", "state"];

/// A line of the protocol as one of text; nothing for a line that is no event.
pub(super) fn text(line: &str) -> String {
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(line) else { return String::new() };
    let member = |name: &str| members.get(name).and_then(Value::as_str);
    if member("type") != Some("event") {
        return String::new();
    }
    let time = member("time").unwrap_or_default();
    let time = parse(time).map_or_else(|| time.to_owned(), |at| Local(at).to_string());
    let mut message = member("message").unwrap_or_default().to_owned();
    if let Some(run) = member("run") {
        // It says little to people, and a lot of it.
        message = message.replacen(&format!(" run {run}"), "", 1);
    }
    let about = ["rule", "table"].into_iter().find_map(member);
    let about =
        about.filter(|about| !message.contains(about)).map_or_else(String::new, |about| format!("{about}: "));
    let event = member("event").or(member("level")).unwrap_or_default();
    let mut out = format!("{time} {event:<EVENT_WIDTH$} {about}{message}");
    for (name, value) in members.iter().filter(|(name, _)| !SAID.contains(&&***name)) {
        // Texts in quotes, numbers and lists as JSON has them: one line each.
        let _ = match value.as_str().filter(|text| is_word(text)) {
            Some(word) => write!(out, " {name}={word}"),
            None => write!(out, " {name}={value}"),
        };
    }
    format!("{}\n", Harmless(out))
}

/// Whether a text needs no quotes.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\\' | '='))
}
