//! Answers as people read them: lines of the protocol in, text out. Pure: no clock, no terminal.
//!
//! Whatever a line says of others (a name, a detail that a server under test chose) is made harmless first.

mod changes;
mod event;
mod rule;
mod stats;
mod status;
mod tables;

use super::command_line::Form;
use super::view::View;
use crate::control::protocol::{AddressRow, Reply, Request, RuleRow, TableRow};
use crate::line::{Harmless, is_harmful};

/// Puts an answer together.
#[derive(Debug)]
pub(super) struct Renderer {
    what: What,
    form: Form,
    view: View,
    rules: Vec<RuleRow>,
    tables: Vec<(TableRow, Vec<AddressRow>)>,
}

/// What is being answered.
#[derive(Debug)]
enum What {
    Status {
        asked: Option<String>,
    },
    Tables,
    /// Something whose lines say all.
    Lines,
    /// Something of which the last line is to be told.
    Deed,
}

/// What is to be printed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// To stdout.
    pub(super) out: String,
    /// To stderr.
    pub(super) complaint: String,
}

impl Told {
    fn out(out: String) -> Self {
        Self { out, complaint: String::new() }
    }

    fn complaint(complaint: String) -> Self {
        Self { out: String::new(), complaint }
    }
}

impl Renderer {
    /// For the answer to a request.
    pub(super) fn new(request: &Request, form: Form, view: View) -> Self {
        let what = match request {
            Request::Status { rules } => What::Status { asked: rules.clone() },
            Request::Tables { .. } => What::Tables,
            Request::Run { .. } | Request::Events {} | Request::Stats {} => What::Lines,
            Request::Drain { .. }
            | Request::Disable { .. }
            | Request::Enable { .. }
            | Request::Set { .. }
            | Request::Reload {}
            | Request::Reconcile {}
            | Request::Log { .. }
            | Request::Stop {} => What::Deed,
        };
        Self { what, form, view, rules: Vec::new(), tables: Vec::new() }
    }

    /// Takes a line, as it came and as it was read. `now` is in seconds since 1970.
    pub(super) fn take(&mut self, line: &str, reply: Reply, now: f64) -> Told {
        match self.form {
            Form::Json => Told::out(printable(line) + "\n"),
            Form::Names => Told::out(self.name(reply)),
            Form::Text => self.text(line, reply, now),
        }
    }

    /// How rules stand, in so many lines.
    pub(super) fn excerpt(&self, now: f64, view: View, lines: usize) -> String {
        match self.rule_in_full() {
            Some(row) => rule::text(row, now),
            None => status::excerpt(&self.rules, now, view, lines),
        }
    }

    /// The only rule, if it was asked for by its name.
    fn rule_in_full(&self) -> Option<&RuleRow> {
        match (&self.what, &*self.rules) {
            (What::Status { asked }, [row]) => Some(row).filter(|row| asked.as_ref() == Some(&row.rule)),
            (What::Status { .. } | What::Tables | What::Lines | What::Deed, _) => None,
        }
    }

    fn name(&self, reply: Reply) -> String {
        let name = match (&self.what, reply) {
            (What::Status { .. }, Reply::Rule(row)) => row.rule,
            (What::Tables, Reply::Table(row)) => row.table,
            (What::Status { .. } | What::Tables | What::Lines | What::Deed, _) => return String::new(),
        };
        // Made harmless it would be another name.
        if name.contains(is_harmful) { String::new() } else { name + "\n" }
    }

    fn text(&mut self, line: &str, reply: Reply, now: f64) -> Told {
        match reply {
            Reply::Rule(row) => self.rules.push(*row),
            Reply::Table(row) => self.tables.push((row, Vec::new())),
            Reply::Address(row) => {
                if let Some((_, addresses)) = self.tables.last_mut() {
                    addresses.push(row);
                }
            }
            Reply::Changed { rule, set, note } => {
                return Told::out(changes::changed(&rule, set.as_ref(), note.as_deref(), now));
            }
            Reply::Verdict(row) => return Told::out(changes::verdict(&row)),
            Reply::Stats(row) => return Told::out(stats::text(&row, now)),
            Reply::Missed { count } => {
                return Told::complaint(format!("hfmctl: {count} events were lost: they came too fast\n"));
            }
            Reply::Warning { text } => {
                return Told::complaint(format!("hfmctl: warning: {}\n", Harmless(text)));
            }
            Reply::Done { text } => return Told::out(self.done(&text, now)),
            Reply::Refused { text, details } => return Told::complaint(refused(&text, &details)),
            Reply::Other => return Told::out(event::text(line)),
        }
        Told::default()
    }

    /// The end of an answer.
    fn done(&self, text: &str, now: f64) -> String {
        match &self.what {
            What::Status { .. } => match self.rule_in_full() {
                Some(row) => rule::text(row, now),
                None => status::table(&self.rules, now, self.view),
            },
            What::Tables => tables::text(&self.tables, now, self.view),
            What::Lines => String::new(),
            What::Deed => format!("{}\n", Harmless(text)),
        }
    }
}

/// Why a request was not carried out; details on lines of their own, as they were laid out.
fn refused(text: &str, details: &[String]) -> String {
    let details = details.iter().flat_map(|detail| detail.lines());
    let details: String = details.map(|line| format!("{}\n", Harmless(line))).collect();
    format!("hfmctl: refused: {}\n{details}", Harmless(text))
}

/// A line of JSON that means the same, without a character that does anything to a terminal.
///
/// Of the harmful characters only those below the blank may stand outside strings, and these in no string
/// (RFC 8259 section 2 and 7): there they are blanks.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\0'..' ' => out.push(' '),
            _ if is_harmful(character) => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests;
