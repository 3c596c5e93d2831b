//! The sentences of the log. Those that hfm's users match on are its own, word for word; what is added
//! follows them as `key=value`.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use log::{debug, error, info, warn};

use crate::commands::{Captured, ChangeNews};
use crate::engine::{Change, Notice, StopSignal, Unguarded};
use crate::health::State;
use crate::rule::{CommandLine, Prefix, Rule, RuleId, RunId, Test};
use crate::verdict::{Ending, Measured, Verdict};

/// hfm counts instances in nanoseconds from 2015-12-16 00:00 UTC.
const INSTANCE_EPOCH: Duration = Duration::from_secs(1_450_224_000);

/// Knows the rules' names and this instance's number.
#[derive(Debug)]
pub(super) struct Journal {
    rules: Arc<[Rule]>,
    instance: u64,
}

impl Journal {
    pub(super) fn new(rules: Arc<[Rule]>, wall: SystemTime) -> Self {
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let instance = u64::try_from(since.saturating_sub(INSTANCE_EPOCH).as_nanos()).unwrap_or_default();
        Self { rules, instance }
    }

    /// The rules are others now.
    pub(super) fn replace(&mut self, rules: Arc<[Rule]>) {
        self.rules = rules;
    }

    /// A change of the effective state.
    pub(super) fn change(&self, change: &Change) {
        let Change { run, from, to, verdict, blame, streak, elapsed } = change;
        let (name, id) = (self.name(run.rule), self.id(*run));
        let mut more = format!(" previous={from} reason={}", verdict.reason());
        if *to == State::Fail {
            let _ = write!(more, " detail={:?}", self.detail(verdict, *blame));
        }
        if let Some(elapsed) = elapsed {
            let _ = write!(more, " elapsed={} streak={streak}", Millis(*elapsed));
        }
        match to {
            State::Fail => warn!("'{name}' run {id} changed state to: {to}{more}"),
            State::Success | State::Unknown => info!("'{name}' run {id} changed state to: {to}{more}"),
        }
    }

    /// A change command that is due and is not run, because of `dry_run`.
    pub(super) fn not_run(&self, run: RunId, command: &CommandLine) {
        let (name, id) = (self.name(run.rule), self.id(run));
        info!("'{name}' run {id} change command would run (dry_run): {}", Escaped(&command.program));
    }

    /// What the change command finds in its environment.
    pub(super) fn environment(&self, change: &Change) -> Vec<(&'static str, String)> {
        let rule = &self.rules[change.run.rule.index()];
        let tables: Vec<&str> = rule.placement.tables.iter().map(|membership| &*membership.table).collect();
        let addresses: Vec<String> = rule.placement.all_addresses().iter().map(Prefix::to_string).collect();
        vec![
            ("HFM_RULE", rule.name.to_string()),
            ("HFM_STATE", change.to.word().to_owned()),
            ("HFM_PREVIOUS", change.from.word().to_owned()),
            ("HFM_REASON", change.verdict.reason().to_owned()),
            ("HFM_DETAIL", self.detail(&change.verdict, change.blame)),
            ("HFM_RUN", self.id(change.run).to_string()),
            ("HFM_TABLES", tables.join(" ")),
            ("HFM_ADDRESSES", addresses.join(" ")),
        ]
    }

