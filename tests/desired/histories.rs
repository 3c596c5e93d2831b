//! The machine through random histories: words, overrides, contents, reloads and time, in any order.

use std::collections::HashSet;

use hfm::rule::{Member, Prefix, RuleId, Share, Table};
use hfm::standing::{Contribution, Standing};
use hfm::writer::desired::Wanted;

use crate::against;
use crate::machine::{Machine, RULES, address};
use crate::restatement::{Address, Three, Word, combine};
use crate::support_random::Rng;
use crate::{at, seeds};

const HISTORIES: u64 = 20_000;
const STEPS: usize = 40;
const NAMED: usize = 6;

/// What is known of the rules, kept beside the machine.
struct Rules {
    standings: Vec<Standing>,
    /// What an operator has set in the place of what they contribute.
    set: Vec<Option<Contribution>>,
}

fn draw_table(random: &mut Rng) -> Table {
    let first = random.below(3);
    let members = (0..1 + random.below(5)).map(|n| against::member(random, first + n, NAMED)).collect();
    against::table(random, members)
}

fn draw_contents(random: &mut Rng) -> Vec<usize> {
    (0..9).filter(|_| random.percent(40)).collect()
}

fn draw_standing(random: &mut Rng, machine: &Machine) -> Standing {
    let contribution = match random.below(10) {
        0 => Contribution::Nothing,
        1 | 2 => Contribution::Unknown,
        3..6 => Contribution::Up,
        6 => Contribution::Down { drained: true },
        _ => Contribution::Down { drained: false },
    };
    let settled = contribution != Contribution::Unknown || random.percent(50);
    Standing { contribution, since: at(machine.base, machine.now), stale: random.percent(20), settled }
}

impl Rules {
    /// What the machine is told of a rule.
    fn told(&self, rule: RuleId) -> (RuleId, Standing) {
        let standing = self.standings[rule.index()];
        let contribution = self.set[rule.index()].unwrap_or(standing.contribution);
        (rule, Standing { contribution, ..standing })
    }

    fn combined(&self, machine: &Machine, member: &Member) -> crate::restatement::Combined {
        let word = |rule: &RuleId| {
            let (_, standing) = self.told(*rule);
            Word {
                contribution: standing.contribution,
                since: standing.since.duration_since(machine.base).as_secs(),
                stale: standing.stale,
            }
        };
        combine(&Address {
            combine: member.combine,
            backup: member.backup,
            is_in: false,
            words: member.rules.iter().map(word).collect(),
        })
    }
}

fn wanted(machine: &Machine) -> Vec<Wanted> {
    machine.desired.wanted(0).collect()
}

/// What the table holds once this was written.
fn obey(held: &HashSet<Prefix>, wanted: &[Wanted]) -> HashSet<Prefix> {
    let mut held = held.clone();
    for Wanted { address, is_in } in wanted {
        match is_in {
            Some(true) => drop(held.insert(*address)),
            Some(false) => drop(held.remove(address)),
            None => {}
        }
    }
    held
}

/// What holds of every decision.
fn check(machine: &Machine, rules: &Rules, before: &[Wanted], was_held: &HashSet<Prefix>) {
    let after = wanted(machine);
    let table = &machine.desired.tables()[0];
    let members = table.members.len();
    for (index, now) in after.iter().enumerate() {
        if index >= members {
            assert!(machine.desired.leaving(0).contains(&now.address), "not named: {now:?}");
            assert_ne!(now.is_in, Some(true), "not named and wanted in: {now:?}");
            continue;
        }
        let (member, of) = (&table.members[index], before.iter().find(|of| of.address == now.address));
        assert_eq!(member.address, now.address);
        let was_in = of.is_some_and(|of| of.is_in == Some(true));
        let state = rules.combined(machine, member).state;
        if was_in && now.is_in == Some(false) && !member.backup {
            assert_eq!(state, Some(Three::Down), "left: {now:?}");
        }
        if state == Some(Three::Up) && !member.backup {
            assert_eq!(now.is_in, Some(true), "up: {now:?}");
        }
    }
    let keeps = matches!(table.min_up, Some(Share::Count(1..) | Share::Percent(1..)));
    let counted = table.members.iter().any(|member| {
        let combined = rules.combined(machine, member);
        let counts = !member.backup && combined.state.is_some() && !combined.drained;
        let wanted = before.iter().find(|of| of.address == member.address).and_then(|of| of.is_in);
        counts && wanted.unwrap_or_else(|| was_held.contains(&member.address))
    });
    if keeps && counted && machine.desired.leaving(0).is_empty() {
        assert!(!obey(was_held, &after).is_empty(), "empty: {table:?} {after:?} held {was_held:?}");
    }
}

