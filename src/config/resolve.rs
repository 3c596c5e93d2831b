//! As meant: inheritance, defaults, bounds between properties, and references between rules.

use std::collections::HashSet;
use std::num::NonZeroU16;
use std::time::Duration;

use super::control;
use super::demotion::{self, HAS_CARP};
use super::depend::{self, Dependencies};
use super::diagnose::{Diagnostic, Problems, Wrong};
use super::given::Given;
use super::inherit::{self, Inherited};
use super::listen;
use super::native;
use super::placement::{self, Placed};
use super::properties::{CHANGE_MAX_DEFAULT, Key, Setting};
use super::raw::{Level, NodeId, ROOT, Tree};
use super::run_as;
use super::settings::{Settings, Written, name_of};
use super::target::{self, Target};
use crate::probe::{Compiler, Files, Plan, Plans};
use crate::rule::{
    self, Alike, CommandLine, Configuration, HealthSettings, LogFormat, Placement, Rule, Terms, Test,
};
use crate::ucl::Span;

/// Makes rules of what is written; `None` when anything is wrong with the file.
pub(super) fn resolve(
    tree: &Tree,
    files: &mut dyn Files,
    problems: &mut Problems,
) -> Option<(Configuration, Plans)> {
    let above_native: HashSet<NodeId> =
        tree.rules.iter().filter(|id| tree.is_native(**id)).flat_map(|id| tree.ids_up(*id)).collect();
    let parents: HashSet<NodeId> = tree.rules.iter().filter_map(|id| tree.nodes[*id].parent).collect();
    for (id, node) in tree.nodes.iter().enumerate() {
        if node.rule.is_some() || node.level == Level::Root || parents.contains(&id) {
            warn_of_no_effect(tree, id, above_native.contains(&id), problems);
        } else if node.settings.is_any_written() {
            let message = "this group has no rules, so nothing in it has an effect";
            problems.push(
                Diagnostic::warning(node.place, &node.name, message)
                    .help("a rule is a section with a 'test': is it missing here?"),
            );
        }
    }
    let mut checks = Checks { tree, problems: &mut *problems, said: HashSet::new() };
    for id in &tree.rules {
        checks.hold_down(*id);
        if !tree.is_native(*id) {
            checks.timeouts(*id);
        }
    }
    let inherited: Vec<Inherited> = tree.rules.iter().map(|id| inherit::resolve(tree, *id)).collect();
    let statuses: Vec<_> = inherited.iter().map(|inherited| inherited.status).collect();
    let dependencies = depend::resolve(tree, &statuses, problems);
    inherit::compare(tree, problems);
    let (tests, mut plans) = tests(tree, &inherited, files, problems);
    let uses = depend::uses(tree, &dependencies);
    let Placed { placements, tables, firewall } = placement::resolve(tree, &tests, &uses, problems);
    let run_as = run_as::resolve(tree, &firewall, &tables, problems);
    let demotion = demotion::resolve(tree, &firewall, HAS_CARP, problems);
    if problems.any_error() {
        return None;
    }
    let (mut terms, mut placements_alike) = (Alike::<Terms>::default(), Alike::<Placement>::default());
    let rules: Option<Vec<Rule>> = tree
        .rules
        .iter()
        .zip(inherited)
        .zip(dependencies)
        .zip(tests)
        .zip(placements)
        .map(|((((id, inherited), dependencies), test), placement)| {
            let test = test?;
            let terms = terms.share(terms_of(tree, *id, inherited, dependencies, &test));
            let name = (&*tree.nodes[*id].name).into();
            Some(Rule { name, test, placement: placements_alike.share(placement), terms })
        })
        .collect();
    let change_max = tree.nodes.get(ROOT).and_then(|root| root.settings.change_max.as_ref());
    let change_max = change_max.map_or(CHANGE_MAX_DEFAULT, |written| written.value);
    let mut rules = rules?;
    rule::gather(&mut rules);
    for (rule, plan) in rules.iter().zip(&mut plans.plans) {
        if let (Test::Probe(probe), Some(plan)) = (&rule.test, plan) {
            plan.go_by(probe);
        }
    }
    let configuration = Configuration {
        rules,
        change_max: change_max.into(),
        tables,
        firewall,
        run_as,
        log_format: log_format(tree),
        control: control::resolve(tree),
        listen: listen::resolve(tree),
        demotion,
    };
    Some((configuration, plans))
}

