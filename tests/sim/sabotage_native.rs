//! Planted bugs of native runs.

#![expect(clippy::wildcard_enum_match_arm, reason = "a saboteur leaves alone what it does not name")]

use std::time::Duration;

use hfm::engine::{Event, Notice, Output, RuleView};
use hfm::health::State;
use hfm::rule::{Rule, RunId, Status, Test};
use hfm::verdict::{Cause, Measured, Stage, Verdict};

use crate::effects::probe_timeout;
use crate::model::{MS, ns_of};
use crate::sabotage::{Saboteur, Tampered};

/// Disguises for causes that the engine is to take for others, of no errno and no length that is drawn.
const NEVER_LATE: Cause = Cause::Unreachable(-1);
const MAYBE_LATE: Cause = Cause::TimeoutTls(Duration::MAX);

impl Tampered {
    pub(crate) fn alter_native(saboteur: Saboteur, rule: &mut Rule) {
        match (saboteur, &mut rule.test) {
            (Saboteur::DeadlineIgnoresTimeout, Test::Probe(probe)) => {
                probe.timeout = Duration::from_secs(86_400);
            }
            (Saboteur::DebounceIntervalIgnored, _) => rule.terms.interval_debounce = None,
            (Saboteur::DebounceIntervalKept, _) => {
                rule.terms.interval_fail = rule.interval_debounce.unwrap_or(rule.interval_fail);
            }
            _ => {}
        }
    }

    /// What the engine is told of a probe that ended.
    pub(crate) fn conclusion(&mut self, saboteur: Saboteur, event: Event) -> Vec<Event> {
        let Event::Concluded { run, at, verdict, measured } = event else { return vec![event] };
        let status = self.rules[run.rule.index()].status;
        let known = &mut self.runs[run.rule.index()];
        let (mut run, mut at, mut verdict, mut measured) = (run, at, verdict, measured);
        match (saboteur, &verdict) {
            (Saboteur::OldConclusionAccepted, _) => {
                run.run = known.number;
                at = known.asked.map_or(at, |asked| at.max(asked));
            }
            (Saboteur::ConclusionLost, _) if run.run.is_multiple_of(16) => return Vec::new(),
            (Saboteur::MeasuredLost, _) => measured = Measured::default(),
            (Saboteur::AlwaysOverInconclusive, Verdict::Inconclusive(_)) if status != Status::Enabled => {
                verdict = Verdict::Success;
            }
            (Saboteur::OwnTroubleIsFailure, Verdict::Inconclusive(_)) => {
                verdict = Verdict::Failure(Cause::Refused(111));
            }
            (Saboteur::SuccessAtDeadlineIsTimeout, Verdict::Success) if known.expired => {
                verdict = Verdict::Failure(MAYBE_LATE);
            }
            (_, Verdict::Failure(cause)) if run.run == known.number => {
                let disguise = disguise(saboteur, cause);
                known.disguised = disguise.as_ref().map(|_| cause.clone());
                verdict = Verdict::Failure(disguise.unwrap_or(cause.clone()));
            }
            _ => {}
        }
        vec![Event::Concluded { run, at, verdict, measured }]
    }

    pub(crate) fn expire(&mut self, saboteur: Saboteur, run: RunId, now: u64) -> Vec<Output> {
        let known = &mut self.runs[run.rule.index()];
        known.expired = true;
        let output = Output::Expire { run };
        match (saboteur, known.started) {
            (Saboteur::ExpireNever, _) => Vec::new(),
            (Saboteur::ExpireTwice, _) => vec![output.clone(), output],
            (Saboteur::DeadlineIgnoresNextDue, Some(started)) => {
                let timeout = probe_timeout(&self.rules[run.rule.index()]).unwrap_or_default();
                self.hold_back(output, started + timeout, now)
            }
            _ => vec![output],
        }
    }

    /// Staleness by the interval of the state, whatever is in use.
    pub(crate) fn stale(&mut self, run: RunId, age: Duration, now: u64) -> Vec<Output> {
        let rule = &self.rules[run.rule.index()];
        let failed = self.runs[run.rule.index()].state == State::Fail;
        let interval = ns_of(if failed { rule.interval_fail } else { rule.interval });
        let at = now - ns_of(age) + (10 * interval).max(30_000 * MS);
        self.hold_back(Output::Notice(Notice::Stale { run, age }), at, now)
    }

    /// Takes the disguise off what the engine says of a rule's last verdict.
    pub(crate) fn uncover(&self, mut output: Output) -> Output {
        match &mut output {
            Output::Notice(Notice::Verdict { run, verdict, .. }) => self.uncover_verdict(*run, verdict),
            Output::Change(change) => self.uncover_verdict(change.run, &mut change.verdict),
            _ => {}
        }
        output
    }

    pub(crate) fn uncover_verdict(&self, run: RunId, verdict: &mut Verdict) {
        if let (Verdict::Failure(cause), Some(original)) = (verdict, &self.runs[run.rule.index()].disguised)
            && (*cause == NEVER_LATE || *cause == MAYBE_LATE)
        {
            *cause = original.clone();
        }
    }

    /// The next due of a rule that only a hold-down keeps failed, as if it were still counting.
    pub(crate) fn debounced_in_hold_down(&self, run: RunId, view: RuleView) -> RuleView {
        let known = &self.runs[run.rule.index()];
        let interval = self.rules[run.rule.index()].interval_debounce;
        let due = interval.zip(known.started).filter(|_| known.held && view.next_due.is_some());
        let due = due.map(|(interval, started)| self.base + interval + Duration::from_nanos(started));
        RuleView { next_due: due.or(view.next_due), ..view }
    }

    /// What a verdict at a deadline makes possible waits for another turn.
    pub(crate) fn skips_second_pass(&self) -> bool {
        self.saboteur == Some(Saboteur::NextRunInNextTurn)
    }

    /// All that is due is done before what has arrived is looked at, and not only what begins.
    pub(crate) fn judges_before_events(&self) -> bool {
        self.saboteur == Some(Saboteur::DeadlinesBeforeEvents)
    }

    pub(crate) fn begins_after_events(&self) -> bool {
        self.saboteur == Some(Saboteur::RunsBeginAfterEvents)
    }

    pub(crate) fn tells_that_a_turn_begins(&self) -> bool {
        !matches!(self.saboteur, Some(Saboteur::TurnsNotCounted | Saboteur::RunningTurnNotCounted))
    }

    pub(crate) fn tells_only_of_whole_turns(&self) -> bool {
        self.saboteur == Some(Saboteur::RunningTurnNotCounted)
    }
}

/// As what the engine is to judge a cause.
fn disguise(saboteur: Saboteur, cause: &Cause) -> Option<Cause> {
    match (saboteur, cause) {
        (Saboteur::LateNotForTimeoutConnect, Cause::TimeoutConnect(_))
        | (Saboteur::LateNotForTimeoutTls, Cause::TimeoutTls(_))
        | (Saboteur::LateNotForTimeoutResponse, Cause::TimeoutResponse { .. })
        | (Saboteur::LateNotForReset, Cause::Reset(_))
        | (Saboteur::LateNotForClosed, Cause::Closed(_))
        | (Saboteur::LateNotForClosedInAnswer, Cause::Closed(Stage::Response))
        | (Saboteur::LateNotFor408, Cause::HttpStatus { seen: 408, .. }) => Some(NEVER_LATE),
        (Saboteur::LateForRefused, Cause::Refused(111))
        | (Saboteur::LateForEveryStatus, Cause::HttpStatus { seen: 503, .. }) => Some(MAYBE_LATE),
        _ => None,
    }
}
