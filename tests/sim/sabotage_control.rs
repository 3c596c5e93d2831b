//! Planted bugs of what operators set and ask for.

#![expect(clippy::wildcard_enum_match_arm, reason = "a saboteur leaves alone what it does not name")]

use std::time::Duration;

use hfm::engine::{Answer, Engine, Found, Notice, Output, Set};
use hfm::now::Now;
use hfm::rule::RuleId;
use hfm::standing::Override;

use crate::effects::id;
use crate::operator::Act;
use crate::sabotage::{Saboteur, Tampered};

impl Tampered {
    /// What the engine is told of what an operator does.
    pub(crate) fn operate(&mut self, engine: &mut Engine, act: Act, now: Now) {
        let rule = id(act.rule());
        let known = &mut self.runs[rule.index()];
        let (kind, until) = match act {
            Act::Set(_, kind, until) => (kind, until),
            Act::Enable(_) => {
                let before = known.set.take();
                let was_down = matches!(before, Some(Override::Drained | Override::AlwaysFail));
                if self.saboteur == Some(Saboteur::ReturnIgnored) && was_down {
                    engine.set_override(rule, Some(set(Override::AlwaysSuccess)), now);
                }
                return engine.set_override(rule, None, now);
            }
            Act::Ask(_) => {
                let view = engine.view(rule);
                if self.saboteur == Some(Saboteur::AnswerTooOld) && view.running {
                    known.too_old = Some(view.run);
                }
                return engine.ask(rule, now);
            }
        };
        known.set = Some(kind);
        let until = until.map(|until| self.base + Duration::from_nanos(until));
        let (kind, until) = match (self.saboteur, kind) {
            (Some(Saboteur::OverrideEndsLate), _) => {
                (kind, until.map(|until| until + Duration::from_millis(1)))
            }
            (Some(Saboteur::OverrideNeverEnds), _) => (kind, None),
            (Some(Saboteur::DisabledIsIgnored), Override::Disabled) => return,
            (Some(Saboteur::DrainStopsRuns), Override::Drained) => (Override::Disabled, until),
            _ => (kind, until),
        };
        engine.set_override(rule, Some(Set { kind, until }), now);
    }

    /// What the world and the model see of what comes of that.
    pub(crate) fn of_operator(&mut self, saboteur: Saboteur, output: Output) -> Vec<Output> {
        match (saboteur, &output) {
            (Saboteur::OverrideEndUntold, Output::OverrideEnded { .. })
            | (Saboteur::AbandonForgotten, Output::Abandon { .. })
            | (Saboteur::AnswerLost, Output::Answer(_)) => Vec::new(),
            (_, Output::OverrideEnded { rule }) => {
                self.runs[rule.index()].set = None;
                vec![output]
            }
            (Saboteur::AnswerTwice, Output::Answer(_)) => vec![output.clone(), output],
            (_, Output::Answer(Answer { rule, found: Ok(found) })) => {
                self.answer(saboteur, *rule, found.clone())
            }
            _ => vec![output],
        }
    }

    fn answer(&mut self, saboteur: Saboteur, rule: RuleId, found: Found) -> Vec<Output> {
        let known = &mut self.runs[rule.index()];
        let Found { run, verdict, measured, elapsed, scheduled } = found.clone();
        let answer = Answer { rule, found: Ok(found.clone()) };
        match saboteur {
            Saboteur::AnswerAsCounted if scheduled => {
                known.answer = Some(answer);
                Vec::new()
            }
            Saboteur::ScheduledSaysExtra => {
                vec![Output::Answer(Answer { rule, found: Ok(Found { scheduled: false, ..found }) })]
            }
            Saboteur::ExtraRunCounts if !scheduled => {
                let told = Notice::Verdict { run, verdict, ending: None, measured, elapsed };
                vec![Output::Answer(answer), Output::Notice(told)]
            }
            _ => vec![Output::Answer(answer)],
        }
    }

    /// What is told of a run on the schedule, and to whoever asked for it.
    pub(crate) fn answered(&mut self, notice: Notice) -> Vec<Output> {
        let told = Output::Notice(notice.clone());
        let Notice::Verdict { run, verdict, measured, elapsed, .. } = notice else { return vec![told] };
        let known = &mut self.runs[run.rule.index()];
        let is_too_old = known.too_old.take_if(|of| *of == run).is_some();
        if known.answer.take().is_none() && !is_too_old {
            return vec![told];
        }
        let found = Found { run, verdict, measured, elapsed, scheduled: true };
        vec![told, Output::Answer(Answer { rule: run.rule, found: Ok(found) })]
    }
}

fn set(kind: Override) -> Set {
    Set { kind, until: None }
}
