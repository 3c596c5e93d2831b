//! Reload: asked for by SIGHUP or a client of the control socket, read by the loader thread, gone over to between two events of a turn.

use std::fmt;
use std::time::{Duration, Instant};

use log::Level;

use super::probes::Probes;
use super::{Descriptors, Loader, Needs, Reactor, now, ports};
use crate::commands::Request;
use crate::config::Report;
use crate::control::protocol::Reply;
use crate::loader::{Answer, Retired};
use crate::logging;
use crate::now::Now;
use crate::rule::{Fate, Firewall, RuleId, RunAs};
use crate::succession::Succession;
use crate::sys::privilege::Rights;
use crate::writer::Replacement;

/// What clients are told of a reload while hfm ends.
pub(super) const IS_ENDING: &str = "hfm is ending";
/// How long nobody gets the slot of a rule that is gone: what it had started may still be heard of.
const QUARANTINE: Duration = Duration::from_secs(60);

/// Reloads that were asked for, and who waits to hear of them.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    /// Configurations that were gone over to.
    pub(super) done: u64,
    /// Clients that asked before the file was read, by ticket: the reading that goes on is their answer.
    waiting: Vec<u64>,
    /// Clients that asked since; what they have changed in the file may not have been read.
    next: Vec<u64>,
    /// Who asked first for another reload after this one.
    again: Option<&'static str>,
}

/// A configuration, and what the loader finds of it, so that the loop has only to do what takes what runs.
#[derive(Debug)]
pub(super) struct Prepared {
    succession: Succession,
    counts: Counts,
    /// The rights that rules need which are not kept.
    wants: Rights,
    demotes: bool,
    descriptors: Descriptors,
    /// What is to be said of local ports.
    ports: Option<String>,
    /// Whether there are names to be looked up.
    has_names: bool,
}

impl Prepared {
    /// Goes through all rules, which takes its time.
    pub(super) fn of(succession: Succession) -> Self {
        let rules = &succession.rules;
        let others = rules.iter().zip(&succession.fates).filter(|(_, fate)| **fate != Fate::Kept);
        Self {
            counts: Counts::of(&succession),
            wants: Needs::of_rules(others.map(|(rule, _)| rule)),
            demotes: rules.iter().any(|rule| rule.demote.is_some()),
            descriptors: Descriptors::of(rules, succession.change_max).serving(succession.listen),
            ports: ports::told(rules),
            has_names: Probes::look_up(&succession.plans),
            succession,
        }
    }
}

/// What came of a reload, as its clients are told.
struct Outcome {
    /// What is to be known of the new configuration.
    warnings: Vec<String>,
    last: Reply,
}

impl Outcome {
    fn refused(text: String) -> Self {
        Self { warnings: Vec::new(), last: Reply::Refused { text, details: Vec::new() } }
    }

    /// The file has errors.
    fn bad(report: &Report) -> Self {
        let text = match report.total() {
            1 => "the configuration has an error, nothing changes".to_owned(),
            errors => format!("the configuration has {errors} errors, nothing changes"),
        };
        let mut details: Vec<String> = report.headlines().collect();
        let rest = report.total().saturating_sub(details.len());
        if rest > 0 {
            details.push(format!("and {rest} more"));
        }
        Self { warnings: Vec::new(), last: Reply::Refused { text, details } }
    }
}

impl Reactor {
    /// Begins a reload; while one goes on, another one follows it.
    pub(super) fn ask_for_reload(&mut self, by: &'static str) {
        if self.loader.as_ref().is_some_and(Loader::is_busy) {
            self.reloads.again.get_or_insert(by);
        } else {
            self.begin_reload(by);
        }
    }

    /// The same for a client, which is answered when that is over.
    pub(super) fn ask_for_reload_by(&mut self, ticket: u64, now: Now) {
        if self.is_ending() {
            return self.tell_reload(&[ticket], &Outcome::refused(IS_ENDING.to_owned()), now);
        }
        let is_busy = self.loader.as_ref().is_some_and(Loader::is_busy);
        if is_busy { &mut self.reloads.next } else { &mut self.reloads.waiting }.push(ticket);
        self.ask_for_reload("control");
    }

