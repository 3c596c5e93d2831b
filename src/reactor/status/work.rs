//! Answers about all rules: made a slice at a time, once for all who ask at about the same moment.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::health::Health;
use super::metrics::MetricsText;
use super::rows;
use super::spent::Spent;
use super::survey::Survey;
use crate::control::protocol::TableRow;
use crate::now::Now;
use crate::reactor::control::answer::{Facts, Source, Tally};
use crate::reactor::control::{seconds, tables};
use crate::rule::RuleId;
use crate::status::report::{Counts, Hfm, Json};
use crate::status::{Body, Response};
use crate::writer::TableStatus;

/// For whom an answer is new enough that was begun so long ago.
const FRESH: Duration = Duration::from_millis(500);
/// Answers are made of pieces of about this, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What is being made, and for whom.
#[derive(Debug)]
pub(super) struct Works {
    pub(super) status: Shared<StatusText>,
    pub(super) metrics: Shared<MetricsText>,
    pub(super) health: Health,
    pub(super) survey: Survey,
    pub(super) spent: Spent,
}

/// An answer that many may have.
#[derive(Debug)]
pub(super) struct Shared<T> {
    /// Who waits for it, by slot.
    waiting: Vec<usize>,
    made: Option<(Instant, Response)>,
    making: Option<(Instant, Pieces, T)>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), made: None, making: None }
    }
}

/// What of a text is there.
#[derive(Debug)]
pub(super) struct Pieces {
    whole: Vec<Box<[u8]>>,
    pub(super) last: Vec<u8>,
}

impl Pieces {
    fn new() -> Self {
        Self { whole: Vec::new(), last: Vec::with_capacity(PIECE_BYTES) }
    }

    /// It is begun anew.
    pub(super) fn forget(&mut self) {
        self.whole.clear();
        self.last.clear();
    }

    /// To be called now and then.
    fn cut(&mut self) {
        if self.last.len() >= PIECE_BYTES - PIECE_BYTES / 16 {
            let next = Vec::with_capacity(PIECE_BYTES);
            self.whole.push(mem::replace(&mut self.last, next).into_boxed_slice());
        }
    }

    fn body(mut self) -> Body {
        if !self.last.is_empty() {
            self.whole.push(self.last.into_boxed_slice());
        }
        self.whole.into()
    }

    /// A value as JSON.
    fn json(&mut self, value: &impl Json) {
        value.write_json(&mut self.last);
    }

    fn text(&mut self, text: &str) {
        self.last.extend_from_slice(text.as_bytes());
    }
}

/// A text that is made step by step.
pub(super) trait Steps {
    const CONTENT_TYPE: &str;

    /// Makes a small part of it; says whether that was the last one.
    fn step(&mut self, pieces: &mut Pieces, world: &World<'_>) -> bool;
}

/// What there is to tell of.
#[derive(Clone, Copy, Debug)]
pub(super) struct World<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) facts: Facts<'a>,
    pub(super) hfm: &'a Hfm<'a>,
    pub(super) now: Now,
}

impl<T: Steps> Shared<T> {
    /// Somebody asks for it.
    pub(super) fn wait(&mut self, slot: usize) {
        self.waiting.push(slot);
    }

    /// Who was in this slot is gone.
    pub(super) fn forget(&mut self, slot: usize) {
        self.waiting.retain(|of| *of != slot);
    }

    /// Whether somebody waits for one that is not begun, and none is there that is new enough.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        !self.waiting.is_empty() && self.making.is_none() && !self.is_fresh(now)
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.made.as_ref().is_some_and(|(begun, _)| now.saturating_duration_since(*begun) < FRESH)
    }

    /// Whether it can be gone on with at once.
    pub(super) fn has_more(&self, now: Instant) -> bool {
        self.making.is_some() || !self.waiting.is_empty() && self.is_fresh(now)
    }

    /// When one that was made is kept for nobody any more.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.made.as_ref().and_then(|(begun, _)| begun.checked_add(FRESH))
    }

    /// Begins to make it.
    pub(super) fn begin(&mut self, text: T, now: Instant) {
        self.making = Some((now, Pieces::new(), text));
    }

    /// Goes on until it is made, or the time is over; gives who waits for it and what they are to be given.
    pub(super) fn go_on(
        &mut self,
        world: &World<'_>,
        until: Instant,
        clock: impl Fn() -> Instant,
    ) -> Option<(Vec<usize>, Response)> {
        let now = world.now.mono;
        if !self.is_fresh(now) {
            self.made = None;
        }
        if let Some((begun, mut pieces, mut text)) = self.making.take() {
            while !text.step(&mut pieces, world) {
                pieces.cut();
                if clock() >= until {
                    self.making = Some((begun, pieces, text));
                    return None;
                }
            }
            let response =
                Response { status: 200, content_type: T::CONTENT_TYPE, policy: None, body: pieces.body() };
            self.made = Some((begun, response.clone()));
            return Some((mem::take(&mut self.waiting), response));
        }
        match &self.made {
            Some((_, response)) if !self.waiting.is_empty() => {
                Some((mem::take(&mut self.waiting), response.clone()))
            }
            Some(_) | None => None,
        }
    }
}

/// `/api/v1/status`.
#[derive(Debug)]
pub(super) struct StatusText {
    stage: Stage,
    /// The number of the last event before it was begun.
    event: u64,
    health: Vec<String>,
    tally: Tally,
    tables: Arc<[TableStatus]>,
    /// The next thing is not the first of its list.
    follows: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Head,
    Rule(usize),
    Table(usize),
    Address(usize, usize),
    End,
}

