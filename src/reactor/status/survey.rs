//! How many rules stand how: looked at one after the other, in as many slices as it takes, for whoever asks within a moment.

use std::time::{Duration, Instant};

use crate::control::Shown;
use crate::reactor::control::answer::{Source, Tally};
use crate::rule::RuleId;

/// For whom it is new enough that was made so long ago.
const FRESH: Duration = Duration::from_millis(250);
/// Rules that are looked at between two looks at the clock: a few microseconds.
const RULES_AT_A_TIME: usize = 64;
/// Stale rules that are named at most.
const NAMED_MAX: usize = 3;

/// What was found, and what is being looked at.
#[derive(Debug, Default)]
pub(super) struct Survey {
    found: Found,
    /// When, and after how many reloads: rules are others after one more.
    made: Option<(Instant, u64)>,
    making: Option<Making>,
}

/// How the rules stand.
#[derive(Debug, Default)]
struct Found {
    tally: Tally,
    /// Some of those that are stale.
    stale: Vec<RuleId>,
}

#[derive(Debug)]
struct Making {
    next: usize,
    /// As many as there were when it was begun.
    reloads: u64,
    found: Found,
}

impl Survey {
    /// Whether it is new enough.
    pub(super) fn is_fresh(&self, source: &Source<'_>, now: Instant) -> bool {
        let is_new = |at| now.saturating_duration_since(at) < FRESH;
        self.made.is_some_and(|(at, reloads)| reloads == source.reloads && is_new(at))
    }

    /// Whether it can be gone on with at once.
    pub(super) fn is_under_way(&self) -> bool {
        self.making.is_some()
    }

    /// Looks at some more rules until the time is over, unless it is new enough.
    pub(super) fn go_on(&mut self, source: &Source<'_>, until: Instant, clock: impl Fn() -> Instant) {
        let mut now = clock();
        if self.is_fresh(source, now) {
            return;
        }
        let reloads = source.reloads;
        let begin = || Making { next: 0, reloads, found: Found::default() };
        let mut making = self.making.take().filter(|of| of.reloads == reloads).unwrap_or_else(begin);
        let rules = source.engine.rules();
        while making.next < rules.len() {
            let end = rules.len().min(making.next + RULES_AT_A_TIME);
            (making.next..end).for_each(|index| making.found.look(source, index));
            making.next = end;
            now = clock();
            if now >= until && end < rules.len() {
                self.making = Some(making);
                return;
            }
        }
        (self.found, self.made) = (making.found, Some((now, reloads)));
    }

    /// What was found last.
    pub(super) fn tally(&self) -> &Tally {
        &self.found.tally
    }

    /// What is not well, if anything is.
    pub(super) fn trouble(&self, source: &Source<'_>) -> Option<String> {
        let Found { tally, stale } = &self.found;
        if tally.stale() == 0 {
            return None;
        }
        let rules = source.engine.rules();
        let named =
            stale.iter().filter_map(|id| rules.get(id.index())).map(|rule| Shown(&rule.name).to_string());
        let names: Vec<String> = named.collect();
        let more = tally.stale() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("stale, without a verdict for too long: {}{more}", names.join(", ")))
    }
}

impl Found {
    fn look(&mut self, source: &Source<'_>, index: usize) {
        let id = RuleId(
            u32::try_from(index).expect("the configuration bounds the number of rules far below 2^32"),
        );
        let rule = &source.engine.rules()[index];
        let before = self.tally.stale();
        self.tally.count(source.engine, rule, id);
        if self.tally.stale() > before && self.stale.len() < NAMED_MAX {
            self.stale.push(id);
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::engine::Engine;
    use crate::histogram::Histogram;
    use crate::now::Now;
    use crate::rule::{CommandLine, Placement, Rule, Status, Terms, Test};

    const S: Duration = Duration::from_secs(1);

    fn rule(number: usize) -> Rule {
        let command = CommandLine { program: "test".into(), arguments: Vec::new() };
        Rule {
            name: format!("rule{number}").into(),
            test: Test::Command { command: command.into(), timeout_int: None, timeout_kill: None },
            placement: Placement::default().into(),
            terms: Terms { status: Status::Enabled, interval: S, interval_fail: S, ..Terms::default() }
                .into(),
        }
    }

    fn source<'a>(engine: &'a Engine, turns: &'a Histogram, reloads: u64) -> Source<'a> {
        Source { engine, overrides: None, turns, reloads, tables: 0, dry_run: false, demotion: None }
    }

    #[test]
    fn rules_are_looked_at_in_slices_and_stale_ones_named() {
        let start = Instant::now();
        let at = |after: Duration| Now { mono: start + after, wall: SystemTime::UNIX_EPOCH + after };
        let mut engine = Engine::new((0..200).map(rule).collect(), at(Duration::ZERO));
        let turns = Histogram::default();
        let mut survey = Survey::default();
        for after in [Duration::ZERO, 31 * S] {
            // As many turns as it takes: what is due is taken up in part only.
            for _ in 0..1_000 {
                engine.handle_timeout(at(after));
                while engine.poll_output().is_some() {}
            }
            let now = start + after;
            let mut slices = 0;
            while !survey.is_fresh(&source(&engine, &turns, 0), now) {
                // The time is over at once.
                survey.go_on(&source(&engine, &turns, 0), now, || now);
                slices += 1;
            }
            assert_eq!((slices, survey.is_under_way()), (4, false));
            let trouble = survey.trouble(&source(&engine, &turns, 0));
            let told = (after == 31 * S).then(|| {
                "stale, without a verdict for too long: rule0, rule1, rule2 and 197 more".to_owned()
            });
            assert_eq!(trouble, told);
            assert!(!survey.is_fresh(&source(&engine, &turns, 0), now + FRESH));
        }
        let now = start + 31 * S;
        assert!(!survey.is_fresh(&source(&engine, &turns, 1), now), "rules are others after a reload");
    }
}
