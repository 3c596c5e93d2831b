//! A rule as `/api/v1/status` tells of it.

use crate::control::protocol::RuleRow;
use crate::now::Now;
use crate::reactor::control::answer::Source;
use crate::reactor::control::rows;
use crate::rule::{RuleId, Test};
use crate::status::report::RuleReport;

/// How a rule stands, and what it has been through.
pub(super) fn report<'a>(source: &Source<'a>, id: RuleId, now: Now) -> RuleReport<'a> {
    let engine = source.engine;
    let rule = &engine.rules()[id.index()];
    let row: RuleRow = rows::row(engine, source.overrides, id, now);
    let test = match &rule.test {
        Test::Command { command, .. } => &*command.program,
        Test::Probe(probe) => &*probe.url,
    };
    RuleReport {
        row,
        test,
        interval_ms: rule.interval.as_secs_f64() * 1e3,
        recent_us: Vec::new(),
        history: None,
        certificate_days: None,
    }
}