fn log_format(tree: &Tree) -> LogFormat {
    let written = tree.nodes.get(ROOT).and_then(|root| root.settings.given.get(&Setting::LogFormat));
    match written.map(|written| &written.value) {
        Some(Given::Word("json")) => LogFormat::Json,
        Some(_) | None => LogFormat::default(),
    }
}

impl Tree {
    /// Whether a rule's test is a native probe.
    pub(super) fn is_native(&self, id: NodeId) -> bool {
        let test = self.nodes[id].settings.test.as_ref();
        test.is_some_and(|test| matches!(target::classify(&test.value), Target::Probe(..)))
    }
}

/// What each rule runs, and how; `None` where something is wrong with it, which has been reported.
fn tests(
    tree: &Tree,
    inherited: &[Inherited],
    files: &mut dyn Files,
    problems: &mut Problems,
) -> (Vec<Option<Test>>, Plans) {
    let mut compiler = Compiler::default();
    let mut plans = Vec::with_capacity(tree.rules.len());
    let mut builder = native::Builder::new(tree, problems);
    let mut test = |id: NodeId, inherited: &Inherited, plan: &mut Option<Plan>| {
        let own = &tree.nodes[id].settings;
        let Target::Probe(protocol, rest) = target::classify(&own.test.as_ref()?.value) else {
            builder.refuse_meaningless(id, None);
            return Some(Test::Command {
                command: command_line(&own.test, &own.test_arguments)?.into(),
                timeout_int: non_zero(inherited.timeout_int),
                timeout_kill: non_zero(inherited.timeout_kill),
            });
        };
        let probe = builder.probe(id, (protocol, rest), inherited)?;
        match compiler.compile(&probe, files) {
            Ok(compiled) => {
                let probe = compiled.probe().clone();
                *plan = Some(compiled);
                Some(Test::Probe(probe))
            }
            Err(error) => {
                builder.refuse(id, error.property, Wrong::new(error.message), None);
                None
            }
        }
    };
    let mut tests = Vec::with_capacity(tree.rules.len());
    for (id, inherited) in tree.rules.iter().zip(inherited) {
        let mut plan = None;
        tests.push(test(*id, inherited, &mut plan));
        plans.push(plan);
    }
    (tests, Plans { plans, clock: compiler.clock() })
}

/// The terms of one rule.
fn terms_of(tree: &Tree, id: NodeId, inherited: Inherited, dependencies: Dependencies, test: &Test) -> Terms {
    let own = &tree.nodes[id].settings;
    let (spread, interval_debounce) = match test {
        // For a command an inherited `spread` does not count: hfm starts all at once.
        Test::Command { .. } => (own.spread.as_ref().is_some_and(|written| written.value), None),
        Test::Probe(_) => (
            tree.inherited(id, |settings| &settings.spread).unwrap_or(true),
            tree.interval(id, Setting::IntervalDebounce),
        ),
    };
    let hold_down = tree.inherited(id, |settings| &settings.hold_down).unwrap_or_default();
    let count = |count: u16| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
    Terms {
        status: inherited.status,
        start_delay: tree.inherited(id, |settings| &settings.start_delay),
        runs: NonZeroU16::new(inherited.runs),
        interval: inherited.interval,
        interval_fail: inherited.interval_fail,
        interval_debounce,
        spread,
        health: HealthSettings {
            fail_debounce: count(inherited.fail_debounce),
            success_debounce: count(inherited.success_debounce),
            fail_reset: count(tree.inherited(id, |settings| &settings.change_fail_reset).unwrap_or(1)),
            hold_down,
            hold_down_max: tree.inherited(id, |settings| &settings.hold_down_max).unwrap_or(hold_down),
        },
        requires: dependencies.requires,
        guard: dependencies.guard,
        change_success: command_line(&own.change_success, &own.change_success_arguments),
        change_fail: command_line(&own.change_fail, &own.change_fail_arguments),
        change_timeout: tree.inherited(id, |settings| &settings.change_timeout).and_then(non_zero),
        demote: demotion::share(tree, id),
    }
}

