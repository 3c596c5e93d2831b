//! Planted bugs of what rules say of their addresses and of this gateway.

#![expect(clippy::wildcard_enum_match_arm, reason = "a saboteur leaves alone what it does not name")]

use hfm::engine::Output;
use hfm::rule::{RuleId, Status};
use hfm::standing::{Contribution, Override, Standing};

use crate::sabotage::{Saboteur, Tampered};

const DRAINED: Contribution = Contribution::Down { drained: true };

/// Bugs that are none: nobody may see them.
pub(crate) const HARMLESS: &[Saboteur] = &[Saboteur::StandingDoubled];

impl Tampered {
    pub(crate) fn standing(&mut self, saboteur: Saboteur, rule: RuleId, standing: Standing) -> Vec<Output> {
        let base = self.base;
        let has_tables = !self.rules[rule.index()].placement.tables.is_empty();
        let disabled = self.rules[rule.index()].status == Status::Disabled;
        let known = &mut self.runs[rule.index()];
        known.standings += 1;
        let last = known.standing.replace(standing);
        let said = |standing| Output::Standing { rule, standing };
        match saboteur {
            Saboteur::StandingLost if known.standings.is_multiple_of(3) => Vec::new(),
            Saboteur::ShareUnheard if !has_tables => Vec::new(),
            Saboteur::StandingDoubled => last.into_iter().chain([standing, standing]).map(said).collect(),
            Saboteur::StandingNeverStale => vec![said(Standing { stale: false, ..standing })],
            Saboteur::SettledAtOnce => vec![said(Standing { settled: true, ..standing })],
            Saboteur::SinceOfTheStart => vec![said(Standing { since: base, ..standing })],
            Saboteur::DisabledSaysDown if disabled => {
                vec![said(Standing { contribution: Contribution::Down { drained: false }, ..standing })]
            }
            Saboteur::EndedSaysNothing if known.no_more_runs => Vec::new(),
            Saboteur::DrainStaysWithTheRule
                if standing.contribution == DRAINED && known.set != Some(Override::Drained) =>
            {
                vec![said(Standing { contribution: Contribution::Down { drained: false }, ..standing })]
            }
            Saboteur::DrainAloneUntold if last.is_some_and(|last| is_drain_alone(last, standing)) => {
                Vec::new()
            }
            _ => vec![said(standing)],
        }
    }

    /// What a rule that ends says with it.
    pub(crate) fn last_words(&mut self, saboteur: Saboteur, rule: RuleId, output: Output) -> Vec<Output> {
        let known = &mut self.runs[rule.index()];
        known.no_more_runs = true;
        match (saboteur, known.standing) {
            (Saboteur::EndedSaysNothing, Some(standing)) => {
                let standing = Standing { contribution: Contribution::Nothing, ..standing };
                vec![output, Output::Standing { rule, standing }]
            }
            _ => vec![output],
        }
    }
}

/// Whether a rule is down before and after, only not for the same reason.
fn is_drain_alone(last: Standing, standing: Standing) -> bool {
    let is_down = |standing: Standing| matches!(standing.contribution, Contribution::Down { .. });
    is_down(last) && is_down(standing) && last.contribution != standing.contribution
}
