//! Words beside the engine, of rules with tables and with shares of the demotion, and what they make of tables: against
//! what the model's own states do.

use std::collections::HashSet;
use std::num::{NonZeroU8, NonZeroU32};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hfm::engine::{EndReason, Output};
use hfm::health::State;
use hfm::rule::{Combine, Member, Membership, Prefix, Rule, RuleId, Share, Status, Table};
use hfm::standing::{Contribution, Standing};
use hfm::writer::desired::{Desired, Why};

use crate::effects::id;
use crate::model::{Model, Phase};
use crate::random::Random;
use crate::restatement::{Address, Whole, Word, who_is_in};
use crate::sabotage::Saboteur;

/// A firewall's tables, and who has to be in them.
#[derive(Debug)]
pub(crate) struct Tables {
    base: Instant,
    saboteur: Option<Saboteur>,
    tables: Arc<[Table]>,
    desired: Desired,
    /// Rules that have something to say: with tables, or a share of the demotion.
    speaking: Vec<usize>,
    /// One that has not, and was heard.
    out_of_turn: Option<RuleId>,
    /// By the engine.
    told: Vec<Standing>,
    /// By the model.
    right: Vec<Standing>,
    wanted: Vec<Vec<bool>>,
    others: Vec<bool>,
    /// What rules said when a table was last decided: nothing moves unless they say something new.
    heard: Vec<Vec<Standing>>,
    /// Anybody said anything since all was held against the model.
    moved: bool,
    /// Addresses that panic has put in, for the bug that leaves them there.
    panicked: HashSet<(usize, usize)>,
}

/// Gives some rules tables, from a seed of their own: the rest of a history stays what it was.
pub(crate) fn draw(seed: u64, rules: &mut [Rule]) -> (Vec<Table>, Random) {
    let mut random = Random::new(seed ^ 0x7461_626c_6573);
    let mut tables = Vec::new();
    let count = if random.percent(60) { random.within(1, 3) } else { 0 };
    for number in 0..count {
        let name: Arc<str> = format!("t{number}").into();
        let mut members = Vec::new();
        for host in 0..random.within(1, 4) {
            let address: Prefix = format!("10.0.0.{host}").parse().expect("an address");
            let percent = 100 / rules.len() as u64 + 20;
            let mut named: Vec<RuleId> =
                (0..rules.len()).filter(|_| random.percent(percent)).map(id).collect();
            if named.is_empty() {
                named.push(id(random.index(rules.len())));
            }
            let combine = match random.below(4) {
                0 => Combine::Any,
                1 => Combine::AtLeast(NonZeroU32::MIN.saturating_add(u32::from(named.len() > 1))),
                _ => Combine::All,
            };
            members.push(Member {
                address,
                combine,
                backup: random.percent(25),
                kill_states: false,
                rules: named,
            });
        }
        for (index, rule) in rules.iter_mut().enumerate() {
            let of_rule = members.iter().filter(|member| member.rules.contains(&id(index)));
            let addresses: Vec<Prefix> = of_rule.map(|member| member.address).collect();
            if !addresses.is_empty() {
                rule.placement.tables.push(Membership { table: name.clone(), addresses });
            }
        }
        let percent = |random: &mut Random| u8::try_from(random.within(0, 100)).expect("at most 100");
        let min_up = match random.below(4) {
            0 => None,
            1 => Some(Share::Percent(percent(&mut random))),
            _ => Some(Share::Count(u32::try_from(random.within(1, 3)).expect("a few"))),
        };
        let panic = random.percent(40).then(|| percent(&mut random));
        tables.push(Table { name, min_up, panic, members });
    }
    (tables, random)
}

/// Gives some rules, with tables or without, a share of the demotion, from a seed of their own too.
pub(crate) fn draw_shares(seed: u64, rules: &mut [Rule]) {
    let mut random = Random::new(seed ^ 0x7368_6172_6573);
    for rule in rules {
        rule.terms.demote = random.percent(25).then_some(NonZeroU8::MIN);
    }
}

