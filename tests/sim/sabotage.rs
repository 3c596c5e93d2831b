//! Planted bugs: each stands between the world and a sound engine and makes the pair behave as an engine
//! with that bug would, as far as the model can tell.

#![expect(clippy::wildcard_enum_match_arm, reason = "a saboteur leaves alone what it does not name")]

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use hfm::engine::{Answer, Change, Counters, Event, Notice, Output, RuleView, StartError, StopSignal};
use hfm::health::State;
use hfm::rule::{Rule, RunId, Status};
use hfm::standing::{Override, Standing};
use hfm::verdict::{Cause, Ending, LocalCause, Verdict};

use crate::model::ns_of;

macro_rules! saboteurs {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Saboteur { $($name),* }
        pub(crate) const ALL: &[Saboteur] = &[$(Saboteur::$name),*];
    };
}

saboteurs! {
    LateEventAccepted, ExitLost, StartTwice, NeverStartsAgain, IntervalFromFinish, IntervalFailIgnored,
    StartDelayIgnored, SpreadIgnored, DisabledRuns, MissedNotCounted, FailDebounceOneMore,
    FailDebounceOneLess, SuccessDebounceOneMore, SuccessDebounceOneLess, FailResetIgnored, CountNeverReset,
    HoldDownIgnored, HoldDownExtended, HoldDownMaxIgnored, HoldDownEndLate, RequiresIgnored,
    RequiresOnlyFirst, ToldOfUnknown, FromForgotten, BlameForgotten, AlwaysConfirmedOnce, GuardIgnored,
    GuardInverted, InconclusiveIsFailure, StallsNotNoted, InterruptMissed, KillMissed, KillTwice,
    InterruptFromDue, InterruptUncounted, RunsIgnored, RunsCountInconclusive, StaleNeverTold, FreshNeverTold,
    UnreportedNotCounted, UnusableIsInconclusive, DeadlineIgnoresTimeout, DeadlineIgnoresNextDue, ExpireNever,
    ExpireTwice, SuccessAtDeadlineIsTimeout, NextRunInNextTurn, OldConclusionAccepted, ConclusionLost,
    MeasuredLost, AlwaysOverInconclusive, OwnTroubleIsFailure, LateNotForTimeoutConnect,
    LateNotForTimeoutTls, LateNotForTimeoutResponse, LateNotForReset, LateNotForClosed,
    LateNotForClosedInAnswer, LateNotFor408, LateForRefused, LateForEveryStatus, TurnsNotCounted,
    RunningTurnNotCounted, DebounceIntervalIgnored, DebounceIntervalKept, DebounceIntervalInHoldDown,
    StaleByStateOnly, StandingLost, ShareUnheard, StandingDoubled, StandingNeverStale, SettledAtOnce, SinceOfTheStart,
    DisabledSaysDown, EndedSaysNothing, MinUpOneFewer, AnyIsAll, BackupNeverStepsDown, PanicNeverEnds,
    OverrideEndsLate, OverrideNeverEnds, OverrideEndUntold, ReturnIgnored, DisabledIsIgnored, DrainStopsRuns,
    DrainRunsNoCommand, DrainIsFailure, DrainStaysWithTheRule, DrainAloneUntold, AbandonForgotten,
    ExtraRunCounts, ExtraRunNumbered, AnswerTwice, AnswerLost, AnswerAsCounted, AnswerTooOld,
    ScheduledSaysExtra, DeadlinesBeforeEvents, RunsBeginAfterEvents,
}

/// The engine's surroundings, tampered with.
#[derive(Debug)]
pub(crate) struct Tampered {
    pub(crate) saboteur: Option<Saboteur>,
    pub(crate) base: Instant,
    pub(crate) rules: Vec<Rule>,
    pub(crate) runs: Vec<Known>,
    held_back: BTreeMap<u64, Vec<Output>>,
}

/// What a saboteur knows of a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) asked: Option<Instant>,
    pub(crate) started: Option<u64>,
    /// Its deadline has come.
    pub(crate) expired: bool,
    /// What its last failure was before it was disguised.
    pub(crate) disguised: Option<Cause>,
    /// Only a hold-down keeps it failed.
    pub(crate) held: bool,
    ended: Option<u64>,
    verdicts: u16,
    pub(crate) state: State,
    over: bool,
    confirmed: bool,
    pub(crate) standing: Option<Standing>,
    pub(crate) standings: u64,
    pub(crate) no_more_runs: bool,
    /// The end of a hold-down that failures extend.
    extended: u64,
    pub(crate) set: Option<Override>,
    /// A run that was under way when another one was asked for.
    pub(crate) too_old: Option<RunId>,
    /// An answer that waits for what its run is counted as.
    pub(crate) answer: Option<Answer>,
}