    /// Something the engine tells.
    pub(super) fn notice(&self, notice: &Notice) {
        match *notice {
            Notice::Verdict { run, ref verdict, ending, measured, elapsed } => {
                let (name, id) = (self.name(run.rule), self.id(run));
                match ending {
                    Some(ending) if ending != Ending::Exited(0) => {
                        let (reason, took) = (verdict.reason(), Millis(elapsed));
                        info!(
                            "'{name}' run {id} completed with error: {ending} reason={reason} elapsed={took}"
                        );
                    }
                    None if matches!(verdict, Verdict::Failure(_)) => {
                        let (reason, took) = (verdict.reason(), Millis(elapsed));
                        info!(
                            "'{name}' run {id} completed with error: {} reason={reason} elapsed={took}",
                            Escaped(&verdict.to_string())
                        );
                    }
                    Some(_) | None => {
                        let (reason, took) = (verdict.reason(), Millis(elapsed));
                        debug!("'{name}' run {id} verdict={reason} elapsed={took}{}", Phases(measured));
                    }
                }
            }
            Notice::Debounced { run, toward, remaining } => info!(
                "'{}' run {} debounced state change to {toward}, require {remaining} more consecutive results",
                self.name(run.rule),
                self.id(run)
            ),
            Notice::Held { run, remaining } => debug!(
                "'{}' run {} held down remaining={}",
                self.name(run.rule),
                self.id(run),
                Millis(remaining)
            ),
            Notice::Signaled { run, signal } => self.signaled(run, signal),
            Notice::CannotStart { run, errno } => self.cannot_start(run, errno),
            Notice::RunsUsedUp { run } => info!("'{}' completed execution.", self.name(run.rule)),
            Notice::Inconclusive { .. }
            | Notice::OwnState { .. }
            | Notice::Effective { .. }
            | Notice::Stale { .. }
            | Notice::Fresh { .. }
            | Notice::Unguarded { .. } => self.notice_of_ours(notice),
        }
    }

    /// Those that hfm does not have.
    fn notice_of_ours(&self, notice: &Notice) {
        match *notice {
            Notice::Inconclusive { run, ref verdict, unreported } => warn!(
                "'{}' run {} inconclusive reason={} detail={:?} unreported={unreported}",
                self.name(run.rule),
                self.id(run),
                verdict.reason(),
                verdict.to_string()
            ),
            Notice::OwnState { run, own, effective } => info!(
                "'{}' run {} own state changed own={own} effective={effective}",
                self.name(run.rule),
                self.id(run)
            ),
            Notice::Effective { run, from, to } => {
                info!("'{}' run {} effective state from={from} to={to}", self.name(run.rule), self.id(run))
            }
            Notice::Stale { run, age } => warn!(
                "'{}' run {} stale: no conclusive verdict for {} s, its state may not be true any more",
                self.name(run.rule),
                self.id(run),
                age.as_secs()
            ),
            Notice::Fresh { run } => {
                info!("'{}' run {} not stale any more", self.name(run.rule), self.id(run))
            }
            Notice::Unguarded { rule, why } => {
                let why = match why {
                    Unguarded::Disabled => "disabled",
                    Unguarded::Ended => "ended",
                    Unguarded::Stale => "stale",
                };
                let name = self.name(rule);
                warn!("'{name}' is {why} and does not guard: failures of the rules it guards count");
            }
            Notice::Verdict { .. }
            | Notice::Debounced { .. }
            | Notice::Held { .. }
            | Notice::Signaled { .. }
            | Notice::CannotStart { .. }
            | Notice::RunsUsedUp { .. } => {}
        }
    }

    fn signaled(&self, run: RunId, signal: StopSignal) {
        let (name, id) = (self.name(run.rule), self.id(run));
        match signal {
            StopSignal::Interrupt => {
                info!("'{name}' run {id} interrupt timeout exceeded, issuing interrupt.")
            }
            StopSignal::Kill => warn!("'{name}' run {id} kill timeout exceeded, issuing kill."),
        }
    }

    fn cannot_start(&self, run: RunId, errno: i32) {
        let (name, id) = (self.name(run.rule), self.id(run));
        let what = match &self.rules[run.rule.index()].test {
            Test::Command { command, .. } => &command.program,
            Test::Probe(probe) => &probe.url,
        };
        let reason = std::io::Error::from_raw_os_error(errno);
        error!("'{name}' {id} failed to start, disabling: {}: {reason}", Escaped(what));
        info!("'{name}' completed execution.");
    }