/// A rule's word, by the model's own states.
fn word(model: &Model, rule: usize, before: Standing, now: Instant) -> Standing {
    let state = &model.states[rule];
    let over = match state.phase {
        Phase::Over(reason) => Some(reason),
        Phase::Waiting { .. } | Phase::Asked { .. } | Phase::Running(_) | Phase::Suspended => None,
    };
    let contribution = match state.counted.state {
        State::Success => Contribution::Up,
        State::Fail => Contribution::Down { drained: !state.counted.for_real },
        State::Unknown if model.rules[rule].status == Status::Disabled => Contribution::Nothing,
        State::Unknown if over.is_some() && model.own(rule) == State::Unknown => Contribution::Nothing,
        State::Unknown => Contribution::Unknown,
    };
    let ended = matches!(over, Some(EndReason::RunsUsedUp | EndReason::CannotStart(_)));
    Standing {
        contribution,
        since: if contribution == before.contribution { before.since } else { now },
        stale: state.stale && !ended,
        settled: state.conclusive > 0 || over.is_some() || matches!(state.phase, Phase::Suspended),
    }
}

impl Tables {
    pub(crate) fn new(
        (tables, mut random): (Vec<Table>, Random),
        rules: &[Rule],
        base: Instant,
        saboteur: Option<Saboteur>,
    ) -> Self {
        let given: Vec<Table> = tables.iter().cloned().map(|table| alter(saboteur, table)).collect();
        let (mut desired, _) = Desired::new(given.into(), rules.len(), &[], base);
        let (mut wanted, mut others) = (Vec::new(), Vec::new());
        for (index, table) in tables.iter().enumerate() {
            let found: Vec<bool> = table.members.iter().map(|_| random.percent(60)).collect();
            let held = table.members.iter().zip(&found).filter(|(_, is_in)| **is_in);
            let mut held: HashSet<Prefix> = held.map(|(member, _)| member.address).collect();
            others.push(random.percent(15));
            if others[index] {
                held.insert("192.0.2.0/24".parse().expect("a network"));
            }
            desired.found(index, &held);
            wanted.push(found);
        }
        let unknown =
            Standing { contribution: Contribution::Unknown, since: base, stale: false, settled: false };
        let speaks = |rule: &Rule| !rule.placement.tables.is_empty() || rule.demote.is_some();
        let speaking = rules.iter().enumerate().filter(|(_, rule)| speaks(rule)).map(|(index, _)| index);
        Self {
            base,
            saboteur,
            heard: vec![Vec::new(); tables.len()],
            tables: tables.into(),
            desired,
            speaking: speaking.collect(),
            out_of_turn: None,
            told: vec![unknown; rules.len()],
            right: vec![unknown; rules.len()],
            wanted,
            others,
            moved: true,
            panicked: HashSet::new(),
        }
    }

    /// The model has moved.
    pub(crate) fn follow(&mut self, model: &Model, now: Instant) {
        for rule in self.speaking.iter().copied() {
            let before = self.right[rule];
            self.right[rule] = word(model, rule, before, now);
            self.moved |= self.right[rule] != before;
        }
    }

