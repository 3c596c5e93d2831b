//! The sentences of the log. Those that hfm's users match on are its own, word for word; what is added
//! follows them as `key=value`.

mod commands;
mod control;
mod demotion;
mod overrides;
mod own;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use log::Level;

use super::limiter::{Kind, Limiter};
use super::shortage::{Of, Shortages};
use crate::engine::{Change, Notice, StopSignal, Unguarded};
use crate::health::State;
use crate::line::{self, Field, Harmless, Line, Value};
use crate::now::Now;
use crate::rule::{Fate, Rule, RuleId, RunId};
use crate::verdict::{Ending, Measured, Verdict};

/// hfm counts instances in nanoseconds from 2015-12-16 00:00 UTC.
const INSTANCE_EPOCH: Duration = Duration::from_secs(1_450_224_000);

/// Knows the rules' names and this instance's number.
#[derive(Debug)]
pub(super) struct Journal {
    rules: Arc<[Rule]>,
    /// Who had slots last that nobody has now: what they started may still be heard of.
    former: HashMap<RuleId, Arc<str>>,
    instance: u64,
    limiter: Limiter,
    shortages: Shortages,
    /// When the turn began: what limits go by.
    now: Instant,
}

impl Journal {
    pub(super) fn new(rules: Arc<[Rule]>, now: Now) -> Self {
        let since = now.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let instance = u64::try_from(since.saturating_sub(INSTANCE_EPOCH).as_nanos()).unwrap_or_default();
        Self {
            rules,
            former: HashMap::new(),
            instance,
            limiter: Limiter::default(),
            shortages: Shortages::default(),
            now: now.mono,
        }
    }

    /// The rules are others now. What was held back of a rule whose slot another one has is forgotten.
    pub(super) fn replace(&mut self, rules: Arc<[Rule]>, fates: &[Fate]) {
        for (slot, fate) in (0..).map(RuleId).zip(fates) {
            match fate {
                Fate::Vacated => _ = self.former.insert(slot, (&*self.rules[slot.index()].name).into()),
                Fate::New => {
                    self.former.remove(&slot);
                    self.limiter.forget(slot);
                }
                Fate::Kept | Fate::Adjusted | Fate::Changed | Fate::Vacant => {}
            }
        }
        self.rules = rules;
    }

