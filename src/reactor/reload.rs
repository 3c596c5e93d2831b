//! Reload: asked for by SIGHUP, read by the loader thread, gone over to between two events of a turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;

use super::{Needs, Reactor, now, test_command};
use crate::commands::Request;
use crate::loader::{Answer, Retired};
use crate::logging;
use crate::rule::{Configuration, Fate, Firewall, Rule, RuleId, RunAs};
use crate::succession::Succession;
use crate::writer::Replacement;

/// How long nobody gets the slot of a rule that is gone: what it had started may still be heard of.
const QUARANTINE: Duration = Duration::from_secs(60);

impl Reactor {
    /// Begins a reload; while one goes on, another one follows it.
    pub(super) fn ask_for_reload(&mut self) {
        let Some(loader) = &mut self.loader else {
            return self.journal.nothing_to_reload();
        };
        if loader.is_busy() {
            self.reload_again = true;
            return;
        }
        self.journal.reloading();
        let (vacated, at) = (&self.vacated, now().mono);
        let is_free = |rule: RuleId| {
            vacated
                .get(rule.index())
                .copied()
                .flatten()
                .is_none_or(|since: Instant| at.saturating_duration_since(since) >= QUARANTINE)
        };
        if let Err(error) = loader.start(self.prober.engine.rules().clone(), is_free) {
            self.journal.reload_refused(format_args!("no thread can be had to read the file: {error}"));
        }
    }

    /// Takes in what the loader found, if it is done.
    pub(super) fn take_loaded(&mut self) {
        let Some(answer) = self.loader.as_mut().and_then(super::Loader::poll_answer) else { return };
        let retired = if self.finish_by.is_some() { Retired::default() } else { self.go_over(answer) };
        if let Some(loader) = &mut self.loader {
            loader.retire(retired);
        }
        if std::mem::take(&mut self.reload_again) && self.finish_by.is_none() {
            self.ask_for_reload();
        }
    }

    /// Goes over to a new configuration, if it can be; gives back what is left over.
    fn go_over(&mut self, answer: Answer) -> Retired {
        let (succession, warnings) = match answer {
            Ok(loaded) => *loaded,
            Err(report) => {
                self.journal.bad_configuration(&report);
                return Retired::default();
            }
        };
        self.journal.report(Level::Warn, &warnings);
        if let Some(why) = self.obstacle(&succession.configuration) {
            self.journal.reload_refused(format_args!("{why}; restart hfm"));
            return Retired::default();
        }
        let from = now();
        // What was decided by the rules of before is about them.
        self.carry_out();
        let counts = Counts::of(&succession);
        let Succession { configuration, plans, fates } = succession;
        let Configuration { rules, change_max, tables, firewall, run_as: _, log_format } = configuration;
        let rules: Arc<[Rule]> = rules.into();
        let before = self.prober.engine.rules().clone();
        let plans = match self.prober.reload(rules.clone(), plans, &fates, from) {
            Ok(plans) => plans,
            Err(error) => {
                self.journal.reload_refused(format_args!("no thread can be had to look up names: {error}"));
                return Retired::default();
            }
        };
        let tests = rules.iter().map(test_command).collect();
        self.commands.request(Request::Reload { tests, change_max });
        self.journal.replace(rules);
        logging::set_format(log_format);
        if let Some(writer) = &mut self.writer {
            let carried = fates.iter().map(|fate| matches!(fate, Fate::Kept | Fate::Adjusted)).collect();
            writer.replace(Replacement { tables: tables.into(), carried, reconcile: firewall.reconcile });
        }
        self.firewall = firewall;
        self.has_no_rules = counts.rules() == 0;
        self.remember_vacated(&fates, from.mono);
        self.carry_out();
        self.journal.reloaded(&counts, now().mono.saturating_duration_since(from.mono));
        Retired { plans, rules: Some(before) }
    }

    /// What cannot be had while hfm runs.
    fn obstacle(&self, next: &Configuration) -> Option<String> {
        let Firewall { dataplane, dry_run, reconcile: _, state_dir } = &self.firewall;
        let RunAs { user, group } = &self.run_as;
        let fixed = [
            ("dataplane", *dataplane != next.firewall.dataplane),
            ("dry_run", *dry_run != next.firewall.dry_run),
            ("state_dir", *state_dir != next.firewall.state_dir),
            ("user", *user != next.run_as.user),
            ("group", *group != next.run_as.group),
        ];
        if let Some((setting, _)) = fixed.iter().find(|(_, differs)| *differs) {
            return Some(format!("'{setting}' cannot change while hfm runs"));
        }
        if self.writer.is_none() && !next.tables.is_empty() {
            return Some("there were no 'tables' when hfm started".to_owned());
        }
        // Rights are given up with the user, those that no rule needed then for good.
        let (has, wants) = (self.needs.reactor, Needs::of(next).reactor);
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
