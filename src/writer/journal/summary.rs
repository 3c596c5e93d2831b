//! How the tables stand, when a summary is asked for.

use std::fmt;
use std::time::Instant;

use log::Level;

use super::Journal;
use crate::line::{self, Field, Line, Value};
use crate::rule::{Member, Prefix};
use crate::writer::desired::{Desired, Why};
use crate::writer::kept::{Kept, Retry};

/// Addresses listed one by one at most.
const LISTED_MAX: usize = 200;

impl Journal {
    /// How every table stands, then every address that is not simply in because it is up.
    pub(in crate::writer) fn summary(
        &self,
        plane: &str,
        desired: &Desired,
        tables: &[Kept],
        retry: &Retry,
        now: Instant,
    ) {
        let dry = if self.dry_run { " dry_run" } else { "" };
        say(
            "summary-tables",
            format_args!("summary: dataplane={plane}{dry}"),
            &[
                Field::hidden("dataplane", Value::Bare(&plane)),
                Field::hidden("dry_run", Value::Truth(self.dry_run)),
                Field::new("tables", Value::count(tables.len())),
                trouble(retry),
            ],
        );
        let mut listed = 0;
        for (index, kept) in tables.iter().enumerate() {
            self.summary_of_table(desired, index, kept, now);
            listed += self.summary_of_members(desired, index, kept, LISTED_MAX.saturating_sub(listed));
        }
        if listed > LISTED_MAX {
            let more = listed - LISTED_MAX;
            say(
                "summary-more",
                format_args!("summary: {more} more addresses are not in because they are up"),
                &[Field::hidden("addresses", Value::count(more))],
            );
        }
    }

    fn summary_of_table(&self, desired: &Desired, index: usize, kept: &Kept, now: Instant) {
        let members = 0..self.tables[index].members.len();
        let fates: Vec<_> = members.filter_map(|member| desired.fate(index, member)).collect();
        let wanted = fates.iter().filter(|fate| fate.is_in).count();
        let held = fates.iter().filter(|fate| fate.why.is_held()).count();
        let (actual, others) = match &kept.contents {
            None => (Value::Bare(&"unknown"), Value::Bare(&"unknown")),
            Some(contents) => {
                let ours = |member: &&Member| contents.contains(&member.address);
                let ours = self.tables[index].members.iter().filter(ours).count();
                (Value::count(ours), Value::count(contents.len() - ours))
            }
        };
        let age = |at: Instant| format!("{:.1}s ago", now.saturating_duration_since(at).as_secs_f64());
        let written = kept.written_at.map_or_else(|| "never".to_owned(), age);
        let name = self.name(index);
        say(
            "summary-table",
            format_args!("summary: table '{name}'"),
            &[
                Field::hidden("table", Value::Bare(&name)),
                Field::new("managed", Value::count(self.tables[index].members.len())),
                Field::new("wanted", Value::count(wanted)),
                Field::new("actual", actual),
                Field::new("held", Value::count(held)),
                Field::new("leaving", Value::count(desired.leaving(index).len())),
                Field::new("others", others),
                Field::new("repairs", Value::Number(kept.repairs)),
                Field::new("written", Value::Quoted(&written)),
                trouble(&kept.retry),
            ],
        );
    }

    /// Lists up to `room` addresses; says how many there were to list.
    fn summary_of_members(&self, desired: &Desired, index: usize, kept: &Kept, room: usize) -> usize {
        let is_in = |address: Prefix| match &kept.contents {
            None => "unknown",
            Some(contents) if contents.contains(&address) => "in",
            Some(_) => "out",
        };
        let mut count = 0;
        for (number, member) in self.tables[index].members.iter().enumerate() {
            let fate = desired.fate(index, number);
            let (wanted, why) = match fate {
                None => ("unknown", "the table was not read yet"),
                Some(fate) => (if fate.is_in { "in" } else { "out" }, fate.why.words()),
            };
            let actual = is_in(member.address);
            if fate.is_some_and(|fate| fate.why == Why::Up) && actual == wanted {
                continue;
            }
            count += 1;
            if count <= room {
                self.summary_of_member(index, member.address, wanted, actual, why);
            }
        }
        for address in desired.leaving(index) {
            count += 1;
            if count <= room {
                let actual = is_in(*address);
                self.summary_of_member(index, *address, "out", actual, "no rule names it any more");
            }
        }
        count
    }

    fn summary_of_member(&self, index: usize, address: Prefix, wanted: &str, actual: &str, why: &str) {
        let name = self.name(index);
        say(
            "summary-address",
            format_args!("summary: table '{name}' {address}"),
            &[
                Field::hidden("table", Value::Bare(&name)),
                Field::hidden("address", Value::Bare(&address)),
                Field::new("wanted", Value::Bare(&wanted)),
                Field::new("actual", Value::Bare(&actual)),
                Field::new("why", Value::Quoted(&why)),
            ],
        );
    }
}

/// What is in the way, if anything is.
fn trouble(retry: &Retry) -> Field<'_> {
    Field::new("trouble", retry.error.as_ref().map_or(Value::Nothing, |error| Value::Quoted(error)))
}

fn say(event: &'static str, sentence: fmt::Arguments<'_>, fields: &[Field<'_>]) {
    line::tell(Level::Info, module_path!(), &Line { event, sentence, about: &[], fields });
}