impl Tampered {
    pub(crate) fn new(saboteur: Option<Saboteur>, rules: &[Rule], base: Instant) -> Self {
        let runs = vec![Known::default(); rules.len()];
        Self { saboteur, base, rules: rules.to_vec(), runs, held_back: BTreeMap::new() }
    }

    /// The rules that the engine is given.
    pub(crate) fn rules(&self, rules: &[Rule]) -> Vec<Rule> {
        let mut rules = rules.to_vec();
        for rule in &mut rules {
            self.alter(rule);
        }
        rules
    }

    fn alter(&self, rule: &mut Rule) {
        let Some(saboteur) = self.saboteur else { return };
        let one_more = |of: NonZeroU16| of.saturating_add(1);
        let one_less = |of: NonZeroU16| NonZeroU16::new(of.get() - 1).unwrap_or(of);
        let terms = &mut *rule.terms;
        let health = &mut terms.health;
        match saboteur {
            Saboteur::IntervalFailIgnored => terms.interval_fail = terms.interval,
            Saboteur::StartDelayIgnored => terms.start_delay = None,
            Saboteur::SpreadIgnored => terms.spread = false,
            Saboteur::DisabledRuns if terms.status == Status::Disabled => terms.status = Status::Enabled,
            Saboteur::FailDebounceOneMore => health.fail_debounce = one_more(health.fail_debounce),
            Saboteur::FailDebounceOneLess => health.fail_debounce = one_less(health.fail_debounce),
            Saboteur::SuccessDebounceOneMore => health.success_debounce = one_more(health.success_debounce),
            Saboteur::SuccessDebounceOneLess => health.success_debounce = one_less(health.success_debounce),
            Saboteur::FailResetIgnored => health.fail_reset = NonZeroU16::MIN,
            Saboteur::CountNeverReset => health.fail_reset = NonZeroU16::MAX,
            Saboteur::HoldDownIgnored => health.hold_down = Duration::ZERO,
            Saboteur::HoldDownMaxIgnored => health.hold_down_max = Duration::from_secs(1_000_000),
            Saboteur::RequiresIgnored => terms.requires.clear(),
            Saboteur::RequiresOnlyFirst => terms.requires.truncate(1),
            Saboteur::GuardIgnored => terms.guard.clear(),
            Saboteur::RunsIgnored => terms.runs = None,
            _ => Self::alter_native(saboteur, rule),
        }
    }

    /// The events that the engine is given for one that happened.
    pub(crate) fn event(&mut self, event: &Event) -> Vec<Event> {
        let run = event.run();
        let known = &mut self.runs[run.rule.index()];
        let Some(saboteur) = self.saboteur else { return vec![event.clone()] };
        let current = RunId { rule: run.rule, run: known.number };
        if let (Event::Exited { at, .. }, true) = (event, run == current) {
            known.ended = Some(ns_of(*at - self.base));
        }
        if let (Event::Started { at, .. }, true) = (event, run == current) {
            known.started = Some(ns_of(*at - self.base));
        }
        match (saboteur, event.clone()) {
            (Saboteur::LateEventAccepted, Event::Exited { ending, at, .. }) => {
                let at = known.asked.map_or(at, |asked| at.max(asked));
                vec![Event::Exited { run: current, at, ending }]
            }
            (Saboteur::ExitLost, Event::Exited { .. }) if run.run.is_multiple_of(16) => Vec::new(),
            (Saboteur::InconclusiveIsFailure, Event::NotStarted { error, .. })
                if !matches!(error, StartError::Unusable(_)) =>
            {
                let at = known.asked.expect("it was asked for");
                vec![Event::Started { run, at }, Event::Exited { run, at, ending: Ending::Exited(127) }]
            }
            (
                Saboteur::UnusableIsInconclusive,
                Event::NotStarted { error: StartError::Unusable(errno), .. },
            ) => {
                vec![Event::NotStarted { run, error: StartError::Spawn(errno) }]
            }
            (Saboteur::InterruptFromDue, Event::Started { at, .. }) => {
                vec![Event::Started { run, at: known.asked.unwrap_or(at) }]
            }
            (Saboteur::InterruptUncounted, Event::Signaled { signal: StopSignal::Interrupt, .. }) => {
                Vec::new()
            }
            (_, event) => self.conclusion(saboteur, event),
        }
    }

