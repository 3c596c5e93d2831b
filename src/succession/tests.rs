use std::num::NonZeroU8;
use std::time::Duration;

use super::*;
use crate::rule::{
    CommandLine, Control, DataPlaneChoice, Demotion, Firewall, LogFormat, Member, Membership, Placement,
    Prefix, RunAs, Shared, Table,
};

fn rule(name: &str) -> Rule {
    let command = CommandLine { program: "true".into(), arguments: Vec::new() };
    let test = Test::Command { command: command.into(), timeout_int: None, timeout_kill: None };
    Rule { name: name.into(), test, ..Rule::vacant() }.with(|of| of.status = Status::Enabled)
}

fn configuration(rules: Vec<Rule>) -> Configuration {
    let firewall = Firewall { dataplane: DataPlaneChoice::Memory, ..Firewall::default() };
    Configuration {
        rules,
        change_max: 64,
        tables: Vec::new(),
        firewall,
        run_as: RunAs::default(),
        log_format: LogFormat::Text,
        control: Control::default(),
        listen: None,
        demotion: Demotion::default(),
    }
}

fn succeed(before: &[Rule], next: Vec<Rule>) -> Succession {
    let mut plans = Plans::default();
    plans.plans.resize_with(next.len(), || None);
    Succession::new(before, |_| true, configuration(next), plans)
}

fn names(succession: &Succession) -> Vec<&str> {
    succession.rules.iter().map(|rule| &*rule.name).collect()
}

#[test]
fn a_rule_stays_in_its_slot_wherever_it_stands_in_the_file() {
    let before = [rule("a"), rule("b"), rule("c")];
    let after = succeed(&before, vec![rule("c"), rule("d"), rule("a")]);
    assert_eq!(names(&after), ["a", "", "c", "d"], "the slot of b is not given away with b");
    assert_eq!(after.fates, [Fate::Kept, Fate::Vacated, Fate::Kept, Fate::New]);
    let again = succeed(&after.rules, vec![rule("a"), rule("e"), rule("d")]);
    assert_eq!(names(&again), ["a", "e", "", "d"]);
    assert_eq!(again.fates, [Fate::Kept, Fate::New, Fate::Vacated, Fate::Kept]);
}

#[test]
fn an_empty_slot_that_is_not_free_is_left_empty() {
    let before = [rule("a"), Rule::vacant()];
    let plans = Plans { plans: vec![None, None], ..Plans::default() };
    let after = Succession::new(&before, |_| false, configuration(vec![rule("a"), rule("b")]), plans);
    assert_eq!(names(&after), ["a", "", "b"]);
    assert_eq!(after.fates, [Fate::Kept, Fate::Vacant, Fate::New]);
}

#[test]
fn whatever_names_a_rule_names_its_slot() {
    let before = [rule("a"), rule("b")];
    let address: Prefix = "10.0.0.1".parse().unwrap();
    let next = vec![
        rule("b"),
        rule("x").with(|of| {
            of.requires = vec![RuleId(0)];
            of.guard = vec![RuleId(2)];
        }),
        rule("a"),
    ];
    let mut configuration = configuration(next);
    let rules = vec![RuleId(0), RuleId(1)];
    let member = Member { address, combine: Default::default(), backup: false, kill_states: false, rules };
    configuration.tables = vec![Table { name: "t".into(), min_up: None, panic: None, members: vec![member] }];
    let plans = Plans { plans: vec![None, None, None], ..Plans::default() };
    let after = Succession::new(&before, |_| true, configuration, plans);
    assert_eq!(after.rules[2].requires, [RuleId(1)]);
    assert_eq!(after.rules[2].guard, [RuleId(0)]);
    assert_eq!(after.tables[0].members[0].rules, [RuleId(1), RuleId(2)]);
}

#[test]
fn what_is_tested_or_addressed_makes_a_rule_another_and_schedule_and_actions_do_not() {
    let address = |text: &str| Placement {
        addresses: vec![text.parse().unwrap()],
        tables: vec![Membership { table: "t".into(), addresses: vec![text.parse().unwrap()] }],
        ..Placement::default()
    };
    let base = || Rule { placement: address("10.0.0.1").into(), ..rule("a") };
    let other = |program: &str| {
        let command = CommandLine { program: program.into(), arguments: Vec::new() };
        Test::Command { command: command.into(), timeout_int: None, timeout_kill: None }
    };
    let command = Some(CommandLine { program: "logger".into(), arguments: Vec::new() });
    let cases = [
        (base(), Fate::Kept),
        (Rule { test: other("false"), ..base() }, Fate::Changed),
        (Rule { placement: address("10.0.0.2").into(), ..base() }, Fate::Changed),
        (Rule { placement: Shared::default(), ..base() }, Fate::Changed),
        (base().with(|of| of.interval = Duration::from_secs(7)), Fate::Adjusted),
        (base().with(|of| of.runs = std::num::NonZeroU16::new(3)), Fate::Adjusted),
        (base().with(|of| of.change_fail = command), Fate::Adjusted),
        (base().with(|of| of.requires = vec![RuleId(0)]), Fate::Adjusted),
        (base().with(|of| of.demote = NonZeroU8::new(50)), Fate::Adjusted),
        (base().with(|of| of.status = Status::AlwaysFail), Fate::Adjusted),
        (base().with(|of| of.status = Status::Disabled), Fate::Adjusted),
    ];
    for (after, fate) in cases {
        assert_eq!(compare(&base(), &after), fate, "{after:?}");
    }
    let timeout = Some(Duration::from_secs(1));
    let Test::Command { command, .. } = base().test else { panic!("it runs a command") };
    let longer = Test::Command { command, timeout_int: None, timeout_kill: timeout };
    assert_eq!(compare(&base(), &Rule { test: longer, ..base() }), Fate::Adjusted);
    for status in [Status::AlwaysFail, Status::AlwaysSuccess, Status::Disabled] {
        let given = base().with(|of| of.status = status);
        assert_eq!(
            compare(&given, &base()),
            Fate::Changed,
            "{status:?}: a state that was given says nothing"
        );
        assert_eq!(compare(&given, &given.clone()), Fate::Kept);
    }
}
