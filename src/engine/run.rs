//! The life of a run: due, started, signalled, ended, and what its verdict does.

use std::time::{Duration, Instant};

use super::Engine;
use super::asked::{Unanswered, not_started};
use super::effective::{Occasion, Why};
use super::event::{Notice, Output, StartError, StopSignal, Unguarded};
use super::stamp::Stamp;
use super::state::{EndReason, LastStart, Phase, Place, Running};
use crate::health::Step;
use crate::now::Now;
use crate::rule::{Probe, RuleId, RunId, Status, Test};
use crate::schedule;
use crate::verdict::{Ending, Measured, Verdict};

/// A rule tells of its inconclusive runs at most this often.
const INCONCLUSIVE_NOTICE_EVERY: Duration = Duration::from_secs(30);
/// With `interval = 0`, a start that failed for this machine's own trouble is tried again after this.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// How a run ended.
struct Ended {
    verdict: Verdict,
    /// Of its process.
    ending: Option<Ending>,
    /// By its probe.
    measured: Measured,
    elapsed: Duration,
}

impl Engine {
    /// A moment this rule was waiting for may have come: looks at all of them.
    pub(super) fn on_timer(&mut self, rule: RuleId, now: Now) {
        self.look_at_override(rule, now);
        if let Phase::Waiting { due, ready } = self.states[rule.index()].phase
            && due <= self.epoch.stamp(now.mono)
        {
            self.give_up_extra(rule);
            self.start(rule, due, ready);
        }
        self.signal_overdue(rule, now);
        // One that is not scheduled keeps the state that it has.
        if self.states[rule.index()].is_scheduled() {
            self.look_at_hold_down(rule, now);
            self.look_at_staleness(rule, now);
        }
    }

    fn look_at_hold_down(&mut self, rule: RuleId, now: Now) {
        let settings = &self.rules[rule.index()].health;
        let interval = self.states[rule.index()].interval(&self.rules[rule.index()]);
        if let Step::Changed { .. } = self.states[rule.index()].health.handle_timeout(settings, now) {
            self.reschedule(rule, interval, now);
            self.settle_own(rule, None, now);
        }
    }

    fn start(&mut self, rule: RuleId, due: Stamp, ready: Stamp) {
        let state = &mut self.states[rule.index()];
        state.count += 1;
        state.tally.started += 1;
        state.answers = std::mem::take(&mut state.asked);
        state.phase = Phase::Starting { due, ready };
        self.in_flight += 1;
        self.outputs.push_back(Output::StartTest { run: RunId { rule, run: state.count } });
    }

    pub(super) fn on_started(&mut self, rule: RuleId, at: Instant) {
        let state = &mut self.states[rule.index()];
        let Phase::Starting { due, ready } = state.phase else { return };
        let (due, ready) = (self.epoch.instant(due), self.epoch.instant(ready));
        let interval = state.interval(&self.rules[rule.index()]);
        let slot = schedule::slot_of(due, at, interval);
        state.tally.missed += slot.missed;
        self.counters.missed += slot.missed;
        self.counters.behind += schedule::slot_of(ready, at, interval).missed;
        record_lateness(&mut self.lateness, due, at, interval, slot.missed);
        let test = &self.rules[rule.index()].test;
        let mut running = Running::new(test, at, ready);
        if let Test::Probe(probe) = test {
            let next_due = if interval.is_zero() { None } else { slot.due.checked_add(interval) };
            running.expire_at = deadline(at, probe, next_due);
        }
        state.begin(Place { slot_due: slot.due, interval }, running, self.epoch);
    }

