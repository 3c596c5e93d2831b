//! A conversation in bytes: what `tcp`, `tls` and `unix` speak.
//!
//! ```text
//!   connected --> send --> steps, one after the other --> patterns on all that was received --> success
//! ```

use super::patterns::{Compiled, Found, Patterns, Search, Sight, keep, shown};
use super::{Output, Step};
use crate::rule::{self, DialogueStep};
use crate::verdict::{Cause, Stage, Text, Verdict};

/// Memory that a rule keeps for its next reply.
const KEPT_BYTES_MAX: usize = 8 * 1024;

/// A conversation, compiled.
#[derive(Debug)]
pub(super) struct Plan {
    send: Box<[u8]>,
    steps: Vec<PlannedStep>,
    patterns: Patterns,
}

#[derive(Debug)]
enum PlannedStep {
    Send(Box<[u8]>),
    Expect { regex: regex::bytes::Regex, detail: Text },
}

impl Plan {
    pub(super) fn compile(
        dialogue: &rule::Dialogue,
        compiled: &mut Compiled,
    ) -> Result<Self, (&'static str, String)> {
        let steps = dialogue.steps.iter().map(|step| plan_step(step, compiled));
        let steps = steps.collect::<Result<_, _>>().map_err(|why| ("dialogue", why))?;
        let patterns = Patterns::compile(&dialogue.patterns, compiled)?;
        Ok(Self { send: dialogue.send.clone(), steps, patterns })
    }

    /// Whether the connection alone is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.send.is_empty() && self.steps.is_empty() && self.patterns.is_empty()
    }

    /// Whether we are to say something before anything is awaited.
    pub(super) fn speaks_first(&self) -> bool {
        !self.send.is_empty() || matches!(self.steps.first(), Some(PlannedStep::Send(_)))
    }
}

fn plan_step(step: &DialogueStep, compiled: &mut Compiled) -> Result<PlannedStep, String> {
    let (what, regex) = match step {
        DialogueStep::Send(bytes) => return Ok(PlannedStep::Send(bytes.clone())),
        DialogueStep::Expect(bytes) => (shown(&String::from_utf8_lossy(bytes)), compiled.bytes(bytes)?),
        DialogueStep::ExpectRegex(pattern) => (
            format!("the pattern {}", shown(pattern)),
            compiled.regex(pattern).map_err(|why| format!("{}: {why}", shown(pattern)))?,
        ),
    };
    Ok(PlannedStep::Expect { regex, detail: format!("{what} is not in the answer").into() })
}

/// One conversation under way.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    received: Vec<u8>,
    /// Where the next step begins to look.
    looked_at: usize,
    next_step: usize,
    search: Search,
}

impl Dialogue {
    /// Begins anew.
    pub(super) fn restart(&mut self) {
        self.received.clear();
        self.received.shrink_to(KEPT_BYTES_MAX);
        self.looked_at = 0;
        self.next_step = 0;
        self.search.restart();
    }

    pub(super) fn connected(&mut self, plan: &Plan, out: &mut Output) -> Step {
        out.extend_from_slice(&plan.send);
        self.advance(plan, out, Sight::Stream)
    }

    pub(super) fn bytes(&mut self, plan: &Plan, input: &[u8], out: &mut Output) -> Step {
        let room = plan.patterns.bytes_max - self.received.len();
        keep(&mut self.received, input, plan.patterns.bytes_max);
        let sight = if input.len() >= room { Sight::Whole } else { Sight::Stream };
        self.advance(plan, out, sight)
    }

    pub(super) fn eof(&mut self, plan: &Plan, out: &mut Output) -> Step {
        if self.received.is_empty() {
            return Step::Done(Verdict::Failure(Cause::Closed(Stage::Request)));
        }
        let step = self.advance(plan, out, Sight::Whole);
        // In the middle of the dialogue it hung up on us, and may have tired of waiting.
        let is_cut_off = self.next_step < plan.steps.len();
        if is_cut_off { Step::Done(Verdict::Failure(Cause::Closed(Stage::Response))) } else { step }
    }

    /// Bytes received so far.
    pub(super) fn received(&self) -> u64 {
        self.received.len() as u64
    }

    /// The deadline has come: what is in the reply by now may be enough.
    pub(super) fn expired(&mut self, plan: &Plan) -> Step {
        let is_in_patterns = self.next_step == plan.steps.len() && !self.received.is_empty();
        if !is_in_patterns {
            return Step::Continue;
        }
        match self.search.look_now(&plan.patterns, &self.received, Sight::Stream) {
            Found::Open => Step::Continue,
            Found::Holds => Step::Done(Verdict::Success),
            Found::Fails(cause) => Step::Done(Verdict::Failure(cause)),
        }
    }

    fn advance(&mut self, plan: &Plan, out: &mut Output, sight: Sight) -> Step {
        while let Some(step) = plan.steps.get(self.next_step) {
            match step {
                PlannedStep::Send(bytes) => out.extend_from_slice(bytes),
                PlannedStep::Expect { regex, detail } => {
                    match regex.find_at(&self.received, self.looked_at) {
                        Some(found) => self.looked_at = found.end(),
                        None if sight == Sight::Whole => {
                            return Step::Done(Verdict::Failure(Cause::PatternMissing(detail.clone())));
                        }
                        None => return Step::Continue,
                    }
                }
            }
            self.next_step += 1;
        }
        if plan.patterns.is_empty() {
            return Step::Done(Verdict::Success);
        }
        if self.received.is_empty() {
            return Step::Continue;
        }
        match self.search.look(&plan.patterns, &self.received, sight) {
            Found::Open => Step::Continue,
            Found::Holds => Step::Done(Verdict::Success),
            Found::Fails(cause) => Step::Done(Verdict::Failure(cause)),
        }
    }
}

#[cfg(test)]
mod tests;
