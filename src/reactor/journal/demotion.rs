//! What is told of the demotion counter.

use std::collections::BTreeMap;
use std::fmt;

use log::Level;

use super::Journal;
use super::own::tell;
use crate::line::{Field, Harmless, Value};
use crate::reactor::demotion::Demoted;

/// Shares that are named in one line at most.
const NAMED_MAX: usize = 20;

impl Journal {
    /// What was left by the hfm before is in the counter, and is kept until it is known better.
    pub(in crate::reactor) fn demotion_adopted(&self, total: u16, shares: &BTreeMap<String, u8>) {
        let fields = [Field::new("total", Value::Number(total.into()))];
        let sentence = format_args!("demotion: took over what the hfm before has added, {}", Named(shares));
        tell(Level::Info, "demotion-adopted", sentence, &fields);
    }

    /// Something has become of it.
    pub(in crate::reactor) fn demoted(&self, what: &Demoted) {
        match what {
            Demoted::Done { from, to, shares } => {
                let sentence = format_args!("demotion changes from {from} to {to}: {}", Named(shares));
                told(Level::Warn, "demotion", sentence, *from, *to);
            }
            Demoted::Would { from, to, shares } => {
                let sentence =
                    format_args!("dry run: demotion would change from {from} to {to}: {}", Named(shares));
                told(Level::Info, "demotion-not-changed", sentence, *from, *to);
            }
            Demoted::Failed { total, why, pause } => {
                let fields = [
                    Field::hidden("total", Value::Number((*total).into())),
                    Field::hidden("detail", Value::Bare(why)),
                ];
                let sentence = format_args!(
                    "demotion: cannot write it, {total} stays: {}; trying again in {} s",
                    Harmless(why),
                    pause.as_secs()
                );
                tell(Level::Error, "demotion-failed", sentence, &fields);
            }
            Demoted::Again => {
                tell(Level::Info, "demotion-recovered", format_args!("demotion: it is written again"), &[]);
            }
            Demoted::Released { from } => {
                let sentence = format_args!("demotion changes from {from} to 0: all is taken back");
                told(Level::Info, "demotion", sentence, *from, 0);
            }
            Demoted::Lost { total, why } => {
                let fields = [
                    Field::hidden("total", Value::Number((*total).into())),
                    Field::hidden("detail", Value::Bare(why)),
                ];
                let sentence = format_args!(
                    "demotion: its helper process is gone ({}); {total} stays in the counter whatever rules say, until \
                     hfm is restarted",
                    Harmless(why)
                );
                tell(Level::Error, "demotion-lost", sentence, &fields);
            }
        }
    }
}

fn told(level: Level, event: &'static str, sentence: fmt::Arguments<'_>, from: u16, to: u16) {
    let fields =
        [Field::hidden("from", Value::Number(from.into())), Field::hidden("to", Value::Number(to.into()))];
    tell(level, event, sentence, &fields);
}

/// Shares by the names of their rules, a bounded number of them.
struct Named<'a>(&'a BTreeMap<String, u8>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no rule is failed");
        }
        for (number, (rule, share)) in self.0.iter().take(NAMED_MAX).enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{share} by '{}'", rule.escape_debug())?;
        }
        match self.0.len().saturating_sub(NAMED_MAX) {
            0 => Ok(()),
            more => write!(f, ", and by {more} more"),
        }
    }
}
