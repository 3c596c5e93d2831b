//! What speaks against a drain: sentence by sentence, then against a restatement that tries it out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use hfm::rule::{Combine, RuleId, Share, Table};
use hfm::standing::{Contribution, Standing};
use hfm::writer::desired::{Desired, Objection};

use crate::against::Case;
use crate::machine::{Machine, address, backup, named, plain, table};
use crate::restatement::{Address, Three, Whole, Word, combine, who_is_in};
use crate::support_random::Rng;
use crate::{at, base, seeds};

const CASES: u64 = 200_000;
/// What a run of all cases must have seen of each outcome.
const SEEN_LEAST: usize = 2000;

fn at_least(count: u32, table: Table) -> Table {
    Table { min_up: Some(Share::Count(count)), ..table }
}

/// What is said of draining these rules.
fn drain(machine: &mut Machine, rules: &[u32]) -> String {
    machine.wants();
    let rules: BTreeSet<RuleId> = rules.iter().copied().map(RuleId).collect();
    let said: Vec<String> = machine.desired.would_drain(&rules).iter().map(ToString::to_string).collect();
    said.join(", ")
}

#[track_caller]
fn says(table: Table, held: &[usize], words: &str, rules: &[u32], said: &str) {
    assert_eq!(drain(Machine::start(vec![table]).found(held).says(words), rules), said);
}

#[test]
fn a_drain_that_leaves_enough_meets_with_nothing() {
    says(plain(3), &[0, 1, 2], "u u u", &[0, 1], "");
    says(at_least(2, plain(3)), &[0, 1, 2], "u u u", &[0], "");
}

#[test]
fn a_table_must_not_be_left_empty() {
    says(plain(2), &[0, 1], "u u", &[0, 1], "table t would be left empty");
    says(plain(2), &[0], "u d", &[0], "table t would be left empty");
    // Nothing is in it that could be lost.
    says(plain(2), &[], "d d", &[0], "");
    says(plain(2), &[0, 99], "u d", &[0], "");
    says(table("t", vec![named(0, &[0]), backup(1, &[1])]), &[0], "u u", &[0], "");
    says(table("t", vec![named(0, &[0]), backup(1, &[1])]), &[0], "u d", &[0], "table t would be left empty");
}

#[test]
fn an_address_that_is_held_although_it_is_down_fills_a_table_until_it_is_drained() {
    let of = || Table { min_up: Some(Share::Count(1)), ..plain(2) };
    // 1 is kept by min_up.
    says(of(), &[1], "- d", &[1], "table t would be left empty");
    says(of(), &[0, 1], "u d", &[1], "");
}

#[test]
fn what_min_up_asks_for_must_be_left() {
    let said = "table t would be left with 1 of 3 addresses, min_up asks for 2";
    says(at_least(2, plain(3)), &[0, 1, 2], "u u u", &[0, 1], said);
    says(at_least(2, plain(3)), &[0, 1, 2], "u u d", &[0], said);
    let said = "table t would be left with 2 of 3 addresses, min_up asks for 3";
    says(Table { min_up: Some(Share::Percent(67)), ..plain(3) }, &[0, 1, 2], "u u u", &[0], said);
    // As many as it asks for, though there are fewer addresses.
    let said = "table t would be left with 1 of 2 addresses, min_up asks for 5";
    says(at_least(5, plain(2)), &[0, 1], "u u", &[0], said);
}

#[test]
fn one_that_is_down_may_be_drained_however_few_are_up() {
    says(at_least(2, plain(3)), &[0, 1, 2], "u d d", &[1], "");
    says(at_least(3, plain(3)), &[0], "u D d", &[1, 2], "");
}

#[test]
fn drained_ones_and_backups_do_not_count() {
    let said = "table t would be left with 1 of 2 addresses, min_up asks for 2";
    says(at_least(2, plain(3)), &[0, 1, 2], "u u D", &[0], said);
    let of = || table("t", vec![named(0, &[0]), named(1, &[1]), backup(2, &[2])]);
    says(at_least(2, of()), &[0, 1], "u u u", &[0], said);
    let half = Table { min_up: Some(Share::Percent(50)), ..of() };
    says(half, &[0, 1], "u u u", &[0], "");
}

#[test]
fn an_address_that_other_rules_keep_up_is_up() {
    let mut either = named(0, &[0, 1]);
    either.combine = Combine::Any;
    let of = || at_least(1, table("t", vec![either.clone()]));
    says(of(), &[0], "u u", &[0], "");
    says(of(), &[0], "u u", &[0, 1], "table t would be left empty");
    says(of(), &[0, 9], "u u", &[0, 1], "table t would be left with 0 of 1 addresses, min_up asks for 1");
}

#[test]
fn what_is_not_known_yet_is_up_while_it_is_in_and_not_stale() {
    let said = "table t would be left with 1 of 2 addresses, min_up asks for 2";
    says(at_least(2, plain(2)), &[0, 1], "? ?", &[0], said);
    says(at_least(2, plain(2)), &[1], "? ?", &[0], "");
    says(at_least(2, plain(2)), &[0, 1], "s s", &[0], "");
    // The table was not read yet.
    let mut unread = Machine::start(vec![at_least(2, plain(2))]);
    assert_eq!(drain(unread.says("u u"), &[0]), said);
    assert_eq!(drain(&mut unread, &[0, 1]), "table t would be left empty");
}

