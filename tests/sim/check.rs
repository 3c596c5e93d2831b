//! Holds what the engine put out and shows against the model.

use std::time::Duration;

use hfm::engine::{Counters, Durations, EndReason, Engine, Notice, Output, RuleView, Set};
use hfm::rule::{Rule, RuleId, RunId, Status};
use hfm::verdict::Verdict;

use crate::effects::{id, probe_timeout};
use crate::model::{MS, Model, Phase, ns_of};

/// Inconclusive runs are told at least this often.
const TOLD_WITHIN: u64 = 60_000 * MS;

impl Model {
    /// All outputs of one turn.
    pub(crate) fn check_outputs(&mut self, outputs: &[Output]) -> Result<(), String> {
        let mut wanted = std::mem::take(&mut self.wanted);
        for output in outputs {
            if let Output::Notice(Notice::Inconclusive { run, verdict, unreported }) = output {
                self.check_inconclusive(*run, verdict, *unreported)?;
                continue;
            }
            let Some(at) = wanted.iter().position(|wanted| self.is_as_wanted(output, wanted)) else {
                return Err(format!("surplus or wrong: {output:?}\n  still wanted: {wanted:?}"));
            };
            wanted.swap_remove(at);
        }
        if let Some(missing) = wanted.first() {
            return Err(format!("missing: {missing:?}"));
        }
        for (run, verdict, ended) in std::mem::take(&mut self.inconclusive) {
            let state = &mut self.states[run.rule.index()];
            state.unreported += 1;
            if state.reported_at.is_none_or(|at| ended - at > TOLD_WITHIN) {
                return Err(format!("{run:?} was inconclusive ({verdict:?}) and nobody was told"));
            }
        }
        self.wanted = wanted;
        self.blamed.clear();
        Ok(())
    }

    fn check_inconclusive(&mut self, run: RunId, verdict: &Verdict, unreported: u64) -> Result<(), String> {
        let Some(at) = self.inconclusive.iter().position(|(of, what, _)| *of == run && what == verdict)
        else {
            return Err(format!("told of {run:?}, which was not inconclusive"));
        };
        let (.., at) = self.inconclusive.swap_remove(at);
        let state = &mut self.states[run.rule.index()];
        if state.unreported != unreported {
            return Err(format!("{run:?}: {unreported} unreported runs, must be {}", state.unreported));
        }
        state.unreported = 0;
        state.reported_at = Some(at);
        Ok(())
    }

    /// The texts do not say which of several required rules is blamed.
    fn is_as_wanted(&self, output: &Output, wanted: &Output) -> bool {
        let mut output = self.leave_out_what_is_open(output);
        if let (Output::Change(change), Output::Change(wanted)) = (&mut output, wanted) {
            let of = |(run, first, _): &&(RunId, Option<RuleId>, Vec<RuleId>)| {
                *run == wanted.run && *first == wanted.blame
            };
            let mut all = self.blamed.iter().filter(of).flat_map(|(.., all)| all);
            if change.blame.is_some_and(|blame| all.any(|of| *of == blame)) {
                change.blame = wanted.blame;
            }
        }
        output == self.leave_out_what_is_open(wanted)
    }

    /// Nor do they say how often a verdict came in a row that is not the rule's own, and how long a run took that
    /// never started.
    fn leave_out_what_is_open(&self, output: &Output) -> Output {
        let mut output = output.clone();
        match &mut output {
            Output::Change(change) if change.elapsed.is_none() => change.streak = 0,
            Output::Notice(Notice::Verdict { run, ending: None, elapsed, .. })
                if probe_timeout(&self.rules[run.rule.index()]).is_none() =>
            {
                *elapsed = Duration::ZERO;
            }
            Output::Notice(_)
            | Output::Change(_)
            | Output::StartTest { .. }
            | Output::Signal { .. }
            | Output::Expire { .. }
            | Output::Abandon { .. }
            | Output::OverrideEnded { .. }
            | Output::Answer(_)
            | Output::Standing { .. } => {}
        }
        output
    }

    /// What can be seen of a rule.
    pub(crate) fn check_view(&self, rule: usize, view: &RuleView) -> Result<(), String> {
        let state = &self.states[rule];
        let (ended, next_due) = match state.phase {
            Phase::Over(reason) => (Some(reason), None),
            Phase::Waiting { due } => (None, Some(due)),
            Phase::Asked { .. } | Phase::Running(_) | Phase::Suspended => (None, None),
        };
        let to_blame = self.to_blame(rule);
        let wanted = RuleView {
            own: self.own(rule),
            effective: state.counted.state,
            effective_since: state.effective_since.map(|at| self.at(at)),
            reason: self.because(rule),
            blame: view.blame.filter(|blame| to_blame.contains(blame)).or(to_blame.first().copied()),
            since: match self.rules[rule].status {
                Status::Enabled => state.history.since().map(|at| self.at(at)),
                Status::Disabled | Status::AlwaysFail | Status::AlwaysSuccess => view.since,
            },
            last_verdict: state.last.clone(),
            last_success: state.last_success.map(|at| self.at(at)),
            run: self.run(rule),
            runs: state.started,
            successes: state.successes,
            failures: state.failures,
            inconclusive: state.inconclusive,
            missed: state.missed,
            running: self.is_in_flight(rule),
            stale: state.stale && !matches!(ended, Some(EndReason::RunsUsedUp | EndReason::CannotStart(_))),
            ended,
            next_due: next_due.map(|due| self.at(due)),
            set: state.set.map(|(kind, until)| Set { kind, until: until.map(|at| self.at(at)) }),
            returning: self.returning(rule).is_some(),
        };
        if *view == wanted {
            return Ok(());
        }
        let due = view.next_due.map(|due| Duration::from_nanos(self.ns(due)));
        let wanted_due = next_due.map(Duration::from_nanos);
        Err(format!(
            "rule {rule} seen as {view:?} (next due {due:?})\n  must be {wanted:?} (next due {wanted_due:?})"
        ))
    }

