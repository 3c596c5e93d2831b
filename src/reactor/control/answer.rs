//! Answers that take a while, made a line or a step at a time from how things stand then.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use super::pattern::Pattern;
use super::rows;
use super::tables::Tables;
use crate::control::protocol::{Reply, StatsRow};
use crate::control::{Glob, Shown};
use crate::engine::Engine;
use crate::health::State;
use crate::histogram::Histogram;
use crate::logging;
use crate::now::Now;
use crate::overrides::{Book, Entry};
use crate::reactor::demotion::Demoter;
use crate::rule::{Rule, RuleId};
use crate::writer::TableStatus;

/// What looking at a rule takes of a turn's effort,
const EFFORT_OF_LOOK: usize = 1;
/// for so many characters of a pattern as much again,
const PATTERN_CHARACTERS: usize = 32;
/// and making its line.
const EFFORT_OF_ROW: usize = 8;

/// Names that no rule has, told in one answer.
const LOST_TOLD_MAX: usize = 100;

/// What there is to tell of.
#[derive(Clone, Copy, Debug)]
pub(in crate::reactor) struct Source<'a> {
    pub(in crate::reactor) engine: &'a Engine,
    /// What operators have set.
    pub(in crate::reactor) overrides: Option<&'a Book>,
    /// How long turns took.
    pub(in crate::reactor) turns: &'a Histogram,
    pub(in crate::reactor) reloads: u64,
    pub(in crate::reactor) tables: usize,
    /// Nothing is written.
    pub(in crate::reactor) dry_run: bool,
    pub(in crate::reactor) demotion: Option<&'a Demoter>,
}

/// What the server itself knows.
#[derive(Clone, Copy, Debug)]
pub(in crate::reactor) struct Facts<'a> {
    /// Of the configuration file.
    pub(in crate::reactor) config: &'a str,
    pub(in crate::reactor) started: SystemTime,
    /// How many are connected.
    pub(in crate::reactor) clients: usize,
}

/// An answer under way.
#[derive(Debug)]
pub(super) enum Work {
    /// `status`.
    Status(Status),
    /// `tables`.
    Tables(Tables),
    /// `stats`.
    Stats(Tally),
}

/// How rules stand, one after the other.
#[derive(Debug)]
pub(super) struct Status {
    pattern: Option<Pattern>,
    next: usize,
    told: usize,
    /// Rules, of all that were looked at, that have something set.
    set: usize,
    /// Names that have something set and that no rule has; `None` before they are looked for.
    lost: Option<VecDeque<String>>,
    /// There was one.
    warned: bool,
}

/// How many rules stand how, those before `next`.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Tally {
    next: usize,
    rules: usize,
    up: usize,
    down: usize,
    unknown: usize,
    stale: usize,
}

impl Work {
    pub(super) fn status(rules: Option<String>) -> Self {
        Self::Status(Status {
            pattern: rules.map(Pattern::new),
            next: 0,
            told: 0,
            set: 0,
            lost: None,
            warned: false,
        })
    }

    pub(super) fn tables(tables: Arc<[TableStatus]>, glob: Option<Glob>) -> Self {
        Self::Tables(Tables::new(tables, glob))
    }

    pub(super) fn stats() -> Self {
        Self::Stats(Tally::default())
    }

    /// The next line of the answer; `None` when that takes more than the effort that is left.
    pub(super) fn go_on(
        &mut self,
        source: &Source<'_>,
        facts: Facts<'_>,
        effort: &mut usize,
        now: Now,
    ) -> Option<Reply> {
        match self {
            Self::Status(status) => status.go_on(source, effort, now),
            Self::Tables(tables) => {
                *effort = effort.saturating_sub(EFFORT_OF_ROW);
                Some(tables.go_on(source, now))
            }
            Self::Stats(tally) => tally.go_on(source, facts, effort),
        }
    }
}

impl Status {
    fn go_on(&mut self, source: &Source<'_>, effort: &mut usize, now: Now) -> Option<Reply> {
        let engine = source.engine;
        let length = self.pattern.as_ref().map_or(0, Pattern::len);
        while let Some(rule) = engine.rules().get(self.next) {
            if *effort == 0 {
                return None;
            }
            *effort = effort.saturating_sub(EFFORT_OF_LOOK + length / PATTERN_CHARACTERS);
            let id = rule_id(self.next);
            self.next += 1;
            let is_set = |book: &&Book| book.get(&rule.name).is_some();
            self.set += usize::from(!rule.is_vacant() && source.overrides.as_ref().is_some_and(is_set));
            if self.wants(rule) {
                *effort = effort.saturating_sub(EFFORT_OF_ROW);
                self.told += 1;
                return Some(Reply::Rule(Box::new(rows::row(engine, source.overrides, id, now))));
            }
        }
        if let Some(text) = self.next_lost(source) {
            self.warned = true;
            return Some(Reply::Warning { text });
        }
        Some(match (&self.pattern, self.told) {
            (Some(pattern), 0) if !self.warned => {
                Reply::Refused { text: pattern.nothing(), details: Vec::new() }
            }
            (_, 1) => Reply::Done { text: "1 rule".to_owned() },
            (_, told) => Reply::Done { text: format!("{told} rules") },
        })
    }