    pub(super) fn on_not_started(&mut self, rule: RuleId, error: StartError, now: Now) {
        let state = &mut self.states[rule.index()];
        let Phase::Starting { due, ready } = state.phase else { return };
        let (due, ready) = (self.epoch.instant(due), self.epoch.instant(ready));
        let run = RunId { rule, run: state.count };
        self.in_flight -= 1;
        let found = not_started(error);
        let measured = Measured::default();
        let answer = found.clone().map_err(Unanswered::CannotStart);
        self.answer_scheduled(rule, answer, measured, Duration::ZERO);
        let verdict = match found {
            Ok(verdict) => verdict,
            Err(errno) => {
                self.outputs.push_back(Output::Notice(Notice::CannotStart { run, errno }));
                self.end(rule, EndReason::CannotStart(errno), now);
                return;
            }
        };
        let state = &mut self.states[rule.index()];
        let interval = state.interval(&self.rules[rule.index()]);
        let slot = schedule::slot_of(due, now.mono, interval);
        state.tally.missed += slot.missed;
        self.counters.missed += slot.missed;
        self.counters.behind += schedule::slot_of(ready, now.mono, interval).missed;
        let next = if interval.is_zero() {
            now.mono.checked_add(RETRY_DELAY)
        } else {
            slot.due.checked_add(interval)
        };
        self.wait_until(rule, next, now.mono);
        self.conclude(rule, Ended { verdict, ending: None, measured, elapsed: Duration::ZERO }, now);
    }

    pub(super) fn on_signaled(&mut self, run: RunId, signal: StopSignal) {
        let state = &mut self.states[run.rule.index()];
        if state.running(self.epoch).is_some() {
            state.change_run(self.epoch, |running| running.struck = running.struck.max(Some(signal)));
            self.outputs.push_back(Output::Notice(Notice::Signaled { run, signal }));
        }
    }

    pub(super) fn on_exited(&mut self, rule: RuleId, at: Instant, ending: Ending, now: Now) {
        let Some((place, running)) = self.states[rule.index()].scheduled_run(self.epoch) else { return };
        let found = self.found(rule, &running, at, ending);
        let (measured, elapsed) = (Measured::default(), at.saturating_duration_since(running.started));
        self.answer_scheduled(rule, Ok(found.clone()), measured, elapsed);
        let verdict = self.counts_as(rule, running.started, found);
        self.await_next(rule, place, running, at, now);
        self.conclude(rule, Ended { verdict, ending: Some(ending), measured, elapsed }, now);
    }

    pub(super) fn on_concluded(
        &mut self,
        rule: RuleId,
        at: Instant,
        found: Verdict,
        measured: Measured,
        now: Now,
    ) {
        let Some((place, running)) = self.states[rule.index()].scheduled_run(self.epoch) else { return };
        let found = self.found_by_probe(rule, &running, at, found);
        let elapsed = at.saturating_duration_since(running.started);
        self.answer_scheduled(rule, Ok(found.clone()), measured, elapsed);
        let verdict = self.counts_as(rule, running.started, found);
        self.await_next(rule, place, running, at, now);
        self.conclude(rule, Ended { verdict, ending: None, measured, elapsed }, now);
    }

    /// A run has ended: waits for the next by the interval that counts now.
    fn await_next(&mut self, rule: RuleId, place: Place, running: Running, at: Instant, now: Now) {
        self.in_flight -= 1;
        let Place { slot_due, interval: interval_before } = place;
        let interval = self.states[rule.index()].interval(&self.rules[rule.index()]);
        if interval == interval_before {
            let free = match self.rules[rule.index()].test {
                Test::Command { .. } => at,
                // It had to end by the next due: if it did not, only we keep the next from starting then.
                Test::Probe(_) => running.started,
            };
            self.wait_until(rule, schedule::next_due(slot_due, interval, at), free);
        } else {
            // A hold-down ended while it ran.
            let started = running.started;
            let next =
                schedule::due_after_change(slot_due, started, interval, now.mono, self.epoch.beginning());
            self.wait_until(rule, next, now.mono);
        }
    }