    /// What the world and the model see of an output.
    pub(crate) fn output(&mut self, output: Output, now: u64) -> Vec<Output> {
        let Some(saboteur) = self.saboteur else { return vec![output] };
        match self.uncover(output) {
            Output::StartTest { run } => self.start(saboteur, run, now),
            Output::Signal { run, signal } => match (saboteur, signal) {
                (Saboteur::InterruptMissed, StopSignal::Interrupt)
                | (Saboteur::KillMissed, StopSignal::Kill) => Vec::new(),
                (Saboteur::KillTwice, StopSignal::Kill) => vec![Output::Signal { run, signal }; 2],
                _ => vec![Output::Signal { run, signal }],
            },
            Output::Expire { run } => self.expire(saboteur, run, now),
            Output::Change(change) => self.change(saboteur, change, now),
            Output::Standing { rule, standing } => self.standing(saboteur, rule, standing),
            Output::Notice(notice) => self.notice(saboteur, notice, now),
            output @ (Output::Abandon { .. } | Output::OverrideEnded { .. } | Output::Answer(_)) => {
                self.of_operator(saboteur, output)
            }
        }
    }

    fn start(&mut self, saboteur: Saboteur, run: RunId, now: u64) -> Vec<Output> {
        let output = Output::StartTest { run };
        let rule = &self.rules[run.rule.index()];
        let known = &mut self.runs[run.rule.index()];
        known.number = run.run;
        known.expired = false;
        known.asked = Some(self.base + Duration::from_nanos(now));
        if known.over || (saboteur == Saboteur::NeverStartsAgain && run.run == 40) {
            return Vec::new();
        }
        match saboteur {
            Saboteur::StartTwice if run.run.is_multiple_of(32) => vec![output.clone(), output],
            Saboteur::IntervalFromFinish => {
                let at = known.ended.map_or(now, |ended| (ended + ns_of(rule.interval)).max(now));
                self.hold_back(output, at, now)
            }
            _ => vec![output],
        }
    }

    fn change(&mut self, saboteur: Saboteur, change: Change, now: u64) -> Vec<Output> {
        let known = &mut self.runs[change.run.rule.index()];
        let confirmed = change.from == change.to;
        known.state = change.to;
        known.held = false;
        let drained = change.verdict == Verdict::Failure(Cause::Drained);
        let altered = match saboteur {
            Saboteur::DrainRunsNoCommand if drained => return Vec::new(),
            Saboteur::DrainIsFailure if drained => {
                Change { verdict: Verdict::Failure(Cause::ExitStatus(1)), ..change }
            }
            Saboteur::AlwaysConfirmedOnce if confirmed && std::mem::replace(&mut known.confirmed, true) => {
                return Vec::new();
            }
            Saboteur::FromForgotten if change.from != State::Unknown => {
                Change { from: State::Unknown, ..change }
            }
            Saboteur::BlameForgotten => Change { blame: None, ..change },
            Saboteur::HoldDownEndLate if change.elapsed.is_none() && change.verdict == Verdict::Success => {
                return self.hold_back(Output::Change(change), now + 1_000_000, now);
            }
            Saboteur::HoldDownExtended if change.to == State::Success => {
                let at = known.extended;
                return self.hold_back(Output::Change(change), at, now);
            }
            _ => change,
        };
        vec![Output::Change(altered)]
    }