#[test]
fn each_table_has_its_own_say_and_rules_that_are_in_none_have_no_table() {
    let tables = vec![
        table("a", vec![named(0, &[0]), named(1, &[1])]),
        table("b", vec![named(0, &[0])]),
        at_least(1, table("c", vec![named(1, &[1])])),
    ];
    let mut machine = Machine::start(tables);
    machine.found(&[0, 1]).says("u u");
    for (table, held) in [(1, address(0)), (2, address(1))] {
        machine.desired.found(table, &HashSet::from([held]));
        machine.desired.decide(table, machine.base);
    }
    assert_eq!(drain(&mut machine, &[0]), "table b would be left empty");
    assert_eq!(drain(&mut machine, &[1]), "table c would be left empty");
    let all = "table a would be left empty, table b would be left empty, table c would be left empty";
    assert_eq!(drain(&mut machine, &[0, 1]), all);
    assert_eq!(drain(&mut machine, &[5, 4000]), "");
}

/// A table before or after, tried out by the text alone.
struct Tried {
    whole: Whole,
    in_it: Vec<bool>,
}

impl Tried {
    fn new(case: &Case, words: &[Word], is_in: &[bool]) -> Self {
        let address = |(member, is_in): (&hfm::rule::Member, &bool)| Address {
            combine: member.combine,
            backup: member.backup,
            is_in: *is_in,
            words: member.rules.iter().map(|rule| words[rule.index()]).collect(),
        };
        let whole = Whole {
            min_up: case.table.min_up,
            panic: case.table.panic,
            others: case.others,
            addresses: case.table.members.iter().zip(is_in).map(address).collect(),
        };
        Self { in_it: who_is_in(&whole), whole }
    }

    /// Managed, contributing, no backup and not drained; whether it is up.
    fn counted(&self) -> Vec<bool> {
        let all = self.whole.addresses.iter().filter(|of| !of.backup).map(|of| (of, combine(of)));
        let counted = all.filter(|(_, combined)| combined.state.is_some() && !combined.drained);
        let is_up = |(of, _): (&Address, _)| {
            let fresh = of.words.iter().all(|word| !word.stale || word.contribution == Contribution::Nothing);
            match combine(of).state {
                Some(Three::Up) => true,
                Some(Three::Unknown) => fresh && of.is_in,
                Some(Three::Down) | None => false,
            }
        };
        counted.map(is_up).collect()
    }

    fn up(&self) -> usize {
        self.counted().into_iter().filter(|is_up| *is_up).count()
    }
}

fn restated(case: &Case, drained: &BTreeSet<RuleId>, is_in: &[bool]) -> Vec<Objection> {
    let mut words = case.words.clone();
    for rule in drained {
        words[rule.index()].contribution = Contribution::Down { drained: true };
    }
    let named = case.table.members.iter().flat_map(|member| &member.rules);
    if !named.into_iter().any(|rule| drained.contains(rule)) {
        return Vec::new();
    }
    let (before, after) = (Tried::new(case, &case.words, is_in), Tried::new(case, &words, is_in));
    let holds = is_in.contains(&true) || case.others;
    let would_hold = after.in_it.contains(&true) || case.others;
    let table: Arc<str> = "t".into();
    if holds && !would_hold {
        return vec![Objection::Empty { table }];
    }
    let of = before.counted().len();
    let asked = match case.table.min_up {
        None => return Vec::new(),
        Some(Share::Count(count)) => usize::try_from(count).expect("32 bits"),
        // The least number that is at least so many of a hundred.
        Some(Share::Percent(percent)) => {
            (0..=of).find(|count| count * 100 >= usize::from(percent) * of).expect("all are a hundred")
        }
    };
    let left = after.up();
    let is_refused = left < asked && left < before.up();
    is_refused.then_some(Objection::BelowMinUp { table, left, of, asked }).into_iter().collect()
}

#[test]
fn the_code_objects_where_trying_it_out_does() {
    let base = base();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for seed in seeds(CASES) {
        let random = &mut Rng::new(seed);
        let case = Case::draw(random);
        let (mut desired, _) =
            Desired::new(Arc::from([case.table.clone()]), case.words.len(), &[], at(base, 0));
        let members = case.table.members.iter().zip(&case.is_in);
        let mut held: HashSet<_> =
            members.filter(|(_, is_in)| **is_in).map(|(member, _)| member.address).collect();
        held.extend(case.others.then(|| address(99)));
        for (rule, word) in (0..).map(RuleId).zip(&case.words) {
            let Word { contribution, since, stale } = *word;
            let since = at(base, since);
            desired.on_standing(rule, Standing { contribution, since, stale, settled: true });
        }
        desired.found(0, &held);
        desired.decide(0, base);
        // What was wanted before the drain is what is in then.
        let fates = (0..case.table.members.len()).map(|member| desired.fate(0, member).expect("decided"));
        let is_in: Vec<bool> = fates.map(|fate| fate.is_in).collect();
        let drained: BTreeSet<RuleId> =
            (0..).map(RuleId).take(case.words.len()).filter(|_| random.percent(35)).collect();
        let said = desired.would_drain(&drained);
        assert_eq!(
            said,
            restated(&case, &drained, &is_in),
            "left: the code, right: the text\n{drained:?} of {case:#?}\nin: {is_in:?}\n\
             HFM_DESIRED_SEED={seed} cargo test --test desired the_code_objects_where"
        );
        let kind = match said.first() {
            None => "none",
            Some(Objection::Empty { .. }) => "empty",
            Some(Objection::BelowMinUp { .. }) => "below",
        };
        *seen.entry(kind).or_default() += 1;
    }
    if seeds(CASES).count() > 1 {
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(seen.values().all(|times| *times >= SEEN_LEAST), "{seen:?}");
    }
}