    /// When [`turn_begins`](Self::turn_begins) has something to tell by itself.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.limiter.poll_timeout(), self.shortages.poll_timeout()].into_iter().flatten().min()
    }

    /// To be called before everything else in a turn.
    pub(super) fn turn_begins(&mut self, now: Instant) {
        self.now = now;
        for (rule, kind, count) in self.limiter.overdue(now) {
            self.tell_held_back(rule, kind, count);
        }
        for said in self.shortages.overdue(now) {
            self.shortage(&said);
        }
    }

    /// Lines were held back, and nothing like them came since that could say so.
    fn tell_held_back(&self, rule: RuleId, kind: Kind, count: u64) {
        let (name, of) = (self.name(rule), kind.event());
        let line = Line {
            event: "held-back",
            sentence: format_args!("'{name}' {count} more lines of '{of}' were held back"),
            about: &[Field::hidden("rule", Value::Bare(&name))],
            fields: &[
                Field::hidden("of", Value::Bare(&of)),
                Field::hidden("held_back", Value::Number(count)),
            ],
        };
        line::tell(Level::Info, module_path!(), &line);
    }

    /// Something the engine tells.
    pub(super) fn notice(&mut self, notice: &Notice) {
        match *notice {
            Notice::Verdict { run, ref verdict, ending, measured, elapsed } => {
                let failed = matches!(verdict, Verdict::Failure(_));
                match ending {
                    Some(ending) if ending != Ending::Exited(0) => {
                        self.failed(run, verdict, &ending, elapsed)
                    }
                    None if failed => self.failed(run, verdict, verdict, elapsed),
                    Some(_) | None => self.verdict(run, verdict, measured, elapsed),
                }
            }
            Notice::Debounced { run, toward, remaining } => {
                let Some(held_back) = self.admit(Level::Info, run, Kind::Debounced) else { return };
                self.say(
                    Level::Info,
                    run,
                    "debounced",
                    format_args!(
                        "debounced state change to {toward}, require {remaining} more consecutive results"
                    ),
                    &[
                        Field::hidden("toward", Value::State(toward)),
                        Field::hidden("remaining", Value::Number(remaining.into())),
                        held_back,
                    ],
                );
            }
            Notice::Held { run, remaining } => self.say(
                Level::Debug,
                run,
                "held-down",
                format_args!("held down"),
                &[Field::named("remaining", "remaining_ms", Value::Millis(remaining))],
            ),
            Notice::Signaled { run, signal } => self.signaled(run, signal),
            Notice::CannotStart { run, errno } => self.cannot_start(run, errno),
            Notice::RunsUsedUp { run } => self.completed(run),
            Notice::Inconclusive { .. }
            | Notice::OwnState { .. }
            | Notice::Effective { .. }
            | Notice::Stale { .. }
            | Notice::Fresh { .. }
            | Notice::Unguarded { .. } => self.notice_of_ours(notice),
        }
    }

    /// Whether a line that repeats may go out; then how many like it did not, to be told with it.
    fn admit(&mut self, level: Level, run: RunId, kind: Kind) -> Option<Field<'static>> {
        if !line::is_on(level, module_path!()) {
            return None;
        }
        self.limiter.admit(run.rule, kind, self.now).map(held_back)
    }

    fn failed(&mut self, run: RunId, verdict: &Verdict, words: &dyn fmt::Display, elapsed: Duration) {
        let Some(held_back) = self.admit(Level::Info, run, Kind::Failed) else { return };
        self.say(
            Level::Info,
            run,
            "failed",
            format_args!("completed with error: {words}"),
            &[
                Field::hidden("detail", Value::Bare(words)),
                Field::new("reason", Value::Bare(&verdict.reason())),
                Field::named("elapsed", "elapsed_ms", Value::Millis(elapsed)),
                held_back,
            ],
        );
    }

    fn signaled(&mut self, run: RunId, signal: StopSignal) {
        let (level, kind, sentence, word) = match signal {
            StopSignal::Interrupt => (
                Level::Info,
                Kind::Interrupted,
                "interrupt timeout exceeded, issuing interrupt.",
                "interrupt",
            ),
            StopSignal::Kill => (Level::Warn, Kind::Killed, "kill timeout exceeded, issuing kill.", "kill"),
        };
        let Some(held_back) = self.admit(level, run, kind) else { return };
        let signal = Field::hidden("signal", Value::Bare(&word));
        self.say(level, run, "overstayed", format_args!("{sentence}"), &[signal, held_back]);
    }

    /// A change of the effective state.
    pub(super) fn change(&self, change: &Change) {
        let Change { run, from, to, verdict, blame, streak, elapsed } = change;
        let detail = self.detail(verdict, *blame);
        let (level, detail) = match to {
            State::Fail => (Level::Warn, Value::Quoted(&detail)),
            State::Success | State::Unknown => (Level::Info, Value::Nothing),
        };
        let streak = elapsed.map_or(Value::Nothing, |_| Value::Number((*streak).into()));
        self.say(
            level,
            *run,
            "change",
            format_args!("changed state to: {to}"),
            &[
                Field::hidden("state", Value::State(*to)),
                Field::new("previous", Value::State(*from)),
                Field::new("reason", Value::Bare(&verdict.reason())),
                Field::new("detail", detail),
                Field::named("elapsed", "elapsed_ms", Value::millis(*elapsed)),
                Field::new("streak", streak),
            ],
        );
    }

    fn verdict(&self, run: RunId, verdict: &Verdict, measured: Measured, elapsed: Duration) {
        let Measured { resolve, connect, tls, first_byte, certificate_left } = measured;
        let days = certificate_left.map(|seconds| seconds.div_euclid(86_400));
        self.say(
            Level::Debug,
            run,
            "verdict",
            format_args!("verdict={}", verdict.reason()),
            &[
                Field::hidden("reason", Value::Bare(&verdict.reason())),
                Field::named("elapsed", "elapsed_ms", Value::Millis(elapsed)),
                Field::named("resolve", "resolve_ms", Value::millis(resolve)),
                Field::named("connect", "connect_ms", Value::millis(connect)),
                Field::named("tls", "tls_ms", Value::millis(tls)),
                Field::named("first_byte", "first_byte_ms", Value::millis(first_byte)),
                Field::new("certificate_days", days.map_or(Value::Nothing, Value::Signed)),
            ],
        );
    }

    /// Those that hfm does not have.
    fn notice_of_ours(&mut self, notice: &Notice) {
        match *notice {
            Notice::Inconclusive { run, ref verdict, unreported } => {
                self.inconclusive(run, verdict, unreported);
            }
            Notice::OwnState { run, own, effective } => self.say(
                Level::Info,
                run,
                "own-state",
                format_args!("own state changed"),
                &[Field::new("own", Value::State(own)), Field::new("effective", Value::State(effective))],
            ),
            Notice::Effective { run, from, to } => self.say(
                Level::Info,
                run,
                "effective-state",
                format_args!("effective state"),
                &[
                    Field::named("from", "previous", Value::State(from)),
                    Field::named("to", "state", Value::State(to)),
                ],
            ),
            Notice::Stale { run, age } => self.say(
                Level::Warn,
                run,
                "stale",
                format_args!(
                    "stale: no conclusive verdict for {} s, its state may not be true any more",
                    age.as_secs()
                ),
                &[Field::hidden("age_ms", Value::Millis(age))],
            ),
            Notice::Fresh { run } => {
                self.say(Level::Info, run, "fresh", format_args!("not stale any more"), &[]);
            }
            Notice::Unguarded { rule, why } => self.unguarded(rule, why),
            Notice::Verdict { .. }
            | Notice::Debounced { .. }
            | Notice::Held { .. }
            | Notice::Signaled { .. }
            | Notice::CannotStart { .. }
            | Notice::RunsUsedUp { .. } => {}
        }
    }

    fn inconclusive(&mut self, run: RunId, verdict: &Verdict, unreported: u64) {
        // What the whole machine is short of is no matter of each rule's.
        if let Some(of) = Of::verdict(verdict) {
            return self.shortages.note(of, run.rule, self.now);
        }
        self.say(
            Level::Warn,
            run,
            "inconclusive",
            format_args!("inconclusive"),
            &[
                Field::new("reason", Value::Bare(&verdict.reason())),
                Field::new("detail", Value::Quoted(verdict)),
                Field::new("unreported", Value::Number(unreported)),
            ],
        );
    }

    fn unguarded(&self, rule: RuleId, why: Unguarded) {
        let why = match why {
            Unguarded::Disabled => "disabled",
            Unguarded::Ended => "ended",
            Unguarded::Stale => "stale",
        };
        let name = self.name(rule);
        let line = Line {
            event: "unguarded",
            sentence: format_args!(
                "'{name}' is {why} and does not guard: failures of the rules it guards count"
            ),
            about: &[Field::hidden("rule", Value::Bare(&name))],
            fields: &[Field::hidden("why", Value::Bare(&why))],
        };
        line::tell(Level::Warn, module_path!(), &line);
    }

    fn cannot_start(&self, run: RunId, errno: i32) {
        let (name, id) = (self.name(run.rule), self.id(run));
        let what = self.rules[run.rule.index()].test.name();
        let reason = std::io::Error::from_raw_os_error(errno);
        let line = Line {
            event: "not-started",
            sentence: format_args!("'{name}' {id} failed to start, disabling: {what}: {reason}"),
            about: &[Field::hidden("rule", Value::Bare(&name)), Field::hidden("run", Value::Bare(&id))],
            fields: &[
                Field::hidden("test", Value::Bare(&what)),
                Field::hidden("detail", Value::Bare(&reason)),
            ],
        };
        line::tell(Level::Error, module_path!(), &line);
        self.completed(run);
    }

    /// A rule will not run any more.
    fn completed(&self, run: RunId) {
        let (name, id) = (self.name(run.rule), self.id(run));
        let line = Line {
            event: "completed",
            sentence: format_args!("'{name}' completed execution."),
            about: &[Field::hidden("rule", Value::Bare(&name)), Field::hidden("run", Value::Bare(&id))],
            fields: &[],
        };
        line::tell(Level::Info, module_path!(), &line);
    }

    /// A line about a run.
    fn say(
        &self,
        level: Level,
        run: RunId,
        event: &'static str,
        sentence: fmt::Arguments<'_>,
        fields: &[Field<'_>],
    ) {
        let (name, id) = (self.name(run.rule), self.id(run));
        let line = Line {
            event,
            sentence: format_args!("'{name}' run {id} {sentence}"),
            about: &[Field::hidden("rule", Value::Bare(&name)), Field::hidden("run", Value::Bare(&id))],
            fields,
        };
        line::tell(level, module_path!(), &line);
    }

    fn detail<'a>(&'a self, verdict: &'a Verdict, blame: Option<RuleId>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| match blame {
            Some(blame) => write!(f, "requires '{}', which is down", Harmless(self.name(blame))),
            None => write!(f, "{verdict}"),
        })
    }

    fn name(&self, rule: RuleId) -> &str {
        self.former.get(&rule).map_or(&self.rules[rule.index()].name, |name| name)
    }

    fn id(&self, run: RunId) -> impl fmt::Display + '_ {
        let name = Harmless(self.name(run.rule));
        fmt::from_fn(move |f| write!(f, "{:x}:{name}:{:x}", self.instance, run.run))
    }
}

/// How many lines were held back before this one, if any were.
fn held_back(count: u64) -> Field<'static> {
    Field::new("held_back", if count > 0 { Value::Number(count) } else { Value::Nothing })
}