    fn notice(&mut self, saboteur: Saboteur, notice: Notice, now: u64) -> Vec<Output> {
        let output = Output::Notice(notice.clone());
        match (saboteur, notice) {
            (Saboteur::ToldOfUnknown, Notice::Effective { run, from, to: State::Unknown }) => {
                let (to, verdict) = (State::Unknown, Verdict::Success);
                let change = Change { run, from, to, verdict, blame: None, streak: 0, elapsed: None };
                vec![output, Output::Change(change)]
            }
            (Saboteur::GuardInverted, Notice::Verdict { run, verdict, ending, measured, elapsed }) => {
                let guarded = !self.rules[run.rule.index()].guard.is_empty();
                let verdict = match verdict {
                    Verdict::Inconclusive(LocalCause::Guarded) => Verdict::Failure(Cause::ExitStatus(1)),
                    Verdict::Failure(_) if guarded => Verdict::Inconclusive(LocalCause::Guarded),
                    Verdict::Success | Verdict::Failure(_) | Verdict::Inconclusive(_) => verdict,
                };
                vec![Output::Notice(Notice::Verdict { run, verdict, ending, measured, elapsed })]
            }
            (Saboteur::HoldDownExtended, Notice::Verdict { run, verdict: Verdict::Failure(_), .. }) => {
                let hold = ns_of(self.rules[run.rule.index()].health.hold_down);
                let known = &mut self.runs[run.rule.index()];
                if known.state == State::Fail && hold > 0 {
                    known.extended = now + hold;
                }
                vec![output]
            }
            (Saboteur::RunsCountInconclusive, Notice::Verdict { run, .. }) => self.count(run, output),
            (Saboteur::RunsCountInconclusive, Notice::RunsUsedUp { run })
                if self.runs[run.rule.index()].over =>
            {
                Vec::new()
            }
            (Saboteur::EndedSaysNothing, Notice::RunsUsedUp { run } | Notice::CannotStart { run, .. }) => {
                self.last_words(saboteur, run.rule, output)
            }
            (Saboteur::StaleByStateOnly, Notice::Stale { run, age }) => self.stale(run, age, now),
            (Saboteur::DebounceIntervalInHoldDown, Notice::Held { run, .. }) => {
                self.runs[run.rule.index()].held = true;
                vec![output]
            }
            (
                Saboteur::DebounceIntervalInHoldDown,
                Notice::Verdict { run, verdict: Verdict::Failure(_), .. },
            ) => {
                self.runs[run.rule.index()].held = false;
                vec![output]
            }
            (Saboteur::StaleNeverTold, Notice::Stale { .. })
            | (Saboteur::FreshNeverTold, Notice::Fresh { .. }) => Vec::new(),
            (Saboteur::UnreportedNotCounted, Notice::Inconclusive { run, verdict, .. }) => {
                vec![Output::Notice(Notice::Inconclusive { run, verdict, unreported: 0 })]
            }
            (Saboteur::AnswerAsCounted | Saboteur::AnswerTooOld, notice @ Notice::Verdict { .. }) => {
                self.answered(notice)
            }
            _ => vec![output],
        }
    }

    fn count(&mut self, run: RunId, output: Output) -> Vec<Output> {
        let known = &mut self.runs[run.rule.index()];
        known.verdicts += 1;
        if self.rules[run.rule.index()].runs.is_some_and(|runs| runs.get() == known.verdicts) {
            known.over = true;
            return vec![output, Output::Notice(Notice::RunsUsedUp { run })];
        }
        vec![output]
    }

    pub(crate) fn hold_back(&mut self, output: Output, until: u64, now: u64) -> Vec<Output> {
        if until <= now {
            return vec![output];
        }
        self.held_back.entry(until).or_default().push(output);
        Vec::new()
    }

    /// Outputs that were held back until now.
    pub(crate) fn late_outputs(&mut self, now: u64) -> Vec<Output> {
        let later = self.held_back.split_off(&(now + 1));
        std::mem::replace(&mut self.held_back, later).into_values().flatten().collect()
    }

    pub(crate) fn wakes_at(&self) -> Option<u64> {
        self.held_back.keys().next().copied()
    }

    pub(crate) fn notes_stalls(&self) -> bool {
        self.saboteur != Some(Saboteur::StallsNotNoted)
    }

    pub(crate) fn view(&self, mut view: RuleView) -> RuleView {
        let run = view.run;
        for verdict in view.last_verdict.iter_mut().chain(&mut view.reason) {
            self.uncover_verdict(run, verdict);
        }
        match self.saboteur {
            Some(Saboteur::DebounceIntervalInHoldDown) => self.debounced_in_hold_down(run, view),
            Some(Saboteur::MissedNotCounted) => RuleView { missed: 0, ..view },
            Some(Saboteur::ExtraRunNumbered) => RuleView { runs: view.run.run, ..view },
            _ => view,
        }
    }

    pub(crate) fn counters(&self, counters: Counters) -> Counters {
        match self.saboteur {
            Some(Saboteur::MissedNotCounted) => Counters { missed: 0, ..counters },
            _ => counters,
        }
    }
}