    fn wants(&mut self, rule: &Rule) -> bool {
        !rule.is_vacant() && self.pattern.as_mut().is_none_or(|pattern| pattern.look_at(&rule.name))
    }

    fn is_meant(&self, name: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
    }

    /// In words, the next of the names that have something set and that no rule has now.
    fn next_lost(&mut self, source: &Source<'_>) -> Option<String> {
        // A reload meanwhile is told of by the next answer.
        let book = source.overrides.filter(|book| book.len() > self.set)?;
        if self.lost.is_none() {
            let rules: HashSet<&str> = source.engine.rules().iter().map(|rule| &*rule.name).collect();
            let lost = book.iter().filter(|(name, _)| !rules.contains(&***name) && self.is_meant(name));
            let words = |(name, entry): (&Arc<str>, &Entry)| {
                let why = entry.reason.as_ref().map(|why| format!(": {}", Shown(why))).unwrap_or_default();
                let (kind, uid) = (entry.kind.word(), entry.uid);
                format!(
                    "no rule is named '{}' now, for which '{kind}' was set by uid {uid}{why}; 'enable' clears it",
                    Shown(name)
                )
            };
            self.lost = Some(lost.take(LOST_TOLD_MAX).map(words).collect());
        }
        self.lost.as_mut()?.pop_front()
    }
}

impl Tally {
    fn go_on(&mut self, source: &Source<'_>, facts: Facts<'_>, effort: &mut usize) -> Option<Reply> {
        if self.next == usize::MAX {
            return Some(Reply::Done { text: "counted since the start".to_owned() });
        }
        while let Some(rule) = source.engine.rules().get(self.next) {
            if *effort == 0 {
                return None;
            }
            *effort = effort.saturating_sub(EFFORT_OF_LOOK);
            self.count(source.engine, rule, rule_id(self.next));
            self.next += 1;
        }
        self.next = usize::MAX;
        Some(Reply::Stats(Box::new(self.row(source, facts))))
    }

    /// Counts a rule, by what is cheap to know.
    pub(in crate::reactor) fn count(&mut self, engine: &Engine, rule: &Rule, id: RuleId) {
        if rule.is_vacant() {
            return;
        }
        self.rules += 1;
        self.stale += usize::from(engine.is_stale(id));
        match engine.state_of(id) {
            State::Success => self.up += 1,
            State::Fail => self.down += 1,
            State::Unknown => self.unknown += 1,
        }
    }

    /// Rules without a conclusive verdict for too long.
    pub(in crate::reactor) fn stale(&self) -> usize {
        self.stale
    }

    /// What was counted, and what else there is to tell.
    pub(in crate::reactor) fn row(&self, source: &Source<'_>, facts: Facts<'_>) -> StatsRow {
        let Facts { config, started, clients } = facts;
        let counters = source.engine.counters();
        let late = source.engine.lateness();
        StatsRow {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: rows::seconds(started),
            config: Some(config.to_owned()),
            reloads: source.reloads,
            rules: self.rules,
            up: self.up,
            down: self.down,
            unknown: self.unknown,
            stale: self.stale,
            overrides: source.overrides.map_or(0, Book::len),
            runs: counters.runs,
            failures: counters.failures,
            inconclusive: counters.inconclusive,
            missed: counters.missed,
            in_flight: counters.in_flight,
            late_p50_us: rows::micros(late.quantile(0.5)),
            late_p99_us: rows::micros(late.quantile(0.99)),
            late_p999_us: rows::micros(late.quantile(0.999)),
            late_max_us: rows::micros(late.max()),
            turn_p50_us: rows::micros(source.turns.quantile(0.5)),
            turn_p99_us: rows::micros(source.turns.quantile(0.99)),
            turn_max_us: rows::micros(source.turns.max()),
            tables: source.tables,
            dry_run: source.dry_run,
            demotion: source.demotion.map(Demoter::row),
            dropped_lines: logging::dropped_lines(),
            log_level: logging::level().as_str().to_ascii_lowercase(),
            clients,
        }
    }
}

fn rule_id(index: usize) -> RuleId {
    RuleId(u32::try_from(index).expect("the configuration bounds the number of rules far below 2^32"))
}