    pub(crate) fn check_totals(&self, engine: &Engine, counters: Counters) -> Result<(), String> {
        for rule in 0..self.rules.len() {
            self.check_durations(rule, engine.durations(id(rule)))?;
        }
        let wanted = Counters {
            runs: self.totals.runs,
            failures: self.totals.failures,
            inconclusive: self.totals.inconclusive,
            missed: self.totals.missed,
            behind: self.totals.behind,
            in_flight: (0..self.rules.len()).filter(|rule| self.is_in_flight(*rule)).count(),
        };
        if counters != wanted {
            return Err(format!("counted {counters:?}, must be {wanted:?}"));
        }
        let (slots, longest) = (engine.lateness().count(), ns_of(engine.lateness().max()));
        if (slots, longest) != (self.totals.slots, self.totals.lateness_max) {
            let totals = self.totals;
            return Err(format!("lateness of {slots} slots, at most {longest} ns, must be {totals:?}"));
        }
        let finished = self.states.iter().all(|state| matches!(state.phase, Phase::Over(_)));
        if engine.is_finished() != finished {
            return Err(format!("finished is {}, must be {finished}", engine.is_finished()));
        }
        Ok(())
    }

    fn is_in_flight(&self, rule: usize) -> bool {
        let state = &self.states[rule];
        matches!(state.phase, Phase::Asked { .. } | Phase::Running(_)) || state.beside.is_some()
    }

    /// So many of the last runs, and not fewer with less time, took no longer. Times above 4 ms are told to within 0.05 %.
    fn check_durations(&self, rule: usize, durations: Option<Durations>) -> Result<(), String> {
        let took = &self.states[rule].took;
        let last: Vec<u128> = took.iter().rev().take(128).map(Duration::as_micros).collect();
        let Some(Durations { p50, p99 }) = durations else {
            return if last.is_empty() { Ok(()) } else { Err(format!("rule {rule} has taken no time")) };
        };
        for (percent, of) in [(50, p50.as_micros()), (99, p99.as_micros())] {
            let is_enough = |count: usize| count * 100 >= last.len() * percent;
            let inexact = if of < 4_096 { 0 } else { of / 2_000 };
            let within = last.iter().filter(|took| **took <= of + inexact).count();
            let less = last.iter().filter(|took| **took < of - inexact).count();
            if !is_enough(within) || is_enough(less) {
                return Err(format!("{percent} % of {last:?} take {of} us?"));
            }
        }
        Ok(())
    }

    /// When the engine wants to be called: never later than something is due, never at once again.
    pub(crate) fn check_wake(&self, wake: Option<u64>, now: u64) -> Result<(), String> {
        let wanted = self.wakes_at();
        match (wake, wanted) {
            (None, Some(at)) => Err(format!("never wants to be woken, must be at {at} ns")),
            (Some(wake), Some(at)) if wake > at => Err(format!("wakes at {wake} ns, must be at {at} ns")),
            (Some(wake), _) if wake <= now && wanted.is_none_or(|at| at > now) => {
                Err(format!("wants to be called again at once, at {wake} ns, for nothing"))
            }
            (None | Some(_), None | Some(_)) => Ok(()),
        }
    }

    fn at(&self, ns: u64) -> std::time::Instant {
        self.base + Duration::from_nanos(ns)
    }
}

/// Judges the first dues, which the texts leave open only for rules that spread.
pub(crate) fn check_first_dues(rules: &[Rule], dues: &[u64]) -> Result<(), String> {
    let spreads = |rule: &Rule| rule.spread && rule.start_delay.is_none() && rule.status != Status::Disabled;
    let mut groups: Vec<(u64, Vec<u64>)> = Vec::new();
    for (index, (rule, due)) in rules.iter().zip(dues).enumerate() {
        let interval = ns_of(rule.interval);
        if !spreads(rule) {
            let delay = rule.start_delay.map_or(0, ns_of);
            if rule.status != Status::Disabled && *due != delay {
                return Err(format!("{:?} is first due at {due} ns, must be {delay}", id(index)));
            }
            continue;
        }
        if due % MS != 0 || *due >= interval.max(1) {
            return Err(format!("{:?} is first due at {due} ns within an interval of {interval}", id(index)));
        }
        match groups.iter_mut().find(|(of, _)| *of == interval) {
            Some((_, group)) => group.push(*due),
            None => groups.push((interval, vec![*due])),
        }
    }
    for (interval, group) in &mut groups {
        // In which order they come is open.
        group.sort_unstable();
        let even = *interval / group.len() as u64;
        for (at, due) in group.iter().enumerate() {
            let next = group[(at + 1) % group.len()];
            let gap =
                if group.len() == 1 { *interval } else { (next + *interval - due) % (*interval).max(1) };
            if gap.abs_diff(even) > MS {
                return Err(format!("rules of {interval} ns spread as {group:?}"));
            }
        }
    }
    Ok(())
}