    /// It ends: nobody hears of a reload any more.
    pub(super) fn refuse_reloads(&mut self) {
        let Reloads { done: _, waiting, next, again: _ } = &mut self.reloads;
        let mut tickets = std::mem::take(waiting);
        tickets.append(next);
        self.tell_reload(&tickets, &Outcome::refused(IS_ENDING.to_owned()), now());
    }

    fn tell_reload(&mut self, tickets: &[u64], outcome: &Outcome, now: Now) {
        for ticket in tickets {
            for text in &outcome.warnings {
                self.answer(*ticket, &Reply::Warning { text: text.clone() }, now.mono);
            }
            self.answer(*ticket, &outcome.last, now.mono);
        }
    }

    fn begin_reload(&mut self, by: &str) {
        let Some(loader) = &mut self.loader else {
            self.journal.nothing_to_reload();
            let tickets = std::mem::take(&mut self.reloads.waiting);
            return self.tell_reload(
                &tickets,
                &Outcome::refused("there is no file to read again".to_owned()),
                now(),
            );
        };
        self.journal.reloading(by);
        let (vacated, at) = (&self.vacated, now().mono);
        let is_free = |rule: RuleId| {
            vacated
                .get(rule.index())
                .copied()
                .flatten()
                .is_none_or(|since: Instant| at.saturating_duration_since(since) >= QUARANTINE)
        };
        if let Err(error) = loader.read(self.prober.engine.rules().clone(), is_free) {
            let why = format!("the file cannot be read again: {error}; restart hfm");
            self.journal.reload_refused(format_args!("{why}"));
            let tickets = std::mem::take(&mut self.reloads.waiting);
            self.tell_reload(&tickets, &Outcome::refused(why), now());
            return;
        }
        self.service_reloads();
    }

    /// Takes in what the loader found, if it is done.
    pub(super) fn take_loaded(&mut self) {
        let Some(answer) = self.loader.as_mut().and_then(Loader::poll_answer) else { return };
        let (retired, outcome) = if self.is_ending() {
            (Retired::default(), Outcome::refused(IS_ENDING.to_owned()))
        } else {
            self.go_over(answer)
        };
        if let Some(loader) = &mut self.loader {
            loader.retire(retired);
        }
        let tickets = std::mem::take(&mut self.reloads.waiting);
        self.tell_reload(&tickets, &outcome, now());
        if let Some(by) = self.reloads.again.take().filter(|_| !self.is_ending()) {
            self.reloads.waiting = std::mem::take(&mut self.reloads.next);
            self.begin_reload(by);
        }
    }

    /// Goes over to a new configuration, if it can be; gives back what is left over, and what came of it.
    fn go_over(&mut self, answer: Answer<Prepared>) -> (Retired, Outcome) {
        let (prepared, warnings) = match answer {
            Ok(loaded) => *loaded,
            Err(report) => {
                self.journal.bad_configuration(&report);
                return (Retired::default(), Outcome::bad(&report));
            }
        };
        self.journal.report(Level::Warn, &warnings);
        // What would not start either is told as it is told then.
        let obstacle = || self.obstacle(&prepared).map(|why| format!("{why}; restart hfm"));
        if let Some(why) = prepared.succession.elsewhere.clone().or_else(obstacle) {
            self.journal.reload_refused(format_args!("{why}"));
            let Succession { rules, plans, .. } = prepared.succession;
            return (Retired { plans: plans.plans, rules: Some(rules) }, Outcome::refused(why));
        }
        let from = now();
        // What was decided by the rules of before is about them.
        self.carry_out();
        let Prepared { succession, counts, wants: _, demotes: _, descriptors, ports, has_names } = prepared;
        let Succession {
            rules,
            tests,
            tables,
            plans,
            fates,
            change_max,
            firewall,
            log_format,
            run_as: _,
            control: _,
            listen,
            demotion: _,
            elsewhere: _,
        } = succession;
        let before = self.prober.engine.rules().clone();
        let mut shortages: Vec<(Level, String)> = descriptors.raise().into_iter().collect();
        shortages.extend(ports.map(|line| (Level::Warn, line)));
        let plans = match self.prober.reload(
            rules.clone(),
            plans,
            &fates,
            descriptors.connections_max(),
            has_names,
            from,
        ) {
            Ok(plans) => plans,
            Err(error) => {
                let why = format!("no thread can be had to look up names: {error}");
                self.journal.reload_refused(format_args!("{why}"));
                return (Retired::default(), Outcome::refused(why));
            }
        };
        self.commands.request(Request::Reload { tests, change_max });
        self.journal.replace(rules, &fates);
        logging::set_format(log_format);
        self.set_overrides_again(from);
        self.tables = tables.len();
        if let Some(demoter) = &mut self.demoter {
            demoter.replace(self.prober.engine.rules().clone(), &fates);
        }
        if let Some(writer) = &mut self.writer {
            let carried = fates.iter().map(|fate| matches!(fate, Fate::Kept | Fate::Adjusted)).collect();
            writer.replace(Replacement { tables, carried, reconcile: firewall.reconcile });
        }
        self.firewall = firewall;
        self.serve_status_where(listen);
        self.has_no_rules = counts.rules() == 0;
        self.remember_vacated(&fates, from.mono);
        self.carry_out();
        self.journal.reloaded(&counts, now().mono.saturating_duration_since(from.mono));
        self.reloads.done += 1;
        let mut warnings: Vec<String> = warnings.headlines().collect();
        for (level, line) in shortages {
            log::log!(level, "{line}");
            warnings.extend((level == Level::Warn).then_some(line));
        }
        let outcome = Outcome { warnings, last: Reply::Done { text: format!("reloaded: {counts}") } };
        (Retired { plans, rules: Some(before) }, outcome)
    }

