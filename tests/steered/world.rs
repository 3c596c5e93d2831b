//! The built hfm and hfmctl, a firewall and targets: carries out a history and looks at what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::configuration::{Configuration, Terms, address, changes_file, table};
use crate::firewall::{Firewall, Target};
use crate::harness::{Daemon, pause};
use crate::history::{History, TARGETS};
use crate::model::{Announced, Model, Override};
use crate::sabotage::Sabotage;
use crate::step::{Broken, Lasts, Step};
use crate::talk::Home;

/// Runs that every tested rule has after all is as it must be, before that is believed.
const RUNS_MORE: u64 = 2;
/// Lines of the log that a failure prints.
const LOG_LINES: usize = 40;

pub(crate) struct World {
    /// Ended before its directory goes.
    daemon: Option<Daemon>,
    home: Home,
    firewall: Firewall,
    /// Each with whether it is open.
    targets: Vec<(Target, bool)>,
    terms: Terms,
    /// What the files say.
    configuration: Configuration,
    patience: Duration,
    sabotage: Option<Sabotage>,
}

#[expect(clippy::disallowed_methods, reason = "a test of the real program waits in real time")]
fn now() -> Instant {
    Instant::now()
}

impl World {
    pub(crate) fn new(name: &str, history: &History, patience: Duration, sabotage: Option<Sabotage>) -> Self {
        let home = Home::new(name);
        fs::create_dir(home.0.path.join("changes")).expect("a directory for what changes leave");
        let model = &history.model;
        let firewall = Firewall::new(&home.0, &[]);
        for (number, state) in model.tables.iter().enumerate() {
            let contents: Vec<&str> = state.contents.iter().map(String::as_str).collect();
            firewall.make(&table(number), &contents);
        }
        let target = |open: &bool| (if *open { Target::open() } else { Target::closed() }, *open);
        let mut terms = model.terms.clone();
        if let Some(sabotage) = sabotage {
            sabotage.falsify(&mut terms);
        }
        assert_eq!(model.open.len(), TARGETS);
        let targets = model.open.iter().map(target).collect();
        let configuration = model.configuration.clone();
        Self { home, firewall, targets, daemon: None, terms, configuration, patience, sabotage }
    }

    /// The two files, as the configuration has them.
    fn texts(&self) -> (String, String) {
        let directory = &self.home.0.path;
        let ports: Vec<u16> = self.targets.iter().map(|(target, _)| target.port).collect();
        let text = |included| self.configuration.text(&self.terms, included, &ports, directory);
        let head =
            format!("dataplane = pfctl\nstate_dir = \"{}/state\"\nreconcile = 500ms\n", directory.display());
        let include = format!(".include \"{}/more.conf\"\n", directory.display());
        (self.home.configuration(&format!("{head}{}{include}", text(false))), text(true))
    }

    fn write(&self) {
        let (text, more) = self.texts();
        self.home.0.write("hfm.conf", &text);
        self.home.0.write("more.conf", &more);
    }

