//! An operator who sets overrides, clears them and asks for runs, at any moment and of any rule.

use hfm::standing::Override;

use crate::model::MS;
use crate::random::Random;

/// Something that an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Sets this of a rule, until then.
    Set(usize, Override, Option<u64>),
    Enable(usize),
    Ask(usize),
}

impl Act {
    pub(crate) fn rule(self) -> usize {
        match self {
            Self::Set(rule, ..) | Self::Enable(rule) | Self::Ask(rule) => rule,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Operator {
    random: Random,
    rules: usize,
    scale: u64,
    /// Acts in one of so many turns; 0 for never.
    acts: u64,
}

impl Operator {
    /// From a seed of its own: the rest of a history is drawn as without an operator.
    pub(crate) fn new(seed: u64, rules: usize, scale: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6f70_6572_6174);
        let acts = random.pick(&[0, 0, 4, 15, 15, 60]);
        Self { random, rules, scale, acts }
    }

    /// What is done before anything is looked at.
    pub(crate) fn first(&mut self) -> Vec<Act> {
        if self.acts == 0 || self.random.percent(60) {
            return Vec::new();
        }
        (0..self.random.within(1, 3)).map(|_| self.act(0)).collect()
    }

    /// What is done in a turn: mostly nothing, at times several things at once.
    pub(crate) fn acts(&mut self, now: u64) -> Vec<Act> {
        if self.acts == 0 || !self.random.once_in(self.acts) {
            return Vec::new();
        }
        let count = if self.random.once_in(4) { self.random.within(2, 4) } else { 1 };
        (0..count).map(|_| self.act(now)).collect()
    }

    fn act(&mut self, now: u64) -> Act {
        let random = &mut self.random;
        let rule = random.index(self.rules);
        match random.below(20) {
            0..7 => Act::Ask(rule),
            7..13 => Act::Enable(rule),
            _ => {
                let kinds = [
                    Override::Drained,
                    Override::Drained,
                    Override::Disabled,
                    Override::AlwaysFail,
                    Override::AlwaysSuccess,
                ];
                let kind = random.pick(&kinds);
                let until = match random.below(10) {
                    0..5 => None,
                    // Where a due of some rule may well be.
                    5..7 => Some((now / self.scale + random.within(1, 3)) * self.scale),
                    7 => Some(now + random.below(3 * MS)),
                    _ => Some(now + random.below(8 * self.scale)),
                };
                Act::Set(rule, kind, until)
            }
        }
    }
}
