//! Which rules add what to the demotion counter: a pure machine from what rules say.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::sync::Arc;

use crate::rule::{Fate, Rule, RuleId};
use crate::standing::Contribution;

/// The shares of all rules.
#[derive(Debug)]
pub struct Shares {
    rules: Arc<[Rule]>,
    /// By slot.
    says: Vec<Says>,
    /// Some share has changed since they were taken.
    has_news: bool,
}

/// What is known of a rule.
#[derive(Clone, Copy, Debug, Default)]
struct Says {
    contribution: Contribution,
    /// What it adds now.
    share: u8,
}

impl Shares {
    /// Nothing is known yet: what was `adopted` of a rule stays until its state is. Of rules that are gone, or that
    /// have no `demote` any more, nothing does.
    pub fn new(rules: Arc<[Rule]>, adopted: &BTreeMap<String, u8>) -> Self {
        let of = |rule: &Rule| {
            let adopted = rule.demote.and_then(|_| adopted.get(&*rule.name).copied());
            Says { contribution: Contribution::Unknown, share: adopted.unwrap_or(0) }
        };
        let says = rules.iter().map(of).collect();
        Self { rules, says, has_news: true }
    }

    /// What a rule says is now this.
    pub fn on_standing(&mut self, rule: RuleId, contribution: Contribution) {
        let demote = self.rules[rule.index()].demote;
        let says = &mut self.says[rule.index()];
        says.contribution = contribution;
        self.has_news |= says.now_adds(share(demote, *says));
    }

    /// Other rules count from now on, in the slots of those before; each came by this fate.
    pub fn replace(&mut self, rules: Arc<[Rule]>, fates: &[Fate]) {
        self.says.resize(fates.len(), Says::default());
        for ((says, fate), rule) in self.says.iter_mut().zip(fates).zip(rules.iter()) {
            match fate {
                Fate::Kept | Fate::Adjusted => {}
                Fate::Changed => says.contribution = Contribution::Unknown,
                Fate::New | Fate::Vacated | Fate::Vacant => *says = Says::default(),
            }
            says.share = share(rule.demote, *says);
        }
        self.rules = rules;
        self.has_news = true;
    }

    /// Whether some share has changed since they were [taken](Self::take).
    pub fn has_news(&self) -> bool {
        self.has_news
    }

    /// What is [wanted](Self::wanted), to be brought about.
    pub fn take(&mut self) -> BTreeMap<String, u8> {
        self.has_news = false;
        self.wanted()
    }

    /// The shares that are not nothing, by the names of rules.
    pub fn wanted(&self) -> BTreeMap<String, u8> {
        let shares = self.rules.iter().zip(&self.says).filter(|(_, says)| says.share > 0);
        shares.map(|(rule, says)| (rule.name.to_string(), says.share)).collect()
    }
}

impl Says {
    /// Says whether it did not.
    fn now_adds(&mut self, share: u8) -> bool {
        std::mem::replace(&mut self.share, share) != share
    }
}

/// What a rule adds that says this.
fn share(demote: Option<NonZeroU8>, says: Says) -> u8 {
    let Some(demote) = demote else { return 0 };
    match says.contribution {
        Contribution::Unknown => says.share,
        Contribution::Down { drained: false } => demote.get(),
        Contribution::Down { drained: true } | Contribution::Up | Contribution::Nothing => 0,
    }
}

#[cfg(test)]
mod tests;
