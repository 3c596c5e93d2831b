//! A rule as `/api/v1/status` tells of it.

use std::time::SystemTime;

use crate::control::protocol::RuleRow;
use crate::now::Now;
use crate::reactor::control::answer::Source;
use crate::reactor::control::{rows, seconds};
use crate::rule::RuleId;
use crate::status::report::{History, RuleReport, TOLD_MAX};

const SECONDS_OF_DAY: i64 = 86_400;

/// How a rule stands, and what it has been through.
pub(super) fn report<'a>(source: &Source<'a>, id: RuleId, now: Now) -> RuleReport<'a> {
    let engine = source.engine;
    let rule = &engine.rules()[id.index()];
    let row: RuleRow = rows::row(engine, source.overrides, id, now);
    let measured = engine.measured(id);
    let history = measured.availability(now.mono).map(|of| History {
        bucket_s: of.width().as_secs(),
        since: seconds(rows::wall(of.since(), now)),
        up: of.percentages().collect(),
    });
    RuleReport {
        row,
        test: rule.test.name(),
        interval_ms: rule.interval.as_secs_f64() * 1e3,
        recent_us: measured.last(TOLD_MAX).map(|took| took.map(rows::micros)).collect(),
        history,
        certificate_days: engine.certificate_expiry(id).map(|ends| days_until(ends, now.wall)),
    }
}

/// Whole days, as the log tells them.
fn days_until(ends: SystemTime, now: SystemTime) -> i64 {
    let seconds = match ends.duration_since(now) {
        Ok(left) => i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        Err(over) => i64::try_from(over.duration().as_secs()).map_or(i64::MIN, |over| -over - 1),
    };
    seconds.div_euclid(SECONDS_OF_DAY)
}