    /// What a test or a change command printed.
    pub(super) fn output(&self, run: RunId, change: bool, stdout: &Captured, stderr: &Captured) {
        let (name, id) = (self.name(run.rule), self.id(run));
        let whose = if change { "change command" } else { "test" };
        if !stdout.kept.is_empty() {
            info!("'{name}' run {id} {whose} produced output: {}", Printed(stdout));
        }
        if !stderr.kept.is_empty() {
            error!("'{name}' run {id} {whose} produced error output: {}", Printed(stderr));
        }
    }

    /// Something about a change command.
    pub(super) fn change_news(&self, run: RunId, news: &ChangeNews) {
        let (name, id) = (self.name(run.rule), self.id(run));
        match news {
            ChangeNews::Replaced { by } => {
                warn!(
                    "'{name}' run {id} change command never started: a newer change replaced it by={}",
                    self.id(*by)
                );
            }
            ChangeNews::Beside => {
                error!(
                    "'{name}' run {id} change command starts beside its predecessor, which still runs after 10 s"
                );
            }
            ChangeNews::NotStarted(reason) => {
                error!("'{name}' run {id} change command failed to start: {reason}")
            }
            ChangeNews::Failed(ending) => error!("'{name}' run {id} change command failed: {ending}"),
            ChangeNews::TimedOut(limit) => {
                error!(
                    "'{name}' run {id} change command killed: it ran longer than change_timeout={}",
                    Millis(*limit)
                );
            }
        }
    }

    /// A process that overstays and cannot be ended.
    pub(super) fn not_signaled(&self, run: RunId, pid: u32, reason: &std::io::Error) {
        let (name, id) = (self.name(run.rule), self.id(run));
        error!("'{name}' run {id} cannot signal process {pid}, which overstays: {reason}; end it by hand");
    }

    /// The end of the commands thread.
    pub(super) fn finished(&self, still_running: usize) {
        if still_running > 0 {
            error!("{still_running} change commands still run after 10 s and are left to themselves");
        }
    }

    fn detail(&self, verdict: &Verdict, blame: Option<RuleId>) -> String {
        match blame {
            Some(blame) => format!("requires '{}', which is down", self.name(blame)),
            None => verdict.to_string(),
        }
    }

    fn name(&self, rule: RuleId) -> Escaped<'_> {
        Escaped(&self.rules[rule.index()].name)
    }

    fn id(&self, run: RunId) -> impl fmt::Display + '_ {
        struct Id<'a>(u64, Escaped<'a>, u64);
        impl fmt::Display for Id<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:x}:{}:{:x}", self.0, self.1, self.2)
            }
        }
        Id(self.instance, self.name(run.rule), run.run)
    }
}

/// A duration in milliseconds, to the microsecond.
pub(crate) struct Millis(pub(crate) Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}ms", self.0.as_millis(), self.0.subsec_micros() % 1000)
    }
}

/// The phases of a native run, those that there were.
struct Phases(Measured);

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { resolve, connect, tls, first_byte, certificate_left } = self.0;
        let phases = [("resolve", resolve), ("connect", connect), ("tls", tls), ("first_byte", first_byte)];
        for (name, took) in phases {
            if let Some(took) = took {
                write!(f, " {name}={}", Millis(took))?;
            }
        }
        match certificate_left {
            Some(seconds) => write!(f, " certificate_days={}", seconds.div_euclid(86_400)),
            None => Ok(()),
        }
    }
}

/// Text that is not ours: control characters are escaped, so that it cannot make a line of its own.
#[derive(Clone, Copy)]
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// What a child printed: one last line end is left out, all else is kept and made harmless.
struct Printed<'a>(&'a Captured);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0.kept);
        let text = if self.0.dropped == 0 { text.strip_suffix('\n').unwrap_or(&text) } else { &text };
        Escaped(text).fmt(f)?;
        if self.0.dropped > 0 { write!(f, " dropped_bytes={}", self.0.dropped) } else { Ok(()) }
    }
}