    /// The engine has put out.
    pub(crate) fn hear(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Standing { rule, standing } = output {
                self.moved = true;
                if !self.speaking.contains(&rule.index()) {
                    self.out_of_turn = Some(*rule);
                }
                self.told[rule.index()] = *standing;
                self.desired.on_standing(*rule, *standing);
            }
        }
    }

    /// Holds the words, and what they make of every table, against the model.
    pub(crate) fn check(&mut self, now: u64) -> Result<(), String> {
        if !std::mem::take(&mut self.moved) {
            return Ok(());
        }
        if let Some(rule) = self.out_of_turn {
            return Err(format!("{rule:?} has neither tables nor a share, and speaks"));
        }
        for rule in &self.speaking {
            let (told, right) = (self.told[*rule], self.right[*rule]);
            if told != right && !self.is_blind_to_words() {
                return Err(format!("rule {rule} says {told:?}\n  must say {right:?}"));
            }
        }
        for index in 0..self.tables.len() {
            let table = self.tables[index].clone();
            let named: Vec<usize> =
                table.members.iter().flat_map(|member| &member.rules).map(|rule| rule.index()).collect();
            let heard = named.iter().map(|rule| self.right[*rule]).collect();
            if std::mem::replace(&mut self.heard[index], heard) != self.heard[index] {
                self.wanted[index] = self.restated(index, &table);
            }
            self.desired.decide(index, self.base + Duration::from_nanos(now));
            self.compare(index, &table)?;
        }
        Ok(())
    }

    fn restated(&self, index: usize, table: &Table) -> Vec<bool> {
        let word = |rule: &RuleId| {
            let Standing { contribution, since, stale, settled: _ } = self.right[rule.index()];
            Word { contribution, since: crate::model::ns_of(since - self.base), stale }
        };
        let address = |(member, is_in): (&Member, &bool)| Address {
            combine: member.combine,
            backup: member.backup,
            is_in: *is_in,
            words: member.rules.iter().map(word).collect(),
        };
        who_is_in(&Whole {
            min_up: table.min_up,
            panic: table.panic,
            others: self.others[index],
            addresses: table.members.iter().zip(&self.wanted[index]).map(address).collect(),
        })
    }

    fn compare(&mut self, index: usize, table: &Table) -> Result<(), String> {
        for (place, wanted) in self.desired.wanted(index).enumerate() {
            let fate = self.desired.fate(index, place).ok_or("a table that was found has no fates")?;
            let mut is_in = fate.is_in;
            if self.saboteur == Some(Saboteur::PanicNeverEnds) {
                if fate.why == Why::Panic {
                    self.panicked.insert((index, place));
                }
                is_in |= self.panicked.contains(&(index, place));
            }
            // Before anything was decided of it the machine has no fate but what was found.
            let is_in = if fate.why == Why::Unknown && wanted.is_in.is_none() { None } else { Some(is_in) };
            let right = self.wanted[index][place];
            if is_in.is_some_and(|is_in| is_in != right)
                || wanted.is_in.is_some_and(|is_in| is_in != right && self.saboteur.is_none())
            {
                let words: Vec<_> = table.members[place].rules.iter().map(|rule| rule.index()).collect();
                return Err(format!(
                    "{} in {table:?}: {fate:?}, wanted {:?}, must be {right}\n  rules {words:?}: {:?}",
                    wanted.address, wanted.is_in, self.right
                ));
            }
        }
        Ok(())
    }

    /// Bugs in words have to be seen in tables too: there nobody compares the words.
    fn is_blind_to_words(&self) -> bool {
        matches!(
            self.saboteur,
            Some(Saboteur::StandingLost | Saboteur::EndedSaysNothing | Saboteur::DisabledSaysDown)
        )
    }
}

/// The table as the machine is given it.
fn alter(saboteur: Option<Saboteur>, mut table: Table) -> Table {
    match saboteur {
        Some(Saboteur::MinUpOneFewer) => {
            let counted = table.members.iter().filter(|member| !member.backup).count();
            table.min_up = table.min_up.map(|share| {
                let wanted = match share {
                    Share::Count(count) => usize::try_from(count).expect("32 bits").min(counted),
                    Share::Percent(percent) => (usize::from(percent) * counted).div_ceil(100),
                };
                Share::Count(u32::try_from(wanted.saturating_sub(1)).expect("a few"))
            });
        }
        Some(Saboteur::AnyIsAll) => {
            let any = table.members.iter_mut().filter(|member| member.combine == Combine::Any);
            any.for_each(|member| member.combine = Combine::All);
        }
        Some(Saboteur::BackupNeverStepsDown) => {
            table.members.iter_mut().for_each(|member| member.backup = false);
        }
        Some(_) | None => {}
    }
    table
}