    /// What cannot be had while hfm runs.
    fn obstacle(&self, prepared: &Prepared) -> Option<String> {
        let next = &prepared.succession;
        let Firewall { dataplane, dry_run, reconcile: _, state_dir, slots } = &self.firewall;
        let RunAs { user, group } = &self.run_as;
        let fixed = [
            ("dataplane", *dataplane != next.firewall.dataplane),
            ("dry_run", *dry_run != next.firewall.dry_run),
            ("slots", *slots != next.firewall.slots),
            ("state_dir", *state_dir != next.firewall.state_dir),
            ("user", *user != next.run_as.user),
            ("group", *group != next.run_as.group),
            ("control", self.control_is_at != next.control.path),
            ("demotion", self.demotion_is_at != next.demotion),
        ];
        if let Some((setting, _)) = fixed.iter().find(|(_, differs)| *differs) {
            return Some(format!("'{setting}' cannot change while hfm runs"));
        }
        if self.writer.is_none() && !next.tables.is_empty() {
            return Some("there were no 'tables' when hfm started".to_owned());
        }
        if self.demoter.is_none() && prepared.demotes {
            return Some("no rule had 'demote' when hfm started".to_owned());
        }
        // Rights are given up with the user, those that no rule needed then for good.
        let (has, wants) = (self.needs.reactor, prepared.wants);
        let missing =
            [("mark", wants.net_admin && !has.net_admin), ("interface", wants.net_raw && !has.net_raw)];
        let (setting, _) = missing.iter().find(|(_, is_missing)| *is_missing && user.is_some())?;
        Some(format!(
            "'{setting}' needs a right that hfm gave up when it started, for no rule needed it then"
        ))
    }

    fn remember_vacated(&mut self, fates: &[Fate], at: Instant) {
        self.vacated.resize(fates.len(), None);
        for (vacated, fate) in self.vacated.iter_mut().zip(fates) {
            match fate {
                Fate::Vacated => *vacated = Some(at),
                Fate::New => *vacated = None,
                Fate::Kept | Fate::Adjusted | Fate::Changed | Fate::Vacant => {}
            }
        }
    }
}

/// How many rules went which way.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) kept: usize,
    pub(super) adjusted: usize,
    pub(super) changed: usize,
    pub(super) new: usize,
    pub(super) gone: usize,
}

impl Counts {
    fn of(succession: &Succession) -> Self {
        Self {
            kept: succession.count(Fate::Kept),
            adjusted: succession.count(Fate::Adjusted),
            changed: succession.count(Fate::Changed),
            new: succession.count(Fate::New),
            gone: succession.count(Fate::Vacated),
        }
    }

    pub(super) fn rules(&self) -> usize {
        self.kept + self.adjusted + self.changed + self.new
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, adjusted, changed, new, gone } = self;
        let rules = self.rules();
        let noun = if rules == 1 { "rule" } else { "rules" };
        write!(
            f,
            "{rules} {noun}: {kept} kept, {adjusted} adjusted, {changed} changed, {new} new; {gone} gone"
        )
    }
}