impl StatusText {
    pub(super) fn new(event: u64, health: Vec<String>, tables: Arc<[TableStatus]>) -> Self {
        Self { stage: Stage::Head, event, health, tally: Tally::default(), tables, follows: false }
    }

    fn comma(&mut self, pieces: &mut Pieces) {
        if mem::replace(&mut self.follows, true) {
            pieces.text(",\n");
        }
    }

    fn head(&self, pieces: &mut Pieces, world: &World<'_>) {
        pieces.text("{\"hfm\":");
        pieces.json(world.hfm);
        pieces.text(",\"event\":");
        pieces.json(&self.event);
        pieces.text(",\"health\":");
        pieces.json(&self.health);
        pieces.text(",\"rules\":[\n");
    }

    fn table(&mut self, pieces: &mut Pieces, row: &TableRow) {
        self.comma(pieces);
        pieces.json(row);
        // Its addresses are a member of it.
        pieces.last.pop();
        pieces.text(",\"addresses\":[\n");
        self.follows = false;
    }

    fn end(&self, pieces: &mut Pieces, world: &World<'_>) {
        let stats = self.tally.row(world.source, world.facts);
        let counts = Counts {
            rules: stats.rules,
            up: stats.up,
            down: stats.down,
            unknown: stats.unknown,
            stale: stats.stale,
            overrides: stats.overrides,
        };
        pieces.text("],\"counts\":");
        pieces.json(&counts);
        pieces.text(",\"stats\":");
        pieces.json(&stats);
        pieces.text("}\n");
    }
}

impl Steps for StatusText {
    const CONTENT_TYPE: &str = "application/json";

    fn step(&mut self, pieces: &mut Pieces, world: &World<'_>) -> bool {
        let engine = world.source.engine;
        self.stage = match self.stage {
            Stage::Head => {
                self.head(pieces, world);
                Stage::Rule(0)
            }
            Stage::Rule(index) => match engine.rules().get(index) {
                Some(rule) => {
                    let id = rule_id(index);
                    self.tally.count(engine, rule, id);
                    if !rule.is_vacant() {
                        self.comma(pieces);
                        pieces.json(&rows::report(world.source, id, world.now));
                    }
                    Stage::Rule(index + 1)
                }
                None => {
                    pieces.text("],\"tables\":[\n");
                    self.follows = false;
                    Stage::Table(0)
                }
            },
            Stage::Table(index) => match self.tables.get(index) {
                Some(table) => {
                    let row = tables::row(table, world.source, world.now);
                    self.table(pieces, &row);
                    Stage::Address(index, 0)
                }
                None => Stage::End,
            },
            Stage::Address(index, next) => {
                let table = &self.tables.clone()[index];
                match table.addresses.get(next) {
                    Some(address) => {
                        self.comma(pieces);
                        pieces.json(&tables::address_row(table, address, engine));
                        Stage::Address(index, next + 1)
                    }
                    None => {
                        pieces.text("]}");
                        self.follows = true;
                        Stage::Table(index + 1)
                    }
                }
            }
            Stage::End => {
                self.end(pieces, world);
                return true;
            }
        };
        false
    }
}

/// This process.
pub(super) fn hfm<'a>(
    facts: Facts<'a>,
    dataplane: Option<&'static str>,
    host: &'a str,
    source: &Source<'_>,
    now: Now,
) -> Hfm<'a> {
    Hfm {
        version: env!("CARGO_PKG_VERSION"),
        host,
        pid: std::process::id(),
        started: seconds(facts.started),
        now: seconds(now.wall),
        config: facts.config,
        dataplane,
        dry_run: source.dry_run,
    }
}

fn rule_id(index: usize) -> RuleId {
    RuleId(u32::try_from(index).expect("the configuration bounds the number of rules far below 2^32"))
}

impl Works {
    pub(super) fn new(has_writer: bool) -> Self {
        Self {
            status: Shared::default(),
            metrics: Shared::default(),
            health: Health::new(has_writer),
            survey: Survey::default(),
            spent: Spent::default(),
        }
    }

    /// Who was in this slot is gone.
    pub(super) fn forget(&mut self, slot: usize) {
        self.status.forget(slot);
        self.metrics.forget(slot);
        self.health.forget(slot);
    }

    /// Whether somebody waits for what has to be begun.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        self.status.is_wanted(now) || self.metrics.is_wanted(now) || self.health.is_wanted()
    }

    /// Whether there is something to go on with at once.
    pub(super) fn has_more(&self, now: Instant) -> bool {
        let is_under_way = self.status.has_more(now) || self.metrics.has_more(now) || self.spent.has_more();
        let may_begin = self.health.is_ready(now) || self.health.may_ask() || self.survey.is_under_way();
        is_under_way || self.is_wanted(now) && may_begin
    }

    /// When something is to be done without anything that comes before.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        // A writer that is held up for minutes is waited for by nobody.
        let answered_at = self.health.poll_timeout().filter(|_| self.is_wanted(now));
        let all = [self.status.poll_timeout(), self.metrics.poll_timeout(), answered_at];
        all.into_iter().flatten().min()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_is_held_up_for_long_wakes_nobody() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut works = Works::new(true);
        works.health.wait(7);
        assert!(works.has_more(now) && works.health.asks(now));
        assert_eq!((works.has_more(now), works.poll_timeout(now)), (false, Some(now + second)));
        assert!(works.has_more(now + second), "it is answered without the writer's word");
        assert!(works.health.answer(&["held up".to_owned()]).is_some());
        let later = now + 60 * second;
        assert_eq!((works.has_more(later), works.poll_timeout(later)), (false, None));
    }
}
