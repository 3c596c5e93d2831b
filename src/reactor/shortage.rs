//! What the whole machine is short of, descriptors or local ports: told once for all rules whose runs go without, and
//! once when nobody's do any more.
//!
//! Pure: time comes with each question. The engine tells of a rule's inconclusive runs every half minute while they go
//! on, so silence of some more than that is the end of it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::rule::RuleId;
use crate::verdict::{LocalCause, Verdict};

/// Rules are counted for so long before it is told how many there are.
const GATHERED: Duration = Duration::from_secs(1);
/// Nobody went without for so long: it is over.
const OVER_AFTER: Duration = Duration::from_secs(45);

/// What can be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Descriptors,
    Ports,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// So many rules go without, this one first.
    Short { of: Of, first: RuleId, rules: usize },
    /// It is over; so many rules went without, for so long.
    Over { of: Of, rules: usize, lasted: Duration },
}

/// All shortages.
#[derive(Debug, Default)]
pub(super) struct Shortages {
    descriptors: Option<Shortage>,
    ports: Option<Shortage>,
}

/// One that goes on.
#[derive(Debug)]
struct Shortage {
    first: RuleId,
    from: Instant,
    until: Instant,
    rules: HashSet<RuleId>,
    is_told: bool,
}

impl Of {
    /// What an inconclusive run was short of, if that concerns the whole machine.
    pub(super) fn verdict(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Inconclusive(LocalCause::Descriptors) => Some(Self::Descriptors),
            Verdict::Inconclusive(LocalCause::Ports) => Some(Self::Ports),
            Verdict::Inconclusive(
                LocalCause::Unresolved(_)
                | LocalCause::Buffers(_)
                | LocalCause::Permission(_)
                | LocalCause::Address(_)
                | LocalCause::Interface(_)
                | LocalCause::Spawn(_)
                | LocalCause::Late { .. }
                | LocalCause::Guarded,
            )
            | Verdict::Success
            | Verdict::Failure(_) => None,
        }
    }

    /// As the verdict has it.
    pub(super) fn cause(self) -> LocalCause {
        match self {
            Self::Descriptors => LocalCause::Descriptors,
            Self::Ports => LocalCause::Ports,
        }
    }

    /// What it is, in words.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
            Self::Ports => "local ports",
        }
    }
}

impl Shortages {
    /// A run of this rule went without.
    pub(super) fn note(&mut self, of: Of, rule: RuleId, now: Instant) {
        let shortage = match of {
            Of::Descriptors => &mut self.descriptors,
            Of::Ports => &mut self.ports,
        };
        let begins =
            || Shortage { first: rule, from: now, until: now, rules: HashSet::new(), is_told: false };
        let shortage = shortage.get_or_insert_with(begins);
        shortage.until = now;
        shortage.rules.insert(rule);
    }

    /// When [`overdue`](Self::overdue) wants to be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [&self.descriptors, &self.ports].into_iter().flatten().map(Shortage::told_at).min()
    }

    /// What is to be told now.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Said> {
        let both = [(Of::Descriptors, &mut self.descriptors), (Of::Ports, &mut self.ports)];
        both.into_iter().filter_map(|(of, shortage)| overdue(of, shortage, now)).collect()
    }
}

impl Shortage {
    fn told_at(&self) -> Instant {
        if self.is_told { self.until + OVER_AFTER } else { self.from + GATHERED }
    }
}

fn overdue(of: Of, shortage: &mut Option<Shortage>, now: Instant) -> Option<Said> {
    let going_on = shortage.as_mut().filter(|shortage| shortage.told_at() <= now)?;
    let rules = going_on.rules.len();
    if !std::mem::replace(&mut going_on.is_told, true) {
        return Some(Said::Short { of, first: going_on.first, rules });
    }
    let lasted = going_on.until.saturating_duration_since(going_on.from);
    *shortage = None;
    Some(Said::Over { of, rules, lasted })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some moment to begin with")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What is told in which second, where a run of a rule goes without in these.
    fn told(of: Of, went_without: &[(u32, u32)], seconds: u32) -> Vec<(u32, Said)> {
        let start = Instant::now();
        let mut shortages = Shortages::default();
        let mut told = Vec::new();
        for second in 0..seconds {
            let now = start + second * SECOND;
            if shortages.poll_timeout().is_some_and(|at| at <= now) {
                told.extend(shortages.overdue(now).into_iter().map(|said| (second, said)));
            }
            assert!(shortages.poll_timeout().is_none_or(|at| at > now), "it would wake all the time");
            for (_, rule) in went_without.iter().filter(|(at, _)| *at == second) {
                shortages.note(of, RuleId(*rule), now);
            }
        }
        told
    }

    #[test]
    fn it_is_told_once_with_the_number_of_rules_and_so_is_its_end() {
        let many = (0..500).map(|rule| (3, rule));
        // Then told of every half minute, and by others too.
        let later = (1..9).flat_map(|more| [(3 + 30 * more, 0), (4 + 30 * more, 600)]);
        let told = told(Of::Descriptors, &many.chain(later).collect::<Vec<_>>(), 1000);
        let (of, end) = (Of::Descriptors, 4 + 30 * 8);
        let over = Said::Over { of, rules: 501, lasted: (end - 3) * SECOND };
        assert_eq!(told, [(4, Said::Short { of, first: RuleId(0), rules: 500 }), (end + 45, over)]);
    }

    #[test]
    fn a_second_time_is_told_again_and_rules_are_counted_anew() {
        let told = told(Of::Ports, &[(0, 1), (0, 2), (100, 2)], 300);
        let rules: Vec<_> = told
            .iter()
            .map(|(_, said)| match said {
                Said::Short { rules, .. } | Said::Over { rules, .. } => *rules,
            })
            .collect();
        assert_eq!(rules, [2, 2, 1, 1]);
    }

    #[test]
    fn descriptors_and_ports_are_told_apart() {
        let now = Instant::now();
        let mut shortages = Shortages::default();
        assert_eq!(shortages.poll_timeout(), None);
        shortages.note(Of::Ports, RuleId(7), now);
        shortages.note(Of::Descriptors, RuleId(8), now + SECOND / 2);
        assert_eq!(shortages.overdue(now + SECOND / 2), []);
        let short = |of, rule| Said::Short { of, first: RuleId(rule), rules: 1 };
        assert_eq!(shortages.overdue(now + SECOND), [short(Of::Ports, 7)]);
        assert_eq!(shortages.overdue(now + 2 * SECOND), [short(Of::Descriptors, 8)]);
    }

    #[test]
    fn other_trouble_is_each_rules_own() {
        let late = LocalCause::Late { stalled: SECOND, limit: SECOND };
        for own in [LocalCause::Buffers(105), LocalCause::Guarded, late] {
            assert_eq!(Of::verdict(&Verdict::Inconclusive(own)), None);
        }
        let of = Of::verdict(&Verdict::Inconclusive(LocalCause::Ports));
        assert_eq!(of, Some(Of::Ports));
    }
}