/// Says these words in the given order, and in another one with some of them twice.
fn say_both(random: &mut Rng, both: &mut [Machine; 2], words: &[(RuleId, Standing)]) {
    for (rule, standing) in words {
        both[0].desired.on_standing(*rule, *standing);
    }
    let mut others: Vec<_> = words.iter().chain(words.iter().take(random.below(words.len()))).collect();
    while !others.is_empty() {
        let (rule, standing) = others.swap_remove(random.below(others.len()));
        both[1].desired.on_standing(*rule, *standing);
    }
}

fn play(seed: u64) {
    let random = &mut Rng::new(seed);
    let first = draw_table(random);
    let remembered: Vec<usize> = draw_contents(random);
    let mut both = [&first, &first].map(|table| Machine::restart(vec![table.clone()], &remembered).0);
    both[1].base = both[0].base;
    let unknown =
        Standing { contribution: Contribution::Unknown, since: both[0].base, stale: false, settled: false };
    let mut rules = Rules { standings: vec![unknown; RULES], set: vec![None; RULES] };
    let contents = draw_contents(random);
    for machine in &mut both {
        machine.found(&contents);
    }
    for _ in 0..STEPS {
        let before = wanted(&both[0]);
        match random.below(12) {
            0 => {
                let contents = draw_contents(random);
                for machine in &mut both {
                    machine.found(&contents);
                }
            }
            1 => {
                let table = draw_table(random);
                let new: Vec<u32> = (0..6).filter(|_| random.percent(30)).collect();
                let since = at(both[0].base, both[0].now);
                for rule in &new {
                    rules.standings[RuleId(*rule).index()] = Standing { since, ..unknown };
                    rules.set[RuleId(*rule).index()] = None;
                }
                let held: Vec<usize> = (0..9).filter(|n| both[0].held[0].contains(&address(*n))).collect();
                for machine in &mut both {
                    assert!(machine.reload(vec![table.clone()], &new).is_empty());
                    machine.found(&held);
                }
            }
            2 => {
                let rule = RuleId(u32::try_from(random.below(NAMED)).expect("a few rules"));
                let down = |drained| Some(Contribution::Down { drained });
                rules.set[rule.index()] = [None, down(true), down(false)][random.below(3)];
                say_both(random, &mut both, &[rules.told(rule)]);
            }
            3 => both.iter_mut().for_each(|machine| machine.now += 7),
            _ => {
                let mut words = Vec::new();
                for rule in (0..6).map(RuleId) {
                    if random.percent(40) {
                        rules.standings[rule.index()] = draw_standing(random, &both[0]);
                        words.push(rules.told(rule));
                    }
                }
                if !words.is_empty() {
                    say_both(random, &mut both, &words);
                }
            }
        }
        let was_held = both[0].held[0].clone();
        let signs = both[0].wants();
        assert_eq!(both[1].wants(), signs, "the order of words matters");
        check(&both[0], &rules, &before, &was_held);
        let now = at(both[0].base, both[0].now);
        assert!(!both[0].desired.decide(0, now), "decided twice");
        for machine in &mut both {
            machine.held[0] = obey(&machine.held[0], &wanted(machine));
            let held = machine.held[0].clone();
            machine.desired.found(0, &held);
            machine.desired.have_left(0, &held);
        }
    }
}

#[test]
fn no_history_takes_out_what_is_not_down_or_wants_what_no_rule_names() {
    for seed in seeds(HISTORIES) {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(played.is_ok(), "HFM_DESIRED_SEED={seed} cargo test --test desired no_history_takes_out");
    }
}