    /// Waits for the next run. A due beyond the reach of the clock never comes.
    fn wait_until(&mut self, rule: RuleId, due: Option<Instant>, ended: Instant) {
        const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);
        let due = due.or_else(|| ended.checked_add(FAR)).unwrap_or(ended);
        let (due, ended) = (self.epoch.stamp(due), self.epoch.stamp(ended));
        self.states[rule.index()].phase = Phase::Waiting { due, ready: due.max(ended) };
    }

    /// After a verdict, or a change of the own state: if that brings another interval, it counts from the
    /// last start. A probe under way has to end by the due that this brings.
    pub(super) fn reschedule(&mut self, rule: RuleId, interval_before: Duration, now: Now) {
        let settings = &self.rules[rule.index()];
        let state = &mut self.states[rule.index()];
        let interval = state.interval(settings);
        let Some(LastStart { slot_due, started }) = state.last_start else { return };
        if interval == interval_before {
            return;
        }
        let (slot_due, started) = (self.epoch.instant(slot_due), self.epoch.instant(started));
        let due = schedule::due_after_change(slot_due, started, interval, now.mono, self.epoch.beginning());
        match (state.phase, &settings.test) {
            (Phase::Waiting { .. }, _) => self.wait_until(rule, due, now.mono),
            (Phase::Running(_), Test::Probe(probe)) => state.change_run(self.epoch, |running| {
                if let Some(at) = &mut running.expire_at {
                    *at = deadline(started, probe, due).unwrap_or(*at);
                }
            }),
            (Phase::Running(_) | Phase::Starting { .. } | Phase::Suspended | Phase::Over(_), _) => {}
        }
    }

    /// Everything that a verdict does. The rule waits for its next run already.
    fn conclude(&mut self, rule: RuleId, ended: Ended, now: Now) {
        let Ended { verdict, ending, measured, elapsed } = ended;
        let run = RunId { rule, run: self.states[rule.index()].count };
        let notice = Notice::Verdict { run, verdict: verdict.clone(), ending, measured, elapsed };
        self.outputs.push_back(Output::Notice(notice));
        self.count(rule, &verdict, now);
        if !verdict.is_conclusive() {
            self.tell_inconclusive(run, verdict, now);
            return;
        }
        let state = &mut self.states[rule.index()];
        state.fresh_since = self.epoch.stamp(now.mono);
        let other_reason = state.past.record(&verdict, elapsed, self.epoch.seconds(now.mono));
        if let Some(reason) = other_reason {
            self.rare.count(rule, reason);
        }
        if let Some(left_s) = measured.certificate_left {
            self.rare.saw_certificate(rule, left_s, elapsed, now);
        }
        let state = &mut self.states[rule.index()];
        let has_returned = verdict == Verdict::Success && state.returning.take().is_some();
        let was_stale = std::mem::take(&mut state.stale);
        self.touch(rule);
        if was_stale {
            self.outputs.push_back(Output::Notice(Notice::Fresh { run }));
        }
        let occasion = Occasion { verdict, elapsed: Some(elapsed) };
        let returned = has_returned.then(|| occasion.clone());
        match self.rules[rule.index()].status {
            Status::AlwaysFail | Status::AlwaysSuccess => self.confirm(rule, occasion),
            Status::Enabled | Status::Disabled => self.apply(rule, occasion, now),
        }
        if returned.is_some() {
            self.settle(rule, returned, now);
        }
        let runs = self.rules[rule.index()].runs;
        if runs.is_some_and(|runs| self.states[rule.index()].tally.conclusive() >= runs.get().into()) {
            self.outputs.push_back(Output::Notice(Notice::RunsUsedUp { run }));
            self.end(rule, EndReason::RunsUsedUp, now);
        }
    }

    /// A verdict of a rule whose state follows its verdicts.
    fn apply(&mut self, rule: RuleId, occasion: Occasion, now: Now) {
        let settings = &self.rules[rule.index()].health;
        let interval = self.states[rule.index()].interval(&self.rules[rule.index()]);
        let state = &mut self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        let step = match occasion.verdict {
            Verdict::Success => state.health.on_success(settings, now),
            Verdict::Failure(_) => state.health.on_failure(settings, now),
            Verdict::Inconclusive(_) => Step::Same,
        };
        self.reschedule(rule, interval, now);
        match step {
            Step::Same => {}
            Step::Debounced { toward, remaining } => {
                self.outputs.push_back(Output::Notice(Notice::Debounced { run, toward, remaining }));
            }
            Step::Held { until } => {
                let remaining = until.saturating_duration_since(now.mono);
                self.outputs.push_back(Output::Notice(Notice::Held { run, remaining }));
            }
            Step::Changed { .. } => self.settle_own(rule, Some(occasion), now),
        }
    }

    /// Settles a rule whose own state changed, and tells of that where nothing else does.
    fn settle_own(&mut self, rule: RuleId, occasion: Option<Occasion>, now: Now) {
        let effective = self.state_of(rule);
        self.settle(rule, occasion, now);
        if self.state_of(rule) == effective {
            let run = RunId { rule, run: self.states[rule.index()].count };
            let own = self.own_state(rule);
            self.outputs.push_back(Output::Notice(Notice::OwnState { run, own, effective }));
        }
    }

    /// A run of a rule whose state is given: its change command runs after each, unless a rule that it
    /// requires is down, or an operator has set something in place of its status.
    fn confirm(&mut self, rule: RuleId, occasion: Occasion) {
        let effective = self.states[rule.index()].effective;
        if effective.state == self.own_state(rule) && effective.why == Why::Own {
            self.announce(rule, Some(occasion));
        }
    }

    fn count(&mut self, rule: RuleId, verdict: &Verdict, now: Now) {
        self.counters.runs += 1;
        match verdict {
            Verdict::Success => {}
            Verdict::Failure(_) => self.counters.failures += 1,
            Verdict::Inconclusive(_) => self.counters.inconclusive += 1,
        }
        let state = &mut self.states[rule.index()];
        let before = state.last;
        state.remember(verdict);
        let is_like = state.last == before;
        state.streak = if is_like { state.streak.saturating_add(1) } else { 1 };
        state.well_since = match (verdict, state.well_since) {
            (Verdict::Success, since) => since.or(Some(self.epoch.stamp(now.mono))),
            (Verdict::Failure(_) | Verdict::Inconclusive(_), _) => None,
        };
        state.tally.count(verdict, self.epoch.stamp(now.mono));
    }

    fn tell_inconclusive(&mut self, run: RunId, verdict: Verdict, now: Now) {
        // It was remembered when it was counted.
        let Some(trouble) = &mut self.states[run.rule.index()].trouble else { return };
        let is_recent = |at| now.mono.saturating_duration_since(at) < INCONCLUSIVE_NOTICE_EVERY;
        if trouble.told.is_some_and(is_recent) {
            trouble.unreported += 1;
            return;
        }
        trouble.told = Some(now.mono);
        let unreported = std::mem::take(&mut trouble.unreported);
        self.outputs.push_back(Output::Notice(Notice::Inconclusive { run, verdict, unreported }));
    }

    /// Tells what has become due of a run's timeouts.
    fn signal_overdue(&mut self, rule: RuleId, now: Now) {
        let state = &mut self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        let outputs = &mut self.outputs;
        state.change_run(self.epoch, |running| {
            for (at, signal) in
                [(&mut running.interrupt_at, StopSignal::Interrupt), (&mut running.kill_at, StopSignal::Kill)]
            {
                if at.is_some_and(|at| at <= now.mono) {
                    *at = None;
                    outputs.push_back(Output::Signal { run, signal });
                }
            }
            if running.expire_at.is_some_and(|at| at <= now.mono) {
                running.expire_at = None;
                outputs.push_back(Output::Expire { run });
            }
        });
    }

    fn look_at_staleness(&mut self, rule: RuleId, now: Now) {
        let state = &mut self.states[rule.index()];
        let fresh_since = self.epoch.instant(state.fresh_since);
        let age = now.mono.saturating_duration_since(fresh_since);
        if state.stale || age < state.stale_after(&self.rules[rule.index()]) {
            return;
        }
        state.stale = true;
        self.touch(rule);
        let state = &self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        self.outputs.push_back(Output::Notice(Notice::Stale { run, age }));
        self.warn_of_guard(rule, Unguarded::Stale);
    }
}

/// When a probe that started at `started` has to end.
fn deadline(started: Instant, probe: &Probe, next_due: Option<Instant>) -> Option<Instant> {
    started.checked_add(probe.timeout).into_iter().chain(next_due).min()
}

/// Records the lateness of a start and of every slot missed before it: what a rule was owed counts, not
/// only what it got.
fn record_lateness(
    histogram: &mut crate::histogram::Histogram,
    due: Instant,
    at: Instant,
    interval: Duration,
    missed: u64,
) {
    /// Slots of one gap that are told apart; the rest of a longer gap counts as late as the last of these.
    const TOLD_APART: u64 = 1000;
    let mut late = at.saturating_duration_since(due);
    histogram.record(late);
    for _ in 0..missed.min(TOLD_APART) {
        late = late.saturating_sub(interval);
        histogram.record(late);
    }
    histogram.record_n(late, missed.saturating_sub(TOLD_APART));
}
