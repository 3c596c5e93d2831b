//! Whether all is well with this program, for load balancers and for those who watch it: the loop turns, the writer lives
//! and has acknowledged what it last wrote, and no rule is stale.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::survey::Survey;
use crate::control::Shown;
use crate::reactor::control::answer::Source;
use crate::status::Response;
use crate::writer::{Answer, TableStatus};

/// What the writer has said of its tables is true for this long.
const FRESH: Duration = Duration::from_millis(250);
/// An answer goes on without the writer's word after this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who asks, and what is known of the tables.
#[derive(Debug)]
pub(super) struct Health {
    waiting: Vec<usize>,
    tables: Arc<[TableStatus]>,
    /// Whether there is a writer.
    has_writer: bool,
    heard_at: Option<Instant>,
    asked_at: Option<Instant>,
    trouble: Option<&'static str>,
}

impl Health {
    pub(super) fn new(has_writer: bool) -> Self {
        let tables = Arc::from([]);
        Self { waiting: Vec::new(), tables, has_writer, heard_at: None, asked_at: None, trouble: None }
    }

    /// Somebody asks.
    pub(super) fn wait(&mut self, slot: usize) {
        self.waiting.push(slot);
    }

    /// Who was in this slot is gone.
    pub(super) fn forget(&mut self, slot: usize) {
        self.waiting.retain(|of| *of != slot);
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the writer is to be asked now; it has been, then.
    pub(super) fn asks(&mut self, now: Instant) -> bool {
        if !self.has_writer || self.asked_at.is_some() || self.is_fresh(now) {
            return false;
        }
        self.asked_at = Some(now);
        true
    }

    /// Whether the writer is still to be asked, by the next part of a turn.
    pub(super) fn may_ask(&self) -> bool {
        self.has_writer && self.asked_at.is_none()
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.heard_at.is_some_and(|at| now.saturating_duration_since(at) < FRESH)
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        let is_late = |asked: Instant| now.saturating_duration_since(asked) >= PATIENCE;
        !self.has_writer || self.is_fresh(now) || self.asked_at.is_some_and(is_late)
    }

    /// When it is ready at the latest, for those who wait.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.asked_at.and_then(|asked| asked.checked_add(PATIENCE))
    }

    /// The writer has answered; gives back what it had said before.
    pub(super) fn hear(&mut self, answer: Answer, now: Instant) -> Option<Arc<[TableStatus]>> {
        (self.heard_at, self.asked_at, self.trouble) = (Some(now), None, None);
        match answer {
            Answer::Tables(tables) => return Some(mem::replace(&mut self.tables, tables.into())),
            Answer::Unanswered(why) => self.trouble = Some(why),
            Answer::Reconciled(_) | Answer::WouldDrain(_) => {}
        }
        None
    }

    pub(super) fn tables(&self) -> &Arc<[TableStatus]> {
        &self.tables
    }

    /// What holds the tables, as far as it is known.
    pub(super) fn dataplane(&self) -> Option<&'static str> {
        self.tables.first().map(|table| table.plane)
    }

    /// What is not well, a line each.
    pub(super) fn reasons(&self, source: &Source<'_>, survey: &Survey, now: Instant) -> Vec<String> {
        let mut reasons = Vec::new();
        if source.demotion.is_some_and(|demoter| demoter.row().lost) {
            reasons.push(
                "the helper of the demotion is gone: nothing is demoted any more; restart hfm".to_owned(),
            );
        }
        if let Some(asked) = self.asked_at.filter(|_| !self.is_fresh(now)) {
            let waited = now.saturating_duration_since(asked).as_secs_f64();
            reasons.push(format!(
                "the writer has not answered for {waited:.1} s: the firewall holds it up, and tables may not be as wanted"
            ));
        }
        reasons.extend(self.trouble.map(str::to_owned));
        let failing = |table: &TableStatus| {
            let why = table.error.as_ref()?;
            Some(format!("table {}: {}", Shown(&table.name), Shown(why)))
        };
        reasons.extend(self.tables.iter().filter_map(failing));
        reasons.extend(survey.trouble(source));
        reasons
    }

    /// Answers all who ask, with what is not well.
    pub(super) fn answer(&mut self, reasons: &[String]) -> Option<(Vec<usize>, Response)> {
        if self.waiting.is_empty() {
            return None;
        }
        let response = if reasons.is_empty() {
            Response::text(200, "ok\n")
        } else {
            Response::text(503, &format!("{}\n", reasons.join("\n")))
        };
        Some((mem::take(&mut self.waiting), response))
    }
}