/// A program with its arguments; `None` when there is none, or an empty one, which hfm takes for none.
fn command_line(
    program: &Option<Written<Box<str>>>,
    arguments: &Option<Written<Vec<Box<str>>>>,
) -> Option<CommandLine> {
    let program =
        program.as_ref().map(|written| written.value.clone()).filter(|program| !program.is_empty())?;
    let arguments = arguments.as_ref().map(|written| written.value.clone()).unwrap_or_default();
    Some(CommandLine { program, arguments })
}

fn non_zero(interval: Duration) -> Option<Duration> {
    (!interval.is_zero()).then_some(interval)
}

/// Warns of properties that stand where they do nothing.
fn warn_of_no_effect(tree: &Tree, id: NodeId, above_native: bool, problems: &mut Problems) {
    let node = &tree.nodes[id];
    let settings = &node.settings;
    let mut warn = |key: Key, why: &str, help: &str| {
        if let Some(place) = settings.place(key) {
            let message = format!("'{}' has no effect here: {why}", name_of(key));
            problems.push(Diagnostic::warning(place, &node.name, message).help(help));
        }
    };
    if node.rule.is_none() {
        const OWN: [Key; 5] = [
            Key::TestArguments,
            Key::ChangeSuccess,
            Key::ChangeSuccessArguments,
            Key::ChangeFail,
            Key::ChangeFailArguments,
        ];
        for key in OWN {
            warn(
                key,
                "it is not inherited, and there is no 'test' beside it",
                "write it on every rule that needs it",
            );
        }
        if !above_native {
            let why = "an inherited one does not count for a rule that runs a command";
            warn(Key::Spread, why, "write it on every rule that needs it");
        }
        return;
    }
    if settings.change_success.is_none() {
        warn(
            Key::ChangeSuccessArguments,
            "there is no 'change_success' beside it",
            "write change_success = \"PROGRAM\" too",
        );
    }
    if settings.change_fail.is_none() {
        warn(
            Key::ChangeFailArguments,
            "there is no 'change_fail' beside it",
            "write change_fail = \"PROGRAM\" too",
        );
    }
}

/// Checks between properties of one rule. A pair of places that many rules inherit is reported once.
struct Checks<'a> {
    tree: &'a Tree,
    problems: &'a mut Problems,
    said: HashSet<(Span, Span)>,
}

impl Checks<'_> {
    fn hold_down(&mut self, id: NodeId) {
        let time = self.closest(id, |settings| &settings.hold_down);
        let max = self.closest(id, |settings| &settings.hold_down_max);
        let Some((max, max_place)) = max else {
            return;
        };
        let Some((time, place)) = time else {
            return;
        };
        if max >= time || !self.said.insert((place, max_place)) {
            return;
        }
        let message = "'hold_down_max' is less than 'hold_down'";
        self.problems.push(
            Diagnostic::error(max_place, &self.tree.nodes[id].name, message)
                .note(place, "'hold_down' is here")
                .help(
                    "hold_down doubles up to hold_down_max: make it larger, or leave it out for no doubling",
                ),
        );
    }

    fn timeouts(&mut self, id: NodeId) {
        let Some((int, place)) = self.closest(id, |settings| &settings.timeout_int) else {
            return;
        };
        let Some((kill, kill_place)) = self.closest(id, |settings| &settings.timeout_kill) else {
            return;
        };
        if int.is_zero() || kill.is_zero() || int < kill || !self.said.insert((place, kill_place)) {
            return;
        }
        let message =
            "'timeout_int' is not below 'timeout_kill': the test is killed before it could be interrupted";
        self.problems.push(
            Diagnostic::warning(place, &self.tree.nodes[id].name, message)
                .note(kill_place, "'timeout_kill' is here")
                .help("make timeout_int the shorter of the two, or leave it out"),
        );
    }

    fn closest(
        &self,
        id: NodeId,
        pick: impl Fn(&Settings) -> &Option<Written<Duration>>,
    ) -> Option<(Duration, Span)> {
        self.tree.closest(id, pick).map(|written| (written.value, written.key))
    }
}