    pub(crate) fn start(&mut self) -> Result<(), String> {
        self.write();
        let mut command = self.home.0.hfm(&self.texts().0);
        self.firewall.lead(&mut command);
        let mut daemon = self.home.0.start_command(command);
        let until = now() + self.patience;
        while UnixStream::connect(self.home.socket()).is_err() {
            if !daemon.is_running() || now() > until {
                return Err(format!("hfm does not start:\n{}", daemon.log()));
            }
            pause(Duration::from_millis(5));
        }
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Runs hfmctl, which must end so.
    fn control(&self, arguments: &[&str], code: i32) -> Result<(), String> {
        let output = Command::new(env!("CARGO_BIN_EXE_hfmctl"))
            .arg("-s")
            .arg(self.home.socket())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("hfmctl runs");
        if output.status.code() == Some(code) {
            return Ok(());
        }
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Err(format!("hfmctl {arguments:?} ends with {:?}, not {code}: {said}", output.status.code()))
    }

    pub(crate) fn carry_out(&mut self, step: &Step) -> Result<(), String> {
        let fake = self.sabotage;
        match step {
            Step::Toggle(target) => {
                let (target, is_open) = &mut self.targets[*target];
                *is_open = !*is_open;
                target.set(*is_open);
                Ok(())
            }
            Step::Reload(_, new) => {
                if fake != Some(Sabotage::DropReload) {
                    self.configuration = new.clone();
                }
                self.write();
                self.control(&["reload"], 0)
            }
            Step::Broken(how) => self.reload_broken(*how),
            Step::Drain { .. } if fake == Some(Sabotage::ForgetDrain) => Ok(()),
            Step::Drain { rules, lasts, force, is_refused } => {
                let force = *force || fake == Some(Sabotage::ForceDrains);
                let mut arguments = vec!["drain", rules, "--reason", "a history"];
                arguments.extend_from_slice(duration(*lasts));
                arguments.extend(force.then_some("--force"));
                self.control(&arguments, i32::from(*is_refused))
            }
            Step::Set { rules, kind, lasts } => {
                let is_turned = fake == Some(Sabotage::TurnSets);
                let mut arguments: Vec<&str> = match kind {
                    Override::Drained | Override::Disabled => vec!["disable", rules],
                    Override::AlwaysFail if is_turned => vec!["set", rules, "always-success"],
                    Override::AlwaysFail => vec!["set", rules, "always-fail"],
                    Override::AlwaysSuccess => vec!["set", rules, "always-success"],
                };
                arguments.extend_from_slice(duration(*lasts));
                self.control(&arguments, 0)
            }
            Step::Enable { .. } if fake == Some(Sabotage::EnableAll) => self.control(&["enable", "*"], 0),
            Step::Enable { rules } => self.control(&["enable", rules], 0),
            Step::Foreign { table: number, address, comes } => {
                let what = if *comes { "add" } else { "delete" };
                self.firewall.operator(&table(*number), &[what, address]);
                Ok(())
            }
            Step::Tamper { table: number, address: place, comes, ask } => {
                let what = if *comes { "add" } else { "delete" };
                self.firewall.operator(&table(*number), &[what, &address(*place)]);
                if *ask { self.control(&["reconcile"], 0) } else { Ok(()) }
            }
            Step::Kill => self.end(Signal::SIGKILL),
            Step::Terminate => self.end(Signal::SIGTERM),
        }
    }

    fn end(&mut self, signal: Signal) -> Result<(), String> {
        let mut daemon = self.daemon.take().expect("hfm runs");
        daemon.signal(signal);
        let status = daemon.wait();
        if signal == Signal::SIGTERM && !status.success() {
            return Err(format!("hfm ends with {status}:\n{}", daemon.log()));
        }
        fs::rename(self.home.0.path.join("log"), self.home.0.path.join("log.before")).expect("a log");
        if let Some(sabotage) = self.sabotage {
            sabotage.at_the_end(&self.home.0.path);
        }
        self.start()
    }

    fn reload_broken(&self, how: Broken) -> Result<(), String> {
        let (text, _) = self.texts();
        let broken = match how {
            Broken::Cut => format!("{text}cut {{ test = \"true\""),
            Broken::Scheme => format!("{text}scheme {{ test = \"tpc://127.0.0.1:1\" }}\n"),
            Broken::NoInclude => text.replace("more.conf", "none.conf"),
            Broken::Blank => String::new(),
            Broken::Plane => text.replace("dataplane = pfctl", "dataplane = memory"),
        };
        fs::write(self.home.0.path.join("hfm.conf"), broken).expect("a file");
        let ended = self.control(&["reload"], 1);
        self.write();
        ended
    }

    /// Waits until all is as the model has it, and stays so while every rule that is tested has run again.
    pub(crate) fn compare(&self, model: &Model) -> Result<(), String> {
        let until = now() + self.patience;
        let mut runs: Option<BTreeMap<String, u64>> = None;
        loop {
            let rows = self.rows();
            match (self.difference(model, &rows), &runs) {
                (None, Some(before)) if has_run(model, before, &rows) => return Ok(()),
                (None, Some(_)) => {}
                (None, None) => {
                    runs = Some(rows.iter().map(|(name, row)| (name.clone(), count(row))).collect())
                }
                (Some(difference), _) if now() > until => return Err(difference),
                (Some(_), _) => runs = None,
            }
            if now() > until + self.patience {
                return Err("rules do not run, or nothing comes to rest".to_owned());
            }
            pause(Duration::from_millis(10));
        }
    }

    fn rows(&self) -> BTreeMap<String, Value> {
        let answer = self.ask(r#"{"command":"status"}"#);
        let rows = answer.into_iter().filter(|line| line["type"] == "rule");
        rows.map(|row| (row["rule"].as_str().expect("a name").to_owned(), row)).collect()
    }

    /// Asks; who is not answered tells what hfm has said until then.
    fn ask(&self, request: &str) -> Vec<Value> {
        let answer = std::panic::catch_unwind(|| self.home.talk().ask(request));
        answer.unwrap_or_else(|_| panic!("{request} is not answered:\n{}", self.story()))
    }

    /// How many addresses of others hfm knows of, for each table.
    fn others(&self) -> BTreeMap<String, Option<u64>> {
        let answer = self.ask(r#"{"command":"tables"}"#);
        let rows = answer.into_iter().filter(|line| line["type"] == "table");
        rows.map(|row| (row["table"].as_str().expect("a name").to_owned(), row["others"].as_u64())).collect()
    }

    fn difference(&self, model: &Model, rows: &BTreeMap<String, Value>) -> Option<String> {
        let word = |up: Option<bool>| up.map_or("unknown", |up| if up { "success" } else { "fail" });
        for rule in &model.configuration.rules {
            let Some(row) = rows.get(&rule.name) else {
                return Some(format!("'{}' is not there", rule.name));
            };
            let set = model.overrides.get(&rule.name).map_or(Value::Null, |kind| kind_word(*kind).into());
            let is = (&row["state"], &row["own"], &row["override"]["kind"]);
            let must = (word(model.state(rule).up), word(model.own(rule)), &set);
            if is != (&must.0.into(), &must.1.into(), must.2) {
                return Some(format!("'{}' (state, own, set) is {is:?} and must be {must:?}", rule.name));
            }
        }
        if let Some(more) = rows.keys().find(|name| model.configuration.find(name).is_none()) {
            return Some(format!("'{more}' is there"));
        }
        for (number, state) in model.tables.iter().enumerate() {
            let held =
                fs::read_to_string(self.home.0.path.join("pf").join(table(number))).unwrap_or_default();
            let held: BTreeSet<String> = held.lines().map(str::to_owned).collect();
            if held != state.contents {
                let name = table(number);
                return Some(format!("table {name} holds {held:?} and must hold {:?}", state.contents));
            }
        }
        let others = self.others();
        for number in 0..model.tables.len() {
            let (name, must) = (table(number), model.others(number).map(|count| Some(count as u64)));
            if others.get(&name) != must.as_ref() {
                return Some(format!(
                    "table {name}: hfm knows of {others:?} addresses of others, not {must:?}"
                ));
            }
        }
        let files = fs::read_dir(self.home.0.path.join("changes")).expect("a directory").count();
        let mut known = 0;
        for (name, announced) in &model.changes {
            let path = changes_file(&self.home.0.path, name);
            known += usize::from(path.exists());
            let text = fs::read_to_string(path).unwrap_or_default();
            let words: Vec<&str> = text.lines().collect();
            if !is_announced(announced, &words) {
                return Some(format!("'{name}' has announced {words:?} and must have {announced:?}"));
            }
        }
        (files != known).then(|| "a rule has announced a change and must not have".to_owned())
    }

    /// What a failure is understood by.
    pub(crate) fn story(&self) -> String {
        let (text, more) = self.texts();
        let log = |name: &str| {
            let log = self.home.0.read(name);
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
        };
        let is_there = UnixStream::connect(self.home.socket()).is_ok();
        let tables = is_there.then(|| self.home.talk().ask(r#"{"command":"tables"}"#));
        let tables: String = tables.iter().flatten().map(|line| format!("{line}\n")).collect();
        format!("{text}--\n{more}--\n{}\n--\n{}\n--\n{tables}", log("log.before"), log("log"))
    }
}

fn duration(lasts: Lasts) -> &'static [&'static str] {
    match lasts {
        Lasts::On => &[],
        Lasts::Long => &["--for", "1h"],
        Lasts::Short => &["--for", "1s"],
    }
}

fn kind_word(kind: Override) -> &'static str {
    match kind {
        Override::Drained => "drained",
        Override::Disabled => "disabled",
        Override::AlwaysFail => "always-fail",
        Override::AlwaysSuccess => "always-success",
    }
}

fn count(row: &Value) -> u64 {
    row["runs"].as_u64().expect("a number")
}

fn has_run(model: &Model, before: &BTreeMap<String, u64>, rows: &BTreeMap<String, Value>) -> bool {
    model.configuration.rules.iter().filter(|rule| model.is_tested(rule)).all(|rule| {
        let runs = |rows: Option<u64>| rows.expect("it was there");
        runs(rows.get(&rule.name).map(count)) >= runs(before.get(&rule.name).copied()) + RUNS_MORE
    })
}

/// Whether these words are what was to be announced.
fn is_announced(announced: &[Announced], words: &[&str]) -> bool {
    let Some((first, rest)) = announced.split_first() else { return words.is_empty() };
    let word = if first.up { "success" } else { "fail" };
    words.split_first().is_some_and(|(said, words)| *said == word && is_announced(rest, words))
        || first.maybe && is_announced(rest, words)
}
