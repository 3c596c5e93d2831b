//! The life of a run: due, started, signalled, ended, and what its verdict does.

use std::time::{Duration, Instant};

use super::Engine;
use super::effective::Occasion;
use super::event::{Notice, Output, StartError, StopSignal, Unguarded};
use super::state::{EndReason, LastStart, Phase, Running};
use crate::health::Step;
use crate::now::Now;
use crate::rule::{Probe, RuleId, RunId, Status, Test};
use crate::schedule;
use crate::verdict::{Ending, LocalCause, Measured, Verdict};

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
        if let Phase::Waiting { due, ready } = self.states[rule.index()].phase
            && due <= now.mono
        {
            self.start(rule, due, ready);
        }
        self.signal_overdue(rule, now);
        let settings = &self.rules[rule.index()].health;
        let interval = self.states[rule.index()].interval(&self.rules[rule.index()]);
        if let Step::Changed { .. } = self.states[rule.index()].health.handle_timeout(settings, now) {
            self.reschedule(rule, interval, now);
            self.settle_own(rule, None);
        }
        self.look_at_staleness(rule, now);
    }

    fn start(&mut self, rule: RuleId, due: Instant, ready: Instant) {
        let state = &mut self.states[rule.index()];
        state.count += 1;
        state.phase = Phase::Starting { due, ready };
        self.in_flight += 1;
        self.outputs.push_back(Output::StartTest { run: RunId { rule, run: state.count } });
    }

    pub(super) fn on_started(&mut self, rule: RuleId, at: Instant) {
        let state = &mut self.states[rule.index()];
        let Phase::Starting { due, ready } = state.phase else { return };
        let interval = state.interval(&self.rules[rule.index()]);
        let slot = schedule::slot_of(due, at, interval);
        state.missed += slot.missed;
        self.counters.missed += slot.missed;
        record_lateness(&mut self.lateness, due, at, interval, slot.missed);
        let after = |timeout: Option<Duration>| timeout.and_then(|timeout| at.checked_add(timeout));
        let (interrupt_at, kill_at, expire_at) = match &self.rules[rule.index()].test {
            Test::Command { timeout_int, timeout_kill, .. } => {
                (after(*timeout_int), after(*timeout_kill), None)
            }
            Test::Probe(probe) => {
                let next_due = if interval.is_zero() { None } else { slot.due.checked_add(interval) };
                (None, None, deadline(at, probe, next_due))
            }
        };
        state.last_start = Some(LastStart { slot_due: slot.due, started: at });
        state.phase = Phase::Running(Running {
            slot_due: slot.due,
            started: at,
            interval,
            held_up: at.saturating_duration_since(ready),
            interrupt_at,
            kill_at,
            expire_at,
            struck: None,
        });
    }

    pub(super) fn on_not_started(&mut self, rule: RuleId, error: StartError, now: Now) {
        let state = &mut self.states[rule.index()];
        let Phase::Starting { due, .. } = state.phase else { return };
        let run = RunId { rule, run: state.count };
        self.in_flight -= 1;
        let verdict = match error {
            StartError::Unusable(errno) => {
                self.outputs.push_back(Output::Notice(Notice::CannotStart { run, errno }));
                self.end(rule, EndReason::CannotStart);
                // A rule that others require may count for nothing from here on.
                self.settle_dependents(rule);
                return;
            }
            StartError::Descriptors => Verdict::Inconclusive(LocalCause::Descriptors),
            StartError::Spawn(errno) => Verdict::Inconclusive(LocalCause::Spawn(errno)),
        };
        let interval = state.interval(&self.rules[rule.index()]);
        let slot = schedule::slot_of(due, now.mono, interval);
        state.missed += slot.missed;
        self.counters.missed += slot.missed;
        let next = if interval.is_zero() {
            now.mono.checked_add(RETRY_DELAY)
        } else {
            slot.due.checked_add(interval)
        };
        self.wait_until(rule, next, now.mono);
        self.conclude(
            rule,
            Ended { verdict, ending: None, measured: Measured::default(), elapsed: Duration::ZERO },
            now,
        );
    }

    pub(super) fn on_signaled(&mut self, run: RunId, signal: StopSignal) {
        if let Phase::Running(running) = &mut self.states[run.rule.index()].phase {
            running.struck = running.struck.max(Some(signal));
            self.outputs.push_back(Output::Notice(Notice::Signaled { run, signal }));
        }
    }

    pub(super) fn on_exited(&mut self, rule: RuleId, at: Instant, ending: Ending, now: Now) {
        let Phase::Running(running) = self.states[rule.index()].phase else { return };
        let verdict = self.judge(rule, &running, at, ending);
        let elapsed = at.saturating_duration_since(running.started);
        self.await_next(rule, &running, at, now);
        self.conclude(
            rule,
            Ended { verdict, ending: Some(ending), measured: Measured::default(), elapsed },
            now,
        );
    }

    pub(super) fn on_concluded(
        &mut self,
        rule: RuleId,
        at: Instant,
        found: Verdict,
        measured: Measured,
        now: Now,
    ) {
        let Phase::Running(running) = self.states[rule.index()].phase else { return };
        let verdict = self.judge_probe(rule, &running, at, found);
        let elapsed = at.saturating_duration_since(running.started);
        self.await_next(rule, &running, at, now);
        self.conclude(rule, Ended { verdict, ending: None, measured, elapsed }, now);
    }

    /// A run has ended: waits for the next by the interval that counts now.
    fn await_next(&mut self, rule: RuleId, running: &Running, at: Instant, now: Now) {
        self.in_flight -= 1;
        let interval = self.states[rule.index()].interval(&self.rules[rule.index()]);
        if interval == running.interval {
            let free = match self.rules[rule.index()].test {
                Test::Command { .. } => at,
                // It had to end by the next due: if it did not, only we keep the next from starting then.
                Test::Probe(_) => running.started,
            };
            self.wait_until(rule, schedule::next_due(running.slot_due, interval, at), free);
        } else {
            // A hold-down ended while it ran.
            let (slot_due, started) = (running.slot_due, running.started);
            let next = schedule::due_after_change(slot_due, started, interval, now.mono, self.epoch);
            self.wait_until(rule, next, now.mono);
        }
    }

    /// Waits for the next run. A due beyond the reach of the clock never comes.
    fn wait_until(&mut self, rule: RuleId, due: Option<Instant>, ended: Instant) {
        const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);
        let due = due.or_else(|| ended.checked_add(FAR)).unwrap_or(ended);
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
        let due = schedule::due_after_change(slot_due, started, interval, now.mono, self.epoch);
        match (&mut state.phase, &settings.test) {
            (Phase::Waiting { .. }, _) => self.wait_until(rule, due, now.mono),
            (Phase::Running(Running { expire_at: Some(at), .. }), Test::Probe(probe)) => {
                *at = deadline(started, probe, due).unwrap_or(*at);
            }
            (Phase::Running(_) | Phase::Starting { .. } | Phase::Over(_), _) => {}
        }
    }

    /// Everything that a verdict does. The rule waits for its next run already.
    fn conclude(&mut self, rule: RuleId, ended: Ended, now: Now) {
        let Ended { verdict, ending, measured, elapsed } = ended;
        let run = RunId { rule, run: self.states[rule.index()].count };
        let notice = Notice::Verdict { run, verdict: verdict.clone(), ending, measured, elapsed };
        self.outputs.push_back(Output::Notice(notice));
        self.count(rule, &verdict);
        if !verdict.is_conclusive() {
            self.tell_inconclusive(run, verdict, now);
            return;
        }
        let state = &mut self.states[rule.index()];
        state.fresh_since = now.mono;
        state.conclusive = state.conclusive.saturating_add(1);
        let was_stale = std::mem::take(&mut state.stale);
        self.touch(rule);
        if was_stale {
            self.outputs.push_back(Output::Notice(Notice::Fresh { run }));
        }
        let occasion = Occasion { verdict, elapsed: Some(elapsed) };
        match self.rules[rule.index()].status {
            Status::AlwaysFail | Status::AlwaysSuccess => self.confirm(rule, occasion),
            Status::Enabled | Status::Disabled => self.apply(rule, occasion, now),
        }
        let runs = self.rules[rule.index()].runs;
        if runs.is_some_and(|runs| self.states[rule.index()].conclusive >= u32::from(runs.get())) {
            self.end(rule, EndReason::RunsUsedUp);
            self.outputs.push_back(Output::Notice(Notice::RunsUsedUp { run }));
            self.settle_dependents(rule);
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
            Step::Changed { .. } => self.settle_own(rule, Some(occasion)),
        }
    }

    /// Settles a rule whose own state changed, and tells of that where nothing else does.
    fn settle_own(&mut self, rule: RuleId, occasion: Option<Occasion>) {
        let effective = self.states[rule.index()].effective;
        self.settle(rule, occasion);
        if self.states[rule.index()].effective == effective {
            let run = RunId { rule, run: self.states[rule.index()].count };
            let own = self.own_state(rule);
            self.outputs.push_back(Output::Notice(Notice::OwnState { run, own, effective }));
        }
    }

    /// A run of a rule whose state is given: its change command runs after each, unless a rule that it
    /// requires is down.
    fn confirm(&mut self, rule: RuleId, occasion: Occasion) {
        let own = self.own_state(rule);
        if self.states[rule.index()].effective == own {
            self.announce(rule, own, None, Some(occasion));
        }
    }

    fn settle_dependents(&mut self, rule: RuleId) {
        for index in 0..self.dependents[rule.index()].len() {
            self.settle(self.dependents[rule.index()][index], None);
        }
    }

    fn count(&mut self, rule: RuleId, verdict: &Verdict) {
        self.counters.runs += 1;
        match verdict {
            Verdict::Success => {}
            Verdict::Failure(_) => self.counters.failures += 1,
            Verdict::Inconclusive(_) => self.counters.inconclusive += 1,
        }
        let state = &mut self.states[rule.index()];
        let like = |a: &Verdict| std::mem::discriminant(a) == std::mem::discriminant(verdict);
        let is_like = state.last_verdict.as_ref().is_some_and(like);
        state.streak = if is_like { state.streak.saturating_add(1) } else { 1 };
        state.last_verdict = Some(verdict.clone());
    }

    fn tell_inconclusive(&mut self, run: RunId, verdict: Verdict, now: Now) {
        let state = &mut self.states[run.rule.index()];
        let told = state.last_inconclusive_notice;
        if told.is_some_and(|at| now.mono.saturating_duration_since(at) < INCONCLUSIVE_NOTICE_EVERY) {
            state.unreported += 1;
            return;
        }
        state.last_inconclusive_notice = Some(now.mono);
        let unreported = std::mem::take(&mut state.unreported);
        self.outputs.push_back(Output::Notice(Notice::Inconclusive { run, verdict, unreported }));
    }

    /// Tells what has become due of a run's timeouts.
    fn signal_overdue(&mut self, rule: RuleId, now: Now) {
        let state = &mut self.states[rule.index()];
        let run = RunId { rule, run: state.count };
        let Phase::Running(running) = &mut state.phase else { return };
        for (at, signal) in
            [(&mut running.interrupt_at, StopSignal::Interrupt), (&mut running.kill_at, StopSignal::Kill)]
        {
            if at.is_some_and(|at| at <= now.mono) {
                *at = None;
                self.outputs.push_back(Output::Signal { run, signal });
            }
        }
        if running.expire_at.is_some_and(|at| at <= now.mono) {
            running.expire_at = None;
            self.outputs.push_back(Output::Expire { run });
        }
    }

    fn look_at_staleness(&mut self, rule: RuleId, now: Now) {
        let state = &mut self.states[rule.index()];
        let age = now.mono.saturating_duration_since(state.fresh_since);
        if state.stale || state.is_over() || age < state.stale_after(&self.rules[rule.index()]) {
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
